"""Windows of images, the codes of fingerprints, and what counts as alike."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from byline_ledger.content import Fingerprints
from byline_ledger.fingerprint_codes import (
    DATA,
    IMAGE,
    TEXT,
    Codes,
    bits_between,
    codes_of,
    is_plain,
    marked,
)
from byline_ledger.likeness import (
    NEAR_CELLS,
    NEAR_CHUNK,
    NEAR_DATA,
    NEAR_IMAGE,
    NEAR_TEXT,
    NEAR_WHOLE,
    Image,
    Likeness,
    Question,
    compare,
)
from byline_ledger.windows import (
    CELLS,
    PARTS,
    TURNS,
    WHOLE,
    WINDOWS,
    Window,
    how_turned,
)

CODE = bytes.fromhex("0f1e2d3c4b5a6978" * 4)
FAR = 2**64 - 1


def word(code: bytes = CODE) -> int:
    return int.from_bytes(code[:8], "big")


def flipped(code: bytes, bits: int) -> bytes:
    """The code with its first `bits` bits changed."""
    mask = ((1 << bits) - 1) << (8 * len(code) - bits)
    return (int.from_bytes(code, "big") ^ mask).to_bytes(len(code), "big")


def unit(head: bytes, body: bytes) -> str:
    return "ISCC:" + base64.b32encode(head + body).decode().rstrip("=")


no_cells = Image(lambda part, turn, place: 0)
same_cells = Image(lambda part, turn, place: word())


IMAGE_CODES = Codes(image=CODE, windows=(FAR,) * len(PARTS) + (word(),) * len(CELLS))


def asked(turn: int, code: bytes = CODE) -> Question:
    """An image whose code is this in one turn, and nothing like it in the others."""
    other = bytes(b ^ 0xFF for b in CODE)
    turned = tuple(code if one == turn else other for one in range(TURNS))
    return Question(turned=turned, parts=((0,) * len(PARTS),) * TURNS)


# Windows


def test_the_table_has_the_windows_of_the_specification() -> None:
    assert (len(PARTS), len(CELLS), len(WINDOWS)) == (43, 9, 52)
    assert PARTS[0] == Window(0.0, 0.0, 0.9, 0.9)
    assert PARTS[-1] == Window(0.0, 0.25, 1.0, 1.0)
    for one in WINDOWS:
        assert 0 <= one.left < one.right <= 1 + 1e-9
        assert 0 <= one.top < one.bottom <= 1 + 1e-9


def test_a_cell_has_a_place_in_a_part_that_holds_it_and_none_in_another() -> None:
    part = Window(0.0, 0.0, 0.5, 1.0)
    assert part.place_of(Window(0.1, 0.1, 0.5, 0.5)) == Window(0.2, 0.1, 1.0, 0.5)
    assert part.place_of(Window(0.3, 0.1, 0.7, 0.5)) is None
    assert part.place_of(Window(0.0, 0.0, 0.5, 1.0)) == WHOLE


def test_at_least_three_cells_lie_in_each_part_that_leaves_80_percent() -> None:
    for part in (*PARTS[:18], *PARTS[27:]):
        assert sum(part.place_of(one) is not None for one in CELLS) >= 3


def test_turns_have_words() -> None:
    said = [how_turned(turn) for turn in range(TURNS)]
    assert said == [
        "",
        "mirrored",
        "turned and mirrored",
        "turned",
        "turned and mirrored",
        "turned",
        "turned",
        "turned and mirrored",
    ]


# Codes


def test_the_first_unit_of_each_kind_counts() -> None:
    found = codes_of(
        Fingerprints(
            iscc=(
                unit(IMAGE, CODE),
                unit(IMAGE, flipped(CODE, 3)),
                unit(DATA, flipped(CODE, 9)),
                unit(b"\x22\x07", CODE),
                unit(TEXT, flipped(CODE, 5)),
            ),
            windows=(CODE[:8],) * len(WINDOWS),
            chunks=(CODE[8:16],),
        )
    )
    assert found == Codes(
        image=CODE,
        windows=(word(),) * len(WINDOWS),
        text=flipped(CODE, 5),
        chunks=(word(CODE[8:16]),),
        data=flipped(CODE, 9),
    )


def test_windows_of_another_table_or_of_no_image_are_left_out() -> None:
    image = unit(IMAGE, CODE)
    assert codes_of(Fingerprints((image,), (CODE[:8],) * 35)).windows == ()
    assert codes_of(Fingerprints((), (CODE[:8],) * len(WINDOWS))).windows == ()


def test_codes_of_plain_surfaces_say_nothing() -> None:
    plain = b"\x80" + bytes(7) + CODE[8:]
    assert is_plain(plain)
    assert not is_plain(CODE)
    assert not is_plain(b"")
    assert marked(plain) == 0
    assert marked(CODE) == word()
    windows = (b"\x7f" + bytes(7), *(CODE[:8],) * (len(WINDOWS) - 1))
    found = codes_of(Fingerprints((unit(IMAGE, plain),), windows))
    assert found.image == b""
    assert found.windows == ()
    assert codes_of(Fingerprints((unit(IMAGE, CODE),), windows)).windows[0] == 0


def test_bits_are_counted() -> None:
    assert bits_between(CODE, flipped(CODE, 77)) == 77


# Alike


def test_nothing_is_like_nothing() -> None:
    assert compare(Question(), Codes(), no_cells) is None
    assert compare(asked(0), Codes(), same_cells) is None
    assert compare(Question(), IMAGE_CODES, same_cells) is None


@pytest.mark.parametrize("turn", range(TURNS))
def test_an_image_is_alike_in_a_turn_up_to_the_distance(turn: int) -> None:
    near = asked(turn, flipped(CODE, NEAR_IMAGE))
    assert compare(near, IMAGE_CODES, same_cells) == Likeness(
        "image", NEAR_IMAGE, 64, turn
    )
    far = asked(turn, flipped(CODE, NEAR_IMAGE + 1))
    assert compare(far, IMAGE_CODES, same_cells) is None


def test_an_image_is_not_alike_if_its_cells_are_not() -> None:
    def cells(bits: int) -> Likeness | None:
        code = word(flipped(CODE, bits))
        return compare(asked(0), IMAGE_CODES, Image(lambda part, turn, place: code))

    assert cells(NEAR_CELLS) == Likeness("image", 0, 64)
    assert cells(NEAR_CELLS + 1) is None
    assert compare(asked(0), IMAGE_CODES, no_cells) is None


def test_plain_cells_do_not_count_and_too_few_are_not_enough() -> None:
    def with_cells(count: int) -> Likeness | None:
        cells = (word(),) * count + (0,) * (len(CELLS) - count)
        windows = (FAR,) * len(PARTS) + cells
        return compare(asked(0), replace(IMAGE_CODES, windows=windows), same_cells)

    assert with_cells(3) is not None
    assert with_cells(2) is None


def test_cells_must_be_nearer_where_there_is_little_detail() -> None:
    code = word(flipped(CODE, 16))
    strict = Image(lambda part, turn, place: code, near=15)
    assert compare(asked(0), IMAGE_CODES, strict) is None
    assert compare(asked(0), IMAGE_CODES, Image(strict.cell, near=16)) is not None


def test_an_image_without_windows_is_alike_as_a_whole_and_not_turned() -> None:
    for question, codes in (
        (asked(0, flipped(CODE, NEAR_WHOLE)), Codes(image=CODE)),
        (replace(asked(0, flipped(CODE, NEAR_WHOLE)), parts=()), IMAGE_CODES),
    ):
        found = compare(question, codes, no_cells)
        assert found == Likeness("image", NEAR_WHOLE, 64)
    far = asked(0, flipped(CODE, NEAR_WHOLE + 1))
    assert compare(far, Codes(image=CODE), same_cells) is None
    assert compare(asked(1), Codes(image=CODE), same_cells) is None


def test_a_part_of_a_work_is_found_and_its_cells_looked_for_where_they_lie() -> None:
    number = PARTS.index(Window(0.0, 0.0, 0.75, 1.0))
    windows = list(IMAGE_CODES.windows)
    windows[number] = word(flipped(CODE, 2))
    codes = Codes(image=bytes(b ^ 0xAA for b in CODE), windows=tuple(windows))
    seen: list[tuple[Window, int, Window]] = []

    def cell(part: Window, turn: int, place: Window) -> int:
        seen.append((part, turn, place))
        return word()

    assert compare(asked(5), codes, Image(cell)) == Likeness("part", 2, 64, 5)
    assert {(part, turn) for part, turn, _ in seen} == {(WHOLE, 5)}
    assert len(seen) == 6
    assert all(place.right <= 1 for _, _, place in seen)


def test_a_work_that_is_a_part_of_the_file_is_found() -> None:
    parts = [[0] * len(PARTS) for _ in range(TURNS)]
    parts[3][7] = word(flipped(CODE, 4))
    question = replace(
        asked(0, bytes(b ^ 0xFF for b in CODE)), parts=tuple(map(tuple, parts))
    )
    seen: list[tuple[Window, int]] = []

    def cell(part: Window, turn: int, place: Window) -> int:
        seen.append((part, turn))
        assert place in CELLS
        return word()

    found = compare(question, IMAGE_CODES, Image(cell))
    assert found == Likeness("larger", 4, 64, 3)
    assert set(seen) == {(PARTS[7], 3)}


def test_texts_are_alike_as_a_whole_or_by_a_chunk() -> None:
    codes = Codes(text=CODE, chunks=(word(), 5))
    whole = Question(text=flipped(CODE, NEAR_TEXT), chunks=(word(),))
    assert compare(whole, codes, no_cells) == Likeness("text", NEAR_TEXT, 256)
    quoted = Question(
        text=flipped(CODE, NEAR_TEXT + 1),
        chunks=(word(flipped(CODE, NEAR_CHUNK)), FAR),
    )
    assert compare(quoted, codes, no_cells) == Likeness("excerpt", NEAR_CHUNK, 64)
    other = replace(quoted, chunks=(word(flipped(CODE, NEAR_CHUNK + 1)),))
    assert compare(other, codes, no_cells) is None


def test_bytes_are_alike_and_the_nearest_likeness_counts() -> None:
    codes = Codes(text=CODE, data=CODE)
    near = Question(data=flipped(CODE, NEAR_DATA))
    assert compare(near, codes, no_cells) == Likeness("bytes", NEAR_DATA, 256)
    far = Question(data=flipped(CODE, NEAR_DATA + 1))
    assert compare(far, codes, no_cells) is None
    both = replace(near, text=flipped(CODE, 1))
    assert compare(both, codes, no_cells) == Likeness("text", 1, 256)
