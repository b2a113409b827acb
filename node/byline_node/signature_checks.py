"""Checks the signatures of many statements in a process of its own.

Rule: the process only makes it faster.  Whatever it cannot do, or does not say, is done
by threads; and which signature does not hold is found there.  It is kept only while it
answers just what it was asked, started when statements come by the hundred, and ended
when none came for a while.  Why threads alone are slow: docs/adr/0027-a-fresh-node.md.
"""

from __future__ import annotations

import math
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import TypeAlias

import structlog
import trio

from byline_ledger.errors import BadSignatureError
from byline_ledger.follow_session import Check
from byline_ledger.statement import Statement
from byline_node import signature_process
from byline_node.signature_process import ANSWER_SIZE, to_answer, to_request

MANY = 256
"""Statements that are worth the process: a tenth of a second for its start."""
IDLE_SECONDS = 10.0
"""After so long without work it is ended."""
LINE_SECONDS = 10.0
"""For so long it may take nothing of what it is sent, and then say nothing; a thousand
statements take 0.05 s."""
END_SECONDS = 1.0
"""A process that was killed is waited for no longer."""
PAUSE_SECONDS = 300.0
"""For so long after a failure there are threads alone."""
THREADS = 2
LEAST_PART = 64
"""Statements for a thread."""

Verify: TypeAlias = Callable[[Check], Awaitable[None]]
"""Returns if all signatures hold, else raises BadSignatureError."""

log = structlog.get_logger("byline.signatures")
_threads = trio.CapacityLimiter(THREADS)


async def verify_here(check: Check) -> None:
    """In threads: libsodium works outside the interpreter's lock.

    BadSignatureError for one that does not hold.
    """
    wrong: list[BadSignatureError] = []

    async def verify(part: Check) -> None:
        try:
            await trio.to_thread.run_sync(part.run, limiter=_threads)
        except BadSignatureError as error:
            wrong.append(error)

    size = max(LEAST_PART, -(-len(check.statements) // THREADS))
    async with trio.open_nursery() as nursery:
        for start in range(0, len(check.statements), size):
            part = Check(check.statements[start : start + size])
            nursery.start_soon(verify, part)
    if wrong:
        raise wrong[0]


class SignatureChecks:
    """`verify` whenever there are statements; `run` for as long as there may be."""

    def __init__(self) -> None:
        self._process: _Process | None = None
        self._turn = trio.Lock()
        self._used_at = self._failed_at = -math.inf
        self._is_running = False

    async def verify(self, check: Check) -> None:
        """BadSignatureError for one that does not hold."""
        if len(check.statements) >= MANY:
            async with self._turn:
                if await self._all_hold(check.statements):
                    return
        await verify_here(check)

    async def run(self) -> None:
        """Ends the process when it is idle; until cancelled."""
        self._is_running = True
        try:
            while True:
                await trio.sleep(IDLE_SECONDS)
                idle = trio.current_time() - self._used_at
                if idle >= IDLE_SECONDS and not self._turn.locked():
                    self._end()
        finally:
            self._is_running = False
            if self._turn.locked() and self._process is not None:
                self._process.kill()  # who waits for it goes on without, and ends it
            else:
                self._end()

    async def _all_hold(self, statements: Sequence[Statement]) -> bool:
        """Whether the process says so.  Whoever calls has the turn."""
        if trio.current_time() - self._failed_at < PAUSE_SECONDS:
            return False
        answer = failure = None
        try:
            if not self._is_over():  # else nobody would end it
                if self._process is None:
                    self._process = _Process()
                # Once it has begun it is waited for, also where the session has ended.
                answer = await trio.to_thread.run_sync(
                    self._process.all_hold, statements
                )
        except (OSError, subprocess.SubprocessError) as error:
            failure = error
        finally:
            self._used_at = trio.current_time()
            # What it said later would be taken for its next answer.
            if answer is None or self._is_over():
                self._end()
        if failure is not None and not self._is_over():
            self._failed_at = trio.current_time()
            log.warning("threads alone check signatures", reason=str(failure))
        return answer is True

    def _is_over(self) -> bool:
        """Asked anew: it may come about while an answer is waited for."""
        return not self._is_running

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()


class _Process:
    """A running `signature_process.py`."""

    def __init__(self) -> None:
        """OSError or SubprocessError where it cannot be started."""
        self._numbers = count(1)
        self._line, its_end = socket.socketpair()
        self._line.settimeout(LINE_SECONDS)
        try:
            # Not from the current folder (-P), nor stopped by the terminal's Ctrl-C.
            self._process = subprocess.Popen(  # noqa: S603  # our own command, no shell
                [sys.executable or "", "-P", "-m", signature_process.__name__],
                stdin=its_end.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            self._line.close()
            raise
        finally:
            its_end.close()

    def all_hold(self, statements: Sequence[Statement]) -> bool:
        """Whether it says so; OSError where it says nothing, or anything else.  In a
        thread."""
        number = next(self._numbers)
        self._line.sendall(to_request(number, (one.signed for one in statements)))
        said = self._line.recv(ANSWER_SIZE)
        if said == to_answer(number, all_hold=True):
            return True
        if said == to_answer(number, all_hold=False):
            return False
        if not said:
            ended = self._process.wait(LINE_SECONDS)
            raise BrokenPipeError(f"the process for it has ended, with status {ended}")
        raise OSError(f"the process for it was to answer {number}, and said {said!r}")

    def kill(self) -> None:
        """Whoever waits for an answer gets none."""
        self._process.kill()

    def end(self) -> None:
        """Nobody may be waiting for an answer."""
        self._process.kill()
        self._line.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
