"""Keeps the configured peers connected, and finds out which connections are dead.

Rule: one task per configured peer: dial, watch, redial; each of its addresses has a
pause of its own that grows and is jittered.  Every connection, whoever opened it, is
pinged; libp2p itself never notices a peer that is frozen, and its orderly close would
wait for it for ever.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from secrets import token_bytes
from typing import Protocol

import structlog
import trio

from byline_ledger.errors import BylineError
from byline_node.errors import PeerError
from byline_node.frames import ByteStream, read_exactly

FIRST_PAUSE = 0.5
MAX_PAUSE = 10.0
STABLE_SECONDS = 1.0
"""How long a connection has to last for its address to be dialled at once again."""
BOOTSTRAP_BELOW = 4
"""Connections that this node dialled: with fewer, bootstrap peers are dialled."""
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


def addresses_by_peer(addresses: Sequence[str]) -> dict[str, list[str]]:
    """Peer id -> its addresses, in the order they were given."""
    found: dict[str, list[str]] = {}
    for address in dict.fromkeys(addresses):
        found.setdefault(peer_id_of(address), []).append(address)
    return found


@dataclass(slots=True)
class _Address:
    """One way to a peer, and when to try it next."""

    text: str
    due: float = -inf
    pause: float = FIRST_PAUSE
    error: str | None = None

    def postpone(self) -> None:
        """Each failure doubles the pause; peers that fail together come back apart."""
        self.due = trio.current_time() + self.pause * random.uniform(0.5, 1.0)  # noqa: S311
        self.pause = min(self.pause * 2, MAX_PAUSE)


async def keep_connected(
    host: Dialler, addresses: Sequence[str], problems: dict[str, str]
) -> None:
    """Connects to a peer whenever it is not connected, for ever.

    Its addresses are tried one at a time: libp2p would try only one of several.
    `problems` holds, by peer id, why it is not connected.
    """
    ways = [_Address(text) for text in addresses]
    peer = peer_id_of(addresses[0])
    if peer == host.peer_id:
        log.warning("a configured peer is this node itself", address=addresses[0])
        return
    while True:
        way = min(ways, key=lambda one: one.due)
        await trio.sleep_until(way.due)
        try:
            await host.connect(way.text)
        except PeerError as error:
            if way.error != str(error):
                log.warning("peer not reached", reason=str(error))
            problems[peer] = way.error = str(error)
        else:
            problems.pop(peer, None)
            await _wait_until_gone(host, peer, way)
        way.postpone()


async def keep_bootstrapped(
    host: Dialler,
    addresses: Sequence[str],
    problems: dict[str, str],
    is_needed: Callable[[], bool],
) -> None:
    """Connects to one of these after the other for as long as any is needed."""
    ways = [_Address(text) for text in addresses]
    ways = [way for way in ways if peer_id_of(way.text) != host.peer_id]
    while True:
        absent = [way for way in ways if peer_id_of(way.text) not in host.peers()]
        if not absent or not is_needed():
            await host.wait_change()
            continue
        way = min(absent, key=lambda one: one.due)
        if way.due > trio.current_time():
            await trio.sleep_until(way.due)
            continue
        way.postpone()
        try:
            await host.connect(way.text)
        except PeerError as error:
            if way.error != str(error):
                log.warning("bootstrap peer not reached", reason=str(error))
            problems[peer_id_of(way.text)] = way.error = str(error)
        else:
            problems.pop(peer_id_of(way.text), None)
            way.error = None


async def _wait_until_gone(host: Dialler, peer: str, way: _Address) -> None:
    since = trio.current_time()
    while peer in host.peers():
        await host.wait_change()
    # A peer that lets us in and throws us out again is not worth hurrying for.
    if trio.current_time() - since >= STABLE_SECONDS:
        way.pause, way.error = FIRST_PAUSE, None


async def ping_peer(host: Dialler, peer: str, latencies: dict[str, float]) -> bool:
    """Pings a connected peer until it fails to answer; then cuts the connection.

    Whether that was so; else it had gone by itself.  `latencies` holds, by peer id, how
    long its last pong took.
    """
    stream: ResettableStream | None = None
    pause = FIRST_PAUSE
    try:
        while True:
            await trio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311
            pause = PING_SECONDS
            with trio.fail_after(PONG_SECONDS):
                stream = stream or await host.open_stream(peer, PING_PROTOCOL)
                started = trio.current_time()
                await _ping(stream)
                latencies[peer] = trio.current_time() - started
    except (BylineError, trio.TooSlowError):
        is_there = peer in host.peers()
        if is_there:
            host.drop(peer)
        return is_there
    finally:
        if stream is not None:
            await stream.reset()


async def _ping(stream: ByteStream) -> None:
    data = token_bytes(PING_BYTES)
    await stream.send(data)
    if await read_exactly(stream, PING_BYTES) != data:
        raise PeerError("expected the ping's own bytes back")
