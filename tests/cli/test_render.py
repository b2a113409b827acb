"""Answers as people see them: unknown is said, and nothing is claimed to be true."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_cli.render import MOST_SHOWN, Reader, render_answer
from byline_cli.render_chain import MOST_SOURCES
from byline_cli.wording import LAST_DAY, moment
from byline_ledger.answer import Answer, Claim, Redaction, Remark, Work
from byline_ledger.digest import digest_bytes
from byline_ledger.statement import Source

AUTHOR, OTHER = bytes(32), bytes([1]) * 32
READER = Reader("photo.jpg", {AUTHOR: 'your key "default"'})


def claim(**changes: Any) -> Claim:
    """A claim that says nothing but that it exists."""
    plain = Claim(
        id=bytes(32),
        index=1,
        type="work",
        author=AUTHOR,
        time=1_700_000_000_000,
        status="effective",
        withdrawal=None,
        made="unknown",
        source_type=None,
        title=None,
        license=None,
        uses={},
        constraints={},
        tools=(),
        sources=(),
        media_type=None,
        size=None,
        endorsements=(),
        disputes=(),
        others=(),
        remarks_total=0,
        problems=(),
        fields={},
    )
    return replace(plain, **changes)


def remark(**changes: Any) -> Remark:
    """A dispute without reason or note."""
    plain = Remark(
        id=bytes(32),
        index=2,
        type="dispute",
        author=OTHER,
        time=1_700_000_000_000,
        status="effective",
        role=None,
        reason=None,
        note=None,
        replacement=None,
        withdrawal=None,
        problems=(),
        fields={},
    )
    return replace(plain, **changes)


def work(*claims: Claim, digest: bytes = digest_bytes(b"0"), **changes: Any) -> Work:
    """A work with these claims, all of which are shown."""
    plain = Work(digest, 0, claims, (), len(claims))
    return replace(plain, **changes)


def shown(*works: Work) -> str:
    """The whole answer as text."""
    answer = Answer(
        asked=works[0].digest,
        works=works,
        keys=(),
        depth=4,
        gaps=(),
        origin="log.example",
        vkey="",
        log_size=9,
        log_root=bytes(32),
        set_root=bytes(32),
    )
    rows = render_answer(answer, READER)
    return "\n".join(row if isinstance(row, str) else row[0] for row in rows)


def test_a_claim_that_says_nothing_is_unknown_throughout() -> None:
    """Made, licence and each of the four uses."""
    text = shown(work(claim()))
    assert text.count("unknown") == 6
    assert "made by       unknown" in text


def test_a_claim_that_may_be_withdrawn_does_not_stand() -> None:
    """Unknown status is neither standing nor withdrawn."""
    text = shown(work(claim(status="unknown")))
    assert "status        unknown: it may have been withdrawn" in text
    assert "stands" not in text


def test_an_absent_work_is_unknown() -> None:
    """Nobody said anything."""
    text = shown(work())
    assert "This log shows no statement about it." in text
    assert "another file, or this one was edited or saved again since" in text


def test_a_withdrawn_dispute_does_not_dispute() -> None:
    """It is shown, as withdrawn."""
    text = shown(work(claim(disputes=(remark(status="withdrawn"),), remarks_total=2)))
    assert "status        stands\n" in text
    assert "(withdrawn)" in text
    assert "1 further remark" in text


def test_conditions_are_quoted() -> None:
    """A constrained use shows what the author wrote, made safe."""
    text = shown(
        work(
            claim(
                uses={"cawg.ai_training": "constrained"},
                constraints={"cawg.ai_training": "ask\x1b[2J me"},
            )
        )
    )
    assert "train AI that does not generate? only on conditions: ask\\x1b[2J me" in text


def test_no_more_claims_than_fit_are_spelt_out() -> None:
    """The rest is counted, by the proven total."""
    text = shown(work(*[claim()] * 20, total=300))
    assert text.count("Claimed by") == MOST_SHOWN
    assert f"and {300 - MOST_SHOWN} further statements" in text


def test_what_was_taken_down_is_not_counted_twice() -> None:
    """It has a line of its own."""
    gone = Redaction(bytes(32), 3, "a court said so", 1_700_000_000_000)
    text = shown(work(claim(), total=2, redacted=(gone,)))
    assert (
        "Taken down by this node: a statement, on 2023-11-14 22:13 UTC"
        " (a court said so); what it said is unknown"
    ) in text
    assert "further" not in text


def test_the_evidence_of_a_dispute_is_named() -> None:
    """As something to ask for; what is not understood is left to --json."""
    proof = [digest_bytes(b"the draft"), digest_bytes(b"a letter")]
    text = shown(work(claim(disputes=(remark(fields={"evidence": proof}),))))
    assert f"with evidence sha256 {proof[0][2:].hex()} and 1 more (see --json)" in text
    for odd in ("x", [b"x"], [proof[0], 1]):
        text = shown(work(claim(disputes=(remark(fields={"evidence": odd}),))))
        assert "evidence" not in text


def made_from(*digests: bytes, **changes: Any) -> Claim:
    """A claim with sources."""
    sources = tuple(Source(one, "componentOf", {}) for one in digests)
    return claim(sources=sources, **changes)


A, B, C = (digest_bytes(bytes([i])) for i in range(3))


def test_sources_that_lead_back_are_named_as_a_loop() -> None:
    """A from B, B from A: possible, since claims are only claims."""
    text = shown(work(made_from(B), digest=A), work(made_from(A), digest=B))
    assert text.count("contains sha256") == 2
    assert "in a loop" in text


def test_sources_shared_many_times_do_not_explode() -> None:
    """Each level has two sources, both of the next level: 2^20 branches."""
    levels = [(digest_bytes(b"l%d" % i), digest_bytes(b"r%d" % i)) for i in range(20)]
    works = [
        work(made_from(*below), digest=digest)
        for here, below in pairwise(levels)
        for digest in here
    ]
    text = shown(*works)
    tree = [row for row in text.splitlines() if "─ contains sha256" in row]
    assert len(tree) <= MOST_SOURCES


def test_a_source_nobody_knows_and_one_not_followed_are_told_apart() -> None:
    """Proven unknown is more than not looked up."""
    text = shown(work(made_from(B, C), digest=A), work(digest=B))
    unknown, not_followed = (row for row in text.splitlines() if "─ contains" in row)
    assert unknown.endswith("  unknown")
    assert not_followed.endswith("  not followed that far")


@pytest.mark.parametrize("words", ["verified", "the owner", "is true", "authentic"])
def test_no_answer_says_more_than_is_known(words: str) -> None:
    """Whatever the claims are."""
    full = claim(made="human", title="T", license="MIT", disputes=(remark(),))
    assert words not in shown(work(full)).lower()


@given(st.text(max_size=40))
def test_strangers_words_never_break_a_line(text: str) -> None:
    """Titles, tools, notes, types and relationships are safe."""
    hostile = claim(
        title=text,
        tools=(text,),
        license=text,
        source_type=text,
        sources=(Source(B, text, {}),),
        disputes=(remark(reason=text, note=text),),
        others=(remark(type=text),),
        problems=(text,),
    )
    plain = shown(work(hostile))
    assert "\x1b" not in plain
    assert "\x9b" not in plain
    assert "\r" not in plain
    harmless = shown(work(replace(hostile, title="t")))
    assert plain.count("\n") == harmless.count("\n")


def test_any_claimed_time_can_be_shown() -> None:
    """Up to 2^63-1 milliseconds."""
    assert moment(0) == "1970-01-01 00:00 UTC"
    assert moment(LAST_DAY) == "9999-12-31 23:59 UTC"
    assert moment(2**63 - 1) == "a day beyond the year 9999"
