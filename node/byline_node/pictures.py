"""Pictures as small grey squares; the only file that imports Pillow.

Rule (docs/spec/similar.md, "Images"): the first frame, upright as its camera says,
white under what is transparent, grey, without a plain border, 32 by 32 pixels.  A
picture is a stranger's bytes: formats, bytes and pixels are bounded before anything is
decoded, and one large picture is decoded at a time.
"""

from __future__ import annotations

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
    from PIL import Image, ImageChops, ImageOps, ImageStat, UnidentifiedImageError
except ModuleNotFoundError:
    raise missing_extra() from None

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""None of those that run a program or fetch anything."""
MAX_PIXELS = 100_000_000
"""Of one frame; at most 400 MB while it is decoded."""
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


def read_picture(data: bytes) -> Picture:
    """The picture in these bytes.  MalformedError for a broken one, one that is too
    large, and one of another format."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            pixels = image.width * image.height
            if pixels > MAX_PIXELS:
                raise _too_large()
            with _one_large if pixels > LARGE_PIXELS else nullcontext():
                return picture_of(image)
    except MalformedError:
        raise
    except Image.DecompressionBombError:
        raise _too_large() from None
    except Exception as error:  # noqa: BLE001  # decoders raise whatever bytes make them
        reason = str(error).partition("\n")[0][:100] or type(error).__name__
        if isinstance(error, UnidentifiedImageError):
            reason = "not one of the formats that are read"
        raise MalformedError(f"the picture cannot be decoded: {reason}") from None


def _too_large() -> MalformedError:
    return MalformedError(f"the picture has more than {MAX_PIXELS:,} pixels")


def picture_of(image: Any) -> Picture:
    """The picture in an open image."""
    grey = _grey(image)
    grey = grey.crop(_inner(grey))
    return Picture(grey, _copy(grey, WINDOW_SIDE))


def _grey(image: Any) -> Any:
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):
        return upright.point(lambda value: value * (1 / 256) + 0).convert("L")
    if "A" in upright.getbands() or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        white = Image.new("RGBA", upright.size, (255, 255, 255, 255))
        upright = Image.alpha_composite(white, upright)
    return upright.convert("L")


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
