"""What `endorse`, `dispute` and `withdraw` statements say about others' and one's own.

Field by field: docs/spec/statement.md, "Types".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byline_ledger import vocabulary as words
from byline_ledger.errors import UsageError
from byline_ledger.field_maker import Fields, made_of, name_of_statement
from byline_ledger.field_reader import MAX_NOTE, FieldReader
from byline_ledger.statement import Statement

MAX_EVIDENCE = 64


@dataclass(frozen=True, slots=True)
class EndorseContent:
    """What an `endorse` statement says."""

    role: str | None
    note: str | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DisputeContent:
    """What a `dispute` statement says; evidence as 34-byte multihashes."""

    reason: str | None
    note: str | None
    evidence: tuple[bytes, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WithdrawContent:
    """What a `withdraw` statement says; the replacement as a statement id."""

    reason: str | None
    replacement: bytes | None
    problems: tuple[str, ...]


def endorse_fields(
    *, statement_id: bytes, role: str, note: str | None = None, time: int, salt: bytes
) -> Fields:
    """The fields of an `endorse` statement about a statement (id, 32 bytes)."""
    maker = made_of("endorse", name_of_statement(statement_id), time, salt)
    maker.word("role", role, words.ENDORSE_ROLES)
    maker.text("note", note, MAX_NOTE)
    return maker.fields


def dispute_fields(
    *,
    about: bytes,
    reason: str,
    note: str | None = None,
    evidence: Sequence[bytes] = (),
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `dispute` about a work or a statement (multihash, 34 bytes)."""
    maker = made_of("dispute", about, time, salt)
    maker.word("reason", reason, words.DISPUTE_REASONS)
    maker.text("note", note, MAX_NOTE)
    maker.digests("evidence", evidence, MAX_EVIDENCE)
    return maker.fields


def withdraw_fields(
    *,
    statement_id: bytes,
    reason: str,
    replacement: bytes | None = None,
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `withdraw` of one's own statement (ids of 32 bytes)."""
    maker = made_of("withdraw", name_of_statement(statement_id), time, salt)
    maker.word("reason", reason, words.WITHDRAW_REASONS)
    if replacement == statement_id:
        raise UsageError("replacement: expected the id of another statement")
    maker.id("replacement", replacement)
    return maker.fields


def read_endorse(statement: Statement) -> EndorseContent:
    """What an `endorse` statement says."""
    reader = FieldReader(statement.fields, needed=("role",))
    role = reader.word("role", words.ENDORSE_ROLES)
    note = reader.text("note", MAX_NOTE)
    return EndorseContent(role, note, tuple(reader.problems))


def read_dispute(statement: Statement) -> DisputeContent:
    """What a `dispute` statement says."""
    reader = FieldReader(statement.fields, needed=("reason",))
    reason = reader.word("reason", words.DISPUTE_REASONS)
    note = reader.text("note", MAX_NOTE)
    evidence = reader.digests("evidence", MAX_EVIDENCE)
    return DisputeContent(reason, note, evidence, tuple(reader.problems))


def read_withdraw(statement: Statement) -> WithdrawContent:
    """What a `withdraw` statement says."""
    reader = FieldReader(statement.fields, needed=("reason",))
    reason = reader.word("reason", words.WITHDRAW_REASONS)
    replacement = reader.id("replacement")
    return WithdrawContent(reason, replacement, tuple(reader.problems))
