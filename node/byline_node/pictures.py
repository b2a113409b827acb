"""Pictures as small grey squares; the only file that imports Pillow.

Rule (docs/spec/similar.md, "Images"): the first frame, upright as its camera says,
white under what is transparent, grey, without a plain border, 32 by 32 pixels.  A
picture is a stranger's bytes: formats, bytes and pixels are bounded before anything is
decoded, and one large picture is decoded at a time.
"""

from __future__ import annotations

import re
import threading
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeAlias

from byline_ledger.errors import MalformedError
from byline_ledger.windows import WHOLE, Window
from byline_node.fingerprint import missing_extra

try:
    from PIL import Image, ImageChops, ImageStat, UnidentifiedImageError
except ModuleNotFoundError:
    raise missing_extra() from None

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""None of those that run a program or fetch anything."""
MAX_PIXELS = 100_000_000
"""Of one frame: 400 MB of colours while it is decoded, and a quarter of that in
greys."""
MAX_SCANS = 64
"""Of a JPEG, which is gone through as a whole for each: 200 bytes may ask for it.
Cameras and editors make about ten."""
STRIP = 1 << 20
"""Pixels that are put on white at a time."""
LARGE_PIXELS = 10_000_000
"""Pictures with more are decoded one after the other."""
SIDE = 32
BORDER_SIDE = 512
"""Borders are looked for in a copy no larger than this."""
WINDOW_SIDE = 256
"""Windows are cut from a copy no larger than this: far quicker, and as good."""
RARE = 20
"""Pixels of a square at either end that do not count as its darkest or lightest."""
PLAIN = 16
"""How much the greys of a border may differ from its own average."""
EDGE = 48
"""How much the picture must differ from it where it begins."""
SHARP = 0.02
"""How far behind the border's end that must be, in sides of the picture."""
FADE = 2
"""Lines in which a border and a picture are mixed."""
FRAMES = 2
"""Times that borders are taken off: there may be a frame in a frame."""

# What is wrong with a picture is said by us, once; the limit of pixels is ours, and
# lower than the one that raises.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", module=r"PIL\.")

_one_large = threading.Lock()
_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Orientation in EXIF to what makes it 1."""
_ORIENTATION = 0x0112
_TURN_BITS = (
    (4, Image.Transpose.TRANSPOSE),
    (1, Image.Transpose.FLIP_LEFT_RIGHT),
    (2, Image.Transpose.FLIP_TOP_BOTTOM),
)

Square: TypeAlias = bytes
"""1,024 greys, row by row."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture without colours and border, whole and as a small copy."""

    grey: Any
    small: Any

    def square(self, turn: int = 0) -> Square:
        """All of it, turned (windows.TURNS)."""
        return _square(_turned(self.grey, turn), WHOLE)

    def detail(self) -> int:
        """How much there is in it: the number of different patterns of two by two
        pixels in its square, in 32 shades from its darkest to its lightest, 961 at
        most."""
        square = self.square()
        shades = sorted(square)
        low, high = shades[RARE], shades[-1 - RARE]
        step = max(1, high - low)
        level = [
            min(31, max(0, (grey - low) * 255 // step) // 8) for grey in range(256)
        ]
        flat = [level[grey] for grey in square]
        corners = (0, 1, SIDE, SIDE + 1)
        places = (y * SIDE + x for y in range(SIDE - 1) for x in range(SIDE - 1))
        return len({tuple(flat[at + c] for c in corners) for at in places})

    def window(self, part: Window, turn: int = 0, place: Window = WHOLE) -> Square:
        """A part of it, that part turned, and of this a place."""
        if part == WHOLE and not turn:
            return _square(self.small, place)
        if place == WHOLE:
            square = _square(self.small, part)
            image = Image.frombytes("L", (SIDE, SIDE), square)
            return bytes(_turned(image, turn).tobytes())
        width, height = self.small.size
        cut = self.small.crop(
            (
                round(part.left * width),
                round(part.top * height),
                round(part.right * width),
                round(part.bottom * height),
            )
        )
        return _square(_turned(cut, turn), place)


def read_picture(data: bytes, most: int = MAX_PIXELS) -> Picture:
    """The picture in these bytes.  MalformedError for a broken one, one that has more
    pixels than `most`, would take too long, or is of another format."""
    if data.startswith(b"\xff\xd8") and scans_in(data) > MAX_SCANS:
        raise MalformedError(f"the picture has more than {MAX_SCANS} scans")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            pixels = image.width * image.height
            if pixels > most:
                raise _too_large(most)
            if any(tile[0] in Image.DECODERS for tile in image.tile):
                # Those are decoders in Python: half a minute for 16 MB.
                raise MalformedError("the picture is packed in a way that is not read")
            with _one_large if pixels > LARGE_PIXELS else nullcontext():
                return picture_of(image)
    except MalformedError:
        raise
    except Image.DecompressionBombError:
        raise _too_large(most) from None
    except Exception as error:  # noqa: BLE001  # decoders raise whatever bytes make them
        reason = str(error).partition("\n")[0][:100] or type(error).__name__
        if isinstance(error, UnidentifiedImageError):
            reason = "not one of the formats that are read"
        raise MalformedError(f"the picture cannot be decoded: {reason}") from None


def _too_large(most: int) -> MalformedError:
    return MalformedError(f"the picture has more than {most:,} pixels")


def scans_in(data: bytes) -> int:
    """How often a JPEG is gone through: its SOS markers up to its end."""
    count, at = 0, 2
    while (found := _MARKER.search(data, at)) is not None:
        kind, at = found[1][0], found.end()
        if kind == 0xD9:
            break
        if 0xD0 <= kind <= 0xD7 or kind == 0x01:  # these stand alone
            continue
        count += kind == 0xDA
        at += max(2, int.from_bytes(data[at : at + 2], "big"))
        if count > MAX_SCANS:
            break
    return count


def picture_of(image: Any) -> Picture:
    """The picture in an open image."""
    grey = _grey(image)
    grey = grey.crop(_inner(grey))
    return Picture(grey, _copy(grey, WINDOW_SIDE))


def _grey(image: Any) -> Any:
    image.load()
    turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION))
    grey = _without_colours(image)
    # Last: the copy that is turned has one byte a pixel, not four.
    return grey if turn is None else grey.transpose(turn)


def _without_colours(image: Any) -> Any:
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value * (1 / 256) + 0).convert("L")
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("L")
    width, height = image.size
    grey = Image.new("L", image.size)
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(height, top + rows))).convert("RGBA")
        white = Image.new("RGBA", strip.size, (255, 255, 255, 255))
        grey.paste(Image.alpha_composite(white, strip).convert("L"), (0, top))
    return grey


def _copy(grey: Any, side: int) -> Any:
    small = grey.copy()
    small.thumbnail((side, side))
    return small


def _square(grey: Any, window: Window) -> Square:
    width, height = grey.size
    box = (
        window.left * width,
        window.top * height,
        window.right * width,
        window.bottom * height,
    )
    square = grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)
    return bytes(square.tobytes())


def _turned(image: Any, turn: int) -> Any:
    for bit, step in _TURN_BITS:
        if turn & bit:
            image = image.transpose(step)
    return image


# Borders


def _inner(grey: Any) -> tuple[int, int, int, int]:
    """The box of the picture within its borders."""
    small = _copy(grey, BORDER_SIDE)
    box = (0, 0, *small.size)
    for _ in range(FRAMES):
        rest = small.crop(box)
        found = _frame(rest)
        if found == (0, 0, *rest.size):
            break
        left, top = box[:2]
        box = (left + found[0], top + found[1], left + found[2], top + found[3])
    across, down = grey.width / small.width, grey.height / small.height
    return (
        round(box[0] * across),
        round(box[1] * down),
        round(box[2] * across),
        round(box[3] * down),
    )


def _frame(grey: Any) -> tuple[int, int, int, int]:
    """What is left when each side that is a border is taken off.

    A border is plain, and ends sharply: a sky that fades into a picture does not, and
    where it would be cut is not the same in two copies.
    """
    width, height = grey.size
    inner = [0, 0, width, height]
    lines = (
        (0, 0, 1, height),
        (0, 0, width, 1),
        (width - 1, 0, width, height),
        (0, height - 1, width, height),
    )
    for side, line in enumerate(lines):
        outermost = grey.crop(line)
        low, high = outermost.getextrema()
        if high - low > PLAIN:
            continue
        shade = round(ImageStat.Stat(outermost).mean[0])
        differs = ImageChops.difference(grey, Image.new("L", grey.size, shade))
        end, edge = _box_over(differs, PLAIN), _box_over(differs, EDGE)
        if end is None or edge is None:
            continue
        near = max(2.0, SHARP * (width, height)[side % 2])
        if abs(end[side] - edge[side]) <= near:
            inner[side] = end[side] + (FADE if side < 2 else -FADE)
    if inner[0] >= inner[2] or inner[1] >= inner[3]:
        return (0, 0, width, height)
    return (inner[0], inner[1], inner[2], inner[3])


def _box_over(differences: Any, least: int) -> tuple[int, int, int, int] | None:
    """The box of all pixels that differ by more."""
    table = [255 * (value > least) for value in range(256)]
    box: tuple[int, int, int, int] | None = differences.point(table).getbbox()
    return box
