"""What a reader without a log makes of a node's answer to `root`.

Rule: nothing counts before it is verified; and only two notes of one key can contradict
each other.  Specification: docs/spec/network.md, "Root".
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.entry import CommitmentEntry, parse_entry
from byline_ledger.errors import ContradictionError, ProofError
from byline_ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from byline_ledger.query_messages import RootAnswer


@dataclass(frozen=True, slots=True)
class KnownRoot:
    """A log's signed tree, and the lookup set that its last leaf commits to."""

    vkey: str
    note: bytes
    checkpoint: Checkpoint
    strings: int
    set_root: bytes


def open_root(answer: RootAnswer) -> KnownRoot:
    """Verifies an answer.  Raises MalformedError, or VerificationError of a kind."""
    checkpoint = open_checkpoint(answer.note, answer.vkey)
    entry = parse_entry(answer.entry)
    if checkpoint.size < 1 or not isinstance(entry, CommitmentEntry):
        raise ProofError("the last entry of the tree is not a commitment")
    verify_inclusion(
        leaf_hash(answer.entry),
        checkpoint.size - 1,
        checkpoint.size,
        answer.proof,
        checkpoint.root,
    )
    return KnownRoot(answer.vkey, answer.note, checkpoint, entry.count, entry.root)


def require_same_log(
    vkey: str, first: bytes, second: bytes, since: tuple[bytes, ...] | None
) -> None:
    """ContradictionError if two notes that `vkey` signed cannot both be true.

    `since` is the log's own consistency proof from the smaller to the larger tree, or
    None if it is not at hand: then only trees of one size are compared.
    """
    opened = [(open_checkpoint(note, vkey), note) for note in (first, second)]
    (old, small), (new, large) = sorted(opened, key=lambda pair: pair[0].size)
    if old.size < new.size and since is None:
        return
    proof = since if since is not None and old.size < new.size else ()
    try:
        verify_consistency(old.size, new.size, old.root, new.root, proof)
    except ProofError as error:
        raise ContradictionError(
            f"log {old.origin} shows two trees that cannot both be true: {error}",
            vkey=vkey,
            notes=(small, large),
            proof=proof,
        ) from error
