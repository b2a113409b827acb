"""Hostile peers that take their time; `make hostile` runs them with the others."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from tests.support.attackers import attacker_of
from tests.support.hostile import Target, target_in, unharmed
from tests.support.node_process import node_process
from tests.support.waiting import until

from byline_ledger.follow_messages import PROTOCOL, AskHead
from byline_node.peers import PING_SECONDS, PONG_SECONDS

pytestmark = [
    pytest.mark.trio,
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("BYLINE_HOSTILE"), reason="make hostile runs these"
    ),
]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with target_in(tmp_path_factory.mktemp("target")) as node:
        yield node


async def test_three_hundred_peers_come_and_go(target: Target) -> None:
    """Each with an identity of its own: nothing of them stays."""
    room = trio.CapacityLimiter(6)

    async def visit(number: int) -> None:
        async with room:
            seed = b"visitor" + number.to_bytes(25, "big")
            with suppress(Exception):  # libp2p's own untidiness in leaving
                async with attacker_of(target.address, seed):
                    visited.append(number)

    visited: list[int] = []
    async with unharmed(target, memory=30 << 20):
        before = target.files()
        async with trio.open_nursery() as nursery:
            for number in range(300):
                nursery.start_soon(visit, number)
        assert len(visited) == 300
        await until(lambda: target.files() <= before + 5, 20)
        await until(lambda: not any(p["connected"] for p in target.status()["peers"]))


async def test_a_slow_reader_is_not_written_to_for_ever(target: Target) -> None:
    """It asks on eight streams, thousands of times, and reads no answer."""
    ask = AskHead(0).to_bytes()
    frames = (len(ask).to_bytes(4, "big") + ask) * 2_000
    async with (
        unharmed(target),
        attacker_of(target.address, os.urandom(32)) as attacker,
        trio.open_nursery() as nursery,
    ):

        async def pester() -> None:
            with suppress(Exception):
                stream = await attacker.stream(PROTOCOL)
                for _ in range(20):
                    await stream.write(frames)

        for _ in range(8):
            nursery.start_soon(pester)
        await trio.sleep(8)
        nursery.cancel_scope.cancel()


async def test_a_silent_crowd_does_not_keep_others_out(target: Target) -> None:
    """Connections without a handshake; each is given up after ten seconds."""
    async with unharmed(target):
        before = target.files()
        crowd = [
            await trio.open_tcp_stream("127.0.0.1", target.port) for _ in range(150)
        ]
        await until(lambda: target.files() <= before + 40)
        await until(lambda: target.files() <= before + 5, 20)
        for one in crowd:
            await one.aclose()


async def test_a_frozen_peer_is_noticed_and_taken_back(tmp_path: Path) -> None:
    """Its process is stopped: no FIN, no RST, and no answer any more."""
    with (
        target_in(tmp_path / "target") as target,
        node_process(tmp_path / "peer", peers=target.address) as peer,
    ):
        name = str(peer.wait_ready().status()["peer_id"])

        def is_connected() -> bool:
            return name in [
                one["peer_id"] for one in target.status()["peers"] if one["connected"]
            ]

        await until(is_connected)
        peer.process.send_signal(signal.SIGSTOP)
        longest = PING_SECONDS * 1.25 + PONG_SECONDS + 2
        await until(lambda: not is_connected(), longest)
        said = target.said("peer does not answer")
        assert [line["peer"] for line in said].count(name) == 1
        peer.process.send_signal(signal.SIGCONT)
        await until(is_connected, 60)
