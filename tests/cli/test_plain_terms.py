"""Terms, wishes and foreign claims in plain words; nothing in them is a fact."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cli.test_render import claim, remark

from byline_cli.plain_terms import about_claim, sentence
from byline_ledger.content import (
    Content,
    ForeignClaim,
    Model,
    Price,
    Share,
    grant_fields,
    offer_fields,
    read_content,
    relay_fields,
    request_fields,
    work_fields,
)
from byline_ledger.content_sets import (
    collection_fields,
    label_fields,
    settlement_fields,
)
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import cid_of_statement, digest_bytes
from byline_ledger.statement import sign_statement

WORK = digest_bytes(b"0")
DAY = 1_767_225_600_000
WHEN: Any = {"about": WORK, "time": 0, "salt": bytes(16)}
SET: Any = {"manifest": WORK, "time": 0, "salt": bytes(16)}


def name(key: bytes) -> str:
    return f"K{key[0]}"


def content(fields: dict[str, Any]) -> Content | None:
    return read_content(sign_statement(fields, SigningKey.from_seed(bytes(32))))


def said(fields: dict[str, Any]) -> str | None:
    return sentence(remark(type=fields["type"], content=content(fields)), name)


def test_a_grant() -> None:
    uses = ("ai_training", "data_mining")
    plain = grant_fields(grantee=bytes(32), uses=uses, **WHEN)
    assert said(plain) == "K0 may train AI that does not generate and be mined for data"
    full = grant_fields(
        grantee=bytes(32),
        uses=uses[:1],
        from_=DAY,
        until=2 * DAY,
        constraint_info="credit me\x1b",
        request=bytes(32),
        **WHEN,
    )
    assert said(full) == (
        "K0 may train AI that does not generate from 2026-01-01 until 2082-01-01, on"
        f" conditions: credit me\\x1b, in answer to {cid_of_statement(bytes(32))}"
    )


def test_an_offer() -> None:
    plain = offer_fields(uses={"ai_inference": "allowed"}, **WHEN)
    assert said(plain) == "for everybody, be input to AI? allowed"
    full = offer_fields(
        uses={"ai_training": "constrained:once"},
        grantee=bytes(32),
        price=Price(500, "EUR", "item"),
        license="MIT",
        terms_url="https://x.example",
        contact="a@x.example",
        **WHEN,
    )
    assert said(full) == (
        "for K0, train AI that does not generate? only on conditions (once), price 5.00"
        " EUR per item, licence MIT, terms https://x.example, contact a@x.example"
    )


def test_a_request() -> None:
    full = request_fields(
        uses=("ai_training",),
        purpose="a model of mills",
        until=DAY,
        offer=bytes(32),
        contact="b@x.example",
        **WHEN,
    )
    assert said(full) == (
        "asks to train AI that does not generate until 2026-01-01, “a model of mills”,"
        f" contact b@x.example, takes up {cid_of_statement(bytes(32))}"
    )


def test_a_foreign_claim_keeps_its_issuers_words_apart() -> None:
    created = ForeignClaim(
        source_type="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
        title="Mill",
        license="MIT",
        uses={"cawg.ai_training": "notAllowed"},
        creators=("A", "B"),
    )
    full = relay_fields(
        format="c2pa",
        manifest=WORK,
        validation="valid",
        validator="tool 1",
        issuer="Camera Ltd",
        created=created,
        gathered=ForeignClaim(title="Mühle"),
        **WHEN,
    )
    assert said(full) == (
        "carries c2pa credentials of “Camera Ltd”; found valid by tool 1; the issuer"
        " says: made by human, “Mill”, by A, B, licence MIT, train AI that does not"
        " generate? NOT allowed; the issuer passes on: “Mühle”"
    )
    bare = relay_fields(format="c2pa", manifest=WORK, validation="invalid", **WHEN)
    assert said(bare) == "carries c2pa credentials of an unnamed issuer; found invalid"


def test_sets() -> None:
    root = bytes(32)
    assert said(collection_fields(count=2, size=9, root=root, title="T", **SET)) == (
        "a data set “T” of 2 works"
    )
    label = label_fields(
        label=WORK, use="ai_training", count=1, size=9, violations=3, **SET
    )
    assert (
        said(label)
        == "a label of 1 work to train AI that does not generate, 3 violations"
    )
    settlement = settlement_fields(
        group=bytes(32),
        use="ai_training",
        rows=WORK,
        members=1,
        items=4,
        root=root,
        **SET,
    )
    assert said(settlement) == "a settlement of 4 works by 1 member of K0"


@pytest.mark.parametrize(
    "type_", ["grant", "offer", "request", "relay", "collection", "dispute", "poem"]
)
def test_what_says_nothing_sound_is_not_put_into_words(type_: str) -> None:
    assert said({"type": type_, "uses": 7, **WHEN}) is None


def test_what_a_claim_says_of_its_making() -> None:
    fields = work_fields(
        model=Model("M", "m-1"),
        oversight="human_validated",
        shares=(Share(bytes(32), 2), Share(bytes([1]) * 32, 1)),
        group=bytes([2]) * 32,
        **WHEN,
    )
    rows = list(about_claim(claim(content=content(fields)), name))
    assert rows == [
        ("AI model", "M (m-1)"),
        ("looked after", "a person saw what the model made, and approved it"),
        ("shares", "66.67 % K0"),
        ("", "33.33 % K1"),
        ("offered by", "K2, a cooperative"),
    ]
    bare = content({"type": "work", "model": 3, **WHEN})
    assert list(about_claim(claim(content=bare), name)) == []
    assert list(about_claim(claim(), name)) == []


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (5, "EUR", "0.05 EUR per year"),
        (123_456_789, "USD", "1,234,567.89 USD per year"),
        (500, "JPY", "500 JPY per year"),
        (1_500, "KWD", "1.500 KWD per year"),
    ],
)
def test_amounts_are_written_as_people_write_them(
    amount: int, currency: str, text: str
) -> None:
    assert Price(amount, currency, "year").to_text() == text
