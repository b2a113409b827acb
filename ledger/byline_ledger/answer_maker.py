"""Reads answers from verified chains.

Meaning: docs/spec/state.md.  Nothing here proves anything: `make_answers` is called on
chains whose proofs hold.  All judgement is the rules' (state.py); here it is only put
into the form in which it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, overload

from byline_ledger.answer import (
    EFFECTIVE,
    UNKNOWN,
    Answer,
    Claim,
    Derived,
    KeyStatements,
    Member,
    Redaction,
    Remark,
    SealShown,
    Work,
)
from byline_ledger.chain import Chain, Evidence, Gone, KeyHistory, WorkEvidence
from byline_ledger.chain_facts import facts_of
from byline_ledger.content import (
    DisputeContent,
    EndorseContent,
    WithdrawContent,
    read_content,
    read_delegated,
    read_work,
)
from byline_ledger.delegation import VALID
from byline_ledger.facts import NOW, AsOf, Record
from byline_ledger.state import State
from byline_ledger.statement import Statement
from byline_ledger.synthetic_depth import Depth
from byline_ledger.use_word import NOT_ALLOWED

if TYPE_CHECKING:
    from byline_ledger.bundle import Bundle
    from byline_ledger.checkpoint import Checkpoint

ExistedBy: TypeAlias = Callable[[int], "int | None"]
"""Unix seconds by which an entry was in a cosigned tree, if that is known."""


def make_answers(
    bundle: Bundle,
    checkpoint: Checkpoint,
    chains: Sequence[Chain],
    set_root: bytes,
    existed_by: ExistedBy = lambda _index: None,
    as_of: AsOf = NOW,
) -> Answers:
    """Read the meaning of verified chains (chain.parts), each of one asked work."""
    places = {one.statement.id: one.index for one in bundle.statements}
    gone = {
        one.entry.id: Redaction(
            one.entry.id, one.index, one.tombstone.reason, one.tombstone.time
        )
        for one in bundle.redacted
    }

    def record(statement: Statement) -> Record:
        index = places[statement.id]
        return Record(statement, index, existed_by(index))

    return Answers(
        [
            _Maker(bundle, checkpoint, chain, set_root, record, gone, as_of)
            for chain in chains
        ]
    )


class Answers(Sequence[Answer]):
    """The answers of a bundle, each made when it is looked at.

    Whoever needs no more than the rules applied to a work (a verdict on a use, say)
    asks for its `state`: most of the work is in putting an answer into words.
    """

    def __init__(self, makers: Sequence[_Maker]) -> None:
        self._makers = makers
        self._by_work = {one.asked: one for one in makers}

    @property
    def works(self) -> tuple[bytes, ...]:
        """The works that the bundle answers for, in the order of the answers."""
        return tuple(self._by_work)

    def state(self, work: bytes) -> State:
        """The rules applied to what is shown for a work (34-byte multihash)."""
        return self._by_work[work].state

    def of(self, work: bytes) -> Answer:
        """The answer for a work."""
        return self._by_work[work].answer

    def __len__(self) -> int:
        return len(self._makers)

    @overload
    def __getitem__(self, place: int) -> Answer: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Answer, ...]: ...

    def __getitem__(self, place: int | slice) -> Answer | tuple[Answer, ...]:
        if isinstance(place, slice):
            return tuple(one.answer for one in self._makers[place])
        return self._makers[place].answer


NO_ANSWERS = Answers(())


class _Maker:
    """One answer that is not made yet."""

    def __init__(
        self,
        bundle: Bundle,
        checkpoint: Checkpoint,
        chain: Chain,
        set_root: bytes,
        record: Callable[[Statement], Record],
        gone: dict[bytes, Redaction],
        as_of: AsOf,
    ) -> None:
        self.asked = chain.asked[0]
        self._bundle = bundle
        self._checkpoint = checkpoint
        self._chain = chain
        self._set_root = set_root
        self._record = record
        self._gone = gone
        self._as_of = as_of

    @cached_property
    def state(self) -> State:
        return State(facts_of(self._chain, self._record, self._as_of))

    @cached_property
    def answer(self) -> Answer:
        chain, checkpoint, as_of = self._chain, self._checkpoint, self._as_of
        reader = _Reader(chain, self.state, self._gone)
        is_past = as_of.index is not None or as_of.time is not None
        return Answer(
            asked=self.asked,
            works=reader.works(),
            keys=tuple(reader.key(one) for one in chain.keys if one.total),
            depth=chain.depth,
            gaps=chain.gaps,
            origin=checkpoint.origin,
            vkey=self._bundle.log,
            log_size=checkpoint.size,
            log_root=checkpoint.root,
            set_root=self._set_root,
            members=reader.members(),
            supporting=reader.supporting(),
            as_of=as_of if is_past else None,
            by_claims=self.state.facts.goes_by_claims,
            state=self.state,
        )


class _Reader:
    """Puts what one chain comes to into the form of an answer."""

    def __init__(
        self, chain: Chain, state: State, gone: dict[bytes, Redaction]
    ) -> None:
        self._chain = chain
        self._state = state
        self._gone = gone

    # Works

    def works(self) -> tuple[Work, ...]:
        """The work asked for, and its sources."""
        digests = [one.digest for one in self._chain.works]
        depths = self._state.synthetic_depths(digests)
        return tuple(self._work(one, depths[one.digest]) for one in self._chain.works)

    def _work(self, work: WorkEvidence, depth: Depth) -> Work:
        found = {one.statement.id: one for one in work.statements}
        claims = self._state.claims(work.digest)
        others = [one for one in work.statements if one.statement.type != "work"]
        return Work(
            work.digest,
            work.level,
            tuple(self._claim(one, found.get(one.statement.id)) for one in claims),
            self._remarks(others),
            work.total,
            self._redactions(work.gone),
            consent=self._state.consents.verdicts(work.digest),
            synthetic_depth=depth,
            derived=tuple(
                one for each in work.derived for one in self._derived(each, work)
            ),
            derived_total=work.derived_total,
        )

    def _redactions(self, gone: Iterable[Gone]) -> tuple[Redaction, ...]:
        found = (self._gone[one.id] for one in gone)
        return tuple(sorted(found, key=lambda one: one.index))

    def _derived(self, evidence: Evidence, work: WorkEvidence) -> list[Derived]:
        record = self._record(evidence.statement)
        if record is None:
            return []
        said, content = evidence.statement, read_work(evidence.statement)
        named = (one for one in said.sources if one.digest == work.digest)
        return [
            Derived(
                digest=said.about,
                id=said.id,
                index=record.index,
                type=said.type,
                author=said.author,
                signed_for=self._signed_for(record)[0],
                time=said.time,
                existed_by=record.existed_by,
                status=self._state.standings.status(record),
                relationship=next(named).relationship,
                made=content.made,
                title=content.title,
            )
        ]

    def _claim(self, record: Record, shown: Evidence | None) -> Claim:
        said, content = record.statement, read_work(record.statement)
        # One that another lookup brought has no page of remarks.
        evidence = shown or Evidence(said)
        standing = self._state.standings.of(record)
        withdrawal = self._withdrawal(standing.withdrawal)
        # The one that decides is told as the claim's status.
        told = withdrawal.id if withdrawal else None
        others = [one for one in evidence.remarks if one.statement.id != told]
        remarks = self._remarks(others)
        signed_for, delegation, problems = self._signed_for(record)
        seal, seal_problems = self._seal(record)
        uses = content.uses
        if standing.status == UNKNOWN:
            # It may be withdrawn: what it allows is not known either.
            uses = {use: value for use, value in uses.items() if value == NOT_ALLOWED}
        return Claim(
            id=said.id,
            index=record.index,
            type=said.type,
            author=said.author,
            time=said.time,
            status=standing.status,
            withdrawal=withdrawal,
            made=content.made,
            source_type=content.source_type,
            title=content.title,
            license=content.license,
            uses=uses,
            constraints=content.constraints,
            tools=content.tools,
            sources=said.sources,
            media_type=content.media_type,
            size=content.size,
            endorsements=_of_type(remarks, "endorse"),
            disputes=_of_type(remarks, "dispute"),
            others=tuple(
                one for one in remarks if one.type not in ("endorse", "dispute")
            ),
            remarks_total=evidence.remarks_total,
            problems=(*content.problems, *problems, *seal_problems),
            fields=said.fields,
            redacted=self._redactions(evidence.gone),
            existed_by=record.existed_by,
            signed_for=signed_for,
            delegation=delegation,
            disputed=self._state.standings.is_disputed(record),
            seal=seal,
            linked=self._state.keys.end_of(self._state.authority.principal(record)),
            content=content,
        )

    def _seal(self, record: Record) -> tuple[SealShown | None, tuple[str, ...]]:
        found = self._state.seals.of(record)
        if found is None:
            return None, ()
        if found.seal is None:
            return None, (found.problem,)
        seal = found.seal
        return SealShown(seal.statement.id, seal.index, seal.existed_by), ()

    # Remarks

    def _remarks(self, rows: Iterable[Evidence]) -> tuple[Remark, ...]:
        """Those that are there, by their place."""
        return self._said(one.statement for one in rows)

    def _said(self, statements: Iterable[Statement]) -> tuple[Remark, ...]:
        records = map(self._record, statements)
        shown = (self._remark(one) for one in records if one is not None)
        return tuple(sorted(shown, key=lambda one: one.index))

    def _withdrawal(self, record: Record | None) -> Remark | None:
        """The withdrawal that decides, which counts wherever it was shown."""
        if record is None:
            return None
        return replace(self._remark(record), status=EFFECTIVE)

    def _remark(self, record: Record) -> Remark:
        said, content = record.statement, read_content(record.statement)
        standing = self._state.standings.of(record)
        role = reason = note = replacement = None
        if isinstance(content, EndorseContent):
            role, note = content.role, content.note
        elif isinstance(content, DisputeContent):
            reason, note = content.reason, content.note
        elif isinstance(content, WithdrawContent):
            reason, replacement = content.reason, content.replacement
        signed_for, delegation, problems = self._signed_for(record)
        return Remark(
            id=said.id,
            index=record.index,
            type=said.type,
            author=said.author,
            time=said.time,
            status=standing.status,
            role=role,
            reason=reason,
            note=note,
            replacement=replacement,
            withdrawal=self._withdrawal(standing.withdrawal),
            problems=(*(content.problems if content else ()), *problems),
            fields=said.fields,
            existed_by=record.existed_by,
            signed_for=signed_for,
            delegation=delegation,
            content=content,
        )

    def _signed_for(
        self, record: Record
    ) -> tuple[bytes | None, str | None, tuple[str, ...]]:
        """For whom it was validly signed, whether it was, and what is wrong."""
        problems = read_delegated(record.statement).problems
        found = self._state.authority.delegation(record)
        if found is None:
            return None, None, problems
        if found.validity == VALID:
            return found.key, found.validity, problems
        return None, found.validity, (*problems, f"delegation: {found.problem}")

    # Keys and cooperatives

    def key(self, history: KeyHistory) -> KeyStatements:
        """What a key said about itself, and what became of it."""
        found = self._state.keys.state(history.author)
        return KeyStatements(
            history.author,
            self._said(history.statements),
            history.total,
            found.successor,
            recovery=found.recovery,
            recovered=self._said(history.recovered),
            ends=found.ends,
            named=found.named,
            contested=found.is_contested,
            settled=found.settled,
            succession=self._state.keys.succession(history.author).keys,
        )

    def members(self) -> tuple[Member, ...]:
        """Of each cooperative that a claim names."""
        found: dict[tuple[bytes, bytes], Member] = {}
        for work in self._chain.works:
            for claim in self._state.claims(work.digest):
                group = read_work(claim.statement).group
                if group is None:
                    continue
                member = self._state.authority.principal(claim)
                one = self._state.groups.membership(member, group)
                admit = None if one.admit is None else one.admit.statement.id
                found[member, group] = Member(member, group, one.status, admit)
        return tuple(found.values())

    def supporting(self) -> tuple[Remark, ...]:
        """Statements on which it depends who may act, and what a cooperative offers."""
        rows = [one for word in self._chain.words for one in word.statements]
        return self._said({one.statement.id: one.statement for one in rows}.values())

    def _record(self, statement: Statement) -> Record | None:
        return self._state.facts.by_id(statement.id)


def _of_type(remarks: Iterable[Remark], type_: str) -> tuple[Remark, ...]:
    return tuple(one for one in remarks if one.type == type_)
