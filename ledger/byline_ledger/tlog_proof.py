"""C2SP tlog-proof: one entry, its inclusion proof and the checkpoint, as text.

    c2sp.org/tlog-proof@v1
    extra <base64>                    optional; nothing authenticates it
    index <decimal>
    <base64 of a 32-byte hash>        each of the inclusion proof, leaf's sibling first

    <the checkpoint, with its signatures>

Rule: one spelling for each proof.  It shows that an entry is in a log, and no more:
nothing of what else the log holds.  Specification: docs/spec/log.md, "Proof files".
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.ascii import format_base64, parse_base64, parse_decimal, parse_hash
from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.errors import MalformedError
from byline_ledger.merkle import MAX_PROOF, leaf_hash, verify_inclusion

HEADER = b"c2sp.org/tlog-proof@v1"
MAX_TLOG_PROOF = 1 << 20
SUFFIX = ".tlog-proof"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A parsed proof; nothing of it is verified yet."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    """The signed note."""
    extra: bytes | None = None
    """Whatever its maker put there; here the statement's envelope."""

    def to_bytes(self) -> bytes:
        """The text."""
        lines = [HEADER.decode()]
        if self.extra is not None:
            lines.append(f"extra {format_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += map(format_base64, self.proof)
        return "\n".join([*lines, "", ""]).encode() + self.checkpoint

    @classmethod
    def from_bytes(cls, data: bytes) -> TlogProof:
        """Strict, else MalformedError; the note is not parsed."""
        if len(data) > MAX_TLOG_PROOF:
            raise MalformedError(
                f"expected a proof of at most {MAX_TLOG_PROOF} bytes, got {len(data)}"
            )
        head, separator, note = data.partition(b"\n\n")
        lines = head.split(b"\n")
        if not separator or lines.pop(0) != HEADER:
            raise MalformedError(f"expected a proof that begins with {HEADER.decode()}")
        extra = None
        if lines and lines[0].startswith(b"extra "):
            extra = parse_base64(lines.pop(0)[6:], "extra data")
        if not lines or not lines[0].startswith(b"index "):
            raise MalformedError("expected an index line in a proof")
        index = parse_decimal(lines.pop(0)[6:], "an index")
        if len(lines) > MAX_PROOF:
            raise MalformedError(f"expected at most 63 hashes, got {len(lines)}")
        proof = tuple(parse_hash(line, "a hash of a proof") for line in lines)
        return cls(index, proof, note, extra)

    def verify(self, entry: bytes, vkey: str) -> Checkpoint:
        """The log `vkey` has `entry` as leaf `index` of the tree that it returns.

        Raises BadSignatureError, ProofError or MalformedError.  Whether witnesses
        signed is the policy's to judge (Policy.witnessed_by).
        """
        checkpoint = open_checkpoint(self.checkpoint, vkey)
        verify_inclusion(
            leaf_hash(entry), self.index, checkpoint.size, self.proof, checkpoint.root
        )
        return checkpoint
