"""Tombstones: what stands where a body was taken down.

    {"reason": text, "time": uint}        canonical MessagePack; Unix milliseconds

Rule: a takedown removes a body and nothing else.  The log entry stays, so every proof
still verifies; what the statement said is unknown from then on, and so is whatever it
might have said about others.  The same stands where a log was recovered and no copy
had the body, with a reason of its own: a tombstone of a copy is nobody's word.
Specification: docs/spec/log.md, "Takedown".
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger import codec
from byline_ledger.ascii import is_one_line
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import MalformedError, RedactedError, UsageError

NOT_RECOVERED = "not recovered"
"""The reason where nobody took a body down: it was lost, and may come back."""
MAX_REASON = 200
"""Characters of a reason."""
MAX_TOMBSTONE = 1_024
MAX_TIME = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Why and when (Unix milliseconds, the operator's clock) a body was taken down."""

    reason: str
    time: int

    def __post_init__(self) -> None:
        if not is_reason(self.reason):
            raise UsageError(
                f"expected a reason of 1 to {MAX_REASON} characters in one line"
            )
        if not 0 <= self.time <= MAX_TIME:
            raise UsageError(f"expected a time up to 2^63 - 1, got {self.time}")

    @property
    def is_lost(self) -> bool:
        """Whether the body is missing against the operator's will."""
        return self.reason == NOT_RECOVERED

    def error(self, statement_id: bytes) -> RedactedError:
        """What is said to whoever asks for the body, or brings it again."""
        name = cid_of_statement(statement_id)
        if self.is_lost:
            return RedactedError(f"this node lost the body of statement {name}")
        return RedactedError(
            f"statement {name} was taken down by this node: {self.reason}"
        )

    def to_bytes(self) -> bytes:
        """The canonical encoding."""
        return codec.pack({"reason": self.reason, "time": self.time})

    @classmethod
    def from_bytes(cls, data: bytes) -> Tombstone:
        """Strict, else MalformedError."""
        fields = codec.unpack(
            data, max_size=MAX_TOMBSTONE, max_depth=1, what="tombstone"
        )
        if not isinstance(fields, dict) or tuple(fields) != ("reason", "time"):
            raise MalformedError("tombstone: expected a map of reason and time")
        reason, time = fields["reason"], fields["time"]
        if type(reason) is not str or type(time) is not int:
            raise MalformedError("tombstone: expected a text and an integer")
        try:
            return cls(reason, time)
        except UsageError as error:
            raise MalformedError(f"tombstone: {error}") from error


def is_reason(text: str) -> bool:
    """Whether a text can be a reason: one plain line, not too long."""
    return 1 <= len(text) <= MAX_REASON and is_one_line(text)
