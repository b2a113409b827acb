"""Real nodes as separate processes on loopback, in a temporary folder, gone afterwards.

For demonstrations, and for tests and benchmarks that need the real thing.  The command
that starts a node is the caller's (`byline node run`, or a Python module), so that
nothing here reaches up into the command line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from byline_node.client import Client
from byline_node.errors import NodeUnavailableError
from byline_node.home import Home, RunningNode

START_LIMIT = 60.0
"""Seconds that a node may take to be ready, on a machine busy with other things."""
STOP_LIMIT = 10.0
"""Seconds after SIGTERM until SIGKILL; a node promises to need at most 5."""
PAUSE = 0.05
LOG_TAIL = 2000
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DemoNode:
    """One node process; `addresses` are what its peers dial (multiaddrs)."""

    name: str
    home: Home
    process: subprocess.Popen[bytes]
    api: str
    peer_id: str
    addresses: tuple[str, ...]

    @property
    def pid(self) -> int:
        return self.process.pid

    def client(self) -> Client:
        """A new client of this node."""
        return Client(self.api)

    def status(self) -> dict[str, Any]:
        """What the node says of itself."""
        with self.client() as client:
            return client.status()

    def stop(self) -> float:
        """Ask it to stop, wait until it has; returns the seconds that took."""
        started = time.monotonic()
        stop_process(self.process)
        return time.monotonic() - started


class DemoNetwork:
    """Starts nodes in a folder and stops them all at the end, whatever happened."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        """`command` starts a node on the BYLINE_HOME it is given, with more options."""
        self._folder = folder
        self._command = tuple(command)
        self._started: list[tuple[str, Home, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> DemoNetwork:
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop what still runs; a second interrupt must not leave processes behind."""
        with ignored_interrupts(), ExitStack() as stack:
            for _, _, process in self._started:
                stack.callback(stop_process, process)
            for _, _, process in self._started:
                signal_process(process, signal.SIGTERM)

    def start(self, names: Sequence[str], peers: Sequence[str] = ()) -> list[DemoNode]:
        """Start nodes at the same time, on free ports, each dialling all `peers`."""
        first = len(self._started)
        for name in names:
            home = Home(self._folder / name)
            home.folder.mkdir(exist_ok=True)
            with deferred_interrupts():  # so that none starts and is not in the list
                self._started.append((name, home, self._spawn(home, peers)))
        return [wait_until_ready(*one) for one in self._started[first:]]

    def _spawn(self, home: Home, peers: Sequence[str]) -> subprocess.Popen[bytes]:
        arguments = ["--listen", "/ip4/127.0.0.1/tcp/0", "--api", "127.0.0.1:0"]
        for peer in peers:
            arguments += ["--peer", peer]
        with log_of(home).open("wb") as log:
            return subprocess.Popen(  # noqa: S603  # our own command, no shell
                [*self._command, *arguments],
                env=environment(home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def environment(home: Home) -> dict[str, str]:
    """Ours, but with the node's own home and none of the user's settings."""
    kept = {
        key: one for key, one in os.environ.items() if not key.startswith("BYLINE_")
    }
    return kept | {"BYLINE_HOME": str(home.folder)}


def log_of(home: Home) -> Path:
    """The file with everything that the node prints."""
    return home.folder / "node.log"


def wait_until_ready(
    name: str, home: Home, process: subprocess.Popen[bytes]
) -> DemoNode:
    """The node once its API answers; NodeUnavailableError with the end of its log."""
    running = wait_for(
        lambda: found_running(name, home, process),
        START_LIMIT,
        lambda: f"node {name} was not ready in time: {log_tail(home)}",
    )
    with Client(running.api) as client:
        status = client.status()
    return DemoNode(
        name, home, process, running.api, status["peer_id"], tuple(status["listen"])
    )


def found_running(
    name: str, home: Home, process: subprocess.Popen[bytes]
) -> RunningNode | None:
    """What the node wrote down when it was ready; raises if it has ended instead."""
    code = process.poll()
    if code is not None:
        raise NodeUnavailableError(
            f"node {name} ended with code {code}: {log_tail(home)}"
        )
    running = RunningNode.read(home.run_file)
    return running if running and running.pid == process.pid else None


def log_tail(home: Home) -> str:
    """The last lines of a node's log, on one line."""
    text = log_of(home).read_bytes()[-LOG_TAIL:].decode("utf-8", "replace")
    return " | ".join(text.split("\n")[-8:]).strip(" |")


def wait_for(
    look: Callable[[], T | None], limit: float, complaint: Callable[[], str]
) -> T:
    """What `look` finds; NodeUnavailableError if it finds nothing within the limit."""
    end = time.monotonic() + limit
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise NodeUnavailableError(complaint())
        time.sleep(PAUSE)


def wait_for_equal_sets(
    nodes: Sequence[DemoNode], statements: int, limit: float = 120.0
) -> list[dict[str, Any]]:
    """The nodes' status once all hold that many statements under one set root."""
    with ExitStack() as stack:
        clients = [stack.enter_context(node.client()) for node in nodes]
        last: list[dict[str, Any]] = []

        def look() -> list[dict[str, Any]] | None:
            last[:] = [client.status() for client in clients]
            roots = {one["set_root"] for one in last}
            full = all(one["statements"] >= statements for one in last)
            return list(last) if full and len(roots) == 1 else None

        def complaint() -> str:
            held = [one["statements"] for one in last]
            return f"the nodes hold {held} of {statements} statements after {limit} s"

        return wait_for(look, limit, complaint)


def signal_process(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal a process unless it has ended."""
    if process.poll() is None:
        process.send_signal(number)


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL if that was not enough."""
    signal_process(process, signal.SIGTERM)
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def ignored_interrupts() -> Iterator[None]:
    """No interrupt while cleaning up, which is over within seconds."""
    with handled_by(signal.SIG_IGN):
        yield


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """An interrupt that comes meanwhile takes effect afterwards."""
    caught: list[int] = []
    with handled_by(lambda number, _: caught.append(number)):
        yield
    for number in caught:
        signal.raise_signal(number)


@contextmanager
def handled_by(handler: Any) -> Iterator[None]:
    """Another handler for the signals that end a program."""
    before = {number: signal.signal(number, handler) for number in ENDING}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
