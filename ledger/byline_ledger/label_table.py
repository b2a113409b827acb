"""items.csv of a label: a line for each work, with the places of its claims and proof.

Compared line by line when a label is checked: docs/spec/label.md, "Items".
"""

from __future__ import annotations

import csv

from byline_ledger.label_item import LabelItem
from byline_ledger.manifest import ManifestRow
from byline_ledger.manifest_path import quote_path
from byline_ledger.vocabulary import USE_PREFIX, USES

COLUMNS = (
    "digest",
    "path",
    "bytes",
    "made",
    "source_type",
    "license",
    *(use.removeprefix(USE_PREFIX) for use in USES),
    "depth_least",
    "depth_greatest",
    "claims",
    "endorsed",
    "disputed",
    "objections",
    "withdrawn",
    "entries",
    "proof",
)
INTEGERS = frozenset(
    {"bytes", "depth_least", "depth_greatest", "claims", "objections", "withdrawn"}
)
"""Columns of numbers; an empty field is unknown.  All others are text."""


def header_line() -> str:
    """The names of the columns, with a line feed."""
    return ",".join(COLUMNS) + "\n"


def item_line(row: ManifestRow, item: LabelItem, proof: str) -> str:
    """One work; `proof` is the name of its bundle's file."""
    fields = (
        row.digest[2:].hex(),
        quote_path(row.path or ""),
        "" if row.bytes is None else str(row.bytes),
        item.made,
        item.source_type or "",
        item.license or "",
        *(item.consent[use] for use in USES),
        str(item.least),
        "" if item.greatest is None else str(item.greatest),
        str(len(item.entries)),
        _yes(item.endorsed),
        _yes(item.disputed),
        str(item.objections),
        str(item.withdrawn),
        " ".join(f"#{one}" for one in item.entries),
        proof,
    )
    return ",".join(map(_quoted, fields)) + "\n"


def fields_of(line: str) -> dict[str, str] | None:
    """The fields of a line by their columns; None if it is no line of items.csv."""
    try:
        found = next(csv.reader([line.removesuffix("\n")], strict=True), [])
    except csv.Error:
        return None
    if len(found) != len(COLUMNS):
        return None
    return dict(zip(COLUMNS, found, strict=True))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _quoted(text: str) -> str:
    if any(c in text for c in ',"\r\n'):
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text
