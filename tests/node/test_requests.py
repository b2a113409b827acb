"""Frames and requests over streams in memory: bounds, order, and giving up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing
from tests.support.vectors import as_expected, cases

from byline_ledger.errors import MalformedError
from byline_node.errors import PeerError
from byline_node.frames import read_frame, write_frame
from byline_node.requests import MAX_STREAMS_PER_PEER, REQUEST_SECONDS, Requests

pytestmark = pytest.mark.trio

Serve = Callable[[Any], Awaitable[None]]


class FakeStream:
    """One end of a pipe; `peer` is at the other."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.inbox = bytearray()
        self.arrived = trio.Event()
        self.ended = False
        self.other: FakeStream | None = None

    async def receive(self, most: int) -> bytes:
        while not self.inbox and not self.ended:
            await self.arrived.wait()
            self.arrived = trio.Event()
        chunk = bytes(self.inbox[: min(most, 3)])  # in small pieces, as they may come
        del self.inbox[: len(chunk)]
        return chunk

    async def send(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        assert self.other is not None
        if self.other.ended:
            raise PeerError("the connection broke")
        self.other.inbox += data
        self.other.arrived.set()

    async def reset(self) -> None:
        for end in (self, self.other):
            assert end is not None
            end.ended = True
            end.arrived.set()


class FakeHost:
    """Two hosts in one: every stream opened comes out at its own handler."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.handlers: dict[str, Serve] = {}
        self.dropped: list[str] = []
        self.opened: list[FakeStream] = []

    def set_stream_handler(self, protocol: str, handler: Serve) -> None:
        self.handlers[protocol] = handler

    async def open_stream(self, peer: str, protocol: str) -> FakeStream:
        await trio.lowlevel.checkpoint()
        mine, theirs = FakeStream(peer), FakeStream("me")
        mine.other, theirs.other = theirs, mine
        self.opened.append(mine)
        self.nursery.start_soon(self.handlers[protocol], theirs)
        return mine

    def drop(self, peer: str) -> None:
        self.dropped.append(peer)


def requests_over(host: FakeHost) -> Requests:
    return Requests(host)


async def echo(_peer: str, request: bytes) -> bytes:
    await trio.lowlevel.checkpoint()
    return request * 2


async def test_requests_take_turns_on_one_stream(nursery: trio.Nursery) -> None:
    host = FakeHost(nursery)
    requests = requests_over(host)
    requests.answer("p", 100, echo)
    answers: list[bytes] = []

    async def ask(body: bytes) -> None:
        answers.append(await requests.ask("peer", "p", body, most=100))

    async with trio.open_nursery() as inner:
        for number in range(5):
            inner.start_soon(ask, b"%d" % number)
    assert sorted(answers) == [b"00", b"11", b"22", b"33", b"44"]
    assert len(host.opened) == 1


async def test_a_request_over_the_limit_ends_the_stream(nursery: trio.Nursery) -> None:
    """And the next one opens a new stream."""
    host = FakeHost(nursery)
    requests = requests_over(host)
    requests.answer("p", 10, echo)
    with pytest.raises(PeerError):
        await requests.ask("peer", "p", b"x" * 11, most=100)
    assert await requests.ask("peer", "p", b"y", most=100) == b"yy"
    assert len(host.opened) == 2


async def test_a_response_over_the_limit_is_not_read(nursery: trio.Nursery) -> None:
    host = FakeHost(nursery)
    requests = requests_over(host)
    requests.answer("p", 100, echo)
    with pytest.raises(MalformedError, match="at most 5 bytes, got 6"):
        await requests.ask("peer", "p", b"xyz", most=5)
    assert host.opened[0].ended


async def test_a_handler_that_refuses_ends_only_its_stream(
    nursery: trio.Nursery,
) -> None:
    host = FakeHost(nursery)
    requests = requests_over(host)

    async def refuse(_peer: str, _request: bytes) -> bytes:
        await trio.lowlevel.checkpoint()
        raise MalformedError("no request")

    requests.answer("p", 100, refuse)
    with pytest.raises(PeerError, match="without an answer"):
        await requests.ask("peer", "p", b"x", most=5)


async def test_silence_costs_the_connection(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    host = FakeHost(nursery)
    requests = requests_over(host)

    async def wait(_peer: str, request: bytes) -> bytes:
        await trio.sleep_forever()
        return request

    requests.answer("p", 100, wait)
    with pytest.raises(PeerError, match="no answer within"):
        await requests.ask("peer", "p", b"x", most=5)
    assert trio.current_time() == pytest.approx(REQUEST_SECONDS)
    assert host.dropped == ["peer"]
    nursery.cancel_scope.cancel()


async def test_a_peer_holds_only_so_many_streams(nursery: trio.Nursery) -> None:
    host = FakeHost(nursery)
    requests_over(host).answer("p", 100, echo)
    streams = [
        await host.open_stream("peer", "p") for _ in range(MAX_STREAMS_PER_PEER + 1)
    ]
    await trio.testing.wait_all_tasks_blocked()
    assert [stream.ended for stream in streams].count(True) == 1
    nursery.cancel_scope.cancel()


async def test_peers_that_have_gone_leave_nothing(nursery: trio.Nursery) -> None:
    """Strangers come under ever new names."""
    host = FakeHost(nursery)
    requests = requests_over(host)
    requests.answer("p", 100, echo)
    for number in range(5):
        await requests.ask(f"peer {number}", "p", b"hello", most=100)
        requests.forget(f"peer {number}")
    assert requests._channels == {}
    nursery.cancel_scope.cancel()


async def test_half_a_frame_is_malformed(nursery: trio.Nursery) -> None:
    host = FakeHost(nursery)

    async def end(stream: FakeStream) -> None:
        await stream.reset()

    host.handlers["p"] = end
    for half in (b"\x00", b"\x00\x00\x00\x05", b"\x00\x00\x00\x05abc"):
        stream = await host.open_stream("peer", "p")
        stream.inbox += half
        with pytest.raises(MalformedError, match="inside a frame"):
            await read_frame(stream, 100)
    stream = await host.open_stream("peer", "p")
    assert await read_frame(stream, 100) is None


@cases("network.json", "frames")
async def test_frame_vectors(case: dict[str, Any], nursery: trio.Nursery) -> None:
    stream = FakeStream("peer")
    stream.inbox += bytes.fromhex(case["bytes"])
    stream.ended = True
    bodies = []
    with as_expected(case):
        while (body := await read_frame(stream, case["most"])) is not None:
            bodies.append(body.hex())
        assert bodies == case["bodies"]


async def test_frames_have_four_bytes_of_length(nursery: trio.Nursery) -> None:
    host = FakeHost(nursery)
    received: list[bytes] = []

    async def keep(stream: FakeStream) -> None:
        await trio.testing.wait_all_tasks_blocked()
        received.append(bytes(stream.inbox))

    host.handlers["p"] = keep
    await write_frame(await host.open_stream("peer", "p"), b"body")
    await trio.testing.wait_all_tasks_blocked(1)
    assert received == [b"\x00\x00\x00\x04body"]


async def test_a_request_given_up_before_it_began_leaves_nothing(
    nursery: trio.Nursery,
) -> None:
    """Peers come and go under ever new names."""
    host = FakeHost(nursery)
    requests = requests_over(host)
    with trio.CancelScope() as scope:
        scope.cancel()
        await requests.ask("peer", "p", b"x", most=100)
    assert not requests._channels


async def test_a_request_given_up_on_its_way_costs_the_connection(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it may be written; given up while it waits for the answer, it is not."""
    host, began = FakeHost(nursery), trio.Event()
    requests = requests_over(host)

    async def never(_peer: str, _request: bytes) -> bytes:
        began.set()
        await trio.sleep_forever()
        raise AssertionError

    requests.answer("p", 100, never)
    await given_up(requests, began)
    assert host.dropped == []
    began = trio.Event()

    async def stuck(_stream: FakeStream, _data: bytes) -> None:
        began.set()
        await trio.sleep_forever()

    monkeypatch.setattr(FakeStream, "send", stuck)
    await given_up(requests, began)
    assert host.dropped == ["peer"]


async def given_up(requests: Requests, began: trio.Event) -> None:
    async with trio.open_nursery() as inner:
        inner.start_soon(partial(requests.ask, "peer", "p", b"x", most=9))
        await began.wait()
        inner.cancel_scope.cancel()


async def test_who_waits_behind_a_failure_keeps_the_channel(
    nursery: trio.Nursery,
) -> None:
    """The stream that it opens is used again, and not lost."""
    host = FakeHost(nursery)
    requests = requests_over(host)
    requests.answer("p", 10, echo)

    async def ask(body: bytes) -> None:
        with suppress(PeerError):
            await requests.ask("peer", "p", body, most=100)

    async with trio.open_nursery() as inner:
        inner.start_soon(ask, b"x" * 11)
        await trio.testing.wait_all_tasks_blocked()
        inner.start_soon(ask, b"y")
        inner.start_soon(ask, b"z")
    assert len(host.opened) == 2
    assert await requests.ask("peer", "p", b"a", most=100) == b"aa"
    assert len(host.opened) == 2


async def test_a_stream_opened_for_who_was_forgotten_is_ended(
    nursery: trio.Nursery,
) -> None:
    host = FakeHost(nursery)
    requests = requests_over(host)

    async def slow(_peer: str, request: bytes) -> bytes:
        requests.forget("peer")
        return request

    requests.answer("p", 10, slow)
    assert await requests.ask("peer", "p", b"x", most=10) == b"x"
    assert host.opened[0].ended
    assert not requests._channels
