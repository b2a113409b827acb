"""What `byline label` says: of a label that was made, checked, or asked about again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from byline_cli import output
from byline_cli.wording import amount
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement
from byline_ledger.label_tally import Figures
from byline_ledger.label_words import (
    FOR,
    SLICES,
    UNNAMED,
    VERDICTS,
    percent,
    unknown_words,
)
from byline_node.label_checking import Check
from byline_node.label_staleness import Staleness

MOST_NAMED = 20
"""Findings and works that are printed; --json has more."""


def describe_label(label: Figures, folder: Path) -> list[output.Line]:
    """The headline figures."""
    count = label["manifest"]["count"]
    rows: list[output.Line] = [
        (f"{amount(count, 'work')}, for {FOR[label['use']]}", "head")
    ]
    for words, found in (
        (SLICES, label["ingredients"]),
        (VERDICTS, label["consent"][label["use"]]),
    ):
        for word, said in words.items():
            items = found[word]["items"]
            rows.append(f"  {said:<30} {items:>9,}  {percent(items, count):>5}")
        rows.append("")
    violations = label["violations"]["items"]
    if violations:
        text = f"{amount(violations, 'work')} may not be used for this."
        rows.append((text, "bad"))
    unknown = label["consent"][label["use"]]["unknown"]["items"]
    if unknown:
        rows.append((unknown_words(unknown), "doubt"))
    if "name" not in label["words"]:
        rows.append((f"It is called “{UNNAMED}”: name the set with --title", "doubt"))
    rows.append((f"The label is in {output.safe(str(folder))}", "head"))
    return rows


def describe_check(
    check: Check, folder: Path
) -> tuple[list[output.Line], dict[str, Any]]:
    """What was found, for people and for scripts."""
    count = check.label.said.get("manifest", {}).get("count")
    rows: list[output.Line] = [
        (f"{output.safe(f'{one.where}: {one.what}')}", "bad")
        for one in check.findings[:MOST_NAMED]
    ]
    more = len(check.findings) + check.more - MOST_NAMED
    if more > 0:
        rows.append((f"and {more:,} more", "bad"))
    signer = f" by {did_key(check.author)}" if check.author else ""
    if check.holds:
        text = f"The label holds: signed{signer}, {count:,} works computed again."
        rows.append((text, "good"))
    else:
        signed = f", signed{signer}" if signer else ""
        rows.append((f"The label does not hold{signed}.", "bad"))
    value = {
        "folder": str(folder),
        "holds": check.holds,
        "author": did_key(check.author) if check.author else None,
        "id": cid_of_statement(check.id) if check.id else None,
        "count": count,
        "findings": [{"where": one.where, "what": one.what} for one in check.findings],
        "more": check.more,
    }
    return rows, value


def describe_stale(found: Staleness) -> list[output.Line]:
    """One label."""
    folder = output.safe(str(found.folder))
    if found.is_current:
        return [(f"{folder}: still as the log says (entry {found.log_size})", "good")]
    head = f"{folder}: outdated, {amount(found.count, 'work')} changed since"
    return [(head, "bad"), *describe_works(found)]


def describe_asked(found: Staleness) -> list[output.Line]:
    """What a node says of works whose proofs do not hold."""
    if found.is_current:
        return [("Of the works without proof, your log says what the label says.", "")]
    count = amount(found.count, "work")
    head = f"Of the works without proof, your log says something else of {count}:"
    return [(head, "bad"), *describe_works(found)]


def describe_works(found: Staleness) -> list[output.Line]:
    """Works, and what is true of them now."""
    rows: list[output.Line] = []
    for one in found.works[:MOST_NAMED]:
        changes = "; ".join(
            f"{column}: {then or 'nothing'} -> {now or 'nothing'}"
            for column, (then, now) in one.changes.items()
        )
        rows.append((output.safe(f"  {one.name}: {changes}"), "doubt"))
    if found.count > MOST_NAMED:
        rows.append((f"  and {found.count - MOST_NAMED:,} more", "doubt"))
    return rows
