"""Peers' logs that are followed over no network, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import trio
from tests.support.memory_log import MemoryLog
from tests.support.signed import work

from byline_ledger.admission_policy import OPEN
from byline_ledger.errors import StoreError
from byline_ledger.follow_server import serve
from byline_ledger.statement import Statement
from byline_node.cursors import LedgerCursors
from byline_node.errors import BusyError, PeerError
from byline_node.following import Following


def run_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time would not wait for threads."""

    async def run_here(function: Callable[..., Any], *args: Any, **_: Any) -> Any:
        await trio.lowlevel.checkpoint()
        return function(*args)

    monkeypatch.setattr(trio.to_thread, "run_sync", run_here)


@dataclass
class Stored:
    appended: Sequence[Statement]


class Records:
    """Side records in memory."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.writes = 0
        self.full = False

    def get_record(self, name: bytes) -> bytes | None:
        return self.values.get(name)

    def put_record(self, name: bytes, value: bytes) -> None:
        if self.full:
            raise StoreError("no space left on device")
        self.values[name] = value
        self.writes += 1


class Gate:
    """followed_log.Gate: refuses the statements in `unwanted`, and remembers them."""

    def __init__(self) -> None:
        self.digest = OPEN.digest
        self.rereads = 0
        self.unwanted: set[bytes] = set()
        self.room = 10**6
        """How many more it can remember."""
        self.remembered: dict[bytes, str] = {}
        self.wanted_again: set[bytes] = set()
        self.saves = 0

    def take(
        self, statements: Sequence[Statement], peers: Sequence[str]
    ) -> tuple[list[Statement], bool]:
        admitted, is_full = [], False
        for one, peer in zip(statements, peers, strict=True):
            self.remembered.pop(one.id, None)
            if one.id not in self.unwanted:
                admitted.append(one)
            elif len(self.remembered) < self.room:
                self.remembered[one.id] = peer
            else:
                is_full = True
        return admitted, is_full

    def is_refused(self, statement_id: bytes, peer: str | None = None) -> bool:
        return statement_id in self.remembered and (
            statement_id not in self.wanted_again
        )

    def due(self, peer: str, connected: Collection[str]) -> list[bytes]:
        away = {one for one in self.remembered.values() if one not in connected}
        ids = self.remembered.items()
        return [
            id_
            for id_, owner in ids
            if id_ in self.wanted_again and owner in {peer, *away}
        ]

    def is_full(self, peer: str) -> bool:
        return len(self.remembered) >= self.room

    def save(self) -> None:
        self.saves += 1


class Setting:
    """Our empty log, and peers' logs by peer id; `broken` is what asking raises."""

    def __init__(self, **peers: MemoryLog) -> None:
        self.mine = MemoryLog(1)
        self.peers = peers
        self.records = Records()
        self.broken: PeerError | None = None
        self.is_read_only = False
        self.delays: dict[str, float] = {}
        self.portions: list[int] = []
        self.times: list[float] = []
        self.requests: list[tuple[str, bytes]] = []
        self.gate = Gate()
        self.following = self.restart()

    def restart(self) -> Following:
        cursors = LedgerCursors(self.records, ["friend"])
        self.following = Following(
            self.ask,
            lambda: self.mine,
            self.admit,
            cursors,
            self.gate,
            is_read_only=lambda: self.is_read_only,
        )
        return self.following

    async def ask(self, peer: str, request: bytes) -> bytes:
        self.times.append(trio.current_time())
        self.requests.append((peer, request))
        await trio.sleep(self.delays.get(peer, 0))
        if self.broken is not None:
            raise self.broken
        return serve(self.peers[peer], request)

    async def admit(
        self, statements: Sequence[Statement], source: str, peers: Sequence[str]
    ) -> Stored:
        assert source == "follow"
        assert len(peers) == len(statements)
        await trio.lowlevel.checkpoint()
        self.portions.append(len(statements))
        admitted, is_full = self.gate.take(statements, peers)
        self.mine.append(admitted)
        if is_full:
            raise BusyError("no more can wait")
        return Stored(admitted)

    async def run(self, seconds: float, *peers: str) -> None:
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                for peer in peers or tuple(self.peers):
                    nursery.start_soon(self.following.follow, peer)


def log_of(number: int, *texts: str) -> MemoryLog:
    log = MemoryLog(number)
    log.append(map(work, texts))
    return log
