"""First contact with a log, and what is new in one that was read to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.following import follow, logs
from tests.support.memory_log import MemoryLog
from tests.support.signed import work

from byline_ledger import follow_server
from byline_ledger.entry import (
    commitment_entry,
    statement_entry,
)
from byline_ledger.errors import (
    BadSignatureError,
    MalformedError,
    NotFoundError,
    ProofError,
    VerificationError,
)
from byline_ledger.follow_messages import (
    AskCommitment,
    AskEntries,
    AskHead,
    AskMeet,
    AskNext,
    AskStatements,
    Commitment,
    Entries,
    Envelopes,
    Equal,
    Head,
    Met,
    News,
    Refusal,
    Request,
    Response,
    Same,
)
from byline_ledger.follower import Follower
from byline_ledger.statement import Statement


def test_an_unchanged_log_costs_one_small_question() -> None:
    """A second session asks what is new, and is told: the same."""
    mine, theirs, one = logs(5)
    follow(one, mine, theirs)
    assert follow(one, mine, theirs) == [AskNext(theirs.size)]
    size = len(AskNext(theirs.size).to_bytes()) + len(Same().to_bytes())
    assert size < 40


def test_equal_sets_let_the_cursor_jump() -> None:
    """At first contact with a long log of the same set, no entry is read: one question
    says that nothing is missing, and a later one gives a place to go on from."""
    mine, theirs, one = logs(200)
    mine.append(work(f"0/{i}") for i in range(200))
    statements = list(theirs.bodies.values())
    mine = MemoryLog(1)
    mine.append(map(Statement.from_envelope, reversed(statements)))
    one = Follower(lambda: mine)
    assert follow(one, mine, theirs) == [AskMeet(mine.set_root)]
    assert one.is_equal
    assert one.cursor is None
    size = len(AskMeet(mine.set_root).to_bytes()) + len(Equal().to_bytes())
    assert size < 100
    assert follow(one, mine, theirs) == [AskMeet(b"")]
    assert one.cursor is not None
    assert (one.cursor.size, one.cursor.count) == (theirs.size, theirs.set_count)
    theirs.append([work("later")])
    follow(one, mine, theirs)
    assert mine.set_root == theirs.set_root


def test_a_bad_signature_later_does_not_make_us_forget_what_was_seen() -> None:
    """Else a liar could have its second history followed from the start."""
    mine, theirs, one = logs(3)
    follow(one, mine, theirs)
    seen, forger = one.cursor, MemoryLog(9)
    theirs.append([work("more")])

    def twist(_: Request, response: Response) -> Response:
        if isinstance(response, News):
            return replace(response, note=forger.checkpoint)
        return response

    with pytest.raises(BadSignatureError, match="two keys"):
        follow(one, mine, theirs, twist=twist)
    assert one.cursor == seen
    for answered in (Equal(), Same(), Refusal("no")):

        def evade(
            request: Request, response: Response, answered: Response = answered
        ) -> Response:
            if isinstance(request, AskMeet):
                return answered
            return twist(request, response)

        with pytest.raises((MalformedError, NotFoundError)):
            follow(one, mine, theirs, twist=evade)
        assert one.cursor == seen


def test_news_that_do_not_add_up_are_a_lie_and_the_checkpoint_is_kept() -> None:
    """The log did not contradict itself: its node showed other entries than it has."""
    mine, theirs, one = logs(3)
    follow(one, mine, theirs)
    theirs.append([work("more")])

    def twist(_: Request, response: Response) -> Response:
        if isinstance(response, News):
            return replace(response, entries=(b"\x07", *response.entries[1:]))
        return response

    with pytest.raises(ProofError):
        follow(one, mine, theirs, twist=twist)
    assert one.cursor is not None
    assert one.cursor.seen.size == theirs.size
    assert one.cursor.size < theirs.size
    asked = follow(one, mine, theirs)
    assert isinstance(asked[0], AskHead)
    assert mine.set_root == theirs.set_root


@pytest.mark.parametrize(
    ("count", "error"), [(0, MalformedError), (9, MalformedError), (1, ProofError)]
)
def test_news_must_be_of_the_checkpoint(count: int, error: type[Exception]) -> None:
    mine, theirs, one = logs(3)
    follow(one, mine, theirs)
    theirs.append([work("more")])

    def twist(_: Request, response: Response) -> Response:
        if isinstance(response, News):
            entries = tuple((response.entries * 9)[:count])
            return replace(response, entries=entries)
        return response

    with pytest.raises(error):
        follow(one, mine, theirs, twist=twist)


def test_news_must_end_with_a_commitment() -> None:
    mine, theirs, one = logs(3)
    follow(one, mine, theirs)
    theirs.add_entry(statement_entry(work("uncommitted")))
    theirs.publish()
    with pytest.raises(VerificationError, match="as the last leaf"):
        follow(one, mine, theirs)


def test_whoever_cannot_show_its_head_is_asked_again() -> None:
    """The cursor is behind what was seen: the head comes first."""
    mine, theirs, one = logs(3)
    follow(one, mine, theirs)
    theirs.append([work("more")])
    assert one.cursor is not None
    one.cursor = replace(one.cursor, note=theirs.checkpoint)
    with pytest.raises(MalformedError):
        follow(one, mine, theirs, twist=lambda *_: Equal())
    asked = follow(one, mine, theirs)
    assert isinstance(asked[0], AskHead)
    assert mine.set_root == theirs.set_root


def test_much_news_is_asked_for_in_pages() -> None:
    """After a long absence the first page comes with the news."""
    mine, theirs, one = logs(3)
    follow(one, mine, theirs)
    theirs.append(work(f"much/{i}") for i in range(600))
    kinds = [type(a) for a in follow(one, mine, theirs)]
    assert kinds == [
        AskNext,
        AskStatements,
        AskCommitment,
        AskEntries,
        AskStatements,
    ]
    assert mine.set_root == theirs.set_root


def test_an_absence_in_which_others_told_everything_costs_a_jump() -> None:
    mine, theirs, one = logs(3)
    follow(one, mine, theirs)
    theirs.append(more := [work(f"much/{i}") for i in range(600)])
    mine.append(more)
    kinds = [type(a) for a in follow(one, mine, theirs)]
    assert kinds == [AskNext, AskCommitment]
    assert one.cursor is not None
    assert (one.cursor.size, one.cursor.gaps) == (theirs.size, ())


@pytest.mark.parametrize("lie", [Head(b"", "", ()), Envelopes(()), Entries((), ())])
def test_an_answer_to_another_question_is_malformed(lie: Response) -> None:
    mine, theirs, one = logs(3)
    with pytest.raises(MalformedError):
        follow(one, mine, theirs, twist=lambda *_: replace(lie))
    follow(one, mine, theirs)
    theirs.append([work("more")])
    with pytest.raises(MalformedError):
        follow(one, mine, theirs, twist=lambda *_: replace(lie))


def test_another_log_is_met_also_while_the_old_one_was_not_read_to_its_end() -> None:
    mine, theirs, one = logs(3)
    follow(one, mine, theirs)
    assert one.cursor is not None
    later = MemoryLog(2)
    later.append(Statement.from_envelope(e) for e in theirs.bodies.values())
    later.append([work("unread")])
    one.cursor = replace(one.cursor, note=later.checkpoint)
    newer = MemoryLog(3)
    newer.append([work("new")])
    asked = follow(one, mine, newer)
    assert [type(a) for a in asked[:2]] == [AskHead, AskMeet]
    assert one.cursor.vkey == newer.vkey


@pytest.mark.parametrize(
    "change",
    [
        lambda c: Commitment(c.entry, c.frontier[::-1]),
        lambda c: Commitment(commitment_entry(1, b"r" * 32), c.frontier),
    ],
)
def test_a_false_commitment_does_not_make_the_cursor_jump(
    change: Callable[[Commitment], Commitment],
) -> None:
    mine, theirs, one = logs(100)

    def twist(_: Request, response: Response) -> Response:
        if isinstance(response, Met):
            changed = change(Commitment(response.entry, response.frontier))
            return replace(response, entry=changed.entry, frontier=changed.frontier)
        return change(response) if isinstance(response, Commitment) else response

    with pytest.raises((ProofError, MalformedError)):
        follow(one, mine, theirs, twist=twist)
    assert one.cursor is None
    follow(one, mine, theirs)
    seen = one.cursor
    theirs.append(work(f"more/{i}") for i in range(400))
    with pytest.raises((ProofError, MalformedError)):
        follow(one, mine, theirs, twist=twist)
    assert seen is not None
    assert one.cursor is not None
    # What was told before it is kept, and read again: it may not be durable yet.
    assert one.cursor.size == seen.size
    assert len(mine.bodies) == 100 + follow_server.NEXT_ENTRIES
