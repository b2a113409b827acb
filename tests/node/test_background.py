"""A foreign service beside the caller: started, failed, stopped, given up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
import trio.testing

from byline_node.background import in_background
from byline_node.errors import ConfigError, PeerError
from byline_node.reasons import reason_of

pytestmark = pytest.mark.trio

Started = Callable[[], None]


async def test_it_runs_until_the_block_is_left() -> None:
    happened: list[str] = []

    async def service(started: Started, stop: trio.Event) -> None:
        started()
        happened.append("started")
        await stop.wait()
        await trio.lowlevel.checkpoint()
        happened.append("stopped")

    async with in_background(service, name="it", stop_seconds=1):
        happened.append("block")
    assert happened == ["started", "block", "stopped"]


async def test_it_is_stopped_in_order_even_if_the_caller_is_cancelled() -> None:
    happened: list[str] = []

    async def service(started: Started, stop: trio.Event) -> None:
        started()
        await stop.wait()
        await trio.sleep(0.01)
        happened.append("stopped")

    with trio.move_on_after(0.01):
        async with in_background(service, name="it", stop_seconds=1):
            await trio.sleep_forever()
    assert happened == ["stopped"]


async def test_one_that_does_not_stop_is_cut_off(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def service(started: Started, _stop: trio.Event) -> None:
        started()
        await trio.sleep_forever()

    async with in_background(service, name="it", stop_seconds=2):
        pass
    assert trio.current_time() == pytest.approx(2)


async def test_what_it_raises_while_stopping_is_nobodys_business() -> None:
    async def service(started: Started, stop: trio.Event) -> None:
        started()
        await stop.wait()
        raise ExceptionGroup("many", [OSError("closed"), ValueError("nested")])

    async with in_background(service, name="it", stop_seconds=1):
        pass


async def fail(started: Started, _stop: trio.Event) -> None:
    started()
    await trio.sleep(0.01)
    raise ExceptionGroup("many", [ConnectionResetError(104, "reset")])


async def refuse(_started: Started, _stop: trio.Event) -> None:
    await trio.lowlevel.checkpoint()
    raise ConfigError("port in use")


@pytest.mark.parametrize(
    ("service", "error", "text"),
    [
        (fail, PeerError, "it has stopped: Connection reset by peer"),
        (refuse, ConfigError, "port in use"),
    ],
)
async def test_a_failure_is_one_error(
    service: object, error: type[Exception], text: str
) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with in_background(service, name="it", stop_seconds=1):  # type: ignore[arg-type]
            await trio.sleep_forever()
    (inner,) = caught.value.exceptions
    assert type(inner) is error
    assert str(inner) == text


async def test_the_reason_is_the_innermost_cause_in_one_line() -> None:
    inner, outer = ValueError("first line\nsecond"), RuntimeError("outer")
    outer.__cause__ = inner
    assert reason_of(ExceptionGroup("g", [outer])) == "first line"
    assert reason_of(KeyError()) == "KeyError"
