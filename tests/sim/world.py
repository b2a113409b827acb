"""A network of nodes in memory, driven one small step at a time by a seeded die.

Follow sessions and gossip batches are the code that real nodes run; around them, this
file plays everything that can happen to them: messages lost, doubled and reordered,
sessions cut anywhere, links down, nodes crashing with whatever they had not stored, and
peers that lie.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.support.memory_log import MemoryLog
from tests.support.signed import forged, key, work

from byline_ledger.cursor import Cursor
from byline_ledger.entry import entry_of
from byline_ledger.errors import BylineError
from byline_ledger.follow_messages import Entries, Envelopes, Response
from byline_ledger.follow_server import answer
from byline_ledger.follower import (
    Action,
    Admit,
    Ask,
    Check,
    Follower,
    Keep,
    Session,
)
from byline_ledger.gossip import make_batches, sift_batch
from byline_ledger.lookup_set import naive_root
from byline_ledger.merkle import root_from
from byline_ledger.statement import Statement

Lie = Callable[[random.Random, Response], bytes]


@dataclass(eq=False)
class Node:
    """`log` and `cursors` outlive a crash; the rest does not."""

    number: int
    log: MemoryLog
    lie: Lie | None = None
    neighbours: list[Node] = field(default_factory=list)
    cursors: dict[int, bytes] = field(default_factory=dict)
    followers: dict[int, Follower] = field(default_factory=dict)
    sessions: dict[int, Conversation] = field(default_factory=dict)
    up: bool = True

    def follower(self, peer: Node) -> Follower:
        if peer.number not in self.followers:
            stored = self.cursors.get(peer.number)
            cursor = Cursor.from_bytes(stored) if stored else None
            self.followers[peer.number] = Follower(lambda: self.log, cursor)
        return self.followers[peer.number]

    def crash(self) -> None:
        self.up = False
        self.followers.clear()
        self.sessions.clear()


@dataclass(eq=False)
class Conversation:
    """A session under way, and what it is to be sent next."""

    session: Session
    reply: bytes | None = None


class World:
    """Everything that happens follows from the seed."""

    def __init__(self, seed: int, *, honest: int, lies: tuple[Lie, ...] = ()) -> None:
        self.dice = random.Random(seed)
        self.honest = [Node(n, MemoryLog(n)) for n in range(1, honest + 1)]
        liars = [Node(100 + n, MemoryLog(100 + n), lie) for n, lie in enumerate(lies)]
        self.nodes = self.honest + liars
        self.published: list[Statement] = []
        self.mail: list[tuple[Node, bytes]] = []
        self.cut: set[frozenset[int]] = set()
        self.loss = 0.2
        self.lies_caught = 0
        self.history: dict[int, list[tuple[int, bytes]]] = {}
        for node in self.nodes[1:]:
            earlier = self.nodes[: self.nodes.index(node)]
            # The honest must not depend on a liar to reach each other.
            near = [one for one in earlier if one.lie is None]
            for peer in self.dice.sample(near, min(len(near), self.dice.randint(1, 2))):
                node.neighbours.append(peer)
                peer.neighbours.append(node)

    # Chance

    def run(self, steps: int) -> None:
        events = [
            (6, self.publish),
            (20, self.deliver),
            (60, self.talk),
            (2, self.crash_or_restart),
            (2, self.cut_or_mend),
        ]
        weights = [weight for weight, _ in events]
        for _ in range(steps):
            _, event = self.dice.choices(events, weights)[0]
            event()

    def publish(self) -> None:
        node = self.dice.choice(self.nodes)
        if not node.up:
            return
        new = [
            work(f"{len(self.published)}/{i}", key(self.dice.randint(1, 3)))
            for i in range(self.dice.choice([1, 1, 2, 30]))
        ]
        node.log.append(new)
        self.note(node)
        if node.lie is None:
            self.published += new
        self.spread(node, new)

    def spread(self, node: Node, statements: list[Statement]) -> None:
        for batch in make_batches(one.to_envelope() for one in statements):
            for peer in node.neighbours:
                copies = self.dice.choices([0, 1, 2], [self.loss, 1, 0.1])[0]
                self.mail += [(peer, batch)] * copies

    def deliver(self) -> None:
        if not self.mail:
            return
        node, batch = self.mail.pop(self.dice.randrange(len(self.mail)))
        if node.up:
            sifted = sift_batch(batch, lambda id_: node.log.index_of(id_) is not None)
            node.log.append(sifted.fresh)
            self.note(node)
            if sifted.fresh:
                self.spread(node, list(sifted.fresh))

    def talk(self) -> None:
        """One action of one session between two neighbours."""
        node = self.dice.choice(self.nodes)
        peer = self.dice.choice(node.neighbours)
        if node.up and self.is_linked(node, peer):
            if self.dice.random() < self.loss / 4:
                node.sessions.pop(peer.number, None)
            else:
                self.advance(node, peer)
        else:
            node.sessions.pop(peer.number, None)

    def crash_or_restart(self) -> None:
        node = self.dice.choice(self.nodes)
        if node.up:
            node.crash()
        else:
            node.up = True

    def cut_or_mend(self) -> None:
        node = self.dice.choice(self.nodes)
        self.cut ^= {frozenset((node.number, self.dice.choice(node.neighbours).number))}

    def is_linked(self, node: Node, peer: Node) -> bool:
        return peer.up and frozenset((node.number, peer.number)) not in self.cut

    # Sessions

    def advance(self, node: Node, peer: Node) -> bool:
        """Goes on with a session, or starts one; False once it has ended."""
        if peer.number not in node.sessions:
            wanted = [
                g
                for one in node.followers.values()
                if one.cursor
                for g in one.cursor.gaps
            ]
            session = node.follower(peer).session(wanted)
            node.sessions[peer.number] = Conversation(session)
        talk = node.sessions[peer.number]
        try:
            action = talk.session.send(talk.reply)
            talk.reply = self.do(node, peer, action)
        except StopIteration:
            del node.sessions[peer.number]
            return False
        except BylineError:
            assert peer.lie is not None, "an honest peer was taken for a liar"
            self.lies_caught += 1
            del node.sessions[peer.number]
            return False
        return True

    def do(self, node: Node, peer: Node, action: Action) -> bytes | None:
        match action:
            case Ask(request):
                response = answer(peer.log, request)
                if peer.lie is not None:
                    return peer.lie(self.dice, response)
                return response.to_bytes()
            case Check():
                action.run()
            case Admit(statements):
                node.log.append(statements)
                self.note(node)
            case Keep(cursor):
                if self.dice.random() < 0.5:
                    node.cursors[peer.number] = cursor.to_bytes()
        return None

    def whole_session(self, node: Node, peer: Node) -> None:
        while self.advance(node, peer):
            pass

    # The end

    def heal(self) -> None:
        """All nodes up, all links mended, nothing lost any more; gossip is gone."""
        self.cut.clear()
        self.mail.clear()
        self.loss = 0
        for node in self.nodes:
            node.up = True
            node.sessions.clear()

    def settle(self) -> int:
        """Rounds of follow, nothing else, until the honest agree."""
        for rounds in range(len(self.nodes) + 1):
            if len({node.log.set_root for node in self.honest}) == 1:
                return rounds
            for node, peer in self.pairs():
                self.whole_session(node, peer)
        raise AssertionError("the honest nodes never agreed")

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        pairs = [(node, peer) for node in self.nodes for peer in node.neighbours]
        self.dice.shuffle(pairs)
        return iter(pairs)

    # Invariants

    def note(self, node: Node) -> None:
        self.history.setdefault(node.number, []).append((node.log.size, node.log.root))

    def check(self) -> None:
        for node in self.honest:
            for size, root in self.history.get(node.number, []):
                assert root_from(size, node.log.node) == root, "a log was rewritten"
            for statement in self.published:
                assert node.log.index_of(statement.id) is not None, "one is missing"
        everything = {
            string
            for envelope in self.honest[0].log.bodies.values()
            for string in entry_of(Statement.from_envelope(envelope)).lookup_strings()
        }
        assert self.honest[0].log.set_root == naive_root(sorted(everything))


# Lies


def garbage(dice: random.Random, _: Response) -> bytes:
    return dice.randbytes(dice.randrange(200))


def flipped(dice: random.Random, response: Response) -> bytes:
    data = bytearray(response.to_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def withheld(dice: random.Random, response: Response) -> bytes:
    if isinstance(response, Envelopes):
        kept = (e if dice.random() < 0.5 else b"" for e in response.envelopes)
        response = Envelopes(tuple(kept))
    return response.to_bytes()


def badly_signed(_: random.Random, response: Response) -> bytes:
    if isinstance(response, Envelopes):
        found = [Statement.from_envelope(e) for e in response.envelopes if e]
        response = Envelopes(tuple(forged(one).to_envelope() for one in found))
    return response.to_bytes()


def reordered(dice: random.Random, response: Response) -> bytes:
    if isinstance(response, Entries | Envelopes):
        name = "entries" if isinstance(response, Entries) else "envelopes"
        items = list(getattr(response, name))
        dice.shuffle(items)
        if isinstance(response, Entries):
            response = Entries(tuple(items), response.proof)
        else:
            response = Envelopes(tuple(items))
    return response.to_bytes()


def endless(_: random.Random, response: Response) -> bytes:
    if isinstance(response, Entries):
        response = Entries(response.entries[:1] * 3, response.proof)
    return response.to_bytes()


LIES: tuple[Lie, ...] = (garbage, flipped, withheld, badly_signed, reordered, endless)
