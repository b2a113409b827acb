"""The answer to "where did this come from?", read from verified evidence.

Meaning is docs/spec/bundle.md, "Answer".  Nothing here proves anything: `make_answers`
is called on chains whose proofs hold.  Unknown is a value of its own: a claim whose
withdrawals could not all be shown is "unknown", never "effective".  Claims of different
authors stand side by side and are never merged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from byline_ledger.chain import Chain, Evidence, Gone, KeyHistory, WorkEvidence
from byline_ledger.content import (
    read_dispute,
    read_endorse,
    read_withdraw,
    read_work,
)
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement
from byline_ledger.statement import Source, Statement

if TYPE_CHECKING:
    from byline_ledger.bundle import Bundle
    from byline_ledger.checkpoint import Checkpoint

EFFECTIVE, WITHDRAWN, UNKNOWN = "effective", "withdrawn", "unknown"
FORBIDDEN = "notAllowed"
NO_EFFECT = "no-effect"
"""A withdrawal by a key that may not act for the author, as far as is proven."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """A statement whose body the node took down: what it said is unknown.

    `time` is the node's clock in Unix milliseconds.
    """

    id: bytes
    index: int
    reason: str
    time: int


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody says about a statement, a work or a key.

    `role`, `reason`, `note` and `replacement` are those of endorse, dispute and
    withdraw; None where the type has none or the value is not understood.
    `existed_by`: see Claim.
    """

    id: bytes
    index: int
    type: str
    author: bytes
    time: int
    status: str
    role: str | None
    reason: str | None
    note: str | None
    replacement: bytes | None
    withdrawal: Remark | None
    problems: tuple[str, ...]
    fields: Mapping[str, object]
    existed_by: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A `work` statement: who says how the work was made, from what, on which terms.

    `made` is human, assisted, generated, other or unknown; `uses` maps the four CAWG
    entries to allowed, notAllowed, constrained (absent means unknown), `constraints`
    to the terms of those that are constrained; `time` is the author's claim in Unix
    milliseconds; `remarks_total` is proven, None if not looked up.  `redacted` were
    said about it and taken down.  `existed_by` is the time in Unix seconds by which the
    reader's quorum had cosigned a tree that holds it, None without one.

    Where `status` is unknown, a use that it allows is unknown too, and left out.
    """

    id: bytes
    index: int
    type: str
    author: bytes
    time: int
    status: str
    withdrawal: Remark | None
    made: str
    source_type: str | None
    title: str | None
    license: str | None
    uses: Mapping[str, str]
    constraints: Mapping[str, str]
    tools: tuple[str, ...]
    sources: tuple[Source, ...]
    media_type: str | None
    size: int | None
    endorsements: tuple[Remark, ...]
    disputes: tuple[Remark, ...]
    others: tuple[Remark, ...]
    remarks_total: int | None
    problems: tuple[str, ...]
    fields: Mapping[str, object]
    redacted: tuple[Redaction, ...] = ()
    existed_by: int | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """Everything known about one work. `total` is proven; None if beyond the caps.

    `redacted` were said about it and taken down: no claim about it is effective then.
    """

    digest: bytes
    level: int
    claims: tuple[Claim, ...]
    remarks: tuple[Remark, ...]
    total: int | None
    redacted: tuple[Redaction, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyStatements:
    """What a key said about itself; `successor` only if it named exactly one."""

    author: bytes
    statements: tuple[Remark, ...]
    total: int
    successor: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for `asked` (34-byte multihash), complete in one log up to `log_size`.

    `works[0]` is the one asked for, its sources follow breadth first; `gaps` says what
    the caps left out, empty if nothing.
    """

    asked: bytes
    works: tuple[Work, ...]
    keys: tuple[KeyStatements, ...]
    depth: int
    gaps: tuple[str, ...]
    origin: str
    vkey: str
    log_size: int
    log_root: bytes
    set_root: bytes

    @property
    def known(self) -> bool:
        """Whether anything at all is known about the work."""
        return self.works[0].total != 0

    def to_json(self) -> dict[str, object]:
        """JSON form: ids as CIDs, digests as sha256:HEX, keys as did:key."""
        return {
            field.name: _json(field.name, getattr(self, field.name))
            for field in fields(self)
        }


ExistedBy: TypeAlias = Callable[[int], "int | None"]
"""Unix seconds by which an entry was in a cosigned tree, if that is known."""


def make_answers(
    bundle: Bundle,
    checkpoint: Checkpoint,
    chains: Sequence[Chain],
    set_root: bytes,
    existed_by: ExistedBy = lambda _index: None,
) -> tuple[Answer, ...]:
    """Read the meaning of verified chains (chain.parts), each of one asked work."""
    reader = _Reader(bundle, existed_by)
    return tuple(
        Answer(
            asked=chain.asked[0],
            works=tuple(reader.work(one) for one in chain.works),
            keys=tuple(reader.key(one) for one in chain.keys if one.total),
            depth=chain.depth,
            gaps=chain.gaps,
            origin=checkpoint.origin,
            vkey=bundle.log,
            log_size=checkpoint.size,
            log_root=checkpoint.root,
            set_root=set_root,
        )
        for chain in chains
    )


class _Reader:
    def __init__(self, bundle: Bundle, existed_by: ExistedBy) -> None:
        self._indexes = {one.statement.id: one.index for one in bundle.statements}
        self._existed_by = existed_by
        self._gone = {
            one.entry.id: Redaction(
                one.entry.id, one.index, one.tombstone.reason, one.tombstone.time
            )
            for one in bundle.redacted
        }

    def key(self, history: KeyHistory) -> KeyStatements:
        said = (self.remark(Evidence(one, (), False)) for one in history.statements)
        return KeyStatements(
            history.author, tuple(said), history.total, history.successor
        )

    def work(self, work: WorkEvidence) -> Work:
        said = work.statements
        claims = [self.claim(one) for one in said if one.statement.type == "work"]
        others = [self._other(one) for one in said if one.statement.type != "work"]
        if work.gone:
            # Any of them may dispute the work, or be a claim that says otherwise.
            claims = [_doubted(one) for one in claims]
        return Work(
            work.digest,
            work.level,
            tuple(sorted(claims, key=_by_index)),
            tuple(sorted(others, key=_by_index)),
            work.total,
            self._redactions(work.gone),
        )

    def _redactions(self, gone: Sequence[Gone]) -> tuple[Redaction, ...]:
        found = (self._gone[one.id] for one in gone)
        return tuple(sorted(found, key=lambda one: one.index))

    def _other(self, evidence: Evidence) -> Remark:
        """About the digest itself.  If that names a statement, we do not know whose,
        nor whether a withdrawal of it has an effect."""
        remark = self.remark(evidence)
        if remark.status == NO_EFFECT:
            return replace(remark, status=UNKNOWN)
        return remark

    def claim(self, evidence: Evidence) -> Claim:
        statement, content = evidence.statement, read_work(evidence.statement)
        status, withdrawal = self._standing(evidence)
        # The one that decides is told as the claim's status.
        told = withdrawal.id if withdrawal else None
        remarks = sorted(
            (
                self._remark_on(evidence, one)
                for one in evidence.remarks
                if one.statement.id != told
            ),
            key=_by_index,
        )
        claim = Claim(
            id=statement.id,
            index=self._indexes[statement.id],
            type=statement.type,
            author=statement.author,
            time=statement.time,
            status=status,
            withdrawal=withdrawal,
            made=content.made,
            source_type=content.source_type,
            title=content.title,
            license=content.license,
            uses=content.uses,
            constraints=content.constraints,
            tools=content.tools,
            sources=statement.sources,
            media_type=content.media_type,
            size=content.size,
            endorsements=_of_type(remarks, "endorse"),
            disputes=_of_type(remarks, "dispute"),
            others=tuple(
                one for one in remarks if one.type not in ("endorse", "dispute")
            ),
            remarks_total=evidence.remarks_total,
            problems=content.problems,
            fields=statement.fields,
            redacted=self._redactions(evidence.gone),
            existed_by=self._existed_by(self._indexes[statement.id]),
        )
        return _doubted(claim) if status == UNKNOWN else claim

    def _remark_on(self, claim: Evidence, evidence: Evidence) -> Remark:
        """A remark on a claim; where it is unknown who may act for the claim's author,
        so is whether somebody's withdrawal has an effect."""
        remark = self.remark(evidence)
        if remark.status != NO_EFFECT:
            return remark
        if any(own.id == remark.id for own in claim.own):
            return replace(remark, status=EFFECTIVE)
        return remark if claim.settled else replace(remark, status=UNKNOWN)

    def remark(self, evidence: Evidence) -> Remark:
        statement = evidence.statement
        status, withdrawal = self._standing(evidence)
        role = reason = note = replacement = None
        problems: tuple[str, ...] = ()
        if statement.type == "endorse":
            endorse = read_endorse(statement)
            role, note, problems = endorse.role, endorse.note, endorse.problems
        elif statement.type == "dispute":
            dispute = read_dispute(statement)
            reason, note, problems = dispute.reason, dispute.note, dispute.problems
        elif statement.type == "withdraw":
            withdraw = read_withdraw(statement)
            reason, problems = withdraw.reason, withdraw.problems
            replacement = withdraw.replacement
        return Remark(
            id=statement.id,
            index=self._indexes[statement.id],
            type=statement.type,
            author=statement.author,
            time=statement.time,
            status=status,
            role=role,
            reason=reason,
            note=note,
            replacement=replacement,
            withdrawal=withdrawal,
            problems=problems,
            fields=statement.fields,
            existed_by=self._existed_by(self._indexes[statement.id]),
        )

    def _standing(self, evidence: Evidence) -> tuple[str, Remark | None]:
        """Withdrawn if an acting key withdrew it; unknown if that may be hidden."""
        withdrawals = [one for one in evidence.own if one.type == "withdraw"]
        if withdrawals:
            first = min(withdrawals, key=self._index)
            told = self.remark(Evidence(first, (), True))
            return WITHDRAWN, replace(told, status=EFFECTIVE)
        if evidence.statement.type == "withdraw":
            return NO_EFFECT, None
        doubted = any(one.type == "withdraw" for one in evidence.contested)
        return (EFFECTIVE if evidence.settled and not doubted else UNKNOWN), None

    def _index(self, statement: Statement) -> int:
        return self._indexes[statement.id]


def _doubted(claim: Claim) -> Claim:
    """A claim that may be withdrawn or disputed: what it allows is not known either."""
    if claim.status == WITHDRAWN:
        return claim
    uses = {use: value for use, value in claim.uses.items() if value == FORBIDDEN}
    return replace(claim, status=UNKNOWN, uses=uses)


def _by_index(one: Claim | Remark) -> int:
    return one.index


def _of_type(remarks: list[Remark], type_: str) -> tuple[Remark, ...]:
    return tuple(one for one in remarks if one.type == type_)


def _json(name: str, value: object) -> object:
    """One value in JSON; the field's name decides how 32 or 34 bytes are written."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _json(f.name, getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {key: _json("", one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_json(name, one) for one in value]
    if not isinstance(value, bytes):
        return value
    if name in ("id", "replacement"):
        return cid_of_statement(value)
    if name in ("author", "successor"):
        return did_key(value)
    if name in ("asked", "digest"):
        return f"sha256:{value[2:].hex()}"
    return value.hex()
