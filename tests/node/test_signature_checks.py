"""A process that checks signatures: a real one, and what goes wrong with it."""

from __future__ import annotations

import os
import signal
import subprocess
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
    return of._process._process.pid if of._process else None


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


async def test_a_key_of_the_wrong_size_holds_nowhere() -> None:
    (one,) = check(count=1).statements
    public, message, signature = one.signed
    for wrong in (
        (public + b"x", message, signature),
        (public, message, signature + b"x"),
        (public, message + b"x", signature),
    ):
        request = signature_process.to_request(1, [one.signed, wrong])
        assert not signature_process._all_hold(request[12:])


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

    async with running() as made:
        async with trio.open_nursery() as nursery:
            for number in range(12):
                some = check(bad, count=40) if number % 3 else check(count=40)
                nursery.start_soon(ask, some)
        assert running_in(made) is not None
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
    async with running() as made:
        await made.verify(check())
        first = running_in(made)
        assert first is not None
        assert made._process is not None
        made._process._line.settimeout(0.5)
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


@pytest.mark.parametrize(
    "program", [None, "", "/nowhere/python", "/bin/false", "/bin/true"]
)
async def test_where_no_process_can_be_started_threads_do_it(
    monkeypatch: pytest.MonkeyPatch, program: str | None
) -> None:
    """It is tried once, by however many."""
    monkeypatch.setattr(sys, "executable", program)
    async with running() as made:
        with capture_logs() as said:
            async with trio.open_nursery() as nursery:
                for _ in range(5):
                    nursery.start_soon(made.verify, check())
        assert len(said) == 1
        assert running_in(made) is None


def program_that_says(folder: Path, *said: bytes) -> str:
    """Instead of Python: something on its output, then these on the line, each after a
    request."""
    program = folder / "python"
    answers = "".join(f"sock.recv(1 << 20); sock.send({answer!r})\n" for answer in said)
    program.write_text(
        f"#!{sys.executable}\nimport socket\nprint('hello', flush=True)\n"
        f"sock = socket.socket(fileno=0)\n{answers}sock.recv(1)\n"
    )
    program.chmod(0o755)
    return str(program)


YES = [signature_process.to_answer(number, all_hold=True) for number in range(4)]


@pytest.mark.parametrize(
    "said", [YES[2], YES[0], b"\1", YES[1][:-1] + b"\2", b"?" * 99]
)
async def test_what_is_no_answer_to_the_request_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(sys, "executable", program_that_says(tmp_path, said))
    async with running() as made:
        with capture_logs() as told, pytest.raises(BadSignatureError):
            await made.verify(check(forged(work("bad"))))
        assert len(told) == 1
        assert running_in(made) is None


async def test_what_is_said_elsewhere_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as by what Python loads at its start."""
    said = YES[1], YES[2]
    monkeypatch.setattr(sys, "executable", program_that_says(tmp_path, *said))
    async with running() as made:
        with capture_logs() as told:
            for _ in said:
                await made.verify(check())
        assert not told
        assert running_in(made) is not None


async def test_no_process_stays_behind_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it says to the request would be taken for the answer to the next one."""

    def broken(*_: object) -> bool:
        raise ZeroDivisionError

    async with running() as made:
        await made.verify(check())
        first = running_in(made)
        monkeypatch.setattr(signature_checks._Process, "all_hold", broken)
        with pytest.raises(ZeroDivisionError):
            await made.verify(check())
        assert running_in(made) is None
    assert not is_alive(first)


async def test_what_has_nothing_to_do_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature_checks, "IDLE_SECONDS", 0.3)
    async with running() as made:
        await made.verify(check())
        first = running_in(made)
        assert first is not None
        await until(lambda: running_in(made) is None)
        assert not is_alive(first)
        await made.verify(check())
        assert running_in(made) not in (None, first)


async def test_who_is_not_running_starts_nothing() -> None:
    async with running() as made:
        pass
    await made.verify(check())
    assert running_in(made) is None


async def test_a_process_at_work_is_ended_with_the_rest() -> None:
    """At once, though it would never answer; threads do its work, in silence."""
    with capture_logs() as said:
        async with trio.open_nursery() as checking, running() as made:
            await made.verify(check())
            first = running_in(made)
            assert first is not None
            stop(first)
            checking.start_soon(made.verify, check())
            await until(made._turn.locked)
        assert running_in(made) is None
    assert not is_alive(first)
    assert not said


async def test_whoever_is_just_about_to_ask_leaves_none_behind() -> None:
    for _ in range(5):
        async with trio.open_nursery() as checking, running() as made:
            await made.verify(check())
            first = running_in(made)
            checking.start_soon(made.verify, check())
        assert running_in(made) is None
        assert not is_alive(first)


PARENT = """
import os, time, trio
from tests.node.test_signature_checks import check, running, running_in
from byline_node import signature_checks
async def main():
    async with running() as made:
        signature_checks.MANY = 1
        await made.verify(check())
        print(running_in(made), flush=True)
        await trio.sleep_forever()
trio.run(main)
"""


async def test_it_ends_with_a_node_that_was_killed() -> None:
    with subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        process = int(await trio.to_thread.run_sync(parent.stdout.readline))
        assert is_alive(process)
        parent.kill()
        await until(lambda: not is_alive(process))


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
            st.binary(max_size=40), st.binary(max_size=300), st.binary(max_size=70)
        )
    )
)
async def test_requests_come_back(signed: Sequence[signature_process.Signed]) -> None:
    request = signature_process.to_request(7, signed)
    size, number = int.from_bytes(request[:4], "big"), int.from_bytes(request[4:12])
    assert (size, number) == (len(request) - 12, 7)
    assert list(signature_process.from_request(request[12:])) == signed
