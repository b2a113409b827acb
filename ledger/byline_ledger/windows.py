"""Which parts of an image get a code of their own (docs/spec/similar.md, "Windows").

Rule: an image that was cut resembles one of its parts, and the cells in that part tell
whether it does so by chance.  The table is a format: the place of a code in `windows`
says which window it is of.
"""

from __future__ import annotations

from dataclasses import dataclass

_LOOSE = 1e-9
"""Fractions are sums: this much beside is still inside."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of an image, in fractions of its width and height."""

    left: float
    top: float
    right: float
    bottom: float

    def place_of(self, inner: Window) -> Window | None:
        """Where a window of the image lies in this part, in fractions of the part; None
        if it reaches beyond."""
        width, height = self.right - self.left, self.bottom - self.top
        place = (
            (inner.left - self.left) / width,
            (inner.top - self.top) / height,
            (inner.right - self.left) / width,
            (inner.bottom - self.top) / height,
        )
        if min(place) < -_LOOSE or max(place) > 1 + _LOOSE:
            return None
        return Window(*(min(1.0, max(0.0, one)) for one in place))


TURNS = 8
"""Ways to lay an image down, by three bits: 4 swaps its sides (along the diagonal from
the upper left), then 1 mirrors it left to right, then 2 upside down."""


def how_turned(turn: int) -> str:
    """The turn in words; empty for 0."""
    if turn == 0:
        return ""
    if turn == 1:
        return "mirrored"
    return "turned" if turn in (3, 5, 6) else "turned and mirrored"


def _grid(side: float, steps: tuple[float, ...]) -> list[Window]:
    return [Window(x, y, x + side, y + side) for y in steps for x in steps]


def _places(side: float) -> list[Window]:
    """Nine places of a part with `side` of the width and of the height."""
    return _grid(side, (0.0, (1 - side) / 2, 1 - side))


def _one_sided(kept: float) -> list[Window]:
    """What is left where something was cut from the right, left, bottom or top."""
    return [
        Window(0.0, 0.0, kept, 1.0),
        Window(1 - kept, 0.0, 1.0, 1.0),
        Window(0.0, 0.0, 1.0, kept),
        Window(0.0, 1 - kept, 1.0, 1.0),
    ]


WHOLE = Window(0.0, 0.0, 1.0, 1.0)
PARTS = (
    *_places(0.9),
    *_places(0.8),
    *_places(0.7),
    *_one_sided(0.9375),
    *_one_sided(0.875),
    *_one_sided(0.8125),
    *_one_sided(0.75),
)
"""What may be left of an image."""
CELLS = tuple(_grid(0.4, (0.1, 0.3, 0.5)))
"""What most of the parts have in common."""
WINDOWS = PARTS + CELLS
