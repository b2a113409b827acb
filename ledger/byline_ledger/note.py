"""C2SP signed notes: a text and lines of signatures over it.

    <text, one or more lines>
                                       an empty line; the last one of the note counts
    \u2014 <name> <base64 of key id (4) || signature>      1 to 100 of these

Rule: a note has one spelling and is parsed as bytes.  Specification: docs/spec/log.md,
"Notes" (C2SP signed-note).  Which signatures to trust is the caller's: `Note` says who
claims to have signed, `verify_note_signature` whether a known key really did.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from byline_ledger.ascii import (
    SPACES,
    format_base64,
    parse_base64,
    parse_hex,
    parse_utf8,
    shown,
)
from byline_ledger.crypto import SigningKey, verify_signature
from byline_ledger.errors import BadSignatureError, MalformedError, UnsupportedError

ED25519: Final = 0x01
"""Key type: a plain signature over the note text."""
COSIGNATURE: Final = 0x04
"""Key type: a time-stamped cosignature of a checkpoint (cosignature.py)."""

MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
MAX_NAME_BYTES = 255
KEY_ID_BYTES = 4

_DASH = "\u2014 ".encode()
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_NOT_IN_NAME = re.compile("[" + re.escape("".join(SPACES)) + "+\x00-\x1f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def key_id(name: str, key_type: int, public: bytes) -> bytes:
    """First 4 bytes of SHA-256(name || 0x0A || type || public key)."""
    return sha256(name.encode() + b"\n" + bytes([key_type]) + public).digest()[:4]


def check_name(name: str) -> str:
    """The name itself, if it can name a key: 1 to 255 bytes, no blanks, no plus."""
    size = len(name.encode("utf-8", "surrogatepass"))
    if not 1 <= size <= MAX_NAME_BYTES:
        raise MalformedError(f"expected a key name of 1 to 255 bytes, got {size}")
    if _NOT_IN_NAME.search(name):
        raise MalformedError("expected a key name without blanks, controls and '+'")
    if _SURROGATE.search(name):
        raise MalformedError("expected a key name in UTF-8")
    return name


@dataclass(frozen=True, slots=True)
class Verifier:
    """A named public key: what other people call a vkey.

    Text form `<name>+<key id, 8 hex digits>+<base64 of type || public key>`.
    """

    name: str
    type: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The 4 bytes that name this key in a signature line."""
        return key_id(self.name, self.type, self.public)

    def to_text(self) -> str:
        """The vkey."""
        material = format_base64(bytes([self.type]) + self.public)
        return f"{self.name}+{self.id.hex()}+{material}"

    @classmethod
    def from_text(cls, text: str) -> Verifier:
        """Strict; UnsupportedError for a key type other than 01 and 04."""
        # Base64 may hold a plus itself, a name never does.
        parts = text.encode("utf-8", "surrogatepass").split(b"+", 2)
        if len(parts) != 3:
            raise MalformedError("expected a verifier key <name>+<key id>+<key>")
        name = check_name(parse_utf8(parts[0], "a key name"))
        claimed = parse_hex(parts[1], "a key id")
        material = parse_base64(parts[2], "a public key")
        if len(claimed) != KEY_ID_BYTES or not material:
            raise MalformedError("expected a verifier key <name>+<8 hex digits>+<key>")
        verifier = cls(name, material[0], material[1:])
        verifier._check(claimed)
        return verifier

    def _check(self, claimed: bytes) -> None:
        if self.type not in (ED25519, COSIGNATURE):
            raise UnsupportedError(
                f"key {self.name} is of unknown type {self.type:02x}"
            )
        if len(self.public) != 32:
            size = len(self.public)
            raise MalformedError(f"expected an Ed25519 key of 32 bytes, got {size}")
        if claimed != self.id:
            raise MalformedError(f"key {self.name}: the key id does not fit the key")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line, known or unknown; `signature` follows the key id."""

    name: str
    id: bytes
    signature: bytes

    def to_line(self) -> bytes:
        """The line with its final newline."""
        payload = format_base64(self.id + self.signature)
        return _DASH + f"{self.name} {payload}\n".encode()

    @classmethod
    def from_line(cls, line: bytes) -> NoteSignature:
        """From a line without its newline, else MalformedError."""
        name, blank, payload = line.removeprefix(_DASH).partition(b" ")
        if not line.startswith(_DASH) or not blank:
            raise MalformedError(f"expected a signature line, got {shown(line)}")
        data = parse_base64(payload, "a note signature")
        if len(data) <= KEY_ID_BYTES:
            raise MalformedError(
                "expected a key id and a signature in a signature line"
            )
        name_text = check_name(parse_utf8(name, "a key name"))
        return cls(name_text, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its final newline, and the signature lines under it."""

    text: bytes
    signatures: tuple[NoteSignature, ...]

    def to_bytes(self) -> bytes:
        """The whole note."""
        lines = (signature.to_line() for signature in self.signatures)
        return self.text + b"\n" + b"".join(lines)

    def signature_by(self, verifier: Verifier) -> NoteSignature | None:
        """The line that claims to be by this key; unverified."""
        identity = (verifier.name, verifier.id)
        lines = (s for s in self.signatures if (s.name, s.id) == identity)
        return next(lines, None)

    def with_signature(self, line: NoteSignature) -> Note:
        """With this line last, in place of an older one by the same key."""
        kept = (s for s in self.signatures if (s.name, s.id) != (line.name, line.id))
        return Note(self.text, (*kept, line))


def parse_note(data: bytes) -> Note:
    """Strict: the note of exactly these bytes, else MalformedError.

    A key (name and id) that signs twice is refused: which of two lines counts is where
    implementations differ.
    """
    _check_note_bytes(data)
    # The text may hold empty lines itself, so the last one is the separator.
    split = data.rfind(b"\n\n")
    if split < 0 or not data.endswith(b"\n"):
        raise MalformedError("expected a note: a text, an empty line, signature lines")
    lines = data[split + 2 :].split(b"\n")[:-1]
    if not 1 <= len(lines) <= MAX_SIGNATURES:
        raise MalformedError(f"expected 1 to 100 signature lines, got {len(lines)}")
    signatures = tuple(NoteSignature.from_line(line) for line in lines)
    if len({(line.name, line.id) for line in signatures}) != len(signatures):
        raise MalformedError(
            "expected at most one signature line of each key in a note"
        )
    return Note(data[: split + 1], signatures)


def _check_note_bytes(data: bytes) -> None:
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedError(f"expected a note of at most 1 MB, got {len(data)} bytes")
    if _CONTROL.search(data):
        raise MalformedError("expected a note without control characters")
    parse_utf8(data, "a note")


def sign_note(text: bytes, name: str, key: SigningKey) -> Note:
    """A note over `text` with one plain Ed25519 signature (key type 01)."""
    line = NoteSignature(
        check_name(name), key_id(name, ED25519, key.public), key.sign(text)
    )
    note = Note(text, (line,))
    if parse_note(note.to_bytes()) != note:
        raise MalformedError("expected a note text that ends with one newline")
    return note


def verify_note_signature(note: Note, verifier: Verifier) -> None:
    """A plain signature (type 01) by this key is there and holds.

    Otherwise BadSignatureError.
    """
    if verifier.type != ED25519:
        raise BadSignatureError(f"{verifier.name} is not a plain signing key")
    line = note.signature_by(verifier)
    if line is None:
        raise BadSignatureError(f"expected a signature by {verifier.name}, got none")
    if len(line.signature) != 64:
        size = len(line.signature)
        raise BadSignatureError(f"expected a signature of 64 bytes, got {size}")
    verify_signature(verifier.public, note.text, line.signature)
