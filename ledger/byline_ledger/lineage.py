"""The chain around a work as a graph: from what it was made, and what of it.

Built of an answer (docs/spec/bundle.md): works are nodes, declared sources are edges
from the source to the work.  Everything in it is a claim.  Without recursion and within
bounds, whatever strangers declare: a loop is an edge that is marked and never followed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from byline_ledger.answer import Answer, Claim, Derived, Work

MAX_NODES = 4_096
MAX_EDGES = 16_384
"""Of a lineage; what is beyond is counted as left out."""


@dataclass(frozen=True, slots=True)
class Said:
    """As much of a claim as is drawn; `author` is the key that it counts for."""

    id: bytes
    author: bytes
    made: str
    title: str | None
    status: str
    disputed: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A work of the lineage; `claims` are those that are not withdrawn, in the order
    of the answer.  Not `followed`: nobody looked up all that is said about it."""

    digest: bytes
    """34-byte multihash."""
    layer: int
    """From the top; each source is above what was made of it, but in loops."""
    claims: tuple[Said, ...]
    withdrawn: int
    followed: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A source and the work that a claim says was made of it."""

    source: bytes
    work: bytes
    relationship: str
    loops: bool = False
    """Whether it leads back to where the chain came from."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The chain around `asked`: nodes nearest first, edges between them."""

    asked: bytes
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int
    """Works that are known and beyond the bounds."""


def lineage_of(
    answer: Answer, *, most: int = MAX_NODES, most_edges: int = MAX_EDGES
) -> Lineage:
    """The lineage in an answer, of at most so many works and edges."""
    works = {work.digest: work for work in answer.works}
    below: dict[bytes, list[Derived]] = {}
    for one in standing(d for work in answer.works for d in work.derived):
        below.setdefault(one.digest, []).append(one)
    edges = list(dict.fromkeys(_declared(answer.works)))
    order = _nearest(answer.asked, edges)
    kept = list(order)[:most]
    # Those by which a work was found come first, so that all hangs together.
    near = [order[one] for one in kept[1:]]
    ends = set(kept)
    more = (i for i, e in enumerate(edges) if e.source in ends and e.work in ends)
    chosen = list(dict.fromkeys([*near, *more]))[: max(most_edges, len(near))]
    inside = _marked(kept, [edges[i] for i in sorted(chosen)])
    layers = _layers(kept, [one for one in inside if not one.loops])
    nodes = tuple(
        _node(one, layers[one], works.get(one), below.get(one, ())) for one in kept
    )
    return Lineage(answer.asked, nodes, tuple(inside), len(order) - len(kept))


S = TypeVar("S", Claim, Derived)


def standing(claims: Iterable[S]) -> tuple[S, ...]:
    """Claims that stand, or may stand."""
    return tuple(one for one in claims if one.status not in ("withdrawn", "late"))


def _declared(works: Iterable[Work]) -> Iterable[Edge]:
    """Each source of each standing claim, and each work made of these."""
    for work in works:
        for claim in standing(work.claims):
            for source in claim.sources:
                yield Edge(source.digest, work.digest, source.relationship)
        for one in sorted(standing(work.derived), key=lambda one: one.index):
            yield Edge(work.digest, one.digest, one.relationship)


def _nearest(asked: bytes, edges: Iterable[Edge]) -> dict[bytes, int]:
    """All works, by the number of steps from the one asked for, and the edge by which
    each was found (of the first: -1)."""
    beside: dict[bytes, list[tuple[bytes, int]]] = {asked: []}
    for i, one in enumerate(edges):
        beside.setdefault(one.work, []).append((one.source, i))
        beside.setdefault(one.source, []).append((one.work, i))
    order = {asked: -1}
    waiting = deque([asked])
    while waiting:
        for other, i in beside[waiting.popleft()]:
            if other not in order:
                order[other] = i
                waiting.append(other)
    return order


def _marked(nodes: Iterable[bytes], edges: Sequence[Edge]) -> list[Edge]:
    """The edges, those marked that close a loop: a walk up the sources, in order."""
    up: dict[bytes, list[int]] = {one: [] for one in nodes}
    for i, edge in enumerate(edges):
        up[edge.work].append(i)
    loops: set[int] = set()
    done: set[bytes] = set()
    for start in up:
        path, open_ = [(start, iter(up[start]))], {start}
        if start in done:
            continue
        while path:
            work, left = path[-1]
            for i in left:
                source = edges[i].source
                if source in open_:
                    loops.add(i)
                elif source not in done:
                    path.append((source, iter(up[source])))
                    open_.add(source)
                    break
            else:
                path.pop()
                open_.discard(work)
                done.add(work)
    return [
        Edge(one.source, one.work, one.relationship, i in loops)
        for i, one in enumerate(edges)
    ]


def _layers(nodes: Iterable[bytes], edges: Sequence[Edge]) -> Mapping[bytes, int]:
    """Each source as low as it can be, strictly above what was made of it."""
    above: dict[bytes, list[bytes]] = {one: [] for one in nodes}
    waits = dict.fromkeys(above, 0)
    for edge in edges:
        above[edge.work].append(edge.source)
        waits[edge.source] += 1
    height = dict.fromkeys(above, 0)
    ready = deque(one for one in above if not waits[one])
    while ready:
        work = ready.popleft()
        for source in above[work]:
            height[source] = max(height[source], height[work] + 1)
            waits[source] -= 1
            if not waits[source]:
                ready.append(source)
    top = max(height.values())
    return {one: top - steps for one, steps in height.items()}


def _node(
    digest: bytes, layer: int, work: Work | None, derived: Sequence[Derived]
) -> Node:
    if work is None:
        # Known only by naming one of the others as its source.
        return Node(digest, layer, tuple(map(_said, derived)), 0, followed=False)
    claims = standing(work.claims)
    gone = len(work.claims) - len(claims)
    said = tuple(map(_said, claims))
    return Node(digest, layer, said, gone, followed=work.total is not None)


def _said(one: Claim | Derived) -> Said:
    disputed = isinstance(one, Claim) and one.disputed
    author = one.signed_for or one.author
    return Said(one.id, author, one.made, one.title, one.status, disputed)
