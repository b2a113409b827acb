"""Whatever strangers say in a statement of any type is read, and nothing raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import strategies
from tests.support.every_type import (
    FULL,
    ID,
    MANIFEST,
    ME,
    PHOTO,
    ROOT,
    TRAINING,
    UNIT,
    YOU,
    make,
    unsound,
)
from tests.support.signed import TIME, signed

from byline_ledger import content
from byline_ledger.content import Fingerprints, ForeignClaim, Model, NameProof
from byline_ledger.content_sets import read_collection


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("grant", "grantee", None),
        ("grant", "uses", ["cawg.training"]),
        ("grant", "uses", "cawg.data_mining"),
        ("grant", "until", "tomorrow"),
        ("grant", "constraint-info", ""),
        ("offer", "uses", {}),
        ("offer", "price", 7),
        ("offer", "price", {"amount": 1, "currency": "EUR"}),
        ("offer", "grantee", b"all"),
        ("request", "uses", None),
        ("rotate", "successor", b"short"),
        ("rotate", "successor", None),
        ("rotate", "successor", ME),
        ("delegate", "types", ["rotate"]),
        ("delegate", "types", ["Work"]),
        ("delegate", "until", None),
        ("delegate", "uses", []),
        ("delegate", "manifests", [ROOT]),
        ("delegate", "count", 0),
        ("admit", "from", True),
        ("collection", "root", None),
        ("label", "violations", None),
        ("settlement", "rows", ROOT),
        ("relay", "validation", "good"),
    ],
)
def test_what_is_needed_or_limits_must_be_readable(
    kind: str, field: str, value: Any
) -> None:
    """Else the statement says nothing, and the answer says why."""
    found = unsound(kind, **{field: value})
    assert not found.sound
    assert found.problems
    assert all(one.startswith(field) for one in found.problems)


@pytest.mark.parametrize(
    ("kind", "field", "value", "attribute", "unknown"),
    [
        ("work", "model", {"name": 7, "type": "c2pa.types.model"}, "model", None),
        ("work", "model", {"name": "x", "type": "model"}, "model", Model("x")),
        ("work", "oversight", "none", "oversight", None),
        ("work", "shares", [], "shares", ()),
        ("work", "shares", [7], "shares", ()),
        ("work", "shares", [{"key": ME, "parts": 1}] * 2, "shares", ()),
        ("work", "shares", [{"key": ME, "parts": 1}] * 33, "shares", ()),
        ("work", "shares", [{"key": ME, "parts": 0}], "shares", ()),
        ("work", "shares", [{"key": b"", "parts": 1}], "shares", ()),
        ("work", "group", "coop", "group", None),
        ("work", "seal", None, "seal_nonce", None),
        ("work", "seal-nonce", None, "seal", None),
        ("work", "seal-nonce", b"short", "seal", None),
        ("work", "fingerprints", "x", "fingerprints", None),
        ("work", "fingerprints", {"iscc": ["x"]}, "fingerprints", Fingerprints()),
        ("work", "fingerprints", {"windows": b""}, "fingerprints", Fingerprints()),
        ("work", "fingerprints", {"chunks": b"123"}, "fingerprints", Fingerprints()),
        ("grant", "request", b"", "request", None),
        ("grant", "uses", [TRAINING, "x"], "uses", (TRAINING,)),
        ("grant", "uses", [TRAINING, TRAINING], "uses", (TRAINING,)),
        ("profile", "proofs", [{"method": "ssh"}], "proofs", ()),
        ("profile", "proofs", [{"method": "fax", "name": "x"}], "proofs", ()),
        (
            "profile",
            "proofs",
            [{"method": "ssh", "name": "a.b/c", "signature": "x"}],
            "proofs",
            (NameProof("ssh", "a.b/c"),),
        ),
        ("profile", "recovery", 7, "recovery", None),
        ("rotate", "reason", "stolen", "reason", None),
        ("label", "items", {"human": "2"}, "items", {}),
        ("label", "items", {"human": 2, "martian": 1}, "items", {"human": 2}),
        ("label", "items", [], "items", {}),
        ("relay", "gathered", [], "gathered", None),
        ("relay", "gathered", {"title": ""}, "gathered", ForeignClaim()),
    ],
)
def test_what_else_cannot_be_read_is_unknown(
    kind: str, field: str, value: Any, attribute: str, unknown: Any
) -> None:
    """The problem is named; the statement says what else it says."""
    found = unsound(kind, **{field: value})
    assert getattr(found, attribute) == unknown
    assert found.problems
    assert getattr(found, "sound", True)


def test_a_key_may_end_without_a_successor() -> None:
    """Only where it was stolen."""
    terms: dict[str, Any] = {"key": ME, "reason": "compromised"}
    found: Any = content.read_content(make(content.rotate_fields, **terms))
    assert (found.successor, found.sound, found.problems) == (None, True, ())


@pytest.mark.parametrize(
    "fields",
    [
        {"for": YOU},
        {"delegation": ID},
        {"for": YOU, "delegation": b"short"},
    ],
)
def test_whom_a_statement_is_for_is_said_with_the_delegation(
    fields: dict[str, Any],
) -> None:
    """One of the two alone is a problem and says nothing."""
    found = content.read_delegated(signed(PHOTO, **fields))
    assert (found.for_, found.delegation) == (None, None)
    assert len(found.problems) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("manifest", ROOT),
        ("index", 3),
        ("count", 0),
        ("proof", b"short"),
        ("proof", bytes(32 * 64)),
    ],
)
def test_a_place_in_a_manifest_is_whole_or_nothing(field: str, value: Any) -> None:
    """A part that is not sound is named."""
    place = {"manifest": MANIFEST, "index": 1, "count": 3, "proof": b""}
    found = content.read_delegated(
        signed(PHOTO, **{"in-manifest": {**place, field: value}})
    )
    assert found.in_manifest is None
    assert found.problems[0].startswith("in-manifest")


@pytest.mark.parametrize(
    "text",
    [
        "ISCC:",
        UNIT[:-1] + "B",
        UNIT.lower(),
        "ISCC:5" + UNIT[6:],
        "ISCC:KAA" + UNIT[8:],
        "ISCC:AAA" + UNIT[8:],
        UNIT + "\n",
    ],
)
def test_no_unit_of_256_bits(text: str) -> None:
    """Another main type, another length, loose bits, other letters."""
    assert unsound("work", fingerprints={"iscc": [text]}).fingerprints.iscc == ()


NAMES = sorted(
    {
        name
        for maker, terms in FULL.values()
        for name in maker(time=TIME, salt=bytes(16), **terms)
    }
    - strategies.RESERVED
    | {"for", "delegation", "in-manifest", "number", "role", "reason", "evidence"}
)


@given(st.dictionaries(st.sampled_from(NAMES), strategies.shallow, max_size=8))
def test_any_fields_can_be_read(fields: dict[str, Any]) -> None:
    """Whatever a valid statement says, reading it raises nothing."""
    statement = signed(PHOTO, **fields)
    content.read_delegated(statement)
    for read in content.READERS.values():
        found: Any = read(statement)
        assert all(": expected " in one for one in found.problems)


def test_a_collection_agrees_with_a_manifest_by_all_its_figures() -> None:
    """A truth value is no count, and what says nothing agrees with nothing."""
    root = bytes(32)
    said = {"type": "collection", "count": 1, "bytes": 12, "root": root}
    content = read_collection(signed(PHOTO, **said))
    assert content.agrees(1, 12, root)
    for figures in ((2, 12, root), (1, 13, root), (1, 12, b"r" * 32)):
        assert not content.agrees(*figures)
    unsound = read_collection(signed(PHOTO, **(said | {"count": True})))
    assert not unsound.agrees(1, 12, root)
