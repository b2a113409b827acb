"""Verification of a proof bundle: one pure function of all its inputs.

Rule: docs/spec/bundle.md, "Verification".  Each level is judged and reported by
itself; the verifier derives for itself which lookups the answer owes (chain.py).
Time, files and network stay outside: the caller passes the clock and the digest of the
bytes at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from byline_ledger.answer import Answer, make_answer
from byline_ledger.bundle import Bundle
from byline_ledger.chain import Chain, derive
from byline_ledger.checkpoint import Checkpoint, checkpoint_of, open_checkpoint
from byline_ledger.entry import commitment_entry, statement_entry
from byline_ledger.errors import BylineError, MalformedError, ProofError
from byline_ledger.merkle import leaf_hash, verify_inclusion
from byline_ledger.opening import Walk, parse_opening
from byline_ledger.policy import Policy
from byline_ledger.statement import Statement

OK, FAILED, WARNING, ABSENT = "ok", "failed", "warning", "absent"


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

    @property
    def ok(self) -> bool:
        """No level failed."""
        return all(level.status != FAILED for level in self.levels)

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
    policy: Policy | None = None,
    now: int | None = None,
    work: bytes | None = None,
    depth: int = 0,
) -> Verdict:
    """Verify a bundle against what the reader knows.

    `digest`: the 34-byte multihash that was asked for; `work`: that of the bytes at
    hand; `policy`: whom the reader trusts; `now`: Unix milliseconds, to refuse
    cosignatures from the future; `depth`: the least depth wanted.
    Raises MalformedError or UnsupportedError only; what does not hold fails a level.
    """
    return _Verification(Bundle.from_bytes(bundle), policy, now).run(
        digest, work, depth
    )


class _Verification:
    def __init__(self, bundle: Bundle, policy: Policy | None, now: int | None) -> None:
        self._bundle = bundle
        self._policy = policy
        self._now = now
        self._checkpoint: Checkpoint = checkpoint_of(bundle.checkpoint)
        self._levels: list[Level] = []
        self._chain: Chain | None = None

    def run(self, digest: bytes | None, work: bytes | None, depth: int) -> Verdict:
        self._level("asked", lambda: self._asked(digest, work))
        self._level("signatures", self._signatures)
        self._level("log", self._log_signature)
        root = self._level("completeness", lambda: self._completeness(depth))
        self._level("inclusion", lambda: self._inclusion(root))
        proven = all(level.status != FAILED for level in self._levels)
        self._level("trust", self._trust)
        self._level("witnesses", self._witnesses)
        self._level("time", self._time)
        answer = None
        if proven and self._chain is not None:
            answer = make_answer(self._bundle, self._checkpoint, self._chain, root)
        return Verdict(tuple(self._levels), answer)

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

    def _asked(
        self, digest: bytes | None, work: bytes | None
    ) -> tuple[str, str, bytes]:
        asked = self._bundle.asked
        if digest is not None and digest != asked:
            raise ProofError(
                f"the bundle answers for sha256:{asked[2:].hex()}, "
                f"not for sha256:{digest[2:].hex()}"
            )
        if work is None:
            return ABSENT, "the work's own bytes were not compared", b""
        if work != asked:
            raise ProofError(
                f"the file's SHA-256 is {work[2:].hex()}, "
                f"the bundle answers for {asked[2:].hex()}"
            )
        return OK, "the file is the one that the bundle answers for", b""

    def _signatures(self) -> tuple[str, str, bytes]:
        for one in self._bundle.statements:
            one.statement.verify()
        count = len(self._bundle.statements)
        return (
            OK,
            f"{count} of {count} statements are signed by their author's key",
            b"",
        )

    def _log_signature(self) -> tuple[str, str, bytes]:
        open_checkpoint(self._bundle.checkpoint, self._bundle.log)
        size = self._checkpoint.size
        return OK, f"signed by {self._checkpoint.origin} at {size} entries", b""

    def _completeness(self, depth: int) -> tuple[str, str, bytes]:
        bundle = self._bundle
        top = parse_opening(bundle.opening, bundle.strings)
        statements = {one.statement.id: one.statement for one in bundle.statements}
        walk = Walk(top)
        chain = derive(walk, _source(statements), bundle.asked, bundle.depth)
        walk.require_no_surplus()
        if chain.used != statements.keys():
            raise ProofError("the bundle has statements that its answer does not use")
        if chain.depth != bundle.depth:
            raise ProofError(
                f"the bundle says depth {bundle.depth}, its chain has {chain.depth}"
            )
        if chain.cut and chain.depth < depth:
            raise ProofError(f"asked for depth {depth}, proven is {chain.depth}")
        self._require_commitment(top.hash)
        self._chain = chain
        size = self._checkpoint.size
        detail = (
            f"complete in this log up to entry {size - 1}, as the log itself claims"
        )
        if chain.gaps:
            return WARNING, f"{detail}; but {'; '.join(chain.gaps)}", top.hash
        return OK, detail, top.hash

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
        size = self._checkpoint.size
        for one in self._bundle.statements:
            if one.index >= size - 1:
                raise ProofError(f"index {one.index} in a tree of {size} entries")
            leaf = leaf_hash(statement_entry(one.statement))
            verify_inclusion(leaf, one.index, size, one.proof, self._checkpoint.root)
        return OK, "every statement is in the log at the place it claims", root

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
            return ABSENT, "no policy says which witnesses count", b""
        names = self._policy.witnessed_by(self._bundle.checkpoint, now=self._now)
        if not self._policy.is_satisfied(set(names)):
            raise ProofError(f"{len(names)} trusted witnesses signed: no quorum")
        return OK, f"{len(names)} trusted witnesses signed", b""

    def _time(self) -> tuple[str, str, bytes]:
        return ABSENT, "times are the authors' claims; nothing here proves them", b""


def _source(statements: dict[bytes, Statement]) -> Callable[[bytes], Statement]:
    def statement(id_: bytes) -> Statement:
        found = statements.get(id_)
        if found is None:
            raise ProofError(f"the bundle lacks statement {id_.hex()}")
        return found

    return statement
