"""The label as one HTML page: the picture and tables, with nothing that is fetched.

A reader who does not see the picture finds all of its numbers in the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from byline_ledger.amount import amount
from byline_ledger.label_drawing import draw
from byline_ledger.label_svg import to_svg
from byline_ledger.label_words import (
    FOR,
    SLICES,
    TEXTS,
    UNNAMED,
    VERDICTS,
    depth_rows,
    percent,
    shortened,
    size_words,
    trust_rows,
)
from byline_ledger.vocabulary import USES

_STYLE = """
body { font-family: Arial, Helvetica, sans-serif; margin: 2rem auto; max-width: 75rem;
  padding: 0 1rem; color: #000; background: #fff; }
main { display: flex; flex-wrap: wrap; gap: 2rem; align-items: flex-start; }
figure { margin: 0; flex: 0 1 560px; } svg { max-width: 100%; height: auto; }
section { flex: 1 1 24rem; } table { border-collapse: collapse; width: 100%;
  margin: 0 0 1.5rem; } caption { text-align: left; font-weight: bold; padding: .3rem 0;
  border-bottom: 3px solid #000; } th { text-align: start; font-weight: normal; }
th, td { padding: .25rem .4rem .25rem 0; border-bottom: 1px solid #999;
  overflow-wrap: anywhere; } td { text-align: right; white-space: nowrap; }
td.text { text-align: start; white-space: normal; } code { overflow-wrap: anywhere; }
"""


def to_html(label: Mapping[str, Any]) -> str:
    """A whole page for a label.json."""
    name = escape(shortened(str(label["words"].get("name", UNNAMED)), 120))
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        (
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        ),
        f"<title>Data Facts: {name}</title><style>{_STYLE}</style></head><body><main>",
        f"<figure>{to_svg(draw(label))}</figure>",
        f'<section><h1 dir="auto">{name}</h1>',
        *_tables(label),
        "</section></main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _tables(label: Mapping[str, Any]) -> Iterable[str]:
    count = label["manifest"]["count"]
    yield _table("How they were made", _figures(SLICES, label["ingredients"], count))
    for use in USES:
        mark = " (what this label is for)" if use == label["use"] else ""
        rows = _figures(VERDICTS, label["consent"][use], count)
        yield _table(f"Consent: {FOR[use]}{mark}", rows)
    counted: tuple[tuple[str, Sequence[tuple[str, int | None]]], ...] = (
        ("Generations of AI behind a work", depth_rows(label)),
        ("Trust", trust_rows(label)),
    )
    for title, counts in counted:
        yield _table(title, [(said, _works(items, count)) for said, items in counts])
    violations = [
        (one["path"] or one["digest"], "not allowed")
        for one in label["violations"]["first"]
    ]
    title = f"{amount(label['violations']['items'], 'work')} may not be used for this"
    yield _table(f"{title}, the first of them", violations)
    for title, found in (
        ("Source types", label["source_types"]),
        ("Licences", label["licences"]),
        ("Models", label["models"]),
        ("Keys that claim", label["sources"]["keys"]),
        ("Domains", label["sources"]["domains"]),
    ):
        yield _table(title, _top(found, count))
    yield _table("What its maker says of it", _said(label["words"]), text=True)
    yield _table("Proof", _proof(label), text=True)


def _figures(
    words: Mapping[str, str], found: Mapping[str, Any], count: int
) -> list[tuple[str, str]]:
    rows = ((said, found[word]) for word, said in words.items())
    return [
        (said, f"{_works(one['items'], count)}, {size_words(one['bytes'])}")
        for said, one in rows
    ]


def _top(found: Mapping[str, Any], count: int) -> list[tuple[str, str]]:
    rows = [(one["name"], _works(one["items"], count)) for one in found["top"]]
    rest = found["total"] - len(rows)
    return [*rows, (f"and {rest:,} more", "")] if rest else rows


def _works(items: int | None, count: int) -> str:
    if items is None:
        return "unknown"
    return f"{items:,} ({percent(items, count)})"


def _said(words: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name.replace("_", " "), str(words[name])) for name in TEXTS if name in words
    ]


def _proof(label: Mapping[str, Any]) -> list[tuple[str, str]]:
    log, manifest = label["log"], label["manifest"]
    return [
        ("manifest", manifest["digest"]),
        ("root of its works", manifest["root"]),
        ("log", log["origin"]),
        ("entries of the log", f"{log['size']:,}"),
        ("withdrawals honoured until", f"entry {log['size']:,}, {label['date']}"),
        ("how to check", "byline label verify on the folder of this page"),
    ]


def _table(title: str, rows: list[tuple[str, str]], *, text: bool = False) -> str:
    if not rows:
        return ""
    cell = '<td class="text" dir="auto">' if text else "<td>"
    body = "".join(
        f'<tr><th dir="auto">{escape(shortened(left, 120))}</th>'
        f"{cell}{escape(shortened(right, 2_048))}</td></tr>"
        for left, right in rows
    )
    return f"<table><caption>{escape(title)}</caption>{body}</table>"
