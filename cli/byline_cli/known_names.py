"""How keys are called where they are shown: by this reader, by themselves, by others.

Rule (docs/spec/names.md, "Showing names"): a name stands beside its key, in quotation
marks, with what was found when it was checked and when; one that looks like another is
said to.  Nothing here asks anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from byline_cli.output import safe
from byline_cli.signing import key_names, readable_keys
from byline_cli.wording import day
from byline_ledger.answer import Answer
from byline_ledger.did import did_key
from byline_ledger.errors import BylineError
from byline_ledger.name_check import CONFIRMED, UNREACHABLE
from byline_ledger.name_proofs import NameProof
from byline_node.called import Called, called_in, is_linked, linked_in
from byline_node.home import find_home
from byline_node.name_book import Entry, NameBook, Page

MOST_NAMES = 3
"""Proven names, and look-alikes, that are told of one key."""


def with_own_name(public: bytes) -> str:
    """A key, with the name that its holder here gave it."""
    own = key_names().get(public)
    return did_key(public) + (f" ({safe(own)})" if own else "")


def book() -> NameBook:
    """This reader's book of names."""
    return NameBook(find_home().names)


def labels_in(answer: Answer | None) -> dict[bytes, str]:
    """By key: what is said beside it, of all keys whose profiles are in an answer."""
    if answer is None:
        return {}
    called = dict(called_in(answer))
    return labels(called, linked_in(answer)) if called else {}


def labels(
    called: Mapping[bytes, Called], linked: Mapping[bytes, bytes]
) -> dict[bytes, str]:
    """By key: what it calls itself, what that looks like, and what checks found."""
    pages, alike = book(), lookalikes(called, linked)
    found: dict[bytes, str] = {}
    for key, one in called.items():
        parts = []
        if one.name:
            parts.append(f"calls itself “{one.name}”")
            parts += alike.get(key, ())
        parts += proof_notes(page_of(pages, key), one.proofs)
        if parts:
            found[key] = "; ".join(parts)
    return found


def lookalikes(
    called: Mapping[bytes, Called], linked: Mapping[bytes, bytes]
) -> dict[bytes, list[str]]:
    """By key: what is to be said of its name, and of others that look the same."""
    from byline_node import lookalikes as looks

    names = {key: one.name for key, one in called.items() if one.name}
    if not names:
        return {}
    everybody = known_to_reader() | names
    alike = looks.alike(everybody)
    found: dict[bytes, list[str]] = {}
    for key, name in names.items():
        others = [one for one in alike.get(key, ()) if not is_linked(key, one, linked)]
        found[key] = [*looks.doubts(name)] + [
            f"LOOKS LIKE “{everybody[one]}” of {did_key(one)}"
            for one in others[:MOST_NAMES]
        ]
    return found


def known_to_reader() -> dict[bytes, str]:
    """Names of the reader's book, and of keys of their own that are not in it."""
    own = {info.public: info.name for info in readable_keys()[0]}
    return own | dict(book().shown())


def page_of(pages: NameBook, key: bytes) -> Page:
    """What the book has; a page that was harmed says nothing here."""
    try:
        return pages.page(key)
    except BylineError:
        return Page(key)


def proof_notes(page: Page, proofs: Iterable[NameProof]) -> Iterator[str]:
    """Of the names that a key would prove: what was found, and when."""
    unchecked = 0
    for count, one in enumerate(proofs):
        entry = page.find(one.method, one.name)
        if entry is None or count >= MOST_NAMES:
            unchecked += 1
        else:
            yield f"{one.name} {found_in(entry)}"
    if unchecked:
        yield f"{unchecked} name{'s' if unchecked > 1 else ''} never checked"


def found_in(entry: Entry) -> str:
    """What checks of a name found, in few words and with dates."""
    last, confirmed = entry.last, entry.confirmed
    if last.finding.outcome == CONFIRMED:
        return f"confirmed on {day(last.time)}"
    word = "not reached" if last.finding.outcome == UNREACHABLE else "NOT confirmed"
    if not confirmed:
        return f"{word} on {day(last.time)}"
    return f"confirmed on {day(confirmed[-1].time)}, {word} on {day(last.time)}"
