"""Verdicts on uses in plain words: told where they say more than one claim does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from byline_cli.render_consent import MOST_NAMED, consent_rows, term_words
from byline_ledger.consent import Consent
from byline_ledger.content import Price
from byline_ledger.digest import cid_of_statement, digest_bytes
from byline_ledger.use_word import Term

IDS = [bytes([i]) * 32 for i in range(9)]
AUTHORS = {id_: id_ for id_ in IDS}
NO = Consent(
    work=digest_bytes(b"0"),
    use="cawg.ai_training",
    grantee=None,
    verdict="notAllowed",
    deciding=tuple(IDS[:2]),
    terms=(),
    offers=(),
    complete=True,
)


def name(key: bytes) -> str:
    return f"K{key[0]}"


def shown(**changes: Any) -> list[str]:
    rows = consent_rows([replace(NO, **changes)], AUTHORS, name)
    return [row if isinstance(row, str) else row[0] for row in rows]


def test_what_one_claim_says_is_not_said_again() -> None:
    assert shown(deciding=(IDS[0],)) == []


def test_the_verdict_and_whose_word_it_is() -> None:
    assert shown() == [
        "",
        "May anybody, by all that was said together",
        "  train AI that does not generate? NOT allowed, by the word of K0, K1",
    ]


def test_terms_offers_and_what_is_missing() -> None:
    rows = shown(
        grantee=IDS[5],
        verdict="constrained",
        terms=(Term(IDS[1], "credit\x1b me"), Term(IDS[2])),
        offers=(IDS[2], bytes([99]) * 32),
        complete=False,
    )
    assert rows[1:] == [
        "May K5, by all that was said together",
        "  train AI that does not generate? only on conditions, by the word of K0, K1",
        "    on terms: credit\\x1b me",
        f"    on terms: those of {cid_of_statement(IDS[2])}",
        f"  ask under the offer of K2: {cid_of_statement(IDS[2])}",
        f"  ask under the offer: {cid_of_statement(bytes([99]) * 32)}",
        "  Not everything that was said about it is shown.",
    ]


def test_unknown_is_said_and_many_are_counted() -> None:
    assert "  train AI that does not generate? unknown" in shown(verdict="unknown")
    (row,) = (row for row in shown(deciding=tuple(IDS)) if "train" in row)
    assert row.endswith(f"K3 and {len(IDS) - MOST_NAMED} more")


def test_terms_in_words() -> None:
    term = Term(IDS[0], "ask", Price(100, "EUR", "set"), None, "https://x.example")
    assert term_words(term) == "ask; 1.00 EUR per set; https://x.example"
