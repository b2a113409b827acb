"""Line charts as SVG text, with nothing but the standard library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 60, 150, 40, 50
COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#555555")
TICKS = 5
ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
"""Steps between ticks, times a power of ten."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in the order of x."""

    label: str
    points: Sequence[tuple[float, float]]


def chart(title: str, x_name: str, y_name: str, curves: Sequence[Curve]) -> str:
    """One SVG document; both axes begin at 0 and end at a round number."""
    right = max(x for one in curves for x, _y in one.points) or 1
    top = max(y for one in curves for _x, y in one.points) or 1
    plot = _Plot(_end(right), _end(top))
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
            ' font-family="sans-serif" font-size="12">'
        ),
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
        *plot.axes(x_name, y_name),
        *(part for n, one in enumerate(curves) for part in plot.curve(n, one)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Plot:
    right: float
    top: float

    def x(self, value: float) -> float:
        return LEFT + value / self.right * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)

    def axes(self, x_name: str, y_name: str) -> Iterator[str]:
        for n in range(TICKS + 1):
            across, up = self.right * n / TICKS, self.top * n / TICKS
            yield (
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(up):.1f}"'
                f' y2="{self.y(up):.1f}" stroke="#dddddd"/>'
            )
            yield _text(LEFT - 6, self.y(up) + 4, f"{up:.3g}", "end")
            yield _text(self.x(across), HEIGHT - BOTTOM + 18, f"{across:.3g}", "middle")
        yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_name, "middle")
        yield _text(LEFT - 6, TOP - 12, y_name, "end")

    def curve(self, number: int, one: Curve) -> Iterator[str]:
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in one.points)
        yield (
            f'<polyline points="{points}" fill="none" stroke="{colour}"'
            ' stroke-width="2"/>'
        )
        at = TOP + 18 * number
        yield (
            f'<line x1="{WIDTH - RIGHT + 10}" x2="{WIDTH - RIGHT + 30}" y1="{at}"'
            f' y2="{at}" stroke="{colour}" stroke-width="2"/>'
        )
        yield _text(WIDTH - RIGHT + 36, at + 4, one.label, "start")


def _end(most: float) -> float:
    """The least end of an axis that is at least ``most`` and has round ticks."""
    power = 10.0 ** floor(log10(most / TICKS))
    steps = (TICKS * step * power for step in ROUND)
    return next(end for end in steps if end > most * 0.999999)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
