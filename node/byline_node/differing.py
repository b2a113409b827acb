"""In what two statements about a file differ, but for what is each one's own."""

from __future__ import annotations

from collections.abc import Mapping

from byline_ledger.proof_of_work import FIELD

OWN_TO_ONE_FILE = frozenset(
    {"author", "time", "salt", "about", "media-type", "size", "seal", "seal-nonce"}
    | {"fingerprints", FIELD, "in-manifest", "number"}
)
"""Fields that two statements saying the same about a file may differ in."""


def differing(
    fields: Mapping[str, object], others: Mapping[str, object]
) -> tuple[str, ...]:
    """Names of fields that differ, but for those that may, in ascending order."""
    one, other = content_of(fields), content_of(others)
    return tuple(
        key for key in sorted({*one, *other}) if one.get(key) != other.get(key)
    )


def content_of(fields: Mapping[str, object]) -> dict[str, object]:
    """What is said, without what statements that say the same may differ in."""
    return {key: one for key, one in fields.items() if key not in OWN_TO_ONE_FILE}
