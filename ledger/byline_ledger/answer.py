"""The answer to "where did this come from?": what is shown to people and scripts.

Meaning is docs/spec/state.md; answer_maker.py reads it from verified evidence.  Unknown
is a value of its own: a claim whose withdrawals could not all be shown is "unknown",
never "effective".  Claims of different authors stand side by side and are never merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from byline_ledger.answer_json import to_json
from byline_ledger.consent import Consent
from byline_ledger.content import Content
from byline_ledger.effective import (
    EFFECTIVE,
    LATE,
    NO_EFFECT,
    UNKNOWN,
    WITHDRAWN,
)
from byline_ledger.facts import AsOf
from byline_ledger.state import State
from byline_ledger.statement import Source
from byline_ledger.synthetic_depth import Depth

__all__ = [
    "EFFECTIVE",
    "LATE",
    "NO_EFFECT",
    "UNKNOWN",
    "WITHDRAWN",
    "Answer",
    "Claim",
    "Derived",
    "KeyStatements",
    "Member",
    "Redaction",
    "Remark",
    "SealShown",
    "Work",
]


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
    withdraw; None where the type has none or the value is not understood.  `content`
    is what the statement says by its type, None for a type that is not known.
    `existed_by`, `signed_for` and `delegation`: see Claim.
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
    signed_for: bytes | None = None
    delegation: str | None = None
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class SealShown:
    """The seal that a claim reveals: its author knew the work by then."""

    id: bytes
    index: int
    existed_by: int | None


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

    `signed_for` is the key that it was validly signed for; `delegation` says valid,
    invalid or unknown where it names one.  `disputed` is a mark, no status.  `seal` is
    the seal that dates it.  `linked` is the key at which the author's succession ends:
    keys with the same say that they are one, which permits nothing.
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
    signed_for: bytes | None = None
    delegation: str | None = None
    disputed: bool = False
    seal: SealShown | None = None
    linked: bytes | None = None
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A statement that names the work as a source of `digest`."""

    digest: bytes
    id: bytes
    index: int
    type: str
    author: bytes
    signed_for: bytes | None
    time: int
    existed_by: int | None
    status: str
    relationship: str
    made: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Work:
    """Everything known about one work. `total` is proven; None if beyond the caps.

    `claims` come by their evidence, earliest first; `remarks` are all other statements
    about the work itself.  `redacted` were said about it and taken down: no claim about
    it is effective then.  `consent` maps each use to its verdict for whoever comes.
    `derived` are works made from it, None in `derived_total` where nobody asked.
    """

    digest: bytes
    level: int
    claims: tuple[Claim, ...]
    remarks: tuple[Remark, ...]
    total: int | None
    redacted: tuple[Redaction, ...] = ()
    consent: Mapping[str, str] = field(default_factory=dict)
    synthetic_depth: Depth | None = None
    derived: tuple[Derived, ...] = ()
    derived_total: int | None = None

    def of_type(self, type_: str) -> tuple[Remark, ...]:
        """Its grants, offers, requests, disputes or relays."""
        return tuple(one for one in self.remarks if one.type == type_)


@dataclass(frozen=True, slots=True)
class KeyStatements:
    """What a key said about itself; `successor` only if it named exactly one.

    `recovered` is what its recovery key said about it.  `ends` is the place after which
    its statements come late; `named` are the successors that its rotations name, two or
    more if it is `contested`; `succession` begins with the key.  Where it is not
    `settled`, more may have been said.
    """

    author: bytes
    statements: tuple[Remark, ...]
    total: int
    successor: bytes | None
    recovery: bytes | None = None
    recovered: tuple[Remark, ...] = ()
    ends: int | None = None
    named: tuple[bytes, ...] = ()
    contested: bool = False
    settled: bool = True
    succession: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """Whether the author of a claim belongs to the cooperative that it names: yes, no
    or unknown, and by which `admit`."""

    member: bytes
    group: bytes
    status: str
    admit: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for `asked` (34-byte multihash), complete in one log up to `log_size`.

    `works[0]` is the one asked for, its sources follow breadth first; `gaps` says what
    the caps left out, empty if nothing.  `supporting` are further statements that the
    answer rests on: delegations, seals, admissions, leaves and offers of cooperatives.
    `as_of` is the point in time that it is for (None: now); `by_claims` says that the
    authors' own clocks decide what was there then.
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
    members: tuple[Member, ...] = ()
    supporting: tuple[Remark, ...] = ()
    as_of: AsOf | None = None
    by_claims: bool = False
    state: State | None = field(default=None, compare=False, repr=False)
    """The rules applied to all that is shown, for further questions; not in JSON."""

    @property
    def known(self) -> bool:
        """Whether anything at all is known about the work."""
        return self.works[0].total != 0

    def is_claimed_beside(self, keys: Set[bytes]) -> bool:
        """Whether a claim that counts is by none of these keys, nor for one."""
        return any(
            claim.status == EFFECTIVE
            and keys.isdisjoint({claim.author, claim.signed_for})
            for claim in self.works[0].claims
        )

    def consent(
        self, use: str, grantee: bytes | None = None, work: bytes | None = None
    ) -> Consent:
        """May `grantee` (key; None: anybody) put a work to a use (CAWG entry)?

        `work` is the one asked for or one of its sources (34-byte multihash).
        """
        if self.state is None:
            raise AssertionError("an answer that no evidence made")
        return self.state.consents.of(work or self.asked, use, grantee)

    def to_json(self) -> dict[str, object]:
        """JSON form: ids as CIDs, digests as sha256:HEX, keys as did:key."""
        found = to_json(self)
        assert isinstance(found, dict)
        return found
