"""The libp2p host: who may connect, and how requests and messages travel.

Rule: the only file that imports libp2p.  As it comes, py-libp2p accepts plaintext peers
(so any id can be impersonated), ends the process at one bad frame, and stops accepting
after 250 connections.  Everything that prevents it is in this file; each patch says
what it is for.  Because patches fit one version only, another version is refused at
start.  Wire protocol: docs/spec/network.md; reasons: docs/adr/0007-libp2p-host.md.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

import structlog
import trio
from libp2p import new_host
from libp2p.abc import INotifee
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.custom_types import TProtocol
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.connection import swarm_connection
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.pubsub import pubsub as pubsub_module
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import DefaultMaxMessageSize, RpcQueue
from libp2p.rcmgr.connection_limits import ConnectionLimits
from libp2p.rcmgr.manager import ResourceLimits, ResourceManager
from libp2p.security.noise import transport as noise
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.stream_muxer.yamux import yamux
from libp2p.tools.anyio_service import background_trio_service
from libp2p.transport.exceptions import UpgradeFailure
from libp2p.transport.tcp import tcp as tcp_module
from multiaddr import Multiaddr

from byline_node.background import in_background
from byline_node.errors import ConfigError, PeerError, UnspokenError
from byline_node.ports import check_can_listen, reuse_address_only
from byline_node.reasons import causes, reason_of
from byline_node.streams import Message, Stream, address_of, bounded_muxer, socket_of

LIBP2P_VERSION = "0.8.1"

MAX_MESSAGE = 60_000
"""Bytes of one published message.  Above 65,524 with its envelope, two writers of one
Yamux stream can interleave and ruin it for good."""
MAX_CONNECTIONS = 256
MAX_INBOUND = 200
MAX_PER_PEER = 3
MAX_STREAMS = 64  # of one connection: beyond 10,000 of all nobody gets one

CONNECT_SECONDS = 15.0
STOP_SECONDS = 2.0
TIDY_SECONDS = 3600.0

log = structlog.get_logger("byline.host")


# The set-up of libp2p


class _LargeQueue(RpcQueue):  # type: ignore[misc]  # untyped base
    """Outbound queue per peer: the default of 32 drops silently under load."""

    def __init__(self) -> None:
        super().__init__(max_size=512, max_message_size=DefaultMaxMessageSize)


class _SafePubsub(Pubsub):  # type: ignore[misc]  # untyped base
    """A bad frame or message costs its stream, not the process."""

    async def push_msg(self, msg_forwarder: Any, msg: Any) -> None:
        try:
            await super().push_msg(msg_forwarder, msg)
        except Exception:  # whatever a stranger's bytes bring about
            log.debug("bad message", peer=str(msg_forwarder), exc_info=True)

    async def stream_handler(self, stream: Any) -> None:
        try:
            await super().stream_handler(stream)
        except Exception:  # as above
            log.debug("bad gossip stream", exc_info=True)
            with suppress(Exception):
                await stream.reset()
            self._handle_dead_peer(stream.muxed_conn.peer_id)


class _Gossip(GossipSub):  # type: ignore[misc]  # untyped base
    def _check_equivocation(self, _msg: Any) -> bool:
        # It would keep 1,000 whole messages in memory for a check that means nothing
        # here: a message is a batch of statements, each signed by its author.
        return True


class _Watcher(INotifee):  # type: ignore[misc]  # untyped base
    """Calls back whenever a connection comes or goes."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    async def connected(self, _network: Any, _conn: Any) -> None:
        self._changed()

    async def disconnected(self, _network: Any, _conn: Any) -> None:
        self._changed()

    async def opened_stream(self, _network: Any, _stream: Any) -> None: ...
    async def closed_stream(self, _network: Any, _stream: Any) -> None: ...
    async def listen(self, _network: Any, _multiaddr: Any) -> None: ...
    async def listen_close(self, _network: Any, _multiaddr: Any) -> None: ...


def _patch_modules() -> None:
    """Settings that libp2p has as module variables only."""
    pubsub_module.SUBSCRIPTION_CHANNEL_SIZE = 4096
    pubsub_module.RpcQueue = _LargeQueue
    tcp_module._set_reuse_flags = reuse_address_only
    # It logs on the root logger, which would even install a handler there.
    swarm_connection.logging = logging.getLogger("libp2p.swarm_connection")
    # An unreachable peer is an everyday thing; the supervisor says so in one line.
    logging.getLogger("libp2p").setLevel(logging.CRITICAL)


def check_libp2p() -> None:
    """Refuses every version of libp2p but the one this file was written for."""
    found = version("libp2p")
    if found != LIBP2P_VERSION:
        raise ConfigError(
            f"expected libp2p {LIBP2P_VERSION}, got {found}",
            hint="install the pinned requirements: make setup",
        )
    patched: dict[Any, str] = {
        Pubsub: "push_msg stream_handler _handle_dead_peer",
        GossipSub: "_check_equivocation",
        pubsub_module: "SUBSCRIPTION_CHANNEL_SIZE RpcQueue",
        tcp_module: "_set_reuse_flags",
        swarm_connection: "logging",
        yamux.Yamux: "_read_data_body",
    }
    names = [(one, name) for one in patched for name in patched[one].split()]
    missing = [name for one, name in names if not hasattr(one, name)]
    if missing:
        raise ConfigError(f"this libp2p lacks {', '.join(missing)}")


def _new_libp2p_host(seed: bytes, listen: Sequence[Multiaddr]) -> Any:
    keys = create_new_key_pair(seed)
    secure = noise.Transport(keys, noise_privkey=create_noise_key_pair().private_key)
    limits = ConnectionLimits(
        max_pending_inbound=64,
        max_pending_outbound=64,
        max_established_inbound=MAX_INBOUND,
        max_established_outbound=MAX_CONNECTIONS - MAX_INBOUND,
        max_established_per_peer=MAX_PER_PEER,
        max_established_total=MAX_CONNECTIONS,
    )
    host = new_host(
        key_pair=keys,
        # Noise alone: the default offers plaintext, where a peer id proves nothing.
        sec_opt={noise.PROTOCOL_ID: secure},
        muxer_opt={TProtocol(yamux.PROTOCOL_ID): bounded_muxer(yamux.Yamux)},
        listen_addrs=list(listen),
        connection_config=ConnectionConfig(
            max_connections=MAX_CONNECTIONS,
            min_connections=0,
            low_watermark=0,
            high_watermark=MAX_CONNECTIONS,
        ),
        resource_manager=ResourceManager(
            limits=ResourceLimits(max_connections=1000),
            connection_limits=limits,
            # Both make a short burst last: one lowers limits, one closes for a minute.
            enable_circuit_breaker=False,
            enable_graceful_degradation=False,
        ),
        negotiate_timeout=10,
    )
    _harden_swarm(host)
    return host


def _harden_swarm(host: Any) -> None:
    swarm = host.get_network()
    swarm.retry_config = RetryConfig(max_retries=0)  # the supervisor redials
    # Whatever the watermarks say, it would dial the addresses that strangers announce.
    swarm.auto_connector.start = trio.lowlevel.checkpoint
    handle = swarm.common_stream_handler
    upgrade = swarm.upgrade_inbound_raw_conn

    async def handle_safely(stream: Any) -> None:
        # An exception that leaves a stream handler would end the whole host.
        try:
            if len(stream.muxed_conn.streams) > MAX_STREAMS:
                raise PeerError("too many streams")
            await handle(stream)
        except Exception:  # whatever a stranger's bytes bring about
            log.debug("bad stream", exc_info=True)
            with suppress(Exception):
                await stream.reset()

    async def upgrade_until_closed(raw: Any, address: Any) -> None:
        # The inbound slot is given back when this returns; libp2p's own handler
        # keeps it until the node stops, and accepts nobody after 250 connections.
        muxed = await upgrade(raw, address)
        await muxed.event_closed.wait()
        raise ConnectionAbortedError

    swarm.set_stream_handler(handle_safely)
    swarm.upgrade_inbound_raw_conn = upgrade_until_closed


def _new_gossip(host: Any, topics: Sequence[str]) -> tuple[Any, Any]:
    """Router and pubsub service, not yet running."""
    router = _Gossip(
        # 1.2 sends an IDONTWANT for each message, whatever its size: twice the cost.
        protocols=[TProtocol("/meshsub/1.1.0")],
        degree=8,
        degree_low=6,
        # Above the number of connections: with fewer, a node can be pruned by all of
        # its peers at once and stay alone.
        degree_high=MAX_CONNECTIONS,
        heartbeat_interval=1,
        gossip_window=5,
        gossip_history=10,
        # It slows the heartbeat of a small network to 30 s.
        adaptive_gossip_enabled=False,
        # It counts our own messages: 10 a second, and no more.
        spam_protection_enabled=False,
        eclipse_protection_enabled=False,
    )
    pubsub = _SafePubsub(host, router, strict_signing=True, allowed_topics=set(topics))
    for topic in topics:
        pubsub.set_topic_validator(topic, _is_small, is_async_validator=False)
    return router, pubsub


def _is_small(_forwarder: Any, message: Any) -> bool:
    # Size is the one thing a message is refused for before it is passed on: verdicts
    # are remembered for minutes, so they must not depend on anything that changes.
    return len(message.data) <= MAX_MESSAGE


class Host:
    """A running libp2p host; `open_host` makes one."""

    def __init__(
        self, seed: bytes, listen: Sequence[str], topics: Sequence[str]
    ) -> None:
        check_libp2p()
        _patch_modules()
        for address in listen:
            check_can_listen(address)
        self._listen = [Multiaddr(address) for address in listen]
        self._host = _new_libp2p_host(seed, self._listen)
        self._network = self._host.get_network()
        self._router, self._pubsub = _new_gossip(self._host, topics)
        self._topics = tuple(topics)
        self._subscriptions: dict[str, Any] = {}
        self._changed = trio.Event()
        self._network.register_notifee(_Watcher(self._note_change))

    # Who we are and whom we are connected to

    @property
    def peer_id(self) -> str:
        """The node's libp2p name, derived from its key."""
        return str(self._host.get_id())

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where others reach this node; each ends in /p2p/PEER-ID."""
        found = (a for one in self._network.listeners.values() for a in one.get_addrs())
        return tuple(f"{address}/p2p/{self.peer_id}" for address in found)

    def peers(self) -> dict[str, str]:
        """Peer id -> address of every peer with an open connection."""
        connections: dict[Any, list[Any]] = self._network.connections
        return {
            str(peer): address_of(one)
            for peer, several in connections.items()
            for one in several
            if not one.is_closed
        }

    async def wait_change(self) -> None:
        """Returns once a connection has come or gone since the call."""
        await self._changed.wait()

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    # Connections

    async def connect(self, address: str) -> str:
        """Connects to `.../p2p/PEER-ID` unless connected; the peer id.

        PeerError if nobody answers there, or somebody else.  One address at a time:
        libp2p tries only one of several.
        """
        info = parse_peer(address)
        peer = str(info.peer_id)
        if peer == self.peer_id:
            raise PeerError(f"{address} is this node itself")
        # Without these, a failed dial blocks the next for a minute, and an address
        # tried earlier is tried instead of this one.
        self._network.unblock_peer(info.peer_id)
        with suppress(Exception):
            self._host.get_peerstore().clear_addrs(info.peer_id)
        try:
            with trio.fail_after(CONNECT_SECONDS):
                await self._host.connect(info)
        except trio.TooSlowError:
            raise PeerError(f"no answer from {address}") from None
        except Exception as error:
            reason = _dial_reason(error)
            raise PeerError(f"cannot connect to {address}: {reason}") from error
        return peer

    def drop(self, peer: str) -> None:
        """Closes the sockets of all connections to a peer, without a farewell.

        The orderly way waits for locks that a frozen peer never gives back.
        """
        for connection in self._network.get_connections(ID.from_base58(peer)):
            if sock := socket_of(connection):
                sock.close()

    # Streams

    def set_stream_handler(
        self, protocol: str, handler: Callable[[Stream], Awaitable[None]]
    ) -> None:
        """Runs `handler` for each stream that a peer opens for `protocol`."""

        async def handle(stream: Any) -> None:
            await handler(Stream(stream))

        self._host.set_stream_handler(TProtocol(protocol), handle)

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """A stream to a connected peer.  PeerError if it does not speak `protocol`."""
        if peer not in self.peers():
            raise PeerError("not connected")
        name = ID.from_base58(peer)
        try:
            return Stream(await self._host.new_stream(name, [TProtocol(protocol)]))
        except Exception as error:
            reason = reason_of(error)
            if "not supported" in reason:
                raise UnspokenError.of(protocol) from error
            raise PeerError(reason) from error

    # Messages to everybody

    async def publish(self, topic: str, data: bytes) -> None:
        """Sends up to MAX_MESSAGE bytes into the mesh; nobody promises delivery."""
        if len(data) > MAX_MESSAGE:
            raise ValueError(f"a message of {len(data)} bytes")
        await self._pubsub.publish(topic, data)

    async def messages(self, topic: str) -> AsyncIterator[Message]:
        """What others publish.  Read it without pausing: a full queue drops."""
        async for message in self._subscriptions[topic]:
            sender = str(ID(message.from_id))
            if sender != self.peer_id:
                yield Message(sender, bytes(message.data))

    # Running

    async def serve(self, started: Callable[[], None], stop: trio.Event) -> None:
        """Runs libp2p until `stop` (background.Service)."""
        sockets: list[Any] = []
        try:
            async with AsyncExitStack() as stack:
                await self._start(stack)
                started()
                await self._tidy_until(stop)
                await self._close_listeners()
                # Nor would it close its connections; and it forgets them.
                sockets += map(socket_of, self._network.get_connections())
        finally:
            self._pubsub.seen_messages.stop()
            for sock in filter(None, sockets):
                sock.close()

    async def _start(self, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(self._host.run(listen_addrs=self._listen))
        if len(self._network.listeners) < len(self._listen):
            raise ConfigError(f"cannot listen on {', '.join(map(str, self._listen))}")
        await stack.enter_async_context(background_trio_service(self._router))
        await stack.enter_async_context(background_trio_service(self._pubsub))
        await self._pubsub.wait_until_ready()
        for topic in self._topics:
            self._subscriptions[topic] = await self._pubsub.subscribe(topic)

    async def _tidy_until(self, stop: trio.Event) -> None:
        while not stop.is_set():
            with trio.move_on_after(TIDY_SECONDS):
                await stop.wait()
            # It grows for ever where adaptive gossip is off.
            self._router.recent_message_deliveries.clear()

    async def _close_listeners(self) -> None:
        # libp2p would do it under a cancelled scope, and so not at all: the port would
        # go on accepting.
        for listener in list(self._network.listeners.values()):
            await listener.close()


@asynccontextmanager
async def open_host(
    seed: bytes, listen: Sequence[str], topics: Sequence[str]
) -> AsyncIterator[Host]:
    """A host that listens; `seed` is the 32-byte secret of its identity.

    ConfigError where an address cannot be listened on, PeerError where libp2p fails.
    It is stopped in order even if the caller is cancelled.
    """
    host = Host(seed, listen, topics)
    async with in_background(host.serve, name="libp2p", stop_seconds=STOP_SECONDS):
        yield host


# Addresses and reasons


def parse_peer(address: str) -> Any:
    """libp2p's form of an address that can be dialled; ConfigError if it is none."""
    try:
        return info_from_p2p_addr(Multiaddr(address))
    except Exception as error:
        expected = "expected an address like /ip4/127.0.0.1/tcp/4737/p2p/PEER-ID"
        raise ConfigError(f"{expected}, got {address!r}") from error


def _dial_reason(error: BaseException) -> str:
    kinds = tuple(type(one) for one in causes(error))
    if PeerIDMismatchesPubkey in kinds:
        return "a node with another peer id answers there"
    if any(issubclass(kind, UpgradeFailure) for kind in kinds):
        return "what answers there is not a Byline node"
    return reason_of(error)
