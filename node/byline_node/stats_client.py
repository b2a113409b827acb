"""Statistics of an archive, asked of a running node or counted in its store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from byline_ledger.answer import Answer
from byline_ledger.archive_stats import ArchiveStats
from byline_ledger.errors import MalformedError
from byline_ledger.label_item import MADE, read_item
from byline_ledger.manifest import BadLine, ManifestRow
from byline_ledger.vocabulary import PLAIN_ANSWERS
from byline_node.calls import Call, Operation, read_json
from byline_node.collections import MAX_NAMED
from byline_node.manifests import open_manifest

if TYPE_CHECKING:
    from byline_ledger.log import LogView

T = TypeVar("T")

STEP = 8_192
NUMBERS = ("entries", "counted")
MADE_COUNTS = ("claims", "withdrawn")
MAX_ROWS = 1_000

Report = Callable[[int, int], None]


def ask_stats() -> Operation[dict[str, Any]]:
    """What `GET /v1/stats` answers; nothing of it is proven."""
    return parse_stats(read_json((yield Call("/v1/stats"))))


def parse_stats(value: object) -> dict[str, Any]:
    """The counts of a node as it tells them in JSON (docs/spec/label.md, "Statistics");
    MalformedError."""
    if not isinstance(value, dict) or not all(
        type(value.get(name)) is int and value[name] >= 0 for name in NUMBERS
    ):
        raise MalformedError("stats: expected a JSON object with counts")
    for name in MADE_COUNTS:
        _require_counts(value.get(name), PLAIN_ANSWERS)
    for name in ("by_year", "by_medium"):
        rows = value.get(name)
        if not isinstance(rows, dict) or len(rows) > MAX_ROWS:
            raise MalformedError(f"stats: {name}: expected an object")
        for row in rows.values():
            _require_counts(row, PLAIN_ANSWERS)
    return value


def _require_counts(value: object, names: Iterable[str]) -> None:
    if not isinstance(value, dict) or not all(
        type(value.get(name)) is int and value[name] >= 0 for name in names
    ):
        raise MalformedError("stats: expected counts by how made")


def count_on(node: AsksStats, report: Report) -> dict[str, Any]:
    """The counts of a node that has read its whole log, which it does while it is
    asked; `report(done, total)` entries.  MalformedError from one that does not go on.
    """
    value = node.stats()
    while value["counted"] < value["entries"]:
        report(value["counted"], value["entries"])
        before, value = value["counted"], node.stats()
        if value["counted"] <= before:
            raise MalformedError("stats: the node does not go on counting")
    return value


class AsksStats(ABC):
    """`stats` for clients that wait."""

    def stats(self) -> dict[str, Any]:
        """How the node's claims divide, as far as it has counted; not proven."""
        return self._run(ask_stats())

    @abstractmethod
    def _run(self, operation: Operation[T]) -> T:
        """Carries the calls of an operation out."""


class AsksStatsAsync(ABC):
    """The same for clients that are awaited."""

    async def stats(self) -> dict[str, Any]:
        """See AsksStats.stats."""
        return await self._run(ask_stats())

    @abstractmethod
    async def _run(self, operation: Operation[T]) -> T:
        """Carries the calls of an operation out."""


def count_all(view: LogView, report: Report) -> dict[str, Any]:
    """The same for a store that is open here; `report(done, total)` entries."""
    stats = ArchiveStats()
    while not stats.advance(view, STEP):
        report(stats.done, view.size)
    return stats.to_json(view)


# Of a set


class Asked(Protocol):
    """The part of a client that this needs."""

    def query_many(
        self, digests: Iterable[bytes], *, depth: int = ...
    ) -> Iterator[Answer]:
        """One verified answer for each work, in their order."""
        ...


@dataclass(slots=True)
class SetStats:
    """How the works of a manifest divide; `bad` lines are none of them, the first
    MAX_NAMED of `bad_count`."""

    works: Counter[str] = field(default_factory=Counter)
    """Plain answer or `unattested` to number of rows."""
    bytes: Counter[str] = field(default_factory=Counter)
    bad: list[BadLine] = field(default_factory=list)
    bad_count: int = 0

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "works": {word: self.works[word] for word in MADE},
            "bytes": {word: self.bytes[word] for word in MADE},
            "bad_lines": [
                {"line": one.number, "reason": one.reason} for one in self.bad
            ],
            "bad_count": self.bad_count,
        }


def count_set(
    manifest: Path, client: Asked, advance: Callable[[int], None]
) -> SetStats:
    """Ask about each work of a manifest, in bounded memory."""
    found = SetStats()

    def rows() -> Iterator[ManifestRow]:
        for line in open_manifest(manifest):
            if isinstance(line, BadLine):
                found.bad_count += 1
                if len(found.bad) < MAX_NAMED:
                    found.bad.append(line)
            else:
                yield line

    mine, asked = tee(rows())
    answers = client.query_many((row.digest for row in asked), depth=0)
    for row, answer in zip(mine, answers, strict=False):
        made = read_item(answer).made
        found.works[made] += 1
        found.bytes[made] += row.bytes or 0
        advance(1)
    return found
