"""Every honest node ends with the same set, whatever happened on the way.

A failure names its seed: `World(seed, ...)` replays it.
"""

from __future__ import annotations

import pytest
from tests.sim.world import LIES, World

from byline_ledger.follow_messages import AskNext, Request, parse_request
from byline_ledger.follower import Ask


@pytest.mark.parametrize("seed", range(15))
def test_all_agree_after_healing(seed: int) -> None:
    """Loss, reordering, partitions, crashes: equal roots, and the oracle's."""
    world = World(seed, honest=world_size(seed))
    world.run(600)
    world.heal()
    world.settle()
    world.check()


@pytest.mark.parametrize("seed", range(15))
def test_liars_change_nothing_for_the_honest(seed: int) -> None:
    """Half of the nodes lie, each in its own way."""
    world = World(seed, honest=5, lies=LIES)
    world.run(800)
    world.heal()
    world.settle()
    world.check()
    assert world.lies_caught > 0


@pytest.mark.parametrize("seed", range(5))
def test_agreement_is_quiet(seed: int) -> None:
    """Once all have seen each other's end, a round is one question per link."""
    world = World(seed, honest=4)
    world.run(300)
    world.heal()
    world.settle()
    for _ in range(3):
        for node, peer in world.pairs():
            world.whole_session(node, peer)
    for node, peer in world.pairs():
        actions = list(first_actions(world, node.number, peer.number))
        assert actions == [AskNext(peer.log.size)]


def first_actions(world: World, node: int, peer: int) -> list[Request]:
    asking = next(one for one in world.nodes if one.number == node)
    asked = next(one for one in world.nodes if one.number == peer)
    session = asking.follower(asked).session()
    action = next(session)
    requests = []
    while True:
        reply = world.do(asking, asked, action)
        if isinstance(action, Ask):
            requests.append(parse_request(action.request))
        try:
            action = session.send(reply)
        except StopIteration:
            return requests


def world_size(seed: int) -> int:
    return 2 + seed % 7
