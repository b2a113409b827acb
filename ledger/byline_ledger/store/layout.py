"""Where everything lies in the database: the one place that knows keys and values.

    v                        "byline-store/1"
    l                        verifier key of the log (text)
    s                        u64 size of the tree before || u64 statements || checkpoint
    b  u64 index             envelope of the statement at that leaf
    c  u64 size              checkpoint of that size, as it was first cosigned
    e  u64 index             log entry
    i  statement id (32)     u64 index
    k  lookup string (72)    nothing
    r  name                  side record, such as a peer's cursor
    t  u8 level  u64 index   full tile: 256 hashes
    x  u64 index             tombstone of a body that was taken down (tombstone.py)

Integers are big-endian.  Only `s` and `r` are ever overwritten, a body is only ever
removed by the write that puts its tombstone, and a tombstone by the write that puts a
lost body back.  Bodies lie under their
index, not their id, so that LevelDB, which keeps keys in order, hardly ever has to move
them again.  Reasons: docs/adr/0006-store-layout.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.store.damage import damaged

STORE_VERSION = b"byline-store/1"
VERSION = b"v"
LOG = b"l"
STATE = b"s"

BODIES = b"b"
COSIGNED = b"c"
ENTRIES = b"e"
IDS = b"i"
STRINGS = b"k"
RECORDS = b"r"
TILES = b"t"
TOMBSTONES = b"x"

MAX_RECORD_NAME = 255
_STATE_HEAD = 16


def body(index: int) -> bytes:
    """Key of the envelope at leaf `index`."""
    return BODIES + u64(index)


def cosigned(size: int) -> bytes:
    """Key of the first cosigned checkpoint of `size` entries."""
    return COSIGNED + u64(size)


def tombstone(index: int) -> bytes:
    """Key of the tombstone of the body at leaf `index`."""
    return TOMBSTONES + u64(index)


def entry(index: int) -> bytes:
    """Key of the log entry at leaf `index`."""
    return ENTRIES + u64(index)


def id_key(statement_id: bytes) -> bytes:
    """Key of a statement's leaf index."""
    return IDS + statement_id


def string_key(string: bytes) -> bytes:
    """Key of a lookup string."""
    return STRINGS + string


def record(name: bytes) -> bytes:
    """Key of a side record; the name has 1 to 255 bytes."""
    if not 1 <= len(name) <= MAX_RECORD_NAME:
        raise ValueError(f"a record name of {len(name)} bytes")
    return RECORDS + name


def tile(level: int, index: int) -> bytes:
    """Key of the full tile `index` of tile level `level`."""
    return TILES + bytes([level]) + u64(index)


def after(prefix: bytes) -> bytes:
    """The least key above all that begin with `prefix` (which is not all 0xff)."""
    short = prefix.rstrip(b"\xff")
    return short[:-1] + bytes([short[-1] + 1])


def u64(value: int) -> bytes:
    """8 bytes, big-endian."""
    return value.to_bytes(8, "big")


def parse_index(value: bytes) -> int:
    """A stored leaf index."""
    if len(value) != 8:
        raise damaged(f"the index of a statement has {len(value)} bytes, not 8")
    return int.from_bytes(value, "big")


@dataclass(frozen=True, slots=True)
class State:
    """Rewritten by every commit: the published tree, and the size of the one before."""

    previous: int
    statements: int
    checkpoint: bytes

    def to_bytes(self) -> bytes:
        """The value under `STATE`."""
        return u64(self.previous) + u64(self.statements) + self.checkpoint

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """The checkpoint is not parsed.  Raises CorruptStoreError."""
        if len(data) <= _STATE_HEAD:
            raise damaged(f"the state of the log has {len(data)} bytes")
        previous = int.from_bytes(data[:8], "big")
        statements = int.from_bytes(data[8:_STATE_HEAD], "big")
        return cls(previous, statements, data[_STATE_HEAD:])
