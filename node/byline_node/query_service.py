"""Answers queries of peers, each within its budget.

Rule: strangers may ask, so everything that an answer costs is bounded: requests and
bytes for each peer and each address, answers at once, the time in which one is taken.
Who is over it is told when to come again.  What was asked is written down nowhere, only
how much.  Specification: docs/spec/network.md, "Query", "Refusal and limits".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import structlog
import trio

from byline_ledger.errors import BylineError, MalformedError
from byline_ledger.peer_address import ip_in
from byline_ledger.query_messages import MAX_REQUEST, PROTOCOL, Busy, QueryRefusal
from byline_ledger.query_server import serve_query
from byline_node.budgets import Budget, owner_of
from byline_node.errors import PeerError
from byline_node.frames import read_frame, write_frame
from byline_node.mistakes import note_mistake
from byline_node.requests import PeerStream

if TYPE_CHECKING:
    from byline_ledger.log import LogView

PEER_REQUESTS = 4.0, 64.0
PEER_BYTES = 2e6, 48e6
"""A second, and at once."""
SHARED = 4
"""Peers' budgets that one address has."""
LEAST_BYTES = 4_096
"""What an answer counts as, however small: it was computed."""

AT_ONCE = 8
AT_ONCE_OF_PEER = 2
STREAMS_OF_PEER = 4
WAIT_SECONDS = 2.0
"""For one of the places to become free."""
ANSWER_SECONDS = 30.0
"""In which an answer must be taken."""
IDLE_SECONDS = 60.0
TELL_SECONDS = 60.0

log = structlog.get_logger("byline.queries")


@contextmanager
def counted(counts: Counter[str], name: str) -> Iterator[None]:
    """One more of a name while it is entered."""
    counts[name] += 1
    try:
        yield
    finally:
        counts[name] -= 1
        if not counts[name]:
            del counts[name]


def times(factor: int, budget: tuple[float, float]) -> tuple[float, float]:
    """A budget for several."""
    rate, burst = budget
    return factor * rate, factor * burst


class QueryHost(Protocol):
    """What this file needs of the host (`host.Host`)."""

    def peers(self) -> dict[str, str]: ...
    def drop(self, peer: str, /) -> None: ...
    def set_stream_handler(
        self, protocol: str, handler: Callable[[Any], Awaitable[None]], /
    ) -> None: ...


class QueryService:
    """Answers while `run` runs; `configured` peers share no budget of an address."""

    def __init__(
        self,
        host: QueryHost,
        view: Callable[[], Awaitable[LogView]],
        configured: frozenset[str] = frozenset(),
        blame: Callable[[str, BylineError], None] = lambda _peer, _error: None,
        clock: Callable[[], float] = trio.current_time,
    ) -> None:
        """`blame(peer, error)` for each peer whose request is malformed."""
        self._host = host
        self._view = view
        self._configured = configured
        self._blame = blame
        self._requests = Budget(*PEER_REQUESTS, clock)
        self._bytes = Budget(*PEER_BYTES, clock)
        self._shared_requests = Budget(*times(SHARED, PEER_REQUESTS), clock)
        self._shared_bytes = Budget(*times(SHARED, PEER_BYTES), clock)
        self._places = trio.Semaphore(AT_ONCE)
        self._at_once: Counter[str] = Counter()
        self._streams: Counter[str] = Counter()
        self._threads = trio.CapacityLimiter(2)
        self.counts: Counter[str] = Counter()
        """Answered, busy, refused, bytes: since they were told last."""
        host.set_stream_handler(PROTOCOL, self._serve)

    async def run(self) -> None:
        """One line a minute about what was answered, until cancelled."""
        while True:
            await trio.sleep(TELL_SECONDS)
            if self.counts:
                log.info("queries", **self.counts)
                self.counts.clear()

    # Streams

    async def _serve(self, stream: PeerStream) -> None:
        peer = stream.peer
        if self._streams[peer] < STREAMS_OF_PEER:
            with counted(self._streams, peer):
                await self._answer_all(stream)
        await stream.reset()

    async def _answer_all(self, stream: PeerStream) -> None:
        """Request after request, until the peer ends the stream or misbehaves."""
        try:
            while True:
                with trio.fail_after(IDLE_SECONDS):
                    request = await read_frame(stream, MAX_REQUEST)
                if request is None:
                    return
                await self._answer(stream, request)
        except MalformedError as error:
            self._blame(stream.peer, error)
        except (BylineError, trio.TooSlowError) as error:
            log.debug("query stream ended", peer=stream.peer, reason=str(error))
        except Exception as error:  # noqa: BLE001
            note_mistake(error, "answering a query", stream.peer)

    async def _answer(self, stream: PeerStream, request: bytes) -> None:
        """The place is held until the answer is taken: its bytes are in memory."""
        wait = self._charge_request(stream.peer)
        async with self._place(stream.peer, wait) as busy:
            response = busy or await self._response(stream.peer, request)
            with trio.move_on_after(ANSWER_SECONDS) as writing:
                await write_frame(stream, response)
        if writing.cancelled_caught:
            # Given up half way, it leaves the encrypted connection useless.
            self._host.drop(stream.peer)
            raise PeerError(f"the answer was not taken in {ANSWER_SECONDS:g} s")

    @asynccontextmanager
    async def _place(self, peer: str, wait: float) -> AsyncIterator[bytes | None]:
        """A place for one answer; yields what to say if there is none."""
        if wait or self._at_once[peer] >= AT_ONCE_OF_PEER:
            yield self._busy(wait)
            return
        with counted(self._at_once, peer):
            with trio.move_on_after(WAIT_SECONDS) as waiting:
                await self._places.acquire()
            if waiting.cancelled_caught:
                yield self._busy(WAIT_SECONDS)
                return
            try:
                yield None
            finally:
                self._places.release()

    def _busy(self, wait: float) -> bytes:
        self.counts["busy"] += 1
        return Busy(math.ceil(wait)).to_bytes()

    async def _response(self, peer: str, request: bytes) -> bytes:
        try:
            view = await self._view()
            response = await trio.to_thread.run_sync(
                serve_query, view, request, limiter=self._threads
            )
            self.counts["answered"] += 1
        except MalformedError:
            raise  # costs the stream
        except BylineError as error:
            self.counts["refused"] += 1
            response = QueryRefusal(str(error)).to_bytes()
        self._charge_bytes(peer, max(len(response), LEAST_BYTES))
        self.counts["bytes"] += len(response)
        return response

    # Budgets

    def _budgets(self, peer: str) -> list[tuple[str, Budget, Budget]]:
        """Names and budgets (requests, bytes) that this peer's questions use."""
        own = peer, self._requests, self._bytes
        if peer in self._configured:
            return [own]
        address = owner_of(ip_in(self._host.peers().get(peer, "")))
        return [own, (address, self._shared_requests, self._shared_bytes)]

    def _charge_request(self, peer: str) -> float:
        """Counts a request; the seconds to wait if there is nothing left for it."""
        budgets = self._budgets(peer)
        wait = max(
            max(requests.wait(name), octets.wait(name))
            for name, requests, octets in budgets
        )
        for name, requests, _octets in budgets if not wait else ():
            requests.charge(name, 1)
        return wait

    def _charge_bytes(self, peer: str, size: int) -> None:
        for name, _requests, octets in self._budgets(peer):
            octets.charge(name, size)
