"""Texts of strangers, slices and tables on the pictures of a label."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest
from tests.support.label_works import made

from byline_ledger.label_card import card
from byline_ledger.label_drawing import INNER, LEAST, draw, fitting, slice_widths
from byline_ledger.label_html import to_html
from byline_ledger.label_svg import to_svg
from byline_ledger.label_words import Words, shortened

HOSTILE = (
    "</title><script>x</script> ]]> &amp; \x00\x1b[2J \u202e\u2066\ufffe\U000e0041 "
    "\u05e9\u05dc\u05d5\u05dd \u3000\n\U0001f600"
)


def test_texts_of_strangers_are_cut_and_what_is_not_seen_is_shown() -> None:
    assert shortened("a\u202eb\ufeff\U000e0020", 9) == "a?b??"
    assert shortened("one\r\n\t\u3000\x85two", 9) == "one two"
    assert shortened("x" * 50, 40) == "x" * 39 + "…"


@pytest.mark.parametrize("letter", ["W", "m", "\u6f22", "i", "x", "A", "\u05d0"])
def test_names_stay_within_their_width(letter: str) -> None:
    for count in (1, 30, 300):
        cut = fitting(letter * count, 516, 17)
        assert cut == letter * count or cut.endswith("…")
        broad = {"i": 0.37, "x": 0.59, "A": 0.73}.get(letter, 1)
        assert len(cut) * broad * 17 <= 516 + 17
    assert fitting("Photographs of Lisbon, 1990 to 2020", 516, 17)[-1] == "0"
    assert fitting("W", 5, 17) == "…"


def test_a_slice_of_one_work_in_ten_million_is_seen() -> None:
    widths = slice_widths([1, 0, 10_000_000, 1])
    assert widths == [LEAST, 0, INNER - 2 * LEAST, LEAST]
    assert slice_widths([0, 0]) == [0, 0]
    assert slice_widths([1, 1, 2]) == [INNER / 4, INNER / 4, INNER / 2]


def test_a_hostile_name_is_text_everywhere() -> None:
    label = made(Words({"name": HOSTILE, "description": HOSTILE, "license": HOSTILE}))
    root = ET.fromstring(to_svg(draw(label)))
    assert root.find(".//{http://www.w3.org/2000/svg}script") is None
    page = to_html(label)
    assert "<script" not in page
    assert not set(page) & set("\x00\x1b\u202e\u2066\ufffe\u3000")
    front = card(label).split("---\n")[1]
    assert not set(front) & set("\x00\x1b\u202e\u2066\ufffe\u3000")
    name = next(one for one in front.splitlines() if one.startswith("pretty_name: "))
    assert json.loads(name.removeprefix("pretty_name: ")).endswith(" \U0001f600")
    assert "\\u" not in name


def test_page_and_card_have_the_numbers_of_the_picture() -> None:
    label = made()
    for text in (to_html(label), card(label)):
        for said in ("Claimed by a key, and it stands", "One or more, all known"):
            assert said in text
    assert "1 work may not be used for this, the first of them" in to_html(label)
