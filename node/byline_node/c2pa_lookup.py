"""Which manifests on the shelf belong to a work that looks like this one.

Rule (docs/spec/content-credentials.md, "Soft bindings"): likeness finds a manifest and
proves nothing; the reader holds the manifest against the file.  Of a picture's code
both halves must be near, the first 64 bits and all 256 (docs/spec/similar.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byline_node.c2pa_shelf import Kept, Shelf
from byline_node.errors import MediaTypeError, NotOfferedError

BITS = 256
NEAR: Mapping[bytes, int] = {
    b"\x21\x07": 80,  # image
    b"\x20\x07": 60,  # text
    b"\x30\x07": 32,  # data
    b"\x40\x07": 0,  # instance: the same bytes
}
"""Header of a unit to the bits of 256 in which two of them may differ."""
IMAGE = b"\x21\x07"
NEAR_FIRST = 12
"""The same of the first 64 bits of an image's code."""
READ = ("image", "text")
FEWEST_ONES = 8
"""Of any 64 bits: a code with fewer is that of a plain surface, like any other."""


@dataclass(frozen=True, slots=True)
class Match:
    """A manifest, and the bits of `of` in which its work differs."""

    kept: Kept
    distance: int
    of: int = BITS

    @property
    def score(self) -> int:
        """0 to 100."""
        return round(100 * (1 - self.distance / self.of))


def by_units(shelf: Shelf, asked: Mapping[bytes, bytes], most: int) -> list[Match]:
    """The nearest first, at most `most`, of statements that stand; `asked` is header to
    body of units."""
    asked = {head: body for head, body in asked.items() if not is_plain(head, body)}
    found: list[Match] = []
    for kept in shelf.all():
        distances = [
            distance
            for unit in shelf.units(kept)
            if (distance := between(unit, asked)) is not None
        ]
        if distances:
            found.append(Match(kept, min(distances)))
    return standing(shelf, found, most)


def require_content_type(media_type: str) -> None:
    """MediaTypeError for what nobody could look into."""
    if media_type.partition("/")[0] not in READ:
        given = media_type[:64] or "none"
        raise MediaTypeError(
            f"expected Content-Type image/... or text/..., got {given}"
        )


def by_content(shelf: Shelf, data: bytes, most: int) -> list[Match]:
    """The same for the bytes of a file."""
    raise NotOfferedError(
        "this node does not look into files", hint="ask by a code: matches/byBinding"
    )


def standing(shelf: Shelf, found: list[Match], most: int) -> list[Match]:
    """The nearest of these whose statements were not taken back."""
    kept: list[Match] = []
    for one in sorted(found, key=lambda one: (one.distance / one.of, one.kept.label)):
        if len(kept) == most:
            break
        if shelf.standing(one.kept) is not None:
            kept.append(one)
    return kept


def between(unit: bytes, asked: Mapping[bytes, bytes]) -> int | None:
    """Bits in which a unit differs from that of its kind; None if it is not near."""
    head, body = unit[:2], unit[2:]
    other, near = asked.get(head), NEAR.get(head)
    if other is None or near is None:
        return None
    if head == IMAGE and bits(body[:8], other[:8]) > NEAR_FIRST:
        return None
    distance = bits(body, other)
    return distance if distance <= near else None


def bits(one: bytes, other: bytes) -> int:
    """The number of bits in which two codes of one length differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def is_plain(head: bytes, body: bytes) -> bool:
    """Whether a code is that of a plain picture."""
    words = (body[at : at + 8] for at in range(0, len(body), 8))
    ones = [int.from_bytes(word, "big").bit_count() for word in words]
    return head == IMAGE and min(ones) < FEWEST_ONES
