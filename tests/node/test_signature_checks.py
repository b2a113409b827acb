"""A process that checks signatures: a real one, and what goes wrong with it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
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
from byline_node import signature_checks, signature_process
from byline_node.signature_checks import SignatureChecks

SOME = 8
"""As many as are worth the process here."""

pytestmark = pytest.mark.trio


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature_checks, "MANY", SOME)


@asynccontextmanager
async def running() -> AsyncIterator[SignatureChecks]:
    made = SignatureChecks()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.run)
        await trio.testing.wait_all_tasks_blocked()
        yield made
        nursery.cancel_scope.cancel()


def check(*more: Statement, count: int = SOME) -> Check:
    return Check((*(work(str(number)) for number in range(count)), *more))


def running_in(of: SignatureChecks) -> int | None:
    return of._process.pid if of._process else None


def is_alive(process: int | None) -> bool:
    return Path(f"/proc/{process}").exists()


async def test_what_holds_is_passed_by_one_process_again_and_again() -> None:
    with capture_logs() as said:
        async with running() as made:
            await made.verify(check())
            first = running_in(made)
            assert first is not None
            await made.verify(check(count=600))
            assert running_in(made) == first
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
        assert running_in(made) is None


async def test_each_is_told_its_own_answer() -> None:
    """However many ask at a time."""
    bad = forged(work("bad"))
    found: list[bool] = []

    async def ask(some: Check) -> None:
        try:
            await made.verify(some)
        except BadSignatureError:
            found.append(bad in some.statements)
        else:
            found.append(bad not in some.statements)

    async with running() as made, trio.open_nursery() as nursery:
        for number in range(12):
            nursery.start_soon(ask, check(*[bad][: number % 3 == 0], count=40))
        await until(lambda: len(found) == 12)
    assert found == [True] * 12


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    # Else the request may still be taken before it has ended.
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)


def stop(process: int) -> None:
    os.kill(process, signal.SIGSTOP)


@pytest.mark.parametrize("harm", [kill, stop])
async def test_without_an_answer_threads_go_on(
    monkeypatch: pytest.MonkeyPatch, harm: Callable[[int], None]
) -> None:
    """And after a pause there is another process; nothing false passes meanwhile."""
    monkeypatch.setattr(signature_checks, "ANSWER_SECONDS", 0.5)
    async with running() as made:
        await made.verify(check())
        first = running_in(made)
        assert first is not None
        harm(first)
        with capture_logs() as said, pytest.raises(BadSignatureError):
            await made.verify(check(forged(work("bad"))))
        assert [one["event"] for one in said] == ["threads alone check signatures"]
        assert not is_alive(first)
        await made.verify(check())
        assert running_in(made) is None
        monkeypatch.setattr(signature_checks, "PAUSE_SECONDS", 0.0)
        await made.verify(check())
        assert running_in(made) not in (None, first)


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false", "/bin/true"])
async def test_where_no_process_can_be_started_threads_do_it(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    async with running() as made:
        with capture_logs() as said:
            await made.verify(check())
        assert len(said) == 1
        assert running_in(made) is None


async def test_what_has_nothing_to_do_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature_checks, "IDLE_SECONDS", 0.05)
    async with running() as made:
        await made.verify(check())
        await until(lambda: running_in(made) is None)
        await made.verify(check())


async def test_who_is_not_running_starts_nothing() -> None:
    async with running() as made:
        pass
    await made.verify(check())
    assert running_in(made) is None


@pytest.mark.parametrize("is_stopped", [False, True])
async def test_a_process_at_work_is_ended_with_the_rest(is_stopped: bool) -> None:
    """At once, also where it would never answer; a thread does its work, in silence."""
    with capture_logs() as said:
        async with trio.open_nursery() as checking, running() as made:
            await made.verify(check())
            first = running_in(made)
            assert first is not None
            if is_stopped:
                stop(first)
            checking.start_soon(made.verify, check(count=500))
            await until(made._turn.locked)
        assert running_in(made) is None
    assert not is_alive(first)
    assert not said


async def test_it_ends_with_its_node() -> None:
    """Also where that was killed: its end of the line is closed by the system."""
    ended = await trio.run_process(
        [sys.executable, "-P", "-m", signature_process.__name__],
        capture_stdout=True,
        capture_stderr=True,
    )
    assert (ended.stdout, ended.stderr) == (b"", b"")


async def test_a_node_that_reads_much_has_it(tmp_path: Path) -> None:
    made = [work(f"{number}") for number in range(200)]
    async with networked_node(tmp_path / "old") as old:
        await old.publish(made)
    # Now that the mesh has forgotten them, they are to be read.
    async with networked_node(tmp_path / "old") as old:
        peers = old.network.addresses
        async with networked_node(tmp_path / "new", peers=peers) as new:
            await agree(old, new)
            started = running_in(new.network._signatures)
            assert started is not None
    assert not is_alive(started)


@given(
    st.lists(
        st.tuples(
            st.binary(min_size=32, max_size=32),
            st.binary(min_size=64, max_size=64),
            st.binary(max_size=300),
        )
    )
)
async def test_requests_come_back(signed: Sequence[signature_process.Signed]) -> None:
    request = signature_process.to_request(signed)
    assert int.from_bytes(request[:4], "big") == len(request) - 4
    assert list(signature_process.from_request(request[4:])) == signed
