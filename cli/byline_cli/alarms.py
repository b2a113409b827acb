"""The alarms of this home: those its node has, and those that commands have proven.

Rule: only what holds is kept or counts; whoever reads proofs looks at both places.
Specification: docs/spec/alarm.md, "What a reader does".
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from byline_cli import output
from byline_cli.files import read_file
from byline_ledger.alarm import MAX_ALARM, Alarm
from byline_ledger.errors import BylineError, InconsistentLogError, StoreError
from byline_ledger.evidence import Finding
from byline_ledger.store.durable import make_folder, write_durably
from byline_node.home import find_home

MAX_READ = 1_024
"""Alarm files in one folder that are looked at, and that are kept."""
PATTERN = "*.alarm"


def alarm_about(vkey: str) -> tuple[Path, Finding] | None:
    """A kept alarm that proves that this log lied; one that does not hold is none."""
    home = find_home()
    return alarm_in(home.alarms, vkey) or alarm_in(home.node / "alarms", vkey)


def alarm_in(folder: Path, vkey: str) -> tuple[Path, Finding] | None:
    """The same, in one folder."""
    for path in sorted(folder.glob(PATTERN))[:MAX_READ]:
        try:
            alarm = Alarm.from_bytes(read_file(path, MAX_ALARM))
            if alarm.vkey == vkey:
                return path, alarm.verify()
        except BylineError:
            continue
    return None


def keep_alarm(alarm: Alarm) -> Path | None:
    """Where the home has an alarm about this log, this one if there was none.

    `alarm` holds: whoever calls has verified it.  One of each log is enough, for ever;
    one that the node has may go with the node.
    None, with a complaint, if it cannot be written.
    """
    folder = find_home().alarms
    known = alarm_in(folder, alarm.vkey)
    if known is not None:
        return known[0]
    data = alarm.to_bytes()
    path = folder / f"{hashlib.sha256(data).hexdigest()}.alarm"
    try:
        make_folder(folder)
        if len(list(folder.glob(PATTERN))) >= MAX_READ:
            raise StoreError(f"{folder}: expected fewer than {MAX_READ} alarms")
        write_durably(path, data)
    except StoreError as error:
        output.complain(f"{error}: query and verify will not know of this alarm")
        return None
    return path


def kept_line(kept: Path | None) -> list[output.Line]:
    """What follows from a kept alarm, for people."""
    if kept is None:
        return []
    return [("Kept: from now on, query and verify refuse what this log says.", "quiet")]


def require_no_alarm(vkey: str, *, unsaved: bool = False) -> None:
    """InconsistentLogError if this home holds proof that the log lied; `unsaved` if
    something was to be kept that now is not."""
    found = alarm_about(vkey)
    if found is None:
        return
    path, finding = found
    so = "; nothing was saved" if unsaved else ""
    raise InconsistentLogError(
        f"no proof by the log {finding.origin} counts: it {finding.text}{so}",
        hint=f"see byline alarm verify {path}",
    )
