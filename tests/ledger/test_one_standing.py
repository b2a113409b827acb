"""Whether one statement of a log counts: what answers say, without an answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.acting import delegation, rotation, withdraw_for
from tests.support.logs import take_down
from tests.support.signed import key, withdraw, work
from tests.support.stores import MemoryDisk

from byline_ledger.answer import Answer
from byline_ledger.bundle import build_bundle
from byline_ledger.effective import EFFECTIVE, LATE, UNKNOWN, WITHDRAWN
from byline_ledger.facts import AsOf
from byline_ledger.ledger import Ledger
from byline_ledger.one_standing import OneStanding
from byline_ledger.statement import Statement
from byline_ledger.verify import verify_bundle

AUTHOR, NEXT, AGENT, STRANGER = map(key, (1, 2, 3, 4))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node", open_store=MemoryDisk())
    yield ledger
    ledger.close()


def status(ledger: Ledger, claim: Statement) -> str:
    """As it is found here, which is what the answer about the work says too."""
    found = OneStanding(ledger.view, claim).as_of()
    assert found is not None
    answer = verify_bundle(build_bundle(ledger.view, claim.about)).answer
    assert isinstance(answer, Answer)
    told = [one.status for one in answer.works[0].claims if one.id == claim.id]
    assert told == [found.status]
    return found.status


def test_whoever_may_act_withdraws_and_nobody_else(ledger: Ledger) -> None:
    claim, other, third = (work(name, AUTHOR) for name in "abc")
    ledger.append([claim, other, third, withdraw(claim, STRANGER)])
    assert status(ledger, claim) == EFFECTIVE
    given = delegation(AUTHOR, AGENT, "withdraw")
    ledger.append([given, withdraw_for(other, AUTHOR, given, AGENT)])
    assert status(ledger, other) == WITHDRAWN
    ledger.append([rotation(AUTHOR, NEXT)])
    assert status(ledger, third) == EFFECTIVE
    ledger.append([withdraw(third, NEXT), withdraw(claim, AUTHOR)])
    assert status(ledger, third) == WITHDRAWN
    assert status(ledger, claim) == EFFECTIVE  # the old key's word came late


def test_what_comes_after_the_end_of_its_key_is_late(ledger: Ledger) -> None:
    ledger.append([rotation(AUTHOR, NEXT)])
    claim = work("a", AUTHOR)
    ledger.append([claim])
    assert status(ledger, claim) == LATE


def test_it_is_asked_as_of_an_entry(ledger: Ledger) -> None:
    claim = work("a", AUTHOR)
    ledger.append([work("b"), claim])
    ledger.append([withdraw(claim)])
    index = ledger.view.index_of(claim.id)
    assert index is not None
    found = OneStanding(ledger.view, claim)
    assert found.as_of(AsOf(index=index - 1)) is None
    then = found.as_of(AsOf(index=index))
    assert then is not None
    assert then.status == EFFECTIVE


def test_a_remark_that_was_taken_down_may_have_been_a_withdrawal(
    ledger: Ledger,
) -> None:
    claim = work("a", AUTHOR)
    remark = withdraw(claim, STRANGER)
    ledger.append([claim, remark])
    take_down(ledger, remark)
    assert status(ledger, claim) == UNKNOWN
