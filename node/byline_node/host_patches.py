"""What of libp2p is replaced for the whole process: functions, classes, constants.

Rule: one entry in PATCHES for each, and a sentence that says what happens without it;
tests/node/test_hardening.py takes each back and shows that.  What only the DHT needs is
in host_dht.py.  They fit one version of libp2p, so `check_libp2p` refuses every other,
and one that lacks a name used here or in the host_*.py beside it.  Reasons:
docs/adr/0021-host-hardening.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import trio
from libp2p.exceptions import ParseError
from libp2p.host import basic_host
from libp2p.identity.identify import identify
from libp2p.identity.identify_push import identify_push
from libp2p.io import trio as trio_stream
from libp2p.network.connection import swarm_connection
from libp2p.network.stream import net_stream
from libp2p.protocol_muxer import multiselect_communicator
from libp2p.pubsub import gossipsub
from libp2p.pubsub import pubsub as pubsub_module
from libp2p.stream_muxer.yamux import yamux
from libp2p.tools.anyio_service import context as service_context
from libp2p.transport.tcp import tcp as tcp_module
from libp2p.transport.websocket import listener as ws_listener
from libp2p.transport.websocket import proxy_env
from libp2p.transport.websocket import transport as ws_transport
from libp2p.utils.varint import read_varint_prefixed_bytes_limited
from trio_websocket import WebSocketServer

from byline_node.errors import ConfigError
from byline_node.host_gossip import (
    OUTSIDE_NAMES,
    BoundedQueue,
    QuickManager,
    require_few,
    strict_reading,
    strict_signatures,
)
from byline_node.host_streams import (
    NoLock,
    QuickLock,
    bounded_body,
    counted_frames,
    give_credit,
    quick_locks,
    read_ahead,
    whole_writes,
)
from byline_node.ports import reuse_address_only

LIBP2P_VERSION = "0.8.1"

SUBSCRIPTION_MESSAGES = 4_096
MAX_NEGOTIATION = 4_096
"""Bytes of one line of protocol negotiation."""
MAX_IDENTIFY = 65_536
"""Bytes of what a peer says it is."""
MAX_PROTOCOLS = 64
MAX_PROTOCOL_NAME = 128
MAX_AGENT = 64
MAX_WS_HANDSHAKES = 64
WS_HANDSHAKE_SECONDS = 10.0
MAX_WS_MESSAGE = 1 << 20


# Replacements


async def read_delim(reader: Any) -> bytes:
    """One line of multistream-select."""
    try:
        line = await read_varint_prefixed_bytes_limited(reader, MAX_NEGOTIATION)
    except ValueError as error:
        raise ParseError(str(error)) from error
    if line[-1:] != b"\n":
        raise ParseError("expected a line of multistream-select")
    return bytes(line[:-1])


def bounded_identify(read: Any) -> Any:
    """Reads what a peer says it is; resets the stream where that is too long."""

    async def read_identify(stream: Any, use_varint_format: bool = True) -> bytes:
        try:
            data: bytes = await read(stream, use_varint_format, MAX_IDENTIFY)
        except Exception:
            # The caller would try again with a read that has no end.
            await stream.reset()
            raise
        return data

    return read_identify


async def remember_identify(store: Any, peer: Any, said: Any) -> None:
    """Keeps the protocols and the program's name; no addresses: nobody dials."""
    store.put(peer, "agent", printable(said.agent_version)[:MAX_AGENT])
    names = [n for n in said.protocols[:MAX_PROTOCOLS] if len(n) <= MAX_PROTOCOL_NAME]
    store.clear_protocol_data(peer)
    store.add_protocols(peer, names)


def printable(text: str) -> str:
    return "".join(one for one in text if one.isprintable())


def no_record(_host: Any) -> tuple[bytes, bool]:
    """Instead of the signed addresses that would go with each packet (the other end of
    require_few); host_gossip.py leaves the empty field out."""
    return b"", False


async def no_tracking(_transport: Any, _connection: Any) -> None:
    """libp2p counts WebSockets that are dialled, and never that one has ended."""


class BoundedWebSockets(WebSocketServer):  # type: ignore[misc]  # untyped base
    """A WebSocket server on which few strangers can hang about before they speak."""

    def __init__(self, handler: Any, listeners: Any) -> None:
        super().__init__(
            self._serve_greeted,
            listeners,
            max_message_size=MAX_WS_MESSAGE,
            connect_timeout=WS_HANDSHAKE_SECONDS,
            disconnect_timeout=1.0,
        )
        self._serve = handler
        self._greeting: set[Any] = set()

    async def _handle_connection(self, stream: Any) -> None:
        if len(self._greeting) >= MAX_WS_HANDSHAKES:
            await trio.aclose_forcefully(stream)
            return
        task = trio.lowlevel.current_task()
        self._greeting.add(task)
        try:
            await super()._handle_connection(stream)
        except Exception:  # whatever a stranger's bytes bring about
            logging.getLogger("libp2p").debug("bad WebSocket", exc_info=True)
        finally:
            self._greeting.discard(task)

    async def _serve_greeted(self, request: Any) -> None:
        self._greeting.discard(trio.lowlevel.current_task())
        await self._serve(request)


async def serve_websocket(
    handler: Any,
    host: str,
    port: int,
    ssl_context: Any,
    *,
    task_status: Any = trio.TASK_STATUS_IGNORED,
) -> None:
    """trio_websocket's function, with the server above."""
    assert ssl_context is None
    listeners = await trio.open_tcp_listeners(port, host=host)
    await BoundedWebSockets(handler, listeners).run(task_status=task_status)


# The list


@dataclass(frozen=True, slots=True)
class Patch:
    """`where.name` becomes `make(what it was)`."""

    where: Any
    name: str
    make: Callable[[Any], Any]
    without: str
    """What happens without it."""

    @property
    def label(self) -> str:
        return f"{self.where.__name__.rpartition('.')[2]}.{self.name}"


def instead(value: Any) -> Callable[[Any], Any]:
    return lambda _original: value


PATCHES = (
    Patch(
        pubsub_module,
        "SUBSCRIPTION_CHANNEL_SIZE",
        instead(SUBSCRIPTION_MESSAGES),
        "of a burst, 32 messages arrive and the rest is dropped",
    ),
    Patch(
        pubsub_module,
        "RpcQueue",
        instead(BoundedQueue),
        "32 packets are queued for a peer, of any size, and the rest dropped silently",
    ),
    Patch(
        pubsub_module,
        "maybe_consume_signed_record",
        instead(require_few),
        "each packet costs a signature check, and a record that strangers make as"
        " large as they like is kept; two thousand messages in 76 kB take two seconds",
    ),
    Patch(
        pubsub_module,
        "signature_validator",
        strict_signatures,
        "whoever sends messages without a signature is never charged with it",
    ),
    Patch(
        pubsub_module,
        "env_to_send_in_RPC",
        instead(no_record),
        "each packet carries a signed record that no peer reads, and half of the time"
        " that publishing takes goes into asking whether it is still right",
    ),
    Patch(
        gossipsub,
        "env_to_send_in_RPC",
        instead(no_record),
        "as above, for messages",
    ),
    Patch(
        pubsub_module,
        "read_varint_prefixed_bytes_limited",
        strict_reading,
        "who sends packets that are too large is not told from who goes away",
    ),
    Patch(
        service_context,
        "TrioManager",
        instead(QuickManager),
        "for each message all tasks there are are looked through: at 64 peers, a packet"
        " of 512 messages holds everything else up for a tenth of a second",
    ),
    Patch(
        multiselect_communicator,
        "read_delim",
        instead(read_delim),
        "a stranger, before any handshake, names a line of any length, and it is read",
    ),
    Patch(
        basic_host,
        "read_length_prefixed_protobuf",
        bounded_identify,
        "what a peer says it is is read without an end for ten seconds",
    ),
    Patch(
        identify_push,
        "read_length_prefixed_protobuf",
        bounded_identify,
        "a peer may push a megabyte of what it is, again and again",
    ),
    Patch(
        basic_host,
        "update_peerstore_from_identify",
        instead(remember_identify),
        "a thousand addresses and any number of protocols are kept for each peer, but"
        " not the name of its program",
    ),
    Patch(
        identify_push,
        "update_peerstore_from_identify",
        instead(remember_identify),
        "as above, whenever the peer likes",
    ),
    Patch(
        identify,
        "AGENT_VERSION",
        instead(f"byline/{version('byline-ledger')}"),
        "peers see the version of libp2p, and not that of the node",
    ),
    Patch(
        tcp_module,
        "_set_reuse_flags",
        instead(reuse_address_only),
        "a second node on the same port starts, and takes half of the connections",
    ),
    Patch(
        trio_stream.TrioTCPStream,
        "read",
        read_ahead,
        "each frame costs two system calls and two turns of the event loop: a busy node"
        " reads so slowly that its pongs are late, and its peers cut it off",
    ),
    Patch(
        swarm_connection,
        "logging",
        instead(logging.getLogger("libp2p.swarm_connection")),
        "it logs on the root logger, and would even install a handler there",
    ),
    Patch(
        yamux.Yamux,
        "_read_data_body",
        bounded_body,
        "whatever comes on a stream that nobody reads is kept",
    ),
    Patch(
        yamux.Yamux,
        "_write_frame",
        counted_frames,
        "nobody knows how many bytes went to a peer",
    ),
    Patch(
        yamux.YamuxStream,
        "write",
        whole_writes,
        "of two packets sent at once while the window is nearly used up, one ends up"
        " within the other, and an honest peer is charged with it",
    ),
    Patch(
        yamux.YamuxStream,
        "_auto_tune_and_send_window_update",
        instead(give_credit),
        "each read, even of one byte, sends a frame with the credit for it: three for a"
        " gossip packet, each read and decrypted by the other end",
    ),
    Patch(
        trio_stream.TrioTCPStream,
        "__init__",
        quick_locks(write_lock=QuickLock),
        "a packet goes through eight locks, nearly always free, and at each of them"
        " through all of the event loop: half of the turns that a busy node takes",
    ),
    Patch(
        net_stream.NetStream,
        "__init__",
        quick_locks(_state_lock=QuickLock),
        "as above",
    ),
    Patch(
        yamux.Yamux,
        "__init__",
        quick_locks(_write_lock=QuickLock),
        "as above",
    ),
    Patch(
        yamux.YamuxStream,
        "__init__",
        quick_locks(window_lock=QuickLock, rw_lock=NoLock),
        "as above",
    ),
    Patch(
        ws_listener,
        "serve_websocket",
        instead(serve_websocket),
        "any number of strangers may hold a socket for a minute without a word",
    ),
    Patch(
        proxy_env,
        "get_proxy_from_environment",
        instead(lambda _url: None),
        "HTTP_PROXY diverts WebSocket connections, and is printed to standard output",
    ),
    Patch(
        ws_transport.WebsocketTransport,
        "_track_connection",
        instead(no_tracking),
        "after a thousand WebSockets that were dialled, whoever named them, none can be"
        " dialled any more until the node is started again",
    ),
)

_ORIGINALS: dict[str, Any] = {}
"""What was there before, by label."""


def apply_patches(patches: Iterable[Patch] = PATCHES) -> None:
    """Once for the process; again is harmless."""
    for patch in patches:
        if patch.label not in _ORIGINALS:
            _ORIGINALS[patch.label] = getattr(patch.where, patch.name)
            setattr(patch.where, patch.name, patch.make(_ORIGINALS[patch.label]))
    # An unreachable peer is an everyday thing; the supervisor says so in one line.
    logging.getLogger("libp2p").setLevel(logging.CRITICAL)
    logging.getLogger("trio-websocket").setLevel(logging.CRITICAL)


def check_libp2p(others: Iterable[tuple[Any, str]] = ()) -> None:
    """Refuses every version of libp2p but the one this was written for.

    `others` are names that are replaced elsewhere than here.
    """
    found = version("libp2p")
    if found != LIBP2P_VERSION:
        raise ConfigError(
            f"expected libp2p {LIBP2P_VERSION}, got {found}",
            hint="install the pinned requirements: make setup",
        )
    names = [(patch.where, patch.name) for patch in PATCHES]
    names += [*OUTSIDE_NAMES, *others]
    missing = [name for where, name in names if not hasattr(where, name)]
    if missing:
        raise ConfigError(f"this libp2p lacks {', '.join(missing)}")
