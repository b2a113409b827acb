"""What goes wrong by itself, and is drawn from the seed: a task for each kind.

Rule: all of it ends with `heal`; from then on the network is bad no more, everybody is
up, and only liars go on lying.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
from tests.sim.malice import make_work

from byline_ledger.statement import Statement

if TYPE_CHECKING:
    from tests.sim.node import SimNode
    from tests.sim.simulation import Simulation

CRASH_EVERY = 4.0
CUT_EVERY = 12.0
BREAK_EVERY = 2.0
WEATHER_EVERY = 10.0
TAKEDOWN_EVERY = 8.0
PUBLISH_EVERY = 2.5


class Faults:
    """`run` in a task that is cancelled at the end of the bad times."""

    def __init__(self, world: Simulation) -> None:
        self._world = world
        self._dice = world.dice

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            for fault in (
                self._crash,
                self._cut,
                self._break,
                self._change_weather,
                self._take_down,
            ):
                nursery.start_soon(fault)

    async def _wait(self, mean: float) -> None:
        await trio.sleep(min(self._dice.expovariate(1 / mean), 5 * mean))

    async def _crash(self) -> None:
        """Stops, power cuts and failing disks; what goes comes back by and by."""
        dice = self._dice
        async with trio.open_nursery() as nursery:
            while True:
                await self._wait(CRASH_EVERY)
                node = dice.choice(self._world.honest)
                if not node.is_up:
                    continue
                match dice.randrange(5):
                    case 0:
                        node.stop()
                    case 1 | 2:
                        node.crash()
                    case 3:
                        node.disk.fails = "before"
                    case 4:
                        node.disk.fails = "after"
                nursery.start_soon(self._bring_back, node, dice.expovariate(1 / 8))
                if dice.random() < 0.3:  # as NTP, or its absence, does it
                    node.skew += dice.uniform(-60, 60)

    async def _bring_back(self, node: SimNode, after: float) -> None:
        await trio.sleep(after)
        node.start()

    async def _cut(self) -> None:
        """Single lines, single nodes, or the network into two."""
        dice, wires = self._dice, self._world.wires
        names = self._world.names
        while True:
            await self._wait(CUT_EVERY)
            kind = dice.randrange(3)
            if kind == 0:
                pairs = [dice.sample(names, 2) for _ in range(len(names))]
                for one, other in pairs:
                    wires.cut(one, other, is_cut=True)
            else:
                alone = 1 if kind == 1 else dice.randrange(1, len(names))
                apart = set(dice.sample(names, alone))
                wires.partition({name: int(name in apart) for name in names})
            await trio.sleep(dice.uniform(2, 25))
            wires.mend()

    async def _break(self) -> None:
        """A connection, or one stream of one."""
        dice, wires = self._dice, self._world.wires
        while True:
            await self._wait(BREAK_EVERY)
            links = [
                link for host in wires.hosts.values() for link in host.joined.values()
            ]
            if not links:
                continue
            link = dice.choice(links)
            if link.streams and dice.random() < 0.8:
                dice.choice(link.streams)[0].give_up()
            else:
                link.close(link.one)

    async def _change_weather(self) -> None:
        dice, weather = self._dice, self._world.wires.weather
        while True:
            await self._wait(WEATHER_EVERY)
            weather.loss = dice.choice([0, 0.05, 0.3, 0.9])
            weather.latency = dice.choice([0.005, 0.03, 0.03, 0.3])
            weather.late = dice.choice([0, 0.05, 0.3])

    async def _take_down(self) -> None:
        """An operator takes a body down: for others it is a gap in that log.  Three
        have it, and nobody depends on this node alone, so that it can still be had."""
        dice, world = self._dice, self._world
        spare = [node for node in world.honest if world.is_spare(node)]
        while True:
            await self._wait(TAKEDOWN_EVERY)
            node = dice.choice(spare or world.honest)
            if not spare or not node.is_up or not node.promised:
                continue
            id_ = dice.choice(node.promised[-50:])
            if id_ in world.taken_down:
                continue
            holders = [one for one in world.honest if one.is_up and one.holds(id_)]
            if node in holders and len(holders) > 3:
                world.taken_down.add(id_)
                node.take_down(id_)


async def publish(world: Simulation) -> None:
    """Clients of all nodes, until cancelled."""
    dice = world.dice
    async with trio.open_nursery() as nursery:
        while True:
            await trio.sleep(dice.expovariate(1 / PUBLISH_EVERY))
            count = dice.choice([1, 1, 2, 5, 40])
            key = dice.choice(world.keys)
            some: list[Statement] = [make_work(dice, key) for _ in range(count)]
            nursery.start_soon(dice.choice(world.publishers).publish, some)
