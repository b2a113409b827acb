"""Terms, keys, members, data sets, seals and relays: made strictly, read back whole."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from tests.support.every_type import (
    FULL,
    GROUP,
    ID,
    MANIFEST,
    ME,
    PHOTO,
    ROOT,
    UNIT,
    YOU,
    make,
)
from tests.support.signed import TIME, key, signed

from byline_ledger import content, vocabulary
from byline_ledger.content import (
    Fingerprints,
    ForeignClaim,
    InManifest,
    Model,
    NameProof,
    Price,
    Share,
)
from byline_ledger.errors import UsageError
from byline_ledger.statement import Source, sign_statement

ABOUT = {"about", "manifest", "key", "member", "group"}
"""Terms that become `about`, which a type's reader does not repeat."""


@pytest.mark.parametrize("kind", FULL)
def test_what_is_said_is_read_back(kind: str) -> None:
    """Every term of every type, without a problem."""
    maker, terms = FULL[kind]
    statement = make(maker, **terms)
    assert statement.type == kind
    found: Any = content.read_content(statement)
    assert found.problems == ()
    assert getattr(found, "sound", True)
    for name, value in terms.items():
        if name not in ABOUT or kind in ("relay", "settlement", "work"):
            assert getattr(found, name, value) == value, name


@pytest.mark.parametrize("kind", FULL)
def test_what_need_not_be_said_can_be_left_out(kind: str) -> None:
    """The needed terms alone make a sound statement."""
    maker, terms = FULL[kind]
    needed = {
        "work": ("about",),
        "grant": ("about", "grantee", "uses"),
        "offer": ("about", "uses"),
        "request": ("about", "uses"),
        "profile": ("key",),
        "rotate": ("key", "successor"),
        "delegate": ("key", "types", "until"),
        "admit": ("member",),
        "leave": ("group",),
        "collection": ("manifest", "count", "size", "root"),
        "label": ("manifest", "label", "use", "count", "size", "violations"),
        "settlement": tuple(terms),
        "relay": ("about", "format", "manifest", "validation"),
    }[kind]
    found: Any = content.read_content(
        make(maker, **{name: terms[name] for name in needed})
    )
    assert found.problems == ()
    assert getattr(found, "sound", True)


def test_a_statement_names_a_key_by_the_hash_of_its_bytes() -> None:
    """Profiles, rotations, delegations, admissions and leaves."""
    for kind, about in (
        ("profile", ME),
        ("rotate", ME),
        ("delegate", YOU),
        ("admit", YOU),
        ("leave", GROUP),
    ):
        maker, terms = FULL[kind]
        assert (
            make(maker, **terms).about == b"\x12\x20" + hashlib.sha256(about).digest()
        )


def test_a_seal_says_nothing_but_its_commitment() -> None:
    """SHA-256 of the prefix, nonce, work and key."""
    statement = make(content.seal_fields, nonce=ROOT, work=PHOTO, author=ME)
    hashed = hashlib.sha256(b"byline/seal/v1\0" + ROOT + PHOTO + ME).digest()
    assert statement.about == b"\x12\x20" + hashed
    assert content.read_content(statement) == content.SealContent()


def test_a_type_that_is_not_known_has_no_content() -> None:
    """It is shown raw."""
    assert content.read_content(signed(PHOTO, type="poem")) is None


def test_every_known_type_has_a_reader() -> None:
    """And only those."""
    assert tuple(content.READERS) == vocabulary.STATEMENT_TYPES


def test_a_statement_for_another_key() -> None:
    """Any statement: the key, its delegation, a place in a manifest, a number."""
    place = InManifest(MANIFEST, 1, 3, (ROOT, ID))
    common: Any = {"time": TIME, "salt": bytes(16)}
    fields = content.delegated_fields(
        content.work_fields(about=PHOTO, title="Dawn", **common),
        for_=YOU,
        delegation=ID,
        in_manifest=place,
        number=4,
    )
    statement = sign_statement(fields, key())
    found = content.read_delegated(statement)
    assert found == content.DelegatedContent(YOU, ID, place, 4, ())
    assert content.read_work(statement).title == "Dawn"


def test_a_statement_for_nobody_else() -> None:
    """It says nothing of the kind."""
    found = content.read_delegated(signed(PHOTO))
    assert found == content.DelegatedContent(None, None, None, None, ())


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("work", {"model": Model("")}),
    ("work", {"model": Model("x", type="c2pa.types.models")}),
    ("work", {"oversight": "promptguided"}),
    ("work", {"shares": [Share(ME, 0)]}),
    ("work", {"shares": [Share(ME, 1), Share(ME, 2)]}),
    ("work", {"shares": [Share(ME, 1)] * 33}),
    ("work", {"group": b"short"}),
    ("work", {"seal_nonce": None}),
    ("work", {"seal": None}),
    ("work", {"fingerprints": Fingerprints(iscc=("ISCC:AAA",))}),
    ("work", {"fingerprints": Fingerprints(iscc=(UNIT,) * 9)}),
    ("work", {"fingerprints": Fingerprints(windows=(b"short",))}),
    ("work", {"fingerprints": Fingerprints(chunks=(b"12345678",) * 513)}),
    ("grant", {"grantee": b""}),
    ("grant", {"uses": ()}),
    ("grant", {"uses": ("data_mining", "cawg.data_mining")}),
    ("grant", {"uses": ("data_mining",) * 9}),
    ("grant", {"uses": ("training",)}),
    ("grant", {"until": 5}),
    ("grant", {"until": 2**63}),
    ("grant", {"constraint_info": ""}),
    ("grant", {"request": b"short"}),
    ("offer", {"uses": {}}),
    ("offer", {"price": Price(1, "euro", "item")}),
    ("offer", {"price": Price(1, "EUR", "piece")}),
    ("offer", {"price": Price(-1, "EUR", "item")}),
    ("offer", {"terms": ROOT}),
    ("request", {"uses": ()}),
    ("request", {"purpose": "x" * 2049}),
    ("profile", {"key": b"short"}),
    ("profile", {"recovery": ME}),
    ("profile", {"links": ("x",) * 17}),
    ("profile", {"proofs": (NameProof("dns", "ada.example"),)}),
    ("profile", {"proofs": (NameProof("ssh", "x"),) * 17}),
    ("profile", {"proofs": (NameProof("ssh", "a.b/c"),)}),
    ("profile", {"proofs": (NameProof("ssh", "a.b/c", b"x" * 1025),)}),
    ("profile", {"proofs": (NameProof("dns-txt", "a.b", b"x"),)}),
    ("profile", {"proofs": (NameProof("dns-txt", "localhost"),)}),
    ("rotate", {"successor": ME}),
    ("rotate", {"successor": None}),
    ("rotate", {"reason": "stolen"}),
    ("delegate", {"types": ()}),
    ("delegate", {"types": ("rotate",)}),
    ("delegate", {"types": ("wrok",)}),
    ("delegate", {"types": ("work",) * 17}),
    ("delegate", {"count": 0}),
    ("delegate", {"manifests": (MANIFEST,) * 17}),
    ("admit", {"parts": 1_000_001}),
    ("leave", {"note": "x" * 513}),
    ("collection", {"count": -1}),
    ("label", {"items": {"humans": 1}}),
    ("label", {"use": "training"}),
    ("settlement", {"use": ""}),
    ("relay", {"format": ""}),
    ("relay", {"validation": "good"}),
    ("relay", {"sources": (Source(PHOTO, "parentOf"),)}),
    ("relay", {"created": ForeignClaim(oversight="none")}),
]


@pytest.mark.parametrize(("kind", "wrong"), WRONG)
def test_what_is_not_sound_is_not_made(kind: str, wrong: dict[str, Any]) -> None:
    """It is the caller's mistake."""
    maker, terms = FULL[kind]
    with pytest.raises(UsageError):
        make(maker, **{**terms, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"for_": b"short"},
        {"delegation": b"short"},
        {"number": 0},
        {"in_manifest": InManifest(MANIFEST, 3, 3, ())},
        {"in_manifest": InManifest(MANIFEST, 0, 0, ())},
        {"in_manifest": InManifest(MANIFEST, 0, 3, (b"short",))},
        {"in_manifest": InManifest(MANIFEST, 0, 3, (bytes(16), bytes(16)))},
        {"in_manifest": InManifest(MANIFEST, 0, 3, (ROOT,) * 64)},
    ],
)
def test_what_is_not_sound_is_not_said_for_others(wrong: dict[str, Any]) -> None:
    """Keys, numbers and proofs of the wrong size."""
    terms: dict[str, Any] = {"for_": YOU, "delegation": ID, **wrong}
    with pytest.raises(UsageError):
        content.delegated_fields({}, **terms)


@pytest.mark.parametrize(
    "terms",
    [
        {"nonce": b"", "work": PHOTO, "author": ME},
        {"nonce": ROOT, "work": ROOT, "author": ME},
        {"nonce": ROOT, "work": PHOTO, "author": b""},
    ],
)
def test_a_seal_of_parts_that_are_not_sound(terms: dict[str, bytes]) -> None:
    """A commitment to them could never be opened."""
    with pytest.raises(UsageError):
        content.seal_commitment(**terms)


def test_slips_are_answered_with_the_nearest() -> None:
    """The words of all types."""
    for kind, wrong, guess in (
        ("work", {"oversight": "prompt-guided"}, "prompt_guided"),
        ("rotate", {"reason": "compromise"}, "compromised"),
        ("profile", {"proofs": (NameProof("dnstxt", "x"),)}, "dns-txt"),
        ("offer", {"price": Price(1, "EUR", "items")}, "item"),
        ("relay", {"validation": "Valid"}, "valid"),
        ("delegate", {"types": ("works",)}, "work"),
        ("label", {"items": {"humans": 1}}, "human"),
        ("settlement", {"use": "generative_training"}, "ai_generative_training"),
    ):
        maker, terms = FULL[kind]
        with pytest.raises(UsageError) as caught:
            make(maker, **{**terms, **wrong})
        assert f"did you mean {guess}?" in str(caught.value.hint)
