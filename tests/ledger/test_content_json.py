"""What statements say as JSON: for scripts that ask a node for one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import strategies
from tests.support.every_type import FULL, GROUP, ID, ME, PHOTO, ROOT, YOU, make
from tests.support.signed import signed

from byline_ledger.content import InManifest, name_of_key
from byline_ledger.content_json import content_to_json
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement
from byline_ledger.vocabulary import STATEMENT_TYPES


def said(kind: str) -> dict[str, Any]:
    maker, terms = FULL[kind]
    found = content_to_json(make(maker, **terms))
    assert found is not None
    return found


@pytest.mark.parametrize("kind", FULL)
def test_all_that_is_said_is_there(kind: str) -> None:
    """Every field under the name that it has in the statement, and it is JSON."""
    maker, terms = FULL[kind]
    statement = make(maker, **terms)
    found = said(kind)
    assert set(statement.fields) - strategies.RESERVED <= set(found)
    assert (found["sound"], found["problems"]) == (True, [])
    json.dumps(found)


def test_bytes_are_written_as_what_they_are() -> None:
    """Keys, ids, digests, and others in hexadecimal."""
    work, grant, offer = said("work"), said("grant"), said("offer")
    assert work["group"] == did_key(GROUP)
    assert work["shares"][0] == {"key": did_key(ME), "parts": 2}
    assert (work["seal"], work["seal-nonce"]) == (cid_of_statement(ID), ROOT.hex())
    assert grant["grantee"] == did_key(YOU)
    assert offer["terms"].startswith("sha256:")
    assert said("collection")["bytes"] == 12
    assert said("relay")["sources"][0]["relationship"] == "parentOf"


def test_constraints_stand_beside_their_use() -> None:
    """As in the statement."""
    uses = said("relay")["created"]["uses"]
    assert uses["cawg.ai_generative_training"] == {
        "use": "constrained",
        "constraint-info": "ask",
    }
    assert uses["cawg.data_mining"] == {"use": "notAllowed"}


def test_whom_it_is_signed_for_is_told() -> None:
    """An empty proof is one: the manifest has a single entry."""
    place = InManifest(PHOTO, 0, 1, ())
    statement = signed(
        PHOTO, **{"for": YOU, "delegation": ID, "in-manifest": place.to_field()}
    )
    found = content_to_json(statement)
    assert found is not None
    assert (found["for"], found["delegation"]) == (did_key(YOU), cid_of_statement(ID))
    assert found["in-manifest"]["proof"] == []


def test_what_says_nothing_is_told() -> None:
    """With its problems; a type that is not known has no content."""
    found = content_to_json(signed(name_of_key(YOU), type="grant", number=0))
    assert found is not None
    assert not found["sound"]
    named = [one.split(":")[0] for one in found["problems"]]
    assert named == ["grantee", "uses", "number"]
    assert content_to_json(signed(PHOTO, type="poem")) is None


@given(
    st.sampled_from(STATEMENT_TYPES),
    st.dictionaries(
        st.sampled_from(["uses", "for", "items", "proofs", "created", "shares"]),
        strategies.shallow,
    ),
)
def test_whatever_is_said_can_be_told(kind: str, fields: dict[str, Any]) -> None:
    """Nothing in a valid statement raises here."""
    json.dumps(content_to_json(signed(PHOTO, **{**fields, "type": kind})))
