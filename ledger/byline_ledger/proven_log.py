"""The one log that the proofs of a set's works are of, and the oldest tree among them.

Rule: all that the log had by then is considered, and what came later may not be.  So a
figure over many proofs is of one log, and as of its oldest tree.
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.answer import Answer
from byline_ledger.errors import ProofError


@dataclass(frozen=True, slots=True)
class ProvenLog:
    """A log, and the tree of `size` entries and `set_root` (32 bytes)."""

    origin: str
    vkey: str
    size: int
    set_root: bytes


def oldest(log: ProvenLog | None, answer: Answer) -> ProvenLog:
    """The log of the answers so far, None before the first, with one more.

    ProofError if that is of another log.
    """
    found = ProvenLog(answer.origin, answer.vkey, answer.log_size, answer.set_root)
    if log is None:
        return found
    if (log.origin, log.vkey) != (found.origin, found.vkey):
        raise ProofError(f"proofs of two logs, {log.origin} and {found.origin}")
    return found if found.size < log.size else log
