"""Digests and how people write them (docs/spec/statement.md, "Names").

A work is named by the SHA-256 multihash of its bytes: `12 20` and 32 bytes.  A
statement's id is the SHA-256 of its body, shown as a CIDv1 with the MessagePack codec.
This file turns the forms that people have into those bytes, and back.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal, TypeAlias

from byline_ledger.errors import MalformedError

Multihash: TypeAlias = bytes

SHA256_PREFIX = b"\x12\x20"
CHUNK_SIZE = 1 << 20

# CIDv1 prefixes: version 1, then the codec as a varint.
_STATEMENT_CID = b"\x01\x81\x04"  # messagepack, 0x0201
_RAW_CID = b"\x01\x55"  # raw binary, 0x55

_HEX64 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_MULTIHASH_HEX = re.compile(r"1220[0-9a-fA-F]{64}", re.ASCII)
_SRI = re.compile(r"sha256-([A-Za-z0-9+/]{43}=)", re.ASCII)
_CID = re.compile(r"b[a-z2-7]{20,100}", re.ASCII)
_ACCEPTED = (
    "accepted: 64 hex digits as sha256sum prints them, sha256:HEX, "
    "sha256-BASE64 (SRI), a CID (b…), a multihash in hex (1220…)"
)


@dataclass(frozen=True, slots=True)
class ParsedHash:
    """What a person's text names: a digest, a statement, or (bare hex) either."""

    sha256: bytes
    kind: Literal["digest", "statement", "either"]

    @property
    def multihash(self) -> Multihash:
        """The 34 bytes that `about` and lookups use, also for a statement's id."""
        return multihash(self.sha256)


def multihash(sha256: bytes) -> Multihash:
    """The multihash (34 bytes) of a SHA-256 digest (32 bytes)."""
    if len(sha256) != 32:
        raise MalformedError(f"digest: expected 32 bytes, got {len(sha256)}")
    return SHA256_PREFIX + sha256


def is_multihash(value: object) -> bool:
    """Whether `value` is a SHA-256 multihash: 34 bytes that begin with 12 20."""
    return type(value) is bytes and len(value) == 34 and value[:2] == SHA256_PREFIX


def digest_bytes(data: bytes) -> Multihash:
    """The multihash of these bytes."""
    return SHA256_PREFIX + hashlib.sha256(data).digest()


def digest_stream(
    stream: BinaryIO, *, progress: Callable[[int], None] | None = None
) -> tuple[Multihash, int]:
    """The multihash and size of what is left in a binary stream.

    `progress` is called with the number of bytes of each chunk read.
    """
    hasher = hashlib.sha256()
    size = 0
    while chunk := stream.read(CHUNK_SIZE):
        hasher.update(chunk)
        size += len(chunk)
        if progress is not None:
            progress(len(chunk))
    return SHA256_PREFIX + hasher.digest(), size


def multihash_hex(digest: Multihash) -> str:
    """The 64 hex digits of a multihash, as `sha256sum` prints them."""
    if not is_multihash(digest):
        raise MalformedError("digest: expected a SHA-256 multihash of 34 bytes")
    return digest[2:].hex()


def cid_of_statement(statement_id: bytes) -> str:
    """A statement's id (32 bytes) as people see it: CIDv1, messagepack, base32."""
    return _base32(_STATEMENT_CID + multihash(statement_id))


def parse_hash(text: str) -> ParsedHash:
    """Read any form of hash that people have; MalformedError names those accepted."""
    text = text.strip()
    if _HEX64.fullmatch(text):
        return ParsedHash(bytes.fromhex(text), "either")
    if _MULTIHASH_HEX.fullmatch(text):
        return ParsedHash(bytes.fromhex(text)[2:], "digest")
    if text[:7].lower() == "sha256:" and _HEX64.fullmatch(text[7:]):
        return ParsedHash(bytes.fromhex(text[7:]), "digest")
    if match := _SRI.fullmatch(text):
        return ParsedHash(_sri_digest(match[1]), "digest")
    if _CID.fullmatch(text):
        return _parse_cid(text)
    raise MalformedError(f"not a hash: {_shown(text)}", hint=_ACCEPTED)


def parse_statement_id(text: str) -> bytes:
    """Read a statement's id (CID or 64 hex digits): 32 bytes."""
    parsed = parse_hash(text)
    if parsed.kind == "digest":
        raise MalformedError(
            f"not a statement id: {_shown(text.strip())} names a file's digest",
            hint="a statement id is a CID as `byline query` shows it, or 64 hex digits",
        )
    return parsed.sha256


def _parse_cid(text: str) -> ParsedHash:
    data = _unbase32(text)
    for prefix, kind in ((_STATEMENT_CID, "statement"), (_RAW_CID, "digest")):
        rest = data[len(prefix) :]
        if data.startswith(prefix) and is_multihash(rest):
            return ParsedHash(rest[2:], kind)  # type: ignore[arg-type]  # both named
    raise MalformedError(
        f"not the CID of a file's bytes or of a statement: {_shown(text)}",
        hint="accepted: CIDv1 with SHA-256 and the codec raw or messagepack; other "
        "CIDs name how a file was cut into blocks, not its bytes",
    )


def _sri_digest(encoded: str) -> bytes:
    digest = base64.b64decode(encoded, validate=True)
    if base64.b64encode(digest).decode("ascii") != encoded:
        raise MalformedError("SRI hash: expected zero padding bits in the base64")
    return digest


def _base32(data: bytes) -> str:
    return "b" + base64.b32encode(data).decode("ascii").rstrip("=").lower()


def _unbase32(text: str) -> bytes:
    encoded = text[1:].upper()
    try:
        data = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
    except binascii.Error as error:
        raise MalformedError(f"not a CID: {_shown(text)}", hint=_ACCEPTED) from error
    if _base32(data) != text:
        raise MalformedError(
            f"not a CID: {_shown(text)}, its last character is not one that can be",
            hint="a character is missing, wrong or too many: copy it again",
        )
    return data


def _shown(text: str) -> str:
    """A stranger's text, cut and escaped for a message of one line."""
    return ascii(text if len(text) <= 80 else text[:77] + "...")
