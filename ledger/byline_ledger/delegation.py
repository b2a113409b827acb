"""Statements that one key signs for another, and for whom a statement acts.

Rule: docs/spec/state.md, "Delegation" and "Keys", 5.  A delegation is made and
withdrawn by the delegating key (or its successors) itself, never through another
delegation: so nothing here goes round in circles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from byline_ledger.content_delegated import DelegatedContent, read_delegated
from byline_ledger.content_keys import DelegateContent, read_delegate
from byline_ledger.digest import SHA256_PREFIX, digest_bytes, multihash
from byline_ledger.errors import BylineError
from byline_ledger.facts import NO, UNSURE, YES, Does, Facts, Record, best, opposite
from byline_ledger.key_state import Keys
from byline_ledger.manifest_tree import InManifest
from byline_ledger.statement import Statement
from byline_ledger.vocabulary import NOT_DELEGABLE

Validity: TypeAlias = Literal["valid", "invalid", "unknown"]
VALID: Validity = "valid"
INVALID: Validity = "invalid"
UNDECIDED: Validity = "unknown"


@dataclass(frozen=True, slots=True)
class Delegation:
    """For whom a statement says that it is signed, and whether that holds.

    `problem` says what is in the way; empty if it is valid.
    """

    key: bytes
    """The key that it is signed for, 32 bytes."""
    statement: bytes
    """Id of the `delegate` statement."""
    validity: Validity
    problem: str = ""


class Authority:
    """For whom each statement acts."""

    def __init__(self, facts: Facts, keys: Keys) -> None:
        self._facts = facts
        self._keys = keys
        self._found: dict[bytes, Delegation | None] = {}

    def delegation(self, record: Record) -> Delegation | None:
        """The delegation that a statement names, judged; None if it names none."""
        id_ = record.statement.id
        if id_ not in self._found:
            self._found[id_] = self._judge(record)
        return self._found[id_]

    def principal(self, record: Record) -> bytes:
        """The key that a statement counts for, as far as that is sure."""
        found = self.delegation(record)
        if found is not None and found.validity == VALID:
            return found.key
        return record.statement.author

    def principals(self, record: Record) -> tuple[bytes, ...]:
        """The author, and the key it signs for if that holds."""
        return tuple(dict.fromkeys((record.statement.author, self.principal(record))))

    def is_late(self, record: Record) -> Does:
        """Whether the author's key had ended before."""
        return self._keys.state(record.statement.author).is_late(record.index)

    def acts(self, record: Record, key: bytes) -> Does:
        """Whether a statement acts for a key."""
        late = self.is_late(record)
        if late == YES:
            return NO
        found = best(
            self._keys.speaks(record.statement.author, record.index, key),
            self._acts_through(record, key),
        )
        is_sure = late == NO and not self._facts.is_early(record)
        return found if is_sure or found == NO else UNSURE

    def _acts_through(self, record: Record, key: bytes) -> Does:
        found = self.delegation(record)
        if found is None or found.validity == INVALID:
            return NO
        holds = self._keys.succession(key).holds(found.key)
        return UNSURE if holds == YES and found.validity == UNDECIDED else holds

    def _judge(self, record: Record) -> Delegation | None:
        content = read_delegated(record.statement)
        if content.for_ is None or content.delegation is None:
            return None
        reasons = _Reasons()
        self._check(record, content, content.for_, content.delegation, reasons)
        validity, problem = reasons.verdict()
        return Delegation(content.for_, content.delegation, validity, problem)

    def _check(
        self,
        record: Record,
        content: DelegatedContent,
        key: bytes,
        id_: bytes,
        reasons: _Reasons,
    ) -> None:
        said = record.statement
        if said.type in NOT_DELEGABLE:
            reasons.no(f"{said.type} cannot be delegated")
        given = self._facts.by_id(id_)
        if given is None:
            is_none = self._keys.is_shown(digest_bytes(said.author), key)
            reasons.add(NO if is_none else UNSURE, "that key gave no such delegation")
            return
        scope = read_delegate(given.statement)
        is_one = given.statement.type == "delegate" and scope.sound
        if not is_one or given.statement.about != digest_bytes(said.author):
            reasons.no("the statement named does not give it to this key")
            return
        self._check_giving(record, given, key, reasons)
        _check_scope(record, scope, reasons)
        _check_manifests(content.in_manifest, said, scope, reasons)
        self._check_number(said, content, id_, scope, reasons)

    def _check_giving(
        self, record: Record, given: Record, key: bytes, reasons: _Reasons
    ) -> None:
        """Whether it was given by someone who may, before, and not taken back."""
        if given.index >= record.index:
            reasons.no("it was given later")
        spoke = self._keys.speaks(given.statement.author, given.index, key)
        reasons.add(spoke, "it was not given by that key")
        reasons.add(self._stands(given, record.index), "it was withdrawn")
        last = self._keys.succession(key).last
        alive = opposite(last.is_late(record.index))
        reasons.add(alive, "that key had ended, and no other follows it")

    def _stands(self, given: Record, index: int) -> Does:
        """Whether nobody who acts for its author had withdrawn the delegation."""
        name, giver = multihash(given.statement.id), given.statement.author
        withdrawals = self._facts.about(name, "withdraw")
        spoke = [self._says(one, giver) for one in withdrawals if one.index < index]
        if YES in spoke:
            return NO
        is_shown = self._keys.is_shown(name, giver) and not self._facts.gone(name)
        return YES if is_shown and UNSURE not in spoke else UNSURE

    def _says(self, record: Record, key: bytes) -> Does:
        """Whether it is the word of a key in the succession of `key` itself."""
        found = self._keys.speaks(record.statement.author, record.index, key)
        return UNSURE if found == YES and self._facts.is_early(record) else found

    def _check_number(
        self,
        said: Statement,
        content: DelegatedContent,
        id_: bytes,
        scope: DelegateContent,
        reasons: _Reasons,
    ) -> None:
        if scope.count is None:
            return
        number = content.number
        if number is None or number > scope.count:
            reasons.no(f"expected a number from 1 to {scope.count}")
        elif self._facts.uses_of_number(said.author, id_, number) > 1:
            reasons.unknown(f"number {number} was used twice")


class _Reasons:
    """What is in the way of a delegation."""

    def __init__(self) -> None:
        self._no: list[str] = []
        self._unknown: list[str] = []

    def no(self, text: str) -> None:
        self._no.append(text)

    def unknown(self, text: str) -> None:
        self._unknown.append(text)

    def add(self, found: Does, text: str) -> None:
        """`text` says what it means if the answer is no."""
        if found == NO:
            self.no(text)
        elif found == UNSURE:
            self.unknown(f"it is not known whether {text}")

    def verdict(self) -> tuple[Validity, str]:
        if self._no:
            return INVALID, self._no[0]
        if self._unknown:
            return UNDECIDED, self._unknown[0]
        return VALID, ""


def _check_scope(record: Record, scope: DelegateContent, reasons: _Reasons) -> None:
    """Type, term and uses."""
    said = record.statement
    from_, until = scope.from_ or 0, scope.until or 0
    if said.type not in scope.types:
        reasons.no(f"it does not cover {said.type}")
    if not from_ <= said.time < until:
        reasons.no("it does not cover that time")
    if record.seen is not None and record.seen < from_:
        reasons.no("it had not begun")
    if record.seen is not None and record.seen >= until:
        # A prover can make this later by leaving checkpoints out: so no more than that.
        reasons.unknown("it may have been over when the quorum saw the statement")
    if scope.uses is not None and not _uses_named(said) <= set(scope.uses):
        reasons.no("it does not cover those uses")


def _uses_named(said: Statement) -> set[object]:
    """The entries on which a statement speaks, be they keys of a map or a list."""
    uses = said.fields.get("uses")
    if isinstance(uses, dict):
        return set(uses)
    if isinstance(uses, list):
        # What is no text is no entry; it must not pass for one.
        return {one if isinstance(one, str) else None for one in uses}
    return set()


def _check_manifests(
    place: InManifest | None,
    said: Statement,
    scope: DelegateContent,
    reasons: _Reasons,
) -> None:
    if scope.manifests and not (
        place is not None and place.manifest in scope.manifests and is_in(place, said)
    ):
        reasons.no("the work is not shown to be in one of its manifests")


def is_in(place: InManifest, said: Statement) -> bool:
    """Whether what a statement is about is that entry of the manifest's tree, which is
    named by its root."""
    try:
        place.verify(said.about, place.manifest.removeprefix(SHA256_PREFIX))
    except BylineError:
        return False
    return True
