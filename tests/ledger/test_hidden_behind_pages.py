"""Random worlds of statements behind pages that are too small for them: what a bundle
then shows is never more than all of them come to.  Hiding never permits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from random import Random

import pytest
from tests.support.signed_worlds import USE, Signed, answer_of, logged, signer
from tests.support.state_vectors import work

from byline_ledger import bundle, derivation, key_lookups, lookup_set, opening
from byline_ledger.answer import Answer
from byline_ledger.facts import AsOf, Facts
from byline_ledger.state import State
from byline_ledger.statement import Statement

from state_random import random_case  # isort: skip


def crowd(dice: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves of one string, so that pages end where they say; pages of a few."""
    for module in (lookup_set, opening):
        monkeypatch.setattr(module, "LEAF_MAX", 1)
    for name in ("WORK_PAGE", "OWN_PAGE", "REMARK_PAGE"):
        size = dice.choice([1, 2, 16])
        for module in (derivation, key_lookups, bundle):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, size)
    monkeypatch.setattr(key_lookups, "HISTORY_PAGE", dice.choice([1, 2, 64]))
    evidence = dice.choice([20_000, 60_000, 8 << 20, 8 << 20])
    monkeypatch.setattr(key_lookups, "MAX_EVIDENCE", evidence)


def has_limits(said: Statement) -> bool:
    """What nobody has to look for (state.md, "Limits"): a delegate's withdrawal of what
    another key signed, and a number that was used elsewhere."""
    return "number" in said.fields or (said.type == "withdraw" and "for" in said.fields)


def worlds() -> Iterator[tuple[str, list[Statement]]]:
    for number in count():
        case = random_case(Random(f"hidden {number}"), str(number))
        statements = Signed(case).in_order
        if not any(map(has_limits, statements)):
            yield str(number), statements


@pytest.mark.parametrize(("name", "statements"), list(islice(worlds(), 80)))
def test_what_pages_hide_permits_nothing(
    name: str, statements: list[Statement], monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = Random(f"pages {name}")
    crowd(dice, monkeypatch)
    records, bundles = logged(statements)
    moment = 1000 * dice.randint(0, 14)
    as_of = AsOf(time=dice.choice([None, moment]), now=moment)
    whole = State(Facts(records, as_of=as_of))
    for asked, data in bundles.items():
        answer = answer_of(data, asked, as_of)
        no_surer(answer, whole)
        for grantee in (None, signer("z").public):
            if answer.consent(USE, grantee).verdict == "allowed":
                found = whole.consents.of(work(asked), USE, grantee)
                assert found.verdict == "allowed"


def no_surer(answer: Answer, whole: State) -> None:
    """What it is sure of is so."""
    for one in (*answer.works[0].claims, *answer.works[0].remarks, *answer.supporting):
        record = whole.facts.by_id(one.id)
        assert record is not None
        assert one.status in ("unknown", whole.standings.status(record))
    for member in answer.members:
        known = whole.groups.membership(member.member, member.group).status
        assert member.status in ("unknown", known)
