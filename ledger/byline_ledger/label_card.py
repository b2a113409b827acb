"""README.md of a label: a data-set card with YAML in front, and the label as tables.

The YAML has the fields that hubs of data sets read; a value is written as JSON, which
YAML reads.  docs/spec/label.md, "Card".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from byline_ledger.croissant import described
from byline_ledger.label_words import (
    FOR,
    SLICES,
    TEXTS,
    UNNAMED,
    VERDICTS,
    depth_rows,
    licence_page,
    percent,
    shortened,
    size_words,
    trust_rows,
    unknown_words,
)
from byline_ledger.vocabulary import USES

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
)
_LARGEST = "n>1B"
_LEFT_OUT = ("name", "description")


def card(label: Mapping[str, Any]) -> str:
    """The whole file for a label.json."""
    return "\n".join([*_front(label), *_body(label)]) + "\n"


def _front(label: Mapping[str, Any]) -> Iterator[str]:
    words, count = label["words"], label["manifest"]["count"]
    yield "---"
    yield f"pretty_name: {_yaml(words.get('name', UNNAMED))}"
    yield from _license(words.get("license"))
    if "languages" in words:
        yield f"language: [{', '.join(map(_yaml, words['languages']))}]"
    yield f"size_categories: {json.dumps([size_category(count)])}"
    yield f"tags: {json.dumps(_tags(label))}"
    yield 'configs: [{"config_name": "works", "data_files": "items.csv"}]'
    yield "---"


def _license(text: str | None) -> Iterator[str]:
    """Hubs know single identifiers, in small letters; all else is `other`, by name."""
    page = None if text is None else licence_page(text)
    if text is None:
        yield 'license: "unknown"'
    elif page is not None and page != text:
        yield f"license: {_yaml(text.lower())}"
    else:
        yield f'license: "other"\nlicense_name: {_yaml(text)}'
        if page is not None:
            yield f"license_link: {_yaml(page)}"


def _yaml(text: str) -> str:
    """A text as JSON and YAML both read it: YAML knows no pairs of \\uXXXX."""
    return json.dumps(shortened(text, 2_048), ensure_ascii=False)


def size_category(count: int) -> str:
    """The word of hubs for a number of works."""
    return next((word for most, word in _SIZES if count < most), _LARGEST)


def _tags(label: Mapping[str, Any]) -> list[str]:
    """`synthetic:` says what is claimed: no, some or unknown."""
    found = {word: one["items"] for word, one in label["ingredients"].items()}
    if found["generated"] or found["assisted"]:
        synthetic = "some"
    else:
        open_ = found["unknown"] or found["unattested"]
        synthetic = "unknown" if open_ else "no"
    return ["byline", "provenance", f"synthetic:{synthetic}"]


def _body(label: Mapping[str, Any]) -> Iterator[str]:
    words, count = label["words"], label["manifest"]["count"]
    yield ""
    yield f"# {_cell(words.get('name', UNNAMED))}"
    yield ""
    yield _cell(words.get("description", described(label)))
    yield ""
    yield "![The label: how the works were made, consent, licences](label.svg)"
    yield ""
    yield f"{count:,} works, {size_words(label['manifest']['bytes'])}."
    yield "Computed from signed statements; each number can be checked with"
    yield "`byline label verify` on this folder. Claims are claims: nobody checked that"
    yield "they are true."
    yield from _table("How they were made", SLICES, label["ingredients"], count)
    for use in USES:
        title = f"Consent: {FOR[use]}"
        mark = " (what this label is for)" if use == label["use"] else ""
        yield from _table(title + mark, VERDICTS, label["consent"][use], count)
    yield from _violations(label)
    for title, found in (
        ("Licences claimed", label["licences"]),
        ("Source types", label["source_types"]),
        ("Models", label["models"]),
        ("Keys that claim", label["sources"]["keys"]),
        ("Domains", label["sources"]["domains"]),
    ):
        yield from _top(title, found, count)
    yield from _trust(label)
    yield from _said(words)


def _table(
    title: str, words: Mapping[str, str], found: Mapping[str, Any], count: int
) -> Iterator[str]:
    yield from (
        "",
        f"## {title}",
        "",
        "| | works | share | bytes |",
        "|---|--:|--:|--:|",
    )
    for word, said in words.items():
        items, size = found[word]["items"], found[word]["bytes"]
        share = percent(items, count)
        yield f"| {said} | {items:,} | {share} | {size_words(size)} |"


def _violations(label: Mapping[str, Any]) -> Iterator[str]:
    found = label["violations"]
    yield from ("", "## Works that may not be used for this", "")
    yield f"{found['items']:,}" + (", the first of them:" if found["first"] else ".")
    for one in found["first"]:
        yield f"- {_cell(one['path'] or one['digest'])}"
    unknown = label["consent"][label["use"]]["unknown"]["items"]
    if unknown:
        yield from ("", unknown_words(unknown))


def _top(title: str, found: Mapping[str, Any], count: int) -> Iterator[str]:
    if not found["top"]:
        return
    yield from ("", f"## {title}", "", "| | works | share |", "|---|--:|--:|")
    for one in found["top"]:
        share = percent(one["items"], count)
        yield f"| {_cell(one['name'])} | {one['items']:,} | {share} |"
    rest = found["total"] - len(found["top"])
    if rest:
        yield f"| and {rest:,} more | | |"


def _trust(label: Mapping[str, Any]) -> Iterator[str]:
    log = label["log"]
    yield from _counts("Generations of AI behind a work", depth_rows(label))
    yield from _counts("Trust", trust_rows(label))
    yield ""
    yield f"Withdrawals are honoured until entry {log['size']:,} of `{log['origin']}`,"
    yield f"{label['date']}."


def _counts(title: str, rows: Sequence[tuple[str, int | None]]) -> Iterator[str]:
    yield from ("", f"## {title}", "", "| | works |", "|---|--:|")
    for said, items in rows:
        yield f"| {said} | {'unknown' if items is None else f'{items:,}'} |"


def _said(words: Mapping[str, Any]) -> Iterator[str]:
    names = [one for one in TEXTS if one in words and one not in _LEFT_OUT]
    if names:
        yield from ("", "## What its maker says", "")
    for name in names:
        yield f"- {name.replace('_', ' ')}: {_cell(words[name])}"


def _cell(text: str) -> str:
    """A stranger's text in one line of Markdown, without markup of its own."""
    plain = shortened(text, 2_048)
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#!&~" else c for c in plain)
