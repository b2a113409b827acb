"""Who is a member of a cooperative.

Rule: docs/spec/state.md, "Membership".  Two-sided: the cooperative admits the key, and
the member's work names the cooperative.
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.content_group import read_admit
from byline_ledger.delegation import Authority
from byline_ledger.digest import digest_bytes
from byline_ledger.effective import EFFECTIVE, Standings
from byline_ledger.facts import NO, UNSURE, YES, Does, Facts, Record, every
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
        judged = [(self._holds(one, member, group), one) for one in admits]
        for wanted in (YES, UNSURE):
            for does, admit in judged:
                if does == wanted:
                    return Membership(member, group, wanted, admit)
        is_shown = self._keys.is_shown(name, group)
        return Membership(member, group, NO if is_shown else UNSURE)

    def _holds(self, admit: Record, member: bytes, group: bytes) -> Does:
        """Whether this admission makes it a member now."""
        content = read_admit(admit.statement)
        status = self._standings.status(admit)
        if not content.sound or not self._standings.may_count(admit):
            return NO
        return every(
            self._authority.acts(admit, group),
            self._facts.in_term(content.from_, content.until),
            YES if status == EFFECTIVE else UNSURE,
            self._stayed(admit, member, group),
        )

    def _stayed(self, admit: Record, member: bytes, group: bytes) -> Does:
        """Whether the member did not leave after it was admitted."""
        name = digest_bytes(group)
        left = [
            self._authority.acts(one, member)
            for one in self._facts.about(name, "leave")
            if one.index > admit.index
        ]
        if YES in left:
            return NO
        if UNSURE in left or not self._keys.is_shown(name, member):
            return UNSURE
        return YES
