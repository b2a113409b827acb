"""What an audit that was interrupted had read and found, so that it can go on.

Rule: an audit says of a place only what it read there.  So what is kept belongs to one
place and one kind of audit, holds what was found wrong as well, and goes when the audit
ends, whatever it ended with.  Specification: docs/spec/log.md, "Audit".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from byline_ledger import codec
from byline_ledger.errors import MalformedError

VERSION = 1
MAX_PROGRESS = 1 << 21
"""A checkpoint, and 20 problems that quote what they found."""
_KINDS = {
    "bodies": int,
    "more": int,
    "note": bytes,
    "place": str,
    "problems": list,
    "redacted": int,
    "size": int,
    "v": int,
    "with_bodies": bool,
}


@dataclass(frozen=True, slots=True)
class AuditProgress:
    """Everything up to entry `size`, as it was read at one place."""

    place: str
    with_bodies: bool
    """Whether bodies were read too."""
    note: bytes
    """The checkpoint that the place showed."""
    size: int = 0
    bodies: int = 0
    redacted: int = 0
    problems: tuple[str, ...] = ()
    more: int = 0
    """Problems that were only counted."""

    def is_of(self, place: str, with_bodies: bool) -> bool:
        """Whether an audit of that place, of that kind, may go on from here."""
        return (self.place, self.with_bodies) == (place, with_bodies)

    def to_bytes(self) -> bytes:
        """Canonical MessagePack, for the local disk."""
        return codec.pack(
            {
                "bodies": self.bodies,
                "more": self.more,
                "note": self.note,
                "place": self.place,
                "problems": list(self.problems),
                "redacted": self.redacted,
                "size": self.size,
                "v": VERSION,
                "with_bodies": self.with_bodies,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> AuditProgress:
        """Strict, else MalformedError: then the place is read from the start again."""
        fields: Any = codec.unpack(
            data, max_size=MAX_PROGRESS, max_depth=2, what="audit progress"
        )
        if not isinstance(fields, dict) or fields.get("v") != VERSION:
            raise MalformedError("audit progress: expected another version")
        kinds = {name: type(value) for name, value in fields.items()}
        if kinds != _KINDS or any(type(one) is not str for one in fields["problems"]):
            raise MalformedError("audit progress: expected other fields")
        del fields["v"]
        return cls(**fields | {"problems": tuple(fields["problems"])})
