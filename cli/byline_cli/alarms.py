"""The alarms that this home holds, for whoever reads proofs.

A node keeps those about the logs that it follows; what `audit` and `alarm verify` found
proven is kept beside it, and needs no node.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from byline_cli import output
from byline_cli.files import read_file
from byline_ledger.alarm import MAX_ALARM, Alarm
from byline_ledger.errors import BylineError, InconsistentLogError, StoreError
from byline_ledger.evidence import Finding
from byline_ledger.store.durable import make_folder, write_durably
from byline_node.home import find_home

MAX_READ = 1_024
"""Alarm files that are looked at."""


def alarm_about(vkey: str) -> tuple[Path, Finding] | None:
    """A kept alarm that proves that this log lied; one that does not hold is none."""
    for path in kept_alarms():
        try:
            alarm = Alarm.from_bytes(read_file(path, MAX_ALARM))
            if alarm.vkey == vkey:
                return path, alarm.verify()
        except BylineError:
            continue
    return None


def kept_alarms() -> Iterator[Path]:
    """The reader's own first."""
    home = find_home()
    for folder in (home.folder / "alarms", home.node / "alarms"):
        yield from sorted(folder.glob("*.alarm"))[:MAX_READ]


def keep_alarm(data: bytes) -> None:
    """Keeps one that is proven; where that fails, it is said, and that is all."""
    folder = find_home().folder / "alarms"
    path = folder / f"{hashlib.sha256(data).hexdigest()}.alarm"
    try:
        make_folder(folder)
        if not path.exists():
            write_durably(path, data)
    except StoreError as error:
        output.complain(f"the alarm is not kept for later: {error}")


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
