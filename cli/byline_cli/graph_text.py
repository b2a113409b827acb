"""A chain as SVG, DOT and JSON.

Pure functions to text.  Everything a stranger wrote is made safe for the terminal that
may show it and escaped for the format.  Nothing is told by colour alone: how a work was
made stands there in words, and its frame says it again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from byline_cli.output import safe
from byline_cli.render import Reader
from byline_cli.wording import MADE, RELATIONSHIPS, amount
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement, multihash_hex
from byline_ledger.lineage import Edge, Lineage, Node
from byline_ledger.vocabulary import PLAIN_ANSWERS

Point = tuple[float, float]
Pair = tuple[int, int]
Layout = Callable[
    [Sequence[int], Sequence[Pair]], tuple[list[Point], dict[Pair, list[Point]]]
]
"""See `graph_layout.layered`."""

WIDTH, HEIGHT = 236, 84
GAP_X, GAP_Y = 28, 64
LOOP = 22
MARGIN = 24
LETTERS = 30
"""In a line of a box; wide letters count twice."""

FRAMES = {
    "human": ("#ffffff", 'stroke-width="1.5"'),
    "assisted": ("#eeeeee", 'stroke-width="1.5" stroke-dasharray="9 3"'),
    "generated": ("#dddddd", 'stroke-width="1.5" stroke-dasharray="2 3"'),
    "other": ("#f6f6f6", 'stroke-width="1.5"'),
    "unknown": ("#ffffff", 'stroke-width="1" stroke-dasharray="1 5"'),
}
"""How made to the grey of a box and its frame."""
LINES = {
    "parentOf": "",
    "componentOf": ' stroke-dasharray="10 4"',
    "inputTo": ' stroke-dasharray="2 4"',
}
"""Relationship to the dashes of its line."""
DOT_LINES = {"parentOf": "solid", "componentOf": "dashed", "inputTo": "dotted"}
SVG = "http://www.w3.org/2000/svg"
ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9"'
    ' markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="#333333"/></marker></defs>'
)
STYLE = "font-family: 'DejaVu Sans', Verdana, sans-serif; font-size: 12px"


@dataclass(frozen=True, slots=True)
class Box:
    """What is written about one work."""

    title: str
    lines: tuple[str, ...]
    made: str
    """One of PLAIN_ANSWERS; where claims differ, unknown."""


def box_of(node: Node, reader: Reader, *, is_asked: bool) -> Box:
    """A work in four short lines."""
    name = reader.name if is_asked and reader.name else None
    titles = [one.title for one in node.claims if one.title]
    title = titles[0] if titles else f"sha256 {multihash_hex(node.digest)[:12]}…"
    if name is not None:
        # Others of that title are known by it.  The reader's own word comes first.
        title = f"{name} ({titles[0]})" if titles else name
    ways = {one.made for one in node.claims}
    made = ways.pop() if len(ways) == 1 else "unknown"
    return Box(title, tuple(says(node, reader, made, bool(ways))), made)


def says(node: Node, reader: Reader, made: str, differ: bool) -> Iterator[str]:
    """What stands below the title."""
    if not node.claims:
        yield "how made: unknown"
        yield nobody(node)
        return
    yield "how made: claims differ" if differ else f"made by: {MADE[made]}"
    authors = list(dict.fromkeys(one.author for one in node.claims))
    known = reader.keys.get(authors[0])
    # So many of the last letters that nobody can make a key with the same.
    who = known or f"…{did_key(authors[0])[-16:]}"
    yield f"claimed by {who}"
    marks = [f"and {amount(len(authors) - 1, 'more key')}"] if authors[1:] else []
    if any(one.status != "effective" for one in node.claims):
        marks.append("may be withdrawn")
    if any(one.disputed for one in node.claims):
        marks.append("DISPUTED")
    if node.withdrawn:
        marks.append(f"{node.withdrawn} withdrawn")
    if marks:
        yield ", ".join(marks)


def nobody(node: Node) -> str:
    """Why nothing is known."""
    if not node.followed:
        return "not followed that far"
    return "all claims withdrawn" if node.withdrawn else "nobody claims it"


def to_svg(lineage: Lineage, reader: Reader, layout: Layout) -> str:
    """The chain as a picture of its own: no script, no style or font from elsewhere."""
    index = {node.digest: i for i, node in enumerate(lineage.nodes)}
    pairs = [(index[one.source], index[one.work]) for one in lineage.edges]
    straight = [
        pair for pair, edge in zip(pairs, lineage.edges, strict=True) if not edge.loops
    ]
    places, routes = layout([node.layer for node in lineage.nodes], straight)
    left = min(x for x, _ in [*places, *(p for way in routes.values() for p in way)])
    at = [corner(place, left) for place in places]
    legend = legend_of(lineage)
    below = max(y for _, y in at) + HEIGHT + MARGIN
    ways = [corner(point, left) for way in routes.values() for point in way]
    width = max(max(x for x, _ in [*at, *ways]) + WIDTH + MARGIN, 560)
    height = below + 18 * len(legend) + MARGIN
    rows = [
        f'<svg xmlns="{SVG}" viewBox="0 0 {width:.0f} {height:.0f}"',
        f'width="{width:.0f}" height="{height:.0f}" style="{STYLE}" role="img">',
        f"<title>{xml(title_of(lineage, reader))}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        ARROW,
    ]
    for edge, (i, j) in zip(lineage.edges, pairs, strict=True):
        way = [corner(point, left) for point in routes.get((i, j), ())]
        rows.append(line(edge, [at[i], *way, at[j]]))
    for node, (x, y) in zip(lineage.nodes, at, strict=True):
        is_asked = node.digest == lineage.asked
        rows += boxed(box_of(node, reader, is_asked=is_asked), x, y, is_asked)
    for i, text in enumerate(legend):
        y = below + 14 + 18 * i
        rows.append(f'<text x="{MARGIN}" y="{y:.0f}" fill="#333333">{xml(text)}</text>')
    return "\n".join([*rows, "</svg>\n"])


def corner(place: Point, left: float) -> Point:
    """Where the box of a place begins, in the units of the picture."""
    x, y = place
    return MARGIN + (x - left) * (WIDTH + GAP_X), MARGIN + y * (HEIGHT + GAP_Y)


def line(edge: Edge, corners: Sequence[Point]) -> str:
    """From a source to the work, between the boxes of the layers that it passes; with
    the relationship for those who point at it."""
    dashes = LINES.get(edge.relationship, ' stroke-dasharray="1 7"')
    path = bow(corners[0], corners[-1]) if edge.loops else way_down(corners)
    words = xml(described(edge))
    return (
        f'<path d="{path}" fill="none" stroke="#333333" stroke-width="1.4"{dashes}'
        f' marker-end="url(#arrow)"><title>{words}</title></path>'
    )


def way_down(corners: Sequence[Point]) -> str:
    """A path from the bottom of the first box to the top of the last."""
    bend = GAP_Y * 0.6
    x, y = corners[0]
    x, y = x + WIDTH / 2, y + HEIGHT
    parts = [f"M{x:.0f} {y:.0f}"]
    for i, (next_x, top) in enumerate(corners[1:], start=2):
        to = next_x + WIDTH / 2
        parts.append(
            f"C{x:.0f} {y + bend:.0f} {to:.0f} {top - bend:.0f} {to:.0f} {top:.0f}"
        )
        x, y = to, top
        if i < len(corners):
            y = top + HEIGHT
            parts.append(f"V{y:.0f}")
    return "".join(parts)


def bow(source: Point, work: Point) -> str:
    """A path round the right of both boxes: it leads up, against the order."""
    (x1, y1), (x2, y2) = source, work
    x1, x2, y1, y2 = x1 + WIDTH, x2 + WIDTH, y1 + HEIGHT / 2, y2 + HEIGHT / 2
    out = max(x1, x2) + LOOP
    return f"M{x1:.0f} {y1:.0f}C{out:.0f} {y1:.0f} {out:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"


def boxed(box: Box, x: float, y: float, is_asked: bool) -> Iterator[str]:
    """A box and its lines; the work asked for has a thick frame."""
    fill, frame = FRAMES[box.made]
    frame = 'stroke-width="4"' if is_asked else frame
    yield (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="5"'
        f' fill="{fill}" stroke="#000000" {frame}/>'
    )
    for i, text in enumerate((box.title, *box.lines)):
        weight = ' font-weight="bold"' if i == 0 else ""
        yield (
            f'<text x="{x + 10:.0f}" y="{y + 20 + 18 * i:.0f}"{weight}>'
            f"{xml(cut(text, LETTERS - 4 * (i == 0)))}</text>"
        )


def title_of(lineage: Lineage, reader: Reader) -> str:
    """What the whole picture shows."""
    name = reader.name or f"sha256 {multihash_hex(lineage.asked)}"
    return f"Where {name} came from, and what was made of it, by what people claim"


def legend_of(lineage: Lineage) -> list[str]:
    """What the lines mean, and what is not drawn."""
    rows = [
        "Arrows lead from a source to what was made of it. Solid: it is an edit of it;",
        "dashed: it contains it; dotted: the source was input to a program.",
        "All of this is what people claim. The thick frame is the work asked for.",
    ]
    if any(one.loops for one in lineage.edges):
        rows.append("Arrows that lead up close a loop: claims that cannot all be true.")
    if lineage.left_out:
        rows.append(f"{amount(lineage.left_out, 'more work')} not drawn.")
    return rows


def described(edge: Edge) -> str:
    """An edge in words."""
    words = RELATIONSHIPS.get(edge.relationship, edge.relationship)
    return f"{words}, in a loop" if edge.loops else words


def cut(text: str, room: int) -> str:
    """As much of the text as there is room for."""
    kept: list[str] = []
    for character in safe(text):
        room -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if room < 0:
            return "".join(kept[:-1]) + "…"
        kept.append(character)
    return "".join(kept)


def xml(text: str) -> str:
    """Text that no reader of XML takes for anything else."""
    shown = safe(text).encode("utf-8", "backslashreplace").decode("utf-8")
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        shown = shown.replace(character, f"&{name};")
    return shown


def to_dot(lineage: Lineage, reader: Reader) -> str:
    """The chain for Graphviz and whatever reads its language."""
    rows = ["digraph byline {", '  node [shape=box, fontname="sans-serif"];']
    for node in lineage.nodes:
        is_asked = node.digest == lineage.asked
        box = box_of(node, reader, is_asked=is_asked)
        label = "\\n".join(map(dot, (box.title, *box.lines)))
        wide = ", penwidth=3" if is_asked else ""
        rows.append(f'  "{multihash_hex(node.digest)}" [label="{label}"{wide}];')
    for edge in lineage.edges:
        style = DOT_LINES.get(edge.relationship, "dotted")
        free = ", constraint=false" if edge.loops else ""
        rows.append(
            f'  "{multihash_hex(edge.source)}" -> "{multihash_hex(edge.work)}"'
            f' [label="{dot(described(edge))}", style={style}{free}];'
        )
    return "\n".join([*rows, "}", ""])


def dot(text: str) -> str:
    """Text within the quotes of DOT."""
    shown = safe(text).encode("utf-8", "backslashreplace").decode("utf-8")
    return shown.replace("\\", "\\\\").replace('"', '\\"')


def to_json(lineage: Lineage) -> dict[str, object]:
    """Works and sources for scripts."""
    return {
        "asked": name(lineage.asked),
        "works": [
            {
                "digest": name(node.digest),
                "layer": node.layer,
                "followed": node.followed,
                "withdrawn": node.withdrawn,
                "claims": [
                    {
                        "id": cid_of_statement(one.id),
                        "author": did_key(one.author),
                        "made": one.made,
                        "title": one.title,
                        "status": one.status,
                        "disputed": one.disputed,
                    }
                    for one in node.claims
                ],
            }
            for node in lineage.nodes
        ],
        "sources": [
            {
                "source": name(one.source),
                "work": name(one.work),
                "relationship": one.relationship,
                "loops": one.loops,
            }
            for one in lineage.edges
        ],
        "left_out": lineage.left_out,
    }


def name(digest: bytes) -> str:
    """A work in JSON."""
    return f"sha256:{multihash_hex(digest)}"


assert set(FRAMES) == set(PLAIN_ANSWERS)
