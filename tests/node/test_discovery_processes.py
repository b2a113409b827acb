"""Discovery between real processes: a ring, and a node whose peers have all moved."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.support.hostile import target_in, unharmed
from tests.support.node_process import NodeProcess, node_process
from tests.support.signed import work
from tests.support.waiting import until, wait_until

from byline_ledger.crypto import SigningKey
from byline_ledger.peer_messages import (
    MAX_REQUEST,
    MAX_RESPONSE,
    PROTOCOL,
    AskPeers,
    KnownPeers,
)
from byline_ledger.peer_record import PeerRecord, sign_peer_record
from byline_node.client import Client
from byline_node.errors import PeerError
from byline_node.host import Host, open_host
from byline_node.requests import Requests

ANY_PORT = "/ip4/127.0.0.1/tcp/0"
DISCOVER = "discover = true\n"


def found_by(client: Client) -> dict[str, str]:
    """Connected peers of a node, and how it found each."""
    peers: list[dict[str, Any]] = client.status()["peers"]
    return {one["peer_id"]: one["found"] for one in peers if one["connected"]}


def ready(node: NodeProcess) -> tuple[Client, str]:
    client = node.wait_ready()
    return client, str(client.status()["listen"][0])


@pytest.mark.slow
def test_five_nodes_that_know_one_other_each_end_with_the_same_set(
    tmp_path: Path,
) -> None:
    """Each is told of the one before it alone; all end up connected with all."""
    with ExitStack() as stack:
        clients: list[Client] = []
        address = ""
        for number in range(5):
            options = {"listen": ANY_PORT, "peers": address, "settings": DISCOVER}
            node = node_process(tmp_path / str(number), **options)
            client, address = ready(stack.enter_context(node))
            client.publish([work(f"by {number}")])
            clients.append(client)
        wait_until(lambda: all(len(found_by(one)) == 4 for one in clients), 120)
        wait_until(lambda: len({one.status()["set_root"] for one in clients}) == 1)
        assert {one.status()["statements"] for one in clients} == {5}
        ways = {way for client in clients for way in found_by(client).values()}
    assert ways == {"configured", "exchange", "inbound"}


@pytest.mark.slow
def test_a_node_whose_peers_have_all_moved_finds_them_by_a_bootstrap_peer(
    tmp_path: Path,
) -> None:
    """It comes back with an address book in which no address is right any more."""
    with ExitStack() as stack:

        def start(name: str, settings: str = "") -> tuple[NodeProcess, Client, str]:
            text = DISCOVER + settings
            options = {"listen": ANY_PORT, "settings": text}
            node = stack.enter_context(node_process(tmp_path / name, **options))
            return node, *ready(node)

        _, hub, address = start("hub")
        bootstrap = f'bootstrap = ["{address}"]\n'
        others = [start(name, bootstrap) for name in "ab"]
        node, client, _ = start("node", bootstrap)
        wait_until(lambda: len(found_by(client)) == 3, 90)
        for process, *_ in [(node,), *others]:
            assert process.stop()[0] == 0
        assert (tmp_path / "node" / "node" / "addresses").stat().st_size > 100
        others = [start(name, bootstrap) for name in "ab"]
        _, client, _ = start("node", bootstrap)
        wait_until(lambda: len(found_by(client)) == 3, 120)
        found = found_by(client)
        assert found[address.rpartition("/p2p/")[2]] == "bootstrap"
        assert len(found_by(hub)) == 3


# A liar, which is a host of its own


def nowhere(count: int) -> list[bytes]:
    """Records in order, of peers that nobody ever saw; on a port that is closed."""
    return [
        sign_peer_record(
            SigningKey.from_seed(os.urandom(32)),
            [f"/ip4/127.{number}.{os.urandom(1)[0]}.1/tcp/1"],
            int(time.time() * 1000),
        ).to_bytes()
        for number in range(count)
    ]


def forged() -> bytes:
    record = PeerRecord.from_bytes(nowhere(1)[0])
    return PeerRecord(
        record.key, (), 0, 0, record.body, bytes(len(record.signature))
    ).to_bytes()


def expired() -> bytes:
    key = SigningKey.from_seed(os.urandom(32))
    return sign_peer_record(key, ["/ip4/127.0.0.1/tcp/1"], 1).to_bytes()


async def asked(host: Host, peer: str, own: Sequence[bytes]) -> bool:
    """Whether such a request is answered at all."""
    try:
        request = AskPeers(tuple(own)).to_bytes()
        await Requests(host).ask(peer, PROTOCOL, request, most=MAX_RESPONSE)
    except PeerError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.trio
async def test_a_liar_costs_little_and_is_refused(tmp_path: Path) -> None:
    """It answers with floods of nobody, and asks with what is forged, old or huge."""
    with target_in(tmp_path, settings=DISCOVER) as target:
        async with (
            unharmed(target, memory=30 << 20),
            open_host(os.urandom(32), [], []) as host,
        ):

            async def flood(_peer: str, _request: bytes) -> bytes:
                return KnownPeers((), tuple(nowhere(32))).to_bytes()

            Requests(host).answer(PROTOCOL, MAX_REQUEST, flood)
            peer = await host.connect(target.address)
            await asked(host, peer, [b"x" * 1_100])
            await asked(host, peer, [expired()])
            for _ in range(20):
                await asked(host, peer, [forged()])
                if peer not in host.peers():
                    break
            await until(lambda: target.said("peer refused"))
            await until(lambda: peer not in host.peers())
        (refused,) = target.said("peer refused")
        assert refused["seconds"] == 600
        book = tmp_path / "node" / "addresses"
    assert not book.exists() or book.stat().st_size < 1 << 20
