"""What a file resembles: the codes of its picture, its text and its bytes.

Rule (docs/spec/similar.md): what is no picture and no text, or is broken, too large or
too short, has the codes of its bytes alone, and `problem` says why; nothing about its
content raises.  Pillow and iscc-lib are loaded when the first code is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from byline_ledger.content import Fingerprints
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.fingerprint_codes import is_plain, marked, word_of
from byline_ledger.likeness import (
    NEAR_CELLS,
    NEAR_CELLS_POOR,
    CellReader,
    Image,
    Question,
)
from byline_ledger.windows import PARTS, TURNS, WINDOWS, Window
from byline_node.texts import read_text

if TYPE_CHECKING:
    from byline_node.pictures import Picture

MAX_BYTES = 64 << 20
"""Of a file that is decoded; of a larger one the bytes alone are looked at."""
FEWEST_CHARACTERS = 400
"""Of a text without blanks and punctuation: some 500 as written."""
FEWEST_OF_CHUNK = 100
MOST_GROWTH = 2
"""Letters for each character: some stand for up to 18, and a text of those alone would
take as many times the work."""
LEAST_DETAIL = 220
"""Of a picture (`Picture.detail`) that has windows: one with less is compared as a
whole alone."""
RICH = 500
"""Detail from which on a picture's cells may differ more."""
MAX_CHUNKS = 512

PICTURE_STARTS = (
    (0, b"\xff\xd8\xff"),
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"GIF8"),
    (0, b"BM"),
    (0, b"II*\x00"),
    (0, b"MM\x00*"),
    (0, b"P5"),
    (0, b"P6"),
    (8, b"WEBP"),
    (4, b"ftypavif"),
    (4, b"ftypavis"),
)
"""(offset, bytes): how files of the formats that are read begin."""


def missing_extra() -> UsageError:
    """What an engine's file raises where its engine is not installed."""
    return UsageError(
        "fingerprints need an extra that is not installed",
        hint='install it with: pip install "byline-ledger[similar]"',
    )


def require_extra() -> None:
    """UsageError where the extra is not installed."""
    import byline_node.iscc_codes
    import byline_node.pictures  # noqa: F401


@dataclass(frozen=True, slots=True)
class Content:
    """What the bytes of a file turned out to be: a picture, a text, or neither."""

    picture: Picture | None = None
    detail: int = 0
    """Of the picture."""
    text: str = ""
    """Its letters and digits (`iscc_codes.collapse`)."""
    problem: str | None = None
    """Why it is neither."""


@dataclass(frozen=True, slots=True)
class Found:
    """The fingerprints of a file, and why there are not more, or none, of them."""

    fingerprints: Fingerprints | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A file to look for: what a node is asked, and how its answer is checked."""

    question: Question
    image: Image
    problem: str | None = None


def read_content(data: bytes, most_pixels: int | None = None) -> Content:
    """The picture or the text in these bytes; no picture with more than `most_pixels`
    (pictures.MAX_PIXELS)."""
    if len(data) > MAX_BYTES:
        return Content(problem=f"it has more than {MAX_BYTES:,} bytes")
    if is_picture(data[:16]):
        return _picture_in(data, most_pixels)
    text = read_text(data)
    if text is None:
        return Content(problem="it is neither a picture nor a text")
    from byline_node.iscc_codes import collapse

    letters = collapse(text)
    if len(letters) < FEWEST_CHARACTERS:
        return Content(problem="the text is too short")
    if len(letters) > MOST_GROWTH * len(text):
        return Content(problem="the text is of characters that stand for many")
    return Content(text=letters)


def _picture_in(data: bytes, most_pixels: int | None) -> Content:
    from byline_node.iscc_codes import image_code
    from byline_node.pictures import MAX_PIXELS, read_picture

    try:
        picture = read_picture(data, most_pixels or MAX_PIXELS)
    except MalformedError as error:
        return Content(problem=str(error))
    if is_plain(image_code(picture.square()).body):
        return Content(problem="the picture is plain")
    detail = picture.detail()
    poor = "the picture has little detail: it is compared as a whole alone"
    return Content(picture, detail, problem=None if detail >= LEAST_DETAIL else poor)


def is_picture(start: bytes) -> bool:
    """Whether a file that begins with these 16 bytes says that it is a picture."""
    return any(start[at : at + len(mark)] == mark for at, mark in PICTURE_STARTS)


def fingerprint(chunks: Iterable[bytes], data: bytes | None) -> Found:
    """The fingerprints of a file: of its bytes in `chunks`, and of its content, if it
    is not too large to be at hand as a whole."""
    from byline_node.iscc_codes import byte_codes, image_code, text_code

    units = [one.text for one in byte_codes(chunks)]
    content = read_content(data) if data is not None else TOO_LARGE
    windows: list[bytes] = []
    chunk_codes: list[bytes] = []
    if content.picture is not None:
        units.insert(0, image_code(content.picture.square()).text)
        if content.detail >= LEAST_DETAIL:
            windows = [_window_code(content.picture, one) for one in WINDOWS]
    if content.text:
        units.insert(0, text_code(content.text).text)
        chunk_codes = codes_of_chunks(content.text)
    made = Fingerprints(tuple(units), tuple(windows), tuple(chunk_codes))
    return Found(made, content.problem)


def _window_code(picture: Picture, window: Window) -> bytes:
    """8 bytes; zeros for a plain one."""
    from byline_node.iscc_codes import image_code

    return marked(image_code(picture.window(window)).body).to_bytes(8, "big")


def codes_of_chunks(letters: str) -> list[bytes]:
    """8 bytes for each chunk of a text; of a long one, those with the lowest codes, so
    that two copies keep the same."""
    from byline_node.iscc_codes import cut, text_code

    long = [one for one in cut(letters) if len(one) >= FEWEST_OF_CHUNK]
    codes = list(dict.fromkeys(text_code(one).body[:8] for one in long))
    if len(codes) <= MAX_CHUNKS:
        return codes
    kept = set(sorted(codes)[:MAX_CHUNKS])
    return [one for one in codes if one in kept]


TOO_LARGE = Content(problem=f"it has more than {MAX_BYTES:,} bytes")


# Asked for


def question_about(
    chunks: Iterable[bytes], data: bytes | None, most_pixels: int | None = None
) -> Asked:
    """The same for looking a file up: an image in all turns, and its parts."""
    from byline_node.iscc_codes import byte_codes, image_code, text_code

    data_code = byte_codes(chunks)[0].body
    content = read_content(data, most_pixels) if data is not None else TOO_LARGE
    turned: list[bytes] = []
    parts: list[tuple[int, ...]] = []
    picture = content.picture
    if picture is not None:
        for turn in range(TURNS):
            turned.append(image_code(picture.square(turn)).body)
            if content.detail >= LEAST_DETAIL:
                squares = (picture.window(part, turn) for part in PARTS)
                parts.append(tuple(marked(image_code(one).body) for one in squares))
    text = text_code(content.text).body if content.text else b""
    codes = codes_of_chunks(content.text) if content.text else []
    question = Question(
        tuple(turned), tuple(parts), text, tuple(map(word_of, codes)), data_code
    )
    near = NEAR_CELLS if content.detail >= RICH else NEAR_CELLS_POOR
    return Asked(question, Image(cell_reader(picture), near), content.problem)


def cell_reader(picture: Picture | None) -> CellReader:
    """Makes codes of places in a picture as they are asked for."""

    @cache
    def read(part: Window, turn: int, place: Window) -> int:
        assert picture is not None
        from byline_node.iscc_codes import image_code

        return marked(image_code(picture.window(part, turn, place)).body)

    return read
