"""Names that look like another are marked, whatever they are made of."""

from __future__ import annotations

import time

import pytest

from byline_node.lookalikes import alike, doubts, skeleton, skeletons


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mara Voss", "Маra Voss"),  # Cyrillic М and а
        ("Mara Voss", "Mara  Voss "),
        ("Mara Voss", "mara voss"),
        ("Mara Voss", "Mara\u00a0Voss"),
        ("Mara Voss", "Mara Vo\u200bss"),
        ("Mara Voss", "Mara Voss\ufe00"),
        ("Mara Voss", "𝐌ara 𝕍oss"),
        ("Mara Voss", "Μara Voss"),  # Greek Μ
        ("Alice", "AIice"),  # a capital i
        ("Alice", "A1ice"),
        ("modern", "rnodern"),
        ("paypal", "раураӀ"),  # all Cyrillic
        ("O'Neil", "0'Neil"),
        ("Voss", "V0SS"),
        ("Ivan", "ivan"),
        ("Zoë", "Zoe\u0308"),
    ],
)
def test_what_looks_the_same_is_alike(one: str, other: str) -> None:
    assert alike({b"1": one, b"2": other}) == {b"1": (b"2",), b"2": (b"1",)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mara Voss", "Mara Foss"),
        ("Zoë", "Zoe"),
        ("李", "王"),
        ("", ""),
        ("\u200b", ""),
    ],
)
def test_what_differs_is_not(one: str, other: str) -> None:
    assert alike({b"1": one, b"2": other}) == {}


def test_each_key_is_told_of_all_that_look_like_it() -> None:
    names = {b"1": "Mara", b"2": "Маra", b"3": "Otto", b"4": "MARA"}
    assert alike(names) == {
        b"1": (b"2", b"4"),
        b"2": (b"1", b"4"),
        b"4": (b"1", b"2"),
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Mara Voss 3", ()),
        ("Øystein Åß-Ünal", ()),
        ("Иван Петров", ()),
        ("山田 Taro タロウ", ()),
        ("김 Kim 金", ()),
        ("علی\u200cرضا", ()),
        ("Mara 👩\u200d🚀", ()),
        ("Маra", ("mixes scripts: Cyrillic and Latin",)),
        ("ab\u03b1", ("mixes scripts: Greek and Latin",)),
        ("Ma\u200dra", ("has invisible characters",)),
        ("Ma\x1bra", ("has invisible characters",)),
        ("Ma\u202era", ("has invisible characters",)),
        ("Ma\u3164ra", ("has invisible characters",)),
        (
            "Ма\u2066ra",
            ("mixes scripts: Cyrillic and Latin", "has invisible characters"),
        ),
        ("", ()),
        ("123", ()),
    ],
)
def test_what_is_said_of_a_name_alone(name: str, said: tuple[str, ...]) -> None:
    assert [one.replace("Hangul and ", "") for one in doubts(name)] == list(said)


def test_a_skeleton_of_a_skeleton_is_itself() -> None:
    for code in (*range(0x20, 0x3000), *range(0xFF00, 0xFFF0), 0x1D400, 0x118E3):
        one = skeleton(chr(code))
        assert skeleton(one) == one, hex(code)


def test_a_hundred_long_names_take_no_time() -> None:
    names = {bytes([i]): ("Маra Voss " * 13)[:126] + f"{i:02}" for i in range(100)}
    skeletons("x")
    began = time.process_time()
    assert alike(names) == {}
    assert time.process_time() - began < 1
