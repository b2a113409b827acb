"""What a statement of any type says when it is signed for another key.

Field by field: docs/spec/statement.md, "Types"; whether it counts: docs/spec/state.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byline_ledger.codec import Value
from byline_ledger.errors import UsageError
from byline_ledger.field_maker import FieldMaker, Fields
from byline_ledger.field_reader import MAX_PARTS, FieldReader
from byline_ledger.statement import Statement

MAX_PROOF = 63
"""Hashes of a proof: enough for any tree that can be numbered."""
HASH_SIZE = 32
MAX_INDEX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class InManifest:
    """That a work is an entry of a manifest (docs/spec/collection.md)."""

    manifest: bytes
    """Multihash, 34 bytes."""
    index: int
    count: int
    """Entries of the manifest."""
    proof: tuple[bytes, ...]
    """RFC 6962 inclusion proof, hashes of 32 bytes."""


@dataclass(frozen=True, slots=True)
class DelegatedContent:
    """Whom a statement is signed for; `for_` and `delegation` only together."""

    for_: bytes | None
    """Key, 32 bytes."""
    delegation: bytes | None
    """Id of that key's `delegate` statement."""
    in_manifest: InManifest | None
    number: int | None
    problems: tuple[str, ...]


def delegated_fields(
    fields: Mapping[str, Value],
    *,
    for_: bytes,
    delegation: bytes,
    in_manifest: InManifest | None = None,
    number: int | None = None,
) -> Fields:
    """The fields of a statement, now signed for the key `for_` (32 bytes)."""
    maker = FieldMaker(**fields)
    maker.key("for", for_)
    maker.id("delegation", delegation)
    if in_manifest is not None:
        maker.fields["in-manifest"] = _in_manifest_fields(in_manifest)
    maker.number("number", number, MAX_PARTS, 1)
    return maker.fields


def read_delegated(statement: Statement) -> DelegatedContent:
    """Whom a statement of any type is signed for."""
    reader = FieldReader(statement.fields)
    for_, delegation = reader.key("for"), reader.id("delegation")
    if not reader.both("for", for_, "delegation", delegation):
        for_ = delegation = None
    return DelegatedContent(
        for_=for_,
        delegation=delegation,
        in_manifest=_read_in_manifest(reader),
        number=reader.number("number", MAX_PARTS, 1),
        problems=tuple(reader.problems),
    )


def _in_manifest_fields(place: InManifest) -> Fields:
    maker = FieldMaker()
    maker.digest("manifest", place.manifest)
    maker.number("count", place.count, MAX_INDEX, 1)
    maker.number("index", place.index, place.count - 1)
    proof = b"".join(place.proof)
    if not _is_proof(proof) or any(len(one) != HASH_SIZE for one in place.proof):
        raise UsageError(f"proof: expected at most {MAX_PROOF} hashes of 32 bytes")
    maker.fields["proof"] = proof
    return maker.fields


def _read_in_manifest(reader: FieldReader) -> InManifest | None:
    """All of it or none."""
    needed = ("manifest", "index", "count", "proof")
    inner = reader.inner("in-manifest", needed=needed)
    if inner is None:
        return None
    manifest = inner.digest("manifest")
    count = inner.number("count", MAX_INDEX, 1)
    index = inner.number("index", (count or MAX_INDEX) - 1)
    proof = inner.one("proof", bytes, _is_proof, f"at most {MAX_PROOF} hashes")
    reader.take_problems(inner)
    if manifest is None or index is None or count is None or proof is None:
        return None
    hashes = range(0, len(proof), HASH_SIZE)
    split = tuple(proof[at : at + HASH_SIZE] for at in hashes)
    return InManifest(manifest, index, count, split)


def _is_proof(value: bytes) -> bool:
    return len(value) % HASH_SIZE == 0 and len(value) <= MAX_PROOF * HASH_SIZE
