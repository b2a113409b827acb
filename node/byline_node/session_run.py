"""Runs one session of following: asks ahead, checks on all cores, admits behind.

Rule: whatever is done early or late, the session sees the same answers in the same
order, and its cursor moves only when all before it is durable.  Statements may come
from any peer that has them; whoever gives a false one is not asked for others' again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import trio

from byline_ledger.errors import BylineError, MalformedError, VerificationError
from byline_ledger.follow_messages import (
    AskStatements,
    Envelopes,
    parse_request,
    parse_response,
)
from byline_ledger.follower import Action, Admit, Ask, Check, Session, Settle
from byline_ledger.statement import Statement
from byline_node.errors import PeerError

MAX_AHEAD = 3
"""Answers that are fetched before the session asks for them."""
MAX_BEHIND = 2
"""Portions of statements that are being stored while it goes on."""
HELPER_SECONDS = 2.0
"""How long another peer is waited for; then the one that is followed is asked."""
WORKERS = 2
"""Threads that verify signatures: that is done outside the interpreter's lock."""
LEAST_PORTION = 64

AskPeer: TypeAlias = Callable[[str, bytes], Awaitable[bytes]]
AdmitSome: TypeAlias = Callable[[Sequence[Statement]], Awaitable[None]]

_workers = trio.CapacityLimiter(WORKERS)


class HelperError(PeerError):
    """Another peer than the one followed gave something false."""

    def __init__(self, peer: str, reason: str) -> None:
        super().__init__(f"{peer}, asked for others' statements: {reason}")
        self.peer = peer


@dataclass(slots=True, eq=False)
class _Answer:
    """An answer under way, and who is asked."""

    peer: str
    done: trio.Event = field(default_factory=trio.Event)
    data: bytes | None = None
    error: BylineError | None = None


class SessionRun:
    """`step` and `do` in turn, until there is no step left."""

    def __init__(
        self,
        session: Session,
        peer: str,
        ask: AskPeer,
        admit: AdmitSome,
        helpers: Sequence[str],
        nursery: trio.Nursery,
    ) -> None:
        """`helpers` are other peers that may be asked for statements."""
        self._session = session
        self._peer = peer
        self._ask_peer = ask
        self._admit = admit
        self._helpers = helpers
        self._nursery = nursery
        self._answers: dict[bytes, _Answer] = {}
        self._asked = 0
        self._behind = trio.Semaphore(MAX_BEHIND)
        self._storing = 0
        self._stored = trio.Event()
        self._failed: BylineError | None = None
        self._last_peer = peer
        self._reply: bytes | None = None

    async def step(self) -> Action | None:
        """What the session does next; it parses in a thread.  None at its end."""
        reply, self._reply = self._reply, None
        try:
            return await trio.to_thread.run_sync(
                _advance, self._session, reply, limiter=_workers
            )
        except (MalformedError, VerificationError) as error:
            raise self._blame(error) from error

    async def do(self, action: Action) -> None:
        """All but `Keep`."""
        match action:
            case Ask():
                self._reply = await self._answer(action)
            case Check():
                try:
                    await self._check(action.statements)
                except VerificationError as error:
                    raise self._blame(error) from error
            case Admit():
                await self._begin_to_admit(action.statements)
            case Settle():
                await self._settle()

    def _blame(self, error: BylineError) -> BylineError:
        """The error is of whoever answered last."""
        if self._last_peer == self._peer:
            return error
        return HelperError(self._last_peer, str(error))

    # Asking

    async def _answer(self, ask: Ask) -> bytes:
        first = self._answers.pop(ask.request, None)
        if first is None:
            first = self._begin(ask.request, ask.anywhere)
        for request in ask.soon:
            if len(self._answers) < MAX_AHEAD and request not in self._answers:
                is_statements = isinstance(parse_request(request), AskStatements)
                anywhere = ask.anywhere and is_statements
                self._answers[request] = self._begin(request, anywhere)
        if first.peer != self._peer:
            first = await self._helped(ask.request, first)
        await first.done.wait()
        self._last_peer = first.peer
        if first.error is not None:
            raise first.error
        assert first.data is not None
        return first.data

    async def _helped(self, request: bytes, answer: _Answer) -> _Answer:
        """A helper's answer, if it is soon there and whole; else the peer's own."""
        with trio.move_on_after(HELPER_SECONDS):
            await answer.done.wait()
        if _is_whole(request, answer):
            return answer
        if not answer.done.is_set():
            self._helpers = [one for one in self._helpers if one != answer.peer]
        return self._begin(request, anywhere=False)

    def _begin(self, request: bytes, anywhere: bool) -> _Answer:
        answer = _Answer(self._somebody() if anywhere else self._peer)
        self._nursery.start_soon(self._fetch, request, answer)
        return answer

    def _somebody(self) -> str:
        """Everybody in turn."""
        everybody = [self._peer, *self._helpers]
        self._asked += 1
        return everybody[self._asked % len(everybody)]

    async def _fetch(self, request: bytes, answer: _Answer) -> None:
        try:
            answer.data = await self._ask_peer(answer.peer, request)
        except BylineError as error:
            answer.error = error
        finally:
            answer.done.set()

    # Checking and storing

    async def _check(self, statements: Sequence[Statement]) -> None:
        portion = max(LEAST_PORTION, -(-len(statements) // WORKERS))
        errors: list[BylineError] = []
        async with trio.open_nursery() as nursery:
            for start in range(0, len(statements), portion):
                some = Check(tuple(statements[start : start + portion]))
                nursery.start_soon(_verify, some, errors)
        if errors:
            raise errors[0]

    async def _begin_to_admit(self, statements: Sequence[Statement]) -> None:
        await self._behind.acquire()
        self._raise_failure()
        self._storing += 1
        self._nursery.start_soon(self._store, statements)

    async def _store(self, statements: Sequence[Statement]) -> None:
        try:
            await self._admit(statements)
        except BylineError as error:
            self._failed = self._failed or error
        finally:
            self._behind.release()
            self._storing -= 1
            self._stored.set()

    async def _settle(self) -> None:
        while self._storing:
            self._stored = trio.Event()
            await self._stored.wait()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._failed


async def _verify(some: Check, errors: list[BylineError]) -> None:
    try:
        await trio.to_thread.run_sync(some.run, limiter=_workers)
    except BylineError as error:
        errors.append(error)


def _is_whole(request: bytes, answer: _Answer) -> bool:
    """Whether a helper gave all the statements that it was asked for."""
    if answer.data is None:
        return False
    try:
        asked, told = parse_request(request), parse_response(answer.data)
    except MalformedError:
        return False
    return (
        isinstance(asked, AskStatements)
        and isinstance(told, Envelopes)
        and len(told.envelopes) == len(asked.ids)
        and all(told.envelopes)
    )


def _advance(session: Session, reply: bytes | None) -> Action | None:
    try:
        return session.send(reply)
    except StopIteration:
        return None
