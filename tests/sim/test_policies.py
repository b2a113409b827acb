"""Nodes with different policies settle: each holds what it wants of its neighbours'.

A failure names its seed: `PickyWorld(seed)` replays it.
"""

from __future__ import annotations

from functools import partial

import pytest
from tests.sim.world import Node, World
from tests.support.signed import key, work

from byline_ledger.cursor import Cursor
from byline_ledger.follow_messages import (
    AskMeet,
    AskNext,
    AskStatements,
    Request,
    parse_request,
)
from byline_ledger.follower import Action, Admit, Ask, Follower
from byline_ledger.gossip import sift_batch
from byline_ledger.statement import Statement

AUTHORS = [key(number) for number in (1, 2, 3)]


class PickyWorld(World):
    """Every node denies some authors, and remembers what it refused."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, honest=2 + seed % 5)
        self.denied: dict[int, set[bytes]] = {}
        self.refused: dict[int, set[bytes]] = {}
        self.asked: list[Request] = []
        for node in self.nodes:
            some = self.dice.sample(AUTHORS, self.dice.randint(0, 2))
            self.denied[node.number] = {one.public for one in some}
            self.refused[node.number] = set()
            node.follower = partial(self.follower_of, node)  # type: ignore[method-assign]

    def follower_of(self, node: Node, peer: Node) -> Follower:
        if peer.number not in node.followers:
            stored = node.cursors.get(peer.number)
            node.followers[peer.number] = Follower(
                lambda: node.log,
                Cursor.from_bytes(stored) if stored else None,
                lambda id_: id_ in self.refused[node.number],
            )
        return node.followers[peer.number]

    def take(self, node: Node, statements: list[Statement]) -> list[Statement]:
        """What the node appends of them; the rest it remembers."""
        denied = self.denied[node.number]
        taken = [one for one in statements if one.author not in denied]
        self.refused[node.number] |= {
            one.id for one in statements if one.author in denied
        }
        node.log.append(taken)
        self.note(node)
        return taken

    def publish(self) -> None:
        node = self.dice.choice(self.nodes)
        if node.up:
            count = self.dice.choice([1, 2, 30])
            new = [work(f"{i}", self.dice.choice(AUTHORS)) for i in range(count)]
            self.spread(node, self.take(node, new))

    def deliver(self) -> None:
        if not self.mail:
            return
        node, batch = self.mail.pop(self.dice.randrange(len(self.mail)))
        if node.up:
            known, refused = node.log.index_of, self.refused[node.number]
            sifted = sift_batch(batch, lambda i: known(i) is not None or i in refused)
            # The mesh passes on what its members do not take.
            self.take(node, list(sifted.fresh))
            if sifted.fresh:
                self.spread(node, list(sifted.fresh))

    def do(self, node: Node, peer: Node, action: Action) -> bytes | None:
        if isinstance(action, Ask):
            self.asked.append(parse_request(action.request))
            if isinstance(self.asked[-1], AskStatements):
                asked = set(self.asked[-1].ids)
                assert not asked & self.refused[node.number], "asked for in vain"
        if isinstance(action, Admit):
            self.take(node, list(action.statements))
            return None
        return super().do(node, peer, action)

    def rounds(self, count: int) -> None:
        for _ in range(count):
            for node, peer in self.pairs():
                self.whole_session(node, peer)

    def missing(self) -> list[Statement]:
        """What a node would take, and only a neighbour has."""
        return [
            one
            for node in self.nodes
            for peer in node.neighbours
            for one in map(Statement.from_envelope, peer.log.bodies.values())
            if one.author not in self.denied[node.number]
            and node.log.index_of(one.id) is None
        ]


@pytest.mark.parametrize("seed", range(12))
def test_each_holds_what_it_wants_and_then_all_is_quiet(seed: int) -> None:
    world = PickyWorld(seed)
    world.run(500)
    world.heal()
    world.rounds(len(world.nodes) + 1)
    assert world.missing() == []
    for node in world.nodes:
        held = map(Statement.from_envelope, node.log.bodies.values())
        assert not {one.author for one in held} & world.denied[node.number]
    world.asked.clear()
    world.rounds(2)
    assert {type(one) for one in world.asked} <= {AskNext, AskMeet}
