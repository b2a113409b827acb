"""A `work` statement as a C2PA manifest definition, and its proof out of one.

Rule (docs/spec/content-credentials.md): only the actions are what the signer created;
everything else is gathered, since it is said in the statement and signed there.
Nothing here loads an engine.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byline_ledger.bundle_rows import MAX_BUNDLE
from byline_ledger.content import WorkContent
from byline_ledger.did import did_key
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.statement import STATEMENT_TYPE, Source, Statement
from byline_ledger.vocabulary import MODEL_TYPE

ATTESTATION = "org.byline.attestation"
FORMAT = "byline-attestation/1"
MAX_EMBEDDED = 1 << 20
"""Bytes of a whole proof that go into a manifest; else the place in the log alone."""
MAX_TEXT = 4 * (MAX_BUNDLE // 3 + 1)
MAX_HASHES = 63
MAX_CHECKPOINT = 65_536

SOFT_BINDING = "io.iscc.v0"
CREATED, OPENED = "c2pa.created", "c2pa.opened"
PARENT, COMPONENT = "parentOf", "componentOf"
TERMS = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
}
SPDX_PAGE = "https://spdx.org/licenses/{}.html"


@dataclass(frozen=True, slots=True)
class Attested:
    """A statement with its place in a log, and the proof of that.

    `log` is the verifier key; `bundle` the whole proof, empty where it is too large:
    then `inclusion` (32-byte hashes) leads to the root of `checkpoint`.
    """

    statement: Statement
    log: str
    index: int
    bundle: bytes = b""
    inclusion: tuple[bytes, ...] = ()
    checkpoint: bytes = b""


def definition(
    attested: Attested,
    content: WorkContent,
    *,
    media_type: str,
    program: tuple[str, str],
    own_parent: bool,
) -> dict[str, Any]:
    """What the engine is asked to sign; `program` is name and version of ours.

    `own_parent`: the work has a manifest already, and is its own ingredient with it.
    """
    parents = [one for one in content.sources if one.relationship == PARENT]
    given = None if own_parent or not parents else parents[0]
    assertions = [
        first_action(content.source_type, own_parent or given is not None),
        {"label": ATTESTATION, "data": attestation(attested)},
        *consent(content),
        *metadata(content, attested.statement.author),
        *disclosure(content),
        *soft_binding(content.fingerprints.iscc if content.fingerprints else ()),
    ]
    made: dict[str, Any] = {
        "claim_generator_info": [{"name": program[0], "version": program[1]}],
        "format": media_type,
        "assertions": assertions,
        "ingredients": [ingredient(one, given is one) for one in content.sources],
    }
    if content.title is not None:
        made["title"] = content.title
    return made


def first_action(source_type: str | None, opened: bool) -> dict[str, Any]:
    """The one assertion that the signer made: how the work came to be."""
    action: dict[str, Any] = {"action": CREATED}
    if opened:
        action = {"action": OPENED, "parameters": {"ingredientIds": ["parent"]}}
    elif source_type is None:
        raise UsageError(
            "a manifest says how the work was made, and your statement does not",
            hint="attest it again with --made or --source-type",
        )
    if source_type is not None:
        action["digitalSourceType"] = source_type
    return {"label": "c2pa.actions.v2", "data": {"actions": [action]}, "created": True}


def ingredient(source: Source, is_parent: bool) -> dict[str, Any]:
    """A source of which nobody has the bytes: named by its digest alone.

    A manifest has one parent; further ones are told as components.
    """
    relationship = source.relationship
    if relationship == PARENT and not is_parent:
        relationship = COMPONENT
    name = f"sha256:{source.digest[2:].hex()}"
    made = {"title": name, "instance_id": name, "relationship": relationship}
    return made | ({"label": "parent"} if is_parent else {})


def parent_of_itself() -> dict[str, Any]:
    """The work as the ingredient of its new manifest, with the one that it has."""
    return {"title": "before", "relationship": PARENT, "label": "parent"}


def consent(content: WorkContent) -> list[dict[str, Any]]:
    """`cawg.training-mining`, where the statement says anything of uses."""
    entries: dict[str, dict[str, str]] = {}
    for use, value in content.uses.items():
        entries[use] = {"use": value}
        if use in content.constraints:
            entries[use]["constraint_info"] = content.constraints[use]
    if not entries:
        return []
    return [{"label": "cawg.training-mining", "data": {"entries": entries}}]


def metadata(content: WorkContent, author: bytes) -> list[dict[str, Any]]:
    """`cawg.metadata`: title, licence, and the key that claims the work."""
    data: dict[str, Any] = {"@context": TERMS, "dc:creator": [did_key(author)]}
    if content.title is not None:
        data["dc:title"] = content.title
    if content.license is not None:
        data["dc:rights"] = content.license
        if " " not in content.license and "LicenseRef-" not in content.license:
            data["xmpRights:WebStatement"] = SPDX_PAGE.format(
                content.license.rstrip("+")
            )
    return [{"label": "cawg.metadata", "data": data, "kind": "Json"}]


def disclosure(content: WorkContent) -> list[dict[str, Any]]:
    """`c2pa.ai-disclosure`: the model, and how far a human looked after it."""
    model, data = content.model, dict[str, Any]()
    if model is None and content.oversight is None:
        return []
    data["modelType"] = (model.type if model else None) or MODEL_TYPE
    if model is not None:
        data["modelName"] = model.name
        if model.identifier is not None:
            data["modelIdentifier"] = model.identifier
    if content.oversight is not None:
        data["contentProfile"] = {"humanOversightLevel": content.oversight}
    return [{"label": "c2pa.ai-disclosure", "data": data}]


def soft_binding(codes: Sequence[str]) -> list[dict[str, Any]]:
    """`c2pa.soft-binding` by ISCC: it finds the work when its manifest is lost."""
    if not codes:
        return []
    value = base64.b64encode(b"".join(map(unit_bytes, codes))).decode("ascii")
    data = {"alg": SOFT_BINDING, "blocks": [{"scope": {}, "value": value}]}
    return [{"label": "c2pa.soft-binding", "data": data}]


def unit_bytes(code: str) -> bytes:
    """Header and body of one ISCC unit, `ISCC:` and base32."""
    text = code.removeprefix("ISCC:")
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except (ValueError, binascii.Error):
        raise MalformedError(f"expected an ISCC unit, got {code[:80]!a}") from None


# The proof


def attestation(attested: Attested) -> dict[str, Any]:
    """The data of `org.byline.attestation`."""
    data: dict[str, Any] = {
        "format": FORMAT,
        "payloadType": STATEMENT_TYPE,
        "statement": attested.statement.cid,
        "envelope": text_of(attested.statement.to_envelope()),
        "log": attested.log,
        "index": attested.index,
    }
    if attested.bundle:
        return data | {"bundle": text_of(attested.bundle)}
    return data | {
        "inclusion": [text_of(one) for one in attested.inclusion],
        "checkpoint": text_of(attested.checkpoint),
    }


def read_attestation(data: object) -> Attested:
    """The same back: parsed, not verified.  MalformedError, or UnsupportedError."""
    if not isinstance(data, Mapping):
        raise MalformedError(f"{ATTESTATION}: expected a map")
    if data.get("format") != FORMAT or data.get("payloadType") != STATEMENT_TYPE:
        raise MalformedError(f"{ATTESTATION}: expected the format {FORMAT}")
    index, log = data.get("index"), data.get("log")
    if type(index) is not int or not 0 <= index < 2**63 or not isinstance(log, str):
        raise MalformedError(f"{ATTESTATION}: expected an index and a log")
    statement = Statement.from_envelope(bytes_of(data, "envelope"))
    if data.get("statement") != statement.cid:
        raise MalformedError(f"{ATTESTATION}: the envelope is of another statement")
    if "bundle" in data:
        return Attested(statement, log, index, bytes_of(data, "bundle"))
    hashes = data.get("inclusion")
    if not isinstance(hashes, list) or len(hashes) > MAX_HASHES:
        raise MalformedError(f"{ATTESTATION}: expected a bundle or an inclusion proof")
    proof = tuple(decoded(one, "inclusion") for one in hashes)
    if any(len(one) != 32 for one in proof):
        raise MalformedError(f"{ATTESTATION}: expected hashes of 32 bytes")
    note = bytes_of(data, "checkpoint", MAX_CHECKPOINT)
    return Attested(statement, log, index, b"", proof, note)


def text_of(data: bytes) -> str:
    """Bytes as base64: a manifest's JSON has no bytes."""
    return base64.b64encode(data).decode("ascii")


def bytes_of(data: Mapping[str, object], name: str, limit: int = MAX_TEXT) -> bytes:
    """One field of bytes."""
    return decoded(data.get(name), name, limit)


def decoded(value: object, name: str, limit: int = MAX_TEXT) -> bytes:
    """Base64 of bytes, in its one spelling."""
    if not isinstance(value, str) or len(value) > limit:
        raise MalformedError(f"{ATTESTATION}: {name}: expected base64")
    try:
        data = base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise MalformedError(f"{ATTESTATION}: {name}: expected base64") from None
    if text_of(data) != value:
        raise MalformedError(f"{ATTESTATION}: {name}: expected base64 without slack")
    return data
