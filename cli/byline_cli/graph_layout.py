"""Where the works of a drawn chain stand.  The only file that imports igraph."""

from __future__ import annotations

from collections.abc import Sequence

from byline_ledger.errors import UsageError

ROUNDS = 60
"""Of trying to have fewer lines cross."""

Point = tuple[float, float]
Pair = tuple[int, int]


def layered(
    layers: Sequence[int], edges: Sequence[Pair]
) -> tuple[list[Point], dict[Pair, list[Point]]]:
    """Column and layer of each node, and where an edge that passes layers crosses them.

    Every edge leads from a layer to a later one, no layer is empty, and the graph hangs
    together: of others the library has been seen to crash.
    """
    pairs = sorted(set(edges))
    assert all(layers[upper] < layers[lower] for upper, lower in pairs)
    assert set(layers) == set(range(max(layers) + 1))
    assert is_connected(len(layers), pairs)
    try:
        import igraph
    except ImportError:
        raise UsageError(
            "drawing a chain needs the package igraph",
            hint="pip install 'byline-ledger[graph]'",
        ) from None
    graph = igraph.Graph(n=len(layers), edges=pairs, directed=True)
    found = graph.layout_sugiyama(layers=list(layers), maxiter=ROUNDS)
    places = [(float(x), float(y)) for x, y in found.coords]
    routes = zip(pairs, found.edge_routing, strict=True)
    return places, {
        pair: [(float(x), float(y)) for x, y in way] for pair, way in routes
    }


def is_connected(size: int, pairs: Sequence[Pair]) -> bool:
    """Whether one comes from each node to every other, whatever the direction."""
    beside: list[list[int]] = [[] for _ in range(size)]
    for upper, lower in pairs:
        beside[upper].append(lower)
        beside[lower].append(upper)
    seen, waiting = {0}, [0]
    while waiting:
        new = set(beside[waiting.pop()]) - seen
        seen |= new
        waiting += new
    return len(seen) == size
