"""The alarms that this home's node has kept, for whoever reads proofs."""

from __future__ import annotations

from pathlib import Path

from byline_cli.files import read_file
from byline_ledger.alarm import MAX_ALARM, Alarm
from byline_ledger.errors import BylineError, InconsistentLogError
from byline_ledger.evidence import Finding
from byline_node.home import find_home

MAX_READ = 1_024
"""Alarm files that are looked at."""


def alarm_about(vkey: str) -> tuple[Path, Finding] | None:
    """A kept alarm that proves that this log lied; one that does not hold is none."""
    folder = find_home().node / "alarms"
    for path in sorted(folder.glob("*.alarm"))[:MAX_READ]:
        try:
            alarm = Alarm.from_bytes(read_file(path, MAX_ALARM))
            if alarm.vkey == vkey:
                return path, alarm.verify()
        except BylineError:
            continue
    return None


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
