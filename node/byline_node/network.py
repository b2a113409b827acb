"""The node's part in the network: host, gossip, follow and peers, put together.

Rule: this is all that the rest of the node knows of the network.  Statements go in
through `offer`, come out through `admit`, and nothing here writes to the log.  A peer's
fault never leaves this file; a fault of libp2p does, as one PeerError.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import structlog
import trio

from byline_ledger.alarm_messages import ALARM_TOPIC, CHECKPOINT_TOPIC
from byline_ledger.alarm_messages import MAX_REQUEST as MAX_ALARM_REQUEST
from byline_ledger.alarm_messages import PROTOCOL as ALARM_PROTOCOL
from byline_ledger.cursor import Cursor
from byline_ledger.errors import ContradictionError
from byline_ledger.follow_messages import MAX_REQUEST, MAX_RESPONSE, PROTOCOL
from byline_ledger.follow_server import KEEP_SECONDS, FollowServer, ServedLog
from byline_ledger.follower import KnownLog
from byline_ledger.gossip import TOPIC
from byline_ledger.statement import Statement
from byline_ledger.witness_messages import MAX_REQUEST as MAX_WITNESS_REQUEST
from byline_ledger.witness_messages import PROTOCOL as WITNESS_PROTOCOL
from byline_node.alarm_exchange import AlarmExchange
from byline_node.alarms import Alarms
from byline_node.checkpoint_watch import CheckpointWatch
from byline_node.cursors import LedgerCursors, Records
from byline_node.following import FollowedLog, Following, Gate
from byline_node.gossip import Gossip
from byline_node.host import Host, open_host, parse_peer
from byline_node.mirrors import Mirrors
from byline_node.peers import keep_connected, peer_id_of, ping_peer
from byline_node.requests import Requests
from byline_node.witness_clients import PeerWitness
from byline_node.witnessing import Witness

Admit: TypeAlias = Callable[[Sequence[Statement], str, Sequence[str]], Awaitable[Any]]
"""`await admit(statements, source, peers)` returns once those of them that are admitted
are durable; source is "gossip" or "follow", peers who brought each (Entrance.submit).
"""

log = structlog.get_logger("byline.network")


class View(ServedLog, KnownLog, Protocol):
    """What the network needs of `log.LogView`."""


class NodeLedger(Records, Protocol):
    """What the network needs of `log.Ledger`."""

    @property
    def transport_seed(self) -> bytes: ...
    @property
    def view(self) -> Any: ...


class NetworkConfig(Protocol):
    """What the network needs of `config.NodeConfig`."""

    @property
    def listen(self) -> Sequence[str]: ...
    @property
    def peers(self) -> Sequence[str]: ...


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


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One peer, connected, configured or seen lately."""

    peer_id: str
    address: str
    """Where it is connected from or to; the configured address while it is not."""
    connected: bool
    origin: str | None
    """The name of its log; None before the first contact."""
    size: int | None
    """Entries of its log, as of the last checkpoint seen."""
    cursor: int | None
    """How many of them have been read."""
    set_root: str | None
    """Root of its lookup set, in hex."""
    agrees: bool
    """Its whole log was read, and its set of statements is ours."""
    gaps: int
    """Statements that it lists but did not hand out."""
    refused: int
    """Statements of it that our admission policy passed over."""
    error: str | None
    """What last went wrong, if it is still wrong."""


@dataclass(frozen=True, slots=True)
class NetworkStatus:
    """For `/v1/status`."""

    peer_id: str
    addresses: tuple[str, ...]
    peers: tuple[PeerStatus, ...]
    gossip: dict[str, int]


class Network:
    """A running network; `open_network` makes one."""

    def __init__(
        self,
        host: Host,
        ledger: NodeLedger,
        peers: Sequence[str],
        admit: Admit,
        gate: Gate,
    ) -> None:
        self._host = host
        self._gate = gate
        self._ledger = ledger
        self._configured = {peer_id_of(address): address for address in peers}
        self._addresses = tuple(peers)
        self._problems: dict[str, str] = {}
        self._requests = Requests(host)
        self._following = Following(
            self._ask,
            self._view,
            admit,
            LedgerCursors(ledger, self._configured),
            gate,
            lambda error: self._contradict(error, "follow"),
        )
        self._alarms: Alarms | None = None
        self._exchange: AlarmExchange | None = None
        self.watch = CheckpointWatch(
            host,
            ledger.view.origin,
            self._followed,
            self._ask,
            on_own=lambda note: self._on_own(note),
            on_contradiction=lambda error: self._contradict(error, "gossip"),
        )
        """Tells everybody our checkpoints, and compares those of others."""
        self._on_own: Callable[[bytes], None] = lambda _note: None
        self._gossip = Gossip(host, self._is_known, admit, self._following.kick)
        self._threads = trio.CapacityLimiter(2)
        self._server = FollowServer(self._view)
        self._requests.answer(PROTOCOL, MAX_REQUEST, self._answer)
        self._on_peer: Callable[[], None] = lambda: None

    # For the rest of the node

    @property
    def peer_id(self) -> str:
        """This node's libp2p name."""
        return self._host.peer_id

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where others reach this node; each ends in /p2p/PEER-ID."""
        return self._host.addresses

    def offer(self, statements: Sequence[Statement], source: str) -> None:
        """Tells the mesh what is new here (writer.Listener); never waits.

        What came from the mesh is passed on by the mesh, and what was learned by
        following can be learned so by others.
        """
        if source not in ("gossip", "follow"):
            self._gossip.offer(statements)

    def serve_witness(
        self,
        witness: Witness,
        on_peer: Callable[[], None],
        on_own: Callable[[bytes], None],
    ) -> None:
        """Has the witness answer peers.

        `on_peer` is called for each that connects, `on_own` with checkpoints of our own
        log that others show.
        """
        self._requests.answer(WITNESS_PROTOCOL, MAX_WITNESS_REQUEST, witness.answer)
        self._on_peer = on_peer
        self._on_own = on_own

    def share_alarms(self, alarms: Alarms) -> None:
        """Has alarms exchanged with peers, and made of what peers contradict."""
        self._alarms = alarms
        self._exchange = AlarmExchange(self._host, self._requests.ask, alarms)
        self._requests.answer(ALARM_PROTOCOL, MAX_ALARM_REQUEST, self._exchange.answer)

    def mirrors(self, folder: Path, on_alarm: Callable[[bytes, str], Any]) -> Mirrors:
        """Copies of the logs of configured peers, kept in `folder`."""
        return Mirrors(
            folder,
            tuple(self._configured),
            self._ask,
            on_alarm,
            lambda: self._following.is_reading_much,
        )

    def look_again(self) -> None:
        """Has all logs read now: the admission policy is another."""
        self._following.kick()

    def follows(self, vkey: str) -> bool:
        """Whether this log is, or was lately, read from a peer."""
        return any(cursor.vkey == vkey for _peer, cursor in self._followed())

    def _followed(self) -> list[tuple[str, Cursor]]:
        return [
            (peer, one.cursor)
            for peer, one in self._following.logs.items()
            if one.cursor is not None
        ]

    def _contradict(self, error: ContradictionError, source: str) -> None:
        if self._alarms is not None:
            self._alarms.contradict(error.vkey, error.notes, error.proof, source)

    def witnesses(self) -> list[PeerWitness]:
        """The connected peers, as witnesses of our log."""
        vkey = self._view().vkey
        ask = self._requests.ask
        return [PeerWitness(peer, ask, vkey) for peer in self._host.peers()]

    def peers(self) -> list[dict[str, Any]]:
        """The status of each peer, ready for JSON."""
        return [asdict(peer) for peer in self.status().peers]

    def status(self) -> NetworkStatus:
        """What is known of the network now."""
        connected = self._host.peers()
        names = dict.fromkeys([*self._configured, *connected, *self._following.logs])
        ours = self._view().set_root
        return NetworkStatus(
            peer_id=self.peer_id,
            addresses=self.addresses,
            peers=tuple(self._status_of(name, connected, ours) for name in names),
            gossip=dict(self._gossip.counts),
        )

    def _status_of(
        self, peer: str, connected: dict[str, str], our_root: bytes
    ) -> PeerStatus:
        followed = self._following.logs.get(peer)
        problem = None if peer in connected else self._problems.get(peer)
        error = problem or (followed.error if followed else None)
        address = connected.get(peer) or self._configured.get(peer, "")
        return PeerStatus(
            peer_id=peer,
            address=address,
            connected=peer in connected,
            error=error,
            **_log_status(followed, our_root),
        )

    # Tasks

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._gossip.run)
            nursery.start_soon(self._tidy)
            nursery.start_soon(self.watch.run)
            if self._exchange is not None:
                nursery.start_soon(self._exchange.run)
            for address in self._addresses:
                nursery.start_soon(keep_connected, self._host, address, self._problems)
            await self._mind_peers()

    async def _mind_peers(self) -> None:
        """Follows and pings each peer for as long as it is connected."""
        minded: dict[str, trio.CancelScope] = {}
        async with trio.open_nursery() as nursery:
            while True:
                connected = self._host.peers()
                for peer in [one for one in connected if one not in minded]:
                    minded[peer] = trio.CancelScope()
                    nursery.start_soon(self._mind_peer, peer, minded[peer])
                for peer in [one for one in minded if one not in connected]:
                    minded.pop(peer).cancel()
                    self._requests.forget(peer)
                    log.info("peer gone", peer=peer)
                self._following.forget_gone(set(connected))
                await self._host.wait_change()

    async def _mind_peer(self, peer: str, scope: trio.CancelScope) -> None:
        log.info("peer connected", peer=peer, address=self._host.peers().get(peer))
        self._on_peer()
        with scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ping_peer, self._host, peer)
                nursery.start_soon(self._following.follow, peer)
                if self._exchange is not None:
                    nursery.start_soon(self._exchange.exchange, peer)

    # Seams

    def _view(self) -> Any:
        return self._ledger.view

    def _is_known(self, statement_id: bytes) -> bool:
        """Or refused already: its signature was verified then."""
        known = self._ledger.view.index_of(statement_id) is not None
        return known or self._gate.is_refused(statement_id)

    async def _ask(self, peer: str, request: bytes) -> bytes:
        return await self._requests.ask(peer, PROTOCOL, request, most=MAX_RESPONSE)

    async def _answer(self, _peer: str, request: bytes) -> bytes:
        return await trio.to_thread.run_sync(
            self._server.serve, request, trio.current_time(), limiter=self._threads
        )

    async def _tidy(self) -> None:
        """What is kept for followers is let go when they do not need it any more."""
        while True:
            await trio.sleep(KEEP_SECONDS / 4)
            self._server.forget(trio.current_time())


def _log_status(followed: FollowedLog | None, our_root: bytes) -> dict[str, Any]:
    cursor = followed.cursor if followed else None
    if followed is None or cursor is None:
        nothing = dict.fromkeys(("origin", "size", "cursor", "set_root"))
        return nothing | {"agrees": False, "gaps": 0, "refused": 0}
    seen, set_root = cursor.seen, cursor.set_root
    return {
        "origin": seen.origin,
        "size": seen.size,
        "cursor": cursor.size,
        "set_root": set_root.hex() if set_root else None,
        "agrees": cursor.size == seen.size and set_root == our_root,
        "gaps": len(cursor.gaps),
        "refused": followed.refused,
    }


@asynccontextmanager
async def open_network(
    config: NetworkConfig,
    ledger: NodeLedger,
    writer: StatementWriter,
    prepare: Callable[[Network], None] = lambda _network: None,
) -> AsyncIterator[Network]:
    """Listens, dials the peers, and keeps up with them until the context is left.

    `prepare` is called once, before the first peer is dialled.

    What else is written meanwhile is offered to the mesh.  ConfigError where an address
    cannot be used; PeerError if libp2p fails.
    """
    for address in config.peers:
        parse_peer(address)
    topics = [TOPIC, ALARM_TOPIC, CHECKPOINT_TOPIC]
    async with open_host(ledger.transport_seed, config.listen, topics) as host:
        network = Network(host, ledger, config.peers, writer.submit, writer.gate)
        writer.listen(network.offer)
        prepare(network)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(network.run)
            yield network
            nursery.cancel_scope.cancel()
