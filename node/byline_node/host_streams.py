"""Streams and frames of libp2p, made cheap and whole: what replaces parts of them.

Rule: a lock that is free is taken without giving way to other tasks, and what has come
is read at once; so each packet written and each piece read from a socket gives way at
least once, or one peer would keep the others waiting.  host_patches.py puts these in
their places and says what happens without each.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import trio
from libp2p.stream_muxer.exceptions import MuxedStreamReset

from byline_node.streams import Pieces

HEADER_BYTES = 12
READ_AHEAD = 16_384
"""Bytes that are read from a socket at once.  Those of one connection are worked off
without giving way to other tasks, so not too many."""


class QuickLock:
    """A lock that gives way to other tasks only where one of them holds it."""

    def __init__(self) -> None:
        self._lock = trio.Lock()

    async def __aenter__(self) -> None:
        try:
            self._lock.acquire_nowait()
        except trio.WouldBlock:
            await self._lock.acquire()

    async def __aexit__(self, *_error: object) -> None:
        self._lock.release()


class NoLock:
    """For writes that are in turn already (whole_writes)."""

    write_lock = nullcontext


def quick_locks(**locks: Callable[[], Any]) -> Callable[[Any], Any]:
    """Has a class make those of its locks in another way than it does."""

    def make(init: Any) -> Any:
        def init_with_quick_locks(self: Any, *args: Any, **options: Any) -> None:
            init(self, *args, **options)
            for name, new_lock in locks.items():
                setattr(self, name, new_lock())

        return init_with_quick_locks

    return make


async def give_credit(stream: Any, *, bytes_read: int = 0) -> None:
    """Tells the sender that it may send more, once half of the window was read.

    As Yamux wants it.  What was read and not told is what the window lacks, so there
    is nothing to remember from one read to the next.
    """
    async with stream.window_lock:
        unread = len(stream.conn.stream_buffers.get(stream.stream_id, b""))
        window = stream.target_recv_window
        if window - stream.recv_window - unread < window // 2:
            return
        credit = stream._grow_to_delta(unread) + stream._apply_autotune_epoch(unread)
    await stream.send_window_update(credit)


def read_ahead(read: Any) -> Any:
    """Reads what has come, and gives it out in the pieces that are asked for."""

    async def read_some(stream: Any, n: int | None = None) -> bytes:
        if not hasattr(stream, "byline_pieces"):
            stream.byline_pieces = Pieces(partial(read, stream, READ_AHEAD))
        pieces: Pieces = stream.byline_pieces
        return await pieces.take(n)

    return read_some


def whole_writes(write: Any) -> Any:
    """Writes of several tasks on one stream, one after the other.

    After one that was given up half way, what follows would be taken for its rest.
    """

    async def write_whole(stream: Any, data: bytes) -> None:
        if not hasattr(stream, "byline_turn"):
            stream.byline_turn = QuickLock()
        async with stream.byline_turn:
            if hasattr(stream, "byline_broken"):
                raise MuxedStreamReset("a write on this stream was given up")
            try:
                await write(stream, data)
            except BaseException:
                stream.byline_broken = True
                raise

    return write_whole


def bounded_body(read: Any) -> Any:
    """Reads the body of a Yamux frame, if its connection may bring so much."""

    async def read_data_body(muxed: Any, length: int) -> Any:
        guard = getattr(getattr(muxed, "swarm", None), "byline_unread", None)
        if guard is not None and not guard.admits(muxed, length):
            # The one error here at which libp2p closes the connection.
            raise trio.TooSlowError
        muxed.byline_in = getattr(muxed, "byline_in", 0) + HEADER_BYTES + length
        return await read(muxed, length)

    return read_data_body


def counted_frames(write: Any) -> Any:
    """Writes a Yamux frame, and counts its bytes."""

    async def write_frame(muxed: Any, data: bytes) -> None:
        muxed.byline_out = getattr(muxed, "byline_out", 0) + len(data)
        await write(muxed, data)

    return write_frame
