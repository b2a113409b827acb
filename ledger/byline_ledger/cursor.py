"""How far a log has been followed: all that must survive a restart.

Rule: a cursor is written after what it stands for is durable, never before; a lost or
older one costs reading again, nothing else.  Specification: docs/spec/network.md,
"Cursor".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from byline_ledger import codec
from byline_ledger.checkpoint import Checkpoint, checkpoint_of
from byline_ledger.entry import CommitmentEntry, parse_entry
from byline_ledger.errors import MalformedError
from byline_ledger.merkle import Frontier

VERSION = 1
MAX_GAPS = 1_024
"""Statements of one log that were not to be had; beyond this its cursor stops."""
MAX_CURSOR = 256 * 1024
_KEYS = ("commitment", "count", "frontier", "gaps", "note", "size", "v", "vkey")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything up to leaf `size` of the log `vkey` is here, but for the gaps."""

    vkey: str
    """The log's verifier key, as its node told it at first contact."""
    note: bytes
    """The largest checkpoint seen; every later one must extend it."""
    frontier: Frontier
    """Of the leaves that were read, so that the next ones can be hashed onto it."""
    count: int
    """Lookup strings of the statements among them."""
    commitment: bytes
    """The last commitment entry among them; empty before the first."""
    gaps: tuple[bytes, ...]
    """Ids of statements that the log lists but its node did not hand out."""

    @property
    def size(self) -> int:
        """Leaves read."""
        return self.frontier.size

    @property
    def seen(self) -> Checkpoint:
        """What `note` says."""
        return checkpoint_of(self.note)

    @property
    def set_root(self) -> bytes | None:
        """Root of the lookup set, as of the last commitment read."""
        if not self.commitment:
            return None
        return self.commitment[9:]

    def rewound(self) -> Cursor:
        """The same log, to be read from its start again; what it showed still binds."""
        return Cursor(self.vkey, self.note, Frontier.empty(), 0, b"", ())

    def to_bytes(self) -> bytes:
        """Canonical MessagePack, for the local store."""
        return codec.pack(
            {
                "commitment": self.commitment,
                "count": self.count,
                "frontier": list(self.frontier.hashes),
                "gaps": b"".join(self.gaps),
                "note": self.note,
                "size": self.size,
                "v": VERSION,
                "vkey": self.vkey,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Cursor:
        """Strict, else MalformedError: then the log is read from its start again."""
        fields: Any = codec.unpack(
            data, max_size=MAX_CURSOR, max_depth=2, what="cursor"
        )
        if not isinstance(fields, dict) or tuple(fields) != _KEYS:
            raise MalformedError(
                f"cursor: expected exactly the keys {', '.join(_KEYS)}"
            )
        _check_types(fields)
        if fields["commitment"]:
            _check_commitment(fields["commitment"])
        checkpoint_of(fields["note"])
        return cls(
            vkey=fields["vkey"],
            note=fields["note"],
            frontier=Frontier.from_hashes(fields["size"], fields["frontier"]),
            count=fields["count"],
            commitment=fields["commitment"],
            gaps=tuple(_split(fields["gaps"])),
        )


def _check_types(fields: dict[str, Any]) -> None:
    kinds = (bytes, int, list, bytes, bytes, int, int, str)
    wrong = [
        n for n, kind in zip(_KEYS, kinds, strict=True) if type(fields[n]) is not kind
    ]
    if wrong or fields["v"] != VERSION:
        raise MalformedError(f"cursor: expected another type of {wrong or ['v']}")
    if any(type(item) is not bytes for item in fields["frontier"]):
        raise MalformedError("cursor: expected frontier hashes as byte strings")
    if len(fields["gaps"]) % 32 or len(fields["gaps"]) > MAX_GAPS * 32:
        raise MalformedError("cursor: expected gaps of 32 bytes each")


def _check_commitment(entry: bytes) -> None:
    if not isinstance(parse_entry(entry), CommitmentEntry):
        raise MalformedError("cursor: expected a commitment entry")


def _split(joined: bytes) -> Iterator[bytes]:
    return (joined[start : start + 32] for start in range(0, len(joined), 32))
