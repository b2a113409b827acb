"""What the verdicts on a work come to where a projection is made of them, and what a
projection has no words for.

Rule (docs/spec/projections.md): unknown is left out; a condition is told by the address
of its terms where they are nothing else, else in words; whoever writes a projection is
told what it loses, for who reads only the file would take a work to be protected that
is not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from byline_ledger.answer import Answer
from byline_ledger.consent import Consent
from byline_ledger.projection import (
    CARRIED,
    Placed,
    Saying,
    Sayings,
    is_address,
    says_something,
)
from byline_ledger.use_word import CONSTRAINED, UNKNOWN, Term
from byline_ledger.vocabulary import USES


def sayings_of(answer: Answer) -> Sayings:
    """What all claims about the work come to, for anybody (docs/spec/state.md)."""
    found = {use: saying_of(answer.consent(use)) for use in USES}
    return {use: one for use, one in found.items() if one is not None}


def saying_of(consent: Consent) -> Saying | None:
    """A verdict, with the terms of all that decide; None if it is unknown."""
    if consent.verdict == UNKNOWN:
        return None
    if consent.verdict != CONSTRAINED:
        return Saying(consent.verdict)
    addresses = {_address_of(one) for one in consent.terms}
    if len(addresses) == 1 and None not in addresses:
        return Saying(CONSTRAINED, None, addresses.pop())
    text = "; ".join(one.to_text() for one in consent.terms)
    return Saying(CONSTRAINED, text or None)


def _address_of(term: Term) -> str | None:
    """Where all of a term is to be read, if it is a web address and nothing else."""
    if term.terms_url and not term.text and term.price is None:
        return term.terms_url
    return term.text if term.text and is_address(term.text) else None


@dataclass(frozen=True, slots=True)
class Losses:
    """What is known of the works of one projection and is not written."""

    form: str
    silent: int
    """Works of which nothing is known."""
    written: int
    """Works about which the file says something."""
    wordless: int
    """Works of which something is known, and the file says nothing."""
    unsaid: Mapping[str, int]
    """Entry that the form has no word for, to the number of works that have it."""

    @classmethod
    def of(cls, form: str, works: Sequence[Placed]) -> Losses:
        """Count them."""
        silent = sum(not one.sayings for one in works)
        written = sum(says_something(form, one) for one in works)
        counts = {use: sum(use in one.sayings for one in works) for use in USES}
        unsaid = {u: n for u, n in counts.items() if n and u not in CARRIED[form]}
        return cls(form, silent, written, len(works) - silent - written, unsaid)

    @property
    def protects_nothing(self) -> bool:
        """Whether something is known and all of it would be lost: then nothing may be
        written, since an empty file looks like protection."""
        return bool(self.wordless) and not self.written

    def better(self, uses: Collection[str]) -> list[str]:
        """The other forms that have words for all of these entries; without entries
        the one that has most."""
        able = [one for one in CARRIED if {*uses} <= {*CARRIED[one]}]
        able = able if uses else ["cawg"]
        return [one for one in able if one != self.form]
