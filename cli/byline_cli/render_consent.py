"""What all claims about a work come to: what may be done with it, by whose word.

Pure functions to lines.  The verdicts are those of docs/spec/state.md, "Consent"; they
are told where they say more than the one claim above them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from byline_cli.output import Line, safe
from byline_cli.wording import USE_VALUES, USES
from byline_ledger.consent import Consent
from byline_ledger.digest import cid_of_statement
from byline_ledger.use_word import UNKNOWN, Term

MOST_NAMED = 4
"""Keys, terms or offers that are named for one use."""

Name = Callable[[bytes], str]


def consent_rows(
    consents: Sequence[Consent], authors: Mapping[bytes, bytes], name: Name
) -> Iterator[Line]:
    """The verdicts on one work; `authors` of statement ids."""
    if not any(map(says_more, consents)):
        return
    yield ""
    grantee = next((one.grantee for one in consents if one.grantee is not None), None)
    who = f" {name(grantee)}" if grantee is not None else " anybody"
    yield (f"May{who}, by all that was said together", "head")
    known = {one.use: one for one in consents}
    for use, words in USES.items():
        if use in known:
            yield from verdict_rows(known[use], words, authors, name)
    offers = dict.fromkeys(id_ for one in consents for id_ in one.offers)
    for id_ in list(offers)[:MOST_NAMED]:
        by = f" of {name(authors[id_])}" if id_ in authors else ""
        yield f"  ask under the offer{by}: {cid_of_statement(id_)}"
    if not all(one.complete for one in consents):
        yield ("  Not everything that was said about it is shown.", "doubt")


def says_more(consent: Consent) -> bool:
    """Whether the verdict rests on more than one claim."""
    return len(consent.deciding) > 1 or bool(consent.offers)


def verdict_rows(
    consent: Consent, words: str, authors: Mapping[bytes, bytes], name: Name
) -> Iterator[Line]:
    """One use: the verdict, whose word decides, and the terms."""
    value = USE_VALUES.get(consent.verdict, "unknown")
    keys = dict.fromkeys(authors[id_] for id_ in consent.deciding if id_ in authors)
    named = ", ".join(map(name, list(keys)[:MOST_NAMED]))
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    is_said = keys and consent.verdict != UNKNOWN
    by = f", by the word of {named}{more}" if is_said else ""
    yield f"  {words}? {value}{by}"
    for term in consent.terms[:MOST_NAMED]:
        yield f"    on terms: {term_words(term)}"


def term_words(term: Term) -> str:
    """One condition, as far as the statement spells it out."""
    return safe(term.to_text())
