"""Processes forked from a warm one, which has loaded libp2p and what else nodes need.

Loading that costs a second of CPU.  The warm process is Python's own fork server: no
thread of the tests' process and none of its databases are in the forks.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

WARM = ["byline_node.logs", "byline_node.service", "byline_node.host"]

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(WARM)


def _become(
    errors: Connection, main: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    os.dup2(errors.fileno(), 2)
    errors.close()
    main(*arguments)


class Forked:
    """`main(*arguments)`, a function of a module, in a process of its own.

    What the tests use of subprocess.Popen, with standard error as a text.
    """

    def __init__(self, main: Callable[..., None], *arguments: object) -> None:
        reading, writing = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(
            target=_become, args=(writing, main, arguments), daemon=True
        )
        self._process.start()
        writing.close()
        self.stderr = os.fdopen(os.dup(reading.fileno()), encoding="utf-8")
        reading.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code, negative after a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended; TimeoutError after so many seconds."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise TimeoutError(f"process {self.pid} still runs after {timeout} s")
        return code

    def communicate(self, timeout: float | None = None) -> tuple[int, str]:
        """The exit code, and what is left of standard error, once it has ended."""
        rest: list[str] = []
        # Read while it runs: it cannot end while its pipe is full.
        reader = threading.Thread(
            target=lambda: rest.append(self.stderr.read()), daemon=True
        )
        reader.start()
        code = self.wait(timeout)
        reader.join()
        self.stderr.close()
        return code, "".join(rest)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
