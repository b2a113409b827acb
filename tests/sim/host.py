"""A host without sockets: what host.py offers to the node, over simulated wires.

Rule: what production code sees is the interface of `byline_node.host.Host` and the
errors it raises; peers, names and numbers of links behave as measured of libp2p.
Gossip is a flood over all links, of which any message may be lost, late or doubled.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio
from tests.sim.wires import FakeStream, Link, Wires

from byline_ledger.errors import BylineError
from byline_node import streams
from byline_node.errors import PeerError, UnspokenError
from byline_node.frames import read_exactly
from byline_node.host_setup import Doorkeeper, OpenDoor
from byline_node.peer_score import Fault
from byline_node.peers import PING_BYTES, PING_PROTOCOL, peer_id_of
from byline_node.streams import Message

MAX_MESSAGE = 60_000
MAX_STREAMS = 64
MAX_WAITING = 4_096
"""Messages of one topic that wait to be read; what comes then is dropped."""
SEEN_SECONDS = 120.0
MAX_SEEN = 20_000
CONNECT_SECONDS = 15.0
LATEST = 3.0

Handler = Callable[[FakeStream], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Gossiped:
    """A message under way; its publisher signed all of it."""

    topic: str
    sender: str
    number: int
    data: bytes


class Messages:
    """What came for one topic; `async for` as over Host.messages."""

    def __init__(self, own: str) -> None:
        self._own = own
        self.send, self._receive = trio.open_memory_channel[Message](MAX_WAITING)

    def __aiter__(self) -> Messages:
        return self

    async def __anext__(self) -> Message:
        return await self._receive.receive()


class FakeHost:
    """A host that runs; `open_fake_host` makes one."""

    def __init__(
        self, wires: Wires, peer_id: str, address: str, topics: Sequence[str]
    ) -> None:
        self.wires = wires
        self.peer_id = peer_id
        self.addresses: tuple[str, ...] = (f"{address}/p2p/{peer_id}",)
        self.door: Doorkeeper = OpenDoor()
        self.joined: dict[str, Link] = {}
        self._handlers: dict[str, Handler] = {PING_PROTOCOL: _echo}
        self._topics = {topic: Messages(peer_id) for topic in topics}
        self._seen: OrderedDict[tuple[str, int], float] = OrderedDict()
        # A node that starts again numbers on: by the clock, as libp2p does.
        self._published = int(trio.current_time() * 1e6)
        self._changed = trio.Event()
        self._nursery: trio.Nursery
        self.on_heard: Callable[[Gossiped], None] = lambda _message: None
        self.dropped = 0
        self.faults: list[str] = []
        """What left a handler and should not have."""

    # Who is connected

    def peers(self) -> dict[str, str]:
        return {
            name: link.remote(self).addresses[0] for name, link in self.joined.items()
        }

    def links(self) -> dict[str, streams.Link]:
        """More than the node has to know."""
        return {}

    def link(self, _peer: str) -> streams.Link | None:
        return None

    async def wait_change(self) -> None:
        await self._changed.wait()

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def lose(self, link: Link) -> None:
        name = link.remote(self).peer_id
        if self.joined.get(name) is link:
            del self.joined[name]
            self.wires.trace.add(f"{self.peer_id} lost {name}")
            self._note_change()

    async def connect(self, address: str) -> str:
        peer = peer_id_of(address)
        if peer == self.peer_id:
            raise PeerError(f"{address} is this node itself")
        with trio.move_on_after(CONNECT_SECONDS):
            return await self._dial(peer, address.partition("/p2p/")[0])
        raise PeerError(f"no answer from {address}")

    async def _dial(self, peer: str, address: str) -> str:
        if self.door.refused_for(peer):
            raise PeerError(f"{address} is refused for its conduct")
        if peer in self.joined:
            return peer
        for _ in range(3):  # there, back, and there with the key exchange
            await trio.sleep(self.wires.latency(self.peer_id, peer))
            if self.wires.is_cut(self.peer_id, peer):
                await trio.sleep_forever()
        remote = self.wires.host_at(address)
        is_there = remote is not None and remote.peer_id == peer
        if remote is None or not is_there or remote.door.refused_for(self.peer_id):
            raise PeerError(f"cannot connect to {address}: Connection refused")
        if peer not in self.joined:
            self._join(remote)
        return peer

    def _join(self, remote: FakeHost) -> None:
        half_open = remote.joined.get(self.peer_id)
        if half_open is not None:
            half_open.close(remote)
        link = Link(self.wires, self, remote)
        self.joined[remote.peer_id] = remote.joined[self.peer_id] = link
        self.wires.trace.add(f"{self.peer_id} joined {remote.peer_id}")
        self._note_change()
        remote._note_change()

    def drop(self, peer: str) -> None:
        link = self.joined.get(peer)
        if link is not None:
            link.close(self)

    # Streams

    def set_stream_handler(self, protocol: str, handler: Handler) -> None:
        self._handlers[protocol] = handler

    async def open_stream(self, peer: str, protocol: str) -> FakeStream:
        link = self.joined.get(peer)
        if link is None:
            raise PeerError("not connected")
        near, far = link.new_streams(self)
        near.protocol = far.protocol = protocol
        answered: list[bool] = []
        done = trio.Event()

        def answer(is_known: bool) -> None:
            answered.append(is_known)
            done.set()
            near.wake()

        def arrive() -> None:
            is_known = far.is_open and far.host._accept(link, far)
            link.send(far.host, 0, lambda: answer(is_known))

        link.send(self, 0, arrive)
        try:
            while not answered:
                if not near.is_open:
                    raise PeerError("the connection is closed")
                await near._changed.wait()
        except BaseException:
            near.give_up()
            raise
        if not answered[0]:
            near.give_up()
            raise UnspokenError.of(protocol)
        return near

    def _accept(self, link: Link, stream: FakeStream) -> bool:
        handler = self._handlers.get(stream.protocol)
        if link.count(self) > MAX_STREAMS:
            peer = link.remote(self).peer_id
            self.door.charge(peer, Fault.FLOOD, "too many streams")
            return False
        if handler is None:
            return False
        self._nursery.start_soon(self._handle, handler, stream)
        return True

    async def _handle(self, handler: Handler, stream: FakeStream) -> None:
        try:
            await handler(stream)
        except BylineError:
            await stream.reset()
        except Exception as error:  # noqa: BLE001  # it ends the stream, no more
            self.faults.append(f"{stream.protocol}: {error!r}")
            await stream.reset()

    @property
    def open_streams(self) -> int:
        return sum(link.count(self) for link in self.joined.values())

    # Gossip

    async def publish(self, topic: str, data: bytes) -> None:
        if len(data) > MAX_MESSAGE:
            raise ValueError(f"a message of {len(data)} bytes")
        await trio.lowlevel.checkpoint()
        self._published += 1
        message = Gossiped(topic, self.peer_id, self._published, data)
        self._is_new(message)
        self.spread(message)

    def spread(self, message: Gossiped, but: str = "") -> None:
        """Passes a message on, over all links."""
        dice, weather = self.wires.dice, self.wires.weather
        for name, link in self.joined.items():
            if name in (but, message.sender) or dice.random() < weather.loss:
                continue
            delay = self.wires.latency(self.peer_id, name)
            if dice.random() < weather.late:
                delay += LATEST * dice.random()
            self._pass(link, link.remote(self), message, delay)

    def _pass(
        self, link: Link, receiver: FakeHost, message: Gossiped, delay: float
    ) -> None:
        def arrive() -> None:
            is_cut = self.wires.is_cut(self.peer_id, receiver.peer_id)
            if not is_cut and receiver.peer_id in link.ends:
                receiver.hear(message, self.peer_id)

        self.wires.at(trio.current_time() + delay, arrive)

    def hear(self, message: Gossiped, forwarder: str) -> None:
        """A message arrives; it is passed on whatever is in it, unless it is too
        large."""
        if len(message.data) > MAX_MESSAGE:
            self.door.charge(forwarder, Fault.MALFORMED, "too large a message")
            return
        if not self._is_new(message):
            return
        self.wires.trace.add(
            f"{forwarder}>{self.peer_id} {message.topic} of {message.sender}",
            message.data,
        )
        self.on_heard(message)
        if message.topic in self._topics:
            try:
                heard = Message(message.sender, message.data)
                self._topics[message.topic].send.send_nowait(heard)
            except trio.WouldBlock:
                self.dropped += 1
            self.spread(message, but=forwarder)

    def _is_new(self, message: Gossiped) -> bool:
        now, name = trio.current_time(), (message.sender, message.number)
        while self._seen:
            first = next(iter(self._seen))
            if self._seen[first] > now - SEEN_SECONDS and len(self._seen) < MAX_SEEN:
                break
            del self._seen[first]
        is_new = name not in self._seen
        self._seen.setdefault(name, now)
        return is_new

    def messages(self, topic: str) -> AsyncIterator[Message]:
        return self._topics[topic]

    # Running

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeHost]:
        address = self.addresses[0].partition("/p2p/")[0]
        self.wires.hosts[self.peer_id] = self
        self.wires.by_address[address] = self.peer_id
        try:
            async with trio.open_nursery() as self._nursery:
                yield self
                self._nursery.cancel_scope.cancel()
        finally:
            self.kill()

    def kill(self) -> None:
        """Gone at once, as after a power cut: peers see their connections end."""
        if self.wires.hosts.get(self.peer_id) is self:
            del self.wires.hosts[self.peer_id]
        for link in list(self.joined.values()):
            link.close(self)


async def _echo(stream: FakeStream) -> None:
    """The answering side of a ping."""
    while data := await read_exactly(stream, PING_BYTES):
        await stream.send(data)
