"""What a statement of any type says when it is signed for another key.

Field by field: docs/spec/statement.md, "Types"; whether it counts: docs/spec/state.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byline_ledger.codec import Value
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.field_maker import FieldMaker, Fields
from byline_ledger.field_reader import MAX_PARTS, FieldReader, remembered
from byline_ledger.manifest_tree import InManifest
from byline_ledger.merkle import HASH_BYTES
from byline_ledger.statement import Statement


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
        maker.fields["in-manifest"] = _in_manifest_field(in_manifest)
    maker.number("number", number, MAX_PARTS, 1)
    return maker.fields


@remembered
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


def _in_manifest_field(place: InManifest) -> Fields:
    if any(len(one) != HASH_BYTES for one in place.proof):
        raise UsageError("in-manifest: expected hashes of 32 bytes")
    field = place.to_field()
    try:
        InManifest.from_field(field)
    except MalformedError as error:
        raise UsageError(str(error)) from None
    return field


def _read_in_manifest(reader: FieldReader) -> InManifest | None:
    """All of it or none."""
    value = reader.fields.get("in-manifest")
    if value is None:
        return None
    try:
        return InManifest.from_field(value)
    except MalformedError:
        reader.problem("in-manifest", "manifest, index, count and proof")
        return None
