"""The facts that a verified chain shows, for the rules of effective state.

Rule: docs/spec/state.md, "What has to be shown".  All statements of the chain are
facts, whichever lookup brought them.  That all is shown of what a key said about
something is known only where that very lookup was made and was complete: what the chain
did not ask for is missing, whoever was meant to act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from byline_ledger.chain import Chain, Evidence, key_in
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.facts import NOW, AsOf, Facts, Record
from byline_ledger.statement import Statement

RecordOf: TypeAlias = Callable[[Statement], Record]
"""A statement with its place, and when it existed at the latest."""


def facts_of(chain: Chain, record_of: RecordOf, as_of: AsOf = NOW) -> Facts:
    """The facts of one chain, as of a point in time."""
    seen = _Seen(chain)
    return Facts(
        map(record_of, seen.statements.values()),
        shown=seen.is_shown,
        gone=seen.gone.__contains__,
        as_of=as_of,
    )


class _Seen:
    """Which statements are there, and which lookups were complete."""

    def __init__(self, chain: Chain) -> None:
        self.statements: dict[bytes, Statement] = {}
        self.gone: set[bytes] = set()
        self._whole: set[bytes] = set()
        self._shown: set[tuple[bytes, bytes]] = set()
        self._successors = {one.author: one.successor for one in chain.keys}
        for work in chain.works:
            self._add(work.statements)
            self._add(work.derived)
            said = {one.statement.id for one in work.statements}
            if work.total == len(said) and not work.gone:
                self._whole.add(work.digest)
            if work.gone:
                self.gone.add(work.digest)
        self._add_keys(chain)

    def is_shown(self, about: bytes, key: bytes | None) -> bool:
        return about in self._whole or (key is not None and (about, key) in self._shown)

    def _add(self, rows: Iterable[Evidence], signed_for: bool = True) -> None:
        """`signed_for`: whether the own word of that key was looked up as well."""
        for one in rows:
            said = (one.statement, *one.own)
            self.statements.update((statement.id, statement) for statement in said)
            name, author = multihash(one.statement.id), one.statement.author
            if one.gone:
                self.gone.add(name)
            if one.settled:
                principal = key_in(one.statement, "for") if signed_for else None
                self._shown.update(
                    (name, key) for key in self._asked(author, principal)
                )
            if one.remarks_total == len(one.remarks):
                self._whole.add(name)
            self._add(one.remarks)

    def _asked(self, *authors: bytes | None) -> Iterator[bytes]:
        """The keys whose own word on a statement the chain looked up."""
        for start in authors:
            key, seen = start, set[bytes]()
            while key is not None and key not in seen:
                yield key
                seen.add(key)
                key = self._successors.get(key)

    def _add_keys(self, chain: Chain) -> None:
        for history in chain.keys:
            said = (*history.statements, *history.recovered)
            self.statements.update((one.id, one) for one in said)
            if history.settled:
                about = digest_bytes(history.author)
                self._shown.add((about, history.author))
                if history.recovery is not None:
                    self._shown.add((about, history.recovery))
        for word in chain.words:
            self._add(word.statements, signed_for=False)
            if word.settled:
                self._shown.add((word.about, word.author))
            if word.gone:
                self.gone.add(word.about)
