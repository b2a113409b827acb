"""The libp2p host: who may connect, and how requests and messages travel.

Rule: libp2p is imported here and in host_setup.py, host_gossip.py, host_patches.py and
host_dht.py, and nowhere else; the rest of the node sees peer ids, topics and bytes.
What this file does is run it, and bring what it raises into this house's errors.  As it
comes, py-libp2p is not fit for strangers: the other four files are for that.  Wire
protocol: docs/spec/network.md; reasons: docs/adr/0007-libp2p-host.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import trio
from libp2p.abc import INotifee
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.tools.anyio_service import background_trio_service
from libp2p.transport.exceptions import UpgradeFailure
from multiaddr import Multiaddr

from byline_node import host_setup
from byline_node.background import in_background
from byline_node.errors import ConfigError, PeerError, UnspokenError
from byline_node.host_gossip import MAX_MESSAGE, BoundedGossip, SafePubsub
from byline_node.host_patches import apply_patches, check_libp2p
from byline_node.host_setup import Doorkeeper, OpenDoor, new_libp2p_host
from byline_node.ports import check_can_listen
from byline_node.reasons import causes, reason_of
from byline_node.streams import Link, Message, Stream, address_of, socket_of

CONNECT_SECONDS = 15.0
STOP_SECONDS = 2.0
TIDY_SECONDS = 3600.0


class _Watcher(INotifee):  # type: ignore[misc]  # untyped base
    """Calls back whenever a connection comes or goes."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    async def connected(self, _network: Any, _conn: Any) -> None:
        self._changed()

    async def disconnected(self, network: Any, conn: Any) -> None:
        network.byline_unread.forget(conn.muxed_conn)
        self._changed()

    async def opened_stream(self, _network: Any, _stream: Any) -> None: ...
    async def closed_stream(self, _network: Any, _stream: Any) -> None: ...
    async def listen(self, _network: Any, _multiaddr: Any) -> None: ...
    async def listen_close(self, _network: Any, _multiaddr: Any) -> None: ...


class Host:
    """A running libp2p host; `open_host` makes one."""

    def __init__(
        self,
        seed: bytes,
        listen: Sequence[str],
        topics: Sequence[str],
        network_key: bytes | None = None,
    ) -> None:
        check_libp2p(host_setup.OUTSIDE_NAMES)
        apply_patches()
        check_can_listen(listen)
        self.door: Doorkeeper = OpenDoor()
        """Asked about each peer, and told of each that misbehaves."""
        self._listen = [Multiaddr(address) for address in listen]
        self._has_key = network_key is not None
        self._host = new_libp2p_host(seed, self._listen, network_key, lambda: self.door)
        self._network = self._host.get_network()
        self._router = BoundedGossip(degree_high=host_setup.MAX_CONNECTIONS)
        self._pubsub = SafePubsub(self._host, self._router, topics)
        self._pubsub.charge = lambda *fault: self.door.charge(*fault)
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

    def interfaces(self) -> tuple[str, ...]:
        """Those addresses, and instead of "any" those that this machine has now."""
        found = (a for one in self._network.listeners.values() for a in one.get_addrs())
        return tuple(str(one) for a in found for one in host_setup.expanded(a))

    def peers(self) -> dict[str, str]:
        """Peer id -> address of every peer with an open connection."""
        connections: dict[Any, list[Any]] = self._network.connections
        return {
            str(peer): address_of(one)
            for peer, several in connections.items()
            for one in several
            if not one.is_closed
        }

    def links(self) -> dict[str, Link]:
        """More about every peer with an open connection."""
        connections: dict[Any, list[Any]] = self._network.connections
        found = {str(name): self._link(name, connections[name]) for name in connections}
        return {peer: link for peer, link in found.items() if link is not None}

    def link(self, peer: str) -> Link | None:
        """The same of one peer; None if it has no open connection."""
        try:
            name = ID.from_base58(peer)
        except ValueError:
            return None
        return self._link(name, self._network.connections.get(name, []))

    def _link(self, peer: Any, several: list[Any]) -> Link | None:
        connections = [one for one in several if not one.is_closed]
        if not connections:
            return None
        store, agent = self._host.get_peerstore(), None
        with suppress(Exception):
            agent = str(store.get(peer, "agent")) or None
        muxed = [one.muxed_conn for one in connections]
        dialled = [one for one in connections if one.direction.name == "OUTBOUND"]
        return Link(
            address=address_of(connections[0]),
            is_outbound=bool(dialled),
            dialled=address_of(dialled[0]) if dialled else "",
            agent=agent,
            bytes_in=sum(getattr(one, "byline_in", 0) for one in muxed),
            bytes_out=sum(getattr(one, "byline_out", 0) for one in muxed),
        )

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
        if self.door.refused_for(peer):
            raise PeerError(f"{address} is refused for its conduct")
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
            reason = _dial_reason(error, self._has_key)
            raise PeerError(f"cannot connect to {address}: {reason}") from error
        return peer

    async def probe(self, address: str) -> None:
        """Whether the peer of `.../p2p/PEER-ID` is there; else PeerError.

        Up to the end of the handshake, and no further: there is no second connection
        to a peer that is connected.
        """
        info = parse_peer(address)
        try:
            with trio.fail_after(CONNECT_SECONDS):
                await host_setup.prove_peer(self._network, info)
        except trio.TooSlowError:
            raise PeerError(f"no answer from {address}") from None
        except Exception as error:
            reason = _dial_reason(error, self._has_key)
            raise PeerError(f"cannot reach {address}: {reason}") from error

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

    def open_dht(self, seams: Any) -> Any:
        """Kademlia on this host, fenced in (host_dht.Dht); not running yet."""
        from byline_node import host_dht  # only where it is asked for

        check_libp2p(host_dht.OUTSIDE_NAMES)
        return host_dht.Dht(self._host, seams)

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
            self._router.tidy()

    async def _close_listeners(self) -> None:
        # libp2p would do it under a cancelled scope, and so not at all: the port would
        # go on accepting.
        for listener in list(self._network.listeners.values()):
            await listener.close()


@asynccontextmanager
async def open_host(
    seed: bytes,
    listen: Sequence[str],
    topics: Sequence[str],
    *,
    network_key: bytes | None = None,
) -> AsyncIterator[Host]:
    """A host that listens; `seed` is the 32-byte secret of its identity.

    With a `network_key` it talks only to those who have the same.  ConfigError where an
    address cannot be listened on, PeerError where libp2p fails.  It is stopped in order
    even if the caller is cancelled.
    """
    host = Host(seed, listen, topics, network_key)
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


def _dial_reason(error: BaseException, has_key: bool) -> str:
    kinds = tuple(type(one) for one in causes(error))
    if PeerIDMismatchesPubkey in kinds:
        return "a node with another peer id answers there"
    if any(issubclass(kind, UpgradeFailure) for kind in kinds):
        other = "no Byline node, or one with another network key"
        return f"what answers there is {other if has_key else 'not a Byline node'}"
    return reason_of(error)
