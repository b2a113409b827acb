"""Requests and responses between nodes: frames on streams that stay open.

Rule: pull only.  One request and one response at a time on a stream; both lengths are
bounded before a byte is read; what takes too long costs the connection.  Frames and
limits: docs/spec/network.md, "Requests".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import structlog
import trio

from byline_ledger.errors import BylineError, MalformedError
from byline_node.errors import PeerError
from byline_node.frames import ByteStream, read_frame, write_frame
from byline_node.mistakes import note_mistake

MAX_STREAMS_PER_PEER = 8
"""Request streams that one peer may hold open here."""
REQUEST_SECONDS = 30.0
IDLE_SECONDS = 300.0

Handler: TypeAlias = Callable[[str, bytes], Awaitable[bytes]]
"""`await handler(peer id, request)` is the response."""

log = structlog.get_logger("byline.requests")


class PeerStream(ByteStream, Protocol):
    """What requests need of a stream (`host.Stream`)."""

    @property
    def peer(self) -> str: ...
    async def reset(self) -> None: ...


class StreamHost(Protocol):
    """What requests need of the host (`host.Host`)."""

    def set_stream_handler(
        self, protocol: str, handler: Callable[[Any], Awaitable[None]], /
    ) -> None: ...
    async def open_stream(self, peer: str, protocol: str, /) -> PeerStream: ...
    def drop(self, peer: str, /) -> None: ...


@dataclass(slots=True)
class _Channel:
    """One outgoing stream, used for one request at a time."""

    lock: trio.Lock = field(default_factory=trio.Lock)
    stream: PeerStream | None = None
    users: int = 0
    """Requests under way or waiting."""


class Requests:
    """Asks peers and answers them, over one host."""

    def __init__(
        self,
        host: StreamHost,
        blame: Callable[[str, BylineError], None] = lambda _peer, _error: None,
    ) -> None:
        """`blame(peer, error)` for each peer whose request is malformed."""
        self._host = host
        self._blame = blame
        self._channels: dict[tuple[str, str], _Channel] = {}
        self._inbound: Counter[str] = Counter()

    def answer(self, protocol: str, most: int, handler: Handler) -> None:
        """Has `handler` answer `protocol`; requests have up to `most` bytes."""

        async def serve(stream: PeerStream) -> None:
            if self._inbound[stream.peer] < MAX_STREAMS_PER_PEER:
                self._inbound[stream.peer] += 1
                try:
                    await _answer_all(stream, most, handler)
                except MalformedError as error:
                    self._blame(stream.peer, error)
                except Exception as error:  # noqa: BLE001
                    note_mistake(error, f"answering {protocol}", stream.peer)
                finally:
                    self._leave(stream.peer)
            await stream.reset()

        self._host.set_stream_handler(protocol, serve)

    def _leave(self, peer: str) -> None:
        self._inbound[peer] -= 1
        if not self._inbound[peer]:
            del self._inbound[peer]

    async def ask(
        self,
        peer: str,
        protocol: str,
        body: bytes,
        *,
        most: int,
        seconds: float = REQUEST_SECONDS,
    ) -> bytes:
        """A connected peer's response of up to `most` bytes.

        Raises PeerError, or MalformedError.  A peer that takes longer than `seconds` is
        disconnected, and so is one to which a request was on its way when it was given
        up: half a write leaves the encrypted connection useless.
        """
        channel = self._channels.setdefault((peer, protocol), _Channel())
        channel.users += 1
        try:
            async with channel.lock:
                with trio.fail_after(seconds):
                    return await self._ask(channel, peer, protocol, body, most)
        except trio.TooSlowError:
            self._host.drop(peer)
            raise PeerError(f"no answer within {seconds:g} s") from None
        finally:
            channel.users -= 1
            if not channel.users:
                await self._tidy((peer, protocol), channel)

    async def _tidy(self, name: tuple[str, str], channel: _Channel) -> None:
        """Lets go of what nobody uses: a channel without a stream, or the stream of one
        whose peer was forgotten meanwhile."""
        is_kept = self._channels.get(name) is channel
        if channel.stream is None and is_kept:
            del self._channels[name]
        elif channel.stream is not None and not is_kept:
            await channel.stream.reset()

    async def _ask(
        self, channel: _Channel, peer: str, protocol: str, body: bytes, most: int
    ) -> bytes:
        stream = channel.stream or await self._host.open_stream(peer, protocol)
        # Only a stream whose last request was answered is used again: after anything
        # else the next frame on it could be the answer to an older request.
        channel.stream = None
        try:
            try:
                await write_frame(stream, body)
            except trio.Cancelled:
                self._host.drop(peer)
                raise
            response = await read_frame(stream, most)
            if response is None:
                raise PeerError("the peer closed the stream without an answer")
        except BaseException:
            await stream.reset()
            raise
        channel.stream = stream
        return response

    def forget(self, peer: str) -> None:
        """Drops the streams of a peer whose connection has gone."""
        for key in [key for key in self._channels if key[0] == peer]:
            del self._channels[key]


async def _answer_all(stream: PeerStream, most: int, handler: Handler) -> None:
    """Request after request, until the peer ends the stream or misbehaves."""
    try:
        while True:
            with trio.fail_after(IDLE_SECONDS):
                request = await read_frame(stream, most)
            if request is None:
                return
            response = await handler(stream.peer, request)
            with trio.fail_after(REQUEST_SECONDS):
                await write_frame(stream, response)
    except MalformedError:
        raise
    except (BylineError, trio.TooSlowError) as error:
        log.debug("request stream ended", peer=stream.peer, reason=str(error))
