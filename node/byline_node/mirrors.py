"""Checked copies of the logs of configured peers: what makes this a replay witness.

Rule: a copy is read over the follow protocol, every entry of it authenticated by the
checkpoint that is to be cosigned, and every commitment computed anew (mirror.py).  Only
the very tree that was replayed is vouched for.  What a log committed to falsely becomes
an alarm.  A copy is also what a peer that lost its disk can be recovered from.
Specification: docs/spec/witness.md, "Replay".
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import structlog
import trio

from byline_ledger.alarm import Alarm
from byline_ledger.checkpoint import Checkpoint, checkpoint_of, open_checkpoint
from byline_ledger.errors import (
    BylineError,
    MalformedError,
    VerificationError,
)
from byline_ledger.evidence import Commitment
from byline_ledger.follow_messages import (
    AskEntries,
    AskHead,
    Entries,
    Head,
    parse_response,
)
from byline_ledger.followed import Followed
from byline_ledger.log_fault import LogFaultError
from byline_ledger.merkle import Frontier, leaf_hash, verify_consistency
from byline_ledger.mirror import Mirror
from byline_ledger.view import LogView
from byline_node.pauses import give_way, held_up

MAX_MIRRORS = 16
MAX_WISHES = 64
BUSY_SECONDS = 1.0
PATIENCE_SECONDS = 600.0
CATCH_UP_SECONDS = 1.0
"""How long a cosignature waits for the copy; what is missing then is read on."""
READ_SECONDS = 1_200.0
"""Longest reading in one go, behind a request that is long answered."""

log = structlog.get_logger("byline.mirrors")

_Wish: TypeAlias = tuple[str, str, bytes]
Cosigned = Callable[[str], tuple[Checkpoint | None, int]]
Ask = Callable[[str, bytes], Awaitable[bytes]]
"""`await ask(peer, request)` of the follow protocol."""


@dataclass(slots=True, eq=False)
class _Copy:
    """One log's copy; `turn` is held by whoever reads it on."""

    mirror: Mirror
    turn: trio.Lock = field(default_factory=trio.Lock)
    fault: str | None = None
    view: LogView | None = None
    """As it was last sealed."""
    shown: int = 0
    """Entries of the largest tree that its peer has shown since we started."""


class Mirrors:
    """`run` in a task keeps the copies; close it last."""

    def __init__(
        self,
        folder: Path,
        peers: Sequence[str],
        ask: Ask,
        on_alarm: Callable[[bytes, str], Any],
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """`peers` are the peer ids of our configuration: no stranger is copied.  While
        `is_busy()`, what is not urgent waits."""
        self._folder = folder
        self._peers = frozenset(peers)
        self._ask = ask
        self._on_alarm = on_alarm
        self._is_busy = is_busy
        self._copies: dict[str, _Copy] = {}
        self._threads = trio.CapacityLimiter(1)
        self._wanted, self._wishes = trio.open_memory_channel[_Wish](MAX_WISHES)

    def is_replayed(self, checkpoint: Checkpoint) -> bool:
        """Whether this very tree was replayed here."""
        copy = self._copies.get(checkpoint.origin)
        return copy is not None and copy.mirror.sealed == checkpoint

    def view(self, hex_hash: str) -> LogView | None:
        """The copy of the log whose origin has this SHA-256, as it was last sealed."""
        copy = self._by_hash(hex_hash)
        return copy.view if copy is not None else None

    async def followed(
        self,
        hex_hash: str,
        nonce: bytes,
        cosigned: Cosigned,
        seen: Callable[[str], int],
    ) -> Followed | None:
        """How far the log of that copy was followed; None where there is no copy.

        `cosigned` gives what this node cosigned last of the log with a key, and when;
        `seen` the size of the largest tree of it that was read from a peer.
        """
        copy = self._by_hash(hex_hash)
        if copy is None or copy.view is None:
            return None
        vkey, end = copy.mirror.vkey, checkpoint_of(copy.view.checkpoint)
        most = max(end.size, copy.shown, seen(vkey))
        last, time = await trio.to_thread.run_sync(cosigned, vkey)
        if last is not None:
            most = max(most, last.size)
        return Followed(nonce, end.origin, end.size, most, time if last == end else 0)

    def _by_hash(self, hex_hash: str) -> _Copy | None:
        for origin, copy in self._copies.items():
            if hashlib.sha256(origin.encode()).hexdigest() == hex_hash:
                return copy
        return None

    async def follow(self, peer: str, vkey: str, note: bytes) -> None:
        """A peer shows a checkpoint of its log: brings the copy up to it if that is
        soon done, and goes on behind this call if not."""
        if peer not in self._peers:
            return
        if not self._is_busy():
            with trio.move_on_after(CATCH_UP_SECONDS):
                if await self._read_on(peer, vkey, note):
                    return
        with suppress(trio.WouldBlock):
            self._wanted.send_nowait((peer, vkey, note))

    async def run(self) -> None:
        """Reads on what a request could not wait for, until cancelled."""
        async for peer, vkey, note in self._wishes:
            patience = trio.current_time() + PATIENCE_SECONDS
            with trio.move_on_after(READ_SECONDS):
                while not await self._read_on(peer, vkey, note, patience):  # noqa: ASYNC110
                    await trio.sleep(BUSY_SECONDS)

    async def _read_on(
        self, peer: str, vkey: str, note: bytes, patience: float = math.inf
    ) -> bool:
        """False where something more urgent came, to which it gives way so long."""
        try:
            checkpoint = open_checkpoint(note, vkey)
            copy = await self._copy_of(checkpoint.origin, vkey)
            if copy is None or copy.fault is not None:
                return True
            copy.shown = max(copy.shown, checkpoint.size)
            async with copy.turn:
                return await self._catch_up(peer, copy, checkpoint, note, patience)
        except BylineError as error:
            log.info("log not replayed", peer=peer, reason=str(error))
            return True

    async def _copy_of(self, origin: str, vkey: str) -> _Copy | None:
        copy = self._copies.get(origin)
        if copy is None and len(self._copies) < MAX_MIRRORS:
            name = hashlib.sha256(origin.encode()).hexdigest()
            mirror = await self._in_thread(
                lambda: Mirror.open(self._folder / name, vkey)
            )
            copy = self._copies.setdefault(origin, _Copy(mirror))
        return copy if copy is not None and copy.mirror.vkey == vkey else None

    # Reading

    async def _catch_up(
        self,
        peer: str,
        copy: _Copy,
        target: Checkpoint,
        note: bytes,
        patience: float,
    ) -> bool:
        mirror, stood_still = copy.mirror, 0.0
        while mirror.read < target.size:
            await give_way(stood_still)
            if self._is_busy() and trio.current_time() < patience:
                return False
            request = AskEntries(mirror.read, target.size).to_bytes()
            page = parse_response(await self._ask(peer, request))
            if not isinstance(page, Entries) or not page.entries:
                raise MalformedError("expected a page of entries")
            try:
                feed = partial(_feed, mirror, page, target)
                _, stood_still = await self._in_thread(partial(held_up, feed))
            except LogFaultError as fault:
                copy.fault = str(fault)
                log.error("a log is not what it commits to", origin=target.origin)
                await self._accuse(peer, mirror, fault)
                raise
        if mirror.read == target.size and mirror.sealed != target:
            await self._in_thread(lambda: mirror.seal(note))
            copy.view = await self._in_thread(mirror.view)
        elif copy.view is None and _is_whole(mirror):  # sealed before a restart
            copy.view = await self._in_thread(mirror.view)
        return True

    async def _accuse(self, peer: str, mirror: Mirror, fault: LogFaultError) -> None:
        """Makes an alarm of a false commitment; other faults are left to an audit."""
        if not fault.entries:
            return
        end = fault.start + len(fault.entries)
        head = parse_response(await self._ask(peer, AskHead(end).to_bytes()))
        if not isinstance(head, Head):
            return
        before = Frontier.of(fault.start, mirror.nodes()).hashes
        evidence = Commitment(
            fault.start, before, fault.entries, fault.opening, head.proof
        )
        self._on_alarm(Alarm(mirror.vkey, head.note, evidence).to_bytes(), "replay")

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await trio.to_thread.run_sync(work, limiter=self._threads)

    def close(self) -> None:
        """Keeps all copies."""
        for copy in self._copies.values():
            with suppress(BylineError):
                copy.mirror.close()
        self._copies.clear()


def _is_whole(mirror: Mirror) -> bool:
    return mirror.sealed is not None and mirror.sealed.size == mirror.size


def _feed(mirror: Mirror, page: Entries, target: Checkpoint) -> None:
    """The page, once it is known to be of the tree that was signed."""
    pending = mirror.frontier()
    grown = pending.extend([leaf_hash(entry) for entry in page.entries])
    if grown.size > target.size:
        raise VerificationError("expected no more entries than the checkpoint has")
    verify_consistency(grown.size, target.size, grown.root(), target.root, page.proof)
    mirror.feed(page.entries)
