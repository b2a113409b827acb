"""kill -9 one of three nodes while it takes in 20,000 statements; then look for loss.

    make crash                 or: python tests/crash/run.py [--statements N] [--seed S]

Holds if: `byline node check` finds the killed node's store in order; every receipt
given before the kill is still true of the log; and once the node runs again and the
rest is published, all three nodes reach one set root within 30 seconds.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from byline_ledger import SigningKey, Statement, sign_statement, work_fields
from byline_ledger.checkpoint import open_checkpoint
from byline_ledger.digest import digest_bytes
from byline_ledger.entry import statement_entry
from byline_ledger.errors import BylineError
from byline_ledger.log import Ledger
from byline_ledger.merkle import leaf_hash, verify_consistency
from byline_node.demo_network import DemoNetwork, DemoNode, wait_for_equal_sets
from byline_node.receipts import Receipt

CHUNK = 250
BYLINE = (sys.executable, "-m", "byline_cli")
EQUAL_WITHIN = 30.0


def make_statements(count: int, random: Random) -> list[Statement]:
    key = SigningKey.from_seed(random.randbytes(32))
    return [
        sign_statement(
            work_fields(
                about=digest_bytes(random.randbytes(16)),
                made="human",
                time=1_790_000_000_000,
                salt=random.randbytes(16),
            ),
            key,
        )
        for _ in range(count)
    ]


class Publisher(threading.Thread):
    """Publishes chunk by chunk until all is done or the node is gone."""

    def __init__(self, node: DemoNode, statements: Sequence[Statement]) -> None:
        super().__init__()
        self._node = node
        self._statements = statements
        self.receipts: list[Receipt] = []
        self.error: BylineError | None = None

    def run(self) -> None:
        with self._node.client() as client:
            try:
                for at in range(0, len(self._statements), CHUNK):
                    chunk = self._statements[at : at + CHUNK]
                    self.receipts += client.publish(chunk)
            except BylineError as error:
                self.error = error


def require(holds: bool, what: str) -> None:
    print(f"{'ok  ' if holds else 'LOST'} {what}")
    if not holds:
        sys.exit(1)


def check_store(node: DemoNode) -> None:
    result = subprocess.run(  # our own command, no shell
        [*BYLINE, "node", "check"],
        env=os.environ | {"BYLINE_HOME": str(node.home.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = result.stdout if result.returncode == 0 else result.stderr
    last = said.strip().split("\n")[-1]
    require(result.returncode == 0, f"byline node check, node {node.name}: {last}")


def lost_receipts(node: DemoNode, receipts: Sequence[Receipt]) -> int:
    """Receipts that are no longer true of the log on the node's disk."""
    ledger = Ledger.open(node.home.node)
    try:
        view = ledger.view
        for note in {one.checkpoint for one in receipts}:
            old = open_checkpoint(note, view.vkey)
            proof = view.consistency_proof(old.size)
            verify_consistency(old.size, view.size, old.root, view.root, proof)
        return sum(not holds(ledger, one) for one in receipts)
    finally:
        ledger.close()


def holds(ledger: Ledger, receipt: Receipt) -> bool:
    statement = ledger.view.statement(receipt.id)
    return (
        statement is not None
        and ledger.view.index_of(receipt.id) == receipt.index
        and leaf_hash(ledger.view.entry(receipt.index))
        == leaf_hash(statement_entry(statement))
    )


def crash(folder: Path, count: int, random: Random) -> None:
    statements = make_statements(count, random)
    with DemoNetwork(folder, [*BYLINE, "node", "run"]) as network:
        (b,) = network.start(["b"])
        (c,) = network.start(["c"], b.addresses)
        peers = (*b.addresses, *c.addresses)
        (a,) = network.start(["a"], peers)
        publisher = Publisher(a, statements)
        publisher.start()
        kill_at = random.randrange(count // 5, count * 7 // 10)
        while publisher.is_alive() and len(publisher.receipts) < kill_at:
            time.sleep(random.random() / 50)
        os.kill(a.pid, signal.SIGKILL)
        a.process.wait()
        publisher.join()
        receipts = publisher.receipts
        require(
            0 < len(receipts) < count,
            f"killed node a (process {a.pid}) after {len(receipts):,} receipts: "
            f"{publisher.error}",
        )
        check_store(a)
        lost = lost_receipts(a, receipts)
        require(not lost, f"{lost} of {len(receipts):,} receipts are lost")
        started = time.monotonic()
        (a,) = network.start(["a"], peers)
        print(f"     node a is back after {time.monotonic() - started:.1f} s")
        known = {one.id for one in receipts}
        rest = Publisher(a, [one for one in statements if one.id not in known])
        rest.start()
        rest.join()
        require(rest.error is None, f"published the rest: {rest.error or 'all of it'}")
        started = time.monotonic()
        found = wait_for_equal_sets([a, b, c], count, EQUAL_WITHIN)
        took = time.monotonic() - started
        require(True, f"equal set roots {found[0]['set_root']} after {took:.1f} s")
    for node in (a, b, c):
        check_store(node)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4))
    print(f"     {options.statements:,} statements, --seed {seed}")
    with tempfile.TemporaryDirectory(prefix="byline-crash-") as folder:
        try:
            crash(Path(folder), options.statements, Random(seed))
        except BylineError as error:
            require(False, str(error))


if __name__ == "__main__":
    main()
