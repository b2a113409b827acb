"""The picture of a label as PNG, drawn with Pillow and the font that it brings.

Pillow is the extra `similar`, and imported when a picture is drawn: without it a label
has no PNG, and everything else.  That font has no letters but Latin ones; the SVG and
the page show all that their reader's fonts have.

Shapes: byline_ledger/label_drawing.py.
"""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from byline_ledger.label_drawing import PATTERNS, WIDTH, Bar, Drawing, Text

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

SCALE = 2
"""Pixels of the picture for a unit of the drawing."""
BLACK = "#000000"
GREYS = 24
"""Of the edges of letters, black and white among them; the other colours are those of
the slices."""


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
    few = image.quantize(palette=palette(), dither=Image.Dither.NONE)
    few.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def palette() -> Any:
    """The colours of the picture, as an image that has them."""
    from PIL import Image, ImageColor

    greys = [(at * 255 // (GREYS - 1),) * 3 for at in range(GREYS)]
    slices = [ImageColor.getrgb(one) for one, _ in PATTERNS.values()]
    colours = list(dict.fromkeys([*greys, *slices]))
    image = Image.new("P", (1, 1))
    image.putpalette([part for colour in colours for part in colour])
    return image


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
    """A line of text; the font has one weight, so bold is drawn side by side: a stroke
    about it would close its i's and e's."""
    from PIL import ImageFont

    font = ImageFont.load_default(text.size * SCALE)
    place = text.x * SCALE, text.y * SCALE
    anchor = "ls" if text.anchor == "start" else "rs"
    bold = max(round(text.size * SCALE / 18), 1) if text.bold else 0
    for aside in range(-bold // 2, bold // 2 + 1) if bold else (0,):
        pen.text(
            (place[0] + aside, place[1]),
            text.text,
            fill=text.colour,
            font=font,
            anchor=anchor,
        )
