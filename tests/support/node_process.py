"""A node in a process of its own, without a network unless one is asked for."""

from __future__ import annotations

import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.forked import Forked

from byline_ledger.errors import BylineError
from byline_ledger.store import reserve
from byline_node.client import Client
from byline_node.config import NodeConfig
from byline_node.home import Home, RunningNode, make_node
from byline_node.logs import configure_logs
from byline_node.service import run_node


def main(folder: str, api: str, listen: str, peers: str, limit: int) -> None:
    """What the process does."""
    reserve.SMALLEST_DISK = 1 << 62  # many nodes, one small disk
    if limit:
        # Larger files cannot be written: a full disk, as far as a database sees.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    configure_logs()
    try:
        addresses = {"listen": tuple(listen.split()), "peers": tuple(peers.split())}
        run_node(NodeConfig.load(Path(folder), api=api, **addresses))
    except BylineError as error:
        print("error:", error, file=sys.stderr)
        sys.exit(error.exit_code)


class NodeProcess:
    """Started at once; `wait_ready` before use."""

    def __init__(
        self,
        folder: Path,
        *,
        api: str = "127.0.0.1:0",
        listen: str = "",
        peers: str = "",
        file_limit: int = 0,
        settings: str = "",
    ) -> None:
        self.home = Home(folder)
        if settings:
            make_node(self.home.node)
            self.home.config_file.write_text(settings)
        self.process = Forked(main, str(folder), api, listen, peers, file_limit)

    def wait_ready(self, seconds: float = 60.0) -> Client:
        """A client of the node, once it is ready."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            running = RunningNode.read(self.home.run_file)
            if running is not None and running.pid == self.process.pid:
                return Client(running.api)
            time.sleep(0.02)
        raise AssertionError(f"not ready: {self.end()}")

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float, str]:
        """Exit code, seconds it took, and what it wrote to stderr."""
        started = time.monotonic()
        self.process.send_signal(number)
        code, written = self.process.communicate(timeout=30)
        return code, time.monotonic() - started, written

    def end(self) -> tuple[int, str]:
        """Exit code and stderr of a node that ends by itself."""
        return self.process.communicate(timeout=30)


@contextmanager
def node_process(folder: Path, **options: Any) -> Iterator[NodeProcess]:
    """Killed at the end, if it is still there; options as of NodeProcess."""
    node = NodeProcess(folder, **options)
    try:
        yield node
    finally:
        if node.process.poll() is None:
            node.process.kill()
            node.process.communicate()
