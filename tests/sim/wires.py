"""The network under simulated nodes: links with latency, cuts, and streams that break.

Rule: everything that is under way is in one heap, by the time at which it arrives, so
one seed gives one order of events.  A link behaves like a TCP connection: it delivers
in order, it waits while the line is cut, and one end may believe in it longer than the
other.  What is under way is written into a trace, whose hash tells two runs apart.
"""

from __future__ import annotations

import hashlib
import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from byline_node.errors import PeerError

if TYPE_CHECKING:
    from tests.sim.host import FakeHost

WINDOW = 1 << 20
"""Bytes of one stream that may be under way or unread."""
WINDOW_SECONDS = 5.0
"""How long a writer waits for room, as in libp2p; then its stream breaks."""
BYTES_A_SECOND = 4e6
RETRY_SECONDS = 1.0
TICK = 0.004
"""Things arrive at multiples of it: fewer moments make a run several times faster."""

Act = Callable[[], None]


@dataclass(slots=True)
class Weather:
    """How good the network is; changed while it runs."""

    latency: float = 0.03
    """Seconds one way, of a link that is neither near nor far."""
    jitter: float = 0.5
    """Of the latency, at most, for each piece."""
    loss: float = 0.05
    """Share of gossip messages that are lost on each link."""
    late: float = 0.05
    """Share of gossip messages that come up to 3 s late, and so out of order."""


class Trace:
    """What happened, as a hash; and the last of it in words."""

    def __init__(self, keep: int = 400) -> None:
        self._hash = hashlib.sha256()
        self.last: deque[str] = deque(maxlen=keep)
        self.events = 0

    def add(self, event: str, data: bytes = b"") -> None:
        line = f"{trio.current_time():.6f} {event} {len(data)}"
        self._hash.update(line.encode() + b"\n" + data)
        self.last.append(line)
        self.events += 1

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


class Wires:
    """All links between all hosts; `run` in a task delivers."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.trace = Trace()
        self.weather = Weather()
        self.hosts: dict[str, FakeHost] = {}
        """By peer id: those that run now."""
        self.by_address: dict[str, str] = {}
        self._groups: dict[str, int] | None = None
        self._cut: set[frozenset[str]] = set()
        self._distance: dict[frozenset[str], float] = {}
        self._heap: list[tuple[float, int, Act]] = []
        self._number = 0
        self._more = trio.Event()

    # Time

    def at(self, time: float, act: Act) -> None:
        """Has `act` called then, or a little later."""
        self._number += 1
        time = math.ceil(time / TICK) * TICK
        if not self._heap or time < self._heap[0][0]:
            self._more.set()
        heapq.heappush(self._heap, (time, self._number, act))

    async def run(self) -> None:
        while True:
            now = trio.current_time()
            while self._heap and self._heap[0][0] <= now:
                heapq.heappop(self._heap)[2]()
            self._more = trio.Event()
            due = self._heap[0][0] if self._heap else float("inf")
            with trio.move_on_at(due):
                await self._more.wait()

    # The state of the lines

    def partition(self, groups: dict[str, int] | None) -> None:
        """Only peers of one group reach each other; None mends it."""
        self._groups = groups

    def cut(self, one: str, other: str, is_cut: bool) -> None:
        pair = frozenset((one, other))
        self._cut = self._cut | {pair} if is_cut else self._cut - {pair}

    def mend(self) -> None:
        self._groups = None
        self._cut = set()

    def is_cut(self, one: str, other: str) -> bool:
        groups = self._groups
        if groups is not None and groups.get(one) != groups.get(other):
            return True
        return frozenset((one, other)) in self._cut

    def latency(self, one: str, other: str) -> float:
        """Of the next piece; some links are long, and stay so."""
        pair = frozenset((one, other))
        if pair not in self._distance:
            self._distance[pair] = self.dice.lognormvariate(0, 0.7)
        usual = self.weather.latency * self._distance[pair]
        return usual * (1 + self.weather.jitter * self.dice.random())

    def host_at(self, address: str) -> FakeHost | None:
        return self.hosts.get(self.by_address.get(address, ""))


@dataclass(eq=False, slots=True)
class Way:
    """One direction of a link: in order, at a bounded rate."""

    free_at: float = 0.0
    last: float = 0.0


@dataclass(eq=False)
class Link:
    """A connection.  `ends` are the hosts that still believe in it."""

    wires: Wires
    one: FakeHost
    other: FakeHost
    ends: set[str] = field(default_factory=set)
    streams: list[tuple[FakeStream, FakeStream]] = field(default_factory=list)
    ways: dict[str, Way] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ends = {self.one.peer_id, self.other.peer_id}
        self.ways = {name: Way() for name in sorted(self.ends)}

    def remote(self, host: FakeHost) -> FakeHost:
        return self.other if host is self.one else self.one

    def send(self, sender: FakeHost, size: int, arrive: Act) -> None:
        """Has `arrive` called at the other end, if it is still there then."""
        wires, way = self.wires, self.ways[sender.peer_id]
        receiver = self.remote(sender)
        way.free_at = max(way.free_at, trio.current_time()) + size / BYTES_A_SECOND
        delay = wires.latency(sender.peer_id, receiver.peer_id)
        way.last = max(way.last, way.free_at + delay)

        def due() -> None:
            if wires.is_cut(sender.peer_id, receiver.peer_id):
                # It is sent again and again; whatever follows waits behind it.
                way.last = max(way.last, trio.current_time() + RETRY_SECONDS)
                wires.at(trio.current_time() + RETRY_SECONDS, due)
            elif receiver.peer_id in self.ends:
                arrive()

        wires.at(way.last, due)

    def close(self, host: FakeHost) -> None:
        """One end is gone at once; the other learns of it, as soon as it can."""
        if host.peer_id not in self.ends:
            return
        self.ends.discard(host.peer_id)
        host.lose(self)
        for pair in list(self.streams):
            for stream in pair:
                if stream.host is host:
                    stream.break_off("the connection is closed")
        remote = self.remote(host)
        if remote.peer_id in self.ends:
            self.send(host, 0, lambda: self.close(remote))

    def new_streams(self, opener: FakeHost) -> tuple[FakeStream, FakeStream]:
        accepter = self.remote(opener)
        near, far = FakeStream(self, opener), FakeStream(self, accepter)
        near.far, far.far = far, near
        self.streams.append((near, far))
        return near, far

    def tidy(self) -> None:
        self.streams = [
            pair for pair in self.streams if pair[0].is_open or pair[1].is_open
        ]

    def count(self, host: FakeHost) -> int:
        """Streams that are open at this end."""
        return sum(
            stream.is_open
            for pair in self.streams
            for stream in pair
            if stream.host is host
        )


class FakeStream:
    """One end of a stream (host.Stream)."""

    def __init__(self, link: Link, host: FakeHost) -> None:
        self._link = link
        self.host = host
        self.far: FakeStream
        self.protocol = ""
        self._inbox: deque[bytes] = deque()
        self._under_way = 0
        """Bytes sent by the far end and not read yet."""
        self._changed = trio.Event()
        self._broken: str | None = None
        self.ended = trio.Event()

    @property
    def peer(self) -> str:
        return self._link.remote(self.host).peer_id

    @property
    def is_open(self) -> bool:
        return self._broken is None

    async def receive(self, most: int) -> bytes:
        """1 to `most` bytes."""
        await trio.lowlevel.checkpoint()
        while not self._inbox:
            if self._broken is not None:
                raise PeerError(f"the connection broke: {self._broken}")
            await self._changed.wait()
        data = self._inbox.popleft()
        if len(data) > most:
            self._inbox.appendleft(data[most:])
            data = data[:most]
        self._under_way -= len(data)
        self.far.wake()
        return data

    async def send(self, data: bytes) -> None:
        """All of it, as fast as the other end reads."""
        await trio.lowlevel.checkpoint()
        for start in range(0, len(data), 65_536):
            piece = data[start : start + 65_536]
            with trio.move_on_after(WINDOW_SECONDS) as waiting:
                while self._broken is None and self.far._under_way >= WINDOW:
                    await self._changed.wait()
            if waiting.cancelled_caught:
                self.give_up()
            if self._broken is not None:
                raise PeerError(f"the connection broke: {self._broken}")
            self._post(piece)

    def _post(self, piece: bytes) -> None:
        far = self.far
        far._under_way += len(piece)
        names = f"{self.host.peer_id}>{self.peer} {self.protocol}"
        self._link.wires.trace.add(names, piece)

        def arrive() -> None:
            if far.is_open:
                far._inbox.append(piece)
                far.wake()

        self._link.send(self.host, len(piece), arrive)

    async def reset(self) -> None:
        """Ends both directions."""
        self.give_up()
        with trio.CancelScope(shield=True):
            await trio.lowlevel.checkpoint()

    def give_up(self) -> None:
        if self.is_open:
            self.break_off("it was reset")
            far = self.far
            self._link.send(self.host, 0, lambda: far.break_off("it was reset"))

    def break_off(self, reason: str) -> None:
        if self._broken is None:
            self._broken = reason
            self.ended.set()
            self._inbox.clear()
            self.wake()
            self._link.tidy()

    def wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
