"""How nodes reach each other: TCP and WebSocket, IPv4 and IPv6, with or without key."""

from __future__ import annotations

import base64
import socket
from pathlib import Path

import pytest
import trio
import trio.testing
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.id import ID
from structlog.testing import capture_logs
from tests.support.networked import ANY_PORT, networked_node
from tests.support.node_process import node_process
from tests.support.waiting import until, wait_until

from byline_node.config import NodeConfig
from byline_node.errors import ConfigError, PeerError
from byline_node.host import open_host, parse_peer
from byline_node.network_key import read_network_key
from byline_node.peer_conduct import Conduct
from byline_node.requests import Requests

KEY = bytes(range(32))
LISTENING = [
    "/ip4/127.0.0.1/tcp/0",
    "/ip4/127.0.0.1/tcp/0/ws",
    "/ip6/::1/tcp/0",
    "/ip6/::1/tcp/0/ws",
]
has_ipv6 = Path("/proc/net/if_inet6").exists() and socket.has_ipv6


def needs_ipv6(address: str) -> None:
    if "/ip6/" in address and not has_ipv6:
        pytest.skip("this machine has no IPv6")


async def echo(_peer: str, request: bytes) -> bytes:
    return request


@pytest.mark.trio
@pytest.mark.parametrize("key", [None, KEY], ids=["open", "key"])
@pytest.mark.parametrize("listen", LISTENING)
async def test_a_request_goes_over_each_transport(
    listen: str, key: bytes | None
) -> None:
    """The dialler listens on plain TCP: it dials whatever there is."""
    needs_ipv6(listen)
    async with (
        open_host(b"a" * 32, [listen], [], network_key=key) as one,
        open_host(b"b" * 32, [ANY_PORT], [], network_key=key) as two,
    ):
        (address,) = one.addresses
        kind = listen.replace("/tcp/0", "/tcp/PORT")
        port = address.split("/")[4]
        assert address == f"{kind.replace('PORT', port)}/p2p/{one.peer_id}"
        Requests(one).answer("/echo", 200_000, echo)
        peer = await two.connect(address)
        data = bytes(150_000)
        assert await Requests(two).ask(peer, "/echo", data, most=len(data)) == data
        assert two.links()[peer].address == address.partition("/p2p/")[0]
        assert two.links()[peer].is_outbound
        (link,) = one.links().values()
        assert not link.is_outbound
        assert link.address.split("/")[2] == listen.split("/")[2]
        assert len(data) < link.bytes_in < 2 * len(data)
        assert len(data) < link.bytes_out < 2 * len(data)
        two.drop(peer)
        await until(lambda: not one.peers() and not two.peers())


@pytest.mark.trio
@pytest.mark.parametrize("key", [None, KEY], ids=["open", "key"])
@pytest.mark.parametrize("listen", LISTENING)
async def test_a_probe_shows_who_is_there_and_is_no_connection(
    listen: str, key: bytes | None
) -> None:
    """Nor does it part those that are connected, or leave anything behind."""
    needs_ipv6(listen)
    async with (
        open_host(b"a" * 32, [listen], [], network_key=key) as one,
        open_host(b"b" * 32, [ANY_PORT], [], network_key=key) as two,
        open_host(b"c" * 32, [], [], network_key=key) as three,
    ):
        (address,) = one.addresses
        with capture_logs() as logs:
            one.door = Conduct((), one.drop)
            await three.probe(address)
            assert (one.peers(), three.peers()) == ({}, {})
            await one.connect(two.addresses[0])
            for _ in range(5):
                await two.probe(address)
            await trio.testing.wait_all_tasks_blocked(0.2)
            assert list(two.peers()) == [one.peer_id]
            assert list(one.peers()) == [two.peer_id]
        assert [line for line in logs if line["log_level"] != "debug"] == []
        with pytest.raises(PeerError, match="another peer id"):
            await two.probe(address.replace(one.peer_id, three.peer_id))


@pytest.mark.trio
async def test_a_probe_of_nobody_says_so() -> None:
    async with (
        open_host(b"a" * 32, [], []) as host,
        open_host(b"b" * 32, [ANY_PORT], []) as other,
    ):
        (address,) = other.addresses
        port = address.split("/")[4]
        with pytest.raises(PeerError, match="Connection refused"):
            await host.probe(address.replace(port, "1"))
        with pytest.raises(ConfigError):
            await host.probe("/nowhere")


@pytest.mark.trio
async def test_any_address_is_told_as_those_of_this_machine() -> None:
    async with open_host(b"a" * 32, ["/ip4/0.0.0.0/tcp/0"], []) as host:
        assert all("/0.0.0.0/" not in one for one in host.interfaces())
        assert host.interfaces()


@pytest.mark.trio
async def test_one_node_listens_on_all_of_them() -> None:
    listening = LISTENING if has_ipv6 else LISTENING[:2]
    async with (
        open_host(b"a" * 32, listening, []) as one,
        open_host(b"b" * 32, [], []) as two,
    ):
        assert len(one.addresses) == len(listening)
        for address in one.addresses:
            peer = await two.connect(address)
            two.drop(peer)
            await until(lambda: not one.peers() and not two.peers())


@pytest.mark.trio
async def test_a_proxy_in_the_environment_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """libp2p would, and print its address to standard output."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with (
        open_host(b"a" * 32, ["/ip4/127.0.0.1/tcp/0/ws"], []) as one,
        open_host(b"b" * 32, [ANY_PORT], []) as two,
    ):
        await two.connect(one.addresses[0])
    assert "127.0.0.1:9" not in capfd.readouterr().out


# Addresses that cannot be used


@pytest.mark.trio
@pytest.mark.parametrize(
    ("listen", "said"),
    [
        (["nonsense"], "expected an address to listen on like"),
        (["/ip4/127.0.0.1/udp/4001/quic-v1"], "expected an address to listen on like"),
        (["/ip4/127.0.0.1/tcp/0/wss"], "expected an address to listen on like"),
        (["/ip4/127.0.0.1/tcp/70000"], "cannot listen on"),
        (["/ip4/192.0.2.1/tcp/0"], "cannot listen on"),
        (["/ip6/2001:db8::1/tcp/0"], "cannot listen on"),
    ],
)
async def test_what_cannot_be_listened_on_is_one_clear_error(
    listen: list[str], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        async with open_host(b"s" * 32, listen, []):
            pass


@pytest.mark.trio
async def test_two_addresses_on_one_port_are_refused() -> None:
    """Also plain TCP and WebSocket, which libp2p would tell apart by their bytes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    both = [f"/ip4/127.0.0.1/tcp/{port}", f"/ip4/127.0.0.1/tcp/{port}/ws"]
    with pytest.raises(ConfigError, match="already in use"):
        async with open_host(b"s" * 32, both, []):
            pass


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "/ip4/127.0.0.1/tcp/1",
        "/ip4/127.0.0.1/tcp/1/p2p/nobody",
        "/ip4/127.0.0.1/tcp/1/p2p/" + "1" * 5_000,
        "/ip4/999.0.0.1/tcp/1/p2p/12D3KooWHQhpnRbWQat7UBD8tXbrxuUJUcfzjx2jQQEW5qUaz6jD",
    ],
)
def test_a_peer_that_cannot_be_dialled_is_one_clear_error(address: str) -> None:
    with pytest.raises(ConfigError, match="expected an address like"):
        parse_peer(address)


def test_the_configuration_takes_websockets_and_refuses_quic(tmp_path: Path) -> None:
    NodeConfig(tmp_path, listen=("/ip6/::/tcp/4737/ws",))
    peer = "/dns4/node.example/tcp/443/ws/p2p/12D3KooWabc"
    assert NodeConfig(tmp_path, peers=(peer,)).peers == (peer,)
    for bad in ("/ip4/0.0.0.0/udp/4737/quic-v1", "/ip4/0.0.0.0/tcp/4737/wss", "/ws"):
        with pytest.raises(ConfigError, match="listen: expected"):
            NodeConfig(tmp_path, listen=(bad,))


@pytest.mark.trio
async def test_more_peers_than_can_be_dialled_are_refused(tmp_path: Path) -> None:
    keys = [create_new_key_pair(bytes([i]) * 32).public_key for i in range(57)]
    peers = [f"/ip4/127.0.0.1/tcp/1/p2p/{ID.from_pubkey(key)}" for key in keys]
    with pytest.raises(ExceptionGroup) as raised:
        async with networked_node(tmp_path / "node", peers=peers):
            pass
    assert "expected at most 56 peers, got 57" in repr(raised.value)


# Network keys


def key_file(path: Path, key: bytes = KEY) -> Path:
    path.write_text(f"/key/swarm/psk/1.0.0/\n/base16/\n{key.hex()}\n")
    return path


def test_a_network_key_is_read_in_both_spellings(tmp_path: Path) -> None:
    path = key_file(tmp_path / "swarm.key")
    assert read_network_key(path) == KEY
    text = base64.b64encode(KEY)
    path.write_bytes(b"/key/swarm/psk/1.0.0/\r\n/base64/\r\n" + text)
    assert read_network_key(path) == KEY


@pytest.mark.parametrize(
    "text",
    [
        b"",
        KEY,
        b"/key/swarm/psk/1.0.0/\n/base16/\n" + b"0" * 62 + b"\n",
        b"/key/swarm/psk/1.0.0/\n/base16/\n" + b"0" * 63 + b"g\n",
        b"/key/swarm/psk/1.0.0/\n/base64/\n" + b"0" * 64 + b"!\n",
        b"/key/swarm/psk/1.0.0/\n/bin/\n" + KEY,
        b"/key/swarm/psk/2.0.0/\n/base16/\n" + b"0" * 64 + b"\n",
        b"/key/swarm/psk/1.0.0/\n/base16/\n" + b"0" * 64 + b"\n" * 2_000,
    ],
)
def test_what_is_no_network_key_is_refused_without_showing_it(
    text: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "swarm.key"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match="is not a network key") as raised:
        read_network_key(path)
    assert "00000000" not in str(raised.value)
    with pytest.raises(ConfigError, match="No such file"):
        read_network_key(tmp_path / "nothing")


def test_the_key_file_is_looked_for_in_the_node_folder(tmp_path: Path) -> None:
    config = NodeConfig(tmp_path, network_key_file="swarm.key")
    assert config.network_key_path == config.folder / "swarm.key"
    absolute = NodeConfig(tmp_path, network_key_file=str(tmp_path / "k"))
    assert absolute.network_key_path == tmp_path / "k"
    assert NodeConfig(tmp_path).network_key_path is None


@pytest.mark.trio
@pytest.mark.parametrize("theirs", [None, bytes(32)], ids=["no-key", "other-key"])
async def test_who_has_not_the_network_key_stays_out(theirs: bytes | None) -> None:
    """Each side says so in one line; the node goes on, and shows the key to nobody."""
    async with (
        open_host(b"a" * 32, [ANY_PORT], [], network_key=KEY) as one,
        open_host(b"b" * 32, [ANY_PORT], [], network_key=theirs) as other,
        open_host(b"c" * 32, [ANY_PORT], [], network_key=KEY) as friend,
    ):
        one.door = Conduct([], one.drop)
        with capture_logs() as lines:
            for _ in range(2):
                with pytest.raises(
                    PeerError, match=r"answers there|no answer"
                ) as raised:
                    await other.connect(one.addresses[0])
        assert not one.peers()
        await friend.connect(one.addresses[0])
        said = [line for line in lines if line["log_level"] != "debug"]
        assert [line["event"] for line in said] == ["stranger turned away"]
        for shown in (str(said), str(raised.value), repr(vars(one))):
            assert KEY.hex() not in shown
            assert repr(KEY) not in shown


def test_a_node_with_a_key_tells_nobody_which(tmp_path: Path) -> None:
    """The real program, at debug level; and without its key file it does not start."""
    home = tmp_path / "home"
    with node_process(home, listen=ANY_PORT) as node:
        node.wait_ready()
        node.stop()
    config = NodeConfig(home, network_key_file="swarm.key")
    config.write()
    with node_process(home, listen=ANY_PORT) as node:
        code, said = node.end()
        assert (code, "cannot read" in said) == (78, True)
    key_file(config.folder / "swarm.key")
    with node_process(home, listen=ANY_PORT) as node:
        client = node.wait_ready()
        wait_until(lambda: client.status()["peer_id"])
        assert KEY.hex() not in str(client.status())
        code, _, said = node.stop()
    assert code == 0
    assert KEY.hex() not in said


@pytest.mark.trio
async def test_a_stopped_websocket_does_not_listen() -> None:
    async with open_host(b"a" * 32, ["/ip4/127.0.0.1/tcp/0/ws"], []) as one:
        (address,) = one.addresses
    with pytest.raises(OSError, match=r"all attempts to connect|refused"):
        await trio.open_tcp_stream("127.0.0.1", int(address.split("/")[4]))


@pytest.mark.trio
async def test_a_connection_is_found_by_the_peer_and_by_no_other_name() -> None:
    async with (
        open_host(b"a" * 32, [ANY_PORT], []) as host,
        open_host(b"b" * 32, [ANY_PORT], []) as other,
    ):
        assert other.link(host.peer_id) is None
        await other.connect(host.addresses[0])
        assert other.link(host.peer_id) == other.links()[host.peer_id]
        for name in ("", "0OIl", "\xe9", host.peer_id[:-1], "1" * 10_000):
            assert other.link(name) is None
        other.drop(host.peer_id)
        await until(lambda: other.link(host.peer_id) is None)
