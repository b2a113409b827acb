"""What statements amount to, against vectors that a naive oracle wrote."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.state_vectors import facts, id_, key, load, work

from byline_ledger.state import State

VECTORS = load()
CASES = VECTORS["cases"]
USE = VECTORS["use"]
every_case = pytest.mark.parametrize("case", CASES, ids=[one["name"] for one in CASES])


def names(case: dict[str, Any]) -> tuple[dict[bytes, str], dict[bytes, str]]:
    """Names of statements and of keys by their bytes."""
    words = {
        word
        for one in case["statements"]
        for name in ("author", "successor", "recovery", "for", "grantee", "group")
        if isinstance(word := one.get(name), str)
    }
    return {id_(one["id"]): one["id"] for one in case["statements"]}, {
        key(word): word for word in words
    }


@every_case
def test_keys(case: dict[str, Any]) -> None:
    """Recovery key, end, successors."""
    state, (_, keys) = State(facts(case)), names(case)
    for name, expected in case["expect"]["keys"].items():
        found = state.keys.state(key(name))
        assert expected == {
            "recovery": found.recovery and keys[found.recovery],
            "ends": found.ends,
            "named": sorted(keys[one] for one in found.named),
            "settled": found.settled,
            "successor": found.successor and keys[found.successor],
            "succession": [keys[one] for one in state.keys.succession(key(name)).keys],
        }


@every_case
def test_statements(case: dict[str, Any]) -> None:
    """Delegations, statuses, withdrawals, disputes and seals."""
    found, expected = State(facts(case)), case["expect"]
    ids, keys = names(case)
    records = {
        name: record
        for one, name in ids.items()
        if (record := found.facts.by_id(one)) is not None
    }
    standings = {name: found.standings.of(one) for name, one in records.items()}
    assert expected["statuses"] == {name: one.status for name, one in standings.items()}
    assert expected["withdrawn"] == {
        name: ids[one.withdrawal.statement.id]
        for name, one in standings.items()
        if one.withdrawal
    }
    delegations = {n: found.authority.delegation(one) for n, one in records.items()}
    assert expected["delegations"] == {
        name: [one.validity, keys[one.key]]
        for name, one in delegations.items()
        if one is not None
    }
    assert all(
        (one.validity == "valid") == (not one.problem)
        for one in delegations.values()
        if one is not None
    )
    claims = {n: one for n, one in records.items() if one.statement.type == "work"}
    disputed = (n for n, one in claims.items() if found.standings.is_disputed(one))
    assert sorted(expected["disputed"]) == sorted(disputed)
    sealings = {name: found.seals.of(one) for name, one in claims.items()}
    assert expected["seals"] == {
        name: one.seal and ids[one.seal.statement.id]
        for name, one in sealings.items()
        if one is not None
    }
    assert expected["by_claims"] == found.facts.goes_by_claims


@every_case
def test_works(case: dict[str, Any]) -> None:
    """Order of claims, members, consent and synthetic depth."""
    found, expected = State(facts(case)), case["expect"]
    ids, _ = names(case)
    for name, order in expected["order"].items():
        claims = found.claims(work(name))
        assert order == [ids[one.statement.id] for one in claims]
    for pair, status in expected["members"].items():
        member, group = map(key, pair.split(" "))
        assert status == found.groups.membership(member, group).status
    for row in expected["consent"]:
        grantee = row["grantee"]
        whom = None if grantee is None else key(grantee)
        consent = found.consents.of(work(row["work"]), USE, whom)
        assert row == {
            "work": row["work"],
            "grantee": grantee,
            "verdict": consent.verdict,
            "deciding": sorted(ids[one] for one in consent.deciding),
            "offers": sorted(ids[one] for one in consent.offers),
            "complete": consent.complete,
        }
        assert bool(consent.terms) == (consent.verdict == "constrained")
    depths = found.synthetic_depths(map(work, expected["depth"]))
    assert expected["depth"] == {
        name: [depths[work(name)].least, depths[work(name)].greatest]
        for name in expected["depth"]
    }
