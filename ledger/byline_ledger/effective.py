"""Whether a statement counts: effective, withdrawn, late or unknown.

Rule: docs/spec/state.md, "Status".  Unknown is a value of its own: a statement whose
withdrawal could not be ruled out is unknown, never effective.
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.delegation import UNDECIDED, Authority
from byline_ledger.digest import multihash
from byline_ledger.facts import NO, UNSURE, YES, Does, Facts, Record, best
from byline_ledger.key_state import Keys

EFFECTIVE, WITHDRAWN, LATE, UNKNOWN = "effective", "withdrawn", "late", "unknown"
NO_EFFECT = "no-effect"
"""A withdrawal or a rotation by a key that may not act there."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The status of a statement, and the earliest withdrawal if it is withdrawn."""

    status: str
    withdrawal: Record | None = None


class Standings:
    """The status of each statement that is there."""

    def __init__(self, facts: Facts, keys: Keys, authority: Authority) -> None:
        self._facts = facts
        self._keys = keys
        self._authority = authority
        self._found: dict[bytes, Standing] = {}

    def of(self, record: Record) -> Standing:
        """The standing of a statement."""
        id_ = record.statement.id
        if id_ not in self._found:
            self._found[id_] = self._judge(record)
        return self._found[id_]

    def status(self, record: Record) -> str:
        """The status of a statement."""
        return self.of(record).status

    def is_effective(self, record: Record) -> bool:
        """Whether it counts without doubt."""
        return self.status(record) == EFFECTIVE

    def may_count(self, record: Record) -> bool:
        """Whether it counts, or might."""
        return self.status(record) in (EFFECTIVE, UNKNOWN)

    def is_disputed(self, record: Record) -> bool:
        """Whether a dispute about a claim, or about its work, stands or might."""
        said = record.statement
        return any(
            self.may_count(one)
            for digest in (multihash(said.id), said.about)
            for one in self._facts.about(digest, "dispute")
        )

    def _judge(self, record: Record) -> Standing:
        if record.statement.type == "withdraw":
            return Standing(self._of_withdrawal(record))
        if record.statement.type == "rotate":
            return Standing(self._of_rotation(record))
        about = multihash(record.statement.id)
        withdrawals = self._facts.about(about, "withdraw")
        acting = [(self._acts_on(one, record), one) for one in withdrawals]
        for does, one in acting:
            if does == YES:
                return Standing(WITHDRAWN, one)
        late = self._authority.is_late(record)
        if late == YES:
            return Standing(LATE)
        doubts = late == UNSURE or any(does == UNSURE for does, _ in acting)
        if doubts or self._is_doubtful(record):
            return Standing(UNKNOWN)
        return Standing(EFFECTIVE)

    def _acts_on(self, withdrawal: Record, record: Record) -> Does:
        """Whether a withdrawal acts for the statement's author or its principal."""
        keys = self._authority.principals(record)
        return best(*(self._authority.acts(withdrawal, key) for key in keys))

    def _is_doubtful(self, record: Record) -> bool:
        """Whether something that is not shown might say otherwise."""
        delegation = self._authority.delegation(record)
        if delegation is not None and delegation.validity == UNDECIDED:
            return True
        said = record.statement
        if said.type == "work" and (
            self._facts.gone(said.about) or self._facts.is_early(record)
        ):
            return True
        return not self._is_own_word_shown(record)

    def _is_own_word_shown(self, record: Record) -> bool:
        about = multihash(record.statement.id)
        keys = self._authority.principals(record)
        is_shown = all(self._keys.is_shown(about, one) for one in keys)
        return is_shown and not self._facts.gone(about)

    def _of_withdrawal(self, record: Record) -> str:
        target = self._facts.by_id(record.statement.about[2:])
        if target is None:
            return UNKNOWN
        does = self._acts_on(record, target)
        if does == NO:
            return NO_EFFECT if self._is_own_word_shown(target) else UNKNOWN
        return EFFECTIVE if does == YES else UNKNOWN

    def _of_rotation(self, record: Record) -> str:
        """A rotation counts or not by the rules of keys alone."""
        key = self._facts.key_named(record.statement.about)
        if key is None:
            return UNKNOWN
        state = self._keys.state(key)
        if state.is_contested or not state.settled:
            return UNKNOWN
        return EFFECTIVE if record in state.rotations else NO_EFFECT
