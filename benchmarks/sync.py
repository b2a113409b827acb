"""A fresh node fetches everything from two peers, and is killed twice on the way.

    make bench-sync       or: python -m benchmarks.sync [--log N]

Three real node processes on loopback.  The two peers hold the same statements, each in
an order of its own.  The time stands beside that of verifying the same statements in
one process, one after the other, in the same run.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.run import bare_verify, statements
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement
from byline_node.demo_network import DemoNetwork, DemoNode

BATCH = 4_000
COMMAND = [sys.executable, "-m", "byline_cli", "node", "run"]
LIMIT = 1_800.0
LOOK_SECONDS = 0.5


def fill(folder: Path, made: Sequence[Statement]) -> None:
    ledger = Ledger.init(folder)
    for start in range(0, len(made), BATCH):
        ledger.append(made[start : start + BATCH])
    ledger.close()


def verify_only(envelopes: Sequence[bytes]) -> float:
    """Seconds to parse and verify them all."""
    started = time.perf_counter()
    for envelope in envelopes:
        Statement.from_envelope(envelope).verify()
    return time.perf_counter() - started


class Use:
    """What a node and the processes that it starts use of the machine."""

    def __init__(self, node: DemoNode) -> None:
        self._node = node
        self._peak = 0
        self._ticks: dict[int, int] = {}

    def look(self) -> None:
        """Call now and then: what has ended is not seen any more."""
        together = 0
        for process in (self._node.pid, *_children(self._node.pid)):
            with suppress(OSError, ValueError):  # it has just ended
                together += _peak_kib(process)
                self._ticks[process] = _cpu_ticks(process)
        self._peak = max(self._peak, together)

    @property
    def mib(self) -> float:
        """The most that the node ever held, and each process beside it; what they share
        is counted for each."""
        return self._peak / 1024

    @property
    def cpu_seconds(self) -> float:
        """Of all threads so far."""
        return sum(self._ticks.values()) / os.sysconf("SC_CLK_TCK")


def _children(process: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            found += map(int, task.read_text("ascii").split())
    return found


def _peak_kib(process: int) -> int:
    text = Path(f"/proc/{process}/status").read_text("ascii")
    (line,) = [one for one in text.splitlines() if one.startswith("VmHWM:")]
    return int(line.split()[1])


def _cpu_ticks(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def cpu_seconds(node: DemoNode) -> float:
    """Of a node that has no other processes."""
    return _cpu_ticks(node.pid) / os.sysconf("SC_CLK_TCK")


def until(node: DemoNode, count: int, use: Use) -> dict[str, Any]:
    """The node's status once it holds so many statements."""
    end = time.monotonic() + LIMIT
    with node.client() as client:
        while time.monotonic() < end:
            status = client.status()
            use.look()
            if status["statements"] >= count:
                return status
            time.sleep(LOOK_SECONDS)
    raise SystemExit(f"{status['statements']:,} of {count:,} after {LIMIT:.0f} s")


def read_entries(status: dict[str, Any]) -> int:
    """Entries of the peers' logs that were read so far."""
    return sum(peer["cursor"] or 0 for peer in status["peers"])


def fetch(network: DemoNetwork, peers: Sequence[str], count: int) -> None:
    took, peak, cpu = 0.0, 0.0, 0.0
    for part in (1, 2, 3):
        (node,) = network.start(["fresh"], peers)
        use = Use(node)
        started = time.perf_counter()
        if part > 1:
            begins = until(node, 1, use)
            print(f"again     with {begins['statements']:,} statements", flush=True)
        status = until(node, count * part // 3, use)
        took += time.perf_counter() - started
        peak, cpu = max(peak, use.mib), cpu + use.cpu_seconds
        if part < 3:
            held, read = status["statements"], read_entries(status)
            print(f"killed    at {held:,} statements, {read:,} entries read")
            node.process.kill()
            node.process.wait()
    print(
        f"fetched   {count:,} statements in {took:.1f} s, {count / took:,.0f} a second"
    )
    print(f"cpu       {1e6 * cpu / count:,.0f} us a statement, starts included")
    print(f"memory    {peak:,.0f} MiB at most, of the node and its processes")
    print(f"set root  {status['set_root']}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=int, default=1_000_000)
    asked = parser.parse_args()
    print(f"bare      {bare_verify():7,.0f} verifications/s by PyNaCl alone")
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as name:
        folder = Path(name)
        made = list(statements(asked.log, seed=1))
        fill(folder / "a" / "node", made)
        random.Random(1).shuffle(made)
        fill(folder / "b" / "node", made)
        envelopes = [one.to_envelope() for one in made]
        del made
        alone = verify_only(envelopes)
        del envelopes
        print(
            f"verify    {asked.log:,} statements in {alone:.1f} s, parsed and verified"
        )
        with DemoNetwork(folder, COMMAND) as network:
            started = time.perf_counter()
            nodes = network.start(["a", "b"])
            print(f"start     {time.perf_counter() - started:.1f} s")
            roots = {node.status()["set_root"] for node in nodes}
            print(f"set root  {', '.join(roots)}", flush=True)
            peers = [address for node in nodes for address in node.addresses]
            fetch(network, peers, asked.log)
            cpu = sum(map(cpu_seconds, nodes))
            print(
                f"peers     {1e6 * cpu / asked.log:,.0f} us a statement, both together"
            )
    print(f"bare      {bare_verify():7,.0f} verifications/s by PyNaCl alone")


if __name__ == "__main__":
    main()
