"""The alarms that this home's node has kept, for whoever reads proofs."""

from __future__ import annotations

from pathlib import Path

from byline_cli.files import read_file
from byline_ledger.alarm import MAX_ALARM, Alarm
from byline_ledger.errors import BylineError
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
