"""Ten kinds of nodes that keep to no rule; each talks to honest ones all the time.

Rule: a liar may say and do whatever a stranger can who has a key and a connection; it
can forge no signature of others, and on the wires it is one peer.  Its log is signed,
so what it says can be held against it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import ClassVar

import trio
from tests.sim.host import FakeHost, Gossiped
from tests.sim.surroundings import address_of, peer_name
from tests.sim.wires import FakeStream, Wires
from tests.support.memory_log import MemoryLog
from tests.support.signed import forged

from byline_ledger import follow_server
from byline_ledger.alarm_messages import (
    ALARM_TOPIC,
    CHECKPOINT_TOPIC,
    alarm_ids_answer,
)
from byline_ledger.alarm_messages import MAX_REQUEST as MAX_ALARM_REQUEST
from byline_ledger.alarm_messages import PROTOCOL as ALARM_PROTOCOL
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.entry import commitment_entry
from byline_ledger.errors import BylineError
from byline_ledger.follow_messages import MAX_REQUEST, News, Response, Same
from byline_ledger.follow_messages import PROTOCOL as FOLLOW_PROTOCOL
from byline_ledger.gossip import TOPIC, make_batches
from byline_ledger.statement import Statement, sign_statement
from byline_ledger.witness_messages import MAX_REQUEST as MAX_WITNESS_REQUEST
from byline_ledger.witness_messages import PROTOCOL as WITNESS_PROTOCOL
from byline_ledger.witness_messages import added
from byline_node.peers import PING_PROTOCOL, keep_connected
from byline_node.requests import Requests

TOPICS = (TOPIC, CHECKPOINT_TOPIC, ALARM_TOPIC)
PROTOCOLS = (FOLLOW_PROTOCOL, WITNESS_PROTOCOL, ALARM_PROTOCOL)


def make_work(dice: random.Random, by: SigningKey, time: int = 1) -> Statement:
    """A statement about something new; some are made from two others."""
    fields = {
        "type": "work",
        "time": time,
        "about": digest_bytes(dice.randbytes(8)),
        "salt": dice.randbytes(16),
    }
    if dice.random() < 0.2:
        fields["sources"] = [
            {"digest": digest_bytes(bytes([n])), "relationship": "inputTo"}
            for n in dice.sample(range(8), 2)
        ]
    return sign_statement(fields, by)


class Liar:
    """A peer with a log in memory that answers as it should; kinds differ in what they
    override.  `live` in a task."""

    kind: ClassVar[str]

    def __init__(
        self, number: int, seed: int, wires: Wires, victims: Sequence[int]
    ) -> None:
        self.number = number
        self.peer_id = peer_name(number)
        self.dice = random.Random(f"{seed}/liar/{number}")
        self.key = SigningKey.from_seed(self.dice.randbytes(32))
        self.log = MemoryLog(number, "liar.example")
        self.is_quiet = False
        """It publishes nothing more; it goes on lying."""
        self._wires = wires
        self._victims = victims
        self.host: FakeHost

    def works(self, count: int) -> list[Statement]:
        return [make_work(self.dice, self.key) for _ in range(count)]

    async def live(self) -> None:
        address = address_of(self.number)
        self.host = FakeHost(self._wires, self.peer_id, address, TOPICS)
        async with self.host.running(), trio.open_nursery() as nursery:
            self.listen()
            for victim in self._victims:
                to = f"{address_of(victim)}/p2p/{peer_name(victim)}"
                nursery.start_soon(keep_connected, self.host, [to], {})
            while True:
                await trio.sleep(self.dice.uniform(0.5, 4))
                try:
                    await self.act()
                except BylineError:
                    continue

    def listen(self) -> None:
        """Sets up what is answered."""
        requests = Requests(self.host)
        requests.answer(FOLLOW_PROTOCOL, MAX_REQUEST, self.follow)
        requests.answer(WITNESS_PROTOCOL, MAX_WITNESS_REQUEST, self.witness)
        requests.answer(ALARM_PROTOCOL, MAX_ALARM_REQUEST, self.alarms)

    async def follow(self, peer: str, request: bytes) -> bytes:
        return follow_server.answer(self.log_for(peer), request).to_bytes()

    def log_for(self, _peer: str) -> MemoryLog:
        return self.log

    async def witness(self, _peer: str, _request: bytes) -> bytes:
        size = str(self.dice.randrange(1 << 20)).encode() + b"\n"
        lines = b"\xe2\x80\x94 liar.example/witness " + b"A" * 100 + b"\n"
        return self.dice.choice(
            [added(409, size), added(200, lines), added(422, b"no\n"), b"\xc0"]
        )

    async def alarms(self, _peer: str, _request: bytes) -> bytes:
        ids = [self.dice.randbytes(32) for _ in range(20)]
        return alarm_ids_answer(sorted(ids))

    async def act(self) -> None:
        if not self.is_quiet:
            await self.grow(self.works(self.dice.choice([0, 1, 3])))
        await self.host.publish(CHECKPOINT_TOPIC, self.log.checkpoint)

    async def grow(self, statements: list[Statement]) -> None:
        self.log.append(statements)
        for batch in make_batches(one.to_envelope() for one in statements):
            await self.host.publish(TOPIC, batch)


class Silent(Liar):
    """Takes connections and streams, and says nothing, not even to a ping."""

    kind = "silent"

    def listen(self) -> None:
        for protocol in (*PROTOCOLS, PING_PROTOCOL):
            self.host.set_stream_handler(protocol, self._keep)

    async def _keep(self, stream: FakeStream) -> None:
        await stream.ended.wait()

    async def act(self) -> None: ...


class FalseLog(MemoryLog):
    """Commits to sets that it does not hold."""

    dice = random.Random(0)

    def commit(self, statements: Sequence[Statement]) -> None:
        super().commit(statements)
        if self.size > 1 and self.dice.random() < 0.5:
            count = len(self.strings) + self.dice.randrange(2)
            self.add_entry(commitment_entry(count, self.dice.randbytes(32)))
            self.publish()


class Lying(Liar):
    """Signs commitments with false roots and false counts."""

    kind = "lying"

    def __init__(
        self, number: int, seed: int, wires: Wires, victims: Sequence[int]
    ) -> None:
        super().__init__(number, seed, wires, victims)
        self.log = FalseLog(number, "liar.example")
        self.log.dice = self.dice


class Phantom(Liar):
    """Lists statements that nobody has ever seen."""

    kind = "phantom"

    async def act(self) -> None:
        if not self.is_quiet:
            some = self.works(self.dice.choice([1, 20]))
            self.log.append(some)
            for one in some:
                del self.log.bodies[one.id]
        await self.host.publish(CHECKPOINT_TOPIC, self.log.checkpoint)


class Flooding(Liar):
    """Forged statements by the thousand, and as many requests as there is room for."""

    kind = "flooding"

    async def act(self) -> None:
        forgeries = [forged(one).to_envelope() for one in self.works(100)]
        for batch in make_batches(forgeries):
            await self.host.publish(TOPIC, batch)
        for peer in list(self.host.joined):
            for _ in range(20):
                stream = await self.host.open_stream(peer, FOLLOW_PROTOCOL)
                await stream.send(b"\0\0\0\x09" + b"\x82" * 9)


class Equivocating(Liar):
    """One log with two faces, each shown to half of the peers."""

    kind = "equivocating"

    def __init__(
        self, number: int, seed: int, wires: Wires, victims: Sequence[int]
    ) -> None:
        super().__init__(number, seed, wires, victims)
        self.other = MemoryLog(number, "liar.example")

    def log_for(self, peer: str) -> MemoryLog:
        return self.log if int(peer[1:].replace("o", "0")) % 2 else self.other

    async def act(self) -> None:
        if not self.is_quiet or self.log.size < 3:
            self.log.append(self.works(1))
            self.other.append(self.works(1))
        for log in (self.log, self.other):
            await self.host.publish(CHECKPOINT_TOPIC, log.checkpoint)


class Replaying(Liar):
    """Says again what it, or somebody else, said before."""

    kind = "replaying"

    def __init__(
        self, number: int, seed: int, wires: Wires, victims: Sequence[int]
    ) -> None:
        super().__init__(number, seed, wires, victims)
        self._said: list[bytes] = []
        self._heard: list[Gossiped] = []

    def listen(self) -> None:
        super().listen()
        self.host.on_heard = self._heard.append

    async def follow(self, peer: str, request: bytes) -> bytes:
        if self._said and self.dice.random() < 0.3:
            return self.dice.choice(self._said)
        answer = await super().follow(peer, request)
        self._said = [*self._said[-50:], answer]
        return answer

    async def act(self) -> None:
        await super().act()
        self._heard = self._heard[-200:]
        for one in self._heard[: self.dice.randrange(10)]:
            if self.dice.random() < 0.5:
                await self.host.publish(one.topic, one.data)
            else:  # as it was, signed by its publisher
                self.host.spread(one)


class Slow(Liar):
    """Answers correctly, late."""

    kind = "slow"

    async def follow(self, peer: str, request: bytes) -> bytes:
        await trio.sleep(self.dice.uniform(1, 40))
        return await super().follow(peer, request)

    async def witness(self, peer: str, request: bytes) -> bytes:
        await trio.sleep(self.dice.uniform(1, 40))
        return await super().witness(peer, request)


class Oversized(Liar):
    """Announces gigabytes, and sends some of them."""

    kind = "oversized"

    def listen(self) -> None:
        for protocol in PROTOCOLS:
            self.host.set_stream_handler(protocol, self._pour)

    async def _pour(self, stream: FakeStream) -> None:
        await stream.receive(100)
        await stream.send(b"\x7f\xff\xff\xff" + bytes(200_000))

    async def act(self) -> None:
        await self.host.publish(self.dice.choice(TOPICS), bytes(60_000))
        self.host.spread(Gossiped(TOPIC, self.peer_id, 1, bytes(70_000)))
        for peer in list(self.host.joined):
            protocol = self.dice.choice(PROTOCOLS)
            stream = await self.host.open_stream(peer, protocol)
            await stream.send(b"\x7f\xff\xff\xff" + bytes(100_000))


class Garbage(Liar):
    """Random bytes, wherever bytes go."""

    kind = "garbage"

    def _bytes(self) -> bytes:
        return self.dice.randbytes(self.dice.choice([0, 1, 40, 1_000]))

    async def follow(self, peer: str, request: bytes) -> bytes:
        if self.dice.random() < 0.3:
            return await super().follow(peer, request)
        if self.dice.random() < 0.5:
            return self._emptied(follow_server.answer(self.log, request)).to_bytes()
        return self._bytes()

    def _emptied(self, answer: Response) -> Response:
        """What it should be, with nothing in it."""
        if isinstance(answer, Same):
            return News(self.log.checkpoint, (), ())
        lists = [one.name for one in fields(answer) if one.type.startswith("tuple")]
        some = self.dice.sample(lists, self.dice.randint(0, len(lists)))
        return replace(answer, **dict.fromkeys(some, ()))

    async def witness(self, peer: str, request: bytes) -> bytes:
        return self._bytes()

    async def alarms(self, _peer: str, _request: bytes) -> bytes:
        return self._bytes()

    async def act(self) -> None:
        await self.host.publish(self.dice.choice(TOPICS), self._bytes())
        for peer in list(self.host.joined):
            stream = await self.host.open_stream(peer, self.dice.choice(PROTOCOLS))
            await stream.send(self._bytes())
            await trio.sleep(0.1)
            await stream.reset()


KINDS: tuple[type[Liar], ...] = (
    Silent,
    Lying,
    Phantom,
    Flooding,
    Equivocating,
    Replaying,
    Slow,
    Oversized,
    Garbage,
)
BACKDATING = "backdating"
"""The tenth kind is a whole node whose clock is ten years behind (simulation.py)."""

__all__ = ["BACKDATING", "KINDS", "Liar", "make_work"]
