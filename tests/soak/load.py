"""Statements offered at a steady rate, whatever the nodes do.

Rule: a statement is offered once, when its time has come.  It goes to a random node
that seems to be up, and to another one if that fails, until a receipt comes or it is
given up.  Its latency counts from the time at which it was due.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

from tests.soak.halves import Halves
from tests.soak.nodes import Node

from byline_ledger import SigningKey, Statement, sign_statement, work_fields
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import BylineError, MalformedError, VerificationError

AUTHORS = 20
THREADS = 24
"""In each half: requests that wait for a frozen node take one each."""
GIVE_UP_SECONDS = 60.0
PAUSE = 0.1
"""Between two attempts."""


def make_statements(count: int, random: Random) -> list[Statement]:
    keys = [SigningKey.from_seed(random.randbytes(32)) for _ in range(AUTHORS)]
    return [
        sign_statement(
            work_fields(
                about=digest_bytes(random.randbytes(16)),
                made="human",
                time=1_790_000_000_000 + number,
                salt=random.randbytes(16),
            ),
            keys[number % AUTHORS],
        )
        for number in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Offer:
    """Statements of one request."""

    statements: Sequence[Statement]
    due: float


class Load:
    """`run` in a thread."""

    def __init__(
        self,
        nodes: Sequence[Node],
        halves: Halves,
        statements: Sequence[Statement],
        rate: float,
        batch: int,
        random: Random,
    ) -> None:
        self._nodes = nodes
        self._statements = statements
        self._rate = rate
        self._batch = batch
        self._random = random
        self._lock = threading.Lock()
        self._left = 0
        self._done = threading.Condition(self._lock)
        self._stack = ExitStack()
        self._pools = {
            half: self._stack.enter_context(half.threads(THREADS))
            for half in dict.fromkeys(halves.both)
        }
        self.offered = 0
        self.acknowledged: dict[bytes, int] = {}
        """Id to the number of the node that gave the receipt."""
        self.latencies: list[float] = []
        self.failures: Counter[str] = Counter()
        """Attempts that failed, by kind of error."""
        self.wrong: list[str] = []
        """What a node answered and must not."""

    def run(self) -> None:
        """Offers everything in time; returns when each is settled."""
        started = time.monotonic()
        with self._stack:
            for at in range(0, len(self._statements), self._batch):
                due = started + at / self._rate
                time.sleep(max(0.0, due - time.monotonic()))
                offer = Offer(self._statements[at : at + self._batch], due)
                with self._lock:
                    self.offered += len(offer.statements)
                    self._left += 1
                self._send(offer)
            with self._lock:
                self._done.wait_for(lambda: self._left == 0)

    def _send(self, offer: Offer) -> None:
        up = [node for node in self._nodes if node.is_ready]
        with self._lock:
            node = self._random.choice(up or self._nodes)
        future = self._pools[node.half].submit(self._attempt, offer, node)
        future.add_done_callback(self._look)

    def _look(self, future: Future[None]) -> None:
        """What went wrong in this program itself."""
        if (error := future.exception()) is not None:
            self.wrong.append(f"attempt: {error!r}")
            self._settle()

    def _attempt(self, offer: Offer, node: Node) -> None:
        if time.monotonic() - offer.due > GIVE_UP_SECONDS:
            self._settle()
            return
        started = time.monotonic()
        try:
            receipts = node.client.publish(offer.statements)
        except BylineError as error:
            self._note_failure(error, node)
            time.sleep(PAUSE)
            self._send(offer)
            return
        now = time.monotonic()
        with self._lock:
            node.tally.latencies.append(now - started)
            self.latencies.append(now - offer.due)
            self.acknowledged |= {one.id: node.number for one in receipts}
        self._settle()

    def _note_failure(self, error: BylineError, node: Node) -> None:
        with self._lock:
            self.failures[type(error).__name__] += 1
            if isinstance(error, VerificationError | MalformedError):
                self.wrong.append(f"node {node.number}: {error}")

    def _settle(self) -> None:
        with self._lock:
            self._left -= 1
            self._done.notify_all()
