"""Streams, messages and connections of libp2p, with the types and errors of this house.

Whatever libp2p raises (dozens of classes, some of them bare) comes out as a PeerError.
No file but host.py and those beside it makes these, and none of this imports libp2p.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import trio

from byline_node.errors import PeerError
from byline_node.reasons import reason_of

RESET_SECONDS = 0.5
READ_AT_ONCE = 1 << 16
MAX_LAYERS = 12
LAYERS = (
    "muxed_conn",
    "secured_conn",
    "conn",
    "read_writer",
    "read_write_closer",
    "_conn",
    "_ws",
    "_stream",
    "stream",
)
"""How the layers of a connection are called in each other, outermost first."""


@dataclass(frozen=True, slots=True)
class Message:
    """Published by the peer `sender`, which signed it, whoever passed it on."""

    sender: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """What is known of the open connections to one peer."""

    address: str
    is_outbound: bool
    """This node dialled at least one of them."""
    agent: str | None
    """The program and version that the peer says it is."""
    bytes_in: int
    bytes_out: int
    dialled: str = ""
    """The address that this node dialled, if it did."""


class Pieces:
    """Reads all that has come, and gives it out in the pieces that are asked for."""

    def __init__(self, read: Callable[[], Awaitable[bytes]]) -> None:
        """`read()` gives what has come: one byte or more, and none at the end."""
        self._read = read
        self._left = bytearray()

    @property
    def is_ready(self) -> bool:
        """Some is left, for which nothing is waited for."""
        return bool(self._left)

    async def take(self, most: int | None = None) -> bytes:
        """1 to `most` bytes, or all that has come; none at the end."""
        if not self._left and most != 0:
            data = bytes(await self._read())
            if most is None or len(data) <= most:
                return data
            self._left += data
        piece = bytes(self._left[:most])
        del self._left[:most]
        return piece


class Stream:
    """What frames.py and requests.py want of a stream."""

    def __init__(self, stream: Any) -> None:
        """Takes over a stream of libp2p."""
        self._stream = stream
        # The head of a frame comes with its body.
        self._pieces = Pieces(self._receive)

    @property
    def peer(self) -> str:
        """Peer id of the other end."""
        return str(self._stream.muxed_conn.peer_id)

    async def receive(self, most: int) -> bytes:
        """1 to `most` bytes; none at the end."""
        return await self._pieces.take(most)

    async def _receive(self) -> bytes:
        try:
            data: bytes = await self._stream.read(READ_AT_ONCE)
        except EOFError:
            return b""
        except Exception as error:
            raise PeerError(f"the connection broke: {reason_of(error)}") from error
        return data

    async def send(self, data: bytes) -> None:
        """All of it."""
        try:
            await self._stream.write(data)
        except Exception as error:
            raise PeerError(f"the connection broke: {reason_of(error)}") from error

    async def reset(self) -> None:
        """Ends both directions, or gives up after half a second."""
        with trio.move_on_after(RESET_SECONDS) as scope, suppress(Exception):
            scope.shield = True
            await self._stream.reset()


def layers_of(connection: Any) -> list[Any]:
    """A connection and what is under it: muxer, encryption, transport, socket.

    Which layers there are depends on the transport and on the network key.
    """
    layers = [connection]
    while len(layers) < MAX_LAYERS:
        inner = [getattr(layers[-1], name, None) for name in LAYERS]
        below = next((one for one in inner if one is not None), None)
        if below is None or any(below is one for one in layers):
            break
        layers.append(below)
    return layers


def socket_of(connection: Any) -> trio.socket.SocketType | None:
    """The TCP socket under encryption and multiplexing."""
    sock: trio.socket.SocketType | None
    sock = getattr(layers_of(connection)[-1], "socket", None)
    return sock


def ip_of(connection: Any) -> str:
    """The other end's IP address; empty if the connection is closed."""
    return _endpoint_of(connection)[0]


def address_of(connection: Any) -> str:
    """Where the other end of a connection is; empty if that is not known.

    libp2p itself does not know it of IPv6 connections, nor how to tell a WebSocket.
    """
    ip, port = _endpoint_of(connection)
    if not ip:
        return ""
    suffix = "/ws" if any(hasattr(one, "_ws") for one in layers_of(connection)) else ""
    return f"/{'ip6' if ':' in ip else 'ip4'}/{ip}/tcp/{port}{suffix}"


def _endpoint_of(connection: Any) -> tuple[str, int]:
    sock = socket_of(connection)
    if sock is not None:
        with suppress(OSError):
            ip, port, *_ = sock.getpeername()
            return str(ip).removeprefix("::ffff:").partition("%")[0], int(port)
    return "", 0
