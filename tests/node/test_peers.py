"""Keeping peers connected, in virtual time."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
import trio.testing

from byline_node import peers
from byline_node.errors import PeerError
from byline_node.peers import (
    addresses_by_peer,
    keep_bootstrapped,
    keep_connected,
    ping_peer,
)

pytestmark = pytest.mark.trio

ADDRESS = "/ip4/192.0.2.1/tcp/1/p2p/other"
ADDRESSES = [ADDRESS, "/ip4/192.0.2.2/tcp/1/ws/p2p/other"]


class FakeHost:
    """A host with one peer, which answers or does not."""

    peer_id = "me"

    def __init__(self) -> None:
        self.connected = False
        self.reachable = True
        self.answers = True
        self.dials: list[float] = []
        self.dialled: list[str] = []
        self.dead: set[str] = set()
        self.changed = trio.Event()

    def peers(self) -> dict[str, str]:
        return {"other": ADDRESS} if self.connected else {}

    async def connect(self, address: str) -> str:
        assert address in ADDRESSES
        self.dials.append(trio.current_time())
        self.dialled.append(address)
        await trio.lowlevel.checkpoint()
        if not self.reachable or address in self.dead:
            raise PeerError("refused")
        self.set(connected=True)
        return "other"

    def set(self, *, connected: bool) -> None:
        self.connected = connected
        self.changed.set()
        self.changed = trio.Event()

    async def wait_change(self) -> None:
        await self.changed.wait()

    async def open_stream(self, _peer: str, _protocol: str) -> FakeHost:
        await trio.lowlevel.checkpoint()
        return self

    def drop(self, _peer: str) -> None:
        self.set(connected=False)

    # The stream: what was sent comes back

    async def send(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.echo = data

    async def receive(self, most: int) -> bytes:
        if not self.answers:
            await trio.sleep_forever()
        chunk, self.echo = self.echo[:most], self.echo[most:]
        return chunk

    async def reset(self) -> None:
        await trio.lowlevel.checkpoint()


async def test_redials_with_growing_pauses_until_it_is_there(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    host, problems = FakeHost(), dict[str, str]()
    host.reachable = False
    nursery.start_soon(keep_connected, host, [ADDRESS], problems)
    await trio.sleep(300)
    assert problems == {"other": "refused"}
    pauses = [b - a for a, b in zip(host.dials, host.dials[1:], strict=False)]
    assert pauses[0] <= peers.FIRST_PAUSE
    assert min(pauses[-10:]) >= peers.MAX_PAUSE / 2
    assert max(pauses) <= peers.MAX_PAUSE
    host.reachable = True
    await trio.sleep(peers.MAX_PAUSE)
    assert host.connected
    assert problems == {}


async def test_a_lost_connection_is_redialled_at_once(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    host = FakeHost()
    nursery.start_soon(keep_connected, host, [ADDRESS], {})
    for _ in range(5):
        await trio.sleep(2)
        assert host.connected
        host.set(connected=False)
    await trio.sleep(1)
    assert len(host.dials) == 6


async def test_several_addresses_are_tried_in_turn(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    """Dead and alive, in either order: within seconds the live one is found."""
    for dead in ADDRESSES:
        host, problems = FakeHost(), dict[str, str]()
        host.dead = {dead}
        with trio.move_on_after(2):
            await keep_connected(host, ADDRESSES, problems)
        assert host.connected
        assert len(host.dialled) <= 2
        assert problems == {}
    host = FakeHost()
    host.reachable = False
    nursery.start_soon(keep_connected, host, ADDRESSES, {})
    await trio.sleep(100)
    for address in ADDRESSES:  # each in its own time, none kept waiting by the other
        dials = zip(host.dials, host.dialled, strict=True)
        at = [0.0, *(since for since, dialled in dials if dialled == address), 100.0]
        assert max(b - a for a, b in pairwise(at)) <= peers.MAX_PAUSE


async def test_a_peer_that_throws_us_out_is_not_dialled_without_end(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    """Such as one that refuses us: it accepts, and closes."""
    host = FakeHost()
    nursery.start_soon(keep_connected, host, [ADDRESS], {})
    for _ in range(1200):
        await trio.sleep(0.1)
        host.set(connected=False)
    assert len(host.dials) < 40


async def test_bootstrap_peers_are_dialled_in_need_alone(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    host, problems, few = FakeHost(), dict[str, str](), [False]
    nursery.start_soon(keep_bootstrapped, host, ADDRESSES, problems, lambda: few[0])
    await trio.sleep(100)
    assert host.dials == []
    few[0], host.reachable = True, False
    host.set(connected=False)
    await trio.sleep(100)
    assert problems == {"other": "refused"}
    assert 10 < len(host.dials) < 60
    assert set(host.dialled) == set(ADDRESSES)
    host.reachable = True
    await trio.sleep(peers.MAX_PAUSE)
    assert host.connected
    assert problems == {}
    before = len(host.dials)
    await trio.sleep(100)
    few[0] = False
    host.set(connected=False)
    await trio.sleep(100)
    assert len(host.dials) == before


async def test_a_bootstrap_peer_that_is_this_node_is_not_dialled(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    host = FakeHost()
    host.peer_id = "other"
    nursery.start_soon(keep_bootstrapped, host, ADDRESSES, {}, lambda: True)
    await trio.sleep(100)
    assert host.dials == []


async def test_addresses_are_told_apart_by_peer() -> None:
    other = "/ip4/192.0.2.1/tcp/1/p2p/another"
    found = addresses_by_peer([*ADDRESSES, other, ADDRESS])
    assert found == {"other": ADDRESSES, "another": [other]}


async def test_a_node_does_not_dial_itself() -> None:
    host = FakeHost()
    host.peer_id = "other"
    await keep_connected(host, [ADDRESS], {})
    assert host.dials == []


async def test_a_frozen_peer_is_cut_off(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A peer that answers stays; once it stops answering, it is dropped."""
    host = FakeHost()
    host.connected = True
    latencies: dict[str, float] = {}
    with trio.move_on_after(100):
        await ping_peer(host, "other", latencies)
    assert host.connected
    assert latencies == {"other": 0.0}
    host.answers = False
    started = trio.current_time()
    assert await ping_peer(host, "other", latencies)
    assert not host.connected
    longest = peers.PING_SECONDS * 1.25 + peers.PONG_SECONDS
    assert trio.current_time() - started <= longest
