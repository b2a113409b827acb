"""Who is a member of a cooperative.

Rule: docs/spec/state.md, "Membership".  Two-sided: the cooperative admits the key, and
the member's work names the cooperative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from byline_ledger.content_group import read_admit
from byline_ledger.delegation import Authority
from byline_ledger.digest import digest_bytes
from byline_ledger.effective import EFFECTIVE, Standings
from byline_ledger.facts import (
    NO,
    UNSURE,
    YES,
    Does,
    Facts,
    Record,
    best,
    every,
    opposite,
)
from byline_ledger.key_state import Keys


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a key is a member, and the admission that makes it one (or might)."""

    member: bytes
    group: bytes
    status: Does
    admit: Record | None = None


class Groups:
    """Memberships by the statements that are there."""

    def __init__(
        self, facts: Facts, keys: Keys, authority: Authority, standings: Standings
    ) -> None:
        self._facts = facts
        self._keys = keys
        self._authority = authority
        self._standings = standings
        self._found: dict[tuple[bytes, bytes], Membership] = {}

    def membership(self, member: bytes, group: bytes) -> Membership:
        """Whether `member` (key) belongs to the cooperative `group` (key)."""
        pair = member, group
        if pair not in self._found:
            self._found[pair] = self._find(member, group)
        return self._found[pair]

    def _find(self, member: bytes, group: bytes) -> Membership:
        name = digest_bytes(member)
        admits = self._facts.about(name, "admit")
        left = self._leaves(member, group) if admits else []
        judged = [
            (every(self._holds(one, group), _stayed(one, left)), one) for one in admits
        ]
        for wanted in (YES, UNSURE):
            for does, admit in judged:
                if does == wanted:
                    return Membership(member, group, wanted, admit)
        is_shown = self._keys.is_shown(name, group)
        return Membership(member, group, NO if is_shown else UNSURE)

    def _leaves(self, member: bytes, group: bytes) -> list[tuple[float, Does]]:
        """The places where the member left, or may have; looked for once, however often
        it was admitted.  One that is not shown may stand behind all others."""
        name = digest_bytes(group)
        found = self._facts.about(name, "leave")
        left: list[tuple[float, Does]] = [
            (one.index, self._authority.acts(one, member)) for one in found
        ]
        if not self._keys.is_shown(name, member):
            left.append((inf, UNSURE))
        return left

    def _holds(self, admit: Record, group: bytes) -> Does:
        """Whether this admission makes it a member now, if it did not leave since."""
        content = read_admit(admit.statement)
        status = self._standings.status(admit)
        if not content.sound or not self._standings.may_count(admit):
            return NO
        return every(
            self._authority.acts(admit, group),
            self._facts.in_term(content.from_, content.until),
            YES if status == EFFECTIVE else UNSURE,
        )


def _stayed(admit: Record, left: Sequence[tuple[float, Does]]) -> Does:
    """Whether nobody left after this admission."""
    since = best(*(does for place, does in left if place > admit.index))
    return opposite(since)
