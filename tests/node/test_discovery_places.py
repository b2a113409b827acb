"""Discovery in virtual time: who is dialled, who is probed, who fills the places."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.support.discovering import (
    FakeNode,
    new_node,
    now,
    signed,
    world,
)
from trio.testing import MockClock

from byline_ledger.peer_address import ip_in, network_of_ip
from byline_ledger.peer_messages import (
    KnownPeers,
)
from byline_ledger.peer_record import PeerRecord
from byline_node.address_book import Found
from byline_node.discovery import (
    OUTBOUND,
    OUTBOUND_OF_NETWORK,
    OUTBOUND_OF_SOURCE,
)

pytestmark = pytest.mark.trio


@pytest.fixture
def node() -> FakeNode:
    return new_node()


async def dialled_of(
    node: FakeNode, records: list[PeerRecord], *, seconds: float
) -> int:
    """How many of these get a place when all of them are there."""
    for record in records:
        address = record.addresses[0].text
        node.host.reachable.add(f"{address}/p2p/{record.peer_id}")
    some = tuple(one.to_bytes() for one in records[:32])
    node.requests.says["teller"] = KnownPeers((), some).to_bytes
    node.host.join("teller", world(1, 1))
    await node.serve("teller", seconds=seconds)
    return sum(link.is_outbound for link in node.host.open.values())


async def test_no_source_fills_all_places(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    records = [signed(world(9, 20 + number)) for number in range(20)]
    found = await dialled_of(node, records, seconds=600)
    assert found == OUTBOUND_OF_SOURCE < OUTBOUND


async def test_no_public_network_fills_all_places(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    records = [signed(world(number, 5)) for number in range(20)]
    assert await dialled_of(node, records, seconds=600) == OUTBOUND_OF_NETWORK


async def test_places_are_filled_and_no_more(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    """From several sources; what is beyond is left alone."""
    for number in range(20):
        record = signed(world(9, 20 + number))
        node.host.reachable.add(f"{record.addresses[0].text}/p2p/{record.peer_id}")
        teller = f"teller {number}"
        node.requests.says[teller] = KnownPeers((), (record.to_bytes(),)).to_bytes
        node.host.join(teller, world(1, 100 + number))
    tellers = [f"teller {number}" for number in range(20)]
    await node.serve(*tellers, seconds=600)
    assert sum(link.is_outbound for link in node.host.open.values()) == OUTBOUND
    assert len(node.host.dials) == OUTBOUND


async def test_a_place_counts_where_it_was_dialled(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    """Whatever network the record of who fills it names first."""
    for number in range(20):
        record = signed(world(1, 100 + number), world(number, 5))
        node.host.reachable.add(f"{world(number, 5)}/p2p/{record.peer_id}")
        node.discovery.book.hear(record, Found.EXCHANGE, f"{number}", now())
    await node.serve(seconds=600)
    assert len(node.host.open) == OUTBOUND_OF_NETWORK


async def test_who_is_in_a_full_network_too_is_dialled_in_another(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    for number in range(20):
        record = signed(world(1, 100 + number), world(number, 5))
        for address in record.addresses:
            node.host.reachable.add(f"{address.text}/p2p/{record.peer_id}")
        node.discovery.book.hear(record, Found.EXCHANGE, f"{number}", now())
    await node.serve(seconds=600)
    dialled = [network_of_ip(ip_in(one.dialled)) for one in node.host.open.values()]
    assert len(dialled) == OUTBOUND
    assert Counter(dialled).most_common(1)[0][1] <= OUTBOUND_OF_NETWORK


async def test_peers_that_came_by_themselves_are_probed_in_turn(
    node: FakeNode, autojump_clock: MockClock
) -> None:
    """Who claims many addresses does not keep this node from trying the others'."""
    for number in range(5):
        liar = signed(*(world(number, 100 + each) for each in range(8)))
        node.host.join(liar.peer_id, world(number))
        node.discovery.book.hear(liar, Found.INBOUND, f"{number}", now())
    honest = signed(world(5, 5))
    node.host.join(honest.peer_id, world(5, 5))
    node.discovery.book.hear(honest, Found.INBOUND, "honest", now())
    await node.serve(seconds=120)
    found = f"{world(5, 5)}/p2p/{honest.peer_id}"
    assert found in node.host.probes[:6]
    assert len({address.rpartition("/")[2] for address in node.host.probes[:6]}) == 6
