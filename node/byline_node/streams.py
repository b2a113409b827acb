"""Streams, messages and connections of libp2p, with the types and errors of this house.

Whatever libp2p raises (dozens of classes, some of them bare) comes out as a PeerError.
Only host.py makes these; it is the only file that imports libp2p.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import trio

from byline_node.errors import PeerError
from byline_node.reasons import reason_of

RESET_SECONDS = 0.5
MAX_UNREAD = 16 << 20
"""Bytes that a connection may bring before we read them; the largest window."""


@dataclass(frozen=True, slots=True)
class Message:
    """Published by the peer `sender`, which signed it, whoever passed it on."""

    sender: str
    data: bytes


class Stream:
    """What frames.py and requests.py want of a stream."""

    def __init__(self, stream: Any) -> None:
        """Takes over a stream of libp2p."""
        self._stream = stream

    @property
    def peer(self) -> str:
        """Peer id of the other end."""
        return str(self._stream.muxed_conn.peer_id)

    async def receive(self, most: int) -> bytes:
        """1 to `most` bytes; none at the end."""
        try:
            return bytes(await self._stream.read(most))
        except EOFError:
            return b""
        except Exception as error:
            raise PeerError(f"the connection broke: {reason_of(error)}") from error

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


def bounded_muxer(muxer: type[Any]) -> type[Any]:
    """The Yamux of libp2p, which announces windows, made to hold peers to them.

    As it comes, it keeps whatever arrives on a stream that nobody reads.  The class
    itself is changed, once: libp2p makes its own, whatever subclass it is given.
    """
    read = muxer._read_data_body
    if read.__name__ != _read_bounded.__name__:

        async def _read_bounded_body(muxed: Any, length: int) -> Any:
            return await _read_bounded(read, muxed, length)

        _read_bounded_body.__name__ = _read_bounded.__name__
        muxer._read_data_body = _read_bounded_body
    return muxer


async def _read_bounded(read: Any, muxed: Any, length: int) -> Any:
    unread = sum(map(len, muxed.stream_buffers.values()))
    if unread + length > MAX_UNREAD:
        # The one error here at which libp2p closes the connection.
        raise trio.TooSlowError
    return await read(muxed, length)


def address_of(connection: Any) -> str:
    """Where the other end of a connection is; empty if that is not known."""
    with suppress(Exception):
        return str(connection.get_transport_addresses()[0])
    return ""


def socket_of(connection: Any) -> trio.socket.SocketType | None:
    """The TCP socket under encryption and multiplexing."""
    with suppress(AttributeError):
        raw = connection.muxed_conn.secured_conn.conn.read_writer.read_write_closer
        sock: trio.socket.SocketType = raw.stream.stream.socket
        return sock
    return None
