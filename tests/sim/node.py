"""An honest node: the code of production, started, stopped, crashed and started again.

Rule: this is `byline_node.service.Node` without its HTTP server, over a fake host, a
clock that is off, and a disk that can fail.  What it let out, what it was promised to
keep and whom it accused is written down, for invariants.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import trio
from tests.sim.disk import Disk
from tests.sim.host import FakeHost
from tests.sim.surroundings import EPOCH, address_of, peer_name

from byline_ledger.errors import (
    BylineError,
    InconsistentLogError,
    MalformedError,
    VerificationError,
)
from byline_ledger.log import Ledger, LogView
from byline_ledger.statement import Statement
from byline_ledger.store.durable import create_durably, make_folder
from byline_ledger.store.guard import Guard, write_guard
from byline_ledger.store.node_files import NodeFiles
from byline_ledger.tombstone import Tombstone
from byline_node.config import NodeConfig
from byline_node.followed_log import FollowedLog
from byline_node.service import Node, Stop

ACCUSATIONS = (MalformedError, VerificationError, InconsistentLogError)


class SimLedger(Ledger):
    """Remembers each tree that it let out."""

    on_view: Callable[[LogView], None] | None = None

    @property
    def view(self) -> LogView:  # type: ignore[override]
        return self._current

    @view.setter
    def view(self, view: LogView) -> None:
        self._current = view
        if self.on_view is not None:
            self.on_view(view)


class SimNode:
    """One node over its whole life; `live` in a task."""

    def __init__(
        self, number: int, folder: Path, seed: int, peers: Sequence[int]
    ) -> None:
        self.number = number
        self.peer_id = peer_name(number)
        self.dice = random.Random(f"{seed}/node/{number}")
        self.disk = Disk(self.dice)
        self.skew = 0.0
        addresses = tuple(f"{address_of(n)}/p2p/{peer_name(n)}" for n in peers)
        self.config = NodeConfig(
            folder / str(number), listen=(address_of(number),), peers=addresses
        )
        self.promised: list[bytes] = []
        """Ids of statements that had a receipt."""
        self.published: dict[int, bytes] = {}
        """Size -> root of each tree that was let out."""
        self.rewritten: list[int] = []
        """Sizes of which two trees were let out."""
        self.accused: list[tuple[str, str]] = []
        """Peers that this node says have lied, and why."""
        self.node: Node | None = None
        self.ledger: SimLedger | None = None
        self.gone: set[str] = set()
        """Peers that were not connected when channels were last looked at."""
        self.left: set[str] = set()
        """The same of followed logs."""
        self.starts = 0
        self.task: trio.lowlevel.Task | None = None
        self._scope = trio.CancelScope()
        self._stop: Stop | None = None
        self._wanted = trio.Event()
        self.is_wanted = True
        self._make_files()

    def _make_files(self) -> None:
        """As `init_node` does, with a secret that follows from the seed."""
        files = NodeFiles(self.config.folder)
        make_folder(files.folder)
        origin = f"sim.example/{self.dice.randbytes(16).hex()}"
        create_durably(files.secret, f"{self.dice.randbytes(32).hex()}\n".encode())
        write_guard(files.guard, Guard.start(origin))
        create_durably(files.origin, f"{origin}\n".encode())

    def clock(self) -> float:
        """Unix seconds, as this node believes."""
        return EPOCH + trio.current_time() + self.skew

    # Life

    async def live(self) -> None:
        """Runs whenever it is wanted, until cancelled."""
        self.task = trio.lowlevel.current_task()
        while True:
            while not self.is_wanted:
                self._wanted = trio.Event()
                await self._wanted.wait()
            await self._run_once()
            # A node that stopped by itself is started again by its supervisor.
            await trio.sleep(1 + 4 * self.dice.random())

    async def _run_once(self) -> None:
        self._scope, self._stop = trio.CancelScope(), Stop()
        try:
            with self._scope:
                await self._serve(self._stop)
        except* BylineError:
            # Its disk failed, or was taken away from under it.
            pass
        finally:
            self._leave()

    async def _serve(self, stop: Stop) -> None:
        ledger = SimLedger.open(self.config.folder, open_store=self.disk)
        self.ledger, self.starts = ledger, self.starts + 1
        ledger.on_view = self._note_view
        self._note_view(ledger.view)
        node = Node(self.config, ledger, stop, self.clock)
        node.admission.load()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch, node)
            await node.take_part(stop.wait)
            nursery.cancel_scope.cancel()
        ledger.close()

    async def _watch(self, node: Node) -> None:
        """The node is there once its network is."""
        while node._network is None:  # noqa: ASYNC110  # it knows no tests
            await trio.sleep(0.001)
        following = node._network._following
        note = following._note_failure

        def note_failure(followed: FollowedLog, error: BylineError) -> None:
            if isinstance(error, ACCUSATIONS):
                self.accused.append((followed.peer, f"{type(error).__name__}: {error}"))
            note(followed, error)

        following._note_failure = note_failure  # type: ignore[method-assign]
        self.node = node

    def _leave(self) -> None:
        self.node = None
        if self.ledger is not None:
            self.ledger._lock.release()
        if self.disk.store is not None:
            self.disk.store.is_closed = True

    def _note_view(self, view: LogView) -> None:
        earlier = self.published.setdefault(view.size, view.root)
        if earlier != view.root:
            self.rewritten.append(view.size)

    # What is done to it

    def start(self) -> None:
        self.is_wanted = True
        self._wanted.set()

    def stop(self) -> None:
        """In order; `start` brings it back."""
        self.is_wanted = False
        if self._stop is not None:
            self._stop.ask()

    def crash(self) -> None:
        """The power is gone: nothing more is written, said or tidied up."""
        self.is_wanted = False
        host = self.host
        if host is not None:
            host.kill()
        self.disk.cut_power()
        self._scope.cancel()

    @property
    def host(self) -> FakeHost | None:
        network = self.node._network if self.node else None
        return network._host if network else None  # type: ignore[return-value]

    @property
    def is_up(self) -> bool:
        """And its power is on: after a cut its tasks end one by one."""
        store = self.disk.store
        has_power = store is not None and not store.is_closed
        return self.node is not None and has_power

    @property
    def view(self) -> LogView:
        assert self.ledger is not None
        return self.ledger.view

    def holds(self, statement_id: bytes) -> bool:
        """With its body."""
        return self.view.envelope(statement_id) is not None

    def take_down(self, statement_id: bytes) -> None:
        """As its operator does; a disk that fails just then is noticed later."""
        assert self.ledger is not None
        with suppress(BylineError):
            tombstone = Tombstone("legal", int(self.clock() * 1000))
            self.ledger.redact(statement_id, tombstone)

    async def publish(self, statements: list[Statement]) -> bool:
        """Through the API, as a client does; whether there was a receipt."""
        node = self.node
        if node is None:
            return False
        with suppress(BylineError):
            committed = await node.submit(statements, "127.0.0.1")
            self.promised += [one.id for one in committed.appended]
            return True
        return False
