"""`byline consent` over a long list, against a node with a long log: time and memory.

    make bench-consent [ARGS=...]
    python -m benchmarks.consent_list [--statements N] [--lines M] [--shuffled]
        [--folder DIR]

A node runs on a log of N statements, one `work` about each of N digests (consent.py);
with --folder the log is kept there, and used again.  A manifest of M lines names M of
them, in the order in which they were published or shuffled.  Then `byline consent`
writes a verdict for each line; the verdicts are counted and must be those that were
published.  Both are processes of their own, on one machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

from benchmarks.consent import NODE, fill, work
from benchmarks.usage import peak_bytes

BYLINE = (sys.executable, "-m", "byline_cli")
ANY_PORT = ("--listen", "/ip4/127.0.0.1/tcp/0", "--api", "127.0.0.1:0")
USE = "ai_generative_training"
WAIT = 300.0
MIB = 1 << 20


def write_manifest(path: Path, numbers: list[int]) -> None:
    """One line for each work."""
    with path.open("w") as file:
        file.write("digest,path\n")
        for number in numbers:
            file.write(f"{work(number)[2:].hex()},photos/{number:07}.jpg\n")


def start(environment: dict[str, str], run_file: Path) -> subprocess.Popen[bytes]:
    """A node that is ready."""
    run_file.unlink(missing_ok=True)
    node = subprocess.Popen(
        [*BYLINE, "node", "run", *ANY_PORT], env=environment, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + WAIT
    while not run_file.exists():
        if time.monotonic() > end or node.poll() is not None:
            raise SystemExit("the node is not ready")
        time.sleep(0.1)
    return node


def watch(command: subprocess.Popen[bytes]) -> int:
    """Bytes of memory that a command had at most, once it has ended well.  What the
    system keeps of it (getrusage) begins with ours, who started it, and that is more.
    """
    highest = 0
    while command.poll() is None:
        with suppress(ProcessLookupError):
            highest = max(highest, peak_bytes(command.pid))
        time.sleep(0.2)
    if command.returncode:
        raise SystemExit(f"the command ended with {command.returncode}")
    return highest


def count(path: Path) -> Counter[str]:
    """Verdicts of a file of results."""
    found: Counter[str] = Counter()
    with path.open() as file:
        next(file)
        for line in file:
            found[line.split(",", 4)[3]] += 1
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--statements", type=int, default=1_000_000)
    arguments.add_argument("--lines", type=int, default=1_000_000)
    arguments.add_argument("--shuffled", action="store_true")
    arguments.add_argument("--folder", type=Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        fill(folder, given.statements).close()
        numbers = list(range(given.statements))
        if given.shuffled:
            Random(4).shuffle(numbers)
        numbers = numbers[: given.lines]
        manifest, results = Path(scratch) / "set.csv", Path(scratch) / "verdicts.csv"
        write_manifest(manifest, numbers)
        environment = {**os.environ, "BYLINE_HOME": str(folder)}
        node = start(environment, folder / NODE / "run.json")
        try:
            started = time.monotonic()
            command = subprocess.Popen(
                [
                    *BYLINE,
                    "consent",
                    manifest,
                    "--for",
                    USE,
                    "--out",
                    results,
                    "--json",
                ],
                env=environment,
                stdout=subprocess.PIPE,
            )
            of_command = watch(command)
            seconds = time.monotonic() - started
            of_node = peak_bytes(node.pid)
        finally:
            node.terminate()
            node.wait(WAIT)
        wanted = Counter("notAllowed" if n % 2 else "allowed" for n in numbers)
        assert command.stdout is not None
        told = json.load(command.stdout)["verdicts"]
        assert told == count(results) == wanted, (told, wanted)
    order = "shuffled" if given.shuffled else "in the order of the log"
    print(
        f"{len(numbers):,} lines, {order}, {given.statements:,} statements:"
        f" {seconds:.0f} s, {1e3 * seconds / len(numbers):.3f} ms a line;"
        f" the command {of_command / MIB:.0f} MiB,"
        f" its node {of_node / MIB:.0f} MiB; every verdict as published"
    )


if __name__ == "__main__":
    main()
