"""Checks the signatures of many statements in processes of their own.

Rule: a process only makes it faster.  Whatever it cannot do, or does not say, is done
by a thread; and which signature does not hold is found there.  Processes are started
when statements come by the hundred, and ended when none came for a while.  Why not
threads alone: docs/adr/0027-a-fresh-node.md.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import structlog
import trio

from byline_ledger.follow_session import Check
from byline_ledger.statement import STATEMENT_TYPE, Statement, pae
from byline_node import checker

MANY = 256
"""Statements that are worth a process: a tenth of a second of its start."""
PROCESSES = 2
IDLE_SECONDS = 10.0
"""After so long without work a process is ended."""
ANSWER_SECONDS = 60.0
"""A process that takes longer is given up; 512 statements take 0.03 s."""
PAUSE_SECONDS = 300.0
"""For so long after a failure there are threads alone."""

Verify: TypeAlias = Callable[[Check], Awaitable[None]]
"""Returns if all signatures hold, else raises BadSignatureError."""

log = structlog.get_logger("byline.checkers")
_threads = trio.CapacityLimiter(PROCESSES)


async def verify_here(check: Check) -> None:
    """In a thread.  BadSignatureError for the first that does not hold."""
    await trio.to_thread.run_sync(check.run, limiter=_threads)


class Checkers:
    """`verify` whenever there are statements; `run` for as long as there may be."""

    def __init__(self) -> None:
        self._idle: list[_Process] = []
        self._used_at = self._failed_at = -PAUSE_SECONDS
        self._is_running = False

    async def verify(self, check: Check) -> None:
        """One statement after the other; PROCESSES such calls go on at a time.

        BadSignatureError for the first that does not hold.
        """
        many = check.statements
        if not (self._is_worth_a_process(many) and await self._all_hold(many)):
            await verify_here(check)

    async def run(self) -> None:
        """Ends what is idle; until cancelled."""
        self._is_running = True
        try:
            while True:
                await trio.sleep(IDLE_SECONDS)
                if trio.current_time() - self._used_at >= IDLE_SECONDS:
                    self._end_idle()
        finally:
            self._is_running = False
            self._end_idle()

    def _is_worth_a_process(self, statements: Sequence[Statement]) -> bool:
        since = trio.current_time() - self._failed_at
        return self._is_running and len(statements) >= MANY and since >= PAUSE_SECONDS

    async def _all_hold(self, statements: Sequence[Statement]) -> bool:
        """Whether a process says so."""
        async with _threads:
            try:
                with self._process() as process:
                    return await trio.to_thread.run_sync(process.all_hold, statements)
            except (OSError, subprocess.SubprocessError) as error:
                self._failed_at = trio.current_time()
                log.warning("threads alone check signatures", reason=str(error))
                return False

    @contextmanager
    def _process(self) -> Iterator[_Process]:
        """One that nobody else uses; it is ended if it was of no use."""
        process = self._idle.pop() if self._idle else _Process()
        try:
            yield process
        except BaseException:
            process.end()
            raise
        self._idle.append(process)
        self._used_at = trio.current_time()
        if not self._is_running:
            self._end_idle()

    def _end_idle(self) -> None:
        while self._idle:
            self._idle.pop().end()


class _Process:
    """A running `checker.py`."""

    def __init__(self) -> None:
        """OSError or SubprocessError where it cannot be started."""
        self._line, its_end = socket.socketpair()
        self._line.settimeout(ANSWER_SECONDS)
        # Not from the current folder (-P), and not stopped by the terminal's Ctrl-C.
        with its_end:
            self._process = subprocess.Popen(  # noqa: S603  # our own command, no shell
                [sys.executable, "-P", "-m", checker.__name__],
                stdin=its_end.fileno(),
                stdout=its_end.fileno(),
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def all_hold(self, statements: Sequence[Statement]) -> bool:
        """Whether it says so; OSError where it says nothing.  In a thread."""
        self._line.sendall(
            checker.to_request(
                (one.author, one.signature, pae(STATEMENT_TYPE, one.body))
                for one in statements
            )
        )
        said = self._line.recv(1)
        if not said:
            raise BrokenPipeError("a process that checks signatures has ended")
        return said == checker.ALL_HOLD

    def end(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()
