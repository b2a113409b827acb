"""Verification of a proof bundle: one pure function of all its inputs.

Rule: docs/spec/bundle.md, "Verification".  Each level is judged and reported by
itself; the verifier derives for itself which lookups the answer owes (derivation.py).
Time, files and network stay outside: the caller passes the clock and the digest of the
bytes at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from byline_ledger.amount import amount
from byline_ledger.answer import Answer
from byline_ledger.answer_maker import NO_ANSWERS, Answers, make_answers
from byline_ledger.bundle import Bundle, leaves_of
from byline_ledger.bundle_rows import EarlierCheckpoint
from byline_ledger.chain import Chain, Gone, parts
from byline_ledger.checkpoint import Checkpoint, checkpoint_of, open_checkpoint
from byline_ledger.derivation import derive
from byline_ledger.entry import commitment_entry
from byline_ledger.errors import (
    BylineError,
    MalformedError,
    ProofError,
    VerificationError,
)
from byline_ledger.facts import NOW, AsOf
from byline_ledger.key_lookups import Recall
from byline_ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from byline_ledger.moment import utc
from byline_ledger.note import parse_note
from byline_ledger.opening import Walk, parse_opening
from byline_ledger.policy import NONE, Policy
from byline_ledger.shared_proof import verify_shared
from byline_ledger.statement import Statement

OK, FAILED, WARNING, ABSENT = "ok", "failed", "warning", "absent"
CLAIMED = "times are the authors' claims"
MAX_AGE = 86_400
"""Seconds after which an answer is called old, if the reader does not say."""
OTHER_FILE = "another file, or this one was edited or saved again since"
"""What a digest that differs may mean to whoever holds the file."""


@dataclass(frozen=True, slots=True)
class Level:
    """The judgement on one level: `status` is ok, failed, warning or absent."""

    name: str
    status: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All levels, and the answer if the proofs hold (whoever may have signed them)."""

    levels: tuple[Level, ...]
    answer: Answer | None
    """For the digest asked for, or the first of those that the bundle answers for."""
    answers: Answers = NO_ANSWERS
    """One for each that the bundle answers for, ascending by their digest."""
    capped: frozenset[bytes] = frozenset()
    """Those whose answers the caps cut, which all of a bundle share: asked alone, they
    have more room."""

    @property
    def ok(self) -> bool:
        """No level failed."""
        return all(level.status != FAILED for level in self.levels)

    @property
    def is_complete(self) -> bool:
        """Somebody whom the reader trusts replayed the log, and nothing is missing."""
        return any(
            level.name == "completeness" and level.status == OK for level in self.levels
        )

    @property
    def exit_code(self) -> int:
        """0 if all holds, else 1."""
        return 0 if self.ok else 1

    def failure(self) -> str:
        """The first failed level in one line; empty if all holds."""
        failed = [level for level in self.levels if level.status == FAILED]
        return f"{failed[0].name}: {failed[0].detail}" if failed else ""


def verify_bundle(
    bundle: bytes,
    *,
    digest: bytes | None = None,
    digests: Collection[bytes] = (),
    keys: Collection[bytes] = (),
    policy: Policy | None = None,
    now: int | None = None,
    work: bytes | None = None,
    depth: int = 0,
    max_age: int | None = None,
    as_of: AsOf = NOW,
) -> Verdict:
    """Verify a bundle against what the reader knows.

    `digest`: the 34-byte multihash that was asked for; `digests`: all of them, where
    they were several; `keys`: the 32-byte keys that the reader trusts, if the question
    named any; `work`: the multihash of the bytes at hand; `policy`: whom the reader
    trusts; `now`: Unix milliseconds, to refuse cosignatures from the future and to tell
    how old the answer is; `depth`: the least depth wanted; `max_age`: seconds since the
    quorum saw this tree as the largest, beyond which the bundle fails (by default, a
    day makes a warning); `as_of`: when what is said is to hold.
    Raises MalformedError or UnsupportedError only; what does not hold fails a level.
    """
    parsed = Bundle.from_bytes(bundle)
    wanted = Wanted(digest, frozenset(digests), frozenset(keys), work, depth)
    then = as_of if as_of.now is not None else replace(as_of, now=now)
    return _Verification(parsed, policy, now, max_age).run(wanted, then)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader asked for."""

    digest: bytes | None
    digests: frozenset[bytes]
    keys: frozenset[bytes]
    work: bytes | None
    depth: int


class _Verification:
    def __init__(
        self,
        bundle: Bundle,
        policy: Policy | None,
        now: int | None,
        max_age: int | None,
    ) -> None:
        self._bundle = bundle
        self._policy = policy
        self._now = now
        self._max_age = max_age
        self._checkpoint: Checkpoint = checkpoint_of(bundle.checkpoint)
        self._levels: list[Level] = []
        self._chain: Chain | None = None
        self._existed: list[tuple[int, int]] = []
        """Size of a tree and the time by which the quorum had cosigned it."""

    def run(self, wanted: Wanted, as_of: AsOf) -> Verdict:
        self._level("asked", lambda: self._asked(wanted))
        self._level("signatures", self._signatures)
        self._level("log", self._log_signature)
        root = self._level("completeness", lambda: self._completeness(wanted.depth))
        self._level("inclusion", lambda: self._inclusion(root))
        self._level("redactions", self._redactions)
        proven = all(level.status != FAILED for level in self._levels)
        self._level("trust", self._trust)
        self._level("witnesses", self._witnesses)
        self._level("freshness", self._freshness)
        self._level("time", self._time)
        if not proven or self._chain is None:
            return Verdict(tuple(self._levels), None)
        chains = list(parts(self._chain))
        answers = make_answers(
            self._bundle, self._checkpoint, chains, root, self._existed_by, as_of
        )
        asked = wanted.digest or wanted.work or answers.works[0]
        capped = frozenset(one.asked[0] for one in chains if one.capped)
        return Verdict(tuple(self._levels), answers.of(asked), answers, capped)

    def _level(self, name: str, judge: Callable[[], tuple[str, str, bytes]]) -> bytes:
        """Run one judgement; returns what it hands on to the next (bytes)."""
        try:
            status, detail, value = judge()
        except MalformedError:
            raise
        except BylineError as error:
            status, detail, value = FAILED, str(error), b""
        self._levels.append(Level(name, status, detail))
        return value

    def _asked(self, wanted: Wanted) -> tuple[str, str, bytes]:
        asked, work = self._bundle.asked, wanted.work
        if wanted.digest is not None and wanted.digest not in asked:
            raise ProofError(
                f"the bundle answers for {_named(asked)}, "
                f"not for {_named((wanted.digest,))}: {OTHER_FILE}"
            )
        if wanted.digests and wanted.digests != frozenset(asked):
            raise ProofError(
                f"the bundle answers for {_named(asked)},"
                f" not for the {len(wanted.digests)} digests that were asked for"
            )
        if not wanted.keys <= frozenset(self._bundle.keys):
            raise ProofError("the bundle leaves out a key that you trust")
        if work is None:
            return ABSENT, "the work's own bytes were not compared", b""
        if work not in asked or wanted.digest not in (None, work):
            raise ProofError(
                f"the file's SHA-256 is {work[2:].hex()}, "
                f"the bundle answers for {_named(asked)}: {OTHER_FILE}"
            )
        return OK, "the file is the one that the bundle answers for", b""

    def _signatures(self) -> tuple[str, str, bytes]:
        for one in self._bundle.statements:
            one.statement.verify()
        count = len(self._bundle.statements)
        told = "there is no statement to check"
        if count:
            told = f"{count} of {count} statements are signed by their author's key"
        return OK, told, b""

    def _log_signature(self) -> tuple[str, str, bytes]:
        open_checkpoint(self._bundle.checkpoint, self._bundle.log)
        size = self._checkpoint.size
        return OK, f"signed by {self._checkpoint.origin} at {size} entries", b""

    def _completeness(self, depth: int) -> tuple[str, str, bytes]:
        bundle = self._bundle
        top = parse_opening(bundle.opening, bundle.strings)
        recall = _recall(bundle)
        walk = Walk(top)
        places = _places(bundle)
        asked, ahead = bundle.asked, bundle.ahead
        chain = derive(walk, recall, places.__getitem__, asked, bundle.depth, ahead)
        walk.require_no_surplus()
        if len(_ids(bundle)) < len(bundle.statements) + len(bundle.redacted):
            raise ProofError("the bundle has a statement that it says was taken down")
        if chain.used != _ids(bundle):
            raise ProofError("the bundle has statements that its answer does not use")
        if chain.depth != bundle.depth:
            raise ProofError(
                f"the bundle says depth {bundle.depth}, its chain has {chain.depth}"
            )
        if chain.cut and chain.depth < depth:
            raise ProofError(f"asked for depth {depth}, proven is {chain.depth}")
        self._require_commitment(top.hash)
        self._chain = chain
        status, detail = self._scope()
        if chain.gaps:
            return WARNING, f"{detail}; but {'; '.join(chain.gaps)}", top.hash
        return status, detail, top.hash

    def _scope(self) -> tuple[str, str]:
        """How far the answer is complete, and who says so.

        The opening shows everything under the commitment.  That the commitment is of
        all entries, only somebody who computed it anew can say.
        """
        last = f"entry {self._checkpoint.size - 1}"
        times = self._cosigned(self._bundle.checkpoint)
        fresh = self._policy.fresh_time(times) if self._policy else None
        until = last if fresh is None else f"{utc(fresh)} ({last})"
        replayed = self._policy.replayed_by(times) if self._policy else []
        if replayed:
            who = ", ".join(replayed)
            return OK, f"complete in this log up to {until}, replayed by {who}"
        claimed = f"so the log itself claims, up to {until}"
        return WARNING, f"{claimed}; nobody whom you trust replayed it"

    def _cosigned(self, note: bytes) -> dict[str, int]:
        """When the policy's witnesses cosigned a note; one that is wrong is judged on
        its own level, and here counts for nothing."""
        if self._policy is None:
            return {}
        try:
            return self._policy.witnessed_by(note, now=self._now)
        except VerificationError:
            return {}

    def _require_commitment(self, root: bytes) -> None:
        """The last leaf of the tree commits to exactly this set (docs/spec/log.md)."""
        size = self._checkpoint.size
        if size < 1:
            raise ProofError("the checkpoint is of an empty tree: nothing is committed")
        entry = commitment_entry(self._bundle.strings, root)
        verify_inclusion(
            leaf_hash(entry), size - 1, size, self._bundle.proof, self._checkpoint.root
        )

    def _inclusion(self, root: bytes) -> tuple[str, str, bytes]:
        size, bundle = self._checkpoint.size, self._bundle
        leaves = leaves_of(bundle)
        if leaves and max(leaves) >= size - 1:
            raise ProofError(f"index {max(leaves)} in a tree of {size} entries")
        verify_shared(leaves, size, bundle.inclusion, self._checkpoint.root)
        return OK, "every statement is in the log at the place it claims", root

    def _redactions(self) -> tuple[str, str, bytes]:
        count = len(self._bundle.redacted)
        if not count:
            return OK, "nothing that this answer needs was taken down", b""
        gone = amount(count, "statement was", "statements were")
        detail = (
            f"{gone} taken down by this node: what may have been"
            " withdrawn or disputed there is unknown"
        )
        return WARNING, detail, b""

    def _trust(self) -> tuple[str, str, bytes]:
        origin = self._checkpoint.origin
        if self._policy is None:
            detail = f"you gave no policy, so you take the word of the log {origin}"
            return WARNING, detail, b""
        trusted = self._policy.log_for(origin)
        if trusted is None:
            raise ProofError(f"your policy does not name the log {origin}")
        if trusted.vkey != self._bundle.log:
            # The note may hold both keys' signatures; the answer names this one.
            raise ProofError(f"your policy names another key for the log {origin}")
        return OK, f"your policy names the log {origin}", b""

    def _witnesses(self) -> tuple[str, str, bytes]:
        if self._policy is None:
            return ABSENT, f"no policy says which witnesses count{self._names()}", b""
        times = self._policy.witnessed_by(self._bundle.checkpoint, now=self._now)
        if not self._policy.is_satisfied(set(times)):
            raise ProofError(f"{signed_by(self._policy, times)}: no quorum")
        if self._policy.quorum == NONE:
            return ABSENT, unwitnessed(self._policy, times), b""
        return OK, signed_by(self._policy, times), b""

    def _names(self) -> str:
        """Whom a reader without a policy would have to trust."""
        origin = self._checkpoint.origin
        signatures = parse_note(self._bundle.checkpoint).signatures
        names = [one.name for one in signatures if one.name != origin]
        return f"; it bears the names of {', '.join(names[:8])}" if names else ""

    def _freshness(self) -> tuple[str, str, bytes]:
        if self._policy is None:
            return self._ageless("without witnesses nobody knows how old the answer is")
        times = self._cosigned(self._bundle.checkpoint)
        fresh = self._policy.fresh_time(times)
        if fresh is None:
            return self._ageless("no quorum says how old the answer is")
        who = amount(len(self._policy.operators(times)), "witness", "witnesses")
        detail = f"{who} knew of nothing newer at {utc(fresh)}"
        if self._now is None:
            return self._ageless(f"{detail}; no clock says how long ago", OK)
        age = max(0, self._now // 1000 - fresh)
        detail = f"{detail}, {span(age)} ago"
        if self._max_age is not None and age > self._max_age:
            raise ProofError(f"{detail}: expected at most {span(self._max_age)}")
        if self._max_age is None and age > MAX_AGE:
            return WARNING, f"{detail}: there may be more by now", b""
        return OK, detail, b""

    def _ageless(self, detail: str, status: str = ABSENT) -> tuple[str, str, bytes]:
        """Nobody knows the age: whoever named one cannot be told that it is kept."""
        if self._max_age is not None:
            raise ProofError(f"{detail}: expected at most {span(self._max_age)}")
        return status, detail, b""

    def _time(self) -> tuple[str, str, bytes]:
        for earlier in self._bundle.earlier:
            self._require_earlier(earlier)
        if self._policy is None or self._policy.quorum == NONE:
            return (
                ABSENT,
                f"{CLAIMED}; nothing here proves them",
                b"",
            )
        notes = [one.note for one in self._bundle.earlier] + [self._bundle.checkpoint]
        for note in notes:
            time = self._policy.quorum_time(self._cosigned(note))
            if time is not None:
                self._existed.append((checkpoint_of(note).size, time))
        if not self._existed:
            return ABSENT, f"{CLAIMED}; no quorum signed", b""
        indexes = [one.index for one in self._bundle.statements]
        known = [time for time in map(self._existed_by, indexes) if time is not None]
        if not known:
            return OK, "no statement that a quorum could have dated", b""
        return OK, f"all that is shown existed by {utc(max(known))}", b""

    def _require_earlier(self, earlier: EarlierCheckpoint) -> None:
        old = open_checkpoint(earlier.note, self._bundle.log)
        new = self._checkpoint
        if not 0 < old.size < new.size:
            raise ProofError(f"an earlier checkpoint of {old.size} entries")
        verify_consistency(old.size, new.size, old.root, new.root, earlier.proof)

    def _existed_by(self, index: int) -> int | None:
        """Unix seconds by which the quorum had cosigned a tree with this entry."""
        times = [time for size, time in self._existed if size > index]
        return min(times, default=None)


def _named(digests: Collection[bytes]) -> str:
    first = f"sha256:{min(digests)[2:].hex()}"
    return first if len(digests) == 1 else f"{len(digests)} digests from {first} on"


def _places(bundle: Bundle) -> dict[bytes, int]:
    return {one.statement.id: one.index for one in bundle.statements}


def signed_by(policy: Policy, names: Collection[str]) -> str:
    """How many of a policy's witnesses signed: people, not keys."""
    people = len(policy.operators(names))
    keys = f", with {len(names)} keys" if len(names) > people else ""
    return f"{amount(people, 'trusted witness', 'trusted witnesses')} signed{keys}"


def unwitnessed(policy: Policy, names: Collection[str]) -> str:
    """What a policy without a quorum leaves open, and who signed all the same."""
    signed = f"; {signed_by(policy, names)}" if names else ""
    return f"your policy asks for no witness{signed}"


def span(seconds: int) -> str:
    """A span of time in one unit."""
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return amount(seconds // size, name)
    return f"{seconds} s"


def _ids(bundle: Bundle) -> frozenset[bytes]:
    """All statements of a bundle, those that were taken down included."""
    there = {one.statement.id for one in bundle.statements}
    return frozenset(there | {one.entry.id for one in bundle.redacted})


def _recall(bundle: Bundle) -> Recall:
    known: dict[bytes, Statement | Gone] = {
        one.entry.id: Gone(one.entry) for one in bundle.redacted
    }
    # A body that is there counts, whatever else the bundle says of it.
    known |= {one.statement.id: one.statement for one in bundle.statements}

    def recall(id_: bytes) -> Statement | Gone:
        found = known.get(id_)
        if found is None:
            raise ProofError(f"the bundle lacks statement {id_.hex()}")
        return found

    return recall
