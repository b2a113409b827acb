"""What `admit` and `leave` statements say: who is a member of a cooperative.

Field by field: docs/spec/statement.md, "Types"; what follows from them:
docs/spec/state.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.field_maker import Fields, made_of, name_of_key
from byline_ledger.field_reader import (
    MAX_PARTS,
    MAX_SHORT_NOTE,
    MAX_URL,
    FieldReader,
    remembered,
)
from byline_ledger.statement import Statement


@dataclass(frozen=True, slots=True)
class AdmitContent:
    """What an `admit` says of the member's key that it is about."""

    from_: int | None
    """Unix milliseconds; the term begins with it."""
    until: int | None
    """Unix milliseconds; the term ends before it."""
    terms: bytes | None
    """Multihash of the text of the terms."""
    terms_url: str | None
    parts: int | None
    """The member's weight beside that of the others."""
    note: str | None
    sound: bool
    """Whether it says anything: its limits, if there are any, could be read."""
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeaveContent:
    """What a `leave` says to the cooperative whose key it is about."""

    note: str | None
    problems: tuple[str, ...]


def admit_fields(
    *,
    member: bytes,
    from_: int | None = None,
    until: int | None = None,
    terms: bytes | None = None,
    terms_url: str | None = None,
    parts: int | None = None,
    note: str | None = None,
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of an `admit` of a key (32 bytes), to be signed by the cooperative."""
    maker = made_of("admit", name_of_key(member), time, salt)
    maker.term(from_, until)
    maker.digest("terms", terms)
    maker.text("terms-url", terms_url, MAX_URL)
    maker.number("parts", parts, MAX_PARTS, 1)
    maker.text("note", note, MAX_SHORT_NOTE)
    return maker.fields


def leave_fields(
    *, group: bytes, note: str | None = None, time: int, salt: bytes
) -> Fields:
    """The fields of a `leave`; `group` is the cooperative's key (32 bytes)."""
    maker = made_of("leave", name_of_key(group), time, salt)
    maker.text("note", note, MAX_SHORT_NOTE)
    return maker.fields


@remembered
def read_admit(statement: Statement) -> AdmitContent:
    """What an `admit` says."""
    reader = FieldReader(statement.fields, limits=("from", "until"))
    return AdmitContent(
        from_=reader.time("from"),
        until=reader.time("until"),
        terms=reader.digest("terms"),
        terms_url=reader.text("terms-url", MAX_URL),
        parts=reader.number("parts", MAX_PARTS, 1),
        note=reader.text("note", MAX_SHORT_NOTE),
        sound=reader.sound,
        problems=tuple(reader.problems),
    )


def read_leave(statement: Statement) -> LeaveContent:
    """What a `leave` says."""
    reader = FieldReader(statement.fields)
    return LeaveContent(reader.text("note", MAX_SHORT_NOTE), tuple(reader.problems))
