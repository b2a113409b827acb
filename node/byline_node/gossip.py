"""Statements through the gossip mesh: the fast path, which may lose anything.

Rule: statements of our own API go out, in batches; what comes in is verified off the
event loop and handed to the writer.  The mesh itself passes on what others publish.
Every queue is bounded in bytes; whatever does not fit is dropped, and follow fetches
it: at once if it was coming in.  Specification: docs/spec/network.md, "Gossip".
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias

import structlog
import trio

from byline_ledger.errors import BylineError, MalformedError
from byline_ledger.gossip import MAX_BATCH, TOPIC, Sifted, make_batches, sift_batch
from byline_ledger.statement import Statement
from byline_node.mistakes import note_mistake
from byline_node.pauses import seconds_between
from byline_node.writer import MAX_COMMIT

COALESCE_SECONDS = 0.05
GATHER_SECONDS = 0.5
"""Between two admissions of what came in, at least: each is a commit, with its fsyncs.
The mesh has passed it on long before."""
MAX_GATHER_SECONDS = 1.5
"""The same where admissions take long (pauses.py).  Longer, and what waits here would
be fetched from peers that have it in their logs by then."""
MAX_OUTGOING = 4 << 20
MAX_INCOMING = 16 << 20
SIFT_BYTES = 1 << 20
"""Batches that are verified together."""
LEAST_BYTES = 64
"""Of an item, as far as a queue's bound is concerned: empty ones take room too."""
MAX_SENDERS = 1_024

Admit: TypeAlias = Callable[[Sequence[Statement], str, Sequence[str]], Awaitable[Any]]
"""`await admit(statements, source, senders)` returns once those of them that are
admitted are durable (Entrance.submit)."""

log = structlog.get_logger("byline.gossip")


class Received(Protocol):
    """A message from the mesh (`host.Message`)."""

    @property
    def sender(self) -> str: ...
    @property
    def data(self) -> bytes: ...


class Mesh(Protocol):
    """What gossip needs of the host."""

    async def publish(self, topic: str, data: bytes) -> None: ...
    def messages(self, topic: str) -> AsyncIterator[Received]: ...


class Gossip:
    """Both directions; `run` in a task, `offer` from anywhere on the event loop."""

    def __init__(
        self,
        mesh: Mesh,
        is_known: Callable[[bytes], bool],
        admit: Admit,
        dropped: Callable[[], None],
        blame: Callable[[str, str], None] = lambda _sender, _reason: None,
    ) -> None:
        """`is_known(id)` is called in a thread; `dropped()` after a loss coming in;
        `blame(sender, reason)` for a batch in which something is bad."""
        self._mesh = mesh
        self._is_known = is_known
        self._admit = admit
        self._dropped = dropped
        self._blame = blame
        self._outgoing = _ByteQueue(MAX_OUTGOING)
        self._incoming = _ByteQueue(MAX_INCOMING)
        self._limiter = trio.CapacityLimiter(1)
        self._pause, self._next_at = 0.0, -math.inf
        self.counts: Counter[str] = Counter()
        """Since the start: fresh, known, bad, unsupported, dropped_in, dropped_out."""
        self.bad_by_sender: Counter[str] = Counter()

    @property
    def is_slow(self) -> bool:
        """Whether what comes in is admitted as seldom as it may be: the admissions take
        so long that there is little to spare."""
        is_lately = trio.current_time() < self._next_at + MAX_GATHER_SECONDS
        return is_lately and self._pause >= MAX_GATHER_SECONDS

    def offer(self, statements: Sequence[Statement]) -> None:
        """Publishes statements that were admitted here first; never waits."""
        for statement in statements:
            if not self._outgoing.put("", statement.to_envelope()):
                self.counts["dropped_out"] += 1

    async def run(self) -> None:
        """Sends, receives and admits until cancelled.  StoreError ends it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send)
            nursery.start_soon(self._receive)
            nursery.start_soon(self._admit_all)

    async def _send(self) -> None:
        while True:
            await self._outgoing.wait()
            if self._outgoing.size < MAX_BATCH:
                await trio.sleep(COALESCE_SECONDS)
            envelopes = [envelope for _, envelope in self._outgoing.take(MAX_OUTGOING)]
            for batch in make_batches(envelopes):
                await self._mesh.publish(TOPIC, batch)

    async def _receive(self) -> None:
        async for message in self._mesh.messages(TOPIC):
            if not self._incoming.put(message.sender, message.data):
                self.counts["dropped_in"] += 1
                self._dropped()

    async def _admit_all(self) -> None:
        while True:
            await self._incoming.wait()
            if self._incoming.size < SIFT_BYTES:
                await trio.sleep_until(self._next_at)
            began = trio.current_time()
            fresh: dict[bytes, tuple[Statement, str]] = {}
            for sender, batch in self._incoming.take(SIFT_BYTES):
                sifted = await self._sift(sender, batch)
                fresh |= {one.id: (one, sender) for one in sifted.fresh}
            brought = list(fresh.values())
            for start in range(0, len(brought), MAX_COMMIT):
                await self._admit_some(brought[start : start + MAX_COMMIT])
            took = trio.current_time() - began
            self._pause = seconds_between(took, GATHER_SECONDS, MAX_GATHER_SECONDS)
            self._next_at = began + self._pause

    async def _admit_some(self, fresh: list[tuple[Statement, str]]) -> None:
        try:
            statements, senders = zip(*fresh, strict=True)
            await self._admit(statements, "gossip", senders)
        except BylineError as error:
            # A log that is read-only, or being stopped: follow will find them again.
            self.counts["dropped_in"] += len(fresh)
            log.debug("gossip not admitted", reason=str(error), count=len(fresh))

    async def _sift(self, sender: str, batch: bytes) -> Sifted:
        try:
            sifted = await trio.to_thread.run_sync(
                sift_batch, batch, self._is_known, limiter=self._limiter
            )
        except MalformedError as error:
            self._charge(sender, 1, str(error))
            return Sifted((), 0, 0, 1)
        except Exception as error:  # noqa: BLE001
            note_mistake(error, "sifting gossip", sender)
            return Sifted((), 0, 0, 1)
        if sifted.bad:
            self._charge(sender, sifted.bad, "malformed, or with a bad signature")
        self.counts["fresh"] += len(sifted.fresh)
        self.counts["known"] += sifted.known
        self.counts["unsupported"] += sifted.unsupported
        return sifted

    def _charge(self, sender: str, count: int, reason: str) -> None:
        """Counts bad statements."""
        self.counts["bad"] += count
        self._blame(sender, reason)
        if sender not in self.bad_by_sender and len(self.bad_by_sender) >= MAX_SENDERS:
            self.bad_by_sender.clear()
        self.bad_by_sender[sender] += count


class _ByteQueue:
    """A queue of (sender, bytes) bounded by its bytes; what does not fit is refused."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: deque[tuple[str, bytes]] = deque()
        self._filled = trio.Event()
        self.size = 0

    def put(self, sender: str, data: bytes) -> bool:
        full = len(self._items) >= self._most // LEAST_BYTES
        if full or self.size + len(data) > self._most:
            return False
        self._items.append((sender, data))
        self.size += len(data)
        self._filled.set()
        return True

    async def wait(self) -> None:
        """Returns once there is something."""
        await self._filled.wait()

    def take(self, most: int) -> list[tuple[str, bytes]]:
        """The oldest items, up to `most` bytes but at least one."""
        taken: list[tuple[str, bytes]] = []
        size = 0
        while self._items and (not taken or size + len(self._items[0][1]) <= most):
            taken.append(self._items.popleft())
            size += len(taken[-1][1])
        self.size -= size
        if not self._items:
            self._filled = trio.Event()
        return taken
