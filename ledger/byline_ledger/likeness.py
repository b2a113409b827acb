"""What resembles what, and by how much (docs/spec/similar.md, "When things are alike").

Rule: likeness is a reason to show a row and never to act: nothing here is evidence, and
none of it goes into a proof.  Distances are numbers of bits that differ.  An image is
alike as it is, turned, or as a part; it counts only where the cells in it agree, for
among thousands of comparisons some always hold by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from byline_ledger.fingerprint_codes import Codes, bits_between, word_of
from byline_ledger.windows import CELLS, PARTS, WHOLE, Window

NEAR_IMAGE = 12
"""Of 64 bits: two images, or an image and a part."""
NEAR_CELLS = 20
"""Of 64 bits, on average: the cells that a part and an image have in common."""
NEAR_CELLS_POOR = 15
"""The same where the image at hand has little detail: such images are easily alike."""
FEWEST_CELLS = 3
NEAR_WHOLE = 40
"""Of 256 bits: two images of which one has no windows, for want of detail."""
NEAR_TEXT = 60
"""Of 256 bits."""
NEAR_CHUNK = 6
"""Of 64 bits."""
NEAR_DATA = 32
"""Of 256 bits."""

Kind: TypeAlias = Literal["bytes", "image", "part", "larger", "text", "excerpt"]
PARTIAL: frozenset[Kind] = frozenset({"part", "larger", "excerpt"})
CellReader: TypeAlias = Callable[[Window, int, Window], int]
"""(part, turn, place): the code of that place in that part of the image at hand, turned
so; 0 where it is plain."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is known of the file at hand; empty where it is no image, no text."""

    turned: tuple[bytes, ...] = ()
    """The code of the image (32 bytes) in each turn."""
    parts: tuple[tuple[int, ...], ...] = ()
    """For each turn, the 64 bits of each part, turned so."""
    text: bytes = b""
    chunks: tuple[int, ...] = ()
    data: bytes = b""

    @property
    def words(self) -> tuple[int, ...]:
        """The first 64 bits of the image in each turn."""
        return tuple(map(word_of, self.turned))


@dataclass(frozen=True, slots=True)
class Likeness:
    """How the file at hand resembles a work.

    `kind`: its `bytes` do, it as an `image` or `text`, it as a `part` of the work or an
    `excerpt` from it (or with one), or the work as a part of it: it is `larger`.
    """

    kind: Kind
    distance: int
    of: int
    """Bits that were compared."""
    turn: int = 0

    @property
    def rank(self) -> tuple[bool, float]:
        """Smaller is nearer; the whole of a thing before parts."""
        return self.kind in PARTIAL, self.distance / self.of


@dataclass(frozen=True, slots=True)
class Image:
    """The image at hand: what its cells are, and how near those of a work must be."""

    cell: CellReader
    near: int = NEAR_CELLS


def compare(asked: Question, codes: Codes, image: Image) -> Likeness | None:
    """The nearest likeness between the file at hand and a work; None if there is
    none."""
    found = [*_bytes(asked, codes), *_texts(asked, codes)]
    if asked.turned and codes.image:
        if asked.parts and codes.windows:
            found += _images(asked, codes, image)
        else:
            found += _poor_images(asked, codes)
    return min(found, key=lambda one: one.rank, default=None)


def _bytes(asked: Question, codes: Codes) -> Iterator[Likeness]:
    if asked.data and codes.data:
        distance = bits_between(asked.data, codes.data)
        if distance <= NEAR_DATA:
            yield Likeness("bytes", distance, 256)


def _texts(asked: Question, codes: Codes) -> Iterator[Likeness]:
    if asked.text and codes.text:
        distance = bits_between(asked.text, codes.text)
        if distance <= NEAR_TEXT:
            yield Likeness("text", distance, 256)
            return
    distances = [(a ^ b).bit_count() for a in asked.chunks for b in codes.chunks]
    nearest = min(distances, default=64)
    if nearest <= NEAR_CHUNK:
        yield Likeness("excerpt", nearest, 64)


def _poor_images(asked: Question, codes: Codes) -> Iterator[Likeness]:
    if bits_between(asked.turned[0], codes.image) <= NEAR_WHOLE:
        distance = (asked.words[0] ^ word_of(codes.image)).bit_count()
        yield Likeness("image", distance, 64)


def _images(asked: Question, codes: Codes, image: Image) -> Iterator[Likeness]:
    work = word_of(codes.image)
    for turn, own in enumerate(asked.words):
        distance = (own ^ work).bit_count()
        if distance <= NEAR_IMAGE and _same(codes, WHOLE, WHOLE, turn, image):
            yield Likeness("image", distance, 64, turn)
        for part, code in zip(PARTS, codes.windows, strict=False):
            distance = (own ^ code).bit_count() if code else 64
            if distance <= NEAR_IMAGE and _same(codes, part, WHOLE, turn, image):
                yield Likeness("part", distance, 64, turn)
    for turn, own_parts in enumerate(asked.parts):
        for part, own in zip(PARTS, own_parts, strict=True):
            distance = (own ^ work).bit_count() if own else 64
            if distance <= NEAR_IMAGE and _same(codes, WHOLE, part, turn, image):
                yield Likeness("larger", distance, 64, turn)


def _same(
    codes: Codes, of_work: Window, of_file: Window, turn: int, image: Image
) -> bool:
    """Whether the cells in a part of the work are where they should be in a part of the
    file's image, turned so."""
    distances = []
    for inner, code in zip(CELLS, codes.windows[len(PARTS) :], strict=True):
        place = of_work.place_of(inner)
        if code and place is not None:
            own = image.cell(of_file, turn, place)
            if own:
                distances.append((own ^ code).bit_count())
    if len(distances) < FEWEST_CELLS:
        return False
    return sum(distances) <= image.near * len(distances)
