"""A node in a process of its own that is attacked, and what is seen of it meanwhile."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import trio
from tests.support.node_process import NodeProcess, node_process

from byline_ledger.follow_messages import MAX_RESPONSE, PROTOCOL, AskHead
from byline_node.host import open_host
from byline_node.requests import Requests

PAGE = os.sysconf("SC_PAGE_SIZE")

weighed: list[str] = []
"""A line for each attack: process, its resident MiB before and after, test."""


class Target:
    """The node under attack."""

    def __init__(self, process: NodeProcess) -> None:
        self._process = process
        self._client = process.wait_ready()
        self.address = str(self._client.status()["listen"][0])
        self._lines: list[str] = []
        # Nobody else reads it, and a full pipe would stop the node.
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        assert self._process.process.stderr is not None
        for line in self._process.process.stderr:
            self._lines.append(line)

    @property
    def port(self) -> int:
        return int(self.address.split("/")[4])

    @property
    def pid(self) -> int:
        return self._process.process.pid

    def memory(self) -> int:
        """Resident bytes of the node."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * PAGE

    def files(self) -> int:
        """Its open files and sockets."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in list(self._lines)]

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == event]

    def status(self) -> dict[str, Any]:
        return dict(self._client.status())

    @property
    def is_running(self) -> bool:
        return self._process.process.poll() is None


@contextmanager
def target_in(
    folder: Path, listen: str = "/ip4/127.0.0.1/tcp/0", settings: str = ""
) -> Iterator[Target]:
    with node_process(folder, listen=listen, settings=settings) as process:
        yield Target(process)


@asynccontextmanager
async def unharmed(
    target: Target, *, memory: int = 40 << 20, lines: int = 8
) -> AsyncIterator[None]:
    """Whatever is done meanwhile: the node serves, stays small, and says little."""
    before, said = target.memory(), len(target.lines())
    yield
    with trio.fail_after(20):
        await serves(target)
    after = target.memory()
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition("::")[2].split(" ")[0]
    weighed.append(f"{target.pid:>8}  {before >> 20:>6}  {after >> 20:>6}  {test}")
    grown = after - before
    assert grown < memory, f"{grown >> 20} MiB more than before"
    new = target.lines()[said:]
    told = [line for line in new if line["level"] != "info"]
    assert len(told) <= lines, told
    assert not [line for line in told if line["level"] == "error"], told


async def serves(target: Target) -> None:
    """An honest stranger connects, and is told about the log; so is the operator."""
    async with open_host(os.urandom(32), [], []) as friend:
        peer = await friend.connect(target.address)
        ask = AskHead(0).to_bytes()
        answer = await Requests(friend).ask(peer, PROTOCOL, ask, most=MAX_RESPONSE)
        assert b"note" in answer
    assert (await trio.to_thread.run_sync(target.status))["peer_id"]
