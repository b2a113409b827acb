"""Lookups of a chain, and what they say of keys: who acts, own words, delegations.

Rule: each history and each word is looked up once; whoever rests on it again takes over
what it lacked.  Specification: docs/spec/bundle.md, "Chain"; the works are in
derivation.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from byline_ledger.chain import (
    FOLLOWED,
    HISTORY_PAGE,
    LOOKUP_WEIGHT,
    MAX_EVIDENCE,
    OWN_PAGE,
    Evidence,
    Gone,
    KeyHistory,
    Word,
    key_in,
)
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.entry import (
    ID_BYTES,
    KEY_BYTES,
    author_tag,
    id_in,
    source_key,
    subject_key,
)
from byline_ledger.errors import ProofError
from byline_ledger.facts import Facts, Record
from byline_ledger.key_state import MAX_SUCCESSORS, Keys, KeyState
from byline_ledger.opening import Walk
from byline_ledger.statement import Statement

BY_KEY = "statements of a key"

_K = TypeVar("_K")
_V = TypeVar("_V")

Recall: TypeAlias = Callable[[bytes], "Statement | Gone"]
"""The statement of an id, or what is left of it."""
Place: TypeAlias = Callable[[bytes], int]
"""The leaf index of a statement that `Recall` gave."""


@dataclass(slots=True)
class Notes:
    """What the part of one work rests on, and what it lacks; dicts keep an order."""

    gaps: dict[str, None] = field(default_factory=dict)
    keys: set[bytes] = field(default_factory=set)
    words: set[tuple[bytes, bytes]] = field(default_factory=set)
    capped: bool = False

    def add(self, other: Notes) -> None:
        """What rests on that as well."""
        self.gaps |= other.gaps
        self.keys |= other.keys
        self.words |= other.words
        self.capped = self.capped or other.capped


@dataclass(frozen=True, slots=True)
class Acting:
    """Who may act for a key; `settled` is false if there may be more.

    `rivals` are successors that a contested rotation names: they do not act.
    """

    keys: tuple[bytes, ...]
    rivals: tuple[bytes, ...]
    settled: bool

    def __or__(self, other: Acting) -> Acting:
        keys = tuple(dict.fromkeys(self.keys + other.keys))
        rivals = tuple(dict.fromkeys(self.rivals + other.rivals))
        return Acting(keys, rivals, self.settled and other.settled)


@dataclass(frozen=True, slots=True)
class Page:
    """What one lookup shows, with the bodies that are there."""

    count: int
    statements: tuple[Statement, ...]
    gone: tuple[Gone, ...]
    complete: bool

    @property
    def is_whole(self) -> bool:
        """Whether it shows everything, with every body."""
        return self.complete and not self.gone


EMPTY = Page(0, (), (), True)


class KeyLookups:
    """Lookups on one trie, within the caps, and what they say of keys."""

    def __init__(self, walk: Walk, recall: Recall, place: Place) -> None:
        self._walk = walk
        self._recall = recall
        self._place = place
        self.used: dict[bytes, Statement | Gone] = {}
        """All that was shown, by id."""
        self._strings: dict[bytes, Statement | Gone] = {}
        self._weight = 0
        self.histories: dict[bytes, tuple[KeyHistory, Notes]] = {}
        self._acts: dict[bytes, tuple[Acting, Notes]] = {}
        self.words: dict[tuple[bytes, bytes], tuple[Word, Notes]] = {}
        self.notes = Notes()
        """Of the work that is looked at."""

    # Lookups

    def find(self, prefix: bytes, limit: int, what: str) -> Page | None:
        """The lookup, or None once the answer has outgrown what a bundle may hold."""
        if self._weight > MAX_EVIDENCE:
            self.notes.capped = True
            gap = f"statements beyond {MAX_EVIDENCE} bytes are not followed"
            self.notes.gaps[gap] = None
            return None
        self._weight += LOOKUP_WEIGHT
        found = self._walk.find(prefix, limit)
        if not found.count:
            return EMPTY
        complete = len(found.strings) == found.count
        if not complete:
            self.notes.gaps[f"there are more {what} than are shown"] = None
        shown = [self._use(string) for string in found.strings]
        there = tuple([one for one in shown if type(one) is Statement])
        if len(there) == len(shown):
            return Page(found.count, there, (), complete)
        gone = tuple(one for one in shown if isinstance(one, Gone))
        return Page(found.count, there, gone, complete)

    def _use(self, string: bytes) -> Statement | Gone:
        """The statement behind a string of the lookup set, which must fit it."""
        known = self._strings.get(string)
        if known is not None:
            return known
        id_ = id_in(string)
        known = self.used.get(id_)
        if known is None:
            known = self._recall(id_)
            self.used[id_] = known
            self._weight += _weight(known)
        if not _fits(known, string):
            raise ProofError(
                f"statement {id_.hex()} is listed where it does not belong"
            )
        self._strings[string] = known
        return known

    def own_word(self, statement: Statement, acting: Acting) -> Evidence:
        """A statement with what these keys say about it."""
        about = subject_key(multihash(statement.id))
        own: list[Statement] = []
        missing: list[Gone] = []
        settled = acting.settled
        for key in dict.fromkeys(acting.keys + acting.rivals):
            found = self.find(about + author_tag(key), OWN_PAGE, BY_KEY)
            if found is EMPTY:
                continue
            if found is None:
                settled = False
                break
            own += _by(key, found)
            missing += found.gone
            settled = settled and found.is_whole
        return Evidence(statement, tuple(own), settled, gone=tuple(missing))

    def acting_for(self, statement: Statement) -> Acting:
        """Who may act for the author, and for the key that it was signed for."""
        acting = self.acting(statement.author)
        principal = key_in(statement, "for")
        return acting if principal is None else acting | self.acting(principal)

    def delegations(self, principal: bytes, delegate: bytes) -> None:
        """What those who act for one key said about another."""
        about = digest_bytes(delegate)
        for key in self.acting(principal).keys:
            self.word(about, key)

    def word(self, about: bytes, author: bytes) -> Word:
        """What a key said about something, looked up once."""
        return self._once(self.words, (about, author), self._find_word)

    def _find_word(self, at: tuple[bytes, bytes]) -> Word:
        self.notes.words.add(at)
        about, author = at
        prefix = subject_key(about) + author_tag(author)
        limit = HISTORY_PAGE if about == digest_bytes(author) else OWN_PAGE
        found = self.find(prefix, limit, BY_KEY)
        if found is None:
            return Word(about, author, (), None, False)
        statements = tuple(
            self.own_word(one, self.acting(author))
            if one.type in FOLLOWED
            else Evidence(one)
            for one in _by(author, found)
        )
        return Word(about, author, statements, found.count, found.is_whole, found.gone)

    # Keys

    def acting(self, author: bytes) -> Acting:
        """The author's key and its uncontested successors, looked up once."""
        return self._once(self._acts, author, self._find_acting)

    def _find_acting(self, author: bytes) -> Acting:
        keys = [author]
        while True:
            history = self._once(self.histories, keys[-1], self._find_history)
            if not history.settled:
                return Acting(tuple(keys), history.rivals, False)
            if history.successor is None or history.successor in keys:
                return Acting(tuple(keys), history.rivals, True)
            if len(keys) > MAX_SUCCESSORS:
                gap = f"successors beyond {MAX_SUCCESSORS} are not followed"
                self.notes.gaps[gap] = None
                return Acting(tuple(keys), (), False)
            keys.append(history.successor)

    def _find_history(self, key: bytes) -> KeyHistory:
        self.notes.keys.add(key)
        about = subject_key(digest_bytes(key))
        found = self.find(about + author_tag(key), HISTORY_PAGE, BY_KEY)
        if found is None:
            return KeyHistory(key, (), 0, False, None)
        if found is EMPTY:
            return KeyHistory(key, (), 0, True, None)
        said, settled = _by(key, found), found.is_whole
        recovered: tuple[Statement, ...] = ()
        state = self._state(key, said)
        if state.recovery is not None:
            more = self.find(about + author_tag(state.recovery), OWN_PAGE, BY_KEY)
            settled = settled and more is not None and more.is_whole
            recovered = _by(state.recovery, more or EMPTY)
            state = self._state(key, said + recovered)
        named = state.named
        return KeyHistory(
            author=key,
            statements=said,
            total=found.count,
            settled=settled,
            successor=named[0] if settled and len(named) == 1 else None,
            recovery=state.recovery,
            recovered=recovered,
            named=tuple(sorted(named)),
        )

    def _state(self, key: bytes, said: tuple[Statement, ...]) -> KeyState:
        """What became of a key, as far as this shows it (state.md, "Keys")."""
        records = (Record(one, self._place(one.id)) for one in said)
        return Keys(Facts(records)).state(key)

    def _once(
        self,
        known: dict[_K, tuple[_V, Notes]],
        at: _K,
        find: Callable[[_K], _V],
    ) -> _V:
        """What was found before, or now; either way, the work at hand rests on it."""
        if at not in known:
            outer = self.notes
            self.notes = Notes()
            known[at] = find(at), self.notes
            self.notes = outer
        value, notes = known[at]
        self.notes.add(notes)
        return value


def _by(author: bytes, page: Page) -> tuple[Statement, ...]:
    """What a key says there: others may have the same tag."""
    return tuple([one for one in page.statements if one.author == author])


def _weight(one: Statement | Gone) -> int:
    """What a statement adds to a bundle, about."""
    if isinstance(one, Gone):
        return len(one.entry.to_bytes())
    return len(one.body) + len(one.signature)


def _fits(one: Statement | Gone, string: bytes) -> bool:
    """Whether this statement adds this string to the set."""
    key, tag = string[:KEY_BYTES], string[KEY_BYTES:-ID_BYTES]
    if isinstance(one, Gone):
        return key in one.entry.keys and one.entry.tag == tag
    if author_tag(one.author) != tag:
        return False
    if subject_key(one.about) == key:
        return True
    return any(source_key(source.digest) == key for source in one.sources)
