"""Nodes without an HTTP API, in this process, on real libp2p hosts over loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import trio
from tests.support.waiting import until

from byline_ledger.admission_policy import OPEN, AdmissionPolicy
from byline_ledger.log import Ledger, LogView
from byline_ledger.statement import Statement
from byline_ledger.store.node_files import NodeFiles
from byline_node.admission import Admission, Clock, wall_clock
from byline_node.alarms import Alarms
from byline_node.entrance import Entrance, NetworkEntrance
from byline_node.network import Network, open_network
from byline_node.writer import Writer

ANY_PORT = "/ip4/127.0.0.1/tcp/0"


@dataclass(frozen=True, slots=True)
class Config:
    """network.NetworkConfig."""

    listen: Sequence[str] = (ANY_PORT,)
    peers: Sequence[str] = ()
    bootstrap: Sequence[str] = ()
    discover: bool = False
    announce: Sequence[str] = ()
    folder: Path | None = None
    dht: bool = False
    mdns: bool = False


@dataclass(frozen=True, slots=True)
class NetworkedNode:
    ledger: Ledger
    writer: Writer
    network: Network
    alarms: Alarms
    entrance: Entrance

    @property
    def admission(self) -> Admission:
        return self.entrance.admission

    @property
    def set_root(self) -> bytes:
        return self.ledger.view.set_root

    def peers(self) -> list[dict[str, Any]]:
        """The status of each peer."""
        return [asdict(peer) for peer in self.network.status().peers]

    async def publish(self, statements: Sequence[Statement]) -> None:
        peers = ["test"] * len(statements)
        await self.entrance.submit(statements, "api", peers)


@asynccontextmanager
async def networked_node(
    folder: Path,
    *,
    peers: Sequence[str] = (),
    listen: str = ANY_PORT,
    policy: AdmissionPolicy = OPEN,
    clock: Clock = wall_clock,
    bootstrap: Sequence[str] = (),
    discover: bool = False,
    dht: bool = False,
) -> AsyncIterator[NetworkedNode]:
    """A new node in `folder`, or the one that is there."""
    start = Ledger.open if NodeFiles(folder).is_node() else Ledger.init
    ledger = start(folder)
    writer = Writer(ledger)
    admission = Admission(ledger, policy, clock)
    admission.load()
    entrance = Entrance(admission, writer.submit)
    writer.listen(admission.heed)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.run)
            config = Config((listen,), peers, bootstrap, discover, (), folder, dht)
            known: list[Network] = []
            alarms = Alarms(folder / "alarms", lambda vkey: known[0].follows(vkey))

            async def newest() -> LogView:
                return ledger.view

            def prepare(network: Network) -> None:
                known.append(network)
                network.share_alarms(alarms)
                network.serve_queries(newest)

            door = NetworkEntrance(entrance, writer, ledger)
            async with open_network(config, ledger, door, prepare) as network:
                yield NetworkedNode(ledger, writer, network, alarms, entrance)
                await writer.close()
    finally:
        ledger.close()


async def agree(*nodes: NetworkedNode, seconds: float = 30) -> None:
    """Waits until all hold the same set."""
    await until(lambda: len({node.set_root for node in nodes}) == 1, seconds)
