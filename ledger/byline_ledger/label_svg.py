"""The picture of a label as SVG: no script, no font file, nothing that is fetched."""

from __future__ import annotations

from html import escape

from byline_ledger.label_drawing import WIDTH, Bar, Drawing, Shape

FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
STEP = 8
"""Pixels after which a pattern comes again."""
_MARKS = {
    "stripes": '<path d="M-2 10L10 -2M2 14L14 2M-6 6L6 -6" stroke="#000" '
    'stroke-width="1.6"/>',
    "checks": '<path d="M0 0L8 8M8 0L0 8" stroke="#000" stroke-width="1.4"/>',
    "lines": '<path d="M0 2H8M0 6H8" stroke="#000" stroke-width="1.2"/>',
    "dots": '<circle cx="4" cy="4" r="1.5" fill="#000"/>',
}


def to_svg(drawing: Drawing) -> str:
    """A whole SVG document, with a line feed at its end."""
    patterns = sorted(
        {
            (one.pattern, one.colour)
            for one in drawing.shapes
            if isinstance(one, Bar) and one.pattern in _MARKS
        }
    )
    title = escape(drawing.title)
    rows = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
            f'height="{drawing.height}" viewBox="0 0 {WIDTH} {drawing.height}" '
            f'font-family="{FONT}" role="img" aria-label="{title}">'
        ),
        f"<title>{title}</title>",
        "<defs>",
        *(_pattern(name, colour) for name, colour in patterns),
        "</defs>",
        f'<rect width="{WIDTH}" height="{drawing.height}" fill="#ffffff"/>',
        *map(_shape, drawing.shapes),
        "</svg>",
    ]
    return "\n".join(rows) + "\n"


def _pattern(name: str, colour: str) -> str:
    return (
        f'<pattern id="{_id(name, colour)}" width="{STEP}" height="{STEP}" '
        f'patternUnits="userSpaceOnUse"><rect width="{STEP}" height="{STEP}" '
        f'fill="{colour}"/>{_MARKS[name]}</pattern>'
    )


def _id(name: str, colour: str) -> str:
    return f"{name}-{colour[1:]}"


def _shape(shape: Shape) -> str:
    if isinstance(shape, Bar):
        marked = shape.pattern in _MARKS
        fill = f"url(#{_id(shape.pattern, shape.colour)})" if marked else shape.colour
        edge = ' stroke="#000000" stroke-width="1.5"' if shape.outlined else ""
        return (
            f'<rect x="{shape.x:.2f}" y="{shape.y:.2f}" width="{shape.width:.2f}" '
            f'height="{shape.height:.2f}" fill="{fill}"{edge}/>'
        )
    weight = ' font-weight="bold"' if shape.bold else ""
    return (
        f'<text x="{shape.x:.2f}" y="{shape.y:.2f}" font-size="{shape.size}"'
        f' text-anchor="{shape.anchor}" fill="{shape.colour}"{weight} '
        f'xml:space="preserve">{escape(shape.text)}</text>'
    )
