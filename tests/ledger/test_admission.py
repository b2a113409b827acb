"""The rules of admission: their order, what each refuses, and what is used up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.signed import TIME, key, work
from tests.support.vectors import as_expected, cases, load

from byline_ledger.admission import (
    ADMITTED,
    RULES,
    AdmissionState,
    Arrival,
    Held,
    Reason,
    Refused,
    Source,
    Trial,
    charges,
    decide,
    explain,
)
from byline_ledger.admission_policy import DAY, OPEN, AdmissionPolicy
from byline_ledger.buckets import UNIT, Buckets, Rate
from byline_ledger.did import did_key
from byline_ledger.errors import UsageError
from byline_ledger.statement import Statement

VECTORS = "admission.json"
NOTHING = Held(0, 0)


class Given:
    """A state that a vector describes; buckets it does not name are full."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case

    def is_vouched(self, statement: Statement) -> bool:
        return bool(self.case["vouched"])

    def held(self, author: bytes) -> Held:
        return Held(**self.case["held"])

    def level(self, kind: str, key: bytes, rate: Rate, now: int) -> int:
        return int(self.case["levels"].get(kind, rate.burst * UNIT))


def test_the_reasons_are_those_of_the_specification() -> None:
    assert [str(one) for one in Reason] == load(VECTORS)["reasons"]


@cases(VECTORS, "decisions")
def test_decision(case: dict[str, Any]) -> None:
    policy = AdmissionPolicy.from_settings(case["settings"])
    statement = Statement.from_parts(bytes.fromhex(case["body"]), bytes(64))
    arrival = Arrival(Source(case["source"]), case["peer"], statement)
    verdict = decide(policy, arrival, Given(case), case["now"])
    if case["expect"] == "admitted":
        assert verdict == ADMITTED
        return
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.until) == (case["expect"], case["until"])
    assert "\n" not in verdict.text
    found = list(explain(policy, arrival, Given(case), case["now"]))
    assert [name for name, _ in found] == [name for name, _ in RULES]
    assert next(one for _, one in found if one) == verdict


@cases(VECTORS, "policies")
def test_policy(case: dict[str, Any]) -> None:
    with as_expected(case):
        policy = AdmissionPolicy.from_settings(case["settings"])
    if case["expect"] == "ok":
        assert policy.digest.hex() == case["digest"]
        assert AdmissionPolicy.from_settings(policy.to_settings()) == policy
        assert policy.is_open == (policy == OPEN)


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"denied_author": []}, "did you mean denied_authors?"),
        ({"authors": "voucher"}, "did you mean vouched?"),
        ({"authors": 7}, None),
        ({"listed": ["did:key:z6MkbLuRtofalsch"]}, "expected did:key:z6Mk…"),
    ],
)
def test_a_bad_setting_is_helped(settings: dict[str, object], hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        AdmissionPolicy.from_settings(settings)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("settings", "doubt"),
    [
        ({}, None),
        ({"authors": "listed"}, "nobody is admitted"),
        ({"authors": "vouched"}, "nobody is admitted"),
        ({"authors": "vouched", "listed": True}, "nobody is vouched for"),
        ({"authors": "vouched", "vouchers": True}, None),
        ({"authors": "listed", "listed": True}, None),
    ],
)
def test_what_an_operator_can_hardly_mean(
    settings: dict[str, Any], doubt: str | None
) -> None:
    someone = [did_key(key(1).public)]
    said = {name: someone if one is True else one for name, one in settings.items()}
    found = AdmissionPolicy.from_settings(said).doubt
    assert found is doubt if doubt is None else doubt in (found or "")


def test_an_unknown_setting_and_a_long_value_are_cut_short() -> None:
    with pytest.raises(UsageError) as caught:
        AdmissionPolicy.from_settings({"zzz": 1})
    assert str(caught.value.hint).startswith("known: authors, listed")
    with pytest.raises(UsageError) as caught:
        AdmissionPolicy.from_settings({"work_bits": "x" * 1000})
    assert len(str(caught.value)) < 150


@cases(VECTORS, "buckets")
def test_bucket(case: dict[str, Any]) -> None:
    rate, buckets = Rate(case["rate"], case["burst"]), Buckets()
    for step in case["steps"]:
        now, cost = step["now"], step["strings"] * UNIT
        level = buckets.level(b"k", rate, now)
        assert level == step["level"]
        if step["until"] is None:
            buckets.take(b"k", step["strings"], rate, now)
        else:
            assert level < cost
            assert now + rate.wait(cost - level) == step["until"]


@given(
    st.integers(1, 10**6),
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 66)), max_size=50),
)
def test_a_bucket_never_gives_more_than_its_rate(
    per_hour: int, steps: list[tuple[int, int]]
) -> None:
    """And whoever comes back when told to is admitted then, and not before."""
    rate, buckets, now, given_out = Rate(per_hour, 66), Buckets(), 0, 0
    for pause, strings in steps:
        now += pause
        level = buckets.level(b"k", rate, now)
        if level < strings * UNIT:
            wait = rate.wait(strings * UNIT - level)
            assert buckets.level(b"k", rate, now + wait - 1) < strings * UNIT
            now += wait
        buckets.take(b"k", strings, rate, now)
        given_out += strings
        assert given_out * UNIT <= 66 * UNIT + now * per_hour


def test_the_bucket_not_used_for_longest_is_forgotten() -> None:
    rate, buckets = Rate(1, 66), Buckets(most=2)
    for name in (b"a", b"b", b"a", b"c"):
        buckets.take(name, 10, rate, 0)
    levels = [buckets.level(name, rate, 0) // UNIT for name in (b"a", b"b", b"c")]
    assert levels == [46, 66, 56]


def test_those_who_wait_for_one_bucket_are_told_to_come_one_after_the_other() -> None:
    rate, buckets = Rate(60, 66), Buckets(most=1)
    minute = 60_000
    assert buckets.book(b"a", 2, minute, rate) == minute
    assert buckets.book(b"a", 2, minute, rate) == 3 * minute
    assert buckets.book(b"a", 5, minute, rate) == 8 * minute
    assert buckets.book(b"b", 2, minute, rate) == minute
    assert buckets.book(b"a", 2, minute, rate) == minute


# Requests of several statements


def state() -> AdmissionState:
    return AdmissionState(lambda _: False, lambda _: NOTHING)


def arrive(statement: Statement, source: Source = Source.API) -> Arrival:
    return Arrival(source, "peer", statement)


def test_within_a_request_each_is_decided_after_those_before_it() -> None:
    policy = AdmissionPolicy.from_settings(
        {
            "author_rate": 66,
            "peer_rate": 66,
            "old_rate": 66,
            "clock_behind_days": 1,
            "quota_strings": 1000,
        }
    )
    kept, now = state(), TIME + 2 * DAY
    trial = Trial(kept, now)
    verdicts = []
    for number in range(40):
        one = arrive(work(f"{number}"))
        verdicts.append(decide(policy, one, trial, now))
        if verdicts[-1] == ADMITTED:
            trial.admit(policy, one)
    assert verdicts[:33] == [ADMITTED] * 33
    assert {one.reason for one in verdicts[33:] if isinstance(one, Refused)} == {
        Reason.TOO_OLD
    }
    # Nothing was taken so far; then all of it is.
    rate = Rate(66, 66)
    levels = [("old", key().public), ("author", key().public), ("peer", b"peer")]
    assert [kept.level(*one, rate, now) for one in levels] == [66 * UNIT] * 3
    more = trial.settle()
    assert more[key().public].strings == 66
    assert more[key().public].bytes > 33 * 100
    assert [kept.level(*one, rate, now) for one in levels] == [0, 0, 0]


def test_a_quota_counts_what_the_request_holds_already() -> None:
    policy = AdmissionPolicy(quota_strings=4)
    trial = Trial(state(), TIME)
    for number in range(2):
        one = arrive(work(f"{number}"))
        assert decide(policy, one, trial, TIME) == ADMITTED
        trial.admit(policy, one)
    verdict = decide(policy, arrive(work("third")), trial, TIME)
    assert isinstance(verdict, Refused)
    assert verdict.reason == Reason.OVER_QUOTA
    assert not trial.is_vouched(one.statement)


def test_history_takes_nothing_from_the_allowance_for_old_ones() -> None:
    policy = AdmissionPolicy(clock_behind_days=1, old=Rate(66, 66))
    now = TIME + 9 * DAY
    kinds = [
        [kind for kind, _, _ in charges(policy, arrive(work("x"), source), now)]
        for source in Source
    ]
    assert kinds == [["old"], ["old"], []]


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "authors": st.sampled_from(["anyone", "listed", "vouched"]),
        "listed": st.lists(st.sampled_from([did_key(key(n).public) for n in (1, 2)])),
        "denied_authors": st.lists(st.just(did_key(key(2).public))),
        "max_sources": st.integers(0, 64),
        "work_bits": st.integers(0, 3),
        "clock_ahead_minutes": st.integers(0, 10),
        "clock_behind_days": st.integers(0, 10),
        "quota_strings": st.integers(1, 10),
        "author_rate": st.integers(1, 10**6),
        "peer_rate": st.integers(1, 10**6),
    },
)


@given(SETTINGS, st.sampled_from(Source), st.integers(-(10**9), 10**9), st.booleans())
def test_decisions_are_the_same_each_time_and_never_in_the_past(
    settings: dict[str, Any], source: Source, shift: int, vouched: bool
) -> None:
    policy = AdmissionPolicy.from_settings(settings)
    arrival = Arrival(source, "p", work("x", key(1)))
    kept = AdmissionState(lambda _: vouched, lambda _: NOTHING)
    now = TIME + shift
    verdict = decide(policy, arrival, kept, now)
    assert decide(policy, arrival, Trial(kept, now), now) == verdict
    if isinstance(verdict, Refused) and verdict.until is not None:
        assert verdict.until > now
    if policy.is_open:
        assert verdict == ADMITTED


@given(SETTINGS, SETTINGS)
def test_equal_digests_are_equal_policies(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    first, second = map(AdmissionPolicy.from_settings, (one, two))
    assert (first.digest == second.digest) == (first == second)


def test_what_holds_for_one_way_in_only() -> None:
    partial = [one for one in Reason if not one.holds_everywhere]
    assert partial == [Reason.TOO_OLD, Reason.PEER_RATE]
