"""Each patch of libp2p's gossip, in force and taken back (test_hardening.py)."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest
import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.peer.peerstore import create_signed_peer_record
from libp2p.pubsub import pubsub as pubsub_module
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import RpcQueue
from libp2p.tools.timed_cache.last_seen_cache import LastSeenCache
from libp2p.utils import encode_uvarint, encode_varint_prefixed
from multiaddr import Multiaddr
from tests.support.attackers import GOSSIP, attacker_of
from tests.support.gossiping import TOPIC, Charged, buffered, node
from tests.support.unpatched import method_in_force, patch_in_force
from tests.support.waiting import LoopTurns, until

from byline_node import host as host_module
from byline_node import host_gossip
from byline_node.errors import PeerError
from byline_node.host_gossip import BoundedGossip, SafePubsub, SeenMessages
from byline_node.peer_score import Fault

pytestmark = pytest.mark.trio

SOMEBODY = ID.from_pubkey(create_new_key_pair(b"x" * 32).public_key)


async def test_a_burst_of_messages_fits_into_the_subscription(patched: bool) -> None:
    with patch_in_force("pubsub.SUBSCRIPTION_CHANNEL_SIZE", patched):
        async with node() as one, attacker_of(one.addresses[0]) as sender:
            await sender.packets(
                rpc_pb2.RPC(
                    publish=[sender.message([TOPIC], b"x", i) for i in range(100)]
                )
            )
            with trio.move_on_after(2):
                await until(lambda: buffered(one) == 100)
            assert buffered(one) == (100 if patched else 32)


async def test_packets_for_a_peer_are_queued_in_number_but_not_in_bytes(
    patched: bool,
) -> None:
    with patch_in_force("pubsub.RpcQueue", patched):
        queue = pubsub_module.RpcQueue()
        small = rpc_pb2.RPC(senderRecord=b"x")
        assert sum(queue.push(small) for _ in range(600)) == (512 if patched else 32)
        large = rpc_pb2.RPC(publish=[rpc_pb2.Message(data=bytes(60_000))])
        both = rpc_pb2.RPC(publish=[large.publish[0], large.publish[0]])
        parts = queue.split_rpc(both)
        # As much as one frame of Yamux has room for.
        assert (max(part.ByteSize() for part in parts) < 65_524) == patched
        if patched:
            queue = pubsub_module.RpcQueue()
            pushed = sum(queue.push(large) for _ in range(512))
            assert pushed == host_gossip.QUEUE_BYTES // large.ByteSize()
            assert await queue.pop() == large
            assert queue.push(large)
            assert not queue.push(large)
            while len(queue):
                await queue.pop()
            assert queue._queue.bytes == 0


# Packets


async def test_a_bad_packet_is_charged_to_whoever_sent_it(patched: bool) -> None:
    with method_in_force(SafePubsub, Pubsub, "stream_handler", patched):
        async with node() as one, attacker_of(one.addresses[0]) as attacker:
            one.door = door = Charged()
            stream = await attacker.stream(GOSSIP)
            await stream.write(encode_varint_prefixed(b"\xff" * 50))
            with trio.move_on_after(1):
                await until(lambda: door.faults)
            assert bool(door.faults) == patched


async def test_a_bad_message_does_not_end_the_node(patched: bool) -> None:
    """Published under an id that needs a key, with a key that is none."""
    message = rpc_pb2.Message(
        from_id=b"\x12\x20" + bytes(32),
        seqno=bytes(8),
        key=b"\xff" * 40,
        signature=bytes(64),
        topicIDs=[TOPIC],
        data=b"data",
    )
    survived = False
    with (
        method_in_force(SafePubsub, Pubsub, "push_msg", patched),
        suppress(PeerError, ExceptionGroup),
    ):
        async with node() as one, attacker_of(one.addresses[0]) as attacker:
            await attacker.packets(rpc_pb2.RPC(publish=[message]))
            await attacker.packets(
                rpc_pb2.RPC(publish=[attacker.message([TOPIC], b"fine")])
            )
            with trio.move_on_after(1):
                await until(lambda: buffered(one))
                survived = True
    assert survived == patched


async def test_packets_that_came_together_are_read_in_turn_with_other_tasks(
    patched: bool,
) -> None:
    """In one read of the stream where it is patched, in three for each packet if not:
    but nobody is kept waiting by a peer that sends many."""
    packets = [encode_uvarint(200) + bytes([number]) * 200 for number in range(50)]

    class Stream:
        reads = 0
        left = b"".join(packets)

        async def read(self, most: int) -> bytes:
            await trio.lowlevel.checkpoint()
            self.reads += 1
            piece, self.left = self.left[:most], self.left[most:]
            return piece

    turns = LoopTurns()
    with patch_in_force("pubsub.read_varint_prefixed_bytes_limited", patched):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(turns.run)
            stream = Stream()
            for packet in packets:
                found = await pubsub_module.read_varint_prefixed_bytes_limited(
                    stream, 1_000
                )
                assert encode_uvarint(200) + found == packet
            assert turns.count >= len(packets) - 1
            assert stream.reads == (1 if patched else 3 * len(packets))
            nursery.cancel_scope.cancel()


async def test_who_sends_packets_that_are_too_large_is_known(patched: bool) -> None:
    with patch_in_force("pubsub.read_varint_prefixed_bytes_limited", patched):
        async with node() as one, attacker_of(one.addresses[0]) as attacker:
            one.door = door = Charged()
            stream = await attacker.stream(GOSSIP)
            await stream.write(b"\xff\xff\xff\x7f" + bytes(1_000))
            with trio.move_on_after(1):
                await until(lambda: door.faults)
            assert (
                Fault.MALFORMED,
                "not a gossip packet",
            ) in door.faults or not patched
            assert bool(door.faults) == patched


@pytest.mark.parametrize("module", ["pubsub", "gossipsub"])
async def test_packets_carry_no_signed_addresses(module: str, patched: bool) -> None:
    """Neither the first one nor those with messages; and no empty record either, which
    libp2p as it comes would take for a false one."""
    packets: list[Any] = []

    def note(packet: Any, _host: Any, _peer: Any) -> bool:
        packets.append(packet)
        return True

    with (
        patch_in_force(f"{module}.env_to_send_in_RPC", patched),
        pytest.MonkeyPatch.context() as monkeypatch,
    ):
        monkeypatch.setattr(pubsub_module, "maybe_consume_signed_record", note)
        async with node() as one, node(b"b" * 32) as two:
            peer = await two.connect(one.addresses[0])
            await until(
                lambda: peer in map(str, two._pubsub.peer_topics.get(TOPIC, ()))
            )
            await two.publish(TOPIC, b"said")
            await until(lambda: buffered(one))
    assert any(packet.subscriptions for packet in packets)
    assert any(packet.publish for packet in packets)
    assert any(packet.HasField("senderRecord") for packet in packets) != patched


async def test_signed_addresses_in_packets_are_not_kept(patched: bool) -> None:
    """Nobody dials them, and checking one costs more than all the rest of a packet."""
    keys = create_new_key_pair(b"\x66" * 32)
    addresses = [Multiaddr(f"/ip4/192.0.2.1/tcp/{i}") for i in range(1, 500)]
    with patch_in_force("pubsub.maybe_consume_signed_record", patched):
        async with node() as one, attacker_of(one.addresses[0]) as attacker:
            peer = attacker.host.get_id()
            record = create_signed_peer_record(peer, addresses, keys.private_key)
            await attacker.packets(
                rpc_pb2.RPC(
                    senderRecord=record.marshal_envelope(),
                    publish=[attacker.message([TOPIC], b"x")],
                )
            )
            await until(lambda: buffered(one))
            store = one._host.get_peerstore()
            assert (store.get_peer_record(peer) is None) == patched


async def test_a_packet_has_few_messages(patched: bool) -> None:
    """Those of one packet are begun in one go, while nothing else runs."""
    most = host_gossip.MAX_MESSAGES
    with patch_in_force("pubsub.maybe_consume_signed_record", patched):
        async with node() as one, attacker_of(one.addresses[0]) as attacker:
            one.door = door = Charged()
            message = attacker.message([TOPIC], b"x")
            await attacker.packets(rpc_pb2.RPC(publish=[message] * most))
            await until(lambda: buffered(one))
            assert door.faults == []
            await attacker.packets(rpc_pb2.RPC(publish=[message] * (most + 1)))
            with trio.move_on_after(1):
                await until(lambda: door.faults)
            fault = (Fault.MALFORMED, "not a gossip packet")
            assert door.faults == ([fault] if patched else [])


# Messages


async def test_a_message_without_its_publisher_s_signature_is_charged(
    patched: bool,
) -> None:
    with patch_in_force("pubsub.signature_validator", patched):
        async with node() as one, attacker_of(one.addresses[0]) as attacker:
            one.door = door = Charged()
            forged = attacker.message([TOPIC], b"x")
            forged.data = b"y"
            last = attacker.message([TOPIC], b"last", 2)
            await attacker.packets(rpc_pb2.RPC(publish=[forged, last]))
            await until(lambda: buffered(one))
            assert buffered(one) == 1
            fault = (Fault.MALFORMED, "not a message")
            assert door.faults == ([fault] if patched else [])


async def test_one_message_is_delivered_once(
    patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may name its topic a thousand times, and have an id as long as it likes."""
    if not patched:
        monkeypatch.setattr(host_gossip, "is_well_formed", lambda _message: True)
    async with node() as one, attacker_of(one.addresses[0]) as attacker:
        one.door = door = Charged()
        long_id = attacker.message([TOPIC], b"x", seqno=bytes(50_000))
        repeated = attacker.message([TOPIC] * 500, b"x", 2)
        last = attacker.message([TOPIC], b"last", 3)
        await attacker.packets(rpc_pb2.RPC(publish=[repeated, long_id, last]))
        await until(lambda: buffered(one))
        assert buffered(one) == (1 if patched else 502)
        assert len(door.faults) == (2 if patched else 0)


async def test_a_peer_passes_on_so_many_messages_and_no_more(
    patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_gossip, "MESSAGES_BURST", 20.0 if patched else 1e9)
    monkeypatch.setattr(host_gossip, "MESSAGES_PER_SECOND", 1.0)
    async with node() as one, attacker_of(one.addresses[0]) as attacker:
        one.door = door = Charged()
        many = [attacker.message([TOPIC], b"x", i) for i in range(60)]
        await attacker.packets(rpc_pb2.RPC(publish=many))
        with trio.move_on_after(1):
            await until(lambda: buffered(one) == 60)
        assert (buffered(one) <= 22) == patched
        fault = (Fault.FLOOD, "too many messages")
        # One fault, and not one for each message: the mesh may be busy.
        assert door.faults == ([fault] if patched else [])


async def test_own_messages_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """libp2p's protection from spam lets ten of them through in a second."""
    monkeypatch.setattr(host_gossip, "MESSAGES_BURST", 1.0)
    async with node() as one:
        for _ in range(50):
            await one.publish(TOPIC, b"x")
        assert buffered(one) == 50
        assert len(one._router.mcache.msgs) == 50
        one._router.spam_protection_enabled = True
        for _ in range(50):
            await one.publish(TOPIC, b"x")
        assert len(one._router.mcache.msgs) < 70


async def test_ids_of_messages_are_remembered_for_a_time_and_up_to_a_number(
    patched: bool, autojump_clock: trio.testing.MockClock
) -> None:
    cache = SeenMessages() if patched else LastSeenCache(120)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(host_gossip, "MAX_SEEN", 100)
        for number in range(1_000):
            assert cache.add(number.to_bytes(8, "big"))
        assert (cache.length() <= 100) == patched
        last = (999).to_bytes(8, "big")
        assert cache.has(last)
        assert not cache.add(last)
    cache.stop()
    if patched:
        await trio.sleep(host_gossip.SEEN_SECONDS + 1)
        assert not cache.has(last)
        cache.add(b"new")
        assert cache.length() == 1


async def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    async with node():
        assert threading.active_count() <= before + 1  # that of name resolution


# What is kept


async def test_whole_messages_are_not_kept_to_find_contradictions(
    patched: bool,
) -> None:
    with method_in_force(BoundedGossip, GossipSub, "_check_equivocation", patched):
        async with node() as one:
            for _ in range(3):
                await one.publish(TOPIC, b"x")
            assert len(one._router.equivocation_detection) == (0 if patched else 3)


async def test_what_would_be_kept_for_ever_is_cleared(patched: bool) -> None:
    async with node() as one:
        await one.publish(TOPIC, b"x")
        one._router._add_back_off(SOMEBODY, TOPIC, False)
        if patched:
            one._router.tidy()
        kept = one._router.recent_message_deliveries
        assert bool(sum(map(len, kept.values()))) == (not patched)
        assert bool(one._router.back_off[TOPIC]) == (not patched)


async def test_it_is_cleared_every_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    assert host_module.TIDY_SECONDS == 3_600
    monkeypatch.setattr(host_module, "TIDY_SECONDS", 0.05)
    async with node() as one:
        await one.publish(TOPIC, b"x")
        await until(lambda: not one._router.recent_message_deliveries)


async def test_the_knobs_are_turned_away_from_what_libp2p_has() -> None:
    """Were one of them its default already, nobody would need to set it."""
    names = (
        "protocols degree_high heartbeat_interval adaptive_gossip_enabled "
        "spam_protection_enabled eclipse_protection_enabled"
    )
    ours = BoundedGossip(degree_high=256)
    default = GossipSub([TProtocol("/meshsub/1.2.0")], 8, 6, 12)
    for name in names.split():
        assert getattr(ours, name) != getattr(default, name), name
    assert ours.mcache.window_size == 5
    assert len(ours.mcache.history) == 10
    async with node() as one:
        assert one._pubsub.strict_signing
        assert one._pubsub.allowed_topics == {TOPIC}
        assert one._pubsub.max_inbound_rpc_size == host_gossip.MAX_PACKET_IN
        assert isinstance(RpcQueue(), pubsub_module.RpcQueue.__mro__[1])
