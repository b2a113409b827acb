"""Runs many `byline` commands quickly: one warm process that forks for each.

Starting Python and loading Typer costs most of a short command.  A process of its own,
because a fork of the tests' process would share its database threads.  It listens on a
socket; each connection brings three descriptors and a line of JSON, `{"arguments",
"environment", "folder"}`, and is answered with the exit code (`fork_client.py`).
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.cli.fork_client import ask

CLIENT = Path(__file__).with_name("fork_client.py")


class Forker:
    """The warm process, from outside."""

    def __init__(self) -> None:
        # A path of a socket has about 100 bytes at most, so not in a folder of pytest.
        self._folder = tempfile.TemporaryDirectory(prefix="byline-forker-")
        self.place = str(Path(self._folder.name) / "socket")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.forker", self.place],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    @property
    def program(self) -> str:
        """What a shell runs in place of `byline`."""
        return f"{sys.executable} -I -S {CLIENT} {self.place}"

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        outputs: tuple[int, int],
        timeout: float = 60,
    ) -> int:
        """The exit code of `byline ARGUMENTS`, which prints to two descriptors.

        TimeoutError after so many seconds.
        """
        with Path(os.devnull).open("rb") as nothing:
            descriptors = (nothing.fileno(), *outputs)
            place = self.place
            return ask(place, arguments, environment, str(folder), descriptors, timeout)

    def close(self) -> None:
        """It ends when its input does."""
        self._process.communicate()
        self._folder.cleanup()


@cache
def shared() -> Forker:
    """The one of this process, to its end."""
    forker = Forker()
    atexit.register(forker.close)
    return forker


def become(order: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Take the place of a freshly started `byline`, and end as it does."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for the whole process
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", encoding="utf-8", closefd=False, buffering=1, errors="backslashreplace"
    )
    sys.argv = ["byline", *order["arguments"]]
    from byline_cli.main import main

    main()


def obey(connection: socket.socket) -> None:
    """Read an order, become `byline` in a child, answer with the exit code."""
    _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
    order = json.loads(connection.makefile("rb").readline())
    pid = os.fork()
    if pid == 0:
        connection.close()
        become(order, descriptors)
    # Whoever reads from the other end of a pipe waits for the last of them.
    for descriptor in descriptors:
        os.close(descriptor)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    connection.sendall(b"%d\n" % code)


def listen(place: str) -> None:
    """Obey whoever connects, several at once (a pipe), until the input ends."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place)
    listener.listen()
    print("ready", flush=True)
    waiting: set[int] = set()
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        pid = os.fork()
        if pid == 0:
            listener.close()
            obey(connection)
            return
        connection.close()
        waiting.add(pid)
        waiting -= {pid for pid in waiting if os.waitpid(pid, os.WNOHANG)[0]}


def warm_up() -> None:
    """Load what commands load, but open nothing."""
    from importlib import import_module

    from typer.main import get_command

    from byline_cli.main import COMMANDS

    for name in {module for module, _ in COMMANDS.values()}:
        module: Any = import_module(f"byline_cli.{name}")
        command = get_command(module.app)
        command.make_context(name, [], resilient_parsing=True)
    for name in ("httpx", "plyvel", "byline_ledger.check", "byline_node.client"):
        import_module(name)
    # Else the end of a child, which frees all of this, costs more than most commands.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    warm_up()
    listen(sys.argv[1])
