"""What a node knows of one peer's log, and what its admission says about it.

Rule: the one task that follows the log changes it (following.py); but another one that
finds the peer unhelpful says so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import inf
from typing import Protocol

from byline_ledger.cursor import Cursor
from byline_ledger.follower import Follower
from byline_node.cursors import Kept


class Gate(Protocol):
    """What following asks of `admission.Admission`; all but the first two in a thread,
    or for no time."""

    @property
    def digest(self) -> bytes:
        """Of the policy."""

    @property
    def rereads(self) -> int:
        """Another number: all logs are to be read again."""

    def is_refused(self, statement_id: bytes, peer: str | None = None, /) -> bool: ...
    def due(self, peer: str, connected: Collection[str], /) -> list[bytes]: ...
    def is_full(self, peer: str, /) -> bool: ...
    def save(self) -> None: ...


@dataclass(slots=True, eq=False)
class FollowedLog:
    """One peer's log, as far as we know it; lasts while the peer comes and goes."""

    peer: str
    follower: Follower
    error: str | None = None
    """What ended the last session, if it did not end well."""
    halted: bool = False
    """It contradicted itself: not followed any more."""
    failures: int = 0
    policy: bytes = b""
    """Under which it was read so far."""
    rereads: int = 0
    refused: int = 0
    """Statements of it that were passed over, being refused."""
    passing: int = 0
    """The same of the page that is being read, as far as the session knew of itself."""
    passed: int = 0
    """The same of the page before it."""
    due: frozenset[bytes] = frozenset()
    """Statements passed over earlier that this session asks for again."""
    connected: bool = False
    is_helpful: bool = True
    """It never gave a false statement when it was asked for another's."""
    is_saving: bool = False
    saved: Kept | None = None
    saved_at: float = -inf
    asked_gaps_at: float = -inf

    @property
    def cursor(self) -> Cursor | None:
        return self.follower.cursor

    @property
    def unread(self) -> int:
        """Entries of the tree it showed last that are not read."""
        cursor = self.cursor
        return 0 if cursor is None else cursor.seen.size - cursor.size

    @property
    def has_read(self) -> bool:
        """Something of its log was read, or there was nothing to read."""
        return self.follower.is_equal or (
            self.cursor is not None and self.cursor.size > 0
        )

    @property
    def kept(self) -> Kept | None:
        """What is to be saved."""
        if self.cursor is None:
            return None
        return Kept(self.cursor, self.policy, self.refused)

    def settle(self, lag: int, refused: int) -> None:
        """Counts what is behind the cursor now (follow_session.Settle); `refused` of it
        were fetched first."""
        passed = self.passed if lag else self.passed + self.passing
        self.refused = max(0, self.refused + passed + refused)
        self.passed, self.passing = self.passing if lag else 0, 0

    def passes_over(self, gate: Gate, statement_id: bytes) -> bool:
        """Whether it is refused; counts that, in whatever thread."""
        refused = gate.is_refused(statement_id, self.peer)
        self.passing += refused
        return refused

    def rewind(self, gate: Gate) -> None:
        """Starts again at the first leaf, where another policy let things pass."""
        if (self.policy, self.rereads) != (gate.digest, gate.rereads):
            if self.policy and self.cursor is not None:
                self.follower.cursor = self.cursor.rewound()
            self.policy, self.rereads, self.refused = gate.digest, gate.rereads, 0
