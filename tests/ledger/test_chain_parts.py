"""Bundles of many works: each work's part is what it would be told alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from tests.support.bundle_headline import chain_of
from tests.support.logs import take_down
from tests.support.naive_view import NaiveView

from byline_ledger.bundle import Bundle, build_bundle, build_shared, proof_of
from byline_ledger.chain import WORKS_GAP, Chain, KeyHistory, parts
from byline_ledger.entry import statement_entry
from byline_ledger.errors import MalformedError, ProofError, UsageError
from byline_ledger.log import Ledger
from byline_ledger.merkle import leaf_hash, verify_inclusion
from byline_ledger.statement import Statement
from byline_ledger.verify import verify_bundle
from byline_ledger.vocabulary import USES

sys.path.insert(0, str(Path(__file__).parent.parent / "vectors"))

import bundle_kinds
import bundle_logs
import naive_chain
import naive_prover

DEPTHS = (0, 1, 4)


@cache
def views() -> dict[str, NaiveView]:
    main = bundle_logs.main_log()
    return {"main": NaiveView(main), "kinds": NaiveView(bundle_kinds.KINDS.view)}


def works_of(name: str) -> list[bytes]:
    """Everything that anybody says something about in one of the logs."""
    log = views()[name].view.log
    return sorted({said.fields["about"] for said in log.said.values()})


def shared(view: NaiveView, asked: Sequence[bytes], depth: int) -> bytes:
    return build_shared(view, asked, depth=depth)  # type: ignore[arg-type]


def alone(view: NaiveView, digest: bytes, depth: int) -> Chain:
    data = build_bundle(view, digest, depth=depth)  # type: ignore[arg-type]
    return chain_of(Bundle.from_bytes(data))


def plain(chain: Chain) -> Chain:
    """Without what is looked up only for a work that is asked for alone."""
    works = tuple(
        replace(one, derived=(), derived_total=None, derived_gone=(), gaps=())
        for one in chain.works
    )
    keys = tuple(one for one in chain.keys if needed(chain, one))
    return replace(chain, works=works, keys=keys, gaps=(), used=frozenset())


def needed(chain: Chain, history: KeyHistory) -> bool:
    """Histories of those who made something from the work are derived works' too."""
    return history.author in {key for one in chain.works for key in one.keys}


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", ["main", "kinds"])
def test_a_part_is_what_the_work_would_be_told_alone(name: str, depth: int) -> None:
    """Works, levels, histories, words: of whatever company it was asked in."""
    view, asked = views()[name], works_of(name)
    whole = chain_of(Bundle.from_bytes(shared(view, asked, depth)))
    assert not whole.capped
    found = list(parts(whole))
    assert [one.asked for one in found] == [(digest,) for digest in asked]
    for part, digest in zip(found, asked, strict=True):
        mine, single = plain(part), plain(alone(view, digest, depth))
        deeper = {one.digest for one in mine.works}
        assert {one.digest for one in single.works} <= deeper
        if not whole.cut and part.depth > single.depth:
            continue  # the company has more of its sources than it was asked for
        assert [(one.digest, one.level) for one in mine.works] == [
            (one.digest, one.level) for one in single.works
        ]
        assert [one.statements for one in mine.works] == [
            one.statements for one in single.works
        ]
        assert (mine.depth, mine.cut) == (single.depth, single.cut)
        assert set(mine.keys) <= set(single.keys)
        assert set(mine.words) <= set(single.words)


def test_one_work_is_its_own_part() -> None:
    view = views()["main"]
    whole = alone(view, bundle_logs.work_of("page"), 4)
    (part,) = parts(whole)
    assert part is whole


def test_sources_that_the_cap_cuts_are_a_gap_of_those_who_name_them() -> None:
    """And of nobody else."""
    view = NaiveView(bundle_logs.sources_log())
    asked = [bundle_logs.work_of(name) for name in ("collage", "unknown")]
    chain = chain_of(Bundle.from_bytes(shared(view, asked, 4)))
    assert chain.capped
    found = {one.asked[0]: one for one in parts(chain)}
    assert WORKS_GAP in found[asked[0]].gaps
    assert found[asked[0]].capped
    assert found[asked[1]].gaps == ()
    assert not found[asked[1]].capped


def test_a_verdict_says_who_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caps are shared: the last works of a bundle miss something first."""
    view, asked = views()["kinds"], works_of("kinds")
    verdict = verify_bundle(shared(view, asked, 0), digests=asked)
    assert verdict.capped == frozenset()
    assert len(verdict.answers) == len(asked)
    assert verdict.answer == verdict.answers[0]
    monkeypatch.setattr("byline_ledger.key_lookups.MAX_EVIDENCE", 60_000)
    data = shared(view, asked, 0)
    verdict = verify_bundle(data, digests=asked)
    assert verdict.ok
    assert 0 < len(verdict.capped) <= len(asked)
    assert asked[-1] in verdict.capped


def test_the_answer_of_a_verdict_is_that_of_the_work_at_hand() -> None:
    view, asked = views()["kinds"], works_of("kinds")[:3]
    data = shared(view, asked, 0)
    for known in ({"digest": asked[1]}, {"work": asked[1]}):
        verdict = verify_bundle(data, **known)
        assert verdict.ok
        assert verdict.answer is not None
        assert verdict.answer.asked == asked[1]
    assert not verify_bundle(data, digest=asked[0], work=asked[1]).ok
    assert not verify_bundle(data, digests=asked[:2]).ok
    assert not verify_bundle(data, digest=bundle_logs.work_of("other")).ok


def test_answers_are_made_for_those_who_look_at_them() -> None:
    """By place or by work it is one answer, and its state is there before it."""
    view, asked = views()["kinds"], works_of("kinds")
    found = verify_bundle(shared(view, asked, 1)).answers
    assert found.works == tuple(asked)
    assert len(found) == len(asked)
    state = found.state(asked[1])
    assert found.of(asked[1]) is found[1]
    assert found[1].state is state
    assert found[1:3] == (found[1], found[2])


def bad_questions() -> Iterator[tuple[list[bytes], list[bytes], str]]:
    many = [b"\x12\x20" + number.to_bytes(32, "big") for number in range(513)]
    yield [], [], "0 digests: expected 1 to 512"
    yield many, [], "513 digests: expected 1 to 512"
    yield many[:1], [one[2:] for one in many[:17]], "17 keys: expected at most 16"


@pytest.mark.parametrize(("asked", "keys", "reason"), list(bad_questions()))
def test_too_much_is_not_asked(
    asked: list[bytes], keys: list[bytes], reason: str
) -> None:
    view = views()["main"]
    with pytest.raises(UsageError, match=reason):
        build_shared(view, asked, keys=keys)  # type: ignore[arg-type]


def test_a_statement_takes_its_own_proof_out_of_a_bundle() -> None:
    """As RFC 6962 has it, for files of others."""
    view, asked = views()["kinds"], works_of("kinds")
    bundle = Bundle.from_bytes(shared(view, asked, 0))
    entries = view.view.entries
    root = view.node_root()
    for one in bundle.statements[:20]:
        leaf = leaf_hash(statement_entry(one.statement))
        proof = proof_of(bundle, one.index)
        verify_inclusion(leaf, one.index, len(entries), proof, root)
    twice = replace(bundle, statements=(bundle.statements[0],) * 2)
    with pytest.raises(ProofError, match="two statements at one index"):
        proof_of(twice, bundle.statements[0].index)


def test_a_bundle_for_nothing_is_malformed() -> None:
    bundle = Bundle.from_bytes(shared(views()["main"], works_of("main")[:1], 0))
    for change in ({"asked": ()}, {"asked": bundle.asked * 2}, {"keys": (b"short",)}):
        with pytest.raises(MalformedError):
            Bundle.from_bytes(replace(bundle, **change).to_bytes())  # type: ignore[arg-type]


def test_a_log_that_was_opened_again_gives_the_same(tmp_path: Path) -> None:
    """Then all is read from its files: strings in their order, bodies by their place;
    and what was taken down is not there, whatever was read ahead."""
    said = bundle_kinds.KINDS.log.said.values()
    statements = [Statement.from_envelope(one.envelope) for one in said]
    asked = works_of("kinds")
    ledger = Ledger.init(tmp_path / "log")
    ledger.append(statements)
    before = build_shared(ledger.view, asked)
    ledger.close()
    ledger = Ledger.open(tmp_path / "log")
    assert build_shared(ledger.view, asked) == before
    claim = next(one for one in statements if one.type == "work")
    take_down(ledger, claim)
    after = Bundle.from_bytes(build_shared(ledger.view, asked))
    assert [one.entry.id for one in after.redacted] == [claim.id]
    ledger.close()


def test_verdicts_on_uses_are_found_when_they_are_looked_at() -> None:
    """And only on uses that there are."""
    view = views()["main"]
    data = build_bundle(view, bundle_logs.work_of("drawing"))  # type: ignore[arg-type]
    answer = verify_bundle(data).answer
    assert answer is not None
    verdicts = answer.works[0].consent
    assert set(verdicts) == set(USES)
    assert len(verdicts) == len(USES)
    assert verdicts["cawg.ai_generative_training"] == "notAllowed"
    assert verdicts["cawg.ai_generative_training"] == "notAllowed"
    assert repr(verdicts) == repr(dict(verdicts))
    assert verdicts == dict(verdicts)
    assert "cawg.something" not in verdicts


@pytest.mark.parametrize(
    ("case", "room"),
    [
        ("kinds: recovered", range(0, 24_000, 500)),
        ("kinds: many works", range(0, 60_000, 2048)),
        ("kinds: two works and three keys", range(60_000, 150_000, 4_000)),
    ],
)
def test_wherever_the_caps_strike_the_oracle_agrees(
    case: str, room: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a page, a history, a word, a remark: byte for byte, and each bundle holds."""
    cases = {name: rest for name, *rest in bundle_kinds.kind_cases()}
    _, log, asked, keys = cases[case]
    view, sizes = NaiveView(log), set()
    for most in room:
        monkeypatch.setattr("byline_ledger.key_lookups.MAX_EVIDENCE", most)
        monkeypatch.setattr(naive_chain, "MAX_EVIDENCE", most)
        fields, _ = log.shared(asked, 4, keys)
        data = build_shared(view, asked, keys=keys)  # type: ignore[arg-type]
        assert naive_prover.encode(fields) == data
        verdict = verify_bundle(data, digests=asked, keys=keys)
        assert verdict.ok, verdict.failure()
        assert len(verdict.answers) == len(asked)
        sizes.add(len(data))
    assert len(sizes) > 2
