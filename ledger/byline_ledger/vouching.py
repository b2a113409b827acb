"""Who is vouched for, by the statements in the log.

Rule: only keys that the operator named vouch, by endorsing a statement or admitting a
key; vouching goes one step, and what a voucher withdrew does not count.
Specification: docs/spec/admission.md, "Rules".
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Protocol, TypeAlias

from byline_ledger.statement import Statement

HINT_BYTES = 8

Voucher: TypeAlias = tuple[bytes, bytes]
"""Key of a voucher, and the id of the statement by which it vouches."""


class KnownStatements(Protocol):
    """What is asked of the log."""

    def author_of(self, statement_id: bytes, /) -> bytes | None:
        """Author of a statement; None if it is not there."""

    def left(self, author: bytes, voucher: bytes, /) -> int:
        """Latest `time` of a `leave` by the author about the voucher; -1 if none."""


def hint_of(author: bytes) -> bytes:
    """By what an author is found again whose key is not kept, 8 bytes."""
    return sha256(author).digest()[:HINT_BYTES]


class Vouching:
    """Grows with what the vouchers say, and with nothing else."""

    def __init__(self, vouchers: frozenset[bytes], log: KnownStatements) -> None:
        self._vouchers = vouchers
        self._log = log
        self._endorsed: dict[bytes, set[Voucher]] = {}
        """By the id of the statement that is endorsed."""
        self._admitted: dict[bytes, dict[Voucher, int]] = {}
        """By SHA-256 of the key that is admitted, with the time of the admission."""
        self._authors: dict[bytes, set[bytes]] = {}
        """Authors' hints to ids of theirs that are endorsed and here."""
        self._hints: set[bytes] = set()
        """Of keys that are admitted and, as far as is known, did not leave."""
        self._withdrawn: set[Voucher] = set()
        self.news = 0
        """Grows whenever somebody more may be vouched for."""

    def learn(self, statements: Iterable[Statement]) -> None:
        """What is in the log now; in any order, and again does no harm."""
        for one in statements:
            if one.author in self._vouchers:
                self._heed(one)
            if one.id in self._endorsed:
                self._note(one.id, one.author)

    def _heed(self, one: Statement) -> None:
        what, voucher = one.about[2:], (one.author, one.id)
        if one.type == "withdraw":
            self._withdrawn.add((one.author, what))
        elif one.type == "endorse":
            self._endorsed.setdefault(what, set()).add(voucher)
            author = self._log.author_of(what)
            if author is not None:
                self._note(what, author)
            self.news += 1
        elif one.type == "admit":
            self._admitted.setdefault(what, {})[voucher] = one.time
            self._hints.add(what[:HINT_BYTES])
            self.news += 1

    def _note(self, endorsed: bytes, author: bytes) -> None:
        self._authors.setdefault(hint_of(author), set()).add(endorsed)

    def is_vouched(self, statement: Statement) -> bool:
        """Whether the statement, or its author, is vouched for."""
        hint = hint_of(statement.author)
        if self._is_endorsed(statement.id) or self._has_endorsed(hint):
            return True
        if self._is_admitted(statement.author):
            return True
        self._hints.discard(hint)
        return False

    def is_vouched_hint(self, statement_id: bytes, hint: bytes) -> bool:
        """Whether that is worth asking, where only the author's hint is known."""
        return (
            self._is_endorsed(statement_id)
            or self._has_endorsed(hint)
            or hint in self._hints
        )

    def _has_endorsed(self, hint: bytes) -> bool:
        return any(map(self._is_endorsed, self._authors.get(hint, ())))

    def _is_endorsed(self, statement_id: bytes) -> bool:
        return any(
            voucher not in self._withdrawn
            for voucher in self._endorsed.get(statement_id, ())
        )

    def _is_admitted(self, author: bytes) -> bool:
        admitted = self._admitted.get(sha256(author).digest(), {})
        return any(
            voucher not in self._withdrawn and time > self._log.left(author, voucher[0])
            for voucher, time in admitted.items()
        )
