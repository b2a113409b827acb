"""Real libp2p hosts on loopback: they agree, and strangers break nothing."""

from __future__ import annotations

import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.network.exceptions import SwarmException
from libp2p.network.stream.exceptions import StreamError
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.pubsub.pb import rpc_pb2
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID, InsecureTransport
from libp2p.stream_muxer.yamux.yamux import YAMUX_HEADER_FORMAT
from libp2p.utils import encode_varint_prefixed
from multiaddr import Multiaddr
from tests.support.networked import (
    ANY_PORT,
    NetworkedNode,
    agree,
    networked_node,
)
from tests.support.signed import forged, work
from tests.support.waiting import until

from byline_ledger.codec import join_array
from byline_ledger.errors import BylineError
from byline_ledger.follow_messages import PROTOCOL
from byline_ledger.gossip import TOPIC
from byline_node import host_patches
from byline_node.errors import ConfigError, PeerError
from byline_node.host import open_host
from byline_node.host_patches import check_libp2p
from byline_node.operations import installed_version
from byline_node.requests import Requests
from byline_node.streams import Stream
from byline_node.unread import MAX_UNREAD

pytestmark = pytest.mark.trio


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[NetworkedNode]:
    async with networked_node(tmp_path / "one") as node:
        yield node


@asynccontextmanager
async def stranger(node: NetworkedNode) -> AsyncIterator[Any]:
    """A plain libp2p host, as it comes, connected to a node."""
    host = new_host(listen_addrs=[Multiaddr(ANY_PORT)])
    async with host.run(listen_addrs=[]):
        await host.connect(info_from_p2p_addr(Multiaddr(node.network.addresses[0])))
        yield host


# Agreement


async def test_three_nodes_agree_by_gossip_and_by_follow(
    one: NetworkedNode, tmp_path: Path
) -> None:
    """What was there before, what comes later, and what comes while one is down."""
    await one.publish([work(f"old {i}") for i in range(1500)])
    peers = one.network.addresses
    async with networked_node(tmp_path / "two", peers=peers) as two:
        await agree(one, two)
        async with networked_node(tmp_path / "three", peers=peers) as three:
            await agree(one, two, three)
            for node in (one, two, three):
                await node.publish(
                    [work(f"live {node.network.peer_id} {i}") for i in "ab"]
                )
                await agree(one, two, three)
        await two.publish([work("while three is down")])
    await one.publish([work("while both are down")])
    async with (
        networked_node(tmp_path / "two", peers=peers) as two,
        networked_node(tmp_path / "three", peers=peers) as three,
    ):
        await agree(one, two, three)
        assert three.ledger.view.statement_count == 1508


async def test_a_peer_that_comes_back_is_redialled(
    one: NetworkedNode, tmp_path: Path
) -> None:
    """The node that stayed up finds the one that was restarted."""
    async with networked_node(tmp_path / "two") as two:
        address = two.network.addresses[0]
        port = address.partition("/p2p/")[0]
    async with networked_node(tmp_path / "three", peers=[address]) as three:
        await until(lambda: three.peers()[0]["error"])
        assert "refused" in three.peers()[0]["error"]
        async with networked_node(tmp_path / "two", listen=port) as two:
            await three.publish([work("x")])
            await agree(two, three, seconds=30)
            assert three.peers()[0]["error"] is None


async def test_status_tells_who_agrees(one: NetworkedNode, tmp_path: Path) -> None:
    await one.publish([work("x")])
    async with networked_node(tmp_path / "two", peers=one.network.addresses) as two:
        await agree(one, two)
        await until(lambda: two.peers()[0]["agrees"])
        await until(lambda: two.peers()[0]["latency_ms"])
        (peer,) = two.peers()
        (seen,) = one.peers()
        assert (peer["direction"], seen["direction"]) == ("out", "in")
        assert peer.pop("latency_ms") < 5_000
        assert min(peer.pop("bytes_in"), peer.pop("bytes_out")) > 1_000
        view = one.ledger.view
        assert peer == {
            "peer_id": one.network.peer_id,
            "address": one.network.addresses[0].partition("/p2p/")[0],
            "connected": True,
            "origin": view.origin,
            "size": view.size,
            "cursor": view.size,
            "set_root": view.set_root.hex(),
            "agrees": True,
            "gaps": 0,
            "refused": 0,
            "error": None,
            "found": "configured",
            "direction": "out",
            "agent": f"byline/{installed_version()}",
            "score": 0,
            "refused_for": 0,
        }


async def test_stops_in_time_in_the_middle_of_everything(
    one: NetworkedNode, tmp_path: Path
) -> None:
    """A node that is catching up stops within seconds, and goes on later."""
    await one.publish([work(f"{i}") for i in range(4000)])
    for _ in range(3):
        started = await stop_in_the_middle(one, tmp_path / "two")
        assert trio.current_time() - started < 4
    async with networked_node(tmp_path / "two", peers=one.network.addresses) as two:
        await agree(one, two)


async def stop_in_the_middle(one: NetworkedNode, folder: Path) -> float:
    """Runs a node until it has learned something; when it was told to stop."""
    async with networked_node(folder, peers=one.network.addresses) as two:
        before = two.ledger.view.size
        agreed = two.set_root == one.set_root
        await until(lambda: agreed or two.ledger.view.size > before, 20)
        return trio.current_time()


# Start


async def test_a_port_in_use_is_one_clear_error(
    one: NetworkedNode, tmp_path: Path
) -> None:
    taken = one.network.addresses[0].partition("/p2p/")[0]
    with pytest.raises(ConfigError, match="already in use"):
        async with open_host(b"s" * 32, [taken], []):
            pass


async def test_a_stopped_node_does_not_listen(tmp_path: Path) -> None:
    async with networked_node(tmp_path / "one") as node:
        address = node.network.addresses[0]
    async with open_host(b"s" * 32, [ANY_PORT], []) as host:
        with pytest.raises(PeerError, match="refused"):
            await host.connect(address)


@pytest.mark.parametrize("address", ["nonsense", "/ip4/127.0.0.1/udp/1/quic-v1"])
async def test_addresses_that_cannot_be_listened_on(address: str) -> None:
    with pytest.raises(ConfigError):
        async with open_host(b"s" * 32, [address], []):
            pass


async def test_another_libp2p_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The patches fit one version; with another the node does not start."""
    check_libp2p()
    monkeypatch.setattr(host_patches, "version", lambda _: "0.9.0")
    with pytest.raises(ConfigError, match=r"0\.8\.1"):
        check_libp2p()


# Who is not a peer


async def test_somebody_else_is_told_apart(one: NetworkedNode) -> None:
    """Another id, another protocol, no protocol at all: each has its own line."""
    address = one.network.addresses[0]
    async with open_host(b"s" * 32, [ANY_PORT], []) as host:
        other = address.replace(one.network.peer_id, host.peer_id)
        with pytest.raises(PeerError, match="this node itself"):
            await host.connect(other)
        async with open_host(b"t" * 32, [ANY_PORT], []) as plain:
            imposter = address.replace(one.network.peer_id, plain.peer_id)
            with pytest.raises(PeerError, match="another peer id"):
                await host.connect(imposter)
            await host.connect(plain.addresses[0])
            with pytest.raises(PeerError, match="not a Byline node"):
                await Requests(host).ask(plain.peer_id, PROTOCOL, b"", most=10)
        async with trio.open_nursery() as nursery:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, web_server, [listener])
            port = listener.socket.getsockname()[1]
            web = f"/ip4/127.0.0.1/tcp/{port}/p2p/{one.network.peer_id}"
            with pytest.raises(PeerError, match="not a Byline node"):
                await host.connect(web)
            nursery.cancel_scope.cancel()


async def web_server(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await stream.aclose()


async def test_plaintext_is_refused(one: NetworkedNode) -> None:
    """Nobody can come under another's name: there is no connection without Noise."""
    keys = create_new_key_pair(b"p" * 32)
    plain = {PLAINTEXT_PROTOCOL_ID: InsecureTransport(keys)}
    host = new_host(listen_addrs=[Multiaddr(ANY_PORT)], key_pair=keys, sec_opt=plain)
    node = info_from_p2p_addr(Multiaddr(one.network.addresses[0]))
    async with host.run(listen_addrs=[]):
        with pytest.raises(SwarmException, match="unable to connect"):
            await host.connect(node)
    assert one.peers() == []


# What strangers send


async def still_works(node: NetworkedNode, folder: Path) -> None:
    async with networked_node(folder, peers=node.network.addresses) as fresh:
        await node.publish([work(f"after {folder}")])
        await agree(node, fresh)


async def test_garbage_at_every_layer_breaks_nothing(
    one: NetworkedNode, tmp_path: Path
) -> None:
    """TCP, streams of each protocol, negotiation, gossip frames, follow requests."""
    host, port = "127.0.0.1", int(one.network.addresses[0].split("/")[4])
    for _ in range(3):
        stream = await trio.open_tcp_stream(host, port)
        await stream.send_all(os.urandom(500))
        await stream.aclose()
    async with stranger(one) as attacker:
        name = info_from_p2p_addr(Multiaddr(one.network.addresses[0])).peer_id
        for protocol in (
            "/meshsub/1.1.0",
            "/ipfs/id/1.0.0",
            "/ipfs/ping/1.0.0",
            PROTOCOL,
        ):
            for data in (b"\xff" * 60, os.urandom(300), b"\x00\x00\x00\x01\xc1", b""):
                # In the end it is thrown out.
                with trio.move_on_after(2), suppress(Exception):
                    opened = await attacker.new_stream(name, [TProtocol(protocol)])
                    await opened.write(encode_varint_prefixed(data))
                    await opened.write(data)
                    await opened.close()
    async with stranger(one) as attacker:
        opened = await attacker.new_stream(name, [TProtocol("/meshsub/1.1.0")])
        await opened.write(encode_varint_prefixed(message_of_nobody()))
        raw = await attacker.get_network().new_stream(name)
        await raw.write(b"\x05\xff\xfe\xfd\xfc\n" * 50)
        await raw.reset()
    await still_works(one, tmp_path / "fresh")


def message_of_nobody() -> bytes:
    """Published under an id that needs a key, with a key that is none."""
    message = rpc_pb2.Message(
        from_id=b"\x12\x20" + bytes(32),
        seqno=bytes(8),
        key=b"\xff" * 40,
        signature=bytes(64),
        topicIDs=[TOPIC],
        data=b"data",
    )
    packet: bytes = rpc_pb2.RPC(publish=[message]).SerializeToString()
    return packet


async def test_what_is_sent_and_never_read_is_not_kept(one: NetworkedNode) -> None:
    """libp2p announces windows, and takes whatever comes all the same."""
    async with stranger(one) as attacker:
        name = info_from_p2p_addr(Multiaddr(one.network.addresses[0])).peer_id
        muxed = attacker.get_network().get_connections(name)[0].muxed_conn
        one.network._host.set_stream_handler("/deaf", deaf)
        opened = await attacker.new_stream(name, [TProtocol("/deaf")])
        number = opened.muxed_stream.stream_id
        block = yamux_frame(0, 0, number, 60_000) + bytes(60_000)
        with suppress(Exception):  # libp2p has many for a connection that is gone
            for _ in range(2 * MAX_UNREAD // 60_000):
                await muxed._write_frame(block)
        await until(lambda: not any(p["connected"] for p in one.peers()))


async def test_a_peer_does_not_take_all_the_streams(one: NetworkedNode) -> None:
    """Those above the limit of a connection are reset at once, and it is cut."""
    async with stranger(one) as attacker:
        name = info_from_p2p_addr(Multiaddr(one.network.addresses[0])).peer_id
        muxed = attacker.get_network().get_connections(name)[0].muxed_conn
        for number in range(200):
            with suppress(Exception):  # it is gone
                await muxed._write_frame(yamux_frame(1, 1, 100_001 + 2 * number, 0))
        await until(lambda: not one.network.links(), 20)
        assert one.network.conduct.refused_for(str(attacker.get_id()))
        streams = one.network._host._network._resource_manager
        await until(lambda: not streams._current_streams, 20)


async def deaf(_stream: Stream) -> None:
    await trio.sleep_forever()


def yamux_frame(kind: int, flags: int, stream: int, length: int) -> bytes:
    return struct.pack(YAMUX_HEADER_FORMAT, 0, kind, flags, stream, length)


async def test_a_request_that_is_too_long_is_not_read(one: NetworkedNode) -> None:
    async with stranger(one) as attacker:
        name = info_from_p2p_addr(Multiaddr(one.network.addresses[0])).peer_id
        opened = await attacker.new_stream(name, [TProtocol(PROTOCOL)])
        await opened.write(b"\x7f\xff\xff\xff")
        with trio.fail_after(5), pytest.raises(StreamError):
            await opened.read(100)


async def test_bad_statements_cost_the_good_ones_nothing(
    one: NetworkedNode, tmp_path: Path
) -> None:
    """A batch with a forgery in front of the real statement, then a batch of noise."""
    real = work("real")
    batch = join_array([forged(real).to_envelope(), real.to_envelope()])
    async with open_host(b"s" * 32, [ANY_PORT], [TOPIC]) as host:
        await host.connect(one.network.addresses[0])
        with trio.fail_after(20):
            while one.network.status().gossip.get("bad", 0) < 2:
                await host.publish(TOPIC, batch)
                await host.publish(TOPIC, os.urandom(100))
                await trio.sleep(0.2)
        assert one.ledger.view.index_of(real.id) is not None


async def test_connections_come_and_go_without_end(one: NetworkedNode) -> None:
    """Each gives its inbound slot back; libp2p's own would stop at 250."""
    network = one.network._host._network
    for number in range(5):
        async with open_host(bytes([number]) * 32, [ANY_PORT], []) as host:
            await host.connect(one.network.addresses[0])
    slots = network._inbound_limiter
    await until(lambda: not slots.borrowed_tokens and not network.connections)


async def test_a_dropped_connection_is_gone_on_both_sides(
    one: NetworkedNode, tmp_path: Path
) -> None:
    """`drop` cuts without asking the peer, and a request to nobody is one error."""
    async with open_host(b"s" * 32, [ANY_PORT], []) as host:
        peer = await host.connect(one.network.addresses[0])
        host.drop(peer)
        await until(lambda: not host.peers() and not one.network._host.peers())
        with pytest.raises(BylineError, match="not connected"):
            await Requests(host).ask(peer, PROTOCOL, b"", most=10)
