"""What `byline collection` says of sets: bytes, lines that do not parse, changes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from byline_cli import output
from byline_cli.wording import amount
from byline_ledger.errors import UsageError
from byline_ledger.manifest import BadLine
from byline_ledger.manifest_tree import ManifestSum
from byline_node.collections import Changes
from byline_node.manifests import open_manifest

MOST_NAMED = 20
"""Differences of a kind, and bad lines, that are printed; --json has more."""


def reading(path: Path) -> AbstractContextManager[output.Advance]:
    """A bar over the bytes of a manifest."""
    size = path.stat().st_size if path.is_file() else 0
    return output.progress(f"Reading {path.name}", size, unit="bytes")


def describe_bytes(total: ManifestSum) -> str:
    """The bytes of a set, and how many files do not say theirs."""
    text = amount(total.bytes, "byte")
    return f"{text} ({total.unsized:,} do not say)" if total.unsized else text


def describe_bad(bad: list[BadLine], count: int) -> list[output.Line]:
    """Lines that do not parse, the first of them by number."""
    rows: list[output.Line] = [
        (f"line {one.number}: {output.safe(one.reason)}", "bad")
        for one in bad[:MOST_NAMED]
    ]
    if count > MOST_NAMED:
        rows.append((f"{count - MOST_NAMED:,} more lines do not parse", "bad"))
    return rows


def unsound(what: Path, bad: int) -> UsageError:
    """A file that is no manifest, or one of which some lines are none."""
    if not bad:
        return UsageError(f"{what} names no works")
    first = next(one for one in open_manifest(what) if not hasattr(one, "digest"))
    reason = getattr(first, "reason", "")
    return UsageError(
        f"{what}: {bad:,} of its lines do not parse, the first of them line "
        f"{first.number}: {reason}",
        hint="expected a folder, a list of hashes, or what byline collection create "
        "writes",
    )


def bad_json(bad: list[BadLine]) -> list[dict[str, object]]:
    return [{"line": one.number, "reason": one.reason} for one in bad]


def describe_changes(changes: Changes) -> list[output.Line]:
    """What differs, each kind cut after some."""
    if changes.none:
        return [("Nothing changed.", "good")]
    rows = describe_bad(changes.bad, changes.counts["bad"])
    moved = [f"{before} -> {now}" for before, now in changes.moved]
    kinds = (
        ("changed", changes.changed),
        ("removed", changes.removed),
        ("added", changes.added),
        ("moved", moved),
    )
    for kind, names in kinds:
        shown = names[:MOST_NAMED]
        rows += [(f"{kind}  {output.safe(name)}", "doubt") for name in shown]
        more = changes.counts[kind] - len(shown)
        if more:
            rows.append((f"{more:,} more {kind}", "doubt"))
    counts = ", ".join(
        f"{changes.counts[kind]:,} {kind}" for kind, _ in kinds if changes.counts[kind]
    )
    return [*rows, (f"It changed: {counts or 'lines that do not parse'}.", "bad")]


def changes_json(changes: Changes) -> dict[str, object]:
    return {
        "changed": changes.changed,
        "removed": changes.removed,
        "added": changes.added,
        "moved": [{"from": before, "to": now} for before, now in changes.moved],
        "bad_lines": bad_json(changes.bad),
        "counts": dict(changes.counts),
    }
