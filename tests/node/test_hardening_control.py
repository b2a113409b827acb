"""Patches of gossip's control messages, in force and taken back: test_hardening.py."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.peer.peerstore import create_signed_peer_record
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from multiaddr import Multiaddr
from tests.support.attackers import Attacker, attacker_of
from tests.support.gossiping import TOPIC, Charged, node
from tests.support.unpatched import method_in_force
from tests.support.waiting import until

from byline_node import host_gossip
from byline_node.host_gossip import BoundedGossip
from byline_node.peer_score import Fault

pytestmark = pytest.mark.trio


async def control(attacker: Attacker, **kinds: Any) -> None:
    await attacker.packets(rpc_pb2.RPC(control=rpc_pb2.ControlMessage(**kinds)))


@pytest.mark.parametrize("kind", ["graft", "ihave", "iwant", "prune"])
async def test_a_flood_of_control_messages_is_not_worked_through(
    kind: str, patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not patched:
        monkeypatch.setattr(host_gossip, "is_too_much", lambda _control: False)
    entry: Any = {
        "graft": rpc_pb2.ControlGraft(topicID=TOPIC),
        "prune": rpc_pb2.ControlPrune(topicID=TOPIC),
        "ihave": rpc_pb2.ControlIHave(topicID=TOPIC, messageIDs=[b"x"]),
        "iwant": rpc_pb2.ControlIWant(messageIDs=[b"x"]),
    }[kind]
    async with node() as one, attacker_of(one.addresses[0]) as attacker:
        one.door = door = Charged()
        worked: list[Any] = []
        handler = getattr(one._router, f"handle_{kind}")

        async def count(*arguments: Any) -> None:
            worked.append(arguments)
            await handler(*arguments)

        monkeypatch.setattr(one._router, f"handle_{kind}", count)
        await control(attacker, **{kind: [entry] * 500})
        await until(lambda: door.faults or len(worked) >= 500)
        assert (not worked) == patched
        assert ((Fault.FLOOD, "too many control messages") in door.faults) == patched


async def test_a_flood_of_ids_is_not_worked_through() -> None:
    """60,000 of them in one IHAVE, as in six packets of 10,000."""
    ids = [i.to_bytes(8, "big") for i in range(10_000)]
    async with node() as one, attacker_of(one.addresses[0]) as attacker:
        one.door = door = Charged()
        for start in range(0, 60_000, 10_000):
            await control(
                attacker, ihave=[rpc_pb2.ControlIHave(topicID=TOPIC, messageIDs=ids)]
            )
            await until(lambda most=start // 10_000: len(door.faults) > most)
        assert set(door.faults) == {(Fault.FLOOD, "too many control messages")}


async def test_topics_of_strangers_are_not_remembered(patched: bool) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        if not patched:
            monkeypatch.setattr(BoundedGossip, "_about_our_topics", lambda _s, rpc: rpc)
        async with node() as one, attacker_of(one.addresses[0]) as attacker:
            handled: list[Any] = []
            monkeypatch.setattr(
                one._router,
                "handle_rpc",
                counting(one._router.handle_rpc, handled),
            )
            for number in range(3):
                prunes = [
                    rpc_pb2.ControlPrune(topicID=f"{number} {i}" + "x" * 1_000)
                    for i in range(50)
                ]
                await control(attacker, prune=prunes)
            await until(lambda: len(handled) == 3)
            assert len(one._router.back_off) == (0 if patched else 150)


def counting(function: Any, calls: list[Any]) -> Any:
    async def call(*arguments: Any) -> None:
        await function(*arguments)
        calls.append(arguments)

    return call


async def test_a_request_for_missed_messages_is_answered_once_for_each(
    patched: bool,
) -> None:
    """The same id a thousand times would be sixty megabytes."""
    with method_in_force(BoundedGossip, GossipSub, "handle_iwant", patched):
        async with node() as one, attacker_of(one.addresses[0]) as attacker:
            await one.publish(TOPIC, bytes(10_000))
            (message_id,) = one._router.mcache.msgs
            sent: list[Any] = []
            with pytest.MonkeyPatch.context() as monkeypatch:
                monkeypatch.setattr(
                    one._router, "send_rpc", lambda _peer, rpc, **_: sent.append(rpc)
                )
                wanted = rpc_pb2.ControlIWant(messageIDs=[message_id] * 300)
                await control(attacker, iwant=[wanted])
                await until(lambda: any(len(rpc.publish) for rpc in sent))
            answered = sum(len(rpc.publish) for rpc in sent)
            assert answered == (1 if patched else 300)


async def test_peers_that_strangers_recommend_are_not_dialled(patched: bool) -> None:
    with method_in_force(BoundedGossip, GossipSub, "_do_px", patched):
        async with (
            node() as one,
            node(b"b" * 32) as victim,
            attacker_of(one.addresses[0]) as attacker,
        ):
            info = info_from_p2p_addr(Multiaddr(victim.addresses[0]))
            key = create_new_key_pair(b"b" * 32).private_key
            record = create_signed_peer_record(info.peer_id, info.addrs, key)
            peer = rpc_pb2.PeerInfo(
                peerID=info.peer_id.to_bytes(),
                signedPeerRecord=record.marshal_envelope(),
            )
            await control(
                attacker, prune=[rpc_pb2.ControlPrune(topicID=TOPIC, peers=[peer])]
            )
            with trio.move_on_after(1):
                await until(lambda: victim.peers())
            assert bool(victim.peers()) == (not patched)
