"""Logs that are audited, as the command does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.logs import works
from tests.support.memory_log import MemoryLog
from tests.support.sources import ViewSource

from byline_ledger.audit import AuditReport
from byline_ledger.log import Ledger, LogView
from byline_node.audit_copies import audit_place

WORKS = works(0, 1600)


def make_log(folder: Path, *counts: int) -> Ledger:
    ledger = Ledger.init(folder)
    start = 0
    for count in counts:
        ledger.append(WORKS[start : start + count])
        start += count
    return ledger


def run(
    source: ViewSource, state: Path, *, bodies: bool = True, place: str = "here"
) -> AuditReport:
    """As the command does it."""
    return audit_place(source, place, source.view.vkey, state, bodies=bodies)


def one_problem(report: AuditReport) -> str:
    assert len(report.problems) == 1, report.problems
    return report.problems[0]


def rewritten(view: LogView, ledger: Ledger, change: Callable[[int, bytes], bytes]):  # type: ignore[no-untyped-def]
    """The log with other entries, signed by its own key, as a MemoryLog."""

    log = MemoryLog(1)
    log.key, log.origin, log.vkey = ledger.keys.log, view.origin, view.vkey
    log.log, log.nodes = [], {}
    for index in range(view.size):
        log.add_entry(change(index, view.entry(index)))
    log.publish()
    return log


class MemorySource(ViewSource):
    """Over a MemoryLog: its entries and hashes, and no bodies."""

    def __init__(self, log) -> None:  # type: ignore[no-untyped-def]
        super().__init__(log)
        log.entries = lambda start, end, _most: log.log[start:end]

    def body(self, statement_id: bytes) -> None:
        return None
