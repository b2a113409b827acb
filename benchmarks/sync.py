"""A fresh node fetches everything from two peers, and is killed twice on the way.

    make bench-sync       or: python -m benchmarks.sync [--log N]

Three real node processes on loopback.  The two peers hold the same statements, each in
an order of its own.  The time stands beside that of verifying the same statements in
one process, one after the other, in the same run: before and after, for the speed of a
shared machine changes by a tenth within ten minutes.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.run import bare_verify, statements
from benchmarks.usage import Use, cpu_seconds
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


def fetch(network: DemoNetwork, peers: Sequence[str], count: int) -> float:
    """Seconds that it took."""
    took, peak, cpu = 0.0, 0.0, 0.0
    for part in (1, 2, 3):
        (node,) = network.start(["fresh"], peers)
        use = Use(node.pid)
        started = time.perf_counter()
        if part > 1:
            begins = until(node, 1, use)
            print(f"again     with {begins['statements']:,} statements", flush=True)
        status = until(node, count * part // 3, use)
        took += time.perf_counter() - started
        peak, cpu = max(peak, use.peak / 2**20), cpu + use.cpu_seconds
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
    return took


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
        before = verify_only(envelopes)
        del envelopes
        print(
            f"verify    {asked.log:,} statements in {before:.1f} s, parsed and verified"
        )
        with DemoNetwork(folder, COMMAND) as network:
            started = time.perf_counter()
            nodes = network.start(["a", "b"])
            print(f"start     {time.perf_counter() - started:.1f} s")
            roots = {node.status()["set_root"] for node in nodes}
            print(f"set root  {', '.join(roots)}", flush=True)
            peers = [address for node in nodes for address in node.addresses]
            fetched = fetch(network, peers, asked.log)
            cpu = sum(cpu_seconds(node.pid) for node in nodes)
            print(
                f"peers     {1e6 * cpu / asked.log:,.0f} us a statement, both together"
            )
    after = verify_only([one.to_envelope() for one in statements(asked.log, seed=1)])
    print(f"verify    the same again in {after:.1f} s")
    ratio = 2 * fetched / (before + after)
    print(f"ratio     fetching takes {ratio:.2f} times as long as verifying")
    print(f"bare      {bare_verify():7,.0f} verifications/s by PyNaCl alone")


if __name__ == "__main__":
    main()
