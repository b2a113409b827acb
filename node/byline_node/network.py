"""The node's part in the network: host, gossip, follow and peers, put together.

Rule: this is all that the rest of the node knows of the network.  Statements go in
through `offer`, come out through `admit`, and nothing here writes to the log.  A peer's
fault never leaves this file; a fault of libp2p does, as one PeerError.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from math import ceil
from pathlib import Path
from typing import Any

import structlog
import trio

from byline_ledger.alarm_messages import ALARM_TOPIC, CHECKPOINT_TOPIC
from byline_ledger.alarm_messages import MAX_REQUEST as MAX_ALARM_REQUEST
from byline_ledger.alarm_messages import PROTOCOL as ALARM_PROTOCOL
from byline_ledger.crypto import SigningKey
from byline_ledger.cursor import Cursor
from byline_ledger.errors import (
    BylineError,
    ContradictionError,
    MalformedError,
    VerificationError,
)
from byline_ledger.follow_messages import MAX_REQUEST, MAX_RESPONSE, PROTOCOL
from byline_ledger.follow_server import KEEP_SECONDS, FollowServer
from byline_ledger.gossip import TOPIC
from byline_ledger.statement import Statement
from byline_ledger.witness_messages import MAX_REQUEST as MAX_WITNESS_REQUEST
from byline_ledger.witness_messages import PROTOCOL as WITNESS_PROTOCOL
from byline_node.alarm_exchange import AlarmExchange
from byline_node.alarms import Alarms
from byline_node.checkpoint_watch import CheckpointWatch
from byline_node.cursors import LedgerCursors
from byline_node.discovery import ADDRESS_FILE, Announcer, Discovery, how_found, named
from byline_node.discovery_ways import searches_of
from byline_node.errors import ConfigError, TruncatedError
from byline_node.followed_log import Gate
from byline_node.following import Following
from byline_node.gossip import Gossip
from byline_node.host import Host, open_host, parse_peer
from byline_node.host_setup import MAX_OUTBOUND
from byline_node.mirrors import Mirrors
from byline_node.mistakes import note_mistake
from byline_node.network_needs import (
    Admit,
    NetworkConfig,
    NodeLedger,
    StatementWriter,
)
from byline_node.peer_conduct import Conduct
from byline_node.peer_score import Fault
from byline_node.peer_status import (
    NetworkStatus,
    PeerStatus,
    link_status,
    log_status,
)
from byline_node.peers import (
    BOOTSTRAP_BELOW,
    addresses_by_peer,
    keep_bootstrapped,
    keep_connected,
    ping_peer,
)
from byline_node.query_service import QueryService
from byline_node.requests import Requests
from byline_node.signature_checks import SignatureChecks
from byline_node.streams import Link
from byline_node.witness_clients import PeerWitness
from byline_node.witnessing import Witness

log = structlog.get_logger("byline.network")


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
        self._configured = addresses_by_peer(peers)
        self._bootstrap: Sequence[str] = ()
        self._named = named(self._configured, ())
        self._discovery: Discovery | None = None
        self._searches: Sequence[Callable[[], Awaitable[None]]] = ()
        self._problems: dict[str, str] = {}
        self._latencies: dict[str, float] = {}
        self.conduct = Conduct(self._configured, host.drop)
        """How peers have behaved, and who is refused because of it."""
        self.links: Callable[[], Mapping[str, Link]] = dict
        """More about connections, where the host knows it (Host.links)."""
        self._requests = Requests(host, self._charge_error)
        self._signatures = SignatureChecks()
        self._following = Following(
            self._ask,
            self._view,
            admit,
            LedgerCursors(ledger, self._configured),
            gate,
            lambda error: self._contradict(error, "follow"),
            self._charge_error,
            lambda peer: peer not in self._configured,
            self.conduct.may_tell,
            self._signatures.verify,
            lambda: ledger.read_only is not None,
        )
        self._alarms: Alarms | None = None
        self._exchange: AlarmExchange | None = None
        self._queries: QueryService | None = None
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
        self._gossip = Gossip(
            host, self._is_known, admit, self._following.kick, self._charge_gossip
        )
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

    def serve_queries(self, view: Callable[[], Awaitable[Any]]) -> None:
        """Has peers' queries answered from what `view` gives."""
        configured = frozenset(self._configured)
        self._queries = QueryService(self._host, view, configured, self._charge_error)

    def bootstrap(self, addresses: Sequence[str]) -> None:
        """Has these dialled while few peers are connected."""
        self._bootstrap = addresses
        self._named = named(self._configured, addresses)

    def discover(self, config: NetworkConfig) -> None:
        """Has other peers found, and this node made known to them."""
        announce, folder = config.announce, config.folder
        self._discovery = Discovery(
            self._host,
            self._requests,
            self.conduct,
            Announcer(
                SigningKey.from_seed(self._ledger.transport_seed),
                lambda: announce or self._host.interfaces(),
            ),
            folder / ADDRESS_FILE if folder else None,
            self._named,
        )
        self._searches = searches_of(self._discovery, self._host, config)

    def mirrors(self, folder: Path, on_alarm: Callable[[bytes, str], Any]) -> Mirrors:
        """Copies of the logs of configured peers, kept in `folder`."""
        return Mirrors(
            folder,
            tuple(self._configured),
            self._ask,
            on_alarm,
            lambda: self.is_busy,
        )

    @property
    def is_busy(self) -> bool:
        """Whether this node can hardly keep up: what can wait had better do so."""
        return self._following.is_reading_much or self._gossip.is_slow

    def look_again(self) -> None:
        """Has all logs read now: the admission policy is another, or a hold is over."""
        self._following.kick()

    def follows(self, vkey: str, *, configured: bool = False) -> bool:
        """Whether this log is, or was lately, read from a peer, or from one of our own
        configuration; in any thread."""
        own = self._configured if configured else self._following.logs
        return any(one.vkey == vkey for peer, one in self._followed() if peer in own)

    def seen(self, vkey: str) -> int:
        """Entries of the largest tree of this log that was read from a peer."""
        cursors = [one for _peer, one in self._followed() if one.vkey == vkey]
        return max((one.seen.size for one in cursors), default=0)

    def _followed(self) -> list[tuple[str, Cursor]]:
        return [
            (peer, one.cursor)
            for peer, one in list(self._following.logs.items())
            if one.cursor is not None
        ]

    def _contradict(self, error: ContradictionError, source: str) -> None:
        if self._alarms is not None:
            self._alarms.contradict(error.vkey, error.notes, error.proof, source)

    # Faults of peers

    def _charge_gossip(self, peer: str, reason: str) -> None:
        self.conduct.charge(peer, Fault.BAD_GOSSIP, reason)

    def _charge_error(self, peer: str, error: BylineError) -> None:
        """What ended a session or stream; neither our disk nor a cut is their fault."""
        if isinstance(error, VerificationError):
            self.conduct.charge(peer, Fault.LIE, str(error))
        elif isinstance(error, MalformedError) and not isinstance(
            error, TruncatedError
        ):
            self.conduct.charge(peer, Fault.MALFORMED, str(error))

    def witnesses(self) -> list[PeerWitness]:
        """The connected peers, as witnesses of our log."""
        vkey = self._view().vkey
        ask = self._requests.ask
        return [PeerWitness(peer, ask, vkey) for peer in self._host.peers()]

    def status(self) -> NetworkStatus:
        """What is known of the network now."""
        connected, links = self._host.peers(), self.links()
        # Who was here only to ask, and showed no log, is no peer of this node.
        followed = [peer for peer, _cursor in self._followed()]
        missed = [peer for peer in self._problems if peer not in connected]
        names = dict.fromkeys([*self._configured, *missed, *connected, *followed])
        ours = self._view().set_root
        return NetworkStatus(
            peer_id=self.peer_id,
            addresses=self.addresses,
            peers=tuple(
                self._status_of(name, connected, links.get(name), ours)
                for name in names
            ),
            gossip=dict(self._gossip.counts),
        )

    def _status_of(
        self,
        peer: str,
        connected: dict[str, str],
        link: Link | None,
        our_root: bytes,
    ) -> PeerStatus:
        followed = self._following.logs.get(peer)
        problem = None if peer in connected else self._problems.get(peer)
        error = problem or (followed.error if followed else None)
        if fault := self.conduct.why_refused(peer):
            error = f"refused for its conduct: {(followed and followed.error) or fault}"
        address = connected.get(peer) or next(iter(self._configured.get(peer, ())), "")
        latency = self._latencies.get(peer)
        book = self._discovery.book if self._discovery else None
        return PeerStatus(
            peer_id=peer,
            address=address,
            connected=peer in connected,
            found=how_found(peer, link, self._named, book).value,
            error=error,
            latency_ms=round(latency * 1000, 1) if latency is not None else None,
            score=self.conduct.score(peer),
            refused_for=ceil(self.conduct.refused_for(peer)),
            **link_status(link),
            **log_status(followed, our_root),
        )

    # Tasks

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._signatures.run)
            nursery.start_soon(self._gossip.run)
            nursery.start_soon(self._tidy)
            nursery.start_soon(self.watch.run)
            if self._exchange is not None:
                nursery.start_soon(self._exchange.run)
            if self._queries is not None:
                nursery.start_soon(self._queries.run)
            if self._discovery is not None:
                nursery.start_soon(self._discovery.run)
            for search in self._searches:
                nursery.start_soon(search)
            if self._bootstrap:
                nursery.start_soon(
                    keep_bootstrapped,
                    self._host,
                    self._bootstrap,
                    self._problems,
                    self._has_few,
                )
            for addresses in self._configured.values():
                nursery.start_soon(
                    keep_connected, self._host, addresses, self._problems
                )
            await self._mind_peers()

    def _has_few(self) -> bool:
        dialled = [link for link in self._host.links().values() if link.is_outbound]
        return len(dialled) < BOOTSTRAP_BELOW

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
                    self._latencies.pop(peer, None)
                    self.conduct.tell("peer gone", peer)
                await self._host.wait_change()

    async def _mind_peer(self, peer: str, scope: trio.CancelScope) -> None:
        address = self._host.peers().get(peer, "")
        self.conduct.tell("peer connected", peer, address=address)
        self._on_peer()
        tasks = [self._ping, self._following.follow]
        tasks += [one.exchange for one in (self._exchange, self._discovery) if one]
        with scope:
            try:
                async with trio.open_nursery() as nursery:
                    for task in tasks:
                        nursery.start_soon(task, peer)
            except Exception as error:  # noqa: BLE001
                note_mistake(error, "minding a peer", peer)
                self._host.drop(peer)

    async def _ping(self, peer: str) -> None:
        if await ping_peer(self._host, peer, self._latencies):
            self.conduct.tell("peer does not answer", peer)

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
        # While the log grows fast, its views have little in common, and take much room;
        # and hardly anybody is near enough to ask about them.
        most = 1 if self._following.is_reading_much else None
        now = trio.current_time()
        return await trio.to_thread.run_sync(
            self._server.serve, request, now, most, limiter=self._threads
        )

    async def _tidy(self) -> None:
        """What is kept for followers is let go when they do not need it any more."""
        while True:
            await trio.sleep(KEEP_SECONDS / 4)
            self._server.forget(trio.current_time())


@asynccontextmanager
async def open_network(
    config: NetworkConfig,
    ledger: NodeLedger,
    writer: StatementWriter,
    prepare: Callable[[Network], None] = lambda _network: None,
    network_key: bytes | None = None,
) -> AsyncIterator[Network]:
    """Listens, dials the peers, and keeps up with them until the context is left.

    `prepare` is called once, before the first peer is dialled.

    What else is written meanwhile is offered to the mesh.  ConfigError where an address
    cannot be used; PeerError if libp2p fails.
    """
    for address in (*config.peers, *config.bootstrap):
        parse_peer(address)
    if (count := len(addresses_by_peer(config.peers))) > MAX_OUTBOUND:
        raise ConfigError(f"expected at most {MAX_OUTBOUND} peers, got {count}")
    topics = [TOPIC, ALARM_TOPIC, CHECKPOINT_TOPIC]
    async with open_host(
        ledger.transport_seed, config.listen, topics, network_key=network_key
    ) as host:
        network = Network(host, ledger, config.peers, writer.submit, writer.gate)
        host.door, network.links = network.conduct, host.links
        writer.listen(network.offer)
        network.bootstrap(config.bootstrap)
        if config.discover:
            network.discover(config)
        prepare(network)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(network.run)
            yield network
            nursery.cancel_scope.cancel()
