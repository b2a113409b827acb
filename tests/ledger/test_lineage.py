"""The chain around a work as a graph, whatever strangers declare."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import cast

from byline_ledger.answer import Answer, Claim, Derived, Work
from byline_ledger.digest import multihash
from byline_ledger.lineage import Lineage, lineage_of
from byline_ledger.statement import Source


def work(number: int) -> bytes:
    return multihash(number.to_bytes(32, "big"))


def a_claim(sources: Sequence[int], status: str = "effective") -> Claim:
    found = tuple(Source(work(one), "parentOf", {}) for one in sources)
    return Claim(
        id=bytes(32),
        index=1,
        type="work",
        author=bytes(32),
        time=0,
        status=status,
        withdrawal=None,
        made="human",
        source_type=None,
        title=None,
        license=None,
        uses={},
        constraints={},
        tools=(),
        sources=found,
        media_type=None,
        size=None,
        endorsements=(),
        disputes=(),
        others=(),
        remarks_total=0,
        problems=(),
        fields={},
    )


def answer(
    said: Mapping[int, Sequence[Claim]], derived: Sequence[Derived] = ()
) -> Answer:
    works = [
        Work(work(one), 0, tuple(claims), (), len(claims), derived=tuple(derived))
        for one, claims in said.items()
    ]
    return cast("Answer", SimpleNamespace(asked=work(0), works=works))


def made_of_it(number: int, status: str = "effective") -> Derived:
    return Derived(
        digest=work(number),
        id=bytes(32),
        index=1,
        type="work",
        author=bytes(32),
        signed_for=bytes([7]) * 32,
        time=0,
        existed_by=None,
        status=status,
        relationship="inputTo",
        made="generated",
        title="T",
    )


def of(edges: Mapping[int, Sequence[int]], **bounds: int) -> Lineage:
    """The lineage of work 0, by one claim for each work."""
    said = {one: [a_claim(sources)] for one, sources in edges.items()}
    return lineage_of(answer(said), **bounds)


def layers(found: Lineage) -> dict[int, int]:
    return {int.from_bytes(one.digest[2:], "big"): one.layer for one in found.nodes}


def test_each_source_is_right_above_what_was_made_of_it() -> None:
    found = of({0: [1, 2], 1: [3], 2: [], 3: []})
    assert layers(found) == {0: 2, 1: 1, 2: 1, 3: 0}
    assert [one.digest for one in found.nodes] == list(map(work, (0, 1, 2, 3)))
    assert not any(one.loops for one in found.edges)


def test_works_made_of_it_stand_below() -> None:
    assert layers(of({0: [1], 1: [], 4: [0], 5: [0, 1]})) == {0: 1, 1: 0, 4: 2, 5: 2}


def test_works_that_say_they_were_made_of_it() -> None:
    derived = [made_of_it(8), made_of_it(8), made_of_it(9, "withdrawn")]
    found = lineage_of(answer({0: [a_claim([1])]}, derived))
    assert layers(found) == {0: 1, 1: 0, 8: 2}
    below = found.nodes[2]
    assert not below.followed
    assert [(one.author, one.made, one.title) for one in below.claims] == [
        (bytes([7]) * 32, "generated", "T")
    ] * 2
    assert found.edges[-1].relationship == "inputTo"


def test_a_work_alone() -> None:
    found = of({0: []})
    assert (layers(found), found.edges, found.left_out) == ({0: 0}, (), 0)


def test_what_is_not_connected_is_no_part_of_it() -> None:
    assert layers(of({0: [1], 7: [8]})) == {0: 1, 1: 0}


def test_a_source_that_nobody_looked_up() -> None:
    node = of({0: [1]}).nodes[1]
    assert (node.claims, node.followed) == ((), False)


def test_a_loop_is_marked_and_not_followed() -> None:
    found = of({0: [1], 1: [2], 2: [0, 2]})
    looping = {(one.source, one.work) for one in found.edges if one.loops}
    assert looping == {(work(0), work(2)), (work(2), work(2))}
    assert layers(found) == {0: 2, 1: 1, 2: 0}


def test_withdrawn_claims_say_nothing_and_equal_ones_say_it_once() -> None:
    said = {0: [a_claim([1]), a_claim([1]), a_claim([2], "withdrawn")]}
    found = lineage_of(answer(said))
    assert [one.source for one in found.edges] == [work(1)]
    assert (len(found.nodes[0].claims), found.nodes[0].withdrawn) == (2, 1)


def test_a_chain_of_ten_thousand_is_bounded_and_quick() -> None:
    chain = {one: [one + 1] for one in range(10_000)}
    before = time.process_time()
    found = of(chain)
    assert time.process_time() - before < 5
    assert (len(found.nodes), found.left_out) == (4_096, 10_001 - 4_096)
    assert layers(found)[0] == 4_095


def test_the_nearest_are_kept_and_all_hangs_together() -> None:
    wide = {0: list(range(1, 40)), **{one: [99] for one in range(1, 40)}}
    found = of(wide, most=20, most_edges=5)
    assert len(found.nodes) == 20
    assert {one.work for one in found.edges} == {work(0)}
    assert (len(found.edges), found.left_out) == (19, 21)


def test_any_graph_has_layers_without_holes_in_order() -> None:
    import random

    for seed in range(200):
        dice = random.Random(seed)
        size = dice.randrange(1, 12)
        edges = {
            one: [dice.randrange(size) for _ in range(dice.randrange(4))]
            for one in range(size)
        }
        found = of(edges, most=dice.randrange(1, 12), most_edges=9)
        layer = {one.digest: one.layer for one in found.nodes}
        for edge in found.edges:
            assert edge.loops or layer[edge.source] < layer[edge.work]
        used = sorted(set(layer.values()))
        assert used[0] == 0
        assert all(b - a == 1 for a, b in pairwise(used))
