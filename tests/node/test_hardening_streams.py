"""Patches of libp2p's streams, in force and taken back: see test_hardening.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import cycle, groupby
from typing import Any

import pytest
import trio
import trio.lowlevel
import trio.testing
from libp2p.io.trio import TrioTCPStream
from libp2p.tools.anyio_service import Service, background_trio_service
from libp2p.tools.anyio_service.trio_tasks import FunctionTask
from tests.support.attackers import attacker_of, flood_stream
from tests.support.networked import ANY_PORT
from tests.support.unpatched import patch_in_force, replaced
from tests.support.waiting import LoopTurns, until

from byline_node import host_setup, unread
from byline_node.errors import PeerError
from byline_node.frames import read_frame
from byline_node.host import Host, open_host
from byline_node.host_streams import HEADER_BYTES, QuickLock
from byline_node.peer_conduct import Conduct
from byline_node.streams import Stream, layers_of
from byline_node.unread import UnreadBytes, unread_on

pytestmark = pytest.mark.trio

SOON = 0.7


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with open_host(b"a" * 32, [ANY_PORT], []) as running:
        running.door = Conduct([], running.drop)
        yield running


async def deaf(_stream: Stream) -> None:
    await trio.sleep_forever()


async def test_an_exception_in_a_stream_handler_ends_nothing_else(
    patched: bool,
) -> None:
    async def fail(_stream: Stream) -> None:
        raise RuntimeError("a bug, or what a stranger's bytes bring about")

    with replaced(
        host_setup, "safe_streams", lambda handle, _door: handle, unless=patched
    ):
        ended = False
        try:
            async with (
                open_host(b"b" * 32, [ANY_PORT], []) as two,
                open_host(b"a" * 32, [ANY_PORT], []) as one,
            ):
                one.set_stream_handler("/fail", fail)
                peer = await two.connect(one.addresses[0])
                with suppress(PeerError):
                    stream = await two.open_stream(peer, "/fail")
                    await stream.receive(1)
                await trio.sleep(0.2)
        except (PeerError, ExceptionGroup):
            ended = True
        assert ended == (not patched)


async def test_a_connection_has_few_streams(
    patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_setup, "MAX_STREAMS", 20 if patched else 10_000)
    async with open_host(b"a" * 32, [ANY_PORT], []) as one:
        one.set_stream_handler("/deaf", deaf)
        async with attacker_of(one.addresses[0]) as attacker:
            await attacker.open_streams(100)
            ((theirs,),) = one._network.connections.values()
            await until(lambda: len(theirs.muxed_conn.streams) > 10)
            with trio.move_on_after(SOON):
                await until(lambda: len(theirs.muxed_conn.streams) > 90)
            assert (len(theirs.muxed_conn.streams) <= 21) == patched


async def test_what_is_never_read_is_not_kept(
    patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libp2p announces windows, and takes whatever comes all the same."""
    monkeypatch.setattr(unread, "MAX_UNREAD", 1 << 20)
    with patch_in_force("Yamux._read_data_body", patched):
        async with open_host(b"a" * 32, [ANY_PORT], []) as one:
            one.set_stream_handler("/deaf", deaf)
            async with attacker_of(one.addresses[0]) as attacker:
                ((theirs,),) = one._network.connections.values()
                await flood_stream(attacker, "/deaf", 4 << 20)
                with trio.move_on_after(SOON):
                    await until(lambda: unread_on(theirs.muxed_conn) > 3 << 20)
                assert (unread_on(theirs.muxed_conn) <= 1 << 20) == patched
                assert theirs.is_closed == patched


async def test_bytes_are_counted(patched: bool) -> None:
    with patch_in_force("Yamux._write_frame", patched):
        async with (
            open_host(b"a" * 32, [ANY_PORT], []) as one,
            open_host(b"b" * 32, [ANY_PORT], []) as two,
        ):
            peer = await two.connect(one.addresses[0])
            await until(lambda: two.links()[peer].bytes_in)
            assert bool(two.links()[peer].bytes_out) == patched


async def test_credit_is_not_given_back_for_each_read(patched: bool) -> None:
    read = 0

    async def nibble(stream: Stream) -> None:
        nonlocal read
        with suppress(Exception):
            while data := await stream._stream.read(1):
                read += len(data)

    with patch_in_force("YamuxStream._auto_tune_and_send_window_update", patched):
        async with (
            open_host(b"a" * 32, [ANY_PORT], []) as one,
            open_host(b"b" * 32, [ANY_PORT], []) as two,
        ):
            one.set_stream_handler("/nibble", nibble)
            stream = await two.open_stream(
                await two.connect(one.addresses[0]), "/nibble"
            )
            await until(lambda: two.peer_id in one.links())
            before = one.links()[two.peer_id].bytes_out
            await stream.send(bytes(500))
            await until(lambda: read == 500)
            frames = one.links()[two.peer_id].bytes_out - before
            assert (frames < 500 * HEADER_BYTES) == patched


async def test_a_stream_takes_more_than_its_window() -> None:
    """Credit comes back in time, whatever the sizes of reads: the sender waits for 5 s
    and then gives up."""
    size = 3 << 20

    async def count(stream: Stream) -> None:
        left = size
        for most in cycle((1, 65_536, 7, 200_000)):
            left -= len(await stream.receive(min(most, left)))
            if not left:
                break
        await stream.send(b"all")

    async with (
        open_host(b"a" * 32, [ANY_PORT], []) as one,
        open_host(b"b" * 32, [ANY_PORT], []) as two,
    ):
        one.set_stream_handler("/count", count)
        stream = await two.open_stream(await two.connect(one.addresses[0]), "/count")
        with trio.fail_after(10):
            await stream.send(bytes(size))
            assert await stream.receive(3) == b"all"


class Counting:
    """The socket of a TCP stream, as far as it is read."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.reads = 0

    async def receive_some(self, most: int | None = None) -> bytes:
        self.reads += 1
        return bytes(await self.inner.receive_some(most))


async def test_what_has_come_is_read_at_once(patched: bool) -> None:
    """In whatever pieces it is asked for, in order, to the end."""
    near, far = trio.testing.memory_stream_pair()
    sent = bytes(range(256)) * 20
    with patch_in_force("TrioTCPStream.read", patched):
        socket = Counting(near)
        stream = TrioTCPStream(socket)  # type: ignore[arg-type]
        await far.send_all(sent)
        assert await stream.read(0) == b""
        got = [await stream.read(n) for n in (1, 2, 300, 16) for _ in range(16)]
        assert b"".join(got) == sent[: sum(map(len, got))]
        rest = [b"".join(got)]
        await far.aclose()
        while piece := await stream.read(None):
            rest.append(piece)
        assert b"".join(rest) == sent
        assert await stream.read(5) == b""
    assert (socket.reads <= 4) == patched


LOCKS = {
    "NetStream.__init__": "_state_lock",
    "YamuxStream.__init__": "window_lock",
    "Yamux.__init__": "_write_lock",
    "TrioTCPStream.__init__": "write_lock",
}


@pytest.mark.parametrize("label", LOCKS)
async def test_a_lock_that_is_free_is_taken_without_giving_way(
    label: str, patched: bool
) -> None:
    with patch_in_force(label, patched):
        async with (
            open_host(b"a" * 32, [ANY_PORT], []) as one,
            open_host(b"b" * 32, [ANY_PORT], []) as two,
            trio.open_nursery() as nursery,
        ):
            one.set_stream_handler("/deaf", deaf)
            peer = await two.connect(one.addresses[0])
            stream = (await two.open_stream(peer, "/deaf"))._stream
            inner = [stream, stream.muxed_stream, *layers_of(stream.muxed_conn)]
            (owner,) = [o for o in inner if hasattr(o, LOCKS[label])]
            turns = LoopTurns()
            nursery.start_soon(turns.run)
            for _ in range(10):
                async with getattr(owner, LOCKS[label]):
                    pass
            assert (turns.count < 2) == patched
            nursery.cancel_scope.cancel()


async def test_a_lock_that_is_held_is_waited_for_in_turn() -> None:
    lock, done = QuickLock(), []

    async def take(number: int) -> None:
        async with lock:
            done.append(number)
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery, lock:
        for number in range(5):
            nursery.start_soon(take, number)
            await trio.testing.wait_all_tasks_blocked()
        assert not done
    assert done == [0, 1, 2, 3, 4]


async def test_a_frame_is_read_in_one_piece_and_given_out_in_several() -> None:
    near, far = trio.testing.memory_stream_pair()

    class Inner:
        reads = 0

        async def read(self, most: int) -> bytes:
            self.reads += 1
            if not (data := bytes(await near.receive_some(most))):
                raise EOFError
            return data

    stream = Stream(inner := Inner())
    await far.send_all(b"\0\0\0\5hello\0\0\0\2")
    assert await read_frame(stream, 100) == b"hello"
    assert inner.reads == 1
    await far.send_all(b"yo")
    assert await read_frame(stream, 100) == b"yo"
    await far.aclose()
    assert await read_frame(stream, 100) is None


async def test_two_writes_at_once_do_not_mix(patched: bool) -> None:
    """More than the window holds, so that both are sent in several frames."""
    size, came, may_read = 200_000, bytearray(), trio.Event()

    async def read_all(stream: Stream) -> None:
        await may_read.wait()
        while data := await stream.receive(65_536):
            came.extend(data)

    with patch_in_force("YamuxStream.write", patched):
        async with (
            open_host(b"a" * 32, [ANY_PORT], []) as one,
            open_host(b"b" * 32, [ANY_PORT], []) as two,
        ):
            one.set_stream_handler("/all", read_all)
            stream = await two.open_stream(await two.connect(one.addresses[0]), "/all")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(stream.send, b"a" * size)
                nursery.start_soon(stream.send, b"b" * size)
                may_read.set()
            await until(lambda: len(came) == 2 * size)
    runs = [letter for letter, _ in groupby(bytes(came))]
    assert (len(runs) == 2) == patched


async def test_nothing_is_sent_behind_a_write_that_was_given_up() -> None:
    """Neither on that stream; others of the connection go on."""
    came = bytearray()

    async def echo(stream: Stream) -> None:
        while data := await stream.receive(1_000):
            await stream.send(data)

    async def read_late(stream: Stream) -> None:
        await trio.sleep(0.3)
        while data := await stream.receive(65_536):
            came.extend(data)

    async with (
        open_host(b"a" * 32, [ANY_PORT], []) as one,
        open_host(b"b" * 32, [ANY_PORT], []) as two,
    ):
        one.set_stream_handler("/late", read_late)
        one.set_stream_handler("/echo", echo)
        peer = await two.connect(one.addresses[0])
        stream = await two.open_stream(peer, "/late")
        with trio.move_on_after(0.1) as given_up:
            await stream.send(bytes(1 << 20))
        assert given_up.cancelled_caught
        with pytest.raises(PeerError):
            await stream.send(b"more")
        await until(lambda: came)
        assert not any(came)
        other = await two.open_stream(peer, "/echo")
        await other.send(b"here")
        assert await other.receive(4) == b"here"


class FakeMuxed:
    """As much of a connection as counting needs."""

    def __init__(self, unread: int) -> None:
        self.stream_buffers = {1: bytearray(unread)}
        self.is_closed = False


async def test_all_connections_together_have_one_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one that brought most goes, and those that were read do not count."""
    monkeypatch.setattr(unread, "MAX_UNREAD_ALL", 1_000)
    cut: list[Any] = []
    counted = UnreadBytes(cut.append)
    small, large, read, gone = (FakeMuxed(n) for n in (100, 500, 300, 300))
    assert all(counted.admits(one, 10) for one in (small, large))
    assert counted.total == 620
    assert counted.admits(read, 10)
    read.stream_buffers[1].clear()
    assert counted.admits(gone, 10)
    gone.is_closed = True
    gone.stream_buffers.clear()
    newest = FakeMuxed(100)
    assert counted.admits(newest, 10)
    assert cut == []
    assert counted.admits(newest, 350)
    assert cut == [large]
    assert not counted.admits(newest, 1_000)
    assert cut == [large, newest]
    counted.forget(small)
    counted.forget(newest)
    counted.forget(read)
    assert counted.total == 0


# Tasks


class Sleeping(Service):  # type: ignore[misc]  # untyped base
    """Starts tasks that sleep, as a packet of so many messages would."""

    async def run(self) -> None:
        for _ in range(50):
            self.manager.run_task(trio.sleep_forever)
        await trio.sleep_forever()


async def test_a_task_is_started_without_a_look_at_all_others(
    patched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(
        FunctionTask, "has_trio_task", property(lambda task: seen.append(task) or True)
    )
    with patch_in_force("context.TrioManager", patched):
        async with background_trio_service(Sleeping()) as manager:
            await trio.testing.wait_all_tasks_blocked()
            seen.clear()
            manager.run_task(trio.sleep, 0)  # type: ignore[attr-defined]
            assert len(seen) == (0 if patched else 51)


async def test_whose_child_a_task_is_is_known_either_way(patched: bool) -> None:
    """Of this service's own tasks: others start their own and belong to none."""
    parents: dict[str, str | None] = {}

    async def start(manager: Any, name: str, *inner: str) -> None:
        task = manager._find_parent_task(trio.lowlevel.current_task())
        parents[name] = task and task.parent and task.parent.name
        assert task.name == name
        for one in inner:
            manager.run_task(start, manager, one, name=one)
        with trio.CancelScope() as scope:
            scope.cancel()
            await trio.sleep_forever()

    with patch_in_force("context.TrioManager", patched):
        async with (
            background_trio_service(Sleeping()) as one,
            background_trio_service(Sleeping()) as two,
        ):
            manager: Any = one
            manager.run_task(start, manager, "a", "b", "c", name="a")
            await trio.testing.wait_all_tasks_blocked()
            assert parents == {"a": None, "b": "a", "c": "a"}
            found: list[Any] = []

            async def elsewhere() -> None:
                own = trio.lowlevel.current_task()
                found.extend(m._find_parent_task(own) for m in (one, two))

            other: Any = two
            other.run_task(elsewhere, name="d")
            await trio.testing.wait_all_tasks_blocked()
            assert [task and task.name for task in found] == [None, "d"]
        if patched:
            assert not manager._running
