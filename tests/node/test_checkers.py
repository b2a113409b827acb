"""Processes that check signatures: real ones, and what goes wrong with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from tests.support.networked import agree, networked_node
from tests.support.signed import forged, key, work
from tests.support.waiting import until

from byline_ledger.errors import BadSignatureError
from byline_ledger.follow_session import Check
from byline_ledger.statement import Statement
from byline_node import checker, checkers
from byline_node.checkers import Checkers

SOME = 8
"""As many as are worth a process here."""

pytestmark = pytest.mark.trio


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkers, "MANY", SOME)


@asynccontextmanager
async def running() -> AsyncIterator[Checkers]:
    made = Checkers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.run)
        await trio.testing.wait_all_tasks_blocked()
        yield made
        nursery.cancel_scope.cancel()


def check(*more: Statement, count: int = SOME) -> Check:
    return Check((*(work(str(number)) for number in range(count)), *more))


def processes(of: Checkers) -> list[int]:
    """Those that wait for work."""
    return [one._process.pid for one in of._idle]


def is_alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


async def test_what_holds_is_passed_by_one_process_again_and_again() -> None:
    with capture_logs() as said:
        async with running() as made:
            await made.verify(check())
            (first,) = processes(made)
            await made.verify(check(count=600))
            assert processes(made) == [first]
    assert not is_alive(first)
    assert not said


@pytest.mark.parametrize("count", [0, SOME - 2, 300])
async def test_what_does_not_hold_is_named(count: int) -> None:
    bad = forged(work("bad", key(7)))
    async with running() as made:
        with pytest.raises(BadSignatureError, match=key(7).public.hex()):
            await made.verify(check(bad, work("last"), count=count))
        await made.verify(check())


async def test_a_few_are_not_worth_a_process() -> None:
    async with running() as made:
        await made.verify(check(count=SOME - 1))
        assert not processes(made)


async def test_so_many_work_at_a_time() -> None:
    async with running() as made:
        async with trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(made.verify, check(count=100))
        assert 1 <= len(set(processes(made))) <= checkers.PROCESSES


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    # Else the kernel may take the request before it has ended the process.
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)


def stop(process: int) -> None:
    os.kill(process, signal.SIGSTOP)


@pytest.mark.parametrize("harm", [kill, stop])
async def test_without_an_answer_threads_go_on(
    monkeypatch: pytest.MonkeyPatch, harm: object
) -> None:
    """And after a pause there is another process; nothing false passes meanwhile."""
    assert callable(harm)
    monkeypatch.setattr(checkers, "ANSWER_SECONDS", 0.5)
    async with running() as made:
        await made.verify(check())
        (first,) = processes(made)
        harm(first)
        with capture_logs() as said, pytest.raises(BadSignatureError):
            await made.verify(check(forged(work("bad"))))
        assert [one["event"] for one in said] == ["threads alone check signatures"]
        assert not is_alive(first)
        await made.verify(check())
        assert not processes(made)
        monkeypatch.setattr(checkers, "PAUSE_SECONDS", 0.0)
        await made.verify(check())
        assert first not in processes(made)
        assert len(processes(made)) == 1


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false", "/bin/true"])
async def test_where_no_process_can_be_started_threads_do_it(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    async with running() as made:
        with capture_logs() as said:
            await made.verify(check())
        assert len(said) == 1
        assert not processes(made)


async def test_what_has_nothing_to_do_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkers, "IDLE_SECONDS", 0.05)
    async with running() as made:
        await made.verify(check())
        await until(lambda: not processes(made))
        await made.verify(check())


async def test_who_is_not_running_starts_nothing() -> None:
    async with running() as made:
        pass
    await made.verify(check())
    assert not processes(made)


async def test_a_process_at_work_is_ended_with_the_rest() -> None:
    async with trio.open_nursery() as checking, running() as made:
        await made.verify(check())
        (process,) = processes(made)
        checking.start_soon(made.verify, check(count=500))
        await until(lambda: not processes(made))
    assert not is_alive(process)
    assert not made._idle


async def test_a_checker_ends_with_its_node() -> None:
    """Also where that was killed: its end of the line is closed by the system."""
    started = subprocess.run(  # noqa: ASYNC221  # it ends at once
        [sys.executable, "-P", "-m", checker.__name__],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert (started.returncode, started.stdout, started.stderr) == (0, b"", b"")


async def test_a_node_that_reads_much_has_them(tmp_path: Path) -> None:
    made = [work(f"{number}") for number in range(200)]
    async with networked_node(tmp_path / "old") as old:
        await old.publish(made)
    # Now that the mesh has forgotten them, they are to be read.
    async with networked_node(tmp_path / "old") as old:
        peers = old.network.addresses
        async with networked_node(tmp_path / "new", peers=peers) as new:
            await agree(old, new)
            started = processes(new.network._checkers)
            assert started
    assert not any(map(is_alive, started))


@given(
    st.lists(
        st.tuples(
            st.binary(min_size=32, max_size=32),
            st.binary(min_size=64, max_size=64),
            st.binary(max_size=300),
        )
    )
)
async def test_requests_come_back(signed: Sequence[checker.Signed]) -> None:
    request = checker.to_request(signed)
    assert int.from_bytes(request[:4], "big") == len(request) - 4
    assert list(checker.from_request(request[4:])) == signed
