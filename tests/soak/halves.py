"""Two halves of the loopback network that can be parted: network namespaces, if any.

Rule: a half is a thread that lives in a network namespace of its own, and starts there
what belongs there: a process inherits the namespace of the thread that starts it, and
a socket keeps that of the thread that opened it.  A veth pair joins the two; set down,
they are parted.  Where namespaces cannot be made, both halves are the machine's own
loopback, and the links between them are cut by the proxies (proxy.py).
"""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

CLONE_NEWNET = 0x4000_0000
LOOPBACK = "127.0.0.1"
JOINED = ("10.213.7.1", "10.213.7.2")
"""The ends of the veth pair; nobody else is in these namespaces."""
VETH = ("soak-a", "soak-b")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Half:
    """One of the two."""

    address: str
    """Where the other half reaches it."""
    holder: subprocess.Popen[bytes] | None
    """The process that keeps the namespace alive; it ends when we do."""

    def enter(self) -> None:
        """Moves the calling thread there, for good."""
        if self.holder is not None:
            enter_namespace(self.holder.pid)

    def threads(self, count: int) -> ThreadPoolExecutor:
        """Threads that live there."""
        return ThreadPoolExecutor(count, initializer=self.enter)

    def do(self, work: Callable[[], T]) -> T:
        """Does something there."""
        with self.threads(1) as pool:
            return pool.submit(work).result()


def enter_namespace(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{pid}/ns/net").open("rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


class Halves:
    """Both; `close` at the end."""

    def __init__(self, *, namespaces: bool = True) -> None:
        self.why_not = "not asked for" if not namespaces else None
        """Why there are no namespaces, if there are none."""
        self._holders: list[subprocess.Popen[bytes]] = []
        self.both: tuple[Half, Half] = (Half(LOOPBACK, None), Half(LOOPBACK, None))
        if namespaces:
            try:
                self.both = self._make()
            except (OSError, subprocess.CalledProcessError) as error:
                self.why_not = str(getattr(error, "stderr", "") or error).strip()
                self.close()

    @property
    def are_apart(self) -> bool:
        """Whether there are namespaces."""
        return self.why_not is None

    def _make(self) -> tuple[Half, Half]:
        for _ in VETH:
            self._holders.append(hold_namespace())
        first, second = self._holders
        inside(first, "ip", "link", "set", "lo", "up")
        inside(second, "ip", "link", "set", "lo", "up")
        peer = ["peer", "name", VETH[1], "netns", str(second.pid)]
        inside(first, "ip", "link", "add", VETH[0], "type", "veth", *peer)
        for holder, veth, address in zip(self._holders, VETH, JOINED, strict=True):
            inside(holder, "ip", "address", "add", f"{address}/30", "dev", veth)
            inside(holder, "ip", "link", "set", veth, "up")
        return Half(JOINED[0], first), Half(JOINED[1], second)

    def part(self) -> None:
        """No packet gets from one half to the other any more."""
        inside(self._holders[1], "ip", "link", "set", VETH[1], "down")

    def join(self) -> None:
        inside(self._holders[1], "ip", "link", "set", VETH[1], "up")

    def close(self) -> None:
        for holder in self._holders:
            holder.kill()
            holder.wait()


def hold_namespace() -> subprocess.Popen[bytes]:
    """A process in a new namespace that ends with its input."""
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo here && exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stderr is not None
    if holder.stdout.readline() != b"here\n":
        holder.wait()
        raise OSError(holder.stderr.read().decode().strip())
    return holder


def inside(holder: subprocess.Popen[bytes], *command: str) -> None:
    # ip(8) itself is started in the namespace by a thread that entered it.
    half = Half("", holder)
    half.do(lambda: subprocess.run(command, check=True, capture_output=True, text=True))
