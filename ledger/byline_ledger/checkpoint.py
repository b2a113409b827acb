"""Checkpoints: a log's signed word on its size and root (C2SP tlog-checkpoint).

    <origin>
    <size, plain decimal>
    <root, base64>

Rule: exactly these three lines, each in its one spelling.  Extension lines are refused:
no Byline log writes them, and not every witness signs them.  Specification:
docs/spec/log.md, "Checkpoint".
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.ascii import format_base64, parse_decimal, parse_hash, parse_utf8
from byline_ledger.crypto import SigningKey
from byline_ledger.errors import BadSignatureError, MalformedError
from byline_ledger.note import (
    ED25519,
    Verifier,
    check_name,
    parse_note,
    sign_note,
    verify_note_signature,
)

COSIGNATURE_HEADER = "cosignature/v1"
"""First line of every cosigned message.  A log of this name could pass a signature on
its checkpoint off as a cosignature, so no log may have it."""


def check_origin(origin: str) -> str:
    """The origin itself, if a log can have it, else MalformedError."""
    check_name(origin)
    if origin == COSIGNATURE_HEADER:
        raise MalformedError(f"no log may be called {COSIGNATURE_HEADER}")
    return origin


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and 32-byte root of the log called `origin`."""

    origin: str
    size: int
    root: bytes

    def to_text(self) -> bytes:
        """The three lines that are signed, the last newline included."""
        return f"{self.origin}\n{self.size}\n{format_base64(self.root)}\n".encode()

    @classmethod
    def from_text(cls, text: bytes) -> Checkpoint:
        """Strict: `from_text(text).to_text() == text`, else MalformedError."""
        lines = text.split(b"\n")
        if len(lines) != 4 or lines[3]:
            expected = "expected a checkpoint of three lines: origin, size, root"
            raise MalformedError(f"{expected}; got {len(lines) - 1} lines")
        origin = check_origin(parse_utf8(lines[0], "a log origin"))
        size = parse_decimal(lines[1], "a tree size")
        return cls(origin, size, parse_hash(lines[2], "a root"))


def log_vkey(origin: str, public: bytes) -> str:
    """The verifier key by which others know the log: its origin and Ed25519 key."""
    return Verifier(check_origin(origin), ED25519, public).to_text()


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """The note with the log's own signature.

    Whoever calls this must never have signed another tree of this size
    (docs/spec/log.md, "Never two histories").
    """
    check_origin(checkpoint.origin)
    return sign_note(checkpoint.to_text(), checkpoint.origin, key).to_bytes()


def checkpoint_of(note: bytes) -> Checkpoint:
    """What a note claims, with no signature looked at."""
    return Checkpoint.from_text(parse_note(note).text)


def open_checkpoint(note: bytes, vkey: str | Verifier) -> Checkpoint:
    """The checkpoint of the log that `vkey` names, its log signature verified.

    MalformedError if the note or the key does not parse, BadSignatureError if the log
    did not sign it or it speaks of another log.
    """
    verifier = Verifier.from_text(vkey) if isinstance(vkey, str) else vkey
    parsed = parse_note(note)
    checkpoint = Checkpoint.from_text(parsed.text)
    if checkpoint.origin != verifier.name:
        got = f"got one of {checkpoint.origin}"
        raise BadSignatureError(f"expected a checkpoint of {verifier.name}, {got}")
    verify_note_signature(parsed, verifier)
    return checkpoint
