"""The PNG of a label: its colours are those of the slices, whatever else is on it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from tests.support.label_works import made

from byline_ledger.label_drawing import PATTERNS, draw
from byline_ledger.label_words import Words
from byline_node.label_picture import SCALE, to_png


@pytest.mark.parametrize("name", ["A set", "W" * 300, "\u05e9\u05dc\u05d5\u05dd", ""])
def test_a_picture_has_the_colours_of_its_slices(name: str) -> None:
    image_of: Any = pytest.importorskip("PIL.Image")
    drawing = draw(made(Words({"name": name})))
    image = image_of.open(io.BytesIO(to_png(drawing))).convert("RGB")
    assert image.size == (560 * SCALE, drawing.height * SCALE)
    assert image.getpixel((20, 20)) == (255, 255, 255)
    found = {
        "#{:02x}{:02x}{:02x}".format(*colour) for _, colour in image.getcolors(256)
    }
    assert {colour for colour, _ in PATTERNS.values()} | {"#000000"} <= found
    margin = image.crop((541 * SCALE, 40, 554 * SCALE, image.height - 40))
    assert margin.getcolors() == [(margin.width * margin.height, (255, 255, 255))]
