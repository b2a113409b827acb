"""What processes use of the machine, as the kernel counts it (proc(5))."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def peak_bytes(process: int) -> int:
    """Memory that a process had at most.  ProcessLookupError if it has ended."""
    for line in _read(process, "status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(process)


def cpu_seconds(process: int) -> float:
    """Of all its threads so far.  ProcessLookupError if it has ended."""
    fields = _read(process, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Use:
    """What a process and those that it starts use; `look` now and then, for what has
    ended is not seen any more."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._seconds: dict[int, float] = {}
        self.peak = 0
        """Bytes; what they share is counted for each."""

    def look(self) -> None:
        together = 0
        for process in (self._process, *_children(self._process)):
            with suppress(ProcessLookupError):
                together += peak_bytes(process)
                self._seconds[process] = cpu_seconds(process)
        self.peak = max(self.peak, together)

    @property
    def cpu_seconds(self) -> float:
        """Of all of them, as of the last look."""
        return sum(self._seconds.values())


def _children(process: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            found += map(int, task.read_text("ascii").split())
    return found


def _read(process: int, name: str) -> str:
    try:
        return Path(f"/proc/{process}/{name}").read_text()
    except OSError:
        raise ProcessLookupError(process) from None
