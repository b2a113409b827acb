"""A file with its statement and proof in a C2PA manifest, or a manifest beside it.

Rule (docs/spec/content-credentials.md, "Export"): the manifest says what the author's
own statement says, is signed with the author's key, and carries the proof.  Writing it
into a file changes the file's digest, so the new bytes are attested too, as the same
work in another package, whose parent is the original.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from byline_ledger.answer import EFFECTIVE
from byline_ledger.bundle import Bundle, proof_of
from byline_ledger.codec import Value
from byline_ledger.content import read_work
from byline_ledger.content_parts import fingerprint_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.did import did_key
from byline_ledger.digest import digest_stream
from byline_ledger.errors import NotFoundError, UsageError, VerificationError
from byline_ledger.proof_of_work import FIELD
from byline_ledger.statement import Statement
from byline_ledger.verify import verify_bundle
from byline_node import c2pa_engine
from byline_node.c2pa_manifest import (
    MAX_EMBEDDED,
    Attested,
    definition,
    parent_of_itself,
    unit_bytes,
)

REPACKAGED = "c2pa.repackaged"
NOT_CARRIED = frozenset(
    {"about", "also", "author", "fingerprints", "in-manifest", "number", "salt", "seal"}
    | {"seal-nonce", "size", "sources", "time", FIELD}
)
"""Fields that speak of the original's bytes or of the one statement about them."""
MOST_ALIKE = 2
"""Main types of ISCC up to this speak of what is seen or read, those above of bytes."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the manifest store's bytes, and the file's digest and size."""

    manifest: bytes
    digest: bytes
    """34-byte multihash of the new file; of the work itself where it is unchanged."""
    size: int


def media_type_of(path: Path, statement: Statement | None = None) -> str:
    """By the file's name, else what the statement says of it."""
    guessed = mimetypes.guess_type(path.name)[0]
    said = statement.fields.get("media-type") if statement is not None else None
    return guessed or (said if isinstance(said, str) else c2pa_engine.ANY_TYPE)


def is_embeddable(media_type: str) -> bool:
    """Whether a manifest can be written into a file of that type."""
    return media_type in c2pa_engine.writable()


def own_statement(bundle: bytes, work: bytes, author: bytes) -> Attested:
    """The author's latest effective claim in a proof about a work (34 bytes).

    Raises VerificationError for a proof that does not hold, NotFoundError where it has
    no such claim.
    """
    verdict = verify_bundle(bundle, digest=work)
    if not verdict.ok or verdict.answer is None:
        raise VerificationError(f"the proof does not hold: {verdict.failure()}")
    mine = [
        one
        for one in verdict.answer.works[0].claims
        if one.author == author and one.status == EFFECTIVE
    ]
    if not mine:
        raise NotFoundError(
            f"{did_key(author)} says nothing about this file that stands",
            hint="attest it first: byline attest FILE --made human",
        )
    latest = max(mine, key=lambda one: one.index)
    parsed = Bundle.from_bytes(bundle)
    row = next(one for one in parsed.statements if one.statement.id == latest.id)
    whole = len(bundle) <= MAX_EMBEDDED
    return Attested(
        statement=row.statement,
        log=parsed.log,
        index=row.index,
        bundle=bundle if whole else b"",
        inclusion=() if whole else proof_of(parsed, row.index),
        checkpoint=b"" if whole else parsed.checkpoint,
    )


def export(
    work: BinaryIO,
    media_type: str,
    attested: Attested,
    signer: c2pa_engine.Signer,
    into: BinaryIO | None,
) -> Exported:
    """Signs a manifest about the work's bytes and writes them with it into `into`;
    where that is None, only the manifest is made."""
    if into is not None and not is_embeddable(media_type):
        raise UsageError(
            f"a manifest cannot be written into {media_type}",
            hint="keep it beside the file: --sidecar",
        )
    has_one = c2pa_engine.has_manifest(work, media_type)
    content = read_work(attested.statement)
    made = definition(
        attested,
        content,
        media_type=media_type,
        program=("byline", version("byline-ledger")),
        own_parent=has_one,
    )
    manifest = c2pa_engine.write(
        made,
        work,
        media_type,
        signer,
        into=into,
        parent=parent_of_itself() if has_one else None,
    )
    written = into if into is not None else work
    written.seek(0)
    digest, size = digest_stream(written)
    return Exported(manifest, digest, size)


def repackaged(
    statement: Statement, exported: Exported, *, time: int, salt: bytes
) -> dict[str, Value]:
    """The fields of a claim about the new file: what was said of the original, which
    is its source."""
    kept: dict[str, Value] = {
        name: value
        for name, value in statement.fields.items()
        if name not in NOT_CARRIED
    }
    source: dict[str, Value] = {
        "digest": statement.about,
        "relationship": "parentOf",
        "action": REPACKAGED,
    }
    prints = read_work(statement).fingerprints
    if prints is not None:
        units = [one for one in prints.iscc if unit_bytes(one)[0] >> 4 <= MOST_ALIKE]
        alike = replace(prints, iscc=tuple(units))
        kept["fingerprints"] = fingerprint_fields(alike)
    return kept | {
        "about": exported.digest,
        "salt": salt,
        "size": exported.size,
        "sources": [source],
        "time": time,
    }


def signer_of(key: SigningKey, folder: Path, now: int) -> c2pa_engine.Signer:
    """The author's key with a chain for it; `folder` keeps the home's certificates."""
    from byline_node.c2pa_certificates import chain_for

    sign: Callable[[bytes], bytes] = key.sign
    return c2pa_engine.Signer(chain_for(folder, key.public, now), sign)
