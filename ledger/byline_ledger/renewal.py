"""May today's answer take the place of a saved proof, and what is different in it?

Rule: it may if the saved proof holds but for its age, and the log continues what it
signed then.  Whatever the saved proof shows and today's answer lacks is named: a claim
that was withdrawn is still shown, one whose body was taken down is not, and the saved
proof may then be the last that holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from byline_ledger.answer import UNKNOWN, WITHDRAWN, Answer, Claim, Remark
from byline_ledger.bundle import Bundle
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.errors import ContradictionError, ProofError, VerificationError
from byline_ledger.merkle import verify_consistency
from byline_ledger.verify import FAILED, Verdict


def is_renewable(verdict: Verdict) -> bool:
    """It holds, but for its age: that is what is renewed."""
    failed = {level.name for level in verdict.levels if level.status == FAILED}
    return failed <= {"freshness"} and verdict.answer is not None


def require_continues(old: Bundle, new: Bundle, proof: Sequence[bytes]) -> int:
    """Entries that were added since, all behind those that the saved proof is of.

    VerificationError for an answer to something else, of another log or of an earlier
    tree; ContradictionError where the log does not continue what it signed.
    """
    if old.asked != new.asked:
        raise VerificationError("the node answers for another digest than was asked")
    if old.log != new.log:
        raise VerificationError(
            "the node keeps another log than the saved proof is of",
            hint="ask a node of the log that signed it, with BYLINE_NODE",
        )
    was, now = checkpoint_of(old.checkpoint), checkpoint_of(new.checkpoint)
    if now.size < was.size:
        raise VerificationError(
            f"the node answers with {now.size} entries, the saved proof has {was.size}"
        )
    try:
        verify_consistency(was.size, now.size, was.root, now.root, proof)
    except ProofError as error:
        raise ContradictionError(
            f"log {was.origin} does not continue what it signed: {error}",
            hint="the saved proof is kept: it is evidence",
            vkey=old.log,
            notes=(old.checkpoint, new.checkpoint),
            proof=tuple(proof),
        ) from error
    return now.size - was.size


@dataclass(frozen=True, slots=True)
class Said:
    """One statement of an answer; `is_told` if another's status says it already."""

    one: Claim | Remark
    is_told: bool = False

    @property
    def is_claim(self) -> bool:
        """Whether it says how a work was made."""
        return isinstance(self.one, Claim)


@dataclass(frozen=True, slots=True)
class Since:
    """Everything that is different, each by statement."""

    entries: int
    added: tuple[Said, ...]
    """In the log since."""
    shown: tuple[Said, ...]
    """In the log before, and not in the saved proof."""
    withdrawn: tuple[Said, ...]
    unsure: tuple[Said, ...]
    """Of which it is unknown now whether they stand."""
    taken_down: tuple[Said, ...]
    """Bodies that the saved proof holds and the node does not give any more."""
    unseen: int
    """Taken down since, and not in the saved proof either."""
    left_out: tuple[Said, ...]
    """Not shown any more, although still in the log: pages are full."""

    @property
    def lost(self) -> tuple[Said, ...]:
        """What would be gone with the saved proof."""
        return (*self.taken_down, *(one for one in self.left_out if one.is_claim))


def changes_since(
    old: Bundle, new: Bundle, before: Answer, after: Answer, entries: int
) -> Since:
    """What two answers of one log to one question differ in; `entries` is by how many
    the log has grown."""
    was, now = _statements(before), _statements(after)
    gone_before = {one.entry.id for one in old.redacted}
    gone = {one.entry.id for one in new.redacted} - gone_before
    fresh = [one for id_, one in now.items() if id_ not in was and not one.is_told]
    grown_from = after.log_size - entries
    return Since(
        entries,
        added=tuple(one for one in fresh if one.one.index >= grown_from),
        shown=tuple(one for one in fresh if one.one.index < grown_from),
        withdrawn=_became(WITHDRAWN, was, now),
        unsure=_became(UNKNOWN, was, now),
        taken_down=tuple(one for id_, one in was.items() if id_ in gone),
        unseen=len(gone - was.keys()),
        left_out=tuple(
            one for id_, one in was.items() if id_ not in now and id_ not in gone
        ),
    )


def _became(
    status: str, was: Mapping[bytes, Said], now: Mapping[bytes, Said]
) -> tuple[Said, ...]:
    """Statements of both answers that have this status only now."""
    return tuple(
        one
        for id_, one in now.items()
        if id_ in was and one.one.status == status and was[id_].one.status != status
    )


def _statements(answer: Answer) -> dict[bytes, Said]:
    """All statements that an answer shows, by id."""
    found: dict[bytes, Said] = {}
    for said in _every(answer):
        # What is shown for itself counts, wherever else it is named.
        if said.one.id not in found or found[said.one.id].is_told:
            found[said.one.id] = said
    return found


def _every(answer: Answer) -> Iterator[Said]:
    for work in answer.works:
        yield from _with_withdrawals(work.claims)
        yield from _with_withdrawals(work.remarks)
        for claim in work.claims:
            remarks = (*claim.endorsements, *claim.disputes, *claim.others)
            yield from _with_withdrawals(remarks)
    for key in answer.keys:
        yield from _with_withdrawals(key.statements)


def _with_withdrawals(said: Iterable[Claim | Remark]) -> Iterator[Said]:
    for one in said:
        yield Said(one)
        if one.withdrawal is not None:
            yield Said(one.withdrawal, is_told=True)
