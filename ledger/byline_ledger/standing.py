"""Whether a log that was opened may be signed any further, and if not, why.

Rule: it may only if it is certain that nothing newer was ever signed.  The guard file
must be that of the last tree, or of the one before it, which is what a crash between
the two writes of a commit leaves; no mark may say that the folder came out of a backup
or that its guard was of no use; and nobody may have ended the log.  Specification:
docs/spec/log.md, "Never two histories".
"""

from __future__ import annotations

from byline_ledger.checkpoint import Checkpoint
from byline_ledger.commit import LogState
from byline_ledger.errors import CorruptStoreError
from byline_ledger.recovery import retirement, root_at
from byline_ledger.store.guard import Guard, compare_guard, read_guard, write_guard
from byline_ledger.store.interface import Reader
from byline_ledger.store.node_files import NodeFiles
from byline_ledger.store.restored import describe_restored
from byline_ledger.tree import TileRows

WAY_OUT = (
    "use `byline node recover --from PLACE`, PLACE being the URL of a peer that follows"
    " this log, or a copy of it; or go on with a new log: `byline node recover"
    " --new-origin NAME`"
)


def guard_of(state: LogState) -> Guard:
    """What the guard file says once this tree is let out."""
    return Guard(state.origin, state.size, state.root)


def doubt(guard: Guard | None, end: Checkpoint) -> str | None:
    """Why this log's own guard file, None if it has none of use, cannot answer for the
    end of a log that has signed `end`; None if it can."""
    if guard is None:
        return "its guard file was missing, damaged or of another log"
    if guard.size < end.size:
        signed = f"but {end.size} were signed"
        return f"its guard file ended at {guard.size} entries, {signed}"
    return None


def why_read_only(
    files: NodeFiles, store: Reader, state: LogState, previous: int, rows: TileRows
) -> str | None:
    """The one reason that matters, or None; then the guard is that of this tree.

    `previous` is the size of the tree before.  Raises InconsistentLogError where guard
    and database are of two histories.
    """
    behind = _compare(files, state, previous, rows)
    notice = retirement(store, state.size)
    if notice is not None:
        return f"this log was ended by its operator: {notice}"
    restored = describe_restored(files.restored)
    if restored is not None:
        return f"{restored}; more may have been signed since: {WAY_OUT}"
    return behind and f"{behind}: {WAY_OUT}"


def _compare(
    files: NodeFiles, state: LogState, previous: int, rows: TileRows
) -> str | None:
    """Why the guard forbids to sign; brings it up where a crash left it behind."""
    try:
        guard = read_guard(files.guard)
    except CorruptStoreError as error:
        return str(error)
    if guard is None:
        return "the guard file is missing"
    stored = guard_of(state)
    reason = compare_guard(
        guard, stored, previous, lambda size: root_at(state, rows, size)
    )
    if reason is None and guard != stored:
        write_guard(files.guard, stored)
    return reason
