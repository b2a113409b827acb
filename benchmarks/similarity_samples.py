"""Images and texts that packages ship, what happens to copies, and unrelated tiles.

Nothing is fetched: scikit-image, scikit-learn and matplotlib carry the images, the
standard library the texts (the documentation strings of its modules).
"""

from __future__ import annotations

import ast
import random
import re
import sysconfig
import textwrap
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

FOLDERS = (
    ("skimage", "data"),
    ("sklearn", "datasets/images"),
    ("matplotlib", "mpl-data/sample_data"),
)
LEFT_OUT = {
    "chessboard_RGB.png": "the same as chessboard_GRAY.png, and both repeat themselves",
    "chessboard_GRAY.png": "repeats itself",
    "motorcycle_right.png": "the other eye of motorcycle_left.png",
    "no_time_for_that_tiny.gif": "too small",
    "multipage.tif": "noise of 15 pixels",
    "multipage_rgb.tif": "noise of 10 pixels",
}
ENDINGS = (".png", ".jpg", ".tif", ".gif")
TILES = 5
"""At most so many tiles on each side of an image,"""
TILE = 84
"""each of at least so many pixels."""
FEWEST = 500
"""Characters of a text."""

Change = Callable[[Any], Any]


def images() -> dict[str, Any]:
    """Name to image, RGB on white."""
    found: dict[str, Any] = {}
    for package, folder in FOLDERS:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise SystemExit(f"{package} is not installed: make similarity does that")
        for path in sorted((Path(spec.origin).parent / folder).iterdir()):
            if path.suffix in ENDINGS and path.name not in LEFT_OUT:
                found[path.name] = on_white(Image.open(path))
    return found


def on_white(image: Any) -> Any:
    if image.mode.startswith("I"):
        image = image.point(lambda value: value * (1 / 256) + 0).convert("L")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def tiles(image: Any) -> Iterator[Any]:
    """Parts of an image that share no pixel; none of a small one."""
    columns = max(1, min(TILES, image.width // TILE))
    rows = max(1, min(TILES, image.height // TILE))
    if columns * rows == 1:
        return
    for y in range(rows):
        for x in range(columns):
            yield image.crop(
                (
                    x * image.width // columns,
                    y * image.height // rows,
                    (x + 1) * image.width // columns,
                    (y + 1) * image.height // rows,
                )
            )


# What happens to copies of images


def again(form: str, quality: int) -> Change:
    """Saved and opened."""

    def change(image: Any) -> Any:
        out = BytesIO()
        image.convert("RGB").save(out, form, quality=quality)
        return Image.open(BytesIO(out.getvalue()))

    return change


def scaled(factor: float) -> Change:
    return lambda image: image.resize(
        (max(1, round(image.width * factor)), max(1, round(image.height * factor))),
        Image.Resampling.LANCZOS,
    )


def thumbnail(image: Any) -> Any:
    image = image.copy()
    image.thumbnail((128, 128))
    return image


def cut(left: float, top: float, right: float, bottom: float) -> Change:
    """Without these shares of its sides."""
    return lambda image: image.crop(
        (
            round(left * image.width),
            round(top * image.height),
            round((1 - right) * image.width),
            round((1 - bottom) * image.height),
        )
    )


def framed(share: float, colour: str) -> Change:
    return lambda image: ImageOps.expand(
        image, round(share * min(image.size)), fill=colour
    )


def both(*changes: Change) -> Change:
    def change(image: Any) -> Any:
        for one in changes:
            image = one(image)
        return image

    return change


def caption(image: Any) -> Any:
    """A white bar above, with something like a line of text."""
    bar = round(0.12 * image.height)
    wider = Image.new("RGB", (image.width, image.height + bar), "white")
    wider.paste(image, (0, bar))
    letter = max(2, bar // 3)
    for x in range(letter, image.width - letter, 2 * letter):
        wider.paste("black", (x, letter, x + letter, bar - letter))
    return wider


def encodings() -> dict[str, Change]:
    return {
        "JPEG 75": again("JPEG", 75),
        "JPEG 30": again("JPEG", 30),
        "JPEG 10": again("JPEG", 10),
        "WebP 60": again("WEBP", 60),
        "saved five times": both(*(again("JPEG", q) for q in (90, 80, 85, 70, 75))),
    }


def sizes() -> dict[str, Change]:
    return {
        "half": scaled(0.5),
        "quarter": scaled(0.25),
        "double": scaled(2),
        "128 pixels": thumbnail,
        "half, JPEG 50": both(scaled(0.5), again("JPEG", 50)),
    }


def flips() -> dict[str, Change]:
    turns = {
        "mirrored": Image.Transpose.FLIP_LEFT_RIGHT,
        "upside down": Image.Transpose.FLIP_TOP_BOTTOM,
        "turned by 90": Image.Transpose.ROTATE_90,
        "turned by 180": Image.Transpose.ROTATE_180,
        "turned by 270": Image.Transpose.ROTATE_270,
    }
    return {
        name: lambda image, turn=turn: image.transpose(turn)  # type: ignore[misc]
        for name, turn in turns.items()
    }


def crops() -> dict[str, Change]:
    found: dict[str, Change] = {}
    for percent in (1, 2, 5, 7.5, 10):
        found[f"{percent} % of each side"] = cut(*(percent / 100,) * 4)
    for number, side in enumerate(("left", "top", "right", "bottom")):
        for percent in (5, 10, 15, 20, 25):
            shares = [0.0] * 4
            shares[number] = percent / 100
            found[f"{percent} % of the {side}"] = cut(*shares)
    return found


def edits() -> dict[str, Change]:
    return {
        "grey": lambda image: image.convert("L"),
        "brighter by 25 %": lambda image: ImageEnhance.Brightness(image).enhance(1.25),
        "contrast + 30 %": lambda image: ImageEnhance.Contrast(image).enhance(1.3),
        "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1.5)),
        "sharpened": lambda image: image.filter(ImageFilter.SHARPEN),
        "white frame 5 %": framed(0.05, "white"),
        "black frame 10 %": framed(0.1, "black"),
        "caption above": caption,
        "mirrored and 10 % off each side": both(ImageOps.mirror, cut(*(0.1,) * 4)),
        "turned by 1 degree": lambda image: image.rotate(1, Image.Resampling.BICUBIC),
        "turned by 5 degrees": lambda image: image.rotate(5, Image.Resampling.BICUBIC),
    }


# Texts


def texts() -> dict[str, str]:
    """Module to all of its documentation strings."""
    library = Path(sysconfig.get_paths()["stdlib"])
    found: dict[str, str] = {}
    for path in sorted([*library.glob("*.py"), *library.glob("[a-z]*/*.py")]):
        name = path.relative_to(library).as_posix()
        if "packages/" in name or "test" in name.split("/"):
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
        nodes = [node for node in ast.walk(tree) if isinstance(node, kinds)]
        text = "\n\n".join(filter(None, map(ast.get_docstring, nodes)))
        if len(text) >= FEWEST:
            found[name] = text
    return found


def with_words(share: float, words: list[str], dice: random.Random) -> Change:
    """So many words are others."""

    def change(text: Any) -> Any:
        pieces = re.split(r"(\s+)", text)
        places = range(0, len(pieces), 2)
        for at in dice.sample(places, max(1, round(len(places) * share))):
            pieces[at] = dice.choice(words)
        return "".join(pieces)

    return change


def shuffled(dice: random.Random) -> Change:
    def change(text: Any) -> Any:
        parts = text.split("\n\n")
        dice.shuffle(parts)
        return "\n\n".join(parts)

    return change


def rewrites(known: dict[str, str]) -> dict[str, Change]:
    dice = random.Random(1)
    words = sorted({word for text in known.values() for word in text.split()})
    dashes = str.maketrans({'"': "”", "'": "’", "-": "–"})  # noqa: RUF001
    return {
        "wrapped at 60": lambda text: textwrap.fill(" ".join(text.split()), 60),
        "capitals": str.upper,
        "other quotes and dashes": lambda text: text.translate(dashes),
        "CRLF, UTF-16": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
        "1 % of words": with_words(0.01, words, dice),
        "3 % of words": with_words(0.03, words, dice),
        "5 % of words": with_words(0.05, words, dice),
        "10 % of words": with_words(0.1, words, dice),
        "no punctuation": lambda text: re.sub(r"[^\w\s]", "", text),
        "paragraphs shuffled": shuffled(dice),
        "the first half": lambda text: text[: len(text) // 2],
        "the first quarter": lambda text: text[: len(text) // 4],
        "30 % from the middle": lambda text: text[
            int(len(text) * 0.35) : int(len(text) * 0.65)
        ],
    }
