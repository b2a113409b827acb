"""The signed statement: canonical body, Ed25519 signature (docs/spec/statement.md).

A statement is valid if its body is canonical, its common fields are well-formed and
its signature verifies.  What a type of its own says in further fields is never a
condition: two nodes that know different types, terms or licences must keep the same
set (docs/adr/0003-statement-validity.md).  `content.py` reads and makes those fields.

Bytes are kept as received and never encoded again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.crypto import SigningKey, verify_signature
from byline_ledger.digest import SHA256_PREFIX, cid_of_statement
from byline_ledger.errors import MalformedError, UnsupportedError, UsageError

STATEMENT_TYPE = "application/vnd.byline.statement.v1+msgpack"
VERSION = 1
MAX_BODY = 16_384
MAX_DEPTH = 6
MAX_CONTAINERS = 1024
"""Maps and arrays of a body: an empty one is one byte here, 70 in memory."""
MAX_TIME = 2**63 - 1
MAX_ALSO = 8
MAX_ALSO_SIZE = 70
MAX_SOURCES = 64
MAX_RELATIONSHIP = 64
AUTHOR_SIZE = 32
SALT_SIZE = 16
SIGNATURE_SIZE = 64
# [1, body, signature]: header, version, bin header and body, bin header and signature.
MAX_ENVELOPE = 1 + 1 + 3 + MAX_BODY + 2 + SIGNATURE_SIZE
# An envelope of another version may be larger; beyond this it is not looked at.
MAX_OTHER_ENVELOPE = 65_536

KIND = re.compile(r"[a-z][a-z0-9.-]{0,63}")
"""A statement's type."""
_SIGNATURE_HEADER = b"\xc4\x40"


def pae(payload_type: str, body: bytes) -> bytes:
    """DSSE v1 pre-authentication encoding: the bytes that a signature covers."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)


@dataclass(frozen=True, slots=True)
class Source:
    """A work that the statement's work was made from."""

    digest: bytes
    """SHA-256 multihash, 34 bytes."""
    relationship: str
    """How it was used: parentOf, componentOf, inputTo, or a term of the author's."""
    fields: Mapping[str, Value] = field(default_factory=dict, compare=False)
    """The whole entry as decoded, further keys included."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A decoded statement; its signature is checked only by `verify`."""

    body: bytes = field(repr=False)
    """Canonical MessagePack map, as received."""
    signature: bytes = field(repr=False)
    """Ed25519, 64 bytes; not part of the id."""
    id: bytes = field(compare=False)
    """SHA-256 of the body, 32 bytes."""
    type: str = field(compare=False)
    author: bytes = field(compare=False)
    """Ed25519 public key, 32 bytes."""
    time: int = field(compare=False)
    """Claimed, Unix milliseconds."""
    about: bytes = field(compare=False)
    """SHA-256 multihash, 34 bytes."""
    also: tuple[bytes, ...] = field(compare=False, repr=False)
    """Other multihashes of the same bytes."""
    sources: tuple[Source, ...] = field(compare=False, repr=False)
    fields: Mapping[str, Value] = field(compare=False, repr=False)
    """The whole decoded body, unknown fields included."""

    @classmethod
    def from_envelope(cls, data: bytes) -> Statement:
        """Decode `[1, body, signature]`; MalformedError, or UnsupportedError."""
        return cls.from_parts(*_split_envelope(data))

    @classmethod
    def from_parts(cls, body: bytes, signature: bytes) -> Statement:
        """Decode a body (at most MAX_BODY bytes) that has this signature (64 bytes)."""
        if len(signature) != SIGNATURE_SIZE:
            raise _wrong("signature", "64 bytes", signature)
        fields = codec.unpack(
            body,
            max_size=MAX_BODY,
            max_depth=MAX_DEPTH,
            max_containers=MAX_CONTAINERS,
            what="statement",
        )
        if type(fields) is not dict:
            raise _wrong("body", "a map", fields)
        return cls(body, signature, hashlib.sha256(body).digest(), *_common(fields))

    @property
    def cid(self) -> str:
        """The id as people see it."""
        return cid_of_statement(self.id)

    def to_envelope(self) -> bytes:
        """The bytes on the wire and on disk: MessagePack `[1, body, signature]`."""
        size = len(self.body)
        head = b"\xc4%c" % size if size < 256 else b"\xc5" + size.to_bytes(2, "big")
        return b"".join(
            (b"\x93\x01", head, self.body, _SIGNATURE_HEADER, self.signature)
        )

    @property
    def signed(self) -> tuple[bytes, bytes, bytes]:
        """Public key, message and signature, as `verify_signature` takes them."""
        return self.author, pae(STATEMENT_TYPE, self.body), self.signature

    def verify(self) -> None:
        """Check the author's signature; BadSignatureError if it does not hold."""
        verify_signature(*self.signed)


def sign_statement(fields: Mapping[str, Value], key: SigningKey) -> Statement:
    """Sign a body made of these fields; `author` is filled in from the key.

    `type`, `time`, `about` and `salt` must be given (the makers of content.py do).
    UsageError if the result would not be a valid statement.
    """
    if fields.get("author", key.public) != key.public:
        raise UsageError("author: expected the public key of the signing key")
    body = codec.pack({**fields, "author": key.public})
    signature = key.sign(pae(STATEMENT_TYPE, body))
    try:
        return Statement.from_parts(body, signature)
    except MalformedError as error:
        raise UsageError(str(error), hint=error.hint) from error


def _split_envelope(data: bytes) -> tuple[bytes, bytes]:
    """Body and signature of a canonical version 1 envelope."""
    if data[:3] == b"\x93\x01\xc4" and len(data) > 3:
        start, end = 4, 4 + data[3]
    elif data[:3] == b"\x93\x01\xc5" and len(data) > 4 and data[3]:
        start, end = 5, 5 + (data[3] << 8 | data[4])
    else:
        raise _refused_envelope(data)
    if len(data) != end + 66 or data[end : end + 2] != _SIGNATURE_HEADER:
        raise MalformedError(
            "envelope: expected [1, body, signature] with a signature of 64 bytes"
        )
    return data[start:end], data[end + 2 :]


def _refused_envelope(data: bytes) -> MalformedError | UnsupportedError:
    """Why bytes are no version 1 envelope: another version, or malformed."""
    malformed = MalformedError("envelope: expected [1, body, signature]")
    try:
        parts = codec.split_array(
            data, max_size=MAX_OTHER_ENVELOPE, max_items=16, what="envelope"
        )
        if not parts:
            return malformed
        version = codec.unpack(parts[0], max_size=9, max_depth=0, what="version")
    except MalformedError as error:
        return error
    if type(version) is not int or version == VERSION:
        return malformed
    return UnsupportedError(
        f"envelope: expected version {VERSION}, got {version}",
        hint="a newer Byline may read it",
    )


_Common = tuple[
    str,
    bytes,
    int,
    bytes,
    tuple[bytes, ...],
    tuple[Source, ...],
    Mapping[str, Value],
]


def _common(fields: dict[str, Value]) -> _Common:
    """Check the common fields, in the order of Statement's attributes."""
    get = fields.get
    kind, author, time, about = get("type"), get("author"), get("time"), get("about")
    if type(kind) is not str or not KIND.fullmatch(kind):
        raise _wrong("type", "1 to 64 of a-z 0-9 . - after a letter", kind)
    if type(author) is not bytes or len(author) != AUTHOR_SIZE:
        raise _wrong("author", "32 bytes", author)
    if type(time) is not int or time > MAX_TIME:
        raise _wrong("time", "milliseconds, at most 2^63-1", time)
    salt = get("salt")
    if type(salt) is not bytes or len(salt) != SALT_SIZE:
        raise _wrong("salt", "16 bytes", salt)
    about = _digest("about", about)
    also = _also(fields["also"]) if "also" in fields else ()
    sources = _sources(fields["sources"]) if "sources" in fields else ()
    return kind, author, time, about, also, sources, fields


def _digest(name: str, value: Value | None) -> bytes:
    if type(value) is bytes and len(value) == 34 and value[:2] == SHA256_PREFIX:
        return value
    raise _wrong(name, "a SHA-256 multihash of 34 bytes", value)


def _also(value: Value) -> tuple[bytes, ...]:
    if type(value) is not list or not 1 <= len(value) <= MAX_ALSO:
        raise _wrong("also", f"1 to {MAX_ALSO} multihashes", value)
    for item in value:
        if not _is_other_multihash(item):
            raise _wrong("also", "a multihash other than SHA-256, <= 70 bytes", item)
    return tuple(value)


def _is_other_multihash(value: Value) -> bool:
    """A well-formed multihash (code, length, digest) that is not SHA-256's."""
    if type(value) is not bytes or not 3 <= len(value) <= MAX_ALSO_SIZE:
        return False
    end = 0
    while value[end] & 0x80:
        end += 1
        # A code of more than 9 bytes, or one that fills the value, is none.
        if end == 9 or end + 2 >= len(value):
            return False
    minimal = end == 0 or value[end] != 0
    code, size = value[: end + 1], value[end + 1]
    return minimal and code != b"\x12" and 1 <= size == len(value) - end - 2 < 128


def _sources(value: Value) -> tuple[Source, ...]:
    if type(value) is not list or not 1 <= len(value) <= MAX_SOURCES:
        raise _wrong("sources", f"1 to {MAX_SOURCES} maps", value)
    return tuple(map(_source, value))


def _source(value: Value) -> Source:
    if type(value) is not dict:
        raise _wrong("sources", "a map", value)
    relationship = value.get("relationship")
    if type(relationship) is not str or not 1 <= len(relationship) <= MAX_RELATIONSHIP:
        raise _wrong("relationship", "text of 1 to 64 characters", relationship)
    return Source(_digest("source", value.get("digest")), relationship, value)


def _wrong(name: str, expected: str, value: Value | None) -> MalformedError:
    got = "nothing" if value is None else type(value).__name__
    if isinstance(value, (bytes, str, list)):
        got += f" of length {len(value)}"
    return MalformedError(f"statement: {name}: expected {expected}, got {got}")
