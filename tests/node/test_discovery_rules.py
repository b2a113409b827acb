"""Discovery in virtual time: what liars can make a node do, and what it tells whom."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, pairwise

import pytest
import trio
from tests.support.discovering import (
    OWN,
    FakeNode,
    Say,
    fresh_key,
    new_node,
    now,
    signed,
    world,
)
from trio.testing import MockClock

from byline_ledger.errors import MalformedError
from byline_ledger.peer_messages import (
    MAX_PEERS,
    AskPeers,
    KnownPeers,
    parse_peers_answer,
    parse_peers_request,
)
from byline_ledger.peer_record import PeerRecord
from byline_node.address_book import MAX_HEARD, MAX_PAUSES, Found
from byline_node.discovery import (
    DIAL_PAUSE,
    OUTBOUND_OF_SOURCE,
    Announcer,
    how_found,
)
from byline_node.peer_score import Fault
from byline_node.streams import Link

pytestmark = pytest.mark.trio


@pytest.fixture
def node() -> FakeNode:
    return new_node()


# Liars


def flood_of(make: Callable[[], PeerRecord]) -> Say:
    return lambda: KnownPeers(
        (), tuple(make().to_bytes() for _ in range(32))
    ).to_bytes()


def forged() -> PeerRecord:
    """Somebody else's, with a signature of ours."""
    body = signed(world(1)).body
    return PeerRecord.from_bytes(PeerRecord(b"", (), 0, 0, body, bytes(64)).to_bytes())


def huge() -> bytes:
    return KnownPeers((), (b"x" * 1_101,)).to_bytes()


LIES: dict[str, tuple[Say, Fault]] = {
    "forged": (flood_of(forged), Fault.LIE),
    "private": (flood_of(lambda: signed("/ip4/10.0.0.1/tcp/1")), Fault.MISPLACED),
    "loopback": (flood_of(lambda: signed("/ip4/127.0.0.1/tcp/1")), Fault.MISPLACED),
    "huge": (huge, Fault.MALFORMED),
    "no message": (lambda: b"\xc0", Fault.MALFORMED),
    "another's as its own": (
        lambda: KnownPeers((signed(world(1)).to_bytes(),)).to_bytes(),
        Fault.MALFORMED,
    ),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_charged_and_nothing_of_it_is_dialled(
    node: FakeNode, autojump_clock: MockClock, lie: str
) -> None:
    says, fault = LIES[lie]
    node.requests.says["liar"] = says
    node.host.join("liar", world(1))
    await node.serve("liar", seconds=3)
    assert node.conduct.score("liar") == -fault.points
    assert len(node.discovery.book) == 0
    assert node.host.dials == []
    await node.serve("liar", seconds=3600)
    assert node.host.dials == []
    if fault is not Fault.MISPLACED:
        # It is asked too seldom for these few points to add up.
        assert "liar" in node.dropped


async def test_a_lie_leaves_the_rest_of_the_answer_unread(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    good = signed(world(1, 3)).to_bytes()
    answer = KnownPeers((), (good, forged().to_bytes(), signed(world(2)).to_bytes()))
    node.requests.says["liar"] = answer.to_bytes
    node.host.join("liar", world(1))
    await node.serve("liar", seconds=2)
    assert len(node.discovery.book) == 1


@pytest.mark.parametrize("at", [-90_000, 3_600], ids=["expired", "ahead"])
async def test_a_record_that_is_not_of_now_is_left_unread(
    node: FakeNode, autojump_clock: MockClock, at: float
) -> None:
    """It costs nothing, since clocks differ; and what stands beside it is read."""
    record, good = signed(world(1), at=at), signed(world(1, 3))
    answer = KnownPeers((), (record.to_bytes(), good.to_bytes()))
    node.requests.says["late"] = answer.to_bytes
    node.host.join("late", world(1, 1))
    await node.serve("late", seconds=600)
    assert node.conduct.score("late") == 0
    assert {address for _at, address in node.host.dials} == {
        f"{world(1, 3)}/p2p/{good.peer_id}"
    }


async def test_a_flood_costs_bounded_memory_and_dials(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    """Records that are in order, of peers that are nowhere, for an hour; and an honest
    peer, which knows five that are there, is heard all the same."""
    numbers = count()

    def one() -> PeerRecord:
        number = next(numbers)
        return signed(world(number, number))

    keys = [fresh_key() for _ in range(5)]

    def honest() -> bytes:
        told = [signed(world(9, 3_000 + n), key=key) for n, key in enumerate(keys)]
        return KnownPeers((), tuple(each.to_bytes() for each in told)).to_bytes()

    for number, each in enumerate(keys):
        peer = signed("/ip4/30.0.0.1/tcp/1", key=each).peer_id
        node.host.reachable.add(f"{world(9, 3_000 + number)}/p2p/{peer}")
    node.requests.says |= {"liar": flood_of(one), "honest": honest}
    node.host.join("liar", world(1, 1))
    node.host.join("honest", world(1, 2))
    await node.serve("liar", "honest", seconds=3600)
    out = [link for link in node.host.open.values() if link.is_outbound]
    assert len(out) == OUTBOUND_OF_SOURCE
    assert len(node.discovery.book) <= MAX_HEARD + len(keys)
    assert len(node.discovery.book.pauses) <= MAX_PAUSES
    times = [at for at, _address in node.host.dials]
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert min(gaps) >= DIAL_PAUSE * 0.7
    assert "liar" not in node.dropped


async def test_who_asks_too_often_is_told_nothing(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    node.host.join("asker", world(1))
    request = AskPeers().to_bytes()
    answers = [await node.discovery.answer("asker", request) for _ in range(7)]
    assert parse_peers_answer(answers[5]).own
    assert parse_peers_answer(answers[6]) == KnownPeers()
    assert node.conduct.score("asker") == -Fault.FLOOD.points
    await trio.sleep(21)
    assert parse_peers_answer(await node.discovery.answer("asker", request)).own


async def test_a_request_that_is_none_is_malformed(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    node.host.join("asker", world(1))
    with pytest.raises(MalformedError):
        await node.discovery.answer("asker", b"\xc0")
    assert await node.discovery.answer("gone", AskPeers().to_bytes()) == (
        KnownPeers().to_bytes()
    )


# Telling


async def test_who_came_by_itself_is_told_once_it_was_found_there(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    """A peer says where it is, is probed there, and only then told to others."""
    key = fresh_key()
    record = signed(world(5, 5), key=key)
    node.host.join(record.peer_id, world(5, 5))
    node.host.join("other", world(6, 6))
    ask = AskPeers((record.to_bytes(),)).to_bytes()
    await node.discovery.answer(record.peer_id, ask)
    before = await node.discovery.answer("other", AskPeers().to_bytes())
    assert parse_peers_answer(before).peers == ()
    node.host.reachable.add(f"{world(5, 5)}/p2p/{record.peer_id}")
    await node.serve(seconds=10)
    assert node.host.probes == [f"{world(5, 5)}/p2p/{record.peer_id}"]
    assert node.host.dials == []
    after = await node.discovery.answer("other", AskPeers().to_bytes())
    assert parse_peers_answer(after).peers == (record.to_bytes(),)
    itself = await node.discovery.answer(record.peer_id, AskPeers().to_bytes())
    assert parse_peers_answer(itself).peers == ()


async def test_at_most_32_are_told(node: FakeNode, autojump_clock: MockClock) -> None:
    for number in range(60):
        record = signed(world(1, 20 + number))
        node.discovery.book.hear(record, Found.EXCHANGE, f"{number}", now())
        where = record.addresses[0].text
        node.discovery.book.succeed(record.peer_id, where, now(), Found.EXCHANGE, "")
    node.host.join("asker", world(1))
    answer = await node.discovery.answer("asker", AskPeers().to_bytes())
    assert len(parse_peers_answer(answer).peers) == MAX_PEERS


async def test_a_node_announces_what_the_other_side_may_know(
    autojump_clock: MockClock,
) -> None:
    places = ["/ip4/127.0.0.1/tcp/1/p2p/me", "/ip4/10.0.0.1/tcp/1", world(1)]
    announcer = Announcer(OWN, lambda: [*places, "/ip4/0.0.0.0/tcp/1", "/dns4/x/tcp/1"])
    records = announcer.records(now())
    assert [len(one.addresses) for one in records] == [1, 1, 1]
    for record in records:
        record.verify()
    assert announcer.records(now() + 60) is records
    later = announcer.records(now() + 3_601)
    assert [one.time for one in later] > [one.time for one in records]
    places.pop()
    assert len(announcer.records(now() + 3_602)) == 2


async def test_what_is_announced_depends_on_the_connection(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    node.requests.says |= dict.fromkeys("ab", KnownPeers().to_bytes)
    node.discovery._announcer = Announcer(OWN, lambda: ["/ip4/10.0.0.1/tcp/1"])
    node.host.join("a", world(1))
    node.host.join("b", "/ip4/10.0.0.2/tcp/1")
    await node.serve("a", seconds=1)
    await node.serve("b", seconds=1)
    first, second = (parse_peers_request(one) for one in node.requests.asked)
    assert (len(first.own), len(second.own)) == (0, 1)


async def test_who_does_not_speak_it_is_not_asked_again(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    node.host.join("old", world(1))
    await node.serve("old", seconds=3600)
    assert len(node.requests.asked) == 1
    assert node.conduct.score("old") == 0


async def test_hints_are_tried_like_records(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    node.host.reachable.add(f"{world(1)}/p2p/peer")
    node.discovery.hint("peer", [world(1), "nonsense"], Found.MDNS)
    await node.serve(seconds=3)
    assert node.host.open["peer"].is_outbound
    book = node.discovery.book
    assert how_found("peer", node.host.open["peer"], {}, book) is Found.MDNS
    assert how_found("peer", Link(world(1), False, None, 0, 0), {}, book) is (
        Found.INBOUND
    )
    assert how_found("peer", None, {"peer": Found.BOOTSTRAP}, book) is Found.BOOTSTRAP
    assert how_found("stranger", None, {}, None) is Found.INBOUND
