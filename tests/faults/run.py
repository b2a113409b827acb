"""Fails or kills at every file system call of a ledger's life, and looks what is left.

    make faults                       all of it
    make faults MUTANT=nosync         with a planted fault that must be found (or early)
    python tests/faults/run.py --quick --only 57:kill:nothing

Each call of the scenario (scenario.py) is made to fail without being performed, to be
performed and reported as failed, to be preceded by a SIGKILL and to be followed by one;
after each SIGKILL the power is also cut, in three ways (disk.py).  Then the folder is
opened: every receipt that was given must be true, every checkpoint that was let out
must be of an earlier state of the log, and the log must go on.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1])]

from byline_ledger.errors import BylineError  # noqa: E402
from byline_ledger.statement import Statement  # noqa: E402
from byline_ledger.store import leveldb  # noqa: E402
from tests.faults.disk import Disk, read_journal  # noqa: E402
from tests.faults.scenario import (  # noqa: E402
    Told,
    Verdict,
    judge,
    live,
    plant,
    say_to,
)
from tests.support.logs import works  # noqa: E402

MODES = {"fail": 1, "fail-after": 2, "kill": 3, "kill-after": 4}
CUTS = ("nothing", "everything", "some")
LOADED = "BYLINE_FAULTS_LOADED"
CHILD_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Case:
    """The call with this number fails in this way; `cut` is how the power goes."""

    number: int
    mode: str
    cut: str = ""

    def __str__(self) -> str:
        return f"{self.number}:{self.mode}" + (f":{self.cut}" if self.cut else "")


# The shim


def build_shim(folder: Path) -> Path:
    """Compiles it; SystemExit with the reason where that cannot be done."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("a C compiler (cc) is needed for the shim, and there is none")
    shim = folder / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(shim)]
    command += [str(HERE / "shim.c"), "-ldl", "-lpthread"]
    subprocess.run(command, check=True)
    return shim


def under_shim(arguments: list[str], program: str = __file__) -> int:
    """A program again, with the shim loaded."""
    with tempfile.TemporaryDirectory(prefix="byline-shim-") as folder:
        shim = build_shim(Path(folder))
        variables = {"LD_PRELOAD": str(shim), LOADED: str(shim)}
        command = [sys.executable, program, *arguments]
        return subprocess.run(
            command, env=os.environ | variables, check=False
        ).returncode


class Shim:
    """The loaded shim; armed in children alone."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(os.environ[LOADED])

    def arm(self, root: Path, journal: Path, number: int, mode: int) -> None:
        self._library.faults_arm(
            os.fsencode(root),
            os.fsencode(journal),
            ctypes.c_long(number),
            mode,
            errno.EIO,
        )

    def count(self) -> int:
        return int(self._library.faults_count())


# Children


def in_child(work: Callable[[int], None]) -> tuple[list[str], int]:
    """Runs `work` in a child with a pipe to write to: the lines, and how it ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            signal.alarm(CHILD_SECONDS)
            work(writer)
            code = 0
        except BylineError:
            code = 3  # as the node stops: with its error
        except BaseException as error:  # noqa: BLE001  # told, and nothing goes on
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        lines = pipe.read().decode().splitlines()
    _, status = os.waitpid(child, 0)
    return lines, status


class Trials:
    """All cases of one run, in one folder, two at a time is left to the caller."""

    def __init__(self, folder: Path, shim: Shim, mutant: str, seed: int) -> None:
        self._folder = folder
        self._shim = shim
        self._mutant = mutant
        self._seed = seed
        self._works = works(0, 340)
        self.counts: Counter[str] = Counter()

    def live(self, case: Case, place: Path) -> tuple[Told, int]:
        """Runs the scenario with the fault; what was let out, and how it ended."""
        root, journal = place / "node", place / "journal"
        place.mkdir()

        def work(pipe: int) -> None:
            say = say_to(pipe)
            # Small enough that tables are written and logs change within the scenario.
            leveldb._SETTINGS["write_buffer_size"] = 64 << 10
            plant(self._mutant, say)
            self._shim.arm(root, journal, case.number, MODES.get(case.mode, 0))
            try:
                live(root, self._works, say)
            finally:
                os.write(pipe, f"C {self._shim.count()}\n".encode())

        lines, status = in_child(work)
        told = Told()
        told.hear(lines)
        for line in lines:
            if line.startswith("C "):
                self.counts["calls"] = max(self.counts["calls"], int(line[2:]))
        return told, status

    def judge(self, folder: Path, told: Told) -> Verdict:
        """In a child of its own, which the shim leaves alone."""
        more: list[Statement] = self._works[330:333]

        def work(pipe: int) -> None:
            verdict = judge(folder, told, more)
            os.write(pipe, json.dumps(asdict(verdict)).encode() + b"\n")

        lines, status = in_child(work)
        if not lines:
            return Verdict(lost=[f"the process that looked ended with {status}"])
        return Verdict(**json.loads(lines[-1]))

    def run(
        self, number: int, mode: str, cuts: tuple[str, ...]
    ) -> Iterator[tuple[Case, Verdict]]:
        """One fault, and the power cuts that go with it."""
        place = self._folder / f"{number}-{mode}"
        told, status = self.live(Case(number, mode), place)
        self.counts["acknowledged"] += len(told.receipts)
        killed = os.WIFSIGNALED(status)
        self.counts["kills" if killed else "faults"] += 1
        if killed:
            for cut in cuts:
                self.counts["power cuts"] += 1
                yield Case(number, mode, cut), self._cut(place, cut, number, told)
        yield Case(number, mode), self.judge(place / "node", told)
        shutil.rmtree(place)

    def _cut(self, place: Path, cut: str, number: int, told: Told) -> Verdict:
        disk = Disk(place / "node", None)
        for one in read_journal(place / "journal"):
            disk.perform(one)
        target = place / f"cut-{cut}"
        disk.write(target, cut, Random(self._seed * 1_000_003 + number))
        copy = Told(dict(told.receipts), list(told.notes))
        return self.judge(target, copy)


def count_calls(trials: Trials, folder: Path) -> int:
    """Calls of the whole scenario, when nothing fails."""
    told, status = trials.live(Case(0, "none"), folder / "dry")
    if status:
        raise SystemExit(f"the scenario itself fails: status {status}")
    verdict = trials.judge(folder / "dry" / "node", told)
    if verdict.lost or verdict.forks:
        raise SystemExit(f"the scenario itself fails: {verdict}")
    return trials.counts["calls"]


def run(folder: Path, options: argparse.Namespace) -> int:
    trials = Trials(folder, Shim(), options.mutant, options.seed)
    started = time.monotonic()
    calls = count_calls(trials, folder)
    numbers = range(1, calls + 1)
    if options.quick:
        numbers = range(1 + options.seed % 7, calls + 1, 7)
    cases = [(number, mode) for number in numbers for mode in MODES]
    cuts = CUTS
    if options.only:
        number, mode, *rest = options.only.split(":")
        cases, cuts = [(int(number), mode)], tuple(rest)
    lost = forks = refused = 0
    for number, mode in cases:
        for case, verdict in trials.run(number, mode, cuts):
            lost += bool(verdict.lost)
            forks += bool(verdict.forks)
            refused += bool(verdict.refused)
            for line in (*verdict.lost[:2], *verdict.forks[:2]):
                print(f"FAIL {case}: {line}", flush=True)
                again = f"--seed {options.seed} --only {case}"
                print(f"     again: make faults ARGS='{again}'")
        if lost + forks >= options.most:
            break
    counts = trials.counts
    print(
        f"calls {calls}, faults {counts['faults']}, kills {counts['kills']},"
        f" power cuts {counts['power cuts']}, acknowledged {counts['acknowledged']:,},"
        f" refused {refused}, lost = {lost}, forks = {forks},"
        f" {time.monotonic() - started:.0f} s"
    )
    return 1 if lost or forks else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every seventh call")
    parser.add_argument("--mutant", default="", help="nosync or early")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", metavar="N:MODE[:CUT]")
    parser.add_argument("--most", type=int, default=20, help="failures before it ends")
    options = parser.parse_args()
    if LOADED not in os.environ:
        sys.exit(under_shim(sys.argv[1:]))
    del os.environ["LD_PRELOAD"]
    with tempfile.TemporaryDirectory(prefix="byline-faults-") as folder:
        sys.exit(run(Path(folder), options))


if __name__ == "__main__":
    main()
