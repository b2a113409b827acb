"""Places for requests, of which one address has a share."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest
import trio
import trio.testing

from byline_ledger.errors import BylineError
from byline_node.budgets import is_loopback, owner_of
from byline_node.errors import BusyError
from byline_node.http_gate import LARGE_SHARE, SHARE, Gate
from byline_node.places import Places

pytestmark = pytest.mark.trio

STRANGER, OTHER = "192.0.2.7", "192.0.2.8"


async def test_one_address_never_holds_all_places(
    autojump_clock: trio.testing.MockClock,
) -> None:
    places = Places(total=3, share=2, wait=1.0)
    async with AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(places.one(STRANGER))
        with pytest.raises(BusyError):
            async with places.one(STRANGER):
                pass
        async with places.one(OTHER):
            with pytest.raises(BusyError):  # all are taken now
                async with places.one("192.0.2.9"):
                    pass
    async with places.one(STRANGER):
        pass
    assert not places._shares
    assert not places._users


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_loopback_may_speak_for_many(address: str) -> None:
    places = Places(total=3, share=1, wait=0.01)
    client = owner_of(address)
    assert is_loopback(client)
    async with places.one(client), places.one(client), places.one(client):
        pass


async def test_a_request_that_waits_holds_no_place_of_others(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Nor does it wait twice as long."""
    places = Places(total=2, share=1, wait=1.0)
    async with places.one(STRANGER), trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(refused, places)
        await trio.testing.wait_all_tasks_blocked()
        async with places.one(OTHER):
            pass


async def refused(places: Places) -> None:
    started = trio.current_time()
    with pytest.raises(BusyError):
        async with places.one(STRANGER):
            pass
    assert trio.current_time() - started == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("path", "share"), [("/v1/status", SHARE), ("/v1/query/00", LARGE_SHARE)]
)
async def test_slow_answers_to_one_address_leave_room_at_the_gate(
    path: str, share: int, autojump_clock: trio.testing.MockClock
) -> None:
    done = trio.Event()
    answered: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["client"][0] == STRANGER:
            await done.wait()
        answered.append(200)

    def on_error(error: BylineError) -> Any:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            answered.append(error.http_status)

        return answer

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None: ...

    gate = Gate(app, (), on_error)

    def scope(address: str) -> Any:
        headers, client = [(b"host", b"localhost")], (address, 1)
        return {"type": "http", "client": client, "headers": headers, "path": path}

    async with trio.open_nursery() as nursery:
        for _ in range(share * 3):
            nursery.start_soon(gate, scope(STRANGER), receive, send)
        await trio.testing.wait_all_tasks_blocked()
        await gate(scope(OTHER), receive, send)
        assert answered == [200]
        await trio.sleep(20)
        assert answered.count(503) == share * 2
        done.set()
