"""Keeps the configured peers connected, and finds out which connections are dead.

Rule: one task per configured address: dial, watch, redial with a growing, jittered
pause.  Every connection, whoever opened it, is pinged; libp2p itself never notices a
peer that is frozen, and its orderly close would wait for it for ever.
"""

from __future__ import annotations

import random
from secrets import token_bytes
from typing import Protocol

import structlog
import trio

from byline_ledger.errors import BylineError
from byline_node.errors import PeerError
from byline_node.frames import ByteStream, read_exactly

FIRST_PAUSE = 0.5
MAX_PAUSE = 10.0
PING_PROTOCOL = "/ipfs/ping/1.0.0"
PING_SECONDS = 5.0
PONG_SECONDS = 10.0
PING_BYTES = 32

log = structlog.get_logger("byline.peers")


class ResettableStream(ByteStream, Protocol):
    """A stream that can be given up."""

    async def reset(self) -> None: ...


class Dialler(Protocol):
    """What this file needs of the host."""

    @property
    def peer_id(self) -> str: ...
    def peers(self) -> dict[str, str]: ...
    async def connect(self, address: str) -> str: ...
    async def wait_change(self) -> None: ...
    async def open_stream(self, peer: str, protocol: str) -> ResettableStream: ...
    def drop(self, peer: str) -> None: ...


def peer_id_of(address: str) -> str:
    """The last part of `.../p2p/PEER-ID`."""
    return address.rpartition("/p2p/")[2]


async def keep_connected(host: Dialler, address: str, problems: dict[str, str]) -> None:
    """Connects to one address whenever its peer is not connected, for ever.

    `problems` holds, by peer id, why it is not.
    """
    peer = peer_id_of(address)
    if peer == host.peer_id:
        log.warning("a configured peer is this node itself", address=address)
        return
    pause = FIRST_PAUSE
    while True:
        try:
            await host.connect(address)
        except PeerError as error:
            if problems.get(peer) != str(error):
                log.warning("peer not reached", reason=str(error))
            problems[peer] = str(error)
        else:
            problems.pop(peer, None)
            pause = FIRST_PAUSE
            await _wait_until_gone(host, peer)
        await trio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
        pause = min(pause * 2, MAX_PAUSE)


async def _wait_until_gone(host: Dialler, peer: str) -> None:
    while peer in host.peers():
        await host.wait_change()


async def ping_peer(host: Dialler, peer: str) -> None:
    """Pings a connected peer until it fails to answer; then cuts the connection."""
    stream: ResettableStream | None = None
    try:
        while True:
            await trio.sleep(PING_SECONDS * random.uniform(0.75, 1.25))  # noqa: S311
            with trio.fail_after(PONG_SECONDS):
                stream = stream or await host.open_stream(peer, PING_PROTOCOL)
                await _ping(stream)
    except (BylineError, trio.TooSlowError):
        if peer in host.peers():
            log.warning("peer does not answer", peer=peer)
            host.drop(peer)
    finally:
        if stream is not None:
            await stream.reset()


async def _ping(stream: ByteStream) -> None:
    data = token_bytes(PING_BYTES)
    await stream.send(data)
    if await read_exactly(stream, PING_BYTES) != data:
        raise PeerError("expected the ping's own bytes back")
