"""Checks the signatures of many statements in a process of its own.

Rule: the process only makes it faster.  Whatever it cannot do, or does not say, is done
by a thread; and which signature does not hold is found there.  It is started when
statements come by the hundred, and ended when none came for a while.  Why threads alone
are slow: docs/adr/0027-a-fresh-node.md.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import structlog
import trio

from byline_ledger.follow_session import Check
from byline_ledger.statement import STATEMENT_TYPE, Statement, pae
from byline_node import signature_process

MANY = 256
"""Statements that are worth the process: a tenth of a second for its start."""
IDLE_SECONDS = 10.0
"""After so long without work it is ended."""
ANSWER_SECONDS = 60.0
"""If it takes longer, it is given up; 512 statements take 0.03 s."""
PAUSE_SECONDS = 300.0
"""For so long after a failure there are threads alone."""
THREADS = 2
"""They verify outside the interpreter's lock."""

Verify: TypeAlias = Callable[[Check], Awaitable[None]]
"""Returns if all signatures hold, else raises BadSignatureError."""

log = structlog.get_logger("byline.signatures")
_threads = trio.CapacityLimiter(THREADS)


async def verify_here(check: Check) -> None:
    """In a thread.  BadSignatureError for the first that does not hold."""
    await trio.to_thread.run_sync(check.run, limiter=_threads)


class SignatureChecks:
    """`verify` whenever there are statements; `run` for as long as there may be."""

    def __init__(self) -> None:
        self._process: _Process | None = None
        self._turn = trio.Lock()
        self._used_at = self._failed_at = -PAUSE_SECONDS
        self._is_running = False

    async def verify(self, check: Check) -> None:
        """BadSignatureError for the first that does not hold."""
        many = check.statements
        if not (self._is_worth_the_process(many) and await self._all_hold(many)):
            await verify_here(check)

    async def run(self) -> None:
        """Ends the process when it is idle; until cancelled."""
        self._is_running = True
        try:
            while True:
                await trio.sleep(IDLE_SECONDS)
                async with self._turn:
                    if trio.current_time() - self._used_at >= IDLE_SECONDS:
                        self._end()
        finally:
            self._is_running = False
            if self._process is not None:
                self._process.kill()  # whoever waits for its answer goes on without
            if not self._turn.locked():
                self._end()

    def _is_worth_the_process(self, statements: Sequence[Statement]) -> bool:
        since = trio.current_time() - self._failed_at
        return len(statements) >= MANY and since >= PAUSE_SECONDS

    async def _all_hold(self, statements: Sequence[Statement]) -> bool:
        """Whether the process says so."""
        async with self._turn:
            if self._is_over():
                return False  # nobody would end it
            self._used_at = trio.current_time()
            try:
                if self._process is None:
                    self._process = _Process()
                # Once it has begun it is waited for: what it says later would be taken
                # for its answer to the next.
                return await trio.to_thread.run_sync(self._process.all_hold, statements)
            except (OSError, subprocess.SubprocessError) as error:
                if not self._is_over():
                    log.warning("threads alone check signatures", reason=str(error))
                self._failed_at = trio.current_time()
                self._end()
                return False
            finally:
                if self._is_over():
                    self._end()

    def _is_over(self) -> bool:
        """Asked anew: it may come about while an answer is waited for."""
        return not self._is_running

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


class _Process:
    """A running `signature_process.py`."""

    def __init__(self) -> None:
        """OSError or SubprocessError where it cannot be started."""
        self._line, its_end = socket.socketpair()
        self._line.settimeout(ANSWER_SECONDS)
        try:
            # Not from the current folder (-P), nor stopped by the terminal's Ctrl-C.
            self._process = subprocess.Popen(  # noqa: S603  # our own command, no shell
                [sys.executable, "-P", "-m", signature_process.__name__],
                stdin=its_end.fileno(),
                stdout=its_end.fileno(),
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            self._line.close()
            raise
        finally:
            its_end.close()

    @property
    def pid(self) -> int:
        """The operating system's number of it."""
        return self._process.pid

    def all_hold(self, statements: Sequence[Statement]) -> bool:
        """Whether it says so; OSError where it says nothing.  In a thread."""
        self._line.sendall(
            signature_process.to_request(
                (one.author, one.signature, pae(STATEMENT_TYPE, one.body))
                for one in statements
            )
        )
        said = self._line.recv(1)
        if not said:
            raise BrokenPipeError("the process that checks them has ended")
        return said == signature_process.ALL_HOLD

    def kill(self) -> None:
        """Whoever waits for an answer gets none."""
        self._process.kill()

    def end(self) -> None:
        """Nobody may be waiting for an answer."""
        self._process.kill()
        self._process.wait()
        self._line.close()
