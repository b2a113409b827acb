"""Kademlia, fenced in: it finds peers, and strangers cannot make it more than that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import trio
from libp2p.kad_dht.pb.kademlia_pb2 import Message
from multiaddr import Multiaddr
from tests.support.attackers import Attacker, attacker_of
from tests.support.networked import NetworkedNode, networked_node
from tests.support.waiting import until

from byline_ledger.errors import MalformedError
from byline_ledger.peer_address import Reach
from byline_node import dht_search, discovery, host_dht
from byline_node.discovery import Discovery
from byline_node.host_dht import (
    ARCHIVE,
    MAX_PROVIDERS,
    PROTOCOL,
    Dht,
    allowed,
    framed,
    parsed,
    stripped,
    unframed,
)

pytestmark = pytest.mark.trio

LOCAL = Multiaddr("/ip4/127.0.0.1/tcp/4737").to_bytes()
KINDS = Message.MessageType


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dht_search, "FIRST_SECONDS", 0.3)
    monkeypatch.setattr(dht_search, "SECONDS", 0.6)
    monkeypatch.setattr(discovery, "DIAL_PAUSE", 0.05)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Dht]:
    """Every DHT that is opened from now on."""
    found: list[Dht] = []
    make = Dht.__init__

    def noted(self: Dht, *arguments: Any) -> None:
        make(self, *arguments)
        found.append(self)

    monkeypatch.setattr(Dht, "__init__", noted)
    return found


async def silent(self: Discovery, peer: str) -> None:
    """Asks nobody for peers; whom we dialled is met all the same."""
    self._note_reached(peer)
    await trio.sleep_forever()


def found_by(node: NetworkedNode) -> dict[str, str]:
    return {one["peer_id"]: one["found"] for one in node.peers() if one["connected"]}


async def test_nodes_find_each_other_through_the_dht_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[Dht]
) -> None:
    """A chain of four without peer exchange; each then knows the archives."""
    monkeypatch.setattr(Discovery, "exchange", silent)
    async with AsyncExitStack() as stack:
        nodes: list[NetworkedNode] = []
        for number in range(4):
            peers = nodes[-1].network.addresses if nodes else ()
            node = networked_node(
                tmp_path / str(number), peers=peers, discover=True, dht=True
            )
            nodes.append(await stack.enter_async_context(node))
        await until(lambda: all(len(found_by(one)) == 3 for one in nodes), 30)
        ways = {way for node in nodes for way in found_by(node).values()}
        assert "dht" in ways
        names = {node.network.peer_id for node in nodes}
        with trio.fail_after(20):
            while set(await made[-1].find_archives()) != names - {  # noqa: ASYNC110
                nodes[-1].network.peer_id
            }:
                await trio.sleep(0.2)
        assert all(0 < dht.size < 4 for dht in made)


# Strangers


@pytest.fixture
async def node(tmp_path: Path, made: list[Dht]) -> AsyncIterator[NetworkedNode]:
    async with networked_node(tmp_path / "node", discover=True, dht=True) as one:
        yield one


async def asked(attacker: Attacker, *messages: bytes) -> bytes:
    """The answer, or as much of it as comes before the stream is reset."""
    stream = await attacker.stream(PROTOCOL)
    answers = bytearray()
    with suppress(Exception), trio.fail_after(20):  # libp2p has many for an end
        for message in messages:
            await stream.write(message)
        while not is_whole(bytes(answers)):
            answers += await stream.read(65_536)
    return bytes(answers)


def is_whole(data: bytes) -> bool:
    with suppress(MalformedError):
        unframed(data)
        return True
    return False


def message(kind: Any, key: bytes = ARCHIVE, **fields: Any) -> Any:
    return Message(type=kind, key=key, **fields)


def a_value() -> Any:
    found = message(KINDS.PUT_VALUE)
    found.record.key, found.record.value = b"/pk/x", b"x" * 1_000
    return found


def many_peers() -> Any:
    found = message(KINDS.GET_PROVIDERS)
    for _ in range(1_000):
        found.closerPeers.add().id = b"x"
    return found


BAD: dict[str, Callable[[], Any]] = {
    "a value": a_value,
    "a question for a value": lambda: message(KINDS.GET_VALUE, b"/pk/x"),
    "a ping": lambda: message(KINDS.PING),
    "a provider of something else": lambda: message(KINDS.ADD_PROVIDER, b"mine"),
    "a search for something else": lambda: message(KINDS.GET_PROVIDERS, b"mine"),
    "a long key": lambda: message(KINDS.FIND_NODE, b"x" * 65),
    "a thousand peers": many_peers,
}


@pytest.mark.parametrize("what", BAD)
async def test_what_no_node_asks_is_charged(
    node: NetworkedNode, made: list[Dht], what: str
) -> None:
    (dht,) = made
    async with attacker_of(node.network.addresses[0]) as attacker:
        assert await asked(attacker, framed(BAD[what]())) == b""
        assert node.network.conduct.score(attacker.peer_id) == -20
    assert dht._kad.value_store.size() == 0
    assert dht.providers <= 1


async def test_noise_is_charged(node: NetworkedNode) -> None:
    async with attacker_of(node.network.addresses[0]) as attacker:
        assert await asked(attacker, b"\x04\xff\xff\xff\xff") == b""
        assert node.network.conduct.score(attacker.peer_id) == -20


async def test_a_message_that_is_too_long_is_not_read(node: NetworkedNode) -> None:
    async with attacker_of(node.network.addresses[0]) as attacker:
        assert await asked(attacker, b"\xff\xff\xff\x7f" + bytes(100)) == b""


async def test_who_asks_without_end_is_charged(node: NetworkedNode) -> None:
    find = framed(message(KINDS.FIND_NODE, b"x" * 32))
    async with attacker_of(node.network.addresses[0]) as attacker:
        stream = await attacker.stream(PROTOCOL)
        with suppress(Exception):  # it is reset at some point
            for _ in range(200):
                await stream.write(find)
        peer = attacker.peer_id
        await until(lambda: node.network.conduct.score(peer) == -10)


async def test_a_provider_that_nobody_reached_is_told_to_nobody(
    node: NetworkedNode, made: list[Dht]
) -> None:
    """And what it says of others is a hint, and no more."""
    (dht,) = made
    address = node.network.addresses[0]
    async with attacker_of(address) as attacker, attacker_of(address, b"2" * 32) as two:
        add = message(KINDS.ADD_PROVIDER)
        me = add.providerPeers.add()
        me.id, me.signedRecord = attacker.host.get_id().to_bytes(), b"x" * 1_000
        me.addrs.append(LOCAL)
        assert await asked(attacker, framed(add))
        assert dht.providers == 1
        answer = await asked(two, framed(message(KINDS.GET_PROVIDERS)))
    told = parsed(unframed(answer))
    assert list(told.providerPeers) == []
    assert not told.HasField("senderRecord")


SOMEBODY = bytes.fromhex("002408011220") + bytes(range(32))


def names(message: Any, *peers: bytes) -> Any:
    """The message, with these as providers and as closer peers, all at one place."""
    for peer in peers:
        for one in (message.providerPeers.add(), message.closerPeers.add()):
            one.id = peer
            one.addrs.append(LOCAL)
    return message


@pytest.mark.parametrize(
    "kind", [KINDS.FIND_NODE, KINDS.GET_PROVIDERS, KINDS.ADD_PROVIDER]
)
async def test_who_asks_speaks_for_itself_alone(
    node: NetworkedNode, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    """Otherwise thirty messages at once would bring six hundred hints, unasked for."""
    noted: list[str] = []
    monkeypatch.setattr(
        dht_search.NodeSeams,
        "heard",
        lambda _self, peer, _addresses: noted.append(peer),
    )
    async with attacker_of(node.network.addresses[0]) as attacker:
        own = attacker.host.get_id().to_bytes()
        ask = names(message(kind), SOMEBODY, own, own, SOMEBODY)
        assert await asked(attacker, framed(ask))
        expected = [attacker.peer_id] if kind == KINDS.ADD_PROVIDER else []
    assert noted == expected


async def provide(node: NetworkedNode, number: int) -> str:
    """A peer of this number comes, says that it provides, and goes; its peer id."""
    address, seed = node.network.addresses[0], bytes([100 + number]) * 32
    async with attacker_of(address, seed) as attacker:
        own = attacker.host.get_id().to_bytes()
        assert await asked(attacker, framed(names(message(KINDS.ADD_PROVIDER), own)))
        return attacker.peer_id


async def test_providers_are_few(
    node: NetworkedNode, made: list[Dht], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that were never reached the newest stay, but all that were reached."""
    monkeypatch.setattr(host_dht, "MAX_PROVIDERS", 3)
    reached = {await provide(node, 0)}

    def known(_seams: dht_search.NodeSeams, peer: str) -> list[str]:
        return ["/ip4/127.0.0.1/tcp/4737"] if peer in reached else []

    monkeypatch.setattr(dht_search.NodeSeams, "known", known)
    came = [await provide(node, number) for number in range(1, 7)]
    (dht,) = made
    kept = {str(one) for one in dht._kad.provider_store.providers[ARCHIVE]}
    assert kept == {*reached, *came[-2:]}
    reached |= {*came[-2:]}
    await provide(node, 7)
    assert dht.providers == 3 < MAX_PROVIDERS
    assert kept == {str(one) for one in dht._kad.provider_store.providers[ARCHIVE]}


async def test_strangers_are_not_in_the_routing_table(
    node: NetworkedNode, made: list[Dht]
) -> None:
    """Whoever asks is there only once this node reached it by itself."""
    (dht,) = made
    async with attacker_of(node.network.addresses[0]) as attacker:
        find = framed(message(KINDS.FIND_NODE, b"x" * 32))
        assert await asked(attacker, find)
        await dht.refresh()
        assert dht.size == 0


# Messages


async def test_addresses_pass_by_their_reach() -> None:
    places = ["/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip4/93.184.216.34/tcp/1"]
    data = [*(Multiaddr(one).to_bytes() for one in places), b"\xff", b""]
    data.append(Multiaddr("/dns4/localhost/tcp/1").to_bytes())
    counts = [len(allowed(data, reach)) for reach in Reach]
    assert counts == [3, 2, 1]
    assert len(allowed([LOCAL] * 100, Reach.LOOPBACK)) == 8


async def test_what_others_say_is_noted_and_taken_out() -> None:
    noted: list[tuple[str, list[str]]] = []
    said = message(KINDS.FIND_NODE)
    one = said.closerPeers.add()
    one.id = SOMEBODY
    one.addrs.extend([LOCAL, b"nonsense"])
    found = stripped(said, Reach.LOOPBACK, lambda *what: noted.append(what))
    assert list(found.closerPeers[0].addrs) == []
    ((peer, addresses),) = noted
    assert peer.startswith("12D3KooW")
    assert addresses == ["/ip4/127.0.0.1/tcp/4737"]


@pytest.mark.parametrize("data", [b"", b"\x02\x08", b"\x01\x08\x04", b"\xff" * 6])
async def test_half_a_message_is_none(data: bytes) -> None:
    with pytest.raises(MalformedError):
        unframed(data)
