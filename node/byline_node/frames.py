"""Frames on a stream: `u32 length | body`, big-endian (docs/spec/network.md, "Frames").

Rule: a reader names the largest body it accepts before it reads one, so that a peer
can never make it allocate more; and a stream that ends inside a frame is an error,
while one that ends between two frames has simply ended.
"""

from __future__ import annotations

from typing import Protocol

from byline_ledger.errors import MalformedError
from byline_node.errors import TruncatedError

HEAD_BYTES = 4
CHUNK_BYTES = 65_536


class ByteStream(Protocol):
    """The little that frames need of a connection."""

    async def receive(self, most: int) -> bytes:
        """1 to `most` bytes; none at the end of the stream."""

    async def send(self, data: bytes) -> None:
        """Returns once all of it is on its way."""


async def write_frame(stream: ByteStream, body: bytes) -> None:
    """One frame, in one write: the stream has no other writer."""
    await stream.send(len(body).to_bytes(HEAD_BYTES, "big") + body)


async def read_frame(stream: ByteStream, most: int) -> bytes | None:
    """The body of the next frame, or None where the stream has ended.

    MalformedError for a body of more than `most` bytes, or half a frame.
    """
    head = await read_exactly(stream, HEAD_BYTES)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    if len(head) == HEAD_BYTES and size > most:
        raise MalformedError(f"expected a frame of at most {most} bytes, got {size}")
    body = await read_exactly(stream, size) if len(head) == HEAD_BYTES else b""
    if len(head) < HEAD_BYTES or len(body) < size:
        raise TruncatedError("the stream ended inside a frame")
    return body


async def read_exactly(stream: ByteStream, size: int) -> bytes:
    """Exactly `size` bytes, or fewer if the stream ends first."""
    data = bytearray()
    while len(data) < size:
        chunk = await stream.receive(min(size - len(data), CHUNK_BYTES))
        if not chunk:
            break
        data += chunk
    return bytes(data)
