"""Paths that a command is given: named one by one, or listed on standard input."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from byline_ledger.errors import UsageError

STDIN = Path("-")
MAX_PATH = 4096
"""Bytes of one line: what systems take for a path."""


def listed(paths: list[Path]) -> list[Path]:
    """The paths, and in the place of `-` those of standard input, one a line: so that a
    program that makes files can tell which.  A file of that name is `./-`."""
    found: list[Path] = []
    for path in paths:
        found += from_input() if path == STDIN else [path]
    if STDIN in paths and not found:
        raise UsageError("- was given, and standard input lists no path")
    return found


def from_input() -> list[Path]:
    """The lines of standard input; blank ones are passed over."""
    found: list[Path] = []
    while line := sys.stdin.buffer.readline(MAX_PATH + 1):
        if len(line) > MAX_PATH:
            raise UsageError(f"line {len(found) + 1} of standard input is no path")
        if line.strip():
            found.append(Path(os.fsdecode(line.rstrip(b"\r\n"))))
    return found
