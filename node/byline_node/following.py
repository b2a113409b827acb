"""Follows the logs of all connected peers: what makes every node hold the same set.

Rule: each peer's log is read at connection, then every two seconds or so (five, where
that takes long), and at once after any local loss.  The state machine is
`byline_ledger.follower`; this file gives it a network, a clock, threads and a place for
its cursors.  Specification: docs/spec/network.md, "Follow".
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias

import structlog
import trio

from byline_ledger.errors import (
    BylineError,
    ContradictionError,
    InconsistentLogError,
    VerificationError,
)
from byline_ledger.follow_messages import MAX_IDS
from byline_ledger.follower import Ask, Follower, Keep, KnownLog, Session, Settle
from byline_ledger.statement import Statement
from byline_node.cursors import Kept
from byline_node.errors import PeerError, UnspokenError
from byline_node.followed_log import FollowedLog, Gate
from byline_node.mistakes import note_mistake
from byline_node.pauses import seconds_between
from byline_node.reasons import one_error
from byline_node.session_run import HelperError, SessionRun
from byline_node.signature_checks import Verify, verify_here
from byline_node.turns import Turn, Turns

ROUND_SECONDS = 2.0
MAX_ROUND_SECONDS = 5.0
"""Where sessions take long (pauses.py)."""
KICK_SECONDS = 0.1
"""Between two sessions with one peer at least, however often there is a loss."""
READING_SECONDS = 1.0
"""After a page, the next one is under way for so long."""
MAX_PAUSE = 60.0
"""Longest pause after failures, each of which doubles it."""
GAP_SECONDS = 60.0
"""Pause between two requests of one peer for what other peers lacked."""
SAVE_SECONDS = 10.0
SAVE_ENTRIES = 4_096
MAX_HELPERS = 3
"""Other peers that are asked for the statements of one log."""
MAX_REMEMBERED = 256
"""Peers that have gone and are still listed."""

AskPeer: TypeAlias = Callable[[str, bytes], Awaitable[bytes]]


class Stored(Protocol):
    """What came of statements (`writer.Committed`)."""

    @property
    def appended(self) -> Sequence[Any]:
        """One for each that was admitted."""


AdmitStatements: TypeAlias = Callable[
    [Sequence[Statement], str, Sequence[str]], Awaitable[Stored]
]

log = structlog.get_logger("byline.follow")


class Cursors(Protocol):
    """Where cursors are kept; both are called in a thread."""

    def load(self, peer: str) -> Kept | None:
        """The last one saved; None if it is lost."""

    def save(self, peer: str, kept: Kept) -> None:
        """Durable when it returns."""


class Following:
    """All followed logs; one task each runs `follow` while its peer is connected."""

    def __init__(
        self,
        ask: AskPeer,
        view: Callable[[], KnownLog],
        admit: AdmitStatements,
        cursors: Cursors,
        gate: Gate,
        on_contradiction: Callable[[ContradictionError], None] = lambda _error: None,
        on_failure: Callable[[str, BylineError], None] = lambda _peer, _error: None,
        is_stranger: Callable[[str], bool] = lambda _peer: False,
        may_tell: Callable[[str], bool] = lambda _peer: True,
        verify: Verify = verify_here,
        is_read_only: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_stranger(peer)` for those whose absence is not worth a line;
        `may_tell(peer)`: there is room for a line about it; `is_read_only()`: our own
        log takes nothing in now, so others' are only looked at."""
        self._is_read_only = is_read_only
        self._is_stranger = is_stranger
        self._may_tell = may_tell
        self._verify = verify
        self._on_contradiction = on_contradiction
        self._on_failure = on_failure
        self._ask = ask
        self._view = view
        self._admit = admit
        self._cursors = cursors
        self._gate = gate
        self._logs: dict[str, FollowedLog] = {}
        self._kicks = 0
        self._kicked = trio.Event()
        self._turns = Turns()
        self._read_at = -READING_SECONDS
        self._threads = trio.CapacityLimiter(2)

    @property
    def logs(self) -> dict[str, FollowedLog]:
        """By peer id, of peers connected now or lately."""
        return self._logs

    @property
    def is_reading_much(self) -> bool:
        """Whether pages of some log are being read: other work had better wait."""
        since = trio.current_time() - self._read_at
        return self._turns.holder is not None or since < READING_SECONDS

    def kick(self) -> None:
        """Has all logs read now: something was lost on the fast path, or our own log
        takes in again.  Nothing if it does not."""
        if self._is_read_only():
            return
        self._kicks += 1
        self._kicked.set()
        self._kicked = trio.Event()

    async def follow(self, peer: str) -> None:
        """Reads a connected peer's log again and again, until cancelled."""
        followed = await self._log_of(peer)
        followed.connected = True
        try:
            while not followed.halted:
                kicks, started = self._kicks, trio.current_time()
                await self._run_once(followed)
                took = trio.current_time() - started
                if self._kicks == kicks or followed.failures:
                    await self._pause(followed, took)
                await trio.sleep_until(started + KICK_SECONDS)
            await trio.sleep_forever()
        finally:
            followed.connected = False
            with trio.move_on_after(1) as scope:
                scope.shield = True
                await self._save(followed)
            self._forget_gone()

    async def _pause(self, followed: FollowedLog, took: float) -> None:
        seconds = seconds_between(took, ROUND_SECONDS, MAX_ROUND_SECONDS)
        if followed.failures:
            seconds = min(ROUND_SECONDS * 2**followed.failures, MAX_PAUSE)
        # A peer that fails is not asked more often for being needed.
        kicked = trio.Event() if followed.failures else self._kicked
        with trio.move_on_after(seconds * random.uniform(0.75, 1.25)):  # noqa: S311
            await kicked.wait()

    async def _run_once(self, followed: FollowedLog) -> None:
        try:
            await self._run_session(followed)
        except HelperError as error:
            log.warning("not asked for others' statements again", reason=str(error))
            if helper := self._logs.get(error.peer):
                helper.is_helpful = False
            self._on_failure(error.peer, VerificationError(str(error)))
        except BylineError as error:
            # Also an error of our own disk: the writer's owner sees to that.
            self._note_failure(followed, error)
        except Exception as error:  # noqa: BLE001
            self._bear(followed, error)
        else:
            if followed.error is not None and self._may_tell(followed.peer):
                log.info("following again", peer=followed.peer)
            followed.error, followed.failures = None, 0

    def _bear(self, followed: FollowedLog, error: Exception) -> None:
        """The peer may have found it on purpose; or it is our memory's, and goes by."""
        followed.failures = min(followed.failures + 1, 10)
        followed.error = note_mistake(error, "following", followed.peer)

    def _note_failure(self, followed: FollowedLog, error: BylineError) -> None:
        followed.failures = min(followed.failures + 1, 10)
        followed.halted = isinstance(error, InconsistentLogError)
        if followed.halted and self._may_tell(followed.peer):
            seen = followed.cursor.seen if followed.cursor else None
            log.error("a log contradicts itself", peer=followed.peer, seen=seen)
        if isinstance(error, ContradictionError):
            self._on_contradiction(error)
        if str(error) != followed.error:
            # Who only asks comes and goes.  Anybody may connect, and speak no follow
            # protocol, or go again; a configured peer's reason is in its status.
            is_usual = isinstance(error, UnspokenError) or (
                isinstance(error, PeerError) and self._is_stranger(followed.peer)
            )
            is_told = not is_usual and self._may_tell(followed.peer)
            say = log.warning if is_told else log.debug
            say("cannot follow", peer=followed.peer, reason=str(error))
        followed.error = str(error)
        self._on_failure(followed.peer, error)

    # One session

    async def _run_session(self, followed: FollowedLog) -> None:
        followed.rewind(self._gate)
        followed.passing = followed.passed = 0
        session = self._session(followed)
        turn = Turn(self._turns, lambda: followed.unread)
        try:
            with one_error():
                async with trio.open_nursery() as nursery:
                    run = SessionRun(
                        session,
                        followed.peer,
                        self._ask,
                        partial(self._admit_from, followed),
                        self._helpers(followed),
                        nursery,
                        self._verify,
                    )
                    async with trio.open_nursery() as saving:
                        try:
                            await self._drive(followed, run, turn, saving)
                        except BylineError:
                            await run.salvage()
                            raise
                    nursery.cancel_scope.cancel()
        finally:
            turn.end()
            session.close()

    def _session(self, followed: FollowedLog) -> Session:
        """Where nothing can be stored only the head is seen, for it may contradict what
        was seen before; where nothing more can wait, that and what is due."""
        if self._is_read_only():
            return followed.follower.session(read_on=False)
        read_on = not self._gate.is_full(followed.peer)
        return followed.follower.session(self._wanted(followed), read_on=read_on)

    async def _drive(
        self,
        followed: FollowedLog,
        run: SessionRun,
        turn: Turn,
        saving: trio.Nursery,
    ) -> None:
        while (action := await run.step()) is not None:
            match action:
                case Keep():
                    if turn.end_page():
                        await run.finish()
                        turn.end()
                    if self._is_worth_saving(followed):
                        # Behind: it waits for the commits under way.
                        saving.start_soon(self._save, followed)
                case Settle(lag):
                    followed.settle(lag, await run.settle(lag))
                case Ask(bulk=True):
                    await turn.begin()
                    self._read_at = trio.current_time()
                    await run.do(action)
                case _:
                    await run.do(action)

    async def _admit_from(
        self, followed: FollowedLog, statements: Sequence[Statement]
    ) -> int:
        peers = [followed.peer] * len(statements)
        stored = await self._admit(statements, "follow", peers)
        if not followed.due and len(stored.appended) == len(statements):
            return 0
        return self._count(followed, statements)

    def _helpers(self, followed: FollowedLog) -> list[str]:
        """Others that are followed without trouble: they may have what this one has."""
        found = [
            one.peer
            for one in self._logs.values()
            if one.connected and one.error is None and one.is_helpful
            if one is not followed and one.has_read
        ]
        return found[:MAX_HELPERS]

    def _count(self, followed: FollowedLog, statements: Sequence[Statement]) -> int:
        """How many of them were refused, less those that no longer are."""
        known, count = self._view().indexes_of(one.id for one in statements), 0
        for one in statements:
            is_here = one.id in known
            count += -is_here if one.id in followed.due else not is_here
        return count

    def _wanted(self, followed: FollowedLog) -> list[bytes]:
        """Gaps in all logs, if it is time to ask this peer for them."""
        now, followed.due = trio.current_time(), frozenset()
        if now - followed.asked_gaps_at < GAP_SECONDS:
            return []
        gaps = dict.fromkeys(
            gap for one in self._logs.values() if one.cursor for gap in one.cursor.gaps
        )
        connected = [
            one.peer for one in self._logs.values() if one.connected and not one.halted
        ]
        followed.due = frozenset(self._gate.due(followed.peer, connected))
        gaps |= dict.fromkeys(followed.due)
        if gaps:
            followed.asked_gaps_at = now
        # Any of them: what liars listed must not always be in front of the rest.
        return random.sample(list(gaps), min(len(gaps), MAX_IDS))

    # Cursors

    async def _log_of(self, peer: str) -> FollowedLog:
        if peer not in self._logs:
            kept = await trio.to_thread.run_sync(self._cursors.load, peer)
            cursor = kept.cursor if kept else None
            follower = Follower(
                self._view, cursor, lambda id_: followed.passes_over(self._gate, id_)
            )
            followed = FollowedLog(peer, follower)
            if kept is not None:
                followed.policy, followed.refused = kept.policy, kept.refused
                followed.saved = kept
            self._logs[peer] = followed
        return self._logs[peer]

    def _forget_gone(self) -> None:
        """Drops the oldest peers that have gone, where there are too many; never one
        whose session is not over."""
        gone = [peer for peer, one in self._logs.items() if not one.connected]
        for peer in gone[: max(0, len(gone) - MAX_REMEMBERED)]:
            del self._logs[peer]

    def _is_worth_saving(self, followed: FollowedLog) -> bool:
        cursor, saved = followed.cursor, followed.saved
        if cursor is None or followed.is_saving or followed.kept == saved:
            return False
        read = cursor.size - (saved.cursor.size if saved else 0)
        is_time = trio.current_time() - followed.saved_at >= SAVE_SECONDS
        return is_time or read >= SAVE_ENTRIES

    async def _save(self, followed: FollowedLog) -> None:
        """A cursor that could not be saved is one that is read again."""
        kept = followed.kept
        if kept is None or kept == followed.saved:
            return
        followed.saved_at, followed.is_saving = trio.current_time(), True
        try:
            # What the cursor passed over must be remembered before the cursor is.
            await trio.to_thread.run_sync(self._gate.save)
            await trio.to_thread.run_sync(self._cursors.save, followed.peer, kept)
            followed.saved = kept
        except BylineError as error:
            log.debug("cursor not saved", peer=followed.peer, reason=str(error))
        finally:
            followed.is_saving = False
