"""Comparing two lookup sets: all that is missing is found, and no lie is believed."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.following import Twist, follow
from tests.support.memory_log import MemoryLog
from tests.support.signed import forged, key, work

from byline_ledger import follower, reconcile
from byline_ledger.cursor import MAX_GAPS
from byline_ledger.entry import commitment_entry
from byline_ledger.errors import (
    BadSignatureError,
    MalformedError,
    NotFoundError,
    ProofError,
    VerificationError,
)
from byline_ledger.follow_messages import (
    AskEntries,
    AskStatements,
    Envelopes,
    Refusal,
    Request,
    Response,
    Same,
)
from byline_ledger.follower import Follower
from byline_ledger.lookup_set import Inner, LookupSet, inner_hash
from byline_ledger.set_messages import (
    MAX_DIGESTS,
    AskLeaves,
    AskNodes,
    SetLeaves,
    SetNodes,
    digest_of,
)
from byline_ledger.set_nodes import PLAIN
from byline_ledger.statement import Statement

EVERYTHING = [work(f"one of many {i}", key(i % 3 + 1)) for i in range(700)]


@pytest.fixture(autouse=True)
def descend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also into sets for which it is not worth it."""
    monkeypatch.setattr(follower, "WORTH_A_DESCENT", 1)
    monkeypatch.setattr(follower, "CLOSE", 4)
    monkeypatch.setattr(follower, "BYTES_AN_ENTRY", 10_000)


def sides(
    mine: list[Statement], theirs: list[Statement]
) -> tuple[MemoryLog, MemoryLog, Follower]:
    ours, other = MemoryLog(1), MemoryLog(2)
    ours.append(mine)
    other.append(theirs)
    return ours, other, Follower(lambda: ours)


def has_all(ours: MemoryLog, theirs: MemoryLog) -> bool:
    return all(ours.index_of(one) is not None for one in theirs.bodies)


@given(
    st.integers(0, 2**32),
    st.sampled_from([0, 1, 3, 17, 100]),
    st.sampled_from([0, 1, 40]),
    st.sampled_from([2, 8_192]),
)
@settings(max_examples=40, deadline=None)
def test_all_that_is_missing_is_found(
    seed: int, missing: int, surplus: int, opened: int
) -> None:
    """Whatever we have and they lack, and whatever they have and we lack."""
    dice = random.Random(seed)
    everything = dice.sample(EVERYTHING, 500)
    mine = everything[missing:]
    theirs = everything[: len(everything) - surplus]
    ours, other, one = sides(mine, dice.sample(theirs, len(theirs)))
    before = reconcile.MAX_OPENED
    reconcile.MAX_OPENED = opened
    try:
        asked = follow(one, ours, other)
        asked += follow(one, ours, other)
    finally:
        reconcile.MAX_OPENED = before
    assert not any(isinstance(request, AskEntries) for request in asked)
    assert has_all(ours, other)
    assert one.cursor is not None
    assert (one.cursor.size, one.cursor.count) == (other.size, other.set_count)


def test_it_goes_on_where_a_page_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers may be shorter than asked, at least one place each."""
    monkeypatch.setattr("byline_ledger.follow_server.PAGE_BYTES", 1)
    ours, other, one = sides(EVERYTHING[40:], EVERYTHING)
    follow(one, ours, other)
    assert ours.set_root == other.set_root


def test_requests_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "MAX_NODES", 2)
    monkeypatch.setattr(reconcile, "MAX_IDS", 3)
    ours, other, one = sides(EVERYTHING[40:], EVERYTHING)
    asked = follow(one, ours, other)
    assert ours.set_root == other.set_root
    assert max(len(a.places) for a in asked if isinstance(a, AskNodes)) <= 2
    assert max(len(a.places) for a in asked if isinstance(a, AskLeaves)) <= 2
    assert max(len(a.ids) for a in asked if isinstance(a, AskStatements)) <= 3


def test_leaves_of_which_we_have_much_are_asked_for_in_more_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconcile, "MAX_LEAVES_REQUEST", 700)
    ours, other, one = sides(EVERYTHING[40:], EVERYTHING)
    asked = follow(one, ours, other)
    assert ours.set_root == other.set_root
    sizes = [len(a.to_bytes()) for a in asked if isinstance(a, AskLeaves)]
    assert len(sizes) > 5
    assert max(sizes) < 800


def test_a_set_that_costs_too_much_to_compare_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was found so far is kept, and the log is read from its start."""
    monkeypatch.setattr(follower, "BYTES_AN_ENTRY", 1)
    ours, other, one = sides(EVERYTHING[100:], EVERYTHING)
    asked = follow(one, ours, other)
    assert any(isinstance(request, AskNodes) for request in asked)
    assert any(isinstance(request, AskEntries) for request in asked)
    assert ours.set_root == other.set_root


def test_whoever_has_little_reads() -> None:
    ours, other, one = sides(EVERYTHING[:10], EVERYTHING)
    asked = follow(one, ours, other)
    assert not any(isinstance(request, AskNodes) for request in asked)
    assert ours.set_root == other.set_root


def test_whoever_has_much_more_reads_too() -> None:
    """All of it is known, and it differs at all places: a new node is read so."""
    ours, other, one = sides(EVERYTHING, EVERYTHING[:400])
    asked = follow(one, ours, other)
    assert not any(isinstance(request, AskNodes) for request in asked)
    assert one.cursor is not None
    assert one.cursor.size == other.size
    other.append(EVERYTHING[400:600])
    asked = follow(one, ours, other)
    assert not any(isinstance(request, AskNodes) for request in asked)


def test_a_small_set_is_one_leaf() -> None:
    ours, other, one = sides(EVERYTHING[1:8], EVERYTHING[:8])
    kinds = [type(request) for request in follow(one, ours, other)]
    assert AskLeaves in kinds
    assert AskNodes not in kinds
    assert ours.set_root == other.set_root


def test_what_gossip_brings_meanwhile_is_not_asked_for() -> None:
    ours, other, one = sides(EVERYTHING[20:], EVERYTHING)

    def meanwhile(request: Request, response: Response) -> Response:
        if isinstance(request, AskLeaves):
            ours.append(EVERYTHING[:20])
        return response

    asked = follow(one, ours, other, twist=meanwhile)
    assert not any(isinstance(request, AskStatements) for request in asked)
    assert ours.set_root == other.set_root


def test_what_gossip_brings_between_two_requests_is_no_lie(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was missing when it was looked for is known when it would be fetched."""
    monkeypatch.setattr(reconcile, "MAX_IDS", 3)
    ours, other, one = sides(EVERYTHING[20:], EVERYTHING)

    def meanwhile(request: Request, response: Response) -> Response:
        if isinstance(request, AskNodes):
            ours.append(EVERYTHING[:5])
        if isinstance(request, AskStatements):
            ours.append(EVERYTHING[:20])
        return response

    asked = follow(one, ours, other, twist=meanwhile)
    assert sum(isinstance(request, AskStatements) for request in asked) == 1
    assert ours.set_root == other.set_root


# What is not to be had


def test_what_is_withheld_is_a_gap() -> None:
    ours, other, one = sides(EVERYTHING[5:], EVERYTHING)
    del other.bodies[EVERYTHING[2].id]
    other.bodies[EVERYTHING[3].id] = b"\x93\x02\xc4\x01x\xc4\x01y"
    follow(one, ours, other)
    assert one.cursor is not None
    assert set(one.cursor.gaps) == {EVERYTHING[2].id, EVERYTHING[3].id}
    assert one.cursor.size == other.size
    assert ours.set_count == other.set_count - 4


def test_a_set_of_phantoms_is_not_followed_past_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconcile, "MAX_GAPS", 9)
    assert reconcile.MAX_GAPS < MAX_GAPS
    ours, other, one = sides(EVERYTHING[10:], EVERYTHING)
    for phantom in EVERYTHING[:10]:
        del other.bodies[phantom.id]
    with pytest.raises(NotFoundError, match="withholds more than 9"):
        follow(one, ours, other)


@pytest.mark.parametrize("kind", [AskNodes, AskLeaves])
def test_where_the_set_is_not_at_hand_any_more_the_log_is_read(kind: type) -> None:
    ours, other, one = sides(EVERYTHING[5:], EVERYTHING)
    asked: list[type] = []

    def twist(request: Request, response: Response) -> Response:
        asked.append(type(request))
        return Refusal("gone") if isinstance(request, kind) else response

    follow(one, ours, other, twist=twist)
    assert asked.count(kind) == 1
    assert AskEntries in asked
    assert one.cursor is not None
    assert one.cursor.size == other.size
    assert ours.set_root == other.set_root


# Lies


def on(kind: type, change: Callable[[Response], Response]) -> Twist:
    def twist(request: Request, response: Response) -> Response:
        return change(response) if isinstance(request, kind) else response

    return twist


def nodes(change: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]) -> Twist:
    def twist(response: Response) -> Response:
        assert isinstance(response, SetNodes)
        return SetNodes(change(response.openings))

    return on(AskNodes, twist)


def leaves(change: Callable[[SetLeaves], SetLeaves]) -> Twist:
    def twist(response: Response) -> Response:
        assert isinstance(response, SetLeaves)
        return change(response)

    return on(AskLeaves, twist)


def flip(data: bytes, at: int = -1) -> bytes:
    changed = bytearray(data or b"\0")
    changed[at] ^= 1
    return bytes(changed)


CLOSED = b"\x00" + bytes(32)


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        (nodes(lambda _: ()), MalformedError),
        (nodes(lambda shown: shown * 4097), MalformedError),
        (nodes(lambda shown: (flip(shown[0]), *shown[1:])), ProofError),
        (nodes(lambda shown: (shown[0] + b"\0", *shown[1:])), MalformedError),
        (nodes(lambda shown: (shown[0][:-1], *shown[1:])), MalformedError),
        (nodes(lambda shown: (CLOSED, *shown[1:])), ProofError),
        (nodes(lambda shown: (flip(shown[0], 1), *shown[1:])), ProofError),
        (leaves(lambda _: SetLeaves((), ())), MalformedError),
        (leaves(lambda one: replace(one, absent=(b"\xff",) * len(one.absent))),
         (MalformedError, ProofError)),
        (leaves(lambda one: replace(one, strings=(b"",) * len(one.strings))),
         ProofError),
        (leaves(lambda one: replace(one, strings=tuple(s and flip(s) for s in
                                                       one.strings))), ProofError),
        (on(AskNodes, lambda _: Same()), MalformedError),
        (on(AskLeaves, lambda _: Same()), MalformedError),
    ],
)  # fmt: skip
def test_what_is_shown_must_be_what_was_committed_to(
    lie: Twist, error: type[Exception]
) -> None:
    ours, other, one = sides(EVERYTHING[5:], EVERYTHING)
    with pytest.raises(error):
        follow(one, ours, other, twist=lie)
    assert one.cursor is not None
    assert one.cursor.size == 0
    follow(one, ours, other)
    assert ours.set_root == other.set_root


def listing(statement: Statement, *strings: bytes) -> MemoryLog:
    """A log whose set has further strings, committed to, for a statement."""
    other = MemoryLog(2)
    other.append(EVERYTHING)
    other.bodies[statement.id] = statement.to_envelope()
    other.strings = sorted([*other.strings, *strings])
    other._lookup_set = LookupSet.build(other.strings)
    other.set_root = other.lookup_set.root
    commitment = b"\x01" + len(other.strings).to_bytes(8, "big") + other.set_root
    other.add_entry(commitment)
    other.publish()
    return other


def test_strings_that_a_statement_does_not_have_are_a_lie() -> None:
    """Whether or not we have the statement."""
    unknown = work("unknown")
    for statement in (unknown, EVERYTHING[0]):
        other = listing(statement, b"k" * 32 + b"t" * 8 + statement.id)
        ours = MemoryLog(1)
        ours.append(EVERYTHING)
        with pytest.raises(VerificationError, match="under wrong keys"):
            follow(Follower(lambda ours=ours: ours), ours, other)  # type: ignore[misc]


def test_a_forged_statement_ends_the_session_and_blocks_nothing() -> None:
    ours, other, one = sides(EVERYTHING[1:], EVERYTHING)

    def forge(response: Response) -> Response:
        assert isinstance(response, Envelopes)
        return Envelopes((forged(EVERYTHING[0]).to_envelope(),))

    with pytest.raises(BadSignatureError):
        follow(one, ours, other, twist=on(AskStatements, forge))
    follow(one, ours, other)
    assert ours.set_root == other.set_root


def test_two_strings_of_one_digest_hide_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody may have made them so: that leaf is read whole."""

    def same(_string: bytes) -> bytes:
        return bytes(8)

    monkeypatch.setattr(reconcile, "digest_of", same)
    monkeypatch.setattr("byline_ledger.follow_server.digest_of", same)
    assert digest_of(b"a") != digest_of(b"b")
    ours, other, one = sides(EVERYTHING[5:], EVERYTHING)
    asked = follow(one, ours, other)
    plain = [a for a in asked if isinstance(a, AskLeaves) and not any(a.digests)]
    assert plain
    assert ours.set_root == other.set_root


def test_where_we_have_many_strings_none_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconcile, "MAX_DIGESTS", 2)
    ours, other, one = sides(EVERYTHING[5:], EVERYTHING)
    follow(one, ours, other)
    assert ours.set_root == other.set_root


def test_what_is_refused_is_found_missing_and_not_asked_for() -> None:
    """The cursor is at the end all the same."""
    ours, theirs, _ = sides(EVERYTHING[:600], EVERYTHING)
    refused = {one.id for one in EVERYTHING[650:]}
    one = Follower(lambda: ours, None, refused.__contains__)
    asked = follow(one, ours, theirs)
    ids = [i for ask in asked if isinstance(ask, AskStatements) for i in ask.ids]
    assert sorted(ids) == sorted(one.id for one in EVERYTHING[600:650])
    assert not any(isinstance(ask, AskEntries) for ask in asked)
    assert one.cursor is not None
    assert (one.cursor.size, one.cursor.gaps) == (theirs.size, ())


def test_what_is_called_a_leaf_does_not_make_us_read_half_of_our_own_set() -> None:
    """A peer may commit to one string in a half of the space where we have many."""
    ours, other, one = sides(EVERYTHING, EVERYTHING)
    biggest = [0]
    read = ours.read_strings

    def watched(low: bytes, high: bytes) -> list[bytes]:
        found = read(low, high)
        biggest[0] = max(biggest[0], len(found))
        return found

    ours.read_strings = watched  # type: ignore[method-assign]
    top = other.lookup_set.top
    assert isinstance(top, Inner)
    leaf = CLOSED[1:]
    count = other.set_count
    root = inner_hash(top.depth, top.prefix, 1, count - 1, leaf, top.right.hash)
    shown = PLAIN + b"\x01" + CLOSED + CLOSED[:1] + top.right.hash
    other.set_root = root
    other.add_entry(commitment_entry(count, root))
    other.publish()

    def twist(request: Request, response: Response) -> Response:
        if isinstance(request, AskNodes):
            return SetNodes((shown,))
        return response

    asked = follow(one, ours, other, twist=twist)
    assert any(isinstance(request, AskLeaves) for request in asked)
    assert biggest[0] <= MAX_DIGESTS


def test_an_id_has_only_so_many_strings() -> None:
    """A liar can give all strings of a set one id: what waits is counted in ids."""
    id_ = b"i" * 32
    strings = [hashlib.sha256(b"%d" % n).digest() + b"t" * 8 + id_ for n in range(300)]
    other = MemoryLog(2)
    other.append(EVERYTHING)
    other.strings = sorted([*other.strings, *strings])
    other._lookup_set = LookupSet.build(other.strings)
    other.set_root = other.lookup_set.root
    other.add_entry(commitment_entry(len(other.strings), other.set_root))
    other.publish()
    ours = MemoryLog(1)
    ours.append(EVERYTHING)
    asked: list[Request] = []

    def twist(request: Request, response: Response) -> Response:
        asked.append(request)
        return response

    with pytest.raises(VerificationError, match="under wrong keys"):
        follow(Follower(lambda: ours), ours, other, twist=twist)
    assert not any(isinstance(one, AskStatements) for one in asked)
