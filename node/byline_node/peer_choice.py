"""Which of several peers' answers is shown, and what the others have beyond it.

Rule (docs/spec/network.md, "Query"): each is held against the reader's own policy and
clock, exactly as one over HTTP; a log that contradicts itself is no longer asked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from byline_ledger.bundle import DEFAULT_DEPTH, Bundle
from byline_ledger.errors import VerificationError
from byline_ledger.facts import NOW, AsOf
from byline_ledger.policy import Policy
from byline_ledger.verify import Verdict, verify_bundle
from byline_node.peer_query import PeerReply, Replies


@dataclass(frozen=True, slots=True)
class Measure:
    """What a reader holds answers against."""

    work: bytes | None = None
    """Multihash of the bytes at hand, if they are."""
    depth: int = DEFAULT_DEPTH
    rules: Policy | None = None
    max_age: int | None = None
    as_of: AsOf = NOW


@dataclass(frozen=True, slots=True)
class Held:
    """A peer's answer, held against what the reader trusts."""

    reply: PeerReply
    bundle: bytes
    verdict: Verdict
    fresh: int
    """When the reader's quorum knew of nothing newer, Unix seconds; 0 if unknown."""
    shown: frozenset[bytes]
    """Ids of all statements in it, those that were taken down included."""

    def beyond(self, chosen: Held) -> int:
        """Statements that it shows and the chosen one does not; none if it does not
        hold."""
        return len(self.shown - chosen.shown) if self.verdict.ok else 0


def believable(replies: Replies, convicted: Collection[str]) -> list[PeerReply]:
    """Who answered, of logs whose keys (vkeys) are not proven to have lied."""
    return [
        one
        for one in replies.peers
        if one.bundle is not None
        and one.problem is None
        and one.root is not None
        and one.root.vkey not in convicted
    ]


def hold(reply: PeerReply, digest: bytes, measure: Measure, now: int) -> Held:
    """The verdict on a reply with a bundle; `now` in Unix milliseconds."""
    assert reply.bundle is not None
    verdict = verify_bundle(
        reply.bundle,
        digest=digest,
        work=measure.work,
        policy=measure.rules,
        now=now,
        depth=measure.depth,
        max_age=measure.max_age,
        as_of=measure.as_of,
    )
    bundle = Bundle.from_bytes(reply.bundle)
    shown = {one.statement.id for one in bundle.statements}
    shown |= {one.entry.id for one in bundle.redacted}
    fresh = _fresh_time(bundle.checkpoint, measure.rules, now)
    return Held(reply, reply.bundle, verdict, fresh, frozenset(shown))


def _fresh_time(note: bytes, rules: Policy | None, now: int) -> int:
    """Until when a quorum of the policy knew of nothing newer; 0 if none says."""
    if rules is None:
        return 0
    try:
        return rules.fresh_time(rules.witnessed_by(note, now=now)) or 0
    except VerificationError:
        return 0


def freshest(held: Sequence[Held]) -> Held:
    """Of the answers that hold, of those that know something if any does, the one that
    a quorum saw last; where no quorum says, that of the largest set."""

    def rank(one: Held) -> tuple[bool, bool, int, int]:
        assert one.reply.root is not None
        answer = one.verdict.answer
        known = answer is not None and answer.known
        return one.verdict.ok, known, one.fresh, one.reply.root.strings

    return max(held, key=rank)
