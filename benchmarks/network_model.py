"""How fast a statement reaches 10,000 nodes, and what that costs: a model, in numbers.

    make bench-network       or: python -m benchmarks.network_model [--nodes N]

No statement, no log and no libp2p: only who is connected to whom, how long a line is,
what gossip loses, and when a follower asks next.  tests/sim runs the real code, on
hundreds of nodes; this tells what happens where those are too few.  Curves go to
build/network-*.svg.
"""

from __future__ import annotations

import argparse
import heapq
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.svg import Curve, chart
from byline_node.checkpoint_watch import MAX_TELL, OTHERS, TELL_EACH, TELL_SECONDS
from byline_node.following import ROUND_SECONDS
from byline_node.gossip import COALESCE_SECONDS

LATENCY = 0.04
"""Seconds one way on a line of middling length; lengths are log-normal."""
SPREAD = 0.7
COMMIT = 0.02
"""Until a statement that came is in the log, where followers see it."""
STATEMENT = 400
OVERHEAD = 420
"""Bytes of a gossip message around its batch: signature, sender, signed record."""
POLL = 31
CHECKPOINT = 580
MESSAGE_MS = 3.7
"""CPU of one gossip message at one node, measured (benchmarks/README.md)."""
REPEATS = 5

DEGREES = (4, 6, 8, 12, 16)
LOSSES = (0.0, 0.05, 0.3, 0.6, 0.9, 1.0)


@dataclass(slots=True)
class Graph:
    """Who is connected to whom, and how long each line is."""

    neighbours: list[list[tuple[int, float]]]

    @classmethod
    def random(cls, nodes: int, degree: int, dice: random.Random) -> Graph:
        """Each node dials half as many as it has; a ring keeps it in one piece."""
        pairs = {(n, (n + 1) % nodes) for n in range(nodes)}
        while len(pairs) < nodes * degree // 2:
            one, other = dice.randrange(nodes), dice.randrange(nodes)
            if one != other and (other, one) not in pairs:
                pairs.add((one, other))
        found: list[list[tuple[int, float]]] = [[] for _ in range(nodes)]
        for one, other in sorted(pairs):
            latency = LATENCY * dice.lognormvariate(0, SPREAD)
            found[one].append((other, latency))
            found[other].append((one, latency))
        return cls(found)


@dataclass(slots=True)
class Spread:
    """How one statement spread."""

    times: list[float]
    """When each node had it; sorted."""
    copies: int = 0
    """Gossip messages that arrived."""
    followed: int = 0
    """Nodes that learned it by following."""

    def until(self, share: float) -> float:
        return self.times[min(len(self.times), int(share * len(self.times)) + 1) - 1]


@dataclass(slots=True)
class _Run:
    """The events of one statement: time, number, by gossip or not, who tells whom."""

    graph: Graph
    loss: float
    dice: random.Random
    heap: list[tuple[float, int, bool, int, int]] = field(default_factory=list)
    events: int = 0

    def put(self, at: float, by_gossip: bool, teller: int, hearer: int) -> None:
        self.events += 1
        heapq.heappush(self.heap, (at, self.events, by_gossip, teller, hearer))

    def tell(self, now: float, teller: int, but: int) -> None:
        """Gossip passes on at once, whatever the log does."""
        for hearer, latency in self.graph.neighbours[teller]:
            if hearer != but and self.dice.random() >= self.loss:
                jitter = latency * (1 + self.dice.random() / 2)
                self.put(now + jitter, True, teller, hearer)

    def be_asked(self, now: float, asked: int) -> None:
        """Each follower asks within two seconds, and then for the statement."""
        for follower, latency in self.graph.neighbours[asked]:
            wait = ROUND_SECONDS * self.dice.uniform(0, 1.25)
            self.put(now + COMMIT + wait + 4 * latency, False, asked, follower)


def spread(graph: Graph, loss: float, dice: random.Random) -> Spread:
    """One statement, from a node drawn at random."""
    run, heard = _Run(graph, loss, dice), {}
    told: set[int] = set()
    result = Spread([])
    start = dice.randrange(len(graph.neighbours))
    heard[start] = 0.0
    told.add(start)
    run.tell(COALESCE_SECONDS, start, but=-1)
    run.be_asked(0.0, start)
    while run.heap:
        now, _, by_gossip, teller, hearer = heapq.heappop(run.heap)
        result.copies += by_gossip
        is_new = hearer not in heard
        if by_gossip and hearer not in told:
            # Also what is known already is passed on, once: the mesh does not look.
            told.add(hearer)
            run.tell(now, hearer, but=teller)
        if is_new:
            heard[hearer] = now
            result.followed += not by_gossip
            run.be_asked(now, hearer)
    result.times = sorted(heard.values())
    return result


def measure(nodes: int, degree: int, loss: float, seed: int) -> list[Spread]:
    dice = random.Random(f"{seed}/{nodes}/{degree}/{loss}")
    graph = Graph.random(nodes, degree, dice)
    return [spread(graph, loss, dice) for _ in range(REPEATS)]


def middle(found: Sequence[Spread], share: float) -> float:
    return statistics.median(one.until(share) for one in found)


def row(nodes: int, degree: int, loss: float, found: Sequence[Spread]) -> str:
    copies = statistics.mean(one.copies for one in found) / nodes
    followed = statistics.mean(one.followed for one in found) / nodes
    traffic = copies * (STATEMENT + OVERHEAD) + followed * STATEMENT
    return (
        f"{degree:>6}  {loss:>4.0%}  {middle(found, 0.5):>6.2f}  "
        f"{middle(found, 0.99):>6.2f}  {middle(found, 1):>6.2f}  "
        f"{copies:>6.2f}  {followed:>7.1%}  {traffic:>7,.0f}"
    )


def idle(degree: int) -> str:
    """What a node receives while nothing happens, in payload."""
    return f"{degree * POLL / ROUND_SECONDS:,.0f}"


def checkpoints(nodes: int, degree: int) -> tuple[float, float, float]:
    """Where all logs grow: messages a second, MB a second and cores of one node."""
    pause = min(max(TELL_EACH * nodes, TELL_SECONDS), MAX_TELL)
    new = nodes / pause + nodes / (OTHERS * pause)
    received = new * (degree - 1)  # each comes from almost every neighbour
    return new, received * (CHECKPOINT + OVERHEAD) / 1e6, new * MESSAGE_MS / 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("build"))
    args = parser.parse_args()
    started = time.perf_counter()
    print(f"{args.nodes:,} nodes; the median of {REPEATS} statements\n")
    print("degree  loss     50%     99%    100%  copies  followed  bytes/node")
    by_degree = [(d, p) for d in DEGREES for p in (0.0, 0.3, 0.9)]
    others = [(8, p) for p in LOSSES]
    found = {}
    for degree, loss in dict.fromkeys([*by_degree, *others]):
        found[degree, loss] = measure(args.nodes, degree, loss, args.seed)
        print(row(args.nodes, degree, loss, found[degree, loss]), flush=True)
    print("\nidle    " + ", ".join(f"degree {d}: {idle(d)} B/s" for d in DEGREES))
    print("\ncheckpoints, where all logs grow, degree 8:")
    for nodes in (100, 300, 1_000, 3_000, args.nodes):
        new, rate, cores = checkpoints(nodes, 8)
        print(
            f"{nodes:>8,} nodes  {new:>7,.1f} a second  {rate:>6.2f} MB/s"
            f"  {cores:>5.2f} cores of libp2p"
        )
    draw(found, args.out)
    print(f"\n{args.out}/network-*.svg, {time.perf_counter() - started:.0f} s")


def draw(found: dict[tuple[int, float], list[Spread]], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    curves = []
    for loss in LOSSES:
        times = found[8, loss][0].times
        step = max(1, len(times) // 200)
        points = [(at, (n + 1) / len(times)) for n, at in enumerate(times)][::step]
        label = "follow alone" if loss == 1 else f"{loss:.0%} lost"
        curves.append(Curve(label, [(0, 0), *points, (times[-1], 1)]))
    title = "Share of nodes that have a statement (degree 8)"
    text = chart(title, "seconds", "share", curves)
    (out / "network-spread.svg").write_text(text, "utf-8")
    curves = [
        Curve(f"{loss:.0%} lost", [(d, middle(found[d, loss], 0.99)) for d in DEGREES])
        for loss in (0.0, 0.3, 0.9)
    ]
    title = "Seconds until 99 % of the nodes have a statement"
    text = chart(title, "connections of a node", "seconds", curves)
    (out / "network-degree.svg").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
