"""Going on under a new origin, where a log cannot or should not go on itself.

Rule: the new log is complete before the old one is touched, and the old one is kept for
ever, under `retired` in the node's folder.  It is ended with a notice only if it is
certain that all that it signed is here; else another notice could contradict what was
signed and lost.  Specification: docs/spec/log.md, "Recovery".
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from byline_ledger.entry import StatementEntry, parse_entry
from byline_ledger.errors import RedactedError
from byline_ledger.log import Ledger, LogView
from byline_ledger.statement import Statement
from byline_ledger.store.backup import ALSO
from byline_ledger.store.draft import copy_also, draft_of
from byline_ledger.store.durable import file_error, make_folder, sync_folder
from byline_ledger.store.node_files import FolderLock, NodeFiles, init_node, successor
from byline_ledger.upkeep import Progress

RETIRED = "retired"
PORTION = 1_024
"""Statements in one commit of the new log."""


@dataclass(frozen=True, slots=True)
class Succession:
    """The old log and the new one."""

    old: str
    new: str
    statements: int
    """Statements in the new log."""
    missing: int
    """Statements whose bodies the old one does not have."""
    ended: str | None
    """None if the old log was ended with a notice, else why it was not."""
    kept: Path
    """The old log's folder now."""


def continue_as(
    node: Path, name: str, progress: Progress = lambda _done, _total: None
) -> Succession:
    """Gives the stopped node in the folder a new log, `<name>/<32 hex digits>`, with
    all statements of the old one, in its order.

    A break in the middle leaves the old log in place, or the new one, or is finished
    by doing it again.  `progress` counts statements.  Raises UsageError for a name that
    no origin can have; StoreError.
    """
    follower = successor(node)
    if not node.exists() and NodeFiles(follower).is_node():
        return _finish(node, follower)
    if follower.exists():
        shutil.rmtree(follower)  # of an attempt that did not come to its end
    old = Ledger.open(node)
    try:
        view = old.view
        with draft_of(follower) as draft:
            copy_also(node, draft, ("secret", *ALSO))
            new = init_node(draft, name)
            statements, missing = _fill(draft, view, progress)
        ended = old.read_only
        if ended is None:
            old.retire(f"continued as {new}")
    finally:
        old.close()
    kept = _swap(node, follower, view.origin)
    return Succession(view.origin, new, statements, missing, ended, kept)


def _fill(draft: Path, view: LogView, progress: Progress) -> tuple[int, int]:
    """Appends all statements; their number, and that of those without a body."""
    ledger = Ledger.open(draft)
    try:
        statements = _statements(view)
        while portion := list(islice(statements, PORTION)):
            for one in portion:
                one.verify()
            ledger.append(portion)
            progress(ledger.view.statement_count, view.statement_count)
        count = ledger.view.statement_count
    finally:
        ledger.close()
    return count, view.statement_count - count


def _statements(view: LogView) -> Iterator[Statement]:
    for index in range(view.size):
        entry = parse_entry(view.entry(index))
        if not isinstance(entry, StatementEntry):
            continue
        try:
            statement = view.statement(entry.id)
        except RedactedError:
            continue
        if statement is not None:
            yield statement


def _swap(node: Path, follower: Path, origin: str) -> Path:
    """Puts the new folder in the place of the old one, which goes into it."""
    name = hashlib.sha256(origin.encode()).hexdigest()[:32]
    retired = follower / RETIRED
    with FolderLock(NodeFiles(node).lock):
        try:
            make_folder(retired)
            earlier = node / RETIRED
            for one in earlier.iterdir() if earlier.is_dir() else ():
                one.rename(retired / one.name)
            node.rename(retired / name)
            sync_folder(retired)
            follower.rename(node)
            sync_folder(node.parent)
        except OSError as error:
            raise file_error(node, error) from error
    return node / RETIRED / name


def _finish(node: Path, follower: Path) -> Succession:
    """The last step of an attempt that broke off between two renames."""
    try:
        follower.rename(node)
        sync_folder(node.parent)
        kept = max((node / RETIRED).iterdir(), key=lambda one: one.stat().st_mtime)
    except OSError as error:
        raise file_error(node, error) from error
    old, new = Ledger.open(kept), Ledger.open(node)
    try:
        ended = old.read_only
        if ended is not None and new.view.origin in ended:
            ended = None
        count = new.view.statement_count
        missing = old.view.statement_count - count
        return Succession(old.view.origin, new.view.origin, count, missing, ended, kept)
    finally:
        old.close()
        new.close()
