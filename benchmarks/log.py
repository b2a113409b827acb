"""Figures of the log as others see it: cosigned checkpoints, audits, sizes of proofs.

    make bench-log     or: python -m benchmarks.log [--log N] [--rounds N]

Real node processes on loopback, real LevelDB.  Machines are noisy: each rate stands
beside that of PyNaCl's bare verification, measured in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.run import bare_verify, statements
from byline_ledger.audit import audit
from byline_ledger.bundle import Bundle, proof_of
from byline_ledger.log import Ledger
from byline_ledger.mirror import Mirror
from byline_ledger.tlog_proof import TlogProof
from byline_node.client import Client
from byline_node.demo_network import DemoNetwork
from byline_node.log_source import open_source
from byline_node.read_ahead import ReadAhead

BATCH = 1_000
COMMAND = [sys.executable, "-m", "byline_cli", "node", "run"]


def show(name: str, text: str) -> None:
    print(f"{name:<10} {text}", flush=True)


def quantiles(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
    return f"p50 {1e3 * p50:6.1f} ms   p99 {1e3 * p99:6.1f} ms"


def fill(folder: Path, count: int) -> None:
    ledger = Ledger.init(folder)
    made = list(statements(count, seed=1))
    for start in range(0, count, BATCH):
        ledger.append(made[start : start + BATCH])
    ledger.close()


def cosigned_latency(client: Client, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds from a receipt until the tree is answered with under a cosignature, and
    those of a query right after it."""
    waits, queries = [], []
    for one in statements(rounds, seed=2):
        time.sleep(1.2)  # a round a second: each of these has one of its own
        (receipt,) = client.publish([one])
        started = time.perf_counter()
        answer = client.query(one.about)
        queries.append(time.perf_counter() - started)
        assert answer.log_size > receipt.index
        while client.status()["cosigned"]["size"] <= receipt.index:
            time.sleep(0.001)
        waits.append(time.perf_counter() - started)
    return waits, queries


def audits(api: str, folder: Path, count: int) -> None:
    for name, bodies in (("audit", True), ("audit", False)):
        state = folder / f"audit-{bodies}"
        with ReadAhead(open_source(api)) as source:
            vkey = source.vkey() or ""
            with Mirror.open(state, vkey) as mirror:
                started = time.perf_counter()
                report = audit(source, mirror, bodies=bodies)
                took = time.perf_counter() - started
        assert report.ok, report.problems
        what = "with all bodies" if bodies else "entries alone"
        show(name, f"{report.size / took:10,.0f} entries/s over HTTP, {what}")


def sizes(client: Client, count: int) -> None:
    some = [one for one, _ in zip(statements(200, seed=1), range(200), strict=True)]
    bundles = [client.query_bundle(one.about) for one in some]
    rows = [Bundle.from_bytes(data) for data in bundles]
    proofs = [
        len(
            TlogProof(
                row.statements[0].index,
                proof_of(row, row.statements[0].index),
                row.checkpoint,
                row.statements[0].statement.to_envelope(),
            ).to_bytes()
        )
        for row in rows
    ]
    note = len(rows[0].checkpoint)
    show("bundle", f"p50 {statistics.median(map(len, bundles)):,.0f} bytes, cosigned")
    show("proof", f"p50 {statistics.median(proofs):,.0f} bytes as .tlog-proof")
    show("note", f"{note:,} bytes, the checkpoint with its signatures")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as name:
        folder = Path(name)
        show("bare", f"{bare_verify():10,.0f} verifications/s by PyNaCl alone")
        fill(folder / "a" / "node", options.log)
        show("log", f"{options.log:10,} statements")
        with DemoNetwork(folder, COMMAND) as network:
            (a,) = network.start(["a"])
            audits(a.api, folder, options.log)
            # B copies and replays A's log, then cosigns it with both of its keys.
            network.start(["b"], a.addresses)
            with a.client() as client:
                while client.status()["cosigned"]["count"] < 2:
                    time.sleep(0.2)
                    client.publish(list(statements(1, seed=time.time_ns())))
                waits, queries = cosigned_latency(client, options.rounds)
                show("cosigned", f"{quantiles(waits)}  (receipt to cosigned tree)")
                show("query", f"{quantiles(queries)}  (right after a receipt)")
                sizes(client, 200)
        show("bare", f"{bare_verify():10,.0f} verifications/s by PyNaCl alone")


if __name__ == "__main__":
    main()
