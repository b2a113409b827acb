"""Runs one session of following: asks ahead, checks meanwhile, admits behind.

Rule: whatever is done early or late, the session sees the same answers in the same
order, and its cursor moves only when all before it is durable.  Statements may come
from any peer that has them; whoever gives a false one is not asked for others' again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
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
from byline_ledger.follower import Action, Admit, Ask, Check, Session
from byline_ledger.statement import Statement
from byline_node.errors import PeerError
from byline_node.signature_checks import Verify, verify_here
from byline_node.writer import MAX_COMMIT

MAX_AHEAD = 3
"""Answers that are fetched before the session asks for them."""
MAX_CHECKS = 3
"""Answers whose signatures are being verified at the same time."""
MAX_BEHIND = 2
"""Portions of statements that are being stored while it goes on."""
STORED = MAX_COMMIT
"""Statements of one portion, unless that many take long to come.  The larger it is, the
fewer nodes of the lookup set are made only to be replaced."""
STORE_SECONDS = 2.0
"""After so long what has come is stored, however little."""
HELPER_SECONDS = 2.0
"""How long another peer is waited for; then the one that is followed is asked."""
PARSERS = 2

AskPeer: TypeAlias = Callable[[str, bytes], Awaitable[bytes]]
AdmitSome: TypeAlias = Callable[[Sequence[Statement]], Awaitable[int]]
"""Returns once what is admitted of them is durable; how many were refused."""

_parsers = trio.CapacityLimiter(PARSERS)


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


@dataclass(slots=True, eq=False)
class _Checked:
    """Statements whose signatures are being verified, and who gave them."""

    peer: str
    done: trio.Event = field(default_factory=trio.Event)
    error: BylineError | None = None
    admitted: tuple[Statement, ...] = ()
    """To be stored if all hold."""


@dataclass(slots=True, eq=False)
class _Portion:
    """Statements that are being stored together."""

    statements: Sequence[Statement]
    page: int
    """How many `Settle` came before the first of them was collected."""
    done: trio.Event = field(default_factory=trio.Event)
    refused: int = 0


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
        verify: Verify = verify_here,
    ) -> None:
        """`helpers` are other peers that may be asked for statements."""
        self._session = session
        self._peer = peer
        self._ask_peer = ask
        self._admit = admit
        self._helpers = helpers
        self._nursery = nursery
        self._verify = verify
        self._answers: dict[bytes, _Answer] = {}
        self._asked = 0
        self._checks: deque[_Checked] = deque()
        self._collected: list[Statement] = []
        self._collected_since = 0.0
        self._collected_page = 0
        self._behind = trio.Semaphore(MAX_BEHIND)
        self._page = 0
        """How many `Settle` came so far."""
        self._portions: list[_Portion] = []
        """Not settled yet."""
        self._failed: BylineError | None = None
        self._last_peer = peer
        self._reply: bytes | None = None

    async def step(self) -> Action | None:
        """What the session does next; it parses in a thread.  None at its end."""
        reply, self._reply = self._reply, None
        try:
            return await trio.to_thread.run_sync(
                _advance, self._session, reply, limiter=_parsers
            )
        except (MalformedError, VerificationError) as error:
            raise self._blame(error, self._last_peer) from error

    async def do(self, action: Action) -> None:
        """All but `Keep`, and `Settle`: see `settle`."""
        match action:
            case Ask():
                self._reply = await self._answer(action)
            case Check():
                await self._end_checks(MAX_CHECKS - 1)
                self._checks.append(_Checked(self._last_peer))
                self._nursery.start_soon(self._run_check, action, self._checks[-1])
            case Admit():
                assert self._checks, "admitted, and not checked"
                self._checks[-1].admitted += action.statements

    def _blame(self, error: BylineError, peer: str) -> BylineError:
        """The error is of whoever gave the answer."""
        return error if peer == self._peer else HelperError(peer, str(error))

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
        await self._wait_for_answer(first)
        self._last_peer = first.peer
        if first.error is not None:
            raise first.error
        assert first.data is not None
        return first.data

    async def _wait_for_answer(self, answer: _Answer) -> None:
        """What is here already does not wait with it: the line may break."""
        with trio.move_on_after(STORE_SECONDS):
            await answer.done.wait()
        if not answer.done.is_set():
            await self._end_checks()
            await self._begin_to_store()
            await answer.done.wait()

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

    async def _run_check(self, check: Check, checked: _Checked) -> None:
        try:
            await self._verify(check)
        except BylineError as error:
            checked.error = error
        checked.done.set()

    async def _end_checks(self, left: int = 0) -> None:
        """What holds is stored; what does not ends the session.  So many checks may go
        on."""
        while len(self._checks) > left or (
            self._checks and self._checks[0].done.is_set()
        ):
            checked = self._checks.popleft()
            await checked.done.wait()
            if checked.error is not None:
                raise self._blame(checked.error, checked.peer) from checked.error
            await self._collect(checked.admitted)

    async def _collect(self, statements: Sequence[Statement]) -> None:
        """To be stored with those that come next."""
        if len(self._collected) + len(statements) > STORED:
            await self._begin_to_store()
        if not self._collected:
            self._collected_since = trio.current_time()
            self._collected_page = self._page
        self._collected += statements
        if trio.current_time() - self._collected_since > STORE_SECONDS:
            await self._begin_to_store()

    async def _begin_to_store(self) -> None:
        if self._collected:
            await self._behind.acquire()
            self._raise_failure()
            portion = _Portion(self._collected, self._collected_page)
            self._collected = []
            self._portions.append(portion)
            self._nursery.start_soon(self._store, portion)

    async def _store(self, portion: _Portion) -> None:
        try:
            portion.refused = await self._admit(portion.statements)
        except BylineError as error:
            self._failed = self._failed or error
        finally:
            portion.statements = ()
            self._behind.release()
            portion.done.set()

    async def settle(self, lag: int) -> int:
        """Does a `Settle`; how many of those that are settled were refused."""
        await self._end_checks()
        last = self._page - lag
        if self._collected and self._collected_page <= last:
            await self._begin_to_store()
        late = [one for one in self._portions if one.page <= last]
        await self._wait_for(late)
        self._portions = [one for one in self._portions if one.page > last]
        self._page += 1
        return sum(one.refused for one in late)

    async def salvage(self) -> None:
        """After an error: what was checked before it is stored all the same."""
        with suppress(BylineError):
            await self._end_checks()
        with suppress(BylineError):
            await self.finish()

    async def finish(self) -> None:
        """Waits until all that was checked is durable."""
        await self._begin_to_store()
        await self._wait_for(self._portions)

    async def _wait_for(self, portions: Sequence[_Portion]) -> None:
        for one in portions:
            await one.done.wait()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._failed


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
