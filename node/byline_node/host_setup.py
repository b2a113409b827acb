"""Makes a host of libp2p that strangers may dial: transports, limits, who comes in.

Rule: whatever libp2p would do by itself (dial, prune, announce what it was told, retry)
is off, and every number that strangers can drive up has a limit here.  What has to be
replaced for the whole process is in host_patches.py, gossip in host_gossip.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import structlog
import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.custom_types import TProtocol
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.swarm import Swarm
from libp2p.rcmgr.connection_limits import ConnectionLimits
from libp2p.rcmgr.manager import ResourceLimits, ResourceManager
from libp2p.security.noise import transport as noise
from libp2p.security.pnet.protector import new_protected_conn
from libp2p.stream_muxer.yamux import yamux
from libp2p.transport.exceptions import MuxerUpgradeFailure, SecurityUpgradeFailure
from libp2p.transport.tcp.tcp import TCP
from libp2p.transport.upgrader import TransportUpgrader
from libp2p.transport.websocket.transport import WebsocketTransport
from multiaddr import Multiaddr
from multiaddr.utils import get_thin_waist_addresses

from byline_node.budgets import is_loopback, owner_of
from byline_node.errors import PeerError
from byline_node.peer_score import Fault
from byline_node.reasons import causes, reason_of
from byline_node.streams import ip_of, socket_of
from byline_node.unread import UnreadBytes

MAX_CONNECTIONS = 256
MAX_INBOUND = 200
MAX_OUTBOUND = MAX_CONNECTIONS - MAX_INBOUND
"""Kept for peers that this node dials: strangers cannot take them."""
MAX_PER_PEER = 3
MAX_PER_IP = 64
"""Inbound connections from one owner of addresses that is not this machine."""
MAX_HANDSHAKES_PER_IP = 32
MAX_STREAMS = 64  # of one connection: beyond 10,000 of all nobody gets one
UPGRADE_SECONDS = 10

log = structlog.get_logger("byline.host")


class Doorkeeper(Protocol):
    """Who is let in, and what is told of strangers (peer_conduct.Conduct)."""

    def charge(self, peer: str, fault: Fault, reason: str, /) -> None: ...
    def turn_away(self, address: str, reason: str, /) -> None: ...
    def refused_for(self, peer: str, /) -> float: ...


class OpenDoor:
    """Lets everybody in, and says nothing."""

    def charge(self, peer: str, fault: Fault, reason: str) -> None: ...
    def turn_away(self, address: str, reason: str) -> None: ...
    def refused_for(self, peer: str) -> float:
        return 0.0


def new_libp2p_host(
    seed: bytes,
    listen: Sequence[Multiaddr],
    network_key: bytes | None,
    door: Callable[[], Doorkeeper],
) -> Any:
    """A host that is not running yet; `door` is asked for anew each time."""
    keys = create_new_key_pair(seed)
    # Noise alone: the default offers plaintext, where a peer id proves nothing.
    secure = noise.Transport(keys, noise_privkey=create_noise_key_pair().private_key)
    security = {noise.PROTOCOL_ID: secure}
    muxers = {TProtocol(yamux.PROTOCOL_ID): yamux.Yamux}
    host = new_host(
        key_pair=keys,
        sec_opt=security,
        muxer_opt=muxers,
        # Both always, so that a node on TCP can dial one on WebSocket; never QUIC.
        transports=[TCP(), WebsocketTransport(TransportUpgrader(security, muxers))],
        listen_addrs=list(listen),
        psk=network_key.hex() if network_key else None,
        connection_config=ConnectionConfig(
            max_connections=MAX_CONNECTIONS,
            max_connections_per_peer=MAX_PER_PEER,
            min_connections=0,
            low_watermark=0,
            high_watermark=MAX_CONNECTIONS,
            inbound_upgrade_timeout=UPGRADE_SECONDS,
            outbound_upgrade_timeout=UPGRADE_SECONDS,
        ),
        resource_manager=ResourceManager(
            limits=ResourceLimits(max_connections=1000),
            connection_limits=connection_limits(),
            # Both make a short burst last: one lowers limits, one closes for a minute.
            enable_circuit_breaker=False,
            enable_graceful_degradation=False,
            # It keeps a bucket for each peer id that ever came.
            enable_rate_limiting=False,
        ),
        negotiate_timeout=UPGRADE_SECONDS,
        # What strangers say our address is would be announced.
        disable_identify_address_discovery=True,
    )
    harden(host.get_network(), door)
    return host


def connection_limits() -> ConnectionLimits:
    return ConnectionLimits(
        max_pending_inbound=64,
        max_pending_outbound=64,
        max_established_inbound=MAX_INBOUND,
        max_established_outbound=MAX_OUTBOUND,
        max_established_per_peer=MAX_PER_PEER,
        max_established_total=MAX_CONNECTIONS,
    )


def harden(swarm: Any, door: Callable[[], Doorkeeper]) -> None:
    """Everything that is replaced in one swarm."""
    dial_nobody(swarm)
    swarm._inbound_limiter.total_tokens = MAX_INBOUND
    swarm.byline_unread = UnreadBytes(lambda muxed: _cut(muxed, door()))
    swarm.set_stream_handler(safe_streams(swarm.common_stream_handler, door))
    swarm.upgrader.upgrade_security = checked_peers(
        swarm.upgrader.upgrade_security, door
    )
    swarm.upgrade_inbound_raw_conn = bounded_inbound(
        swarm.upgrade_inbound_raw_conn, door
    )


def dial_nobody(swarm: Any) -> None:
    swarm.retry_config = RetryConfig(max_retries=0)  # the supervisor redials
    # Whatever the watermarks say, it would dial the addresses that strangers announce.
    swarm.auto_connector.start = trio.lowlevel.checkpoint


def _cut(muxed: Any, door: Doorkeeper) -> None:
    door.charge(str(muxed.peer_id), Fault.FLOOD, "more bytes than are read")
    if sock := socket_of(muxed):
        sock.close()


def safe_streams(handle: Any, door: Callable[[], Doorkeeper]) -> Any:
    """Handles a stream; an exception that left here would end the whole host."""

    async def handle_safely(stream: Any) -> None:
        try:
            if len(stream.muxed_conn.streams) > MAX_STREAMS:
                peer = str(stream.muxed_conn.peer_id)
                door().charge(peer, Fault.FLOOD, "too many streams")
                raise PeerError("too many streams")
            await handle(stream)
        except Exception as error:  # noqa: BLE001  # whatever strangers send
            log.debug("bad stream", reason=reason_of(error))
            with suppress(Exception):
                await stream.reset()

    return handle_safely


def checked_peers(upgrade: Any, door: Callable[[], Doorkeeper]) -> Any:
    """The handshake; it fails for peers that are refused for their conduct."""

    async def upgrade_security(raw: Any, is_initiator: bool, peer: Any = None) -> Any:
        secured = await upgrade(raw, is_initiator, peer)
        if seconds := door().refused_for(str(secured.get_remote_peer())):
            await raw.close()
            raise SecurityUpgradeFailure(f"refused for its conduct for {seconds:.0f} s")
        return secured

    return upgrade_security


def bounded_inbound(upgrade: Any, door: Callable[[], Doorkeeper]) -> Any:
    """Takes in a connection, if its address has not too many; returns at its end."""
    inbound: Counter[str] = Counter()
    handshakes: Counter[str] = Counter()

    async def upgrade_until_closed(raw: Any, address: Any) -> None:
        ip = ip_of(raw)
        # From this machine itself they may come through a proxy.
        most = MAX_INBOUND if is_loopback(ip) else MAX_PER_IP
        with counted(inbound, ip, most, door()):
            with counted(handshakes, ip, MAX_HANDSHAKES_PER_IP, door()):
                muxed = await upgrade_or_say(raw, address, ip)
            # The inbound slot is given back when this returns; libp2p's own handler
            # keeps it until the node stops, and accepts nobody after 250 connections.
            await muxed.event_closed.wait()
        raise ConnectionAbortedError

    async def upgrade_or_say(raw: Any, address: Any, ip: str) -> Any:
        try:
            return await upgrade(raw, address)
        except Exception as error:
            # Who leaves behind the handshake only wanted to know whose address it is.
            if not any(isinstance(one, MuxerUpgradeFailure) for one in causes(error)):
                door().turn_away(ip, reason_of(error))
            raise

    return upgrade_until_closed


async def prove_peer(swarm: Any, info: Any) -> None:
    """Dials the peer's address, has it prove its id, and leaves."""
    address = Multiaddr(f"{info.addrs[0]}/p2p/{info.peer_id}")
    raw = await swarm.transport_manager.transport_for_dialing(address).dial(address)
    try:
        if swarm.psk is not None:
            raw = new_protected_conn(raw, swarm.psk)
        await swarm.upgrader.upgrade_security(raw, True, info.peer_id)
    finally:
        if sock := socket_of(raw):
            sock.close()


def expanded(address: Multiaddr) -> list[Multiaddr]:
    """Of 0.0.0.0 and ::, the addresses of this machine's interfaces; those of loopback
    where it has no other, or where they cannot be listed."""
    with suppress(Exception):
        if found := list(get_thin_waist_addresses(address)):
            return found
    text = str(address)
    for anything, loopback in (
        ("/ip4/0.0.0.0/", "/ip4/127.0.0.1/"),
        ("/ip6/::/", "/ip6/::1/"),
    ):
        text = text.replace(anything, loopback)
    return [Multiaddr(text)]


@contextmanager
def counted(
    counter: Counter[str], ip: str, most: int, door: Doorkeeper
) -> Iterator[None]:
    """Counts one more while the block runs.  PeerError beyond the limit."""
    owner = owner_of(ip)
    if counter[owner] >= most:
        door.turn_away(ip, "too many connections from one address")
        raise PeerError("too many connections from one address")
    counter[owner] += 1
    try:
        yield
    finally:
        counter[owner] -= 1
        if not counter[owner]:
            del counter[owner]


OUTSIDE_NAMES = (
    *((Swarm, name) for name in ("set_stream_handler", "upgrade_inbound_raw_conn")),
    (TransportUpgrader, "upgrade_security"),
)
"""What is replaced here; host_patches.py checks that it is there."""
