"""The parts of a proof bundle: rows of statements, hashes, digests and keys.

Format: docs/spec/bundle.md, "File".  Bytes parse or raise MalformedError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from byline_ledger.codec import Value, unpack
from byline_ledger.crypto import KEY_SIZE
from byline_ledger.digest import is_multihash
from byline_ledger.entry import StatementEntry, parse_entry
from byline_ledger.errors import MalformedError
from byline_ledger.merkle import MAX_CONSISTENCY, MAX_PROOF, MAX_SIZE
from byline_ledger.note import MAX_NOTE_BYTES
from byline_ledger.statement import MAX_OTHER_ENVELOPE, Statement
from byline_ledger.tiles import MAX_ENTRY_BYTES
from byline_ledger.tombstone import MAX_TOMBSTONE, Tombstone

MAX_BUNDLE = 32 << 20
MAX_ROW = MAX_OTHER_ENVELOPE + 32
MAX_EARLIER_ROW = MAX_NOTE_BYTES + MAX_CONSISTENCY * 32 + 32
MAX_GONE_ROW = MAX_ENTRY_BYTES + MAX_TOMBSTONE + 32
MAX_INDEX = MAX_SIZE


@dataclass(frozen=True, slots=True)
class BundledStatement:
    """A statement and its leaf index."""

    index: int
    statement: Statement


@dataclass(frozen=True, slots=True)
class RedactedStatement:
    """What is left of a statement whose body its node took down."""

    index: int
    entry: StatementEntry
    tombstone: Tombstone


@dataclass(frozen=True, slots=True)
class EarlierCheckpoint:
    """A cosigned note of a smaller tree, and the proof that `checkpoint` extends it."""

    note: bytes
    proof: tuple[bytes, ...]


def require_ascending(values: Sequence[bytes], what: str = "ids") -> None:
    """Strictly ascending, so no two alike."""
    if any(a >= b for a, b in pairwise(values)):
        raise MalformedError(f"proof bundle: expected {what} in ascending order")


def parse_digest(data: bytes) -> bytes:
    """A SHA-256 multihash of 34 bytes, encoded as bin."""
    value = parse_plain(data)
    if not is_multihash(value):
        raise MalformedError("proof bundle: asked is not of SHA-256 multihashes")
    return plain_bytes(value)


def parse_key(data: bytes) -> bytes:
    """An Ed25519 public key of 32 bytes, encoded as bin."""
    value = plain_bytes(parse_plain(data))
    if len(value) != KEY_SIZE:
        raise MalformedError("proof bundle: expected keys of 32 bytes")
    return value


def plain_bytes(value: object) -> bytes:
    """A decoded value that is bytes."""
    if not isinstance(value, bytes):
        raise MalformedError("proof bundle: expected bytes")
    return value


def split_hashes(value: object, most: int = MAX_PROOF) -> tuple[bytes, ...]:
    """A proof of up to `most` hashes, concatenated."""
    joined = plain_bytes(value)
    if len(joined) % 32 or len(joined) > most * 32:
        raise MalformedError(f"expected hashes of 32 bytes, got {len(joined)} bytes")
    return tuple(joined[i : i + 32] for i in range(0, len(joined), 32))


def parse_plain(data: bytes) -> object:
    """A value that is no container."""
    return unpack(data, max_size=MAX_BUNDLE, max_depth=0, what="proof bundle")


def parse_row(data: bytes) -> BundledStatement:
    """`[index, envelope]`; UnsupportedError for an envelope of another version."""
    index, envelope = _row(data, MAX_ROW, 2)
    statement = Statement.from_envelope(plain_bytes(envelope))
    return BundledStatement(leaf_index(index), statement)


def parse_gone(data: bytes) -> RedactedStatement:
    """`[index, entry, tombstone]`."""
    index, entry, tombstone = _row(data, MAX_GONE_ROW, 3)
    return RedactedStatement(
        leaf_index(index),
        gone_entry(plain_bytes(entry)),
        Tombstone.from_bytes(plain_bytes(tombstone)),
    )


def gone_entry(data: bytes) -> StatementEntry:
    """The entry of a statement that was taken down.  Raises MalformedError."""
    parsed = parse_entry(data)
    if not isinstance(parsed, StatementEntry):
        raise MalformedError("proof bundle: what was taken down is no statement")
    return parsed


def parse_earlier(data: bytes) -> EarlierCheckpoint:
    """`[note, consistency proof]`; the note is not parsed."""
    note, proof = _row(data, MAX_EARLIER_ROW, 2)
    return EarlierCheckpoint(plain_bytes(note), split_hashes(proof, MAX_CONSISTENCY))


def _row(data: bytes, most: int, size: int) -> list[Value]:
    row = unpack(data, max_size=most, max_depth=1, what="proof bundle")
    if not isinstance(row, list) or len(row) != size:
        raise MalformedError(f"proof bundle: expected a row of {size} values")
    return row


def leaf_index(value: object) -> int:
    """A leaf's index.  Raises MalformedError."""
    if type(value) is not int or value > MAX_INDEX:
        raise MalformedError("proof bundle: a statement's index is not a leaf index")
    return value
