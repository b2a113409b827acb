"""One run: who is there, what happens to them, and what is found in the end.

    python -m tests.sim.run --seed 7 --nodes 20

Rule: everything follows from the plan.  Bad times first, in which clients publish,
nodes crash and lines are cut; then the network heals, and the honest have ten minutes
to agree.  Four fifths of the nodes are honest, and connected among themselves.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import trio
from tests.sim import invariants, knobs
from tests.sim.faults import Faults, publish
from tests.sim.malice import BACKDATING, KINDS, Liar
from tests.sim.node import SimNode
from tests.sim.surroundings import Surroundings
from trio.testing import MockClock

from byline_ledger.crypto import SigningKey
from byline_node import mirrors
from byline_node.mistakes import noted

QUIET_SECONDS = 15.0
"""After agreement, until what is left open is counted."""
STOP_SECONDS = 10.0
LOOK_SECONDS = 2.0
TEN_YEARS = 10 * 365 * 86_400.0
MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run follows from."""

    seed: int
    nodes: int = 20
    seconds: float = 60.0
    """Of bad times."""
    malicious: float = 0.2
    settle: float = 600.0
    """Seconds that the honest have to agree, once the network is well again."""
    faults: bool = True
    kinds: tuple[str, ...] = ()
    """Of liars; all in turn where none is named."""
    mirrors: bool | None = None
    """Whether nodes keep copies of their peers' logs; by the seed where it is None."""


@dataclass(slots=True)
class Outcome:
    """What a run has come to."""

    plan: Plan
    trace: str = ""
    problems: list[str] = field(default_factory=list)
    strings: int = 0
    events: int = 0
    starts: int = 0
    settled: float | None = None
    """Seconds from healing to agreement."""
    virtual: float = 0.0
    wall: float = 0.0
    alarms: int = 0
    knobs: list[str] = field(default_factory=list)
    """Limits that were small."""
    last: list[str] = field(default_factory=list)
    """Of the trace and of the logs, where something was wrong."""


class Simulation:
    """The nodes of a run."""

    def __init__(self, plan: Plan, surroundings: Surroundings, folder: Path) -> None:
        self.plan = plan
        self.dice, self.wires = surroundings.dice, surroundings.wires
        self._lines: list[tuple[int, int]] = []
        """Who names whom in its configuration."""
        self.keys = [SigningKey.from_seed(bytes([n]) * 32) for n in range(1, 6)]
        count = math.floor(plan.nodes * plan.malicious)
        self.honest = [
            self._node(number, folder) for number in range(1, plan.nodes - count + 1)
        ]
        self.backdating: list[SimNode] = []
        self.liars: list[Liar] = []
        kinds = plan.kinds or (BACKDATING, *(one.kind for one in KINDS))
        by_name = {one.kind: one for one in KINDS}
        first = plan.seed if not plan.kinds else 0
        for number in range(len(self.honest) + 1, plan.nodes + 1):
            kind = kinds[(first + number) % len(kinds)]
            if kind == BACKDATING:
                self.backdating.append(self._node(number, folder))
                self.backdating[-1].skew = -TEN_YEARS
            else:
                victims = self._some_honest(3)
                liar = by_name[kind](number, plan.seed, self.wires, victims)
                self.liars.append(liar)
        self.names = [one.peer_id for one in (*self.whole, *self.liars)]
        self.taken_down: set[bytes] = set()
        """By one honest node each."""
        self.problems: list[str] = []

    @property
    def whole(self) -> list[SimNode]:
        """Nodes that run the code of production, whatever their clocks say."""
        return [*self.honest, *self.backdating]

    @property
    def publishers(self) -> list[SimNode]:
        return self.whole

    def is_spare(self, node: SimNode) -> bool:
        """Whether the other honest nodes are connected without it."""
        others = {one.number for one in self.honest if one is not node}
        reached, fresh = set(), [min(others)]
        while fresh:
            number = fresh.pop()
            reached.add(number)
            near = {b for a, b in self._lines if a == number}
            near |= {a for a, b in self._lines if b == number}
            fresh += sorted((near & others) - reached)
        return reached == others

    def _some_honest(self, most: int) -> list[int]:
        count = len(self.honest)
        return self.dice.sample(range(1, count + 1), min(most, count))

    def _node(self, number: int, folder: Path) -> SimNode:
        """It names one to three honest nodes that were there before it, and sometimes
        one that may be a liar."""
        dice, plan = self.dice, self.plan
        earlier = range(
            1, min(number, plan.nodes - math.floor(plan.nodes * plan.malicious) + 1)
        )
        peers = dice.sample(earlier, min(len(earlier), dice.choice([1, 2, 2, 3])))
        if dice.random() < 0.3:
            peers.append(dice.randint(len(earlier) + 1, plan.nodes))
        peers = [one for one in dict.fromkeys(peers) if one != number]
        self._lines += [(number, peer) for peer in peers]
        node = SimNode(number, folder, plan.seed, peers)
        node.skew = dice.choice(
            [0, 0, dice.uniform(-120, 120), dice.uniform(-900, 900)]
        )
        return node

    # The run

    async def run(self, outcome: Outcome) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.wires.run)
            for node in self.whole:
                node.is_wanted = False
                nursery.start_soon(node.live)
            for liar in self.liars:
                nursery.start_soon(liar.live)
            nursery.start_soon(self._watch)
            await self._have_bad_times()
            outcome.settled = await self._heal()
            self.problems += invariants.at_the_end(self)
            outcome.strings = self.honest[0].view.set_count
            outcome.alarms = sum(
                len(one.node._alarms.all) for one in self.honest if one.node
            )
            for node in self.whole:
                node.stop()
            await trio.sleep(STOP_SECONDS)
            self.problems += invariants.after_the_end(self)
            outcome.virtual = trio.current_time()
            nursery.cancel_scope.cancel()

    async def _watch(self) -> None:
        while True:
            await trio.sleep(LOOK_SECONDS)
            if len(self.problems) < MAX_PROBLEMS:
                self.problems += invariants.while_running(self)

    async def _have_bad_times(self) -> None:
        with trio.move_on_after(self.plan.seconds):
            async with trio.open_nursery() as nursery:
                for node in self.whole:
                    # Most are there from the beginning; the others join later.
                    late = self.dice.random() < 0.25
                    after = self.dice.uniform(0, self.plan.seconds / 2) if late else 0
                    nursery.start_soon(self._start, node, after)
                nursery.start_soon(publish, self)
                if self.plan.faults:
                    nursery.start_soon(Faults(self).run)

    async def _start(self, node: SimNode, after: float) -> None:
        await trio.sleep(after)
        node.start()

    async def _heal(self) -> float | None:
        """Seconds until the honest agreed for good; None if they did not."""
        self.wires.mend()
        self.wires.weather.loss, self.wires.weather.latency = 0.05, 0.03
        for liar in self.liars:
            liar.is_quiet = True
        for node in self.whole:
            node.disk.fails = None
            node.start()
        healed = trio.current_time()
        with trio.move_on_after(self.plan.settle):
            while True:
                while not self._agree():  # noqa: ASYNC110  # nodes know no tests
                    await trio.sleep(1)
                settled = trio.current_time() - healed
                size = self.honest[0].view.set_count
                await trio.sleep(QUIET_SECONDS)
                # A liar that was only now followed again may have had something.
                if self._agree() and self.honest[0].view.set_count == size:
                    return settled
        return None

    def _agree(self) -> bool:
        if not all(node.is_up for node in self.honest):
            return False
        roots = {node.view.set_root for node in self.honest}
        held = all(not node.ledger.read_only for node in self.honest if node.ledger)
        return len(roots) == 1 and held


def simulate(
    plan: Plan, mutant: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Outcome:
    """Runs a plan; `mutant()` is entered around it."""
    surroundings, outcome = Surroundings(plan.seed), Outcome(plan)
    started = time.perf_counter()
    noted.clear()
    has_mirrors = plan.seed % 5 == 0 if plan.mirrors is None else plan.mirrors
    with (
        tempfile.TemporaryDirectory(prefix="byline-sim-") as folder,
        surroundings.in_place(),
        patch.object(mirrors, "MAX_MIRRORS", 16 if has_mirrors else 0),
        knobs.turned(plan.seed) as outcome.knobs,
        mutant(),
    ):
        world = Simulation(plan, surroundings, Path(folder))
        try:
            trio.run(world.run, outcome, clock=MockClock(autojump_threshold=0))
        except Exception as error:  # noqa: BLE001  # it must not stop other seeds
            world.problems.append(f"crashed: {describe(error)}")
        outcome.problems = world.problems[:MAX_PROBLEMS]
        outcome.starts = sum(node.starts for node in world.whole)
    outcome.trace, outcome.events = (
        surroundings.wires.trace.digest,
        surroundings.wires.trace.events,
    )
    outcome.wall = time.perf_counter() - started
    if outcome.problems:
        outcome.last = [*surroundings.wires.trace.last, *surroundings.log]
    return outcome


def describe(error: BaseException) -> str:
    """The first error of a group, with where it came from."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    at = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else "?"
    return f"{type(error).__name__}: {error} at {at}"
