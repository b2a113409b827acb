"""What somebody else's manifest says, as a `relay` that keeps to their words.

Rule (docs/spec/content-credentials.md, "Import"): the issuer is who signed the
manifest, and is credited with what they vouched for alone; what they only gathered
stands apart, and so does what an ingredient's own manifest says.  A word that is in no
vocabulary is named as a problem and left out: it never becomes ours.  Nothing here
loads an engine.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from byline_ledger import vocabulary as words
from byline_ledger.codec import Value
from byline_ledger.content_relay import (
    MAX_ACTION,
    MAX_ACTIONS,
    MAX_CREATORS,
    ForeignClaim,
    read_claim,
)
from byline_ledger.digest import multihash
from byline_ledger.field_reader import FieldReader
from byline_ledger.statement import MAX_SOURCES, Source
from byline_node.c2pa_manifest import ATTESTATION, CREATED, PARENT

FORMAT = "c2pa"
MAX_CHAIN = 32
"""Ingredients that are walked to find how a work was made first."""
MAX_TEXT = 4096
MOST_PROBLEMS = 16
SHA256_NAME = "sha256:"
SPDX = "https://spdx.org/licenses/"
ASSERTIONS = "self#jumbf=c2pa.assertions/"

Json = Mapping[str, Any]


@dataclass(slots=True)
class Foreign:
    """What a manifest says: `created` by its issuer's word, `gathered` from others.

    `unnamed` counts ingredients of which no digest is known; `attestation` is the data
    of our own assertion, if it carries one; `problems` are words that were left out.
    """

    created: ForeignClaim | None = None
    gathered: ForeignClaim | None = None
    sources: list[Source] = field(default_factory=list)
    unnamed: int = 0
    attestation: object = None
    problems: list[str] = field(default_factory=list)


def read_foreign(detail: Json, active: str, about: bytes) -> Foreign:
    """The manifest `active` of a store as the engine tells it in detail, about a work
    (multihash); MalformedError never: what is odd is a problem."""
    manifests = map_of(detail.get("manifests"))
    found = Foreign()
    manifest = map_of(manifests.get(active))
    store = map_of(manifest.get("assertion_store"))
    claim = map_of(manifest.get("claim"))
    said = {
        "created": told(claim.get("created_assertions"), store),
        # A claim of version 1 does not tell the two apart.
        "gathered": told(claim.get("gathered_assertions"), store)
        + told(claim.get("assertions"), store),
    }
    raw = {name: foreign_fields(those) for name, those in said.items()}
    title = text_of(claim.get("dc:title"))
    if title is not None:
        raw["created"].setdefault("title", title)
    if not any("source-type" in one for one in raw.values()):
        source_type = origin(manifests, store)
        if source_type is not None:
            raw["gathered"]["source-type"] = source_type
    reader = FieldReader({name: one for name, one in raw.items() if one})
    found.created = read_claim(reader, "created") if raw["created"] else None
    found.gathered = read_claim(reader, "gathered") if raw["gathered"] else None
    found.problems += [one[:MAX_TEXT] for one in reader.problems[:MOST_PROBLEMS]]
    everything = [*said["created"], *said["gathered"]]
    found.attestation = next((d for n, d in everything if n == ATTESTATION), None)
    add_ingredients(found, everything, about)
    return found


def told(listed: object, store: Json) -> list[tuple[str, Json]]:
    """Label, without its number, and data of the assertions that a claim lists."""
    urls = [text_of(map_of(one).get("url")) for one in list_of(listed)]
    found: list[tuple[str, Json]] = []
    for url in urls:
        name = (url or "").rpartition("/")[2]
        if name in store:
            found.append((name.partition("__")[0], map_of(store[name])))
    return found


def foreign_fields(assertions: list[tuple[str, Json]]) -> dict[str, Value]:
    """The fields of a foreign claim, as somebody wrote them."""
    fields: dict[str, Value] = {}
    for label, data in assertions:
        if label in ("c2pa.actions", "c2pa.actions.v2"):
            add_actions(fields, data)
        elif label in ("cawg.training-mining", "c2pa.training-mining"):
            fields.setdefault("uses", uses_of(data))
        elif label in ("cawg.metadata", "c2pa.metadata"):
            add_metadata(fields, data)
        elif label == "stds.schema-org.CreativeWork":
            add_creators(fields, data.get("author"))
        elif label == "c2pa.ai-disclosure":
            add_disclosure(fields, data)
    return fields


def add_actions(fields: dict[str, Value], data: Json) -> None:
    """What was done, and how it was made: by the first action that created it, else
    the first that says anything of it."""
    actions = [map_of(one) for one in list_of(data.get("actions"))]
    names = [text_of(one.get("action")) for one in actions]
    known = [one for one in dict.fromkeys(names) if one and len(one) <= MAX_ACTION]
    if known:
        before = list_of(fields.get("actions"))
        fields["actions"] = [*before, *known][:MAX_ACTIONS]
    made = [one for one in actions if one.get("action") == CREATED] + actions
    types = [text_of(one.get("digitalSourceType")) for one in made]
    first = next((one for one in types if one), None)
    if first is not None:
        fields.setdefault("source-type", first)


def uses_of(data: Json) -> Value:
    """Consent; C2PA 1.x had the same entries under its own name."""
    uses: dict[str, Value] = {}
    for key, entry in map_of(data.get("entries")).items():
        name = key.replace("c2pa.", "cawg.", 1) if key.startswith("c2pa.") else key
        said = map_of(entry)
        use: dict[str, Value] = {"use": text_of(said.get("use")) or ""}
        # The specification's prose and its grammar spell it differently.
        for spelt in ("constraint_info", "constraints_info"):
            info = text_of(said.get(spelt))
            if info:
                use.setdefault("constraint-info", info)
        uses[name[:MAX_ACTION]] = use
    return uses


def add_metadata(fields: dict[str, Value], data: Json) -> None:
    """Title, licence and names; unsigned by whom they name."""
    title = text_of(data.get("dc:title"))
    if title:
        fields.setdefault("title", title)
    licence = text_of(data.get("xmpRights:WebStatement")) or ""
    if licence.startswith(SPDX):
        licence = licence.removeprefix(SPDX).removesuffix(".html")
    else:
        licence = ""
    rights = text_of(data.get("dc:rights"))
    if rights or licence:
        fields.setdefault("license", rights or licence)
    add_creators(fields, data.get("dc:creator"))


def add_creators(fields: dict[str, Value], value: object) -> None:
    """Names of people, as XMP or schema.org write them."""
    names = [
        text_of(map_of(one).get("name")) or text_of(one) for one in list_of(value, True)
    ]
    known = [one for one in names if one]
    if known:
        fields.setdefault("creators", [*known[:MAX_CREATORS]])


def add_disclosure(fields: dict[str, Value], data: Json) -> None:
    """The model that made it, and how far a human looked after that."""
    model = {
        ours: text_of(data.get(theirs))
        for ours, theirs in (
            ("name", "modelName"),
            ("identifier", "modelIdentifier"),
            ("type", "modelType"),
        )
    }
    if model["name"] is not None:
        fields.setdefault("model", {k: v for k, v in model.items() if v is not None})
    profile = map_of(data.get("contentProfile"))
    level = text_of(
        profile.get("humanOversightLevel") or data.get("humanOversightLevel")
    )
    if level is not None:
        fields.setdefault("oversight", level)


def origin(manifests: Json, store: Json) -> str | None:
    """How the work was made first, by the manifests of its parents, up to MAX_CHAIN."""
    for _ in range(MAX_CHAIN):
        parent = next(
            (one for _, one in ingredients(store) if one.get("relationship") == PARENT),
            None,
        )
        label = manifest_named(parent) if parent is not None else None
        manifest = map_of(manifests.get(label or ""))
        store = map_of(manifest.get("assertion_store"))
        for name, data in store.items():
            if name.partition("__")[0] in ("c2pa.actions", "c2pa.actions.v2"):
                fields: dict[str, Value] = {}
                add_actions(fields, map_of(data))
                found = fields.get("source-type")
                if isinstance(found, str):
                    return found
        if not store:
            return None
    return None


# Ingredients


def ingredients(store: Json) -> Iterator[tuple[str, Json]]:
    """The ingredients in an assertion store."""
    for name, data in store.items():
        label = name.partition("__")[0]
        if label.startswith("c2pa.ingredient"):
            yield label, map_of(data)


def add_ingredients(
    found: Foreign, assertions: list[tuple[str, Json]], about: bytes
) -> None:
    """Ingredients as sources: by digest where it is told, else by their manifest's."""
    for label, data in assertions:
        if not label.startswith("c2pa.ingredient"):
            continue
        relationship = text_of(data.get("relationship")) or ""
        if relationship not in words.RELATIONSHIPS:
            known_ones = ", ".join(words.RELATIONSHIPS)
            problem = f"ingredient: relationship: expected one of {known_ones}"
            if problem not in found.problems:
                found.problems.append(problem)
            found.unnamed += 1
            continue
        source = source_of(data, relationship)
        known = [(one.digest, one.relationship) for one in found.sources]
        if source is None or source.digest == about or len(known) == MAX_SOURCES:
            found.unnamed += 1
        elif (source.digest, relationship) not in known:
            found.sources.append(source)


def source_of(data: Json, relationship: str) -> Source | None:
    """One ingredient; None if nothing names its bytes."""
    name = text_of(data.get("instanceID")) or ""
    if name.startswith(SHA256_NAME):
        digest = hex_digest(name.removeprefix(SHA256_NAME))
        if digest is not None:
            return Source(digest, relationship)
    link = manifest_link(data)
    digest = base64_digest(link.get("hash"))
    if digest is None or link.get("alg", "sha256") != "sha256":
        return None
    return Source(digest, relationship, {"names": "manifest"})


def manifest_link(data: Json) -> Json:
    """The hashed link to an ingredient's own manifest, by the name of its version."""
    return map_of(data.get("activeManifest") or data.get("c2pa_manifest"))


def manifest_named(data: Json) -> str | None:
    """The label of an ingredient's own manifest."""
    url = text_of(manifest_link(data).get("url")) or ""
    return url.rpartition("/")[2] or None


def hex_digest(text: str) -> bytes | None:
    """A multihash from 64 hex digits."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return None
    return multihash(data) if len(data) == 32 and data.hex() == text else None


def base64_digest(value: object) -> bytes | None:
    """A multihash from 32 bytes in base64."""
    try:
        data = base64.b64decode(text_of(value) or "", validate=True)
    except (ValueError, binascii.Error):
        return None
    return multihash(data) if len(data) == 32 else None


# JSON of strangers


def map_of(value: object) -> Json:
    """The value if it is a map, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: object, one_too: bool = False) -> list[Any]:
    """The value if it is a list; if asked, one that stands alone as a list of it."""
    if isinstance(value, list):
        return value
    return [value] if one_too and value is not None else []


def text_of(value: object) -> str | None:
    """Text, also out of XMP's map of languages; at most MAX_TEXT characters."""
    if isinstance(value, Mapping):
        value = value.get("x-default") or next(iter(value.values()), None)
    if not isinstance(value, str):
        return None
    return value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
