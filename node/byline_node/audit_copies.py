"""Where audits of a log keep their copies on this machine.

    seen            what the last sound audit ended with, of whatever place
    run-HASH        an audit of one place that is under way, or was interrupted
    place-HASH      how many entries one place showed at most

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
from byline_ledger.log_source import LogSource
from byline_ledger.mirror import Mirror
from byline_ledger.store.durable import file_error, write_durably

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
    run = folder / run_name(place, bodies)
    last = folder / f"place-{hash_of(place)}"
    shown = read_size(last)
    with Mirror.open(folder / SEEN, vkey) as seen, Mirror.open(run, vkey) as mirror:
        report = audit(
            source,
            mirror,
            earlier=seen,
            place=place,
            shown=shown,
            bodies=bodies,
            progress=progress,
        )
        is_newer = mirror.note is not None and mirror.size > seen.size
    end(run, folder / SEEN if is_newer else None)
    if report.size > shown:
        write_durably(last, b"%d" % report.size)
    return report


def read_size(path: Path) -> int:
    """A number of entries; 0 where there is none, or none that can be read."""
    try:
        return int(path.read_bytes()[:20])
    except (OSError, ValueError):
        return 0


def hash_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def run_name(place: str, bodies: bool) -> str:
    """The folder of an audit of this place and kind."""
    kind = "bodies" if bodies else "entries"
    return "run-" + hash_of(f"{kind} {place}")


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
