"""Every seventh file system call goes wrong, in each way; planted faults are found."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")
MISSING = "a C compiler (cc) is needed for the shim"


@pytest.fixture(autouse=True)
def _compiler() -> None:
    if shutil.which("cc") is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)


def run(*arguments: str) -> tuple[int, dict[str, int]]:
    """Exit code, and the counts of the last line."""
    command = [sys.executable, str(RUN), "--quick", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.stdout, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    counts = re.findall(r"([a-z ]+?)(?: =)? ([0-9,]+)(?:,|$| s)", last)
    found = {name.strip(): int(count.replace(",", "")) for name, count in counts}
    return done.returncode, found


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_forks() -> None:
    code, counts = run()
    assert code == 0
    assert counts["kills"] > 30
    assert counts["power cuts"] == 3 * counts["kills"]
    assert counts["acknowledged"] > 1_000
    assert (counts["lost"], counts["forks"]) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", ["nosync", "early"])
def test_a_planted_fault_is_found(mutant: str) -> None:
    code, counts = run("--mutant", mutant, "--most", "3")
    assert code == 1
    assert counts["lost"] + counts["forks"] >= 3
