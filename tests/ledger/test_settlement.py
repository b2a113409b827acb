"""Settlements: the rows, their one spelling, and a division that loses no unit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_ledger.content_terms import Price
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import MalformedError
from byline_ledger.settlement import (
    CountedClaim,
    decimal,
    divide,
    members_to_bytes,
    rows_of,
    totals,
)
from byline_ledger.settlement_rows import (
    HEADER,
    MAX_LINE,
    Row,
    rows_from_bytes,
    rows_root,
    rows_to_bytes,
)

ANN, BEN, EVE = (SigningKey.from_seed(bytes([n]) * 32).public for n in (1, 2, 3))
OFFER = b"o" * 32


def claim(
    name: int = 1,
    kin: bytes = ANN,
    shares: dict[bytes, int] | None = None,
    *,
    disputed: bool = False,
    offer: bytes | None = OFFER,
) -> CountedClaim:
    shares = shares or {kin: 1}
    return CountedClaim(bytes([name]) * 32, kin, shares, "allowed", offer, disputed)


def row(work: int = 1, member: bytes = ANN, **other: object) -> Row:
    values: dict[str, object] = {
        "work": bytes([work]) * 32,
        "size": 10,
        "member": member,
        "parts": 1,
        "of": 1,
        "word": "allowed",
        "contested": False,
        "claim": b"c" * 32,
        "offer": OFFER,
    }
    return Row(**(values | other))  # type: ignore[arg-type]


def test_the_author_alone_has_the_work() -> None:
    (one,) = rows_of(b"w" * 32, 7, [claim()])
    assert (one.member, one.parts, one.of, one.contested) == (ANN, 1, 1, False)
    assert (one.size, one.word, one.offer) == (7, "allowed", OFFER)


def test_declared_shares_are_parts_of_their_sum() -> None:
    rows = rows_of(b"w" * 32, 7, [claim(shares={ANN: 3, BEN: 1})])
    assert {one.member: (one.parts, one.of) for one in rows} == {
        ANN: (3, 4),
        BEN: (1, 4),
    }


def test_of_linked_authors_the_first_claim_counts() -> None:
    rows = rows_of(b"w" * 32, 7, [claim(2), claim(1)])
    assert [one.claim for one in rows] == [b"\x02" * 32]
    assert not rows[0].contested


def test_rival_claims_are_both_listed_and_contested() -> None:
    rows = rows_of(b"w" * 32, 7, [claim(1), claim(2, BEN)])
    assert [(one.member, one.contested) for one in rows] == [(ANN, True), (BEN, True)]


def test_a_dispute_about_authorship_makes_rows_contested() -> None:
    assert rows_of(b"w" * 32, 7, [claim(disputed=True)])[0].contested


def test_a_work_without_a_counted_claim_has_no_rows() -> None:
    assert rows_of(b"w" * 32, 7, []) == []


def test_totals_leave_contested_works_out() -> None:
    rows = [row(1), row(2, contested=True), row(3, BEN, size=5)]
    ann, ben = sorted(totals(rows, {}), key=lambda one: one.member != ANN)
    assert (ann.works, ann.contested, ann.size, ann.share) == (1, 1, 10, 1)
    assert (ben.works, ben.contested, ben.size, ben.due) == (1, 0, 5, {})


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        ("item", {ANN: 150, BEN: 50}),
        ("set", {ANN: 75, BEN: 25}),
        ("year", {ANN: 75, BEN: 25}),
        ("megabyte", {ANN: 250, BEN: 50}),
    ],
)
def test_what_an_offer_asks_is_divided(per: str, expected: dict[bytes, int]) -> None:
    rows = [
        row(1, size=2_000_000),
        row(2, ANN, size=1_000_000, parts=1, of=2),
        row(2, BEN, size=1_000_000, parts=1, of=2),
    ]
    told = totals(rows, {OFFER: Price(100, "EUR", per)})
    assert {one.member: one.due["EUR"] for one in told} == expected


def test_only_offers_with_a_price_make_something_due() -> None:
    rows = [row(1, offer=None), row(2, offer=b"x" * 32)]
    (ann,) = totals(rows, {OFFER: Price(100, "EUR", "item")})
    assert ann.due == {}


def test_two_offers_in_one_currency_add_up() -> None:
    prices = {OFFER: Price(100, "EUR", "item"), b"p" * 32: Price(5, "EUR", "item")}
    (ann,) = totals([row(1), row(2, offer=b"p" * 32)], prices)
    assert ann.due == {"EUR": 105}


@given(
    st.integers(0, 10**9),
    st.dictionaries(
        st.binary(min_size=1, max_size=4),
        st.fractions(min_value=0, max_value=1000),
        min_size=1,
        max_size=9,
    ),
)
def test_a_division_loses_no_unit_and_is_nearly_exact(
    total: int, weights: dict[bytes, Fraction]
) -> None:
    given_ = divide(total, weights)
    whole = sum(weights.values())
    assert sum(given_.values()) == (total if whole else 0)
    for key, units in given_.items():
        exact = total * weights[key] / whole if whole else 0
        assert abs(units - exact) < 1


def test_ties_go_to_the_lesser_key() -> None:
    assert divide(1, {b"b": Fraction(1), b"a": Fraction(1)}) == {b"b": 0, b"a": 1}


def test_the_table_of_members() -> None:
    rows = [row(1), row(2, BEN, parts=1, of=3, offer=None)]
    text = members_to_bytes(totals(rows, {OFFER: Price(7, "EUR", "item")})).decode()
    assert text.startswith(
        "member,works,contested,bytes,share,due_minor_units,currency\n"
    )
    assert ",1,0,10,1.000000,7,EUR\n" in text
    assert ",1,0,10,0.333333,0,\n" in text


def test_a_share_is_rounded_down() -> None:
    assert decimal(Fraction(2, 3)) == "0.666666"


def test_rows_have_one_spelling() -> None:
    rows = (row(1), row(1, claim=b"d" * 32, offer=None, contested=True), row(2))
    data = rows_to_bytes(rows)
    assert rows_from_bytes(data) == rows
    assert data.count(b"\n") == 4
    assert rows_to_bytes(rows_from_bytes(data)) == data


def test_the_root_is_that_of_the_lines() -> None:
    from hashlib import sha256

    one = row(1)
    leaf = sha256(b"\0" + one.to_line().encode()).digest()
    assert rows_root([one]) == leaf
    assert rows_root([]) == sha256(b"").digest()


GOOD = row(1).to_line()


@pytest.mark.parametrize(
    "line",
    [
        GOOD + ",",
        GOOD + " " * MAX_LINE,
        GOOD.replace(GOOD[:64], GOOD[:64].upper().replace("0", "F")),
        GOOD.replace("allowed", "maybe"),
        GOOD.replace(",no,", ",No,"),
        GOOD.replace(",10,", ",010,"),
        GOOD.replace(",10,", ",9223372036854775808,"),
        GOOD.replace(",1,1,", ",0,1,"),
        GOOD.replace(",1,1,", ",2,1,"),
        GOOD.replace(",1,1,", ",1,32000001,"),
        GOOD.replace("did:key:z", "did:key:y"),
        GOOD.replace(",bagaqiera", ",BAGAQIERA"),
        GOOD.replace(",no,bagaqiera", ",no,"),
        GOOD.replace(cid_of_statement(b"c" * 32), (b"c" * 32).hex()),
    ],
)
def test_lines_that_are_refused(line: str) -> None:
    with pytest.raises(MalformedError, match="line 2"):
        rows_from_bytes(f"{HEADER}\n{line}\n".encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEADER.encode(),
        HEADER[1:].encode() + b"\n",
        HEADER.encode() + b"\n" + GOOD.encode(),
        HEADER.encode() + b"\n\xff\n",
        rows_to_bytes([row(2), row(1)]),
        rows_to_bytes([row(1), row(1)]),
    ],
)
def test_files_that_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        rows_from_bytes(data)


def test_a_file_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byline_ledger.settlement_rows.MAX_ROWS_FILE", 3)
    with pytest.raises(MalformedError, match="at most"):
        rows_from_bytes(b"work")


def test_shares_of_many_denominators_are_summed_exactly() -> None:
    rows = [
        row(work, member, of=1_000 + work, parts=parts, claim=bytes([work]) * 32)
        for work in range(1, 250)
        for member, parts in ((ANN, work), (BEN, 1_000))
    ]
    ann, ben = sorted(totals(rows, {}), key=lambda one: one.member != ANN)
    assert ann.share == sum((Fraction(n, 1_000 + n) for n in range(1, 250)), Fraction())
    assert ann.share + ben.share == 249
