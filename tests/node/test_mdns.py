"""Finding nodes on the local network: what is announced, and what is believed of it.

Multicast needs an interface, so two nodes that find each other have a network of their
own: an interface in a network namespace, where the machine lets us make one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from zeroconf import NonUniqueNameException, ServiceInfo

from byline_ledger.errors import MalformedError
from byline_node import mdns
from byline_node.mdns import LocalNetwork, announced, parse_announcement

PEER = b"12D3KooWHQhpnRbWQat7UBD8tXbrxuUJUcfzjx2jQQEW5qUaz6jD"
LAN = "/ip4/10.77.0.1/tcp/4737"
ROOT = Path(__file__).parent.parent.parent
NETWORK = """
ip link set lo up
ip link add lan type veth peer name other
ip link set other up
ip addr add 10.77.0.1/24 dev lan
ip link set lan up
ip route add 224.0.0.0/4 dev lan
exec "$@"
"""


def test_only_what_means_the_same_to_everybody_is_announced() -> None:
    said = ["/ip4/127.0.0.1/tcp/1", LAN, "/ip4/0.0.0.0/tcp/1", "nonsense"]
    assert announced(said) == [LAN]
    assert announced([LAN] * 20) == [LAN] * 8
    local = LocalNetwork(PEER.decode(), lambda: said, lambda _peer, _places: None)
    info = local._announcement()
    assert info is not None
    assert parse_announcement(info.properties) == (PEER.decode(), [LAN])
    assert PEER.decode() not in info.name
    local = LocalNetwork(PEER.decode(), lambda: said[:1], lambda _peer, _places: None)
    assert local._announcement() is None


def test_what_others_announce_is_bounded() -> None:
    many = {b"%d" % number: LAN.encode() for number in range(100)}
    assert parse_announcement({b"peer": PEER, **many}) == (PEER.decode(), [LAN] * 8)
    odd = {b"1": b"/ip4/127.0.0.1/tcp/1", b"2": b"\xff", b"3": None, b"x": b"y"}
    assert parse_announcement({b"peer": PEER, **odd}) == (PEER.decode(), [])


@pytest.mark.parametrize("peer", [None, b"", b"short", b"\xff" * 50, PEER * 3])
def test_an_announcement_without_a_peer_is_none(peer: bytes | None) -> None:
    with pytest.raises(MalformedError):
        parse_announcement({b"peer": peer, b"1": LAN.encode()})
    with pytest.raises(MalformedError):
        parse_announcement({})


@pytest.mark.trio
async def test_whatever_neighbours_do_the_node_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as claiming the random name that we announce."""

    class Engine:
        def register_service(self, _info: ServiceInfo) -> None:
            raise NonUniqueNameException

        def close(self) -> None:
            self.is_closed = True

    engine = Engine()
    monkeypatch.setattr(mdns, "Zeroconf", lambda: engine)
    local = LocalNetwork(PEER.decode(), lambda: [LAN], lambda _peer, _places: None)
    await local.run()
    assert engine.is_closed


def can_make_networks() -> bool:
    if os.geteuid() or shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    made = subprocess.run(
        ["unshare", "--net", "bash", "-ec", NETWORK, "network", "true"],
        capture_output=True,
        check=False,
    )
    return made.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not can_make_networks(), reason="needs a network namespace")
def test_two_nodes_on_a_network_find_each_other(tmp_path: Path) -> None:
    """Real processes that were told of nobody; and both see how they met."""
    code = f"from tests.node.test_mdns import meet; meet({str(tmp_path)!r})"
    command = ["unshare", "--net", "bash", "-ec", NETWORK, "network"]
    done = subprocess.run(
        [*command, sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {"mdns", "inbound"} or (
        set(done.stdout.split()) == {"mdns"}
    )


def meet(folder: str) -> None:
    """Two nodes in this network; prints how each found the other."""
    from tests.node.test_discovery_processes import found_by, ready
    from tests.support.node_process import node_process
    from tests.support.waiting import wait_until

    options = {
        "listen": "/ip4/0.0.0.0/tcp/0",
        "settings": "discover = true\nmdns = true\n",
    }
    with (
        node_process(Path(folder) / "one", **options) as one,
        node_process(Path(folder) / "two", **options) as two,
    ):
        clients = [ready(node)[0] for node in (one, two)]
        wait_until(lambda: all(found_by(client) for client in clients), 60)
        for client in clients:
            print(*found_by(client).values())
        assert [node.stop()[0] for node in (one, two)] == [0, 0]
