"""Following a log, and every lie about it that a follower must catch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.following import Twist, follow, logs
from tests.support.memory_log import MemoryLog
from tests.support.signed import forged, work

from byline_ledger import follow_server, follower
from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.cursor import MAX_GAPS
from byline_ledger.entry import (
    commitment_entry,
    entry_of,
    retirement_entry,
    statement_entry,
)
from byline_ledger.errors import (
    BadSignatureError,
    ContradictionError,
    MalformedError,
    NotFoundError,
    ProofError,
    VerificationError,
)
from byline_ledger.follow_messages import (
    AskCommitment,
    AskEntries,
    AskHead,
    AskNext,
    AskStatements,
    Entries,
    Envelopes,
    Head,
    Met,
    News,
    Refusal,
    Request,
    Response,
    Same,
)
from byline_ledger.follow_server import answer
from byline_ledger.follower import Follower
from byline_ledger.lookup_set import naive_root
from byline_ledger.merkle import EMPTY_ROOT, consistency_proof
from byline_ledger.statement import Statement


def test_reads_everything_and_ends_with_the_same_set() -> None:
    """After one session both sets are equal and the cursor is at the end."""
    mine, theirs, one = logs(3, 1, 20)
    follow(one, mine, theirs)
    assert mine.set_root == theirs.set_root
    assert one.cursor is not None
    assert one.cursor.size == theirs.size
    assert one.cursor.set_root == theirs.set_root
    assert one.cursor.count == theirs.set_count


def test_goes_on_where_it_was() -> None:
    """New entries come from the cursor on, and only unknown bodies."""
    mine, theirs, one = logs(5)
    follow(one, mine, theirs)
    before = theirs.size
    known, unknown = work("known"), work("unknown")
    mine.append([known])
    theirs.append([known, unknown])
    asked = follow(one, mine, theirs)
    assert asked == [AskNext(before), AskStatements((unknown.id,))]
    assert mine.index_of(unknown.id) is not None


def test_pages_end_where_they_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pages of entries and envelopes add up to the whole."""
    monkeypatch.setattr(follow_server, "PAGE_BYTES", 1500)
    mine, theirs, one = logs(30, 30)
    asked = follow(one, mine, theirs)
    assert len([a for a in asked if isinstance(a, AskEntries)]) > 4
    assert mine.set_root == theirs.set_root


def test_a_break_costs_no_more_than_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that breaks anywhere is resumed from its last page."""
    monkeypatch.setattr(follow_server, "PAGE_BYTES", 1500)
    mine, theirs, one = logs(40)
    for allowed in range(1, 200):
        left = iter(range(allowed % 5 + 2))

        def breaking(_: Request, response: Response, left: object = left) -> Response:
            if next(left, None) is None:  # type: ignore[call-overload]
                raise ConnectionError
            return response

        try:
            follow(one, mine, theirs, twist=breaking)
            break
        except ConnectionError:
            continue
    assert mine.set_root == theirs.set_root


def test_gossip_may_be_faster() -> None:
    """Statements that arrive by other ways during a session are not asked for."""
    mine, theirs, one = logs(10)

    def meanwhile(request: Request, response: Response) -> Response:
        if isinstance(request, AskEntries):
            bodies = list(theirs.bodies.values())[:9]
            mine.append(map(Statement.from_envelope, bodies))
        return response

    asked = follow(one, mine, theirs, twist=meanwhile)
    assert [len(a.ids) for a in asked if isinstance(a, AskStatements)] == [1]


def test_another_log_under_the_same_peer_is_read_from_its_start() -> None:
    """A new origin is a new log; nothing of the old cursor holds for it."""
    mine, theirs, one = logs(5)
    follow(one, mine, theirs)
    newer = MemoryLog(3)
    newer.append([work("new")])
    follow(one, mine, newer)
    assert one.cursor is not None
    assert one.cursor.vkey == newer.vkey
    assert one.cursor.size == newer.size


# What is not to be had


def without(*ids: bytes) -> Twist:
    def twist(request: Request, response: Response) -> Response:
        if isinstance(request, AskStatements) and isinstance(response, Envelopes):
            pairs = zip(request.ids, response.envelopes, strict=False)
            return Envelopes(tuple(b"" if i in ids else e for i, e in pairs))
        return response

    return twist


def test_what_is_withheld_becomes_a_gap_that_another_peer_fills() -> None:
    """The cursor goes on past it, and remembers it until it is there."""
    mine, theirs, one = logs(6)
    missing = list(theirs.bodies)[2]
    follow(one, mine, theirs, twist=without(missing))
    assert one.cursor is not None
    assert one.cursor.gaps == (missing,)
    assert one.cursor.size == theirs.size
    assert mine.set_root != theirs.set_root
    other = MemoryLog(4)
    other.append([work("else")])
    other.bodies[missing] = theirs.bodies[missing]
    two = Follower(lambda: mine)
    follow(two, mine, other, wanted=one.cursor.gaps)
    follow(one, mine, theirs)
    assert one.cursor.gaps == ()
    assert mine.index_of(missing) is not None


def test_what_is_refused_is_never_asked_for() -> None:
    """Nor is it a gap, nor asked for as one; the rest of the page comes."""
    mine, theirs, _ = logs()
    wanted, unwanted, withheld = work("a"), work("b"), work("c")
    theirs.append([wanted, unwanted, withheld])
    theirs.bodies[withheld.id] = b""
    refused = {unwanted.id}
    one = Follower(lambda: mine, None, refused.__contains__)
    asked = follow(one, mine, theirs)
    assert asked[-1] == AskStatements((wanted.id, withheld.id))
    assert one.cursor is not None
    assert one.cursor.gaps == (withheld.id,)
    refused.add(withheld.id)
    assert follow(one, mine, theirs, wanted=[*refused]) == [AskNext(theirs.size)]
    assert one.cursor.gaps == ()
    refused.clear()
    follow(one, mine, theirs, wanted=[unwanted.id])
    assert mine.index_of(unwanted.id) is not None


def test_a_log_is_not_read_on_where_nothing_more_can_wait() -> None:
    """What is wanted is asked for all the same, and the head is checked."""
    mine, theirs, one = logs(3)
    follow(one, mine, theirs)
    more = [work(f"more {i}") for i in range(100)]
    theirs.append(more)
    size = one.cursor.size if one.cursor else 0
    asked = follow(one, mine, theirs, wanted=[more[7].id], read_on=False)
    assert asked == [AskHead(size), AskStatements((more[7].id,))]
    assert one.cursor is not None
    assert (one.cursor.size, one.cursor.seen.size) == (size, theirs.size)
    follow(one, mine, theirs)
    assert mine.set_root == theirs.set_root


def test_a_rewound_cursor_reads_all_again_and_forgets_nothing_signed() -> None:
    mine, theirs, one = logs(3)
    follow(one, mine, theirs)
    assert one.cursor is not None
    one.cursor = one.cursor.rewound()
    assert (one.cursor.size, one.cursor.seen.size) == (0, theirs.size)
    asked = follow(one, mine, theirs)
    assert asked == [AskHead(theirs.size), AskEntries(0, theirs.size)]
    other = MemoryLog(2)
    other.append(work(f"another {i}") for i in range(4))
    one.cursor = one.cursor.rewound()
    with pytest.raises(ContradictionError):
        follow(one, mine, other)


def test_too_many_gaps_stop_the_cursor() -> None:
    """A log of phantoms is not followed past a bound."""
    mine, theirs, one = logs(MAX_GAPS + 1)
    with pytest.raises(NotFoundError, match="withholds"):
        follow(one, mine, theirs, twist=without(*theirs.bodies))
    assert one.cursor is not None
    assert one.cursor.size == 0


def test_an_envelope_of_a_later_version_is_a_gap() -> None:
    """It may be readable after an upgrade, so it is remembered, not refused."""
    mine, theirs, one = logs(1)
    envelope = b"\x93\x02\xc4\x01x\xc4\x01y"

    def twist(_: Request, response: Response) -> Response:
        return Envelopes((envelope,)) if isinstance(response, Envelopes) else response

    follow(one, mine, theirs, twist=twist)
    assert one.cursor is not None
    assert len(one.cursor.gaps) == 1


# Lies


def replace_envelope(make: Callable[[Statement], bytes]) -> Twist:
    def twist(_: Request, response: Response) -> Response:
        if isinstance(response, Envelopes):
            first = Statement.from_envelope(response.envelopes[0])
            return Envelopes((make(first), *response.envelopes[1:]))
        return response

    return twist


def test_a_forged_signature_ends_the_session_and_blocks_nothing() -> None:
    """The good statement is still admitted when it comes."""
    mine, theirs, one = logs(1)
    twist = replace_envelope(lambda s: forged(s).to_envelope())
    with pytest.raises(BadSignatureError):
        follow(one, mine, theirs, twist=twist)
    assert mine.size == 1
    follow(one, mine, theirs)
    assert mine.set_root == theirs.set_root


def test_another_statement_than_asked_is_refused() -> None:
    mine, theirs, one = logs(1)
    twist = replace_envelope(lambda _: work("other").to_envelope())
    with pytest.raises(VerificationError, match="expected statement"):
        follow(one, mine, theirs, twist=twist)


@pytest.mark.parametrize(
    ("envelopes", "error"),
    [((), MalformedError), ((b"x",), MalformedError), ((b"", b""), MalformedError)],
)
def test_envelopes_must_be_envelopes_of_what_was_asked(
    envelopes: tuple[bytes, ...], error: type[Exception]
) -> None:
    mine, theirs, one = logs(1)

    def twist(_: Request, response: Response) -> Response:
        return Envelopes(envelopes) if isinstance(response, Envelopes) else response

    with pytest.raises(error):
        follow(one, mine, theirs, twist=twist)


def twist_entries(change: Callable[[Entries], Response]) -> Twist:
    def twist(_: Request, response: Response) -> Response:
        return change(response) if isinstance(response, Entries) else response

    return twist


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda page: Entries((), page.proof), MalformedError),
        (lambda page: Entries((*page.entries, b"x"), page.proof), MalformedError),
        (lambda page: Entries(page.entries[1:], page.proof), ProofError),
        (lambda page: Entries(page.entries[::-1], page.proof), ProofError),
        (lambda page: Entries(page.entries, (b"x" * 32,)), ProofError),
        (lambda page: Entries(page.entries[:2], ()), ProofError),
        (lambda _: Same(), MalformedError),
        (lambda _: Refusal("no \x1b[31m"), NotFoundError),
    ],
)
def test_entries_must_hash_to_the_checkpoint(
    change: Callable[[Entries], Response], error: type[Exception]
) -> None:
    mine, theirs, one = logs(4)
    with pytest.raises(error) as caught:
        follow(one, mine, theirs, twist=twist_entries(change))
    assert "\x1b" not in str(caught.value)
    assert mine.size == 1
    assert one.cursor is not None
    assert one.cursor.size == 0


def signed_log(*entries: bytes) -> MemoryLog:
    """A log that signs whatever entries it is given."""
    log = MemoryLog(2)
    log.set_root = b"r" * 32
    for entry in entries:
        log.add_entry(entry)
    log.publish()
    return log


def commitment(*statements: Statement, more: int = 0) -> bytes:
    strings = {s for one in statements for s in entry_of(one).lookup_strings()}
    return commitment_entry(len(strings) + more, b"r" * 32)


ONE = work("one")


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ((statement_entry(ONE),), "expected a commitment"),
        ((statement_entry(ONE), commitment(ONE, more=1)), "commits to 3"),
        (
            (statement_entry(ONE), statement_entry(ONE), commitment(ONE)),
            "twice",
        ),
        (
            (replace(entry_of(ONE), tag=b"t" * 8).to_bytes(), commitment(ONE)),
            "under wrong keys",
        ),
        ((b"\x07", commitment()), "kind 0, 1 or 2"),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_a_log_that_signs_wrong_entries_is_caught(
    entries: tuple[bytes, ...], reason: str, *, known: bool
) -> None:
    """Whether or not the statement is already here."""
    mine, theirs = MemoryLog(1), signed_log(*entries)
    theirs.bodies[ONE.id] = ONE.to_envelope()
    if known:
        mine.append([ONE])
    with pytest.raises((VerificationError, MalformedError), match=reason):
        follow(Follower(lambda: mine), mine, theirs)


def test_a_log_that_goes_back_is_not_followed() -> None:
    mine, theirs, one = logs(5)
    older = theirs.checkpoint
    theirs.append([work("more")])
    follow(one, mine, theirs)

    def twist(_: Request, response: Response) -> Response:
        return News(older, (), ()) if isinstance(response, Same) else response

    with pytest.raises(VerificationError, match="went back"):
        follow(one, mine, theirs, twist=twist)


def test_a_log_with_two_histories_contradicts_itself() -> None:
    """The same size with another root, and a longer one that does not extend it."""
    mine, theirs, one = logs(1)
    follow(one, mine, theirs)
    other = MemoryLog(2)
    other.append([work("another past")])
    assert other.size == theirs.size

    def twist(request: Request, _: Response) -> Response:
        if isinstance(request, AskNext):
            return News(other.checkpoint, (), ())
        return Head(other.checkpoint, other.vkey, ())

    with pytest.raises(ContradictionError) as same_size:
        follow(one, mine, theirs, twist=twist)
    assert same_size.value.vkey == theirs.vkey
    assert same_size.value.notes == (theirs.checkpoint, other.checkpoint)
    other.append([work("and on")])
    with pytest.raises(ContradictionError) as longer:
        follow(one, mine, other)
    assert longer.value.notes == (theirs.checkpoint, other.checkpoint)
    proof = consistency_proof(theirs.size, other.size, other.node)
    assert longer.value.proof == tuple(proof)


def test_a_checkpoint_must_be_signed_by_the_log_it_names() -> None:
    mine, theirs, one = logs(1)
    stranger = MemoryLog(9)

    def twist(_: Request, response: Response) -> Response:
        if isinstance(response, Met):
            return replace(response, vkey=stranger.vkey)
        return response

    with pytest.raises(BadSignatureError):
        follow(one, mine, theirs, twist=twist)
    assert one.cursor is None


def test_the_first_answer_cannot_be_that_nothing_changed() -> None:
    mine, theirs, one = logs(1)
    with pytest.raises(MalformedError):
        follow(one, mine, theirs, twist=lambda *_: Same())


# The server


def test_the_server_refuses_what_it_cannot_prove() -> None:
    """Trees it never had, and trees it never published."""
    _, theirs, _ = logs(3)
    beyond = theirs.size + 1
    for request in (
        AskEntries(0, beyond),
        AskEntries(2, 2),
        AskCommitment(beyond),
        AskCommitment(0),
        AskCommitment(2),
    ):
        assert isinstance(answer(theirs, request.to_bytes()), Refusal)


def test_a_follower_that_saw_more_gets_what_there_is() -> None:
    _, theirs, _ = logs(3)
    head = answer(theirs, AskHead(theirs.size + 7).to_bytes())
    assert head == Head(theirs.checkpoint, theirs.vkey, ())


def test_a_log_that_signs_the_empty_tree_has_nothing_to_follow() -> None:
    mine, theirs, one = logs()
    theirs.set_root = b"r" * 32
    empty = Checkpoint(theirs.origin, 0, EMPTY_ROOT)
    theirs.checkpoint = sign_checkpoint(empty, theirs.key)
    with pytest.raises(VerificationError, match="no commitment"):
        follow(one, mine, theirs)
    assert one.cursor is None


def test_a_last_leaf_that_is_no_commitment_does_not_make_the_cursor_jump() -> None:
    mine, theirs = MemoryLog(1), signed_log(*[retirement_entry("x")] * 100)
    one = Follower(lambda: mine)
    with pytest.raises(VerificationError, match="as the last leaf"):
        follow(one, mine, theirs)
    assert one.cursor is None


def test_what_gossip_brought_while_a_page_was_read_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(follower, "FETCHED_IDS", 2)
    monkeypatch.setattr(follower, "AHEAD", 0)
    mine, theirs, one = logs()
    theirs.append(works := [work(f"late {number}") for number in range(4)])

    def meanwhile(request: Request, response: Response) -> Response:
        if isinstance(request, AskStatements):
            mine.append(works)
        return response

    asked = follow(one, mine, theirs, twist=meanwhile)
    assert sum(isinstance(request, AskStatements) for request in asked) == 1
    assert mine.set_root == theirs.set_root


def test_the_end_of_a_log_is_read_like_any_entry() -> None:
    """There is nothing in it to fetch."""
    end = retirement_entry("moved away")
    last = commitment_entry(0, naive_root([]))
    mine, theirs = MemoryLog(1), signed_log(end, last)
    mine.append([work("here")])
    one = Follower(lambda: mine)
    follow(one, mine, theirs)
    assert one.cursor is not None
    assert (one.cursor.size, one.cursor.gaps) == (theirs.size, ())
