"""The picture of a label as PNG, drawn with Pillow and the font that it brings.

Pillow is the extra `similar`, and imported when a picture is drawn: without it a label
has no PNG, and everything else.  Shapes: byline_ledger/label_drawing.py.
"""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from byline_ledger.label_drawing import WIDTH, Bar, Drawing, Text

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

SCALE = 2
"""Pixels of the picture for a unit of the drawing."""
BLACK = "#000000"
COLOURS = 64
"""Of the picture: those of the slices, and the edges of letters."""


def has_pictures() -> bool:
    """Whether pictures can be drawn here."""
    return find_spec("PIL") is not None


def to_png(drawing: Drawing) -> bytes:
    """The picture's bytes."""
    from PIL import Image, ImageDraw

    size = WIDTH * SCALE, drawing.height * SCALE
    image = Image.new("RGB", size, "#ffffff")
    pen = ImageDraw.Draw(image)
    for shape in drawing.shapes:
        if isinstance(shape, Bar):
            draw_bar(image, pen, shape)
        else:
            draw_text(pen, shape)
    stream = io.BytesIO()
    few = image.quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def draw_bar(image: Any, pen: ImageDraw, bar: Bar) -> None:
    """A rectangle with its pattern, which is drawn aside and cut out."""
    from PIL import Image, ImageDraw

    width, height = max(round(bar.width * SCALE), 1), max(round(bar.height * SCALE), 1)
    left, top = round(bar.x * SCALE), round(bar.y * SCALE)
    if bar.pattern != "empty" or not bar.outlined:
        piece = Image.new("RGB", (width, height), bar.colour)
        draw_marks(ImageDraw.Draw(piece), bar.pattern, width, height)
        image.paste(piece, (left, top))
    if bar.outlined:
        box = left, top, left + width, top + height
        pen.rectangle(box, outline=BLACK, width=3)


def draw_marks(pen: ImageDraw, pattern: str, width: int, height: int) -> None:
    """The marks of a pattern over a whole piece."""
    step = 8 * SCALE
    if pattern in ("stripes", "checks"):
        for at in range(-height, width + height, step):
            pen.line((at, height, at + height, 0), fill=BLACK, width=3)
            if pattern == "checks":
                pen.line((at, 0, at + height, height), fill=BLACK, width=3)
    elif pattern == "lines":
        for at in range(4, height, step // 2):
            pen.line((0, at, width, at), fill=BLACK, width=2)
    elif pattern == "dots":
        for x in range(step // 2, width, step):
            for y in range(step // 2, height, step):
                pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=BLACK)


def draw_text(pen: ImageDraw, text: Text) -> None:
    """A line of text.  The font has one weight: bold letters are drawn wider, and so
    much further apart that they do not touch."""
    from PIL import ImageFont

    font = ImageFont.load_default(text.size * SCALE)
    left, base = text.x * SCALE, text.y * SCALE
    stroke = max(text.size * SCALE // 50, 1) if text.bold else 0
    # Other scripts may join their letters, and are drawn in one piece.
    parts = list(text.text) if stroke and text.text.isascii() else [text.text]
    if text.anchor == "end":
        left -= font.getlength(text.text) + 2 * stroke * (len(parts) - 1)
    for place, part in enumerate(parts):
        before = "".join(parts[:place])
        pen.text(
            (left + font.getlength(before) + 2 * stroke * place, base),
            part,
            fill=text.colour,
            font=font,
            anchor="ls",
            stroke_width=stroke,
            stroke_fill=text.colour,
        )
