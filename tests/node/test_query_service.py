"""Queries are answered within budgets: who is over them is told when to come again."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from tests.node.test_requests import FakeHost, FakeStream
from tests.support.logs import LongLog
from tests.support.waiting import until

from byline_ledger.errors import StoreError
from byline_ledger.log import LogView
from byline_ledger.query_messages import (
    PROTOCOL,
    AskRoot,
    Busy,
    QueryRefusal,
    RootAnswer,
    parse_root_answer,
)
from byline_node import query_service
from byline_node.frames import read_frame, write_frame
from byline_node.query_service import QueryService

pytestmark = pytest.mark.trio

ROOT = AskRoot(0).to_bytes()


class Host(FakeHost):
    """A fake host whose peers have addresses."""

    addresses: dict[str, str]

    def peers(self) -> dict[str, str]:
        return self.addresses

    async def open_as(self, peer: str) -> FakeStream:
        """A stream that comes from this peer."""
        stream = await self.open_stream(peer, PROTOCOL)
        assert stream.other is not None
        stream.other.peer = peer
        return stream


class Service:
    """A service over a log of nothing, with a clock of the test."""

    def __init__(self, nursery: trio.Nursery, configured: frozenset[str]) -> None:
        self.host = Host(nursery)
        self.host.addresses = {}
        self.now = 0.0
        self.log = LongLog().grow(5)
        self.gate = trio.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.blamed: list[str] = []
        self.service = QueryService(
            self.host,
            self.view,
            configured,
            lambda peer, _error: self.blamed.append(peer),
            clock=lambda: self.now,
        )

    async def view(self) -> LogView:
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return self.log

    async def ask(self, peer: str, request: bytes = ROOT) -> object:
        stream = await self.host.open_as(peer)
        await write_frame(stream, request)
        response = await read_frame(stream, 1 << 20)
        await stream.reset()
        assert response is not None
        return parse_root_answer(response)


@pytest.fixture
def service(nursery: trio.Nursery) -> Service:
    return Service(nursery, frozenset({"friend"}))


async def test_a_peer_is_answered_until_its_requests_are_used_up(
    service: Service,
) -> None:
    """And again when they have come back; others are not concerned."""
    service.host.addresses = {"a": "/ip4/192.0.2.1/tcp/1", "b": "/ip4/192.0.2.2/tcp/1"}
    rate, burst = query_service.PEER_REQUESTS
    answers = [await service.ask("a") for _ in range(int(burst) + 2)]
    assert all(isinstance(one, RootAnswer) for one in answers[:-1])
    assert answers[-1] == Busy(1)
    assert isinstance(await service.ask("b"), RootAnswer)
    service.now += 1 / rate
    assert isinstance(await service.ask("a"), RootAnswer)


async def test_an_answer_that_took_too_much_is_waited_for(service: Service) -> None:
    rate, burst = query_service.PEER_BYTES
    service.service._charge_bytes("a", int(burst + 20 * rate))
    assert await service.ask("a") == Busy(20)
    service.now += 19.5
    assert await service.ask("a") == Busy(1)
    service.now += 1
    assert isinstance(await service.ask("a"), RootAnswer)


async def test_an_address_has_one_budget_for_all_its_names(service: Service) -> None:
    """But configured peers, who may be many behind one address."""
    address = "/ip6/2001:db8::1/tcp/1"
    rate, burst = query_service.PEER_BYTES
    for number in range(4):
        service.host.addresses[f"name {number}"] = address
        service.service._charge_bytes(f"name {number}", int(burst))
    service.host.addresses |= {"fresh": "/ip6/2001:db8::2/tcp/9", "friend": address}
    service.service._charge_bytes("fresh", int(4 * rate))
    assert await service.ask("fresh") == Busy(1)
    assert isinstance(await service.ask("friend"), RootAnswer)
    service.host.addresses["elsewhere"] = "/ip6/2001:db8:0:1::1/tcp/9"
    assert isinstance(await service.ask("elsewhere"), RootAnswer)


async def test_a_peer_has_two_answers_at_once(service: Service) -> None:
    service.gate = trio.Event()
    answers: list[object] = []

    async def ask() -> None:
        answers.append(await service.ask("a"))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask)
        await until(lambda: answers)
        assert answers == [Busy(1)]
        service.gate.set()
    assert [type(one) for one in answers[1:]] == [RootAnswer, RootAnswer]


async def test_all_peers_have_eight_and_others_are_told(
    service: Service, autojump_clock: trio.testing.MockClock
) -> None:
    service.gate = trio.Event()
    answers: list[object] = []

    async def ask(peer: str) -> None:
        answers.append(await service.ask(peer))

    async with trio.open_nursery() as nursery:
        for number in range(9):
            nursery.start_soon(ask, f"peer {number}")
        await until(lambda: answers)
        assert answers == [Busy(2)]
        service.gate.set()
    assert sum(isinstance(one, RootAnswer) for one in answers) == 8


async def test_who_does_not_take_an_answer_loses_the_stream(
    service: Service, autojump_clock: trio.testing.MockClock
) -> None:
    """The place is free again."""
    stream = await service.host.open_as("slow")
    assert stream.other is not None

    async def never(_data: bytes) -> None:
        await trio.sleep_forever()

    stream.other.send = never  # type: ignore[method-assign]
    await write_frame(stream, ROOT)
    await trio.sleep(query_service.ANSWER_SECONDS + 1)
    assert stream.ended
    assert service.host.dropped == ["slow"]
    assert service.service._places.value == query_service.AT_ONCE
    assert not service.service._at_once


async def test_a_stream_without_questions_ends(
    service: Service, autojump_clock: trio.testing.MockClock
) -> None:
    stream = await service.host.open_as("idle")
    await trio.sleep(query_service.IDLE_SECONDS + 1)
    assert stream.ended


async def test_a_request_that_is_none_costs_the_stream(service: Service) -> None:
    for request in (b"\x80", bytes(300)):
        stream = await service.host.open_as("a")
        await write_frame(stream, request)
        assert await read_frame(stream, 100) is None
    assert service.service.counts["answered"] == 0
    assert service.blamed == ["a", "a"]


async def test_a_peer_has_so_many_streams(service: Service) -> None:
    streams = [await service.host.open_as("a") for _ in range(5)]
    await trio.testing.wait_all_tasks_blocked()
    assert [one.ended for one in streams] == [False] * 4 + [True]


async def test_a_log_that_cannot_answer_says_so(service: Service) -> None:
    service.failure = StoreError("the store is closed")
    assert await service.ask("a") == QueryRefusal("the store is closed")


async def test_one_line_a_minute_says_how_much_was_answered(
    service: Service,
    nursery: trio.Nursery,
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[dict[str, int]] = []
    monkeypatch.setattr(
        query_service.log, "info", lambda _text, **fields: lines.append(fields)
    )
    nursery.start_soon(service.service.run)
    for _ in range(3):
        await service.ask("a")
    await trio.sleep(200)
    assert [one["answered"] for one in lines] == [3]
    assert lines[0]["bytes"] > 0
    nursery.cancel_scope.cancel()
