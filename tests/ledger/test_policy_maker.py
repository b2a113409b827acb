"""Policies that are written from keys: nobody counts twice, and no minority decides."""

from __future__ import annotations

import pytest
from tests.support.signed import key

from byline_ledger.checkpoint import log_vkey
from byline_ledger.cosignature import cosigner_vkey
from byline_ledger.errors import UsageError
from byline_ledger.note import Verifier
from byline_ledger.policy import NONE, Policy
from byline_ledger.policy_maker import make_policy
from byline_ledger.policy_review import policy_warnings

LOG = Verifier.from_text(log_vkey("log.example/1", key(9).public))


def witness(number: int, name: str = "") -> Verifier:
    vkey = cosigner_vkey(name or f"w{number}.example/w", key(number).public)
    return Verifier.from_text(vkey)


def made(*witnesses: Verifier, quorum: int | None = None) -> Policy:
    return Policy.from_bytes(make_policy([LOG, LOG], witnesses, quorum))


@pytest.mark.parametrize(("count", "needed"), [(1, 1), (2, 2), (4, 3), (7, 5)])
def test_more_than_two_thirds_are_needed(count: int, needed: int) -> None:
    """Of the keys, each once, however often they are named."""
    keys = [witness(number) for number in range(1, count + 1)]
    policy = made(*keys, *keys)
    assert [log.origin for log in policy.logs] == ["log.example/1"]
    assert len(policy.witnesses) == count
    (group,) = policy.groups
    assert (group.threshold, len(group.members)) == (needed, count)
    assert count == 1 or policy_warnings(policy) == []


def test_keys_of_one_operator_count_once() -> None:
    node = [witness(1, "a.example/1/witness"), witness(2, "a.example/1/replay")]
    policy = made(*node, witness(3), witness(4))
    operator, everybody = policy.groups
    assert (operator.threshold, operator.members) == (1, ("w1", "w2"))
    assert everybody.members == ("operator1", "w3", "w4")
    assert everybody.threshold == 3
    with pytest.raises(
        UsageError, match="at most the number of witnesses, 3"
    ) as caught:
        made(*node, witness(3), witness(4), quorum=4)
    assert caught.value.hint == "keys of one node count as one"


def test_the_reader_may_say_how_many() -> None:
    assert made(witness(1), witness(2), quorum=1).groups[-1].threshold == 1


def test_a_policy_without_witnesses_asks_for_none() -> None:
    assert made().quorum == NONE
    with pytest.raises(UsageError, match="a quorum needs witnesses"):
        made(quorum=1)
