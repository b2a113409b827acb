"""The picture of a label, as shapes: what is drawn where, whoever draws it.

Rule: colour alone says nothing.  Each slice has a pattern, a place in the list and its
number; so the label reads the same in greyscale.  SVG and PNG draw the same shapes.
Units are pixels of a label WIDTH wide; y grows downwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byline_ledger.amount import amount
from byline_ledger.label_words import (
    FOR,
    SLICES,
    UNNAMED,
    VERDICTS,
    depth_rows,
    percent,
    shortened,
    size_words,
    trust_rows,
    unknown_words,
)

WIDTH = 560
MARGIN = 22
INNER = WIDTH - 2 * MARGIN
RIGHT = WIDTH - MARGIN
SHARE = 72
"""Width of the column of shares."""
MOST_NAMES = 4
"""Licences and domains that the picture lists."""
NAME = INNER - 26 - SHARE - 112
"""Width of a name beside its number, which may be one of ten digits."""
LEAST = 5
"""Width of a slice in a bar, however few works it has: it is there, and it is seen."""

PATTERNS = {
    "human": ("#1b5e8c", "solid"),
    "assisted": ("#4f9bc7", "stripes"),
    "generated": ("#c8553d", "checks"),
    "other": ("#7d7d7d", "lines"),
    "unknown": ("#e8e2d0", "dots"),
    "unattested": ("#ffffff", "empty"),
    "allowed": ("#1b5e8c", "solid"),
    "constrained": ("#4f9bc7", "stripes"),
    "notAllowed": ("#c8553d", "checks"),
}
"""Colour (apart in lightness, so in grey too) and pattern of a slice."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle; `pattern` is solid, stripes, checks, lines, dots or empty."""

    x: float
    y: float
    width: float
    height: float
    colour: str = "#000000"
    pattern: str = "solid"
    outlined: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text on its base line; `anchor` is start or end."""

    x: float
    y: float
    text: str
    size: int = 15
    bold: bool = False
    anchor: str = "start"
    colour: str = "#000000"


Shape = Bar | Text


@dataclass(frozen=True, slots=True)
class Drawing:
    """The shapes in the order they are drawn, and the height of the whole."""

    shapes: tuple[Shape, ...]
    height: int
    title: str


def draw(label: Mapping[str, Any]) -> Drawing:
    """The picture of a label.json."""
    return _Pen(label).run()


class _Pen:
    """Draws from the top to the bottom; `y` is how far it is."""

    def __init__(self, label: Mapping[str, Any]) -> None:
        self._label = label
        self._shapes: list[Shape] = []
        self._y = 0.0
        self._count: int = label["manifest"]["count"]

    def run(self) -> Drawing:
        label = self._label
        name = fitting(str(label["words"].get("name", UNNAMED)), INNER, 17)
        self._y = 18
        self._text("Data Facts", 50, bold=True, above=44)
        self._text(name, 17, bold=True, above=26)
        self._rule(1, gap=8)
        count, size = label["manifest"]["count"], label["manifest"]["bytes"]
        self._row("Works in the set", f"{count:,}", bold=True)
        self._row("Size", size_words(size))
        self._row("Label for", FOR[label["use"]])
        self._rule(10, gap=8)
        self._slices("How they were made", SLICES, label["ingredients"])
        self._rule(4, gap=8)
        self._depths()
        self._rule(4, gap=8)
        verdicts = label["consent"][label["use"]]
        self._slices(f"Consent: {FOR[label['use']]}", VERDICTS, verdicts)
        self._violations()
        self._rule(4, gap=8)
        self._names("Licences claimed", label["licences"])
        self._rule(4, gap=8)
        self._trust()
        self._rule(10, gap=8)
        self._foot()
        height = round(self._y + 16)
        border = Bar(4, 4, WIDTH - 8, height - 8, "#ffffff", "empty", outlined=True)
        return Drawing((border, *self._shapes), height, f"Data Facts: {name}")

    def _text(
        self, text: str, size: int, *, bold: bool = False, above: float | None = None
    ) -> None:
        self._y += size * 1.25 if above is None else above
        self._shapes.append(Text(MARGIN, self._y, text, size, bold))

    def _rule(self, height: float, gap: float = 0) -> None:
        self._y += gap
        self._shapes.append(Bar(MARGIN, self._y, INNER, height))
        self._y += height

    def _share(self, left: str, items: int | None) -> None:
        """A row with a number of works and their share; None is unknown."""
        if items is None:
            self._row(left, "unknown", at=26)
            return
        self._row(left, percent(items, self._count), at=26)
        x = RIGHT - SHARE
        self._shapes.append(Text(x, self._y, f"{items:,}", 15, False, "end"))

    def _row(self, left: str, right: str, *, bold: bool = False, at: float = 0) -> None:
        self._y += 22
        self._shapes += [
            Text(MARGIN + at, self._y, left, 15, bold),
            Text(RIGHT, self._y, right, 15, bold, "end"),
        ]

    def _slices(
        self, title: str, words: Mapping[str, str], found: Mapping[str, Any]
    ) -> None:
        """A title, a bar of all slices, and a row for each with its pattern."""
        self._y += 4
        self._row(title, "works", bold=True)
        self._y += 8
        self._bar(words, found)
        self._y += 34
        for word, said in words.items():
            items = found[word]["items"]
            self._share(said, items)
            colour, pattern = PATTERNS[word]
            box = Bar(MARGIN, self._y - 13, 17, 15, colour, pattern, outlined=True)
            self._shapes.append(box)

    def _bar(self, words: Mapping[str, str], found: Mapping[str, Any]) -> None:
        whole = Bar(MARGIN, self._y, INNER, 30, "#ffffff", "empty", outlined=True)
        self._shapes.append(whole)
        x = float(MARGIN)
        widths = slice_widths([found[word]["items"] for word in words])
        for word, width in zip(words, widths, strict=True):
            if width:
                colour, pattern = PATTERNS[word]
                box = Bar(x, self._y, width, 30, colour, pattern, outlined=True)
                self._shapes.append(box)
                x += width

    def _depths(self) -> None:
        self._row("Generations of AI behind a work", "works", bold=True)
        for said, items in depth_rows(self._label):
            self._share(said, items)

    def _violations(self) -> None:
        items = self._label["violations"]["items"]
        self._y += 10
        if items:
            self._shapes.append(Bar(MARGIN, self._y, INNER, 34))
            text = f"! {amount(items, 'work')} may not be used for this"
        else:
            self._shapes.append(
                Bar(MARGIN, self._y, INNER, 34, "#ffffff", "empty", outlined=True)
            )
            text = "No work whose author says no to this"
        colour = "#ffffff" if items else "#000000"
        self._shapes.append(
            Text(MARGIN + 10, self._y + 23, text, 17, True, "start", colour)
        )
        self._y += 34
        unknown = self._label["consent"][self._label["use"]]["unknown"]["items"]
        if unknown:
            self._row(unknown_words(unknown), "")
            self._y += 6

    def _names(self, title: str, found: Mapping[str, Any]) -> None:
        self._row(title, "works", bold=True)
        top = found["top"]
        for one in top[:MOST_NAMES]:
            name = "Unknown" if one["name"] == "unknown" else one["name"]
            self._share(fitting(name, NAME, 15), one["items"])
        rest = found["total"] - MOST_NAMES
        if rest > 0:
            self._row(f"and {amount(rest, 'more', 'more')}", "", at=26)

    def _trust(self) -> None:
        self._row("Trust", "works", bold=True)
        for said, items in trust_rows(self._label):
            self._share(said, items)

    def _foot(self) -> None:
        label = self._label
        log, digest = label["log"], label["manifest"]["digest"]
        self._y += 4
        origin = fitting(log["origin"], 270, 12)
        for text in (
            "Computed from signed statements and their proofs. A claim is a claim:",
            "nobody checked that it is true. Shares are of works, not of bytes.",
            f"As of {label['date']}, {origin}, entry {log['size']:,}.",
            f"Manifest {digest[:47]}…",
        ):
            self._text(text, 12, above=17)


def slice_widths(counts: Sequence[int], width: float = INNER) -> list[float]:
    """Widths that make up a bar: by their counts, but none less than LEAST that is
    there at all; the others give what that takes.  The bar has room for that."""
    whole = sum(counts)
    wide = [one for one in counts if one * width >= LEAST * whole]
    few = sum(1 for one in counts if 0 < one * width < LEAST * whole)
    left = width - LEAST * few
    return [
        left * one / sum(wide) if one in wide and one else float(LEAST if one else 0)
        for one in counts
    ]


def fitting(text: str, width: float, size: int) -> str:
    """A stranger's text, cut to about what stands in a width at a size, whatever the
    font: a letter that is none of ASCII may be as wide as the line is high."""
    plain = shortened(text, 256)
    room = [width / size]
    for letter in plain:
        room.append(room[-1] - _breadth(letter))
    if room[-1] >= 0:
        return plain
    kept = sum(1 for one in room if one >= 1)
    return plain[: max(kept - 1, 0)] + "…"


def _breadth(letter: str) -> float:
    """Of the height of a line."""
    if letter in "MWmw@%" or not letter.isascii():
        return 1
    if letter in "iljtfrI.,:;!|' ()[]{}-/`":
        return 0.37
    return 0.73 if letter.isupper() else 0.59
