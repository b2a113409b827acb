"""Whether a label still says what the log says: its works are asked about again.

Only what came later counts: a label that was wrong from the start is for
`label_checking.py` to find.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from byline_ledger.answer import Answer
from byline_ledger.label_document import MAX_LABEL, ReadLabel, parse_label
from byline_ledger.label_item import read_item
from byline_ledger.label_table import fields_of, item_line
from byline_ledger.manifest import ManifestRow
from byline_node.label_checking import rows_with_lines
from byline_node.label_making import BATCH, LABEL
from byline_node.label_proofs import DEPTH, Prover
from byline_node.set_files import read_bounded

MAX_NAMED = 1_000
TOLD = (
    *("made", "license", "data_mining", "ai_inference", "ai_training"),
    *("ai_generative_training", "disputed", "objections", "withdrawn"),
)
"""Columns whose change makes a label stale; a new endorsement does not."""

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Outdated:
    """A work of which something else is true now: column to (then, now)."""

    name: str
    changes: dict[str, tuple[str, str]]


@dataclass(slots=True)
class Staleness:
    """What became of a label's works since it was made."""

    folder: Path
    label: ReadLabel
    works: list[Outdated] = field(default_factory=list)
    """The first MAX_NAMED."""
    count: int = 0
    log_size: int = 0
    """Entries of the log that was asked now."""

    @property
    def is_current(self) -> bool:
        """Whether nothing changed."""
        return not self.count

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "folder": str(self.folder),
            "current": self.is_current,
            "asked_at_entry": self.log_size,
            "outdated": self.count,
            "works": [
                {
                    "work": one.name,
                    "changes": {
                        column: {"then": then, "now": now}
                        for column, (then, now) in one.changes.items()
                    },
                }
                for one in self.works
            ],
        }


def find_stale(
    folder: Path,
    client: Prover,
    now: int,
    advance: Advance,
    proofs: Collection[str] | None = None,
) -> Staleness:
    """Ask about all works of a label, or those that rest on some files of proofs, as of
    `now` (Unix milliseconds); `advance` is called with numbers of works."""
    label = parse_label(read_bounded(folder / LABEL, MAX_LABEL))
    found = Staleness(folder, label)
    pairs = (
        (row, line)
        for row, line in rows_with_lines(folder, label)
        if proofs is None or line["proof"] in proofs
    )
    while batch := list(islice(pairs, BATCH)):
        compare_batch(batch, client, now, found)
        advance(len(batch))
    return found


def compare_batch(
    batch: list[tuple[ManifestRow, dict[str, str]]],
    client: Prover,
    now: int,
    found: Staleness,
) -> None:
    """Some works, then and now."""
    asked = list(dict.fromkeys(row.digest for row, _ in batch))
    answers: dict[bytes, Answer] = {}
    for _data, some in client.prove_many(asked, depth=DEPTH, now=now):
        answers |= some
    for row, then in batch:
        answer = answers[row.digest]
        found.log_size = max(found.log_size, answer.log_size)
        anew = fields_of(item_line(row, read_item(answer), ""))
        assert anew is not None
        changes = dict(differing(then, anew))
        if changes:
            found.count += 1
            if len(found.works) < MAX_NAMED:
                name = row.path or f"sha256:{row.digest[2:].hex()}"
                found.works.append(Outdated(name, changes))


def differing(
    then: dict[str, str], now: dict[str, str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """The columns that make a label stale, and how they differ."""
    for column in TOLD:
        if then[column] != now[column]:
            yield column, (then[column], now[column])
