"""What the network needs of the rest of the node, and no more of it.

Rule: types alone.  Who builds the network, in a node or in a test, hands in things of
this shape.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from byline_ledger.follow_server import ServedLog
from byline_ledger.follower import KnownLog
from byline_ledger.statement import Statement
from byline_node.cursors import Records
from byline_node.followed_log import Gate

Admit: TypeAlias = Callable[[Sequence[Statement], str, Sequence[str]], Awaitable[Any]]
"""`await admit(statements, source, peers)` returns once those of them that are admitted
are durable; source is "gossip" or "follow", peers who brought each (Entrance.submit).
"""


class View(ServedLog, KnownLog, Protocol):
    """What the network needs of `log.LogView`."""


class NodeLedger(Records, Protocol):
    """What the network needs of `log.Ledger`."""

    @property
    def transport_seed(self) -> bytes: ...
    @property
    def view(self) -> Any: ...
    @property
    def read_only(self) -> str | None: ...


class NetworkConfig(Protocol):
    """What the network needs of `config.NodeConfig`."""

    @property
    def listen(self) -> Sequence[str]: ...
    @property
    def peers(self) -> Sequence[str]: ...
    @property
    def bootstrap(self) -> Sequence[str]: ...
    @property
    def discover(self) -> bool: ...
    @property
    def dht(self) -> bool: ...
    @property
    def mdns(self) -> bool: ...
    @property
    def announce(self) -> Sequence[str]: ...
    @property
    def folder(self) -> Path | None: ...


class StatementWriter(Protocol):
    """What the network needs of `entrance.NetworkEntrance`."""

    @property
    def gate(self) -> Gate: ...
    async def submit(
        self, statements: Sequence[Statement], source: str, peers: Sequence[str], /
    ) -> Any: ...
    def listen(
        self, listener: Callable[[Sequence[Statement], str], None], /
    ) -> None: ...
