"""Backups, restores and takedowns: the same on a running node and on a stopped one.

Rule: a command first looks for the node that runs in the folder and asks it over its
control socket; if none answers, it opens the store itself.  The store's lock makes sure
that it is never both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.store.backup import unpack_backup
from byline_ledger.store.draft import require_free
from byline_ledger.store.node_files import NodeFiles
from byline_ledger.store.restored import Restored
from byline_ledger.tombstone import Tombstone
from byline_node.c2pa_shelf import forget_manifests
from byline_node.control import Job, Progress, ask_node
from byline_node.errors import BusyError, NodeUnavailableError
from byline_node.home import shelf_of
from byline_node.similar_index import forget_taken_down

if TYPE_CHECKING:
    from byline_ledger.log import Ledger


@dataclass(frozen=True, slots=True)
class TakenDown:
    """What stands in the place of a body now."""

    index: int
    tombstone: Tombstone
    is_new: bool
    """False if it was taken down before: the first reason stands."""


def backup(node: Path, target: Path, progress: Progress) -> Restored:
    """Copies the node in the folder `node`, running or not, to a new folder.

    Raises UsageError if there is something at `target`, StoreError.
    """
    target = target.absolute()
    require_free(target)
    found = _do(node, _backup, {"do": "backup", "folder": str(target)}, progress)
    return Restored(found["origin"], found["size"], found["time"])


def redact(node: Path, statement_id: bytes, reason: str) -> TakenDown:
    """Takes a body down.  Raises NotFoundError, UsageError, StoreError."""
    Tombstone(reason, 0)  # a reason that cannot be is refused before anything is asked
    request = {"do": "redact", "id": statement_id, "reason": reason}
    found = _do(node, _redact, request, lambda _done, _total: None)
    tombstone = Tombstone(found["reason"], found["time"])
    return TakenDown(found["index"], tombstone, found["new"])


def restore(folder: Path, node: Path, step: Callable[[int], None]) -> Restored:
    """Makes the node in the folder `node`, which must not be there or be empty, out of
    a backup; it is read-only until it was recovered.  `step` counts bytes.

    Raises NotFoundError, UsageError, CorruptStoreError or StoreError; then there is no
    node.
    """
    from byline_ledger.log import Ledger

    return unpack_backup(folder, node, lambda draft: Ledger.open(draft).close(), step)


def _do(
    node: Path,
    job: Callable[[Ledger, Mapping[str, Any], Progress], Mapping[str, Any]],
    request: Mapping[str, Any],
    progress: Progress,
) -> Mapping[str, Any]:
    NodeFiles(node).require_node()
    try:
        return ask_node(node, request, progress)
    except BusyError:
        raise
    except NodeUnavailableError:
        from byline_ledger.log import Ledger

        ledger = Ledger.open(node)
    try:
        return job(ledger, request, progress)
    finally:
        ledger.close()


# What is done, by whoever has the ledger


def make_jobs(
    ledger: Ledger, on_failure: Callable[[str], None], forget: Callable[[], None]
) -> dict[str, Job]:
    """What the control socket of a running node offers; `on_failure` is called, in any
    thread, if a write failed, after which the node has to stop; `forget` lets go of the
    codes of what was taken down."""

    def job_of(
        do: Callable[[Ledger, Mapping[str, Any], Progress], Mapping[str, Any]],
    ) -> Job:
        def job(request: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
            try:
                return do(ledger, request, progress)
            finally:
                if ledger.failure is not None:
                    on_failure(ledger.failure)

        return job

    return {
        "backup": job_of(_backup),
        "redact": job_of(partial(_redact, forget=forget)),
    }


def _backup(
    ledger: Ledger, request: Mapping[str, Any], progress: Progress
) -> Mapping[str, Any]:
    folder = request.get("folder")
    if not isinstance(folder, str) or not Path(folder).is_absolute():
        raise UsageError("expected the absolute path of a folder")
    mark = ledger.backup(Path(folder), int(time.time()), progress)
    return {"origin": mark.origin, "size": mark.size, "time": mark.time}


def _redact(
    ledger: Ledger,
    request: Mapping[str, Any],
    _progress: Progress,
    forget: Callable[[], None] | None = None,
) -> Mapping[str, Any]:
    """Also of what lies beside the store: manifests, and the index of fingerprints."""
    id_, reason = request.get("id"), request.get("reason")
    if not isinstance(id_, bytes) or len(id_) != 32 or not isinstance(reason, str):
        raise MalformedError("expected an id of 32 bytes and a reason")
    wanted = Tombstone(reason, time.time_ns() // 1_000_000)
    found = ledger.redact(id_, wanted)
    forget_manifests(shelf_of(ledger.folder), id_)
    if forget is None:
        forget_taken_down(ledger.folder, ledger.view)
    else:
        forget()
    return {
        "index": ledger.view.index_of(id_),
        "reason": found.reason,
        "time": found.time,
        "new": found == wanted,
    }
