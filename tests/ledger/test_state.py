"""Properties of effective state that no single case shows."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.state_vectors import (
    digest,
    facts,
    id_,
    key,
    load,
    nonce,
    record,
    work,
)

from byline_ledger import consent
from byline_ledger.delegation import is_in
from byline_ledger.facts import AsOf, Facts, Record
from byline_ledger.manifest_tree import InManifest
from byline_ledger.state import State
from byline_ledger.synthetic_depth import Alternative, Depth, synthetic_depths
from byline_ledger.use_word import ALLOWED, STRICTNESS

VECTORS = load()
CASES = VECTORS["cases"]
USE = VECTORS["use"]
cases = st.sampled_from(CASES)


def records(case: dict[str, Any]) -> list[Record]:
    return list(map(record, case["statements"]))


def verdicts(found: State) -> dict[tuple[str, str | None], str]:
    return {
        (name, whom): found.consents.of(work(name), USE, whom and key(whom)).verdict
        for name in ("u", "v", "w")
        for whom in (None, "z")
    }


# Facts


@given(case=cases, seed=st.integers(0, 9))
def test_the_order_in_which_statements_come_is_of_no_matter(
    case: dict[str, Any], seed: int
) -> None:
    """Only their places count, and each statement counts once."""
    found = records(case)
    again = [*found, *found]
    random.Random(seed).shuffle(again)
    one, other = State(Facts(found)), State(Facts(again))
    assert verdicts(one) == verdicts(other)
    assert [one.standings.status(r) for r in found] == [
        other.standings.status(r) for r in found
    ]


@given(case=cases)
def test_an_index_is_the_same_as_a_log_that_ends_there(case: dict[str, Any]) -> None:
    """As of index i nothing after it has any influence."""
    found = records(case)
    for index in range(max(one.index for one in found) + 1):
        cut = State(Facts([one for one in found if one.index <= index]))
        as_of = State(Facts(found, as_of=AsOf(index=index)))
        assert verdicts(cut) == verdicts(as_of)


@given(case=cases, data=st.data())
def test_doubt_never_permits(case: dict[str, Any], data: st.DataObject) -> None:
    """Whatever more is missing, nothing becomes allowed that was not."""
    abouts = {one["about"] for one in case["statements"]}
    abouts |= {f"statement {one['id']}" for one in case["statements"]}
    about = data.draw(st.sampled_from(sorted(abouts)))
    by = data.draw(st.sampled_from(["a", "b", "g", None]))
    more = {**case, "missing": [*case.get("missing", []), [about, by]]}
    before, after = verdicts(State(facts(case))), verdicts(State(facts(more)))
    allowed = {place for place, verdict in after.items() if verdict == ALLOWED}
    assert all(before[place] == ALLOWED for place in allowed)


@given(case=cases, data=st.data())
@settings(max_examples=300, deadline=None)
def test_hiding_never_permits(case: dict[str, Any], data: st.DataObject) -> None:
    """Statements that are left out, where that is seen, make nothing allowed and no
    chain complete.  Only numbers used twice go unseen (state.md, Limits)."""
    said = case["statements"]
    chosen = st.lists(st.sampled_from(said), min_size=1, max_size=3)
    hidden = data.draw(chosen)
    places = [[one["about"], by] for one in hidden for by in (one["author"], None)]
    rest = [one for one in said if one not in hidden]
    if any("count" in one for one in said) or not rest:
        return
    less = {
        **case,
        "statements": rest,
        "missing": [*case.get("missing", []), *places],
    }
    full, partial = State(facts(case)), State(facts(less))
    before, after = verdicts(full), verdicts(partial)
    allowed = {place for place, verdict in after.items() if verdict == ALLOWED}
    assert all(before[place] == ALLOWED for place in allowed)
    names = [work(name) for name in ("u", "v", "w")]
    deep, open_ = full.synthetic_depths(names), partial.synthetic_depths(names)
    for name in names:
        assert open_[name].least <= deep[name].least
        assert not open_[name].complete or open_[name] == deep[name]


@given(case=cases)
def test_nothing_shown_means_nothing_allowed(case: dict[str, Any]) -> None:
    """If everything may be missing, no claim is effective."""
    found = Facts(records(case), shown=lambda _about, _key: False)
    state = State(found)
    assert ALLOWED not in verdicts(state).values()
    claims = [one for one in records(case) if one.statement.type == "work"]
    assert not any(map(state.standings.is_effective, claims))


def test_terms_are_judged_at_the_time_asked_for_before_the_clock() -> None:
    """`now` counts only without a time."""
    assert AsOf(time=5, now=9).moment == 5
    assert AsOf(now=9).moment == 9
    assert AsOf(index=3).moment is None


def test_a_time_of_claims_is_said_to_be_one() -> None:
    """Only where nothing shown was dated by nobody."""
    said = record(CASES[0]["statements"][0])
    dated = replace(said, existed_by=1)
    assert Facts([said], as_of=AsOf(time=1)).goes_by_claims
    assert not Facts([dated], as_of=AsOf(time=1)).goes_by_claims
    assert not Facts([said]).goes_by_claims


# Keys


def test_keys_are_linked_by_the_end_of_their_succession() -> None:
    """Each hands over to the next; a stranger is linked to nobody."""
    rotations = [
        record(
            {
                "id": f"r{index}",
                "index": index,
                "type": "rotate",
                "author": old,
                "about": f"key {old}",
                "successor": new,
                "time": index,
            }
        )
        for index, (old, new) in enumerate(["ab", "bc"])
    ]
    keys = State(Facts(rotations)).keys
    assert {keys.end_of(key(name)) for name in "abc"} == {key("c")}
    assert keys.end_of(key("z")) == key("z")


# Delegation


@pytest.mark.parametrize("proof", [(), (bytes(32),), (bytes(32),) * 3])
def test_a_proof_that_does_not_fit_its_tree_proves_nothing(
    proof: tuple[bytes, ...],
) -> None:
    """Of three entries, the first has two hashes beside it."""
    said = record(CASES[0]["statements"][0]).statement
    manifest = digest("tree w v u")
    assert not is_in(InManifest(manifest, 0, 3, proof), said)


def test_names_of_the_vectors_are_told_apart() -> None:
    """A key, a statement and a nonce of one name are other bytes."""
    assert len({key("a"), id_("a"), nonce("a"), work("a")[2:]}) == 4


# Synthetic depth


def test_a_chain_of_ten_thousand_is_no_matter() -> None:
    """Each generated from the one before; the first is a photo."""
    chain = {b"%d" % n: (Alternative(1, (b"%d" % (n - 1),)),) for n in range(1, 10_001)}
    found = synthetic_depths({b"0": (Alternative(0, ()),), **chain})
    assert found[b"10000"] == Depth(10_000, 10_000)
    assert found[b"0"].complete


def test_a_ring_of_ten_thousand_is_one_gap() -> None:
    """Nobody made the first."""
    size = 10_000
    ring = {
        b"%d" % n: (Alternative(1, (b"%d" % ((n + 1) % size),)),) for n in range(size)
    }
    found = synthetic_depths(ring)
    assert set(found.values()) == {Depth(1, None)}


def test_many_ways_between_works_take_no_longer() -> None:
    """2^500 paths."""
    rows = {
        b"%d%s" % (n, side): (Alternative(n % 2, (b"%da" % (n + 1), b"%db" % (n + 1))),)
        for n in range(500)
        for side in (b"a", b"b")
    }
    last = dict.fromkeys((b"500a", b"500b"), (Alternative(0, ()),))
    assert synthetic_depths({**rows, **last})[b"0a"] == Depth(250, 250)


NODES = [b"a", b"b", b"c", b"d", b"e", b"f"]
ways = st.builds(
    Alternative,
    st.integers(0, 1),
    st.lists(st.sampled_from(NODES), max_size=3).map(tuple),
    st.booleans(),
)
graphs = st.dictionaries(
    st.sampled_from(NODES[:-1]), st.lists(ways, max_size=2).map(tuple)
)


@given(graph=graphs)
@settings(max_examples=300)
def test_the_least_is_a_lower_bound(
    graph: dict[bytes, tuple[Alternative, ...]],
) -> None:
    """Whatever an open work turns out to be; and greatest is never less than least."""
    found = synthetic_depths(graph)
    assert found.keys() == graph.keys()
    known = {one: graph.get(one, ()) for one in NODES}
    fuller = synthetic_depths({one: closed(known[one]) for one in NODES})
    for one, depth in found.items():
        assert depth.greatest is None or depth.least <= depth.greatest
        assert depth.least <= fuller[one].least
        assert not depth.complete or depth == fuller[one]


def closed(ways: tuple[Alternative, ...]) -> tuple[Alternative, ...]:
    """The same work, where nothing is left open."""
    known = tuple(replace(way, is_gap=False) for way in ways)
    return known or (Alternative(1, ()),)


def test_strictness_has_every_word_once() -> None:
    """A verdict is always found."""
    assert sorted(STRICTNESS) == ["allowed", "constrained", "notAllowed", "unknown"]


def test_the_offers_of_a_cooperative_are_read_once_for_all_who_name_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its keys may make 144, and 256 claims on a page may name it."""
    case = next(one for one in CASES if one["expect"]["members"] and rests_on(one))
    found = State(Facts(records(case)))
    found.consents.of(work("w"), USE)
    monkeypatch.setattr(consent, "offer_word", None)  # fails if called
    found.consents.of(work("w"), USE)


def rests_on(case: dict[str, Any]) -> bool:
    """Whether an offer decides in a case."""
    offers = {one["id"] for one in case["statements"] if one["type"] == "offer"}
    return any(offers & set(one["deciding"]) for one in case["expect"]["consent"])
