"""A real node, and peers that keep to no rule: it serves, stays small, and says little.

Each attack is against the same process.  Those that take longer than a few seconds are
in test_hostile_slow.py (`make hostile`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
import trio
from libp2p.pubsub.pb import rpc_pb2
from libp2p.utils import encode_varint_prefixed
from tests.support.attackers import (
    DATA,
    GO_AWAY,
    GOSSIP,
    PING,
    SYN,
    WINDOW_UPDATE,
    Attacker,
    attacker_of,
    flood_stream,
)
from tests.support.hostile import Target, target_in, unharmed
from tests.support.waiting import until

from byline_ledger.alarm_messages import PROTOCOL as ALARM_PROTOCOL
from byline_ledger.follow_messages import PROTOCOL
from byline_ledger.gossip import TOPIC
from byline_ledger.witness_messages import PROTOCOL as WITNESS_PROTOCOL
from byline_node.host_gossip import MAX_MESSAGES

pytestmark = pytest.mark.trio

PROTOCOLS = [
    GOSSIP,
    "/ipfs/id/1.0.0",
    "/ipfs/id/push/1.0.0",
    "/ipfs/ping/1.0.0",
    PROTOCOL,
    ALARM_PROTOCOL,
    WITNESS_PROTOCOL,
]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with target_in(tmp_path_factory.mktemp("target")) as node:
        yield node


@asynccontextmanager
async def thrown_out(target: Target) -> AsyncIterator[Attacker]:
    """An attacker of a new identity; in the end it is cut off and not let in again."""
    seed = os.urandom(32)
    with suppress(Exception):  # libp2p has many for a connection that is gone
        async with attacker_of(target.address, seed) as attacker:
            name = attacker.peer_id
            yield attacker
            with suppress(trio.TooSlowError):
                await until(lambda: not attacker.is_connected, 5)
    assert [line for line in target.said("peer refused") if line["peer"] == name]


async def test_random_bytes_on_tcp(target: Target) -> None:
    async with unharmed(target):
        for length in [1, 2, 20, 500, 70_000] * 10:
            stream = await trio.open_tcp_stream("127.0.0.1", target.port)
            with suppress(trio.BrokenResourceError):
                await stream.send_all(os.urandom(length))
            await stream.aclose()


async def test_other_protocols_on_tcp(target: Target) -> None:
    """A browser, a TLS client, somebody who says nothing, and one who goes half way."""
    async with unharmed(target):
        for greeting in (
            b"GET / HTTP/1.1\r\nHost: node\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500),
            b"",
            b"\x13/multistream/1.0.0\n",
            b"\x13/multistream/1.0.0\n\x11/plaintext/2.0.0\n" + os.urandom(200),
            b"\x13/multistream/1.0.0\n\x07/noise\n" + b"\xff" * 70_000,
            b"\x13/multistream/1.0.0\n\x07/noise\n\x00\x20" + os.urandom(32),
        ):
            stream = await trio.open_tcp_stream("127.0.0.1", target.port)
            with suppress(trio.BrokenResourceError), trio.move_on_after(0.3):
                await stream.send_all(greeting)
                while await stream.receive_some(1_000):
                    pass
            await stream.aclose()


async def test_random_frames_of_yamux(target: Target) -> None:
    async with unharmed(target):
        for _ in range(5):
            async with attacker_of(target.address, os.urandom(32)) as attacker:
                with suppress(Exception):
                    for length in (1, 11, 12, 13, 200, 5_000):
                        await attacker.muxed._write_frame(os.urandom(length))


async def test_frames_of_yamux_that_make_no_sense(target: Target) -> None:
    """Unknown kinds, flags and streams, windows beyond all bounds, many pings."""
    async with unharmed(target):
        for kind, flags, number, length in (
            (9, 0, 1, 0),
            (DATA, 0xFFFF, 7, 0),
            (DATA, 0, 999, 1_000),
            (DATA, SYN, 5, 0xFFFFFFFF),
            (DATA, 0, 5, 0xFFFFFFFF),
            (WINDOW_UPDATE, SYN, 9, 0xFFFFFFFF),
            (WINDOW_UPDATE, 0, 9, 0xFFFFFFFF),
            (GO_AWAY, 0, 0, 99),
            (PING, SYN, 0, 5),
        ):
            async with attacker_of(target.address, os.urandom(32)) as attacker:
                with suppress(Exception):
                    for _ in range(200):
                        body = bytes(min(length, 1_000)) if kind == DATA else b""
                        await attacker.frame(kind, flags, number, length, body)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_garbage_on_a_stream(target: Target, protocol: str) -> None:
    async with unharmed(target):
        for garbage in (
            b"\xff" * 60,
            os.urandom(300),
            b"\x00\x00\x00\x01\xc1",
            b"\x7f\xff\xff\xff" + bytes(5_000),
            encode_varint_prefixed(b"\xff" * 200),
            b"",
        ):
            with suppress(Exception), trio.move_on_after(2):
                async with attacker_of(target.address, os.urandom(32)) as attacker:
                    stream = await attacker.stream(protocol)
                    await stream.write(garbage)
                    await stream.close()
                    await trio.sleep(0.05)


async def test_unknown_protocols_and_lines_that_are_none(target: Target) -> None:
    async with unharmed(target), attacker_of(target.address) as attacker:
        for line in (b"/nothing\n", b"\n", b"x" * 100, b"\xff\xfe\n", b"na\n", b"ls\n"):
            stream = await attacker.host.get_network().new_stream(attacker.target)
            with suppress(Exception), trio.move_on_after(0.2):
                await stream.write(b"\x13/multistream/1.0.0\n")
                await stream.write(encode_varint_prefixed(line))
                await stream.read(100)
            await stream.reset()


async def test_malformed_requests_without_end(target: Target) -> None:
    """A few are a bug of somebody; then the door is closed."""
    async with unharmed(target), thrown_out(target) as attacker:
        while attacker.is_connected:
            with suppress(Exception):
                stream = await attacker.stream(PROTOCOL)
                await stream.write(b"\x00\x00\x10\x00" * 2_000)
                await stream.read(1)


async def test_three_thousand_streams(target: Target) -> None:
    async with unharmed(target), thrown_out(target) as attacker:
        await attacker.open_streams(3_000)


async def test_flow_control_ignored(target: Target) -> None:
    """Pongs are not read, so pings are not either; they come all the same."""
    async with (
        unharmed(target, memory=60 << 20),
        attacker_of(target.address, os.urandom(32)) as attacker,
    ):
        await flood_stream(attacker, "/ipfs/ping/1.0.0", 60 << 20)


async def test_streams_that_nobody_asked_for_full_of_bytes(target: Target) -> None:
    body = bytes(500_000)
    async with (
        unharmed(target, memory=60 << 20),
        attacker_of(target.address, os.urandom(32)) as attacker,
    ):
        with suppress(Exception):
            for number in range(101, 221, 2):
                await attacker.frame(WINDOW_UPDATE, SYN, number, 0)
                await attacker.frame(DATA, 0, number, len(body), body)


# Gossip


def control(**kinds: object) -> rpc_pb2.RPC:
    return rpc_pb2.RPC(control=rpc_pb2.ControlMessage(**kinds))


async def insist(attacker: Attacker, packet: rpc_pb2.RPC) -> None:
    """Sends a packet again and again, each on a new stream, until it is cut off."""
    while attacker.is_connected:
        with suppress(Exception):  # its stream may be reset half way
            await attacker.packets(packet)
        await trio.sleep(0.05)


async def test_twenty_thousand_grafts(target: Target) -> None:
    async with unharmed(target), thrown_out(target) as attacker:
        await insist(
            attacker, control(graft=[rpc_pb2.ControlGraft(topicID="x")] * 20_000)
        )


async def test_sixty_thousand_ids(target: Target) -> None:
    ids = [bytes([i % 256, i // 256]) for i in range(60_000)]
    for kind in ("ihave", "iwant"):
        entry = (
            rpc_pb2.ControlIHave(topicID=TOPIC, messageIDs=ids)
            if kind == "ihave"
            else rpc_pb2.ControlIWant(messageIDs=ids)
        )
        async with unharmed(target), thrown_out(target) as attacker:
            await insist(attacker, control(**{kind: [entry]}))


async def test_packets_that_are_too_large(target: Target) -> None:
    async with unharmed(target), thrown_out(target) as attacker:
        message = rpc_pb2.Message(data=bytes(2 << 20), topicIDs=[TOPIC])
        await insist(attacker, rpc_pb2.RPC(publish=[message]))


@pytest.mark.parametrize("number", [MAX_MESSAGES, 2_000])
async def test_messages_without_end(target: Target, number: int) -> None:
    """Unsigned, on a topic of ours: as many as fit into a packet, again and again."""
    message = rpc_pb2.Message(topicIDs=[TOPIC], seqno=bytes(8), from_id=b"\x00\x01x")
    async with unharmed(target), thrown_out(target) as attacker:
        await insist(attacker, rpc_pb2.RPC(publish=[message] * number))


async def test_messages_with_the_signature_of_another(target: Target) -> None:
    async with unharmed(target), thrown_out(target) as attacker:
        message = attacker.message([TOPIC], b"\x90", 1)
        message.data = b"\x91\x90"
        await insist(attacker, rpc_pb2.RPC(publish=[message]))


async def test_statements_that_are_forged(target: Target) -> None:
    async with unharmed(target), thrown_out(target) as attacker:
        batches = [attacker.message([TOPIC], b"\xc1" * 50, i) for i in range(60)]
        for batch in batches:
            await attacker.packets(rpc_pb2.RPC(publish=[batch]))
            await trio.sleep(0.02)


async def test_three_hundred_connections_that_come_and_go(target: Target) -> None:
    """Bare ones here; with a handshake in test_hostile_slow.py."""
    async with unharmed(target):
        before = target.files()
        for _ in range(300):
            stream = await trio.open_tcp_stream("127.0.0.1", target.port)
            await stream.aclose()
        await until(lambda: target.files() <= before + 5)


async def test_after_all_of_it_the_node_stops_in_order(target: Target) -> None:
    assert target.is_running
    lines = [line for line in target.lines() if line["level"] == "error"]
    assert lines == []
