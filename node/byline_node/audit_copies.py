"""Where audits of a log keep their copies on this machine.

    seen            the longest copy that a sound audit ended with, of whatever place
    shown-HASH      the largest checkpoint that sound audits of one place ended with
    run-HASH        an audit of one place that is under way, or was interrupted

Rule: each audit begins with an empty copy, unless one of the same place and kind was
interrupted.  When it ends, its copy goes; that of a sound log, longer than the last,
takes the place of `seen`.  Reasons: docs/adr/0018-audit-and-mirrors.md.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from byline_ledger.audit import AuditReport, Progress, audit
from byline_ledger.checkpoint import open_checkpoint
from byline_ledger.errors import MalformedError, VerificationError
from byline_ledger.log_source import LogSource
from byline_ledger.mirror import Mirror
from byline_ledger.note import MAX_NOTE_BYTES
from byline_ledger.store.durable import file_error, read_small, write_durably

SEEN = "seen"


def audit_place(
    source: LogSource,
    place: str,
    vkey: str,
    folder: Path,
    *,
    bodies: bool = True,
    progress: Progress = lambda _done, _total: None,
) -> AuditReport:
    """Audits the log `vkey` at `place`, with its copies in `folder`.

    Raises as `audit` and `Mirror.open` do: then it was interrupted, and the next one of
    this place goes on.
    """
    run, here = folder / run_name(place, bodies), folder / shown_name(place)
    with Mirror.open(folder / SEEN, vkey) as seen, Mirror.open(run, vkey) as mirror:
        shown = read_shown(here, vkey)
        report = audit(
            source,
            mirror,
            earlier=seen,
            shown=shown,
            place=place,
            bodies=bodies,
            progress=progress,
        )
        is_newer = mirror.note is not None and mirror.size > seen.size
        if mirror.note is not None and mirror.size >= size_of(shown, vkey):
            write_durably(here, mirror.note)
    end(run, folder / SEEN if is_newer else None)
    return report


def run_name(place: str, bodies: bool) -> str:
    """The folder of an audit of this place and kind."""
    kind = "bodies" if bodies else "entries"
    return "run-" + hashlib.sha256(f"{kind} {place}".encode()).hexdigest()[:32]


def shown_name(place: str) -> str:
    """The file with the largest checkpoint of this place."""
    return "shown-" + hashlib.sha256(place.encode()).hexdigest()[:32]


def read_shown(path: Path, vkey: str) -> bytes | None:
    """The checkpoint in this file; one that the log has not signed is none."""
    note = read_small(path, MAX_NOTE_BYTES)
    try:
        size_of(note, vkey)
    except (MalformedError, VerificationError):
        return None
    return note


def size_of(note: bytes | None, vkey: str) -> int:
    """Entries of the tree, 0 without one."""
    return 0 if note is None else open_checkpoint(note, vkey).size


def place_name(text: str) -> str:
    """One name for one place, wherever the command runs."""
    if text.startswith("s3://"):
        return f"{text} {os.environ.get('AWS_ENDPOINT_URL', '')}".rstrip()
    return text if "://" in text else str(Path(text).resolve())


def end(run: Path, seen: Path | None) -> None:
    """Removes the copy of an audit that ended, or makes it what was seen last."""
    try:
        if seen is None:
            shutil.rmtree(run)
            return
        shutil.rmtree(seen)
        run.rename(seen)
    except OSError as error:
        raise file_error(run, error) from error
