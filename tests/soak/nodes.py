"""The nodes of a soak: real `byline node run` processes, and what is known of them.

Rule: a node is started, killed and frozen by the weather alone, under its lock, so that
whatever else ends is a failure.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.halves import LOOPBACK, Half

from byline_ledger.crypto import SigningKey
from byline_ledger.errors import BylineError
from byline_ledger.ledger import Ledger
from byline_ledger.peer_record import peer_id_of_key
from byline_node.client import Client
from byline_node.config import NodeConfig
from byline_node.demo_network import environment
from byline_node.home import Home, RunningNode

COMMAND = (sys.executable, "-m", "byline_cli", "node", "run")
READY_SECONDS = 120.0
STOP_SECONDS = 15.0
REQUEST_SECONDS = 10.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(eq=False)
class Tally:
    """Of one node, over all its lives."""

    latencies: list[float] = field(default_factory=list)
    kills: int = 0
    freezes: int = 0
    restarts: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """As of the status, of lives that have ended."""
    cpu: float = 0.0
    rss: int = 0


class Node:
    """One of them."""

    def __init__(self, number: int, folder: Path, half: Half, port: int) -> None:
        self.number = number
        self.half = half
        self.home = Home(folder)
        self.port = port
        self.tally = Tally()
        self.process: subprocess.Popen[bytes] | None = None
        self.lock = threading.Lock()
        """Held while it is in trouble."""
        self._life: Counter[str] = Counter()
        self._cpu = 0.0
        self._api = f"{LOOPBACK}:{port + 1}"
        self.client = Client(self._api, timeout=REQUEST_SECONDS)
        self._prober = Client(self._api, timeout=3.0)
        ledger = Ledger.init(self.home.node)
        try:
            key = SigningKey.from_seed(ledger.transport_seed)
        finally:
            ledger.close()
        self.peer_id = peer_id_of_key(key.public)

    def set_up(self, peers: list[str]) -> None:
        """`peers` are what it dials."""
        hosts = dict.fromkeys([LOOPBACK, self.half.address])
        NodeConfig(
            self.home.folder,
            listen=tuple(f"/ip4/{host}/tcp/{self.port}" for host in hosts),
            api=self._api,
            peers=tuple(peers),
        ).write()

    # Life and death

    def start(self) -> None:
        self.process = self.half.do(self._spawn)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with (self.home.folder / "node.log").open("ab") as log:
            return subprocess.Popen(
                COMMAND,
                env=environment(self.home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def is_ready(self) -> bool:
        """It answers, unless it is frozen."""
        process = self.process
        if process is None or process.returncode is not None:
            return False
        running = RunningNode.read(self.home.run_file)
        return running is not None and running.pid == process.pid

    def wait_ready(self) -> float:
        """Seconds until it was."""
        started = time.monotonic()
        while not self.is_ready:
            if self.poll() is not None or time.monotonic() - started > READY_SECONDS:
                raise RuntimeError(f"node {self.number} did not start: {self.poll()}")
            time.sleep(0.1)
        return time.monotonic() - started

    def poll(self) -> int | None:
        return self.process.poll() if self.process else None

    def send(self, number: int) -> bool:
        """Whether it was there to get the signal."""
        assert self.process is not None
        if self.process.poll() is not None:
            return False
        self.process.send_signal(number)
        return True

    def kill(self) -> bool:
        self.measure()
        was_there = self.send(signal.SIGKILL)
        self._end()
        return was_there

    def stop(self) -> int | None:
        """In order; its exit code, None if it had to be killed."""
        self.measure()
        self.send(signal.SIGTERM)
        assert self.process is not None
        try:
            code: int | None = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = None
        self._end()
        return code

    def _end(self) -> None:
        assert self.process is not None
        self.process.wait()
        self.process = None
        self.tally.cpu, self._cpu = self.tally.cpu + self._cpu, 0.0
        self.tally.counts, self._life = self.tally.counts + self._life, Counter()

    # What is known of it

    def measure(self) -> None:
        """CPU and memory, as the kernel counts them."""
        process = self.process
        if process is None:
            return
        try:
            folder = Path(f"/proc/{process.pid}")
            told = (folder / "stat").read_text().rpartition(")")[2].split()
            status = (folder / "status").read_text()
        except OSError:
            return
        self._cpu = (int(told[11]) + int(told[12])) / TICKS
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self.tally.rss = max(self.tally.rss, int(line.split()[1]) << 10)

    def ask(self) -> dict[str, Any] | None:
        """Its status; None where it does not answer.  Called in its half."""
        process = self.process
        try:
            status = self._prober.status()
        except BylineError:
            return None
        if process is not None and process is self.process:
            brought, gossip = status["brought_by"], status["gossip"]
            self._life = Counter(
                {f"by {way}": count for way, count in brought.items()} | gossip
            )
        return status

    def totals(self) -> Counter[str]:
        """Counts of all lives; what came since the last status of each is missing."""
        return self.tally.counts + self._life

    def log_tail(self) -> str:
        return (self.home.folder / "node.log").read_text(errors="replace")[-1500:]
