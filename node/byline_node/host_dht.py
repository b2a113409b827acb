"""libp2p's Kademlia under Byline's own protocol, fenced in: it finds peers, no more.

Rule: it talks to connected peers alone, so it never dials; what it hears of others goes
to the address book, which decides who is dialled.  It tells only of peers that this
node reached itself.  It keeps no values, and providers of one key.  Each message, in
and out, is bounded and stripped here before libp2p's own code sees it.  Reasons:
docs/adr/0026-discovery.md; specification: docs/spec/network.md, "DHT".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any, Protocol

import structlog
import trio
from google.protobuf.message import DecodeError
from libp2p.custom_types import TProtocol
from libp2p.kad_dht import common, kad_dht, peer_routing, provider_store, value_store
from libp2p.kad_dht.kad_dht import DHTMode, KadDHT
from libp2p.kad_dht.pb.kademlia_pb2 import Message
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.tools.anyio_service import background_trio_service
from libp2p.utils.varint import encode_uvarint, read_varint_prefixed_bytes_limited
from multiaddr import Multiaddr

from byline_ledger.errors import MalformedError
from byline_ledger.peer_address import Reach, passing
from byline_node.budgets import Budget
from byline_node.errors import PeerError
from byline_node.host_patches import Patch, apply_patches, instead, no_record
from byline_node.reasons import reason_of

PROTOCOL = "/byline/kad/1.0.0"
ARCHIVE = b"\x12\x20" + sha256(b"byline/archive/v1").digest()
"""The one key that has providers: nodes that keep a log."""
MAX_MESSAGE = 32_768
MAX_PEERS = 20
MAX_ADDRESSES = 8
MAX_ADDRESS_BYTES = 64
MAX_KEY = 64
MAX_PROVIDERS = 256
ANSWERS = 1.0, 30.0
"""A second, and at once, to one peer."""
SECONDS = 10.0
"""For one message to come, and to be answered."""
SPEAKERS = (kad_dht, peer_routing, provider_store, value_store)
KINDS = (
    Message.MessageType.FIND_NODE,
    Message.MessageType.GET_PROVIDERS,
    Message.MessageType.ADD_PROVIDER,
)

log = structlog.get_logger("byline.dht")


class Seams(Protocol):
    """What the DHT needs of the node (dht_search.NodeSeams)."""

    def known(self, peer: str, /) -> Sequence[str]: ...
    def heard(self, peer: str, addresses: Iterable[str], /) -> None: ...
    def reach(self, peer: str, /) -> Reach: ...
    def own(self) -> Iterable[str]: ...
    def charge(self, peer: str, reason: str, is_flood: bool, /) -> None: ...


class Dht:
    """Kademlia on a host that runs; `run` it in a nursery."""

    def __init__(self, host: Any, seams: Seams) -> None:
        """`host` is libp2p's."""
        apply_patches(DHT_PATCHES)
        self._host = host
        self._seams = seams
        self._limit = Budget(*ANSWERS, trio.current_time)
        # With values off it would still keep them: Fence lets no such message in.
        self._kad = KadDHT(Fence(host, seams), DHTMode.SERVER, enable_values=False)
        host.set_stream_handler(TProtocol(PROTOCOL), self._serve)

    @property
    def size(self) -> int:
        """Peers in the routing table."""
        return int(self._kad.routing_table.size())

    @property
    def providers(self) -> int:
        """Provider records kept."""
        return int(self._kad.provider_store.size())

    async def run(self) -> None:
        """Its service; until cancelled.  A fault of it ends it, and nothing else."""
        try:
            async with background_trio_service(self._kad):
                await trio.sleep_forever()
        except Exception as error:  # noqa: BLE001  # libp2p's own
            log.error("the DHT has stopped", reason=reason_of(error))

    async def _serve(self, stream: Any) -> None:
        """Answers one peer's messages, one at a time."""
        peer = str(stream.muxed_conn.peer_id)
        with suppress(Exception):  # a stream that ended, or is reset below
            while True:
                with trio.fail_after(SECONDS):
                    data = await read_varint_prefixed_bytes_limited(stream, MAX_MESSAGE)
                    await stream.write(await self._answer(peer, stream, data))
        with suppress(Exception):
            await stream.reset()

    async def _answer(self, peer: str, stream: Any, data: bytes) -> bytes:
        """The framed answer to one message; PeerError if there is none."""
        if not self._limit.takes(peer):
            self._seams.charge(peer, "asks the DHT too often", True)
            raise PeerError("too often")
        reach = self._seams.reach(peer)
        try:
            message = parsed(data)
            require_served(message)
        except MalformedError as error:
            self._seams.charge(peer, str(error), False)
            raise
        keep_own(message, peer)
        said = Said(stream, stripped(message, reach, self._seams.heard))
        await self._kad._do_handle_stream(said)
        self._trim()
        if not said.written:
            raise PeerError("no answer")
        answer = parsed(unframed(bytes(said.written)))
        proven = [one for one in answer.providerPeers if self._is_proven(ID(one.id))]
        del answer.providerPeers[:]
        answer.providerPeers.extend(proven)
        return framed(stripped(answer, reach, with_addresses=True))

    def _is_proven(self, peer: Any) -> bool:
        return peer == self._host.get_id() or bool(self._seams.known(str(peer)))

    def _trim(self) -> None:
        """Names cost nothing, so providers are few: who was never reached goes first,
        and of those the oldest."""
        providers = self._kad.provider_store.providers.get(ARCHIVE, {})

        def worth(peer: Any) -> tuple[bool, float]:
            return self._is_proven(peer), providers[peer].timestamp

        while len(providers) > MAX_PROVIDERS:
            del providers[min(providers, key=worth)]

    async def refresh(self) -> None:
        """Meets the peers that are connected, asks them for others, says it is here."""
        try:
            await self._refresh()
        except Exception as error:  # noqa: BLE001  # libp2p's own
            log.debug("DHT not refreshed", reason=reason_of(error))

    async def _refresh(self) -> None:
        await self._note_connected()
        await self._kad.peer_routing.refresh_routing_table()
        if self.size:
            await self._kad.provider_store.provide(ARCHIVE)
            await self.find_archives()

    async def find_archives(self) -> list[str]:
        """Peer ids of archives, each once; where they are is heard on the way."""
        store, found = self._kad.provider_store, dict[str, None]()
        closest = await self._kad.peer_routing.find_closest_peers_network(ARCHIVE)
        for peer in closest[:MAX_PEERS]:
            with trio.move_on_after(SECONDS):
                said, _ = await store._get_providers_from_peer_with_closers(
                    peer, ARCHIVE
                )
                found |= dict.fromkeys(str(one.peer_id) for one in said)
        found.pop(str(self._host.get_id()), None)
        return list(found)

    async def _note_connected(self) -> None:
        """Inbound peers are not added by themselves, nor are gone ones removed."""
        table = self._kad.routing_table
        connected = set(self._host.get_connected_peers())
        for peer in set(table.get_peer_ids()) - connected:
            table.remove_peer(peer)
        for peer in connected:
            addresses = list(map(Multiaddr, self._seams.known(str(peer))))
            if addresses and speaks_dht(self._host, peer):
                await table.add_peer(PeerInfo(peer, addresses))


class Fence:
    """The host as Kademlia sees it: connected peers, and what we know ourselves."""

    def __init__(self, host: Any, seams: Seams) -> None:
        self._host = host
        self._seams = seams

    def get_id(self) -> Any:
        return self._host.get_id()

    def get_connected_peers(self) -> list[Any]:
        """Those that speak it."""
        peers = self._host.get_connected_peers()
        return [peer for peer in peers if speaks_dht(self._host, peer)]

    def get_addrs(self) -> list[Multiaddr]:
        return [Multiaddr(one) for one in self._seams.own()]

    def get_peerstore(self) -> Fence:
        """It is its own: nothing that strangers say is kept in libp2p's."""
        return self

    def set_stream_handler(self, _protocol: Any, _handler: Any) -> None:
        """`Dht._serve` answers instead."""

    async def new_stream(self, peer: Any, protocols: Sequence[Any]) -> Any:
        if peer not in self._host.get_connected_peers():
            raise PeerError("not connected")
        stream = await self._host.new_stream(peer, protocols)
        return Asked(stream, self._seams) if PROTOCOL in protocols else stream

    # The peer store

    def addrs(self, peer: Any) -> list[Multiaddr]:
        return [Multiaddr(one) for one in self._seams.known(str(peer))]

    def add_addrs(self, _peer: Any, _addresses: Any, _ttl: int) -> None:
        """They went to the address book."""

    def get_peer_record(self, _peer: Any) -> None:
        return None

    def get_protocols(self, _peer: Any) -> list[str]:
        return [PROTOCOL]

    def peer_ids(self) -> list[Any]:
        return []


class Said:
    """A stream of one message, which keeps what is answered."""

    def __init__(self, stream: Any, message: Any) -> None:
        self.muxed_conn = stream.muxed_conn
        self._left = framed(message)
        self.written = bytearray()

    async def read(self, most: int) -> bytes:
        await trio.lowlevel.checkpoint()
        chunk, self._left = self._left[:most], self._left[most:]
        return chunk

    async def write(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.written += data

    async def close(self) -> None: ...
    async def reset(self) -> None: ...


class Asked:
    """A stream on which a peer is asked: what goes out and comes in is stripped."""

    def __init__(self, stream: Any, seams: Seams) -> None:
        self._stream = stream
        self._seams = seams
        self._peer = str(stream.muxed_conn.peer_id)
        self._out = bytearray()
        self._left: bytes | None = None

    async def write(self, data: bytes) -> None:
        """Length and message come one after the other."""
        self._out += data
        with suppress(MalformedError):
            message = parsed(unframed(bytes(self._out)))
            self._out.clear()
            reach = self._seams.reach(self._peer)
            await self._stream.write(
                framed(stripped(message, reach, with_addresses=True))
            )

    async def read(self, most: int) -> bytes:
        if self._left is None:
            self._left = framed(await self._read_answer())
        chunk, self._left = self._left[:most], self._left[most:]
        return chunk

    async def _read_answer(self) -> Any:
        data = await read_varint_prefixed_bytes_limited(self._stream, MAX_MESSAGE)
        try:
            message = parsed(data)
        except MalformedError as error:
            self._seams.charge(self._peer, str(error), False)
            raise
        return stripped(message, self._seams.reach(self._peer), self._seams.heard)

    async def close(self) -> None:
        await self._stream.close()

    async def reset(self) -> None:
        await self._stream.reset()


# Messages


def parsed(data: bytes) -> Any:
    """A message of bounded parts, else MalformedError."""
    message = Message()
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise MalformedError("DHT: expected a message of Kademlia") from None
    if len(message.key) > MAX_KEY:
        raise MalformedError(f"DHT: expected a key of at most {MAX_KEY} bytes")
    for peers in (message.closerPeers, message.providerPeers):
        if len(peers) > MAX_PEERS + 1:
            raise MalformedError(f"DHT: expected at most {MAX_PEERS + 1} peers")
    return message


def require_served(message: Any) -> None:
    """MalformedError for what no node of ours asks: values, and other keys."""
    if message.type not in KINDS or message.HasField("record"):
        raise MalformedError("DHT: expected a search for peers or for archives")
    if message.type != Message.MessageType.FIND_NODE and message.key != ARCHIVE:
        raise MalformedError("DHT: expected the key of archives")


def keep_own(message: Any, peer: str) -> None:
    """Leaves nothing of a request but what it is about: who provides is the sender."""
    del message.closerPeers[:]
    own: list[Any] = []
    if message.type == Message.MessageType.ADD_PROVIDER:
        name = ID.from_base58(peer).to_bytes()
        own = [one for one in message.providerPeers if one.id == name][:1]
    del message.providerPeers[:]
    message.providerPeers.extend(own)


def stripped(
    message: Any,
    reach: Reach,
    note: Callable[[str, list[str]], None] = lambda _peer, _addresses: None,
    *,
    with_addresses: bool = False,
) -> Any:
    """The message without records, and with addresses that may pass; or, of other
    peers, with none: they go to `note`.  A provider keeps its own: it needs one."""
    message.ClearField("record")
    message.ClearField("senderRecord")
    is_provider = message.type == Message.MessageType.ADD_PROVIDER
    for one in (*message.closerPeers, *message.providerPeers):
        one.ClearField("signedRecord")
        found = allowed(one.addrs, reach)
        if found and not with_addresses:
            with suppress(Exception):  # a name that is none
                note(str(ID(one.id)), found)
        del one.addrs[:]
        if with_addresses or is_provider:
            one.addrs.extend(Multiaddr(text).to_bytes() for text in found)
    return message


def allowed(addresses: Iterable[bytes], reach: Reach) -> list[str]:
    """Those of a form and a reach that a record may have."""
    texts: list[str] = []
    for data in list(addresses)[:MAX_ADDRESSES]:
        with suppress(Exception):  # whatever a stranger calls an address
            text = str(Multiaddr(data[:MAX_ADDRESS_BYTES]))
            texts.append(text.partition("/p2p/")[0])
    return [one.text for one in passing(texts, reach)]


def framed(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return bytes(encode_uvarint(len(data))) + data


def unframed(data: bytes) -> bytes:
    """The message after its length; MalformedError while it is not all there."""
    size, used = 0, 0
    for used, byte in enumerate(data[:5], 1):
        size |= (byte & 0x7F) << 7 * (used - 1)
        if byte < 0x80:
            break
    if not data or len(data) != used + size:
        raise MalformedError("DHT: expected a whole message")
    return data[used:]


def speaks_dht(host: Any, peer: Any) -> bool:
    try:
        return PROTOCOL in host.get_peerstore().get_protocols(peer)
    except Exception as error:  # noqa: BLE001  # libp2p has several for "unknown"
        log.debug("no protocols", peer=str(peer), reason=reason_of(error))
        return False


# What is replaced for the whole process, once there is a DHT


DHT_PATCHES = (
    *(
        Patch(
            module,
            "PROTOCOL_ID",
            instead(TProtocol(PROTOCOL)),
            "it speaks /ipfs/kad/1.0.0, whatever `protocol_prefix` says, and so joins"
            " the public network",
        )
        for module in (common, *SPEAKERS)
    ),
    *(
        Patch(
            module,
            "env_to_send_in_RPC",
            instead(no_record),
            "each message costs a signed record, which is taken out again; and the"
            " fence has no key for it",
        )
        for module in SPEAKERS
    ),
)

OUTSIDE_NAMES = (
    *((patch.where, patch.name) for patch in DHT_PATCHES),
    (KadDHT, "_do_handle_stream"),
)
"""What is replaced or used here beside libp2p's documented interface."""
