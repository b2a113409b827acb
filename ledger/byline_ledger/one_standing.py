"""Whether one statement of a log counts, without an answer about its whole work.

Rule: the lookups and the rules are those of answers (derivation.py, state.py), so a
withdrawal by a successor or a delegate counts here as it does there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from byline_ledger.chain import Gone
from byline_ledger.chain_facts import facts_of
from byline_ledger.derivation import derive_one
from byline_ledger.effective import Standing
from byline_ledger.facts import NOW, AsOf, Record
from byline_ledger.opening import walk_set
from byline_ledger.recall import place_of, recalled
from byline_ledger.state import State
from byline_ledger.statement import Statement

if TYPE_CHECKING:
    from byline_ledger.log import LogView


class OneStanding:
    """A statement of a log, and what is known that decides whether it counts."""

    def __init__(self, view: LogView, statement: Statement) -> None:
        """Looks that up: some thousands of statements at most (chain.MAX_EVIDENCE)."""
        self._view = view
        self._statement = statement
        self._places: dict[bytes, int] = {}
        walk = walk_set(view.lookup_set, view.string_reader())
        self._chain = derive_one(walk, self._recall, self._place, statement)

    def as_of(self, as_of: AsOf = NOW) -> Standing | None:
        """Its standing; None if it was not there yet."""
        state = State(facts_of(self._chain, self._record, as_of))
        found = state.facts.by_id(self._statement.id)
        return None if found is None else state.standings.of(found)

    def _record(self, statement: Statement) -> Record:
        return Record(statement, self._place(statement.id))

    def _place(self, id_: bytes) -> int:
        if id_ not in self._places:
            self._places[id_] = place_of(self._view, id_)
        return self._places[id_]

    def _recall(self, id_: bytes) -> Statement | Gone:
        return recalled(self._view, self._place(id_), id_)
