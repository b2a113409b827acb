"""The statistics of an archive as one HTML page that fetches nothing.

The bars have the patterns of labels (label_drawing.py), so that colour alone says
nothing, and every number stands beside its bar.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from byline_ledger.label_drawing import (
    LEAST,
    PATTERNS,
    Bar,
    Drawing,
    Shape,
    Text,
    slice_widths,
)
from byline_ledger.label_svg import to_svg
from byline_ledger.label_words import SLICES, percent
from byline_ledger.vocabulary import PLAIN_ANSWERS

ROW, TOP, LEFT, BAR = 30, 34, 22, 330
MOST_ROWS = 120

_STYLE = """body { font-family: Arial, Helvetica, sans-serif; margin: 2rem auto;
max-width: 45rem; padding: 0 1rem; } svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
caption { text-align: left; font-weight: bold; border-bottom: 3px solid #000; }
th { text-align: left; font-weight: normal; } td { text-align: right; }
th, td { padding: .25rem .5rem .25rem 0; border-bottom: 1px solid #999; }"""


def stats_page(found: Mapping[str, Any]) -> str:
    """The page for what `GET /v1/stats` answers."""
    return "\n".join(_parts(found)) + "\n"


def _parts(found: Mapping[str, Any]) -> Iterator[str]:
    claims, withdrawn = found["claims"], found["withdrawn"]
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield f"<title>What this archive holds</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>What this archive holds</h1><p>{escape(str(found['origin']))}</p>"
    yield f"<p>{sum(claims.values()):,} claims that stand, {sum(withdrawn.values()):,}"
    yield "that were withdrawn. These are claims, not works: nobody checked that they "
    yield f"are true. {_progress(found)}</p>"
    yield to_svg(_picture("All claims", {"all": claims}))
    yield _table("How made", {SLICES[word]: claims[word] for word in PLAIN_ANSWERS})
    for title, rows in (("By year", "by_year"), ("By medium", "by_medium")):
        cut = dict(list(found[rows].items())[:MOST_ROWS])
        yield to_svg(_picture(title, cut))
        yield _table(title, {word: sum(one.values()) for word, one in cut.items()})
    yield _table("Withdrawn", {SLICES[word]: withdrawn[word] for word in PLAIN_ANSWERS})
    yield _table("Other statements", found["other_statements"])
    yield "</body></html>"


def _progress(found: Mapping[str, Any]) -> str:
    if found["complete"]:
        return f"As of entry {found['entries']:,} of its log."
    return (
        f"Still being counted: {found['counted']:,} of {found['entries']:,} entries; "
        "load this page again."
    )


def _picture(title: str, rows: Mapping[str, Mapping[str, int]]) -> Drawing:
    """A bar for each row, as long as its share of the largest, or as it takes to see
    all of its slices."""
    shapes: list[Shape] = [Text(LEFT, 22, title, 17, True)]
    largest = max((sum(one.values()) for one in rows.values()), default=0)
    y = float(TOP)
    for word, counts in rows.items():
        x = LEFT + 130.0
        shapes.append(Text(LEFT, y + 16, word, 14))
        found = [counts[made] for made in PLAIN_ANSWERS]
        least = LEAST * sum(map(bool, found))
        whole = max(BAR * sum(found) / max(largest, 1), least)
        for made, width in zip(PLAIN_ANSWERS, slice_widths(found, whole), strict=True):
            if width:
                colour, pattern = PATTERNS[made]
                shapes.append(Bar(x, y, width, 20, colour, pattern, outlined=True))
                x += width
        shapes.append(Text(x + 6, y + 16, f"{sum(counts.values()):,}", 14))
        y += ROW
    return Drawing((*shapes, *_legend(y)), round(y + 20), title)


def _legend(y: float) -> Iterator[Shape]:
    x = float(LEFT)
    for made in PLAIN_ANSWERS:
        colour, pattern = PATTERNS[made]
        yield Bar(x, y, 14, 14, colour, pattern, outlined=True)
        yield Text(x + 19, y + 12, made, 12)
        x += 95


def _table(title: str, rows: Mapping[str, int]) -> str:
    if not rows:
        return ""
    whole = sum(rows.values())
    body = "".join(
        f"<tr><th>{escape(word)}</th><td>{count:,}</td>"
        f"<td>{percent(count, whole)}</td></tr>"
        for word, count in rows.items()
    )
    return f"<table><caption>{escape(title)}</caption>{body}</table>"
