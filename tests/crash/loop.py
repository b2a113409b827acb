"""Kills a writing ledger again and again, and cuts the power at every other kill.

    make crash KILLS=500                  or: python tests/crash/loop.py [--kills N]
    make crash KILLS=100 MUTANT=early     with a planted fault to be found (or nosync)

One log lives through it all.  In each life a child appends under load, through the
node's own writer, and lets receipts and checkpoints out; at a random moment it gets
SIGKILL.  Every other time the folder is then put back to what was synced, as far as
tests/faults can tell.  Every fiftieth life is a whole node process with a client over
HTTP.  After each: what was let out must be true of what is left.
"""

from __future__ import annotations

import argparse
import base64
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT)]

import trio  # noqa: E402
from tests.faults.disk import Disk, read_journal  # noqa: E402
from tests.faults.run import LOADED, Shim, in_child, under_shim  # noqa: E402
from tests.faults.scenario import Told, Verdict, close, judge, plant, say_to  # noqa: E402
from tests.support.logs import works  # noqa: E402

from byline_ledger.errors import BylineError  # noqa: E402
from byline_ledger.ledger import Ledger  # noqa: E402
from byline_ledger.statement import Statement  # noqa: E402
from byline_ledger.store import leveldb  # noqa: E402
from byline_ledger.store.node_files import init_node  # noqa: E402
from byline_node.client import Client  # noqa: E402
from byline_node.home import Home, RunningNode  # noqa: E402
from byline_node.writer import Writer  # noqa: E402

MOST_SECONDS = 0.25
"""Longest life under load before the kill."""
NODE_EVERY = 50
CHECK_EVERY = 25
SAMPLE = 200
START_SECONDS = 60.0


class Life:
    """What one child does until it is killed."""

    def __init__(
        self, folder: Path, statements: Sequence[Statement], pipe: int
    ) -> None:
        self._folder = folder
        self._statements = statements
        self._say = say_to(pipe)

    def __call__(self) -> None:
        ledger = Ledger.open(self._folder)
        try:
            trio.run(self._write, ledger)
        finally:
            close(ledger)

    async def _write(self, ledger: Ledger) -> None:
        writer = Writer(ledger)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.run)
            for start in range(0, len(self._statements), 40):
                nursery.start_soon(self._publish, writer, start)
            self._say("B")

    async def _publish(self, writer: Writer, start: int) -> None:
        """Bursts of one to a few statements, each answered when it is durable."""
        await trio.sleep(start / 20_000)
        for at in range(start, start + 40, 1 + start % 5):
            batch = self._statements[at : at + 1 + start % 5]
            committed = await writer.submit(batch, "api")
            for place in committed.appended:
                self._say(f"R {place.id.hex()} {place.index}")
            note = base64.b64encode(committed.view.checkpoint).decode()
            self._say(f"N {note}")


class Loop:
    """All lives of one log."""

    def __init__(self, folder: Path, shim: Shim, options: argparse.Namespace) -> None:
        self._folder = folder
        self._home = folder / "home"
        self._node = self._home / "node"
        self._shim = shim
        self._mutant = options.mutant
        self._random = Random(options.seed)
        self._told = Told()
        self._statements = works(0, 2_000)
        self._fresh = 0
        self.kills = self.cuts = self.nodes = 0
        self.verdict = Verdict()

    def run(self, kills: int) -> bool:
        """Whether all held."""
        init_node(self._node)
        while self.kills < kills:
            is_node = self.kills % NODE_EVERY == NODE_EVERY - 1
            (self._live_as_node if is_node else self._live)()
            self.kills += 1
            if not self._holds(self.kills % CHECK_EVERY == 0 or self.kills == kills):
                return False
            if self.kills % CHECK_EVERY == 0:
                print(f"     {self}", flush=True)
        return True

    def __str__(self) -> str:
        return (
            f"kills {self.kills}, of whole nodes {self.nodes}, power cuts {self.cuts},"
            f" acknowledged {len(self._told.receipts):,},"
            f" checkpoints {len(self._told.notes):,},"
            f" lost = {len(self.verdict.lost)}, forks = {len(self.verdict.forks)}"
        )

    def _next(self) -> list[Statement]:
        """Statements that were never published before."""
        self._fresh += 1
        return works(self._fresh * 10_000, self._fresh * 10_000 + 800)

    def _live(self) -> None:
        journal, before = self._folder / "journal", self._folder / "before"
        cut = self.kills % 2 == 0
        if cut:
            # A node that was killed leaves its control socket behind.
            shutil.copytree(
                self._node, before, ignore=shutil.ignore_patterns("control")
            )
        statements = self._next()
        pause = self._random.uniform(0, MOST_SECONDS)

        def work(pipe: int) -> None:
            leveldb._SETTINGS["write_buffer_size"] = 256 << 10
            plant(self._mutant, say_to(pipe))
            self._shim.arm(self._node, journal, 0, 0)
            killer = threading.Timer(pause, os.kill, (os.getpid(), signal.SIGKILL))
            killer.daemon = True
            killer.start()
            Life(self._node, statements, pipe)()

        lines, _status = in_child(work)
        self._told.hear(lines)
        if cut:
            self.cuts += 1
            self._cut_power(journal, before)
        journal.unlink(missing_ok=True)

    def _cut_power(self, journal: Path, before: Path) -> None:
        disk = Disk(self._node, before)
        for one in read_journal(journal):
            disk.perform(one)
        target = self._folder / "after"
        keep = self._random.choice(("nothing", "some"))
        disk.write(target, keep, self._random)
        shutil.rmtree(self._node)
        target.rename(self._node)
        shutil.rmtree(before)

    def _live_as_node(self) -> None:
        """A node process, and a client that publishes until it is gone."""
        self.nodes += 1
        command = [sys.executable, "-m", "byline_cli", "node", "run"]
        command += ["--api", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0"]
        environment = os.environ | {"BYLINE_HOME": str(self._home)}
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        client = Client(self._wait_ready(process).api)
        pause = self._random.uniform(0, 1)
        killer = threading.Timer(pause, process.kill)
        killer.start()
        statements = self._next()
        try:
            for at in range(0, len(statements), 20):
                for receipt in client.publish(statements[at : at + 20]):
                    self._told.receipts[receipt.id] = receipt.index
                    self._told.notes.append(receipt.checkpoint)
        except BylineError:
            pass  # it is gone
        killer.join()
        process.wait()
        client.close()

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> RunningNode:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            running = RunningNode.read(Home(self._home).run_file)
            if running is not None and running.pid == process.pid:
                return running
            time.sleep(0.02)
        raise SystemExit(f"the node did not start: {process.poll()}")

    def _holds(self, thorough: bool) -> bool:
        """Judges what is left, in a child: some of what was ever told, or all."""
        import json
        from dataclasses import asdict

        told = self._told if thorough else self._sample()
        more = [self._statements.pop()]

        def work(pipe: int) -> None:
            verdict = judge(self._node, told, more)
            os.write(pipe, json.dumps(asdict(verdict)).encode() + b"\n")

        lines, status = in_child(work)
        self.verdict = (
            Verdict(**json.loads(lines[-1]))
            if lines
            else Verdict(lost=[f"the process that looked ended with {status}"])
        )
        for line in (*self.verdict.lost[:3], *self.verdict.forks[:3]):
            print(f"FAIL after kill {self.kills}: {line}", flush=True)
        if self.verdict.refused:
            print(f"FAIL after kill {self.kills}: {self.verdict.refused}", flush=True)
        return not (self.verdict.lost or self.verdict.forks or self.verdict.refused)

    def _sample(self) -> Told:
        """The newest of what was told, and some of the rest."""
        receipts = list(self._told.receipts.items())
        notes = self._told.notes
        some = self._random.sample(receipts, min(SAMPLE, len(receipts)))
        old = self._random.sample(notes, min(SAMPLE, len(notes)))
        return Told(dict(receipts[-1_000:] + some), notes[-SAMPLE:] + old)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", default="", help="nosync or early")
    options = parser.parse_args()
    if LOADED not in os.environ:
        sys.exit(under_shim(sys.argv[1:], __file__))
    del os.environ["LD_PRELOAD"]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="byline-crash-") as folder:
        loop = Loop(Path(folder), Shim(), options)
        held = loop.run(options.kills)
        print(f"{loop}, {time.monotonic() - started:.0f} s, --seed {options.seed}")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
