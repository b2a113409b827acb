"""What is wrong with a log that was read, and what an alarm about it is made of.

Rule: a fault knows entries and places; only with the tree that was signed does it
become evidence (evidence.py).  Specification: docs/spec/alarm.md.
"""

from __future__ import annotations

from byline_ledger.errors import InconsistentLogError
from byline_ledger.evidence import Commitment, Evidence, Leaf, Repeat
from byline_ledger.evidence import Entry as WrongEntry
from byline_ledger.merkle import (
    Frontier,
    NodeReader,
    consistency_proof,
    inclusion_proof,
)


class LogFaultError(InconsistentLogError):
    """The log is not what its rules make of it; the first thing that is wrong.

    `index` is the entry where it shows.  `evidence` gives what an alarm needs, given
    the tree that was signed.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, index: int = 0
    ) -> None:
        super().__init__(message, hint=hint)
        self.index = index
        self.leaves: tuple[tuple[int, bytes], ...] = ()
        """Entries that show it by themselves, with their places."""
        self.repeats = False
        self.start = 0
        self.entries: tuple[bytes, ...] = ()
        """Or else the entries from `start` on to a false commitment."""
        self.opening = b""

    def evidence(self, size: int, node: NodeReader) -> Evidence | None:
        """For an alarm about the tree of `size` entries with these hashes; None where
        no part of the log shows the fault."""
        if self.leaves:
            leaves = tuple(
                Leaf(index, entry, tuple(inclusion_proof(index, size, node)))
                for index, entry in self.leaves
            )
            return Repeat(leaves) if self.repeats else WrongEntry(leaves)
        if not self.entries:
            return None
        end = self.start + len(self.entries)
        before = Frontier.of(self.start, node).hashes
        proof = tuple(consistency_proof(end, size, node))
        return Commitment(self.start, before, self.entries, self.opening, proof)


def fault_of(
    message: str, *leaves: tuple[int, bytes], repeats: bool = False
) -> LogFaultError:
    """A fault that these entries show by themselves; the last is the wrong one."""
    fault = LogFaultError(f"entry {leaves[-1][0]}: {message}", index=leaves[-1][0])
    fault.leaves, fault.repeats = leaves, repeats
    return fault
