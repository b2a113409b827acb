"""The network of a soak: who dials whom, over which lines, and what happens to them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from random import Random

from tests.soak.halves import LOOPBACK, Half, Halves
from tests.soak.nodes import Node
from tests.soak.proxy import Link
from tests.soak.weather import Event, Kind

SLOW_SHARE = 0.25
"""Of the links."""
DELAYS = 0.02, 0.1
STALLS = 0.01
FIRST_PORT = 20_000
LAST_PORT = 32_000
"""Below those that a system gives to whoever asks for any."""
PORTS_A_NODE = 4
"""Its own, that of its API, and those of the proxies through which it dials."""
MEASURE_SECONDS = 1.0
ASK_EVERY = 5
ROOT = Path(__file__).parents[2]


def dialled(number: int, count: int) -> list[int]:
    """Whom a node dials: the next one, and one a third of the ring away."""
    steps = (1, max(2, count // 3))
    found = dict.fromkeys((number + step) % count for step in steps)
    return [one for one in found if one != number]


def free_ports(count: int, random: Random) -> int:
    """The first of so many in a row that nobody uses."""
    while True:
        first = random.randrange(FIRST_PORT, LAST_PORT - count)
        with suppress(OSError):
            for port in range(first, first + count):
                with socket.create_server((LOOPBACK, port)):
                    pass
            return first


class SoakNetwork:
    """All nodes and lines, as a context: started within it, gone after it."""

    def __init__(self, folder: Path, count: int, halves: Halves, seed: int) -> None:
        self._halves = halves
        self._seed = seed
        self._random = Random(f"lines {seed}")
        ports = free_ports(count * PORTS_A_NODE, self._random)
        self.nodes = [
            Node(
                number,
                folder / f"node-{number}",
                halves.both[number * 2 >= count],
                ports + number * PORTS_A_NODE,
            )
            for number in range(count)
        ]
        self.links: tuple[list[Link], list[Link]] = ([], [])
        """Through proxies, by the half in which somebody dials."""
        self._proxies: list[subprocess.Popen[str]] = []
        self.unexpected: list[str] = []
        """Nodes that ended by themselves, or did not stop in order."""
        self.journal: list[str] = []
        """What happened, a line each."""
        self.partitions: list[float] = []
        """How long each lasted."""
        for node in self.nodes:
            others = [self.nodes[to] for to in dialled(node.number, count)]
            ways = [self._way(node, to, place) for place, to in enumerate(others)]
            node.set_up(ways)

    def _is_second(self, node: Node) -> bool:
        return node.number * 2 >= len(self.nodes)

    def _way(self, node: Node, to: Node, place: int) -> str:
        """Where a node dials another: that one itself, or a proxy on its own side."""
        crosses = self._is_second(node) != self._is_second(to)
        host, port = (to.half.address if crosses else LOOPBACK), to.port
        is_slow = self._random.random() < SLOW_SHARE
        delay = self._random.uniform(*DELAYS) if is_slow else 0.0
        if is_slow or (crosses and not self._halves.are_apart):
            stalls = STALLS if is_slow else 0.0
            link = Link(
                node.port + 2 + place, LOOPBACK, (host, port), delay, stalls, crosses
            )
            self.links[self._is_second(node)].append(link)
            host, port = LOOPBACK, link.port
        return f"/ip4/{host}/tcp/{port}/p2p/{to.peer_id}"

    def __enter__(self) -> SoakNetwork:
        try:
            for half, links in zip(self._halves.both, self.links, strict=True):
                self._proxies.append(start_proxies(half, links, self._seed))
            for node in self.nodes:
                node.start()
            for node in self.nodes:
                node.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        for node in self.nodes:
            if node.process is not None:
                node.kill()
        for proxy in self._proxies:
            proxy.kill()
            proxy.wait()

    def stop(self) -> None:
        """All nodes, in order and at once."""
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            for node, code in zip(
                self.nodes, pool.map(Node.stop, self.nodes), strict=True
            ):
                if code != 0:
                    self.unexpected.append(f"node {node.number} stopped with {code}")

    # What happens

    def suffer(self, events: Sequence[Event], started: float) -> None:
        """All events, each at its time; returns when all are over."""
        with ThreadPoolExecutor(max(1, len(events))) as pool:
            futures: list[Future[None]] = []
            for event in events:
                time.sleep(max(0.0, started + event.at - time.monotonic()))
                futures.append(pool.submit(self._happen, event, started))
            for future in futures:
                future.result()

    def _happen(self, event: Event, started: float) -> None:
        node = self.nodes[event.node]
        try:
            with nullcontext() if event.kind is Kind.PART else node.lock:
                at = time.monotonic() - started
                if event.kind is Kind.PART:
                    said = self._part(event.lasts)
                else:
                    said = f"node {event.node:>2}  {self._trouble(node, event)}"
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            said = f"did not go as planned: {error}"
            self.unexpected.append(f"{event.kind} of node {event.node}: {error}")
        self.journal.append(f"{at:7.1f} s  {event.kind:<9}  {said}")

    def _part(self, seconds: float) -> str:
        since = time.monotonic()
        self._cut(is_cut=True)
        time.sleep(seconds)
        self._cut(is_cut=False)
        lasted = time.monotonic() - since
        self.partitions.append(lasted)
        return f"the halves, for {lasted:.1f} s"

    def _cut(self, *, is_cut: bool) -> None:
        if self._halves.are_apart:
            (self._halves.part if is_cut else self._halves.join)()
            return
        for proxy in self._proxies:
            assert proxy.stdin is not None
            proxy.stdin.write("cut\n" if is_cut else "mend\n")
            proxy.stdin.flush()

    def _trouble(self, node: Node, event: Event) -> str:
        if event.kind is Kind.FREEZE:
            if not node.send(signal.SIGSTOP):
                return "was not there"
            time.sleep(event.lasts)
            node.send(signal.SIGCONT)
            node.tally.freezes += 1
            return f"frozen for {event.lasts:.1f} s"
        if event.kind is Kind.KILL:
            is_good = node.kill()
            node.tally.kills += is_good
        else:
            is_good = node.stop() == 0
            node.tally.restarts += is_good
        if not is_good:
            self.unexpected.append(
                f"node {node.number} at {event.at:.1f} s: {event.kind}"
            )
        time.sleep(event.lasts)
        node.start()
        took = node.wait_ready()
        return f"down for {event.lasts:.1f} s, ready {took:.1f} s later"

    # Watching

    def watch(self, over: threading.Event) -> None:
        """Measures all nodes, and sees to it that none ends by itself, until `over`."""
        rounds = 0
        while not over.wait(MEASURE_SECONDS):
            rounds += 1
            for node in self.nodes:
                node.measure()
                if node.lock.acquire(blocking=False):
                    self._look_after(node)
                    node.lock.release()
            if rounds % ASK_EVERY == 0:
                self.ask()

    def _look_after(self, node: Node) -> None:
        code = node.poll()
        if code is not None:
            self.unexpected.append(
                f"node {node.number} ended by itself with {code}: {node.log_tail()}"
            )
            node.kill()
            node.start()

    def ask(self) -> list[dict[str, object] | None]:
        """The status of each node that answers, in order."""
        halves = dict.fromkeys(self._halves.both)
        pools = {half: half.threads(len(self.nodes)) for half in halves}
        try:
            asked = [pools[node.half].submit(node.ask) for node in self.nodes]
            return [one.result() for one in asked]
        finally:
            for pool in pools.values():
                pool.shutdown()


def start_proxies(
    half: Half, links: Sequence[Link], seed: int
) -> subprocess.Popen[str]:
    """The process of one half's proxies, once it listens."""
    process = half.do(
        lambda: subprocess.Popen(
            [sys.executable, "-m", "tests.soak.proxy"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    )
    assert process.stdin is not None
    assert process.stdout is not None
    told = {"links": [asdict(link) for link in links], "seed": seed}
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    if process.stdout.readline() != "ready\n":
        raise RuntimeError("the proxies did not start")
    return process
