"""What a set of statements amounts to: all rules of docs/spec/state.md over one set.

`State` holds the statements that are there as of a point in time, and answers for each
statement, key, work and cooperative.  It computes what it is asked, and remembers it.
"""

from __future__ import annotations

from collections.abc import Iterable

from byline_ledger.consent import Consents
from byline_ledger.content_work import read_work
from byline_ledger.delegation import Authority
from byline_ledger.effective import Standings
from byline_ledger.facts import Facts, Record
from byline_ledger.key_state import Keys
from byline_ledger.membership import Groups
from byline_ledger.sealed import Seals
from byline_ledger.synthetic_depth import UNKNOWN_WAY, Alternative, Depth
from byline_ledger.synthetic_depth import synthetic_depths as depths_of


class State:
    """The rules, applied to some facts."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.keys = Keys(facts)
        self.authority = Authority(facts, self.keys)
        self.standings = Standings(facts, self.keys, self.authority)
        self.seals = Seals(facts, self.keys, self.authority)
        self.groups = Groups(facts, self.keys, self.authority, self.standings)
        self.consents = Consents(
            facts, self.keys, self.authority, self.standings, self.groups
        )

    def claims(self, work: bytes) -> list[Record]:
        """All claims about a work (34-byte multihash), earliest evidence first."""
        return sorted(self.facts.about(work, "work"), key=self.seals.order)

    def synthetic_depths(self, works: Iterable[bytes]) -> dict[bytes, Depth]:
        """The synthetic depth of each of these works along their sources, as far as
        those are among them."""
        return depths_of({one: self._alternatives(one) for one in works})

    def _alternatives(self, work: bytes) -> tuple[Alternative, ...]:
        claims = self.facts.about(work, "work")
        effective = [one for one in claims if self.standings.is_effective(one)]
        counting = [one for one in claims if self.standings.may_count(one)]
        is_open = len(counting) > len(effective) or not (
            self.facts.shown(work, None) and not self.facts.gone(work)
        )
        ways = tuple(map(_alternative, effective))
        return (*ways, UNKNOWN_WAY) if is_open or not ways else ways


def _alternative(claim: Record) -> Alternative:
    made = read_work(claim.statement).made
    sources = tuple(one.digest for one in claim.statement.sources)
    is_gap = made == "unknown" or (made == "generated" and not sources)
    return Alternative(int(made in ("assisted", "generated")), sources, is_gap)
