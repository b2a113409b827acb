"""One session of following: what is checked and stored, in which order, and when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
import trio.testing
from tests.support.followed_peers import Setting, log_of, run_without_threads
from tests.support.signed import work

from byline_ledger import follower
from byline_ledger.follower import Admit, Check, Session, Settle
from byline_ledger.statement import Statement
from byline_node import session_run
from byline_node.session_run import SessionRun

pytestmark = pytest.mark.trio


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    run_without_threads(monkeypatch)


@pytest.mark.parametrize(
    ("delay", "portions"), [(0.1, [10]), (1.5, [6, 4]), (3, [2] * 5)]
)
async def test_what_soon_comes_is_stored_together(
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
    delay: float,
    portions: list[int],
) -> None:
    """And what takes its time does not wait for the rest."""
    monkeypatch.setattr(follower, "FETCHED_IDS", 2)
    monkeypatch.setattr(session_run, "MAX_AHEAD", 0)
    setting = Setting(friend=log_of(2, *map(str, range(10))))
    setting.delays["friend"] = delay
    await setting.run(30, "friend")
    assert setting.portions == portions


async def test_what_came_before_an_error_is_stored(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "FETCHED_IDS", 2)
    monkeypatch.setattr(session_run, "MAX_AHEAD", 0)
    friend = log_of(2, *map(str, range(10)))
    false = list(friend.bodies)[6]
    friend.bodies[false] = friend.bodies[false][:-1] + b"?"
    setting = Setting(friend=friend)
    await setting.run(1, "friend")
    assert setting.following.logs["friend"].error is not None
    assert len(setting.mine.bodies) == 6
    cursor = setting.following.logs["friend"].cursor
    assert cursor is not None
    assert cursor.size == 0


def pages(statements: Sequence[Statement]) -> Session:
    """A session that has one statement on each page."""
    for one in statements:
        yield Check((one,))
        yield Admit((one,))
        yield Settle(lag=1)
    yield Settle()


@pytest.mark.parametrize("most", [1, 2, 100])
@pytest.mark.parametrize("seconds", [0, 30])
async def test_what_was_read_before_the_last_page_is_durable(
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
    nursery: trio.Nursery,
    most: int,
    seconds: float,
) -> None:
    """However slow the disk is, and whatever is stored together."""
    monkeypatch.setattr(session_run, "STORED", most)
    made = [work(str(number)) for number in range(6)]
    stored: list[Statement] = []

    async def admit(statements: Sequence[Statement]) -> int:
        await trio.sleep(seconds)
        stored.extend(statements)
        return 0

    async def ask(_peer: str, _request: bytes) -> bytes:
        raise AssertionError("nothing is asked")

    run = SessionRun(pages(made), "peer", ask, admit, (), nursery)
    read = 0
    while (action := await run.step()) is not None:
        if isinstance(action, Settle):
            await run.settle(action.lag)
            assert made[: read - action.lag] == stored[: read - action.lag]
        else:
            read += isinstance(action, Admit)
            await run.do(action)
    assert stored == made
