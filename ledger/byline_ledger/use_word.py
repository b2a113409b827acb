"""What one statement says on one use, and which of several words wins.

Rule: docs/spec/state.md, "Consent".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from byline_ledger.content_terms import OfferContent, Price
from byline_ledger.content_work import WorkContent
from byline_ledger.digest import cid_of_statement
from byline_ledger.facts import Record

ALLOWED, CONSTRAINED = "allowed", "constrained"
NOT_ALLOWED, UNKNOWN = "notAllowed", "unknown"
VERDICTS: Final = (ALLOWED, CONSTRAINED, NOT_ALLOWED, UNKNOWN)
"""In the order of tables."""
STRICTNESS: Final = (NOT_ALLOWED, CONSTRAINED, UNKNOWN, ALLOWED)
"""Of several words, the first of these that is among them wins."""


@dataclass(frozen=True, slots=True)
class Term:
    """On which conditions: what one statement says of them."""

    statement: bytes
    """Its id."""
    text: str | None = None
    price: Price | None = None
    terms: bytes | None = None
    """Multihash of the text of the terms."""
    terms_url: str | None = None

    def to_text(self) -> str:
        """As far as the statement spells it out; else which statement has it."""
        price = self.price.to_text() if self.price is not None else None
        told = "; ".join(filter(None, (self.text, price, self.terms_url)))
        return told or f"those of {cid_of_statement(self.statement)}"


@dataclass(frozen=True, slots=True)
class Word:
    """What a claim comes to on one use, by which statements, on which terms."""

    value: str
    by: tuple[bytes, ...] = ()
    terms: tuple[Term, ...] = ()


def strictest(words: Sequence[Word]) -> Word:
    """The most restrictive of some words, by all that say it."""
    value = next(one for one in STRICTNESS if any(one == w.value for w in words))
    saying = [one for one in words if one.value == value]
    return Word(
        value,
        unique(id_ for one in saying for id_ in one.by),
        unique(term for one in saying for term in one.terms),
    )


def claim_word(claim: Record, content: WorkContent, use: str) -> Word | None:
    """What a claim itself says on a use; None if it is silent."""
    value, id_ = content.uses.get(use), claim.statement.id
    if value is None:
        return _not_understood(claim, use)
    return _word(value, content.constraints.get(use), id_)


def offer_word(record: Record, offer: OfferContent, use: str) -> Word | None:
    """What an offer says on a use: with a price or terms it is conditional."""
    value, id_ = offer.uses.get(use), record.statement.id
    if value is None:
        return _not_understood(record, use)
    has_terms = any(
        one is not None for one in (offer.price, offer.terms, offer.terms_url)
    )
    info = offer.constraints.get(use)
    if value == NOT_ALLOWED or not has_terms:
        return _word(value, info, id_)
    term = Term(id_, info, offer.price, offer.terms, offer.terms_url)
    return Word(CONSTRAINED, (id_,), (term,))


def _word(value: str, info: str | None, id_: bytes) -> Word:
    """`constrained` without a text asks no less than notAllowed."""
    if value != CONSTRAINED:
        return Word(value, (id_,))
    if info is None:
        return Word(NOT_ALLOWED, (id_,))
    return Word(CONSTRAINED, (id_,), (Term(id_, info),))


def _not_understood(record: Record, use: str) -> Word | None:
    """Unknown where there is an entry that cannot be read; else None."""
    said = record.statement.fields.get("uses", {})
    is_silent = isinstance(said, dict) and use not in said
    return None if is_silent else Word(UNKNOWN, (record.statement.id,))


def unless_forbidden(word: Word) -> Word:
    """A word in doubt: only a no is left of it."""
    return word if word.value == NOT_ALLOWED else Word(UNKNOWN, word.by)


T = TypeVar("T")


def unique(items: Iterable[T]) -> tuple[T, ...]:
    """Each once, in the order they came."""
    return tuple(dict.fromkeys(items))
