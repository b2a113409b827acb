"""Log entries: what the Merkle tree's leaves say, and the lookup strings they imply.

Rule: an entry is small and holds no body, so the entries alone determine every
commitment.  Specification: docs/spec/log.md, "Entries" and "Lookup strings".

    0x00 || id (32) || author tag (8) || u8 n || n lookup keys (32 each)   a statement
    0x01 || u64 strings || set root (32)                                  a commitment
    0x02 || text                                               a log's retirement notice
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from byline_ledger.errors import MalformedError, UsageError

if TYPE_CHECKING:
    from byline_ledger.statement import Statement

STATEMENT_ENTRY = 0x00
COMMITMENT_ENTRY = 0x01
RETIREMENT_ENTRY = 0x02

KEY_BYTES = 32
TAG_BYTES = 8
ID_BYTES = 32

MIN_KEYS = 2
"""Every statement has a subject and an author."""
MAX_KEYS = 66
"""Subject, author and 64 sources."""
MAX_RETIREMENT_BYTES = 1024
MAX_COUNT = 2**63 - 1
AUTHORS = 1024
"""Whose key and tag are remembered: most have more than one statement."""

_HEAD_BYTES = 1 + ID_BYTES + TAG_BYTES + 1
_COMMITMENT_BYTES = 1 + 8 + 32


# Lookup keys


def subject_key(multihash: bytes) -> bytes:
    """Lookup key of everything about a work, statement or key (34-byte multihash)."""
    return sha256(b"byline/subject/v1\x00" + multihash).digest()


def source_key(multihash: bytes) -> bytes:
    """Lookup key of everything made from a work (34-byte multihash)."""
    return sha256(b"byline/source/v1\x00" + multihash).digest()


@lru_cache(AUTHORS)
def author_key(public: bytes) -> bytes:
    """Lookup key of everything that a 32-byte author key signed."""
    return sha256(b"byline/author/v1\x00" + public).digest()


@lru_cache(AUTHORS)
def author_tag(public: bytes) -> bytes:
    """The 8 bytes that stand for an author inside a lookup string."""
    return sha256(b"byline/tag/v1\x00" + public).digest()[:TAG_BYTES]


def id_in(string: bytes) -> bytes:
    """Id of the statement that a lookup string (72 bytes) leads to."""
    return string[-ID_BYTES:]


# Entries


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One statement of the log; `keys` ascend without duplicates."""

    id: bytes
    tag: bytes
    keys: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """The log entry."""
        head = b"\x00" + self.id + self.tag + bytes([len(self.keys)])
        return head + b"".join(self.keys)

    def lookup_strings(self) -> list[bytes]:
        """The strings this statement adds to the lookup set, ascending."""
        tail = self.tag + self.id
        return [key + tail for key in self.keys]


@dataclass(frozen=True, slots=True)
class CommitmentEntry:
    """Number of strings and root of the lookup set of all leaves before this one."""

    count: int
    root: bytes

    def to_bytes(self) -> bytes:
        """The log entry, 41 bytes."""
        return commitment_entry(self.count, self.root)


@dataclass(frozen=True, slots=True)
class RetirementEntry:
    """The operator's last words: the log ends here."""

    text: str

    def to_bytes(self) -> bytes:
        """The log entry."""
        return b"\x02" + self.text.encode()


Entry: TypeAlias = StatementEntry | CommitmentEntry | RetirementEntry


def entry_of(statement: Statement) -> StatementEntry:
    """The entry that every log has for it: from author, about and sources alone."""
    keys = {source_key(source.digest) for source in statement.sources}
    keys.add(subject_key(statement.about))
    keys.add(author_key(statement.author))
    return StatementEntry(
        statement.id, author_tag(statement.author), tuple(sorted(keys))
    )


def statement_entry(statement: Statement) -> bytes:
    """`entry_of(statement)` as bytes."""
    return entry_of(statement).to_bytes()


def commitment_entry(count: int, root: bytes) -> bytes:
    """0x01 || u64 count || root (32 bytes)."""
    return b"\x01" + count.to_bytes(8, "big") + root


def retirement_entry(text: str) -> bytes:
    """0x02 || text: 1 to 1,024 bytes of UTF-8 without control characters."""
    try:
        data = b"\x02" + text.encode()
        _parse_retirement(data)
    except (MalformedError, UnicodeEncodeError) as error:
        raise UsageError(str(error)) from error
    return data


def parse_entry(data: bytes) -> Entry:
    """Strict: the entry of exactly these bytes, else MalformedError."""
    kind = data[0] if data else None
    if kind == STATEMENT_ENTRY:
        return _parse_statement(data)
    if kind == COMMITMENT_ENTRY:
        return _parse_commitment(data)
    if kind == RETIREMENT_ENTRY:
        return _parse_retirement(data)
    raise MalformedError(f"expected a log entry of kind 0, 1 or 2, got {kind}")


def _parse_statement(data: bytes) -> StatementEntry:
    if len(data) < _HEAD_BYTES:
        raise MalformedError(f"expected a statement entry, got {len(data)} bytes")
    count = data[_HEAD_BYTES - 1]
    if not MIN_KEYS <= count <= MAX_KEYS:
        raise MalformedError(f"expected 2 to 66 lookup keys in an entry, got {count}")
    expected = _HEAD_BYTES + count * KEY_BYTES
    if len(data) != expected:
        raise MalformedError(f"expected an entry of {expected} bytes, got {len(data)}")
    starts = range(_HEAD_BYTES, expected, KEY_BYTES)
    keys = tuple(data[start : start + KEY_BYTES] for start in starts)
    if any(left >= right for left, right in pairwise(keys)):
        raise MalformedError("expected the lookup keys of an entry to ascend")
    return StatementEntry(
        data[1 : 1 + ID_BYTES], data[1 + ID_BYTES : _HEAD_BYTES - 1], keys
    )


def _parse_commitment(data: bytes) -> CommitmentEntry:
    if len(data) != _COMMITMENT_BYTES:
        raise MalformedError(f"expected a commitment of 41 bytes, got {len(data)}")
    count = int.from_bytes(data[1:9], "big")
    if count > MAX_COUNT:
        raise MalformedError(f"expected a string count up to 2^63 - 1, got {count}")
    return CommitmentEntry(count, data[9:])


def _parse_retirement(data: bytes) -> RetirementEntry:
    if not 1 <= len(data) - 1 <= MAX_RETIREMENT_BYTES:
        raise MalformedError(
            f"expected a retirement notice of 1 to 1,024 bytes, got {len(data) - 1}"
        )
    try:
        text = data[1:].decode()
    except UnicodeDecodeError as error:
        raise MalformedError("expected a retirement notice in UTF-8") from error
    if any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in text):
        raise MalformedError("expected a retirement notice without control characters")
    return RetirementEntry(text)
