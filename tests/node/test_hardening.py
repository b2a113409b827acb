"""Each patch of libp2p, in force and taken back: what it prevents is shown both ways.

A test that also passed without its patch would say nothing; so each runs twice, and
expects the harm where the patch is missing.  Patches of streams and of gossip are in
test_hardening_streams.py and test_hardening_gossip.py.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.host import basic_host
from libp2p.identity.identify.pb.identify_pb2 import Identify
from libp2p.identity.identify_push import identify_push
from libp2p.network.exceptions import SwarmException
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.peer.peerstore import PeerStore
from libp2p.rcmgr.manager import ResourceManager
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID, InsecureTransport
from libp2p.utils import encode_varint_prefixed
from libp2p.utils.varint import encode_uvarint
from multiaddr import Multiaddr
from tests.support.networked import ANY_PORT
from tests.support.unpatched import patch_in_force, replaced, without_options
from tests.support.waiting import until

from byline_node import host as host_module
from byline_node import host_dht, host_patches, host_setup
from byline_node.errors import ConfigError, PeerError
from byline_node.host import Host, open_host
from byline_node.peer_conduct import Conduct
from byline_node.streams import Stream

pytestmark = pytest.mark.trio

SOON = 0.7
ANY_WS = "/ip4/127.0.0.1/tcp/0/ws"
SOMEBODY = ID.from_pubkey(create_new_key_pair(b"x" * 32).public_key)


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with open_host(b"a" * 32, [ANY_PORT], []) as running:
        running.door = Conduct([], running.drop)
        yield running


async def deaf(_stream: Stream) -> None:
    await trio.sleep_forever()


def port_of(host: Host) -> int:
    return int(host.addresses[0].split("/")[4])


async def silent(host: Host) -> trio.SocketStream:
    """A TCP connection on which nothing is said."""
    return await trio.open_tcp_stream("127.0.0.1", port_of(host))


async def is_closed(stream: trio.SocketStream, seconds: float = SOON) -> bool:
    """Whether the other end closes a connection in that time."""
    with trio.move_on_after(seconds):
        try:
            while await stream.receive_some(65_536):
                pass
        except trio.BrokenResourceError:
            pass
        return True
    return False


# The start-up check


async def test_labels_are_unique_and_each_patch_says_what_it_is_for() -> None:
    patches = [*host_patches.PATCHES, *host_dht.DHT_PATCHES]
    labels = [patch.label for patch in patches]
    assert len(set(labels)) == len(labels)
    assert all(patch.without for patch in patches)


def names_that_are_patched() -> list[tuple[Any, str]]:
    patches = [(one.where, one.name) for one in host_patches.PATCHES]
    patches = [one for one in patches if one[1] != "__init__"]  # what all have
    return [*patches, *host_patches.OUTSIDE_NAMES, *host_setup.OUTSIDE_NAMES]


@pytest.mark.parametrize(
    ("where", "name"),
    host_dht.OUTSIDE_NAMES,
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
async def test_a_libp2p_that_lacks_a_name_of_the_dht_is_refused(
    where: Any, name: str, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(where, name)
    with pytest.raises(ConfigError, match=f"lacks.* ?{name}"):
        host.open_dht(None)


@pytest.mark.parametrize(
    ("where", "name"),
    names_that_are_patched(),
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
async def test_a_libp2p_that_lacks_a_patched_name_is_refused(
    where: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that renames one must not leave a node without its patch."""
    for owner in where.__mro__ if isinstance(where, type) else [where]:
        if name in vars(owner):
            monkeypatch.delattr(owner, name)
    with pytest.raises(ConfigError, match=f"lacks.* ?{name}"):
        Host(b"s" * 32, [], [])


# Before and during the handshake


async def test_plaintext_is_not_offered(
    patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With only a public key anybody could come under the id that belongs to it."""
    if not patched:
        without_options(monkeypatch, "sec_opt")
    victim = create_new_key_pair(b"v" * 32)
    plain = {PLAINTEXT_PROTOCOL_ID: InsecureTransport(victim)}
    options = {"key_pair": victim, "sec_opt": plain}
    imposter = new_host(listen_addrs=[Multiaddr(ANY_PORT)], **options)
    async with open_host(b"a" * 32, [ANY_PORT], []) as one, imposter.run([]):
        with suppress(SwarmException):
            await imposter.connect(info_from_p2p_addr(Multiaddr(one.addresses[0])))
        victims = [str(ID.from_pubkey(victim.public_key))]
        assert list(one.peers()) == ([] if patched else victims)


async def test_a_stranger_cannot_name_a_line_of_any_length(patched: bool) -> None:
    with patch_in_force("multiselect_communicator.read_delim", patched):
        async with open_host(b"a" * 32, [ANY_PORT], []) as one:
            stream = await silent(one)
            with suppress(trio.BrokenResourceError):  # closed already
                await stream.send_all(encode_uvarint(1 << 30) + bytes(100_000))
            assert await is_closed(stream) == patched


async def test_strangers_that_say_nothing_hold_few_websockets(
    patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_patches, "MAX_WS_HANDSHAKES", 4)
    monkeypatch.setattr(host_patches, "WS_HANDSHAKE_SECONDS", 2)
    with patch_in_force("listener.serve_websocket", patched):
        async with open_host(b"a" * 32, [ANY_WS], []) as one:
            held = [await silent(one) for _ in range(5)]
            assert await is_closed(held[-1]) == patched
            assert not await is_closed(held[0], 0.1)
            if patched:
                assert await is_closed(held[1], 4)
                async with open_host(b"b" * 32, [ANY_PORT], []) as other:
                    await other.connect(one.addresses[0])


async def test_one_address_does_not_take_all_the_slots(
    patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_setup, "MAX_HANDSHAKES_PER_IP", 4 if patched else 1_000)
    async with open_host(b"a" * 32, [ANY_PORT], []) as one:
        held = [await silent(one) for _ in range(5)]
        assert await is_closed(held[-1]) == patched
        assert not await is_closed(held[0], 0.1)


async def test_nothing_is_kept_of_peers_that_have_gone(
    patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libp2p's limit of connections in a second has a bucket for each, for ever."""
    if not patched:

        def manager(enable_rate_limiting: bool, **options: Any) -> ResourceManager:
            return ResourceManager(**options)

        monkeypatch.setattr(host_setup, "ResourceManager", manager)
    async with open_host(b"a" * 32, [ANY_PORT], []) as one:
        for number in range(3):
            async with open_host(bytes([number]) * 32, [ANY_PORT], []) as other:
                await other.connect(one.addresses[0])
        limiter = one._network._resource_manager.connection_rate_limiter
        assert len(limiter._token_buckets if limiter else ()) == (0 if patched else 3)


async def test_who_is_refused_does_not_come_in(patched: bool) -> None:
    """And is not dialled: neither side holds a connection."""
    keep_out = host_setup.checked_peers
    with replaced(host_setup, "checked_peers", lambda up, _door: up, unless=patched):
        async with (
            open_host(b"a" * 32, [ANY_PORT], []) as one,
            open_host(b"b" * 32, [ANY_PORT], []) as bad,
        ):
            one.door = refusing = Conduct([], one.drop)
            while not refusing.refused_for(bad.peer_id):
                refusing.charge(bad.peer_id, host_setup.Fault.LIE, "a lie")
            with suppress(PeerError):
                await bad.connect(one.addresses[0])
            await trio.sleep(0.1)
            assert bool(one.peers()) == (not patched)
            with pytest.raises(PeerError, match="refused for its conduct"):
                await one.connect(bad.addresses[0])
    assert keep_out is host_setup.checked_peers


async def test_inbound_slots_are_given_back(patched: bool) -> None:
    """libp2p keeps each until the node stops, and accepts nobody after 250."""
    with replaced(
        host_setup, "bounded_inbound", lambda upgrade, _door: upgrade, unless=patched
    ):
        async with open_host(b"a" * 32, [ANY_PORT], []) as one:
            for number in range(3):
                async with open_host(bytes([number]) * 32, [ANY_PORT], []) as other:
                    await other.connect(one.addresses[0])
            await until(lambda: not one._network.connections)
            slots = one._network._inbound_limiter
            with trio.move_on_after(SOON):
                await until(lambda: not slots.borrowed_tokens)
            assert slots.borrowed_tokens == (0 if patched else 3)


async def test_slots_are_kept_for_those_that_this_node_dials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Inbound connections cannot use them up."""
    monkeypatch.setattr(host_setup, "MAX_INBOUND", 2)
    async with open_host(b"a" * 32, [ANY_PORT], []) as one:
        assert one._network._inbound_limiter.total_tokens == 2
        async with (
            open_host(b"b" * 32, [ANY_PORT], []) as two,
            open_host(b"c" * 32, [ANY_PORT], []) as three,
            open_host(b"d" * 32, [ANY_PORT], []) as four,
        ):
            await two.connect(one.addresses[0])
            await three.connect(one.addresses[0])
            with suppress(PeerError):
                await four.connect(one.addresses[0])
            await until(lambda: not four.peers())
            assert len(one.peers()) == 2
            await one.connect(four.addresses[0])
            assert len(one.peers()) == 3
    assert host_setup.MAX_OUTBOUND >= 50


async def test_a_port_is_listened_on_by_one_node(patched: bool) -> None:
    """With SO_REUSEPORT a second one starts, and takes half of the connections."""
    with (
        patch_in_force("tcp._set_reuse_flags", patched),
        replaced(host_module, "check_can_listen", lambda _all: None, unless=False),
    ):
        async with open_host(b"a" * 32, [ANY_PORT], []) as one:
            taken = one.addresses[0].partition("/p2p/")[0]
            second_runs = False
            with suppress(ConfigError, ExceptionGroup):
                async with open_host(b"b" * 32, [taken], []):
                    second_runs = True
        assert second_runs == (not patched)


# What it does by itself


async def test_nobody_is_dialled_but_by_the_supervisor(patched: bool) -> None:
    with replaced(host_setup, "dial_nobody", lambda _swarm: None, unless=patched):
        async with open_host(b"a" * 32, [ANY_PORT], []) as one:
            assert one._network.auto_connector._started == (not patched)
            assert bool(one._network.retry_config.max_retries) == (not patched)


async def test_what_strangers_say_our_address_is_is_not_believed(
    patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not patched:
        without_options(monkeypatch, "disable_identify_address_discovery")
    async with open_host(b"a" * 32, [ANY_PORT], []) as one:
        assert (one._host._observed_addr_manager is None) == patched


async def test_websockets_are_dialled_without_a_proxy(
    patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with patch_in_force("proxy_env.get_proxy_from_environment", patched):
        async with (
            open_host(b"a" * 32, [ANY_WS], []) as one,
            open_host(b"b" * 32, [ANY_PORT], []) as two,
        ):
            with suppress(PeerError):
                await two.connect(one.addresses[0])
            assert bool(two.peers()) == patched


async def test_websockets_that_have_ended_are_not_counted(patched: bool) -> None:
    """A node would dial a thousand, whoever named them, and then none any more."""
    with patch_in_force("WebsocketTransport._track_connection", patched):
        async with (
            open_host(b"a" * 32, [ANY_WS], []) as one,
            open_host(b"b" * 32, [ANY_PORT], []) as two,
        ):
            (place,) = one.addresses
            manager = two._network.transport_manager
            manager.transport_for_dialing(Multiaddr(place))._config.max_connections = 2
            for number in range(3):
                with suppress(PeerError):
                    await two.connect(place)
                assert bool(two.peers()) == (patched or number < 2)
                two.drop(one.peer_id)
                await until(lambda: not two._network.connections)


async def test_nothing_is_logged_on_the_root_logger(
    patched: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with patch_in_force("swarm_connection.logging", patched):
        async with (
            open_host(b"a" * 32, [ANY_PORT], []) as one,
            open_host(b"b" * 32, [ANY_PORT], []) as two,
        ):
            await two.connect(one.addresses[0])
    roots = [one for one in caplog.records if one.name == "root"]
    assert bool(roots) == (not patched)


# Identify


class Endless:
    """A stream that never ends; it counts what is taken from it."""

    def __init__(self, start: bytes) -> None:
        self._start = start
        self.taken = 0
        self.was_reset = False

    async def read(self, most: int) -> bytes:
        await trio.lowlevel.checkpoint()
        data, self._start = self._start[:most], self._start[most:]
        data = data or bytes(min(most, 65_536))
        self.taken += len(data)
        return data

    async def reset(self) -> None:
        self.was_reset = True


@pytest.mark.parametrize("module", [basic_host, identify_push])
async def test_what_a_peer_says_it_is_is_not_read_without_end(
    module: Any, patched: bool
) -> None:
    label = f"{module.__name__.rpartition('.')[2]}.read_length_prefixed_protobuf"
    stream = Endless(encode_uvarint(1_000_000))
    with patch_in_force(label, patched), suppress(Exception):
        await module.read_length_prefixed_protobuf(stream, use_varint_format=True)
    # Reset, for libp2p would read on, to an end that never comes.
    assert stream.was_reset == patched
    assert (stream.taken <= 10) == patched


@pytest.mark.parametrize("module", [basic_host, identify_push])
async def test_little_of_what_a_peer_says_it_is_is_kept(
    module: Any, patched: bool
) -> None:
    label = f"{module.__name__.rpartition('.')[2]}.update_peerstore_from_identify"
    said = Identify(
        agent_version="agent\x1b[31m\n" + "x" * 1_000,
        protocols=["/a"] + ["/p" * 10_000] + [f"/p/{i}" for i in range(5_000)],
        listen_addrs=[
            Multiaddr(f"/ip4/192.0.2.1/tcp/{i}").to_bytes() for i in range(1, 900)
        ],
    )
    store = PeerStore()
    with patch_in_force(label, patched):
        await module.update_peerstore_from_identify(store, SOMEBODY, said)
    kept = store.get_protocols(SOMEBODY)
    assert (len(kept) <= host_patches.MAX_PROTOCOLS) == patched
    assert (max(map(len, kept)) <= host_patches.MAX_PROTOCOL_NAME) == patched
    with suppress(KeyError):
        assert (not store.addrs(SOMEBODY)) == patched
    if patched:
        agent = str(store.get(SOMEBODY, "agent"))
        assert agent.startswith("agent[31mxxx")
        assert len(agent) <= host_patches.MAX_AGENT


async def test_a_node_says_which_program_it_is(patched: bool) -> None:
    with patch_in_force("identify.AGENT_VERSION", patched):
        async with (
            open_host(b"a" * 32, [ANY_PORT], []) as one,
            open_host(b"b" * 32, [ANY_PORT], []) as two,
        ):
            peer = await two.connect(one.addresses[0])
            await until(lambda: two.links()[peer].agent)
            agent = str(two.links()[peer].agent)
            assert agent.startswith("byline/" if patched else "py-libp2p")


# The little beside


async def test_a_socket_is_found_under_every_kind_of_layer() -> None:
    """Of a connection that is none there is nothing, and no error."""
    assert host_module.socket_of(object()) is None
    assert host_module.address_of(object()) == ""
    with socket.socket() as closed:
        holder = type("Layer", (), {"socket": closed})()
    assert host_module.address_of(holder) == ""


async def test_negotiation_takes_lines_and_nothing_else() -> None:
    for line, good in ((b"/noise\n", True), (b"/noise", False), (b"", False)):
        reader = Endless(encode_varint_prefixed(line))
        read = partial(host_patches.read_delim, reader)
        if good:
            assert await read() == line[:-1]
        else:
            with pytest.raises(host_patches.ParseError):
                await read()
