"""Bundles against vectors that an independent prover wrote from the specification."""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.bundle_headline import chain_of, existed_by, gap_name, headline
from tests.support.naive_view import NaiveView

from byline_ledger.answer import Answer
from byline_ledger.answer_maker import make_answers
from byline_ledger.bundle import Bundle, build_bundle, build_shared
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.errors import MalformedError, UnsupportedError
from byline_ledger.policy import Policy
from byline_ledger.verify import FAILED, Verdict, verify_bundle

VECTORS = Path(__file__).parent.parent / "vectors"
sys.path.insert(0, str(VECTORS))

import bundle_cases  # noqa: E402
import bundle_cases_gone  # noqa: E402
import bundle_kinds  # noqa: E402
import bundle_logs  # noqa: E402
import generate_bundle  # noqa: E402
import naive_bundle  # noqa: E402
import naive_prover  # noqa: E402

CASES: list[dict[str, Any]] = json.loads((VECTORS / "bundle.json").read_text())["cases"]
BY_NAME = {case["name"]: case for case in CASES}
PROVEN = ("asked", "signatures", "log", "completeness", "inclusion")
"""The levels that an answer needs; the others say who vouches for it."""


def of_level(*levels: str) -> Any:
    """Parametrised over the cases whose outcome is one of these."""
    cases = [case for case in CASES if (case["expect"]["level"] in levels)]
    return pytest.mark.parametrize("case", cases, ids=[one["name"] for one in cases])


def bundle_of(case: dict[str, Any]) -> bytes:
    return b64decode(case["bundle"])


def verify(case: dict[str, Any], data: bytes | None = None) -> Verdict:
    """Verify the case's bundle, or other bytes, with what the case's reader knows."""
    ask = case["ask"]
    policy, work = ask.get("policy"), ask.get("work")
    return verify_bundle(
        bundle_of(case) if data is None else data,
        digest=bytes.fromhex(ask["digest"]),
        digests=[bytes.fromhex(one) for one in ask.get("digests", [])],
        keys=[bytes.fromhex(one) for one in ask.get("keys", [])],
        policy=Policy.from_bytes(policy.encode()) if policy else None,
        now=ask.get("now"),
        work=bytes.fromhex(work) if work else None,
        depth=ask.get("depth", 0),
        max_age=ask.get("max_age"),
    )


# Valid bundles


@of_level("ok")
def test_a_valid_bundle_gives_its_answer(case: dict[str, Any]) -> None:
    """Every level holds and the answer's headline is the one an oracle found."""
    verdict = verify(case)
    assert verdict.failure() == ""
    assert verdict.ok
    assert verdict.answer is not None
    expected = dict(case["expect"]["answer"])
    existed = expected.pop("existed", None)
    assert expected == headline(whole_answer(case, verdict), bundle_of(case))
    if existed is not None:
        assert existed == existed_by(verdict.answer)
    json.dumps(verdict.answer.to_json())


@of_level("ok")
def test_a_valid_bundle_encodes_to_the_same_bytes(case: dict[str, Any]) -> None:
    """Parsed and written again, nothing of it is lost."""
    assert bundle_of(case) == Bundle.from_bytes(bundle_of(case)).to_bytes()


def whole_answer(case: dict[str, Any], verdict: Verdict) -> Answer:
    """Of all works of a bundle in one; of one work, as it is."""
    assert verdict.answer is not None
    bundle = Bundle.from_bytes(bundle_of(case))
    if len(bundle.asked) == 1:
        return verdict.answer
    checkpoint, root = checkpoint_of(bundle.checkpoint), verdict.answer.set_root
    return make_answers(bundle, checkpoint, [chain_of(bundle)], root)[0]


# Invalid bundles


@of_level("malformed")
def test_a_malformed_bundle_is_refused(case: dict[str, Any]) -> None:
    """Bytes that do not parse raise MalformedError, whatever else they are."""
    with pytest.raises(MalformedError):
        verify(case)


@of_level("unsupported")
def test_another_version_is_unsupported(case: dict[str, Any]) -> None:
    """A later version is told apart from damage."""
    with pytest.raises(UnsupportedError):
        verify(case)


@of_level(*PROVEN, "trust", "witnesses", "freshness", "time")
def test_a_failure_shows_at_its_level(case: dict[str, Any]) -> None:
    """The level that must catch it is the first to fail; no answer without proof."""
    verdict = verify(case)
    failed = [level.name for level in verdict.levels if level.status == FAILED]
    assert case["expect"]["level"] == failed[0]
    assert not verdict.ok
    assert verdict.exit_code == 1
    assert (verdict.answer is None) == (failed[0] in PROVEN)


# Every byte counts

SMALL, ALONE = BY_NAME["small"], BY_NAME["cosigned"]


def is_refused(case: dict[str, Any], data: bytes) -> bool:
    """Whether the verifier refuses the bytes, in one of the ways it may."""
    try:
        return not verify(case, data).ok
    except (MalformedError, UnsupportedError):
        return True


@pytest.mark.parametrize("case", [SMALL, ALONE], ids=["small", "cosigned"])
def test_no_byte_is_free(case: dict[str, Any]) -> None:
    """Each byte changed in one bit: refused.

    These bundles have no signature line by an unknown witness, the only bytes that
    nothing authenticates (docs/spec/bundle.md).
    """
    data = bundle_of(case)
    passed = []
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        if not is_refused(case, bytes(changed)):
            passed.append(at)
    assert passed == []


@given(data=st.data())
@settings(max_examples=500, deadline=None)
def test_any_change_of_bytes_is_refused(data: st.DataObject) -> None:
    """A few bytes replaced by others, also by fewer or more."""
    case = data.draw(st.sampled_from([SMALL, ALONE, BY_NAME["absent in one leaf"]]))
    whole = bundle_of(case)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(start + 40, len(whole))))
    changed = whole[:start] + data.draw(st.binary(max_size=40)) + whole[end:]
    assert is_refused(case, changed) or changed == whole


@pytest.mark.parametrize("case", [SMALL, ALONE], ids=["small", "cosigned"])
def test_every_truncation_is_malformed(case: dict[str, Any]) -> None:
    """No beginning of a bundle is a bundle."""
    data = bundle_of(case)
    for end in range(len(data)):
        with pytest.raises(MalformedError):
            verify(case, data[:end])


def test_a_line_by_an_unknown_witness_is_the_only_free_part() -> None:
    """What the specification lists as unauthenticated, and not one byte more."""
    case = BY_NAME["cosigned by an unknown witness too"]
    data = bundle_of(case)
    line = data.index("\u2014 elsewhere".encode())
    end = data.index(b"\n", line)
    free = set()
    for at in range(data.index(b"checkpoint"), end + 40):
        changed = bytearray(data)
        changed[at] ^= 1
        if not is_refused(case, bytes(changed)):
            free.add(at)
    assert free
    assert free <= set(range(line, end))


# What strangers write into bundles and statements

values = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(0, 2**64 - 1),
        st.text(max_size=40),
        st.binary(max_size=40),
        st.sampled_from([b"\x12\x20" + bytes(32), bytes(32), "notAllowed", "archive"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=8), inner, max_size=3),
    ),
    max_leaves=6,
)
NAMES = {
    "work": ["source-type", "title", "license", "uses", "tools", "media-type", "size"],
    "endorse": ["role", "note"],
    "dispute": ["reason", "note", "evidence"],
    "withdraw": ["reason", "replacement"],
    "rotate": ["successor"],
}


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_value_of_a_field_is_judged(data: st.DataObject) -> None:
    """Canonical bundles of any content: a verdict or a refusal, never a crash."""
    fields = bundle_cases.few()
    fields["opening"] = naive_bundle.write_opening(fields["opening"])
    name = data.draw(st.sampled_from(sorted(fields)))
    value = data.draw(values)
    if name == "statements" and data.draw(st.booleans()):
        value = [[data.draw(values), data.draw(values), data.draw(values)]]
    same = naive_bundle.pack(value) == naive_bundle.pack(fields[name])
    changed = naive_bundle.pack({**fields, name: value})
    # Where the page is complete, it is of no matter who would have been heard first.
    is_free = name in ("keys", "first")
    assert is_refused(BY_NAME["alone"], changed) or same or is_free


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_a_statement_says_there_is_an_answer(data: st.DataObject) -> None:
    """Fields that make no sense for their type are shown, and break nothing."""
    log = bundle_logs.new_log("nonsense")
    author = naive_bundle.Key("author")
    work = said = nonsense(data, author, "work", bundle_cases.ALONE)
    statements = [said]
    for type_ in ("endorse", "dispute", "withdraw", "rotate"):
        key = naive_bundle.digest_of(author.public)
        about = key if type_ == "rotate" else work.name
        statements.append(nonsense(data, author, type_, about))
    fields, answer = log.publish(statements).bundle(bundle_cases.ALONE, 4)
    data_ = naive_prover.encode(fields)
    verdict = verify_bundle(data_)
    assert verdict.ok
    assert verdict.answer is not None
    assert answer["works"] == headline(verdict.answer, data_)["works"]
    json.dumps(verdict.answer.to_json())


def nonsense(
    data: st.DataObject, key: naive_bundle.Key, type_: str, about: bytes
) -> naive_bundle.Said:
    """A valid statement whose own fields are anything."""
    names = st.sampled_from([*NAMES[type_], "further"])
    fields = data.draw(st.dictionaries(names, values, max_size=4))
    return naive_bundle.say(key, type_, about, time=data.draw(TIMES), **fields)


TIMES = st.one_of(st.just(0), st.just(2**63 - 1), st.integers(0, 2**63 - 1))


# The prover against the oracle's


@cache
def views() -> dict[str, NaiveView]:
    """The oracle's logs by origin."""
    made = (
        bundle_logs.main_log(),
        bundle_logs.flood_log(),
        bundle_logs.crowd_log(),
        bundle_logs.sources_log(),
        bundle_cases.SMALL.view,
        bundle_cases.FEW,
        bundle_cases_gone.GONE.view,
        bundle_kinds.KINDS.view,
    )
    return {view.log.origin: NaiveView(view) for view in made}


def test_the_prover_writes_what_the_oracle_writes() -> None:
    """Byte for byte, for every work, statement and key of every log."""
    for view in views().values():
        log = view.view.log
        asked = {said.fields["about"] for said in log.said.values()}
        asked |= {source for said in log.said.values() for source in said.sources}
        for digest in sorted(asked)[:60]:
            for depth in (0, 4):
                fields, _ = view.view.bundle(digest, depth)
                built = build_bundle(view, digest, depth=depth)  # type: ignore[arg-type]
                assert naive_prover.encode(fields) == built


def test_the_prover_writes_what_the_oracle_writes_of_many_works() -> None:
    """Byte for byte, with the keys that a reader trusts."""
    for _, _, view, digests, keys in bundle_kinds.kind_cases():
        fields, _ = view.shared(digests, 4, keys)
        shuffled = [*digests[::-1], *digests]
        built = build_shared(NaiveView(view), shuffled, keys=keys)  # type: ignore[arg-type]
        assert naive_prover.encode(fields) == built


def test_more_than_a_bundle_may_hold_is_a_gap() -> None:
    """Past the cap nothing is looked up, and the oracle agrees where that is."""
    view = bundle_logs.heavy_log()
    asked = bundle_logs.work_of("heavy")
    fields, answer = view.bundle(asked, 4)
    data = naive_prover.encode(fields)
    built = build_bundle(NaiveView(view), asked)  # type: ignore[arg-type]
    assert data == built
    verdict = verify_bundle(data, digest=asked, depth=4)
    assert verdict.ok
    assert verdict.answer is not None
    assert ["bytes"] == answer["gaps"] == sorted(map(gap_name, verdict.answer.gaps))
    assert answer["works"] == headline(verdict.answer, data)["works"]
    unseen = [work for work in verdict.answer.works if work.total is None]
    assert 10 < len(unseen) < 50


def test_the_vectors_are_what_the_generator_writes() -> None:
    """Fixed seeds: anybody can write the same file again."""
    assert (VECTORS / "bundle.json").read_text() == generate_bundle.build()
