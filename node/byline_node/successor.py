"""Going on under a new origin, where a log cannot or should not go on itself.

Rule: the new log is complete before the old one is touched, and the old one is kept for
ever, under `retired` in the node's folder.  It is ended with a notice only if it is
certain that all that it signed is here; else another notice could contradict what was
signed and lost.  What others cosigned they must be asked about, which no command does:
then only somebody's word will do.  Specification: docs/spec/log.md, "Recovery".
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from byline_ledger.commit import Vacancy
from byline_ledger.entry import StatementEntry, parse_entry
from byline_ledger.log import Ledger, LogView
from byline_ledger.statement import Statement
from byline_ledger.store.backup import ALSO
from byline_ledger.store.draft import copy_also, draft_of
from byline_ledger.store.durable import file_error, make_folder, sync_folder
from byline_ledger.store.node_files import FolderLock, NodeFiles, init_node, successor
from byline_ledger.upkeep import Progress
from byline_node.home import Home

RETIRED = "retired"
PREDECESSOR = b"predecessor"
"""Side record of the new log: the origin of the old one."""
PORTION = 1_024
"""Statements in one commit of the new log."""
NOT_ASKED = (
    "others cosigned it, and were not asked whether this is its end: only with"
    " --nothing-lost it is ended"
)


@dataclass(frozen=True, slots=True)
class Succession:
    """The old log and the new one."""

    old: str
    new: str
    statements: int
    """Statements in the new log."""
    missing: int
    """Of those, statements whose bodies were taken down or lost: they stay so."""
    ended: str | None
    """None if the old log was ended with a notice that names the new one; else why it
    was not."""
    kept: Path
    """The old log's folder now."""


def continue_as(
    node: Path,
    name: str,
    progress: Progress = lambda _done, _total: None,
    *,
    is_confirmed: bool = False,
) -> Succession:
    """Gives the stopped node in the folder a new log, `<name>/<32 hex digits>`, with
    all statements of the old one, in its order.

    `is_confirmed`: somebody answers for it that nothing newer was signed than is here.

    A break in the middle leaves the old log in place, or the new one, or is finished
    by doing it again.  `progress` counts statements.  Raises UsageError for a name that
    no origin can have; StoreError.
    """
    follower = successor(node)
    if not _is_ready(node, follower):
        _make(node, follower, name, progress, is_confirmed)
    if node.exists():
        _swap(node, follower)
    else:  # an attempt broke off between two renames
        with _naming(node):
            follower.rename(node)
            sync_folder(node.parent)
    return _describe(node)


def _is_ready(node: Path, follower: Path) -> bool:
    """Whether an attempt broke off after which there is no way but on."""
    if not NodeFiles(follower).is_node():
        return False
    if not node.exists():
        return True
    old = Ledger.open(node)
    try:
        return NodeFiles(follower).read_origin() in (old.read_only or "")
    finally:
        old.close()


def _make(
    node: Path, follower: Path, name: str, progress: Progress, is_confirmed: bool
) -> None:
    """The new log, complete; then the end of the old one."""
    old = Ledger.open(node)
    try:
        with _naming(follower):
            if follower.exists():
                shutil.rmtree(follower)
        with draft_of(follower) as draft:
            copy_also(node, draft, ("secret", *ALSO))
            new = init_node(draft, name)
            _fill(draft, old.view, progress)
        if _why_not_ended(old, is_confirmed) is None:
            old.retire(f"continued as {new}")
    finally:
        old.close()


def _why_not_ended(old: Ledger, is_confirmed: bool) -> str | None:
    """Why no notice may be signed; None if it is certain that this is the log's end."""
    if old.read_only is None and not is_confirmed and old.latest_cosigned is not None:
        return NOT_ASKED
    return old.read_only


def _fill(draft: Path, view: LogView, progress: Progress) -> None:
    """Appends all statements."""
    ledger = Ledger.open(draft)
    try:
        ledger.put_record(PREDECESSOR, view.origin.encode())
        statements = _statements(view)
        while portion := list(islice(statements, PORTION)):
            ledger.append(portion)
            progress(ledger.view.statement_count, view.statement_count)
    finally:
        ledger.close()


def _statements(view: LogView) -> Iterator[Statement | Vacancy]:
    """All that the log has; a statement without a body stays one."""
    for index in range(view.size):
        entry = parse_entry(view.entry(index))
        if not isinstance(entry, StatementEntry):
            continue
        tombstone = view.tombstone(entry.id)
        if tombstone is not None:
            yield Vacancy(entry, tombstone)
        elif (statement := view.statement(entry.id)) is not None:
            statement.verify()
            yield statement


def _swap(node: Path, follower: Path) -> None:
    """Puts the new folder in the place of the old one, which goes into it."""
    retired = follower / RETIRED
    with FolderLock(NodeFiles(node).lock), _naming(node):
        make_folder(retired)
        earlier = node / RETIRED
        for one in earlier.iterdir() if earlier.is_dir() else ():
            one.rename(retired / one.name)
        kept = _kept(follower, NodeFiles(node).read_origin())
        make_folder(kept.parent)
        node.rename(kept)
        sync_folder(kept.parent)
        follower.rename(node)
        sync_folder(node.parent)


def _describe(node: Path) -> Succession:
    new = Ledger.open(node)
    try:
        origin = (new.get_record(PREDECESSOR) or b"").decode()
        kept = _kept(node, origin)
        name, count = new.view.origin, new.view.statement_count
        missing = sum(1 for _ in new.view.taken_down(0, new.view.size))
    finally:
        new.close()
    old = Ledger.open(kept)
    try:
        reason = _why_not_ended(old, is_confirmed=False)
        ended = None if name in (reason or "") else reason
    finally:
        old.close()
    return Succession(origin, name, count, missing, ended, kept)


def _kept(node: Path, origin: str) -> Path:
    """Where the log of that origin is kept: a node in a home of its own."""
    name = hashlib.sha256(origin.encode()).hexdigest()[:32]
    return Home(node / RETIRED / name).node


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Work on names and folders."""
    try:
        yield
    except OSError as error:
        raise file_error(path, error) from error
