"""Finding peers over real libp2p: who knows one finds all, and liars find none."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.support.networked import NetworkedNode, agree, networked_node
from tests.support.signed import work
from tests.support.waiting import until

from byline_node import discovery

pytestmark = pytest.mark.trio


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a minute among strangers takes a second here."""
    monkeypatch.setattr(discovery, "ASK_SECONDS", 0.5)
    monkeypatch.setattr(discovery, "ANSWERS", (20.0, 20.0))
    monkeypatch.setattr(discovery, "DIAL_PAUSE", 0.05)


def found_by(node: NetworkedNode) -> dict[str, str]:
    """Connected peers of a node, and how it found each."""
    return {one["peer_id"]: one["found"] for one in node.peers() if one["connected"]}


async def test_who_knows_one_other_finds_all(tmp_path: Path) -> None:
    """A chain of five, each of which is told of the one before it."""
    async with AsyncExitStack() as stack:
        nodes: list[NetworkedNode] = []
        for number in range(5):
            peers = nodes[-1].network.addresses if nodes else ()
            node = networked_node(tmp_path / str(number), peers=peers, discover=True)
            nodes.append(await stack.enter_async_context(node))
            await nodes[-1].publish([work(f"by {number}")])
        await until(lambda: all(len(found_by(one)) == 4 for one in nodes), 30)
        await agree(*nodes)
        ways = {way for node in nodes for way in found_by(node).values()}
    assert ways == {"configured", "exchange", "inbound"}
