"""Runs atheris on every group of parsers, some side by side, and prints what came.

    make fuzz SECONDS=30                 every group for 30 s, two at a time
    make fuzz ARGS="--only note policy"  some of them
    make fuzz ARGS="--seed 1"            the same inputs every time, as far as it gets
    make fuzz REPLAY=FILE                one finding again, in plain Python

A finding is kept in build/fuzz/<group>-crash-...; add what is mended to found.json.
The exit code is 1 if there was one.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import GROUPS, check_selected

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "build" / "fuzz"
INPUT_SECONDS = 10
"""What takes longer on one input is a finding."""
MEMORY_MB = 2048
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one group went."""

    group: str
    runs: int
    edges: int
    exit_code: int
    output: str


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="0: another each time")
    parser.add_argument("--only", nargs="*", choices=list(GROUPS), default=[])
    parser.add_argument("--replay", type=Path)
    given = parser.parse_args()
    if given.replay is not None:
        return replay(given.replay)
    return fuzz(given.only or list(GROUPS), given.seconds, given.jobs, given.seed)


def fuzz(groups: Iterable[str], seconds: int, jobs: int, seed: int) -> int:
    """All groups, `jobs` at a time; 1 if any found something."""
    failed = 0
    with ThreadPoolExecutor(jobs) as pool:
        for done in pool.map(lambda group: run_group(group, seconds, seed), groups):
            names = ", ".join(target.name for target in GROUPS[done.group])
            print(
                f"{done.group:10} {done.runs:>9,} runs {done.edges:>5} edges  {names}",
                flush=True,
            )
            if done.exit_code:
                failed = 1
                print(f"{done.output}\n{done.group}: FAILED", flush=True)
    return failed


def run_group(group: str, seconds: int, seed: int) -> Outcome:
    """One group in a process of its own."""
    folder, environment = FOLDER / group, dict(os.environ)
    if seed:
        folder = FOLDER / f"{group}-seed-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        environment["PYTHONHASHSEED"] = str(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-timeout={INPUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={FOLDER}/{group}-",
        "-print_final_stats=1",
        # Both would let the clock choose what is tried next.
        *(("-reload=0", "-entropic=0") if seed else ()),
    ]
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.one_group", group, folder, *options],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + INPUT_SECONDS + START_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        return Outcome(group, 0, 0, 1, str(error))
    runs = re.search(r"number_of_executed_units: +(\d+)", done.stderr)
    edges = re.findall(r" cov: (\d+)", done.stderr)
    # A fuzzer that never ran has found nothing, which is no good news.
    exit_code = done.returncode or (runs is None or not edges)
    return Outcome(
        group,
        int(runs[1]) if runs else 0,
        int(edges[-1]) if edges else 0,
        int(exit_code),
        without_progress(done.stdout + done.stderr)[-4000:],
    )


def without_progress(output: str) -> str:
    """What a fuzzer said, but for a line about each step."""
    return re.sub(r"^#\d+\t.*\n", "", output, flags=re.MULTILINE)


def replay(path: Path) -> int:
    """One finding, by the group that its name begins with; raises as it did."""
    group = path.name.partition("-")[0]
    data = path.read_bytes()
    target = GROUPS[group][data[0] % len(GROUPS[group])] if data else GROUPS[group][0]
    print(f"{target.name}: {b64encode(data[1:]).decode()}", flush=True)
    check_selected(group, data)
    print("passes now")
    return 0


if __name__ == "__main__":
    sys.exit(main())
