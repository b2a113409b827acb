"""Which manifests on the shelf belong to a work that looks like this one.

Rule (docs/spec/content-credentials.md, "Soft bindings"): likeness finds a manifest and
proves nothing; the reader holds the manifest against the file.  By a code alone, both
halves of a picture's must be near: there are no cells to agree (docs/spec/similar.md).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.fingerprint_codes import DATA, IMAGE, TEXT, bits_between, is_plain
from byline_ledger.likeness import (
    NEAR_DATA,
    NEAR_IMAGE,
    NEAR_TEXT,
    PARTIAL,
    compare,
)
from byline_node.c2pa_shelf import Kept, Shelf
from byline_node.errors import MediaTypeError, NotOfferedError

INSTANCE = b"\x40\x07"
NEAR: Mapping[bytes, int] = {
    IMAGE: 80,
    TEXT: NEAR_TEXT,
    DATA: NEAR_DATA,
    INSTANCE: 0,  # the same bytes
}
"""Header of a unit to the bits of 256 in which two of them may differ."""
READ = ("image", "text")
COMPARE_SECONDS = 5.0
"""For one file; on a full shelf of long texts all would take minutes."""
MAX_PIXELS = 50_000_000
"""Of a stranger's picture: 250 MB while it is decoded."""
MAX_TEXT = 1 << 19
"""Bytes of a stranger's text, some two seconds; of more, the bytes alone count."""


@dataclass(frozen=True, slots=True)
class Match:
    """A manifest, and the bits of `of` in which its work differs."""

    kept: Kept
    distance: int
    of: int = 256
    partial: bool = False
    """Whether one is only a part of the other."""

    @property
    def score(self) -> int:
        """0 to 100."""
        return round(100 * (1 - self.distance / self.of))

    @property
    def rank(self) -> tuple[bool, float]:
        """Smaller is nearer; whole things before parts."""
        return self.partial, self.distance / self.of


def by_units(shelf: Shelf, asked: Mapping[bytes, bytes], most: int) -> list[Match]:
    """The nearest first, at most `most`, of statements that stand; `asked` is header to
    body of units."""
    image = asked.get(IMAGE)
    if image is not None and is_plain(image):
        asked = {head: body for head, body in asked.items() if head != IMAGE}
    found: list[Match] = []
    for kept in shelf.all():
        distances = near_units(shelf, kept, asked)
        if distances:
            found.append(Match(kept, min(distances)))
    return standing(shelf, found, most)


def near_units(shelf: Shelf, kept: Kept, asked: Mapping[bytes, bytes]) -> list[int]:
    """The distances of those units of a manifest's work that are near."""
    found = (between(unit, asked) for unit in shelf.about(kept).units)
    return [distance for distance in found if distance is not None]


def between(unit: bytes, asked: Mapping[bytes, bytes]) -> int | None:
    """Bits in which a unit differs from that of its kind; None if it is not near."""
    head, body = unit[:2], unit[2:]
    other, near = asked.get(head), NEAR.get(head)
    if other is None or near is None:
        return None
    if head == IMAGE and bits_between(body[:8], other[:8]) > NEAR_IMAGE:
        return None
    distance = bits_between(body, other)
    return distance if distance <= near else None


def by_content(shelf: Shelf, data: bytes, most: int) -> tuple[list[Match], int]:
    """The same for the bytes of a file: as a whole, turned, or in part; and with how
    many manifests' works there was no time to compare it.

    NotOfferedError where this node cannot look into files.
    """
    from byline_node.fingerprint import is_picture, question_about, require_extra

    try:
        require_extra()
    except UsageError as error:
        raise NotOfferedError(
            f"this node does not look into files: {error}",
            hint="ask it by a code: matches/byBinding",
        ) from None
    if not data:
        raise MalformedError("expected a file, got an empty body")
    looked_into = is_picture(data[:16]) or len(data) <= MAX_TEXT
    asked = question_about([data], data if looked_into else None, MAX_PIXELS)
    found: list[Match] = []
    end = time.monotonic() + COMPARE_SECONDS
    question = asked.question
    codes = {IMAGE: b"".join(question.turned[:1]), TEXT: question.text}
    codes = {head: body for head, body in codes.items() if body}
    # Those first that are near as a whole: there may be no time for all.
    order = sorted(shelf.all(), key=lambda kept: not near_units(shelf, kept, codes))
    left = len(order)
    for kept in order:
        if time.monotonic() > end:
            break
        left -= 1
        likeness = compare(asked.question, shelf.about(kept).codes, asked.image)
        if likeness is not None:
            partial = likeness.kind in PARTIAL
            found.append(Match(kept, likeness.distance, likeness.of, partial))
    return standing(shelf, found, most), left


def require_content_type(media_type: str) -> None:
    """MediaTypeError for what nobody could look into."""
    if media_type.partition("/")[0] not in READ:
        given = media_type[:64] or "none"
        raise MediaTypeError(
            f"expected Content-Type image/... or text/..., got {given}"
        )


def standing(shelf: Shelf, found: list[Match], most: int) -> list[Match]:
    """The nearest of these whose statements were not taken back; of those as near, the
    earliest in the log: whoever copies somebody's codes comes after them."""
    kept: list[Match] = []
    for one in sorted(found, key=lambda one: (one.rank, shelf.about(one.kept).place)):
        if len(kept) == most:
            break
        if shelf.stands(one.kept):
            kept.append(one)
    return kept
