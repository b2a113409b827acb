"""The few text forms that C2SP formats are made of, parsed from bytes and strictly.

Rule: one value has one spelling.  Python's own parsers accept more than one ("0012",
"1_000", " 12 ", digits of other scripts, base64 with loose bits or junk), so nothing
here leaves that to them.  Specification: docs/spec/log.md, "Text forms".
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from byline_ledger.errors import MalformedError

MAX_DECIMAL = 2**63 - 1

_DECIMAL = re.compile(rb"(?:0|[1-9][0-9]{0,18})\Z")
_HEX = re.compile(rb"(?:[0-9a-f]{2})*\Z")
_SHOWN_BYTES = 64

SPACES = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    + "".join(map(chr, range(0x2000, 0x200B)))
)
"""Unicode White_Space, spelled out: `str.isspace` has four control characters more."""

TURNING = r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
"""What ends a line of text or turns its direction, for a class of characters."""
_STEERING = re.compile(rf"[\x00-\x1f\x7f-\x9f{TURNING}\ud800-\udfff]")


def parse_decimal(data: bytes, what: str) -> int:
    """0 to 2^63 - 1 in ASCII digits without sign, blanks or leading zeros."""
    if _DECIMAL.match(data):
        value = int(data)
        if value <= MAX_DECIMAL:
            return value
    raise MalformedError(
        f"expected {what} as a plain decimal number, got {shown(data)}"
    )


def parse_base64(data: bytes, what: str) -> bytes:
    """Standard alphabet, padded, and of all spellings the one an encoder writes."""
    try:
        value = b64decode(data, validate=True)
    except (Base64Error, ValueError) as error:
        raise MalformedError(f"expected {what} in base64, got {shown(data)}") from error
    if b64encode(value) != data:
        raise MalformedError(f"expected {what} in canonical base64, got {shown(data)}")
    return value


def parse_hash(data: bytes, what: str) -> bytes:
    """32 bytes in base64."""
    value = parse_base64(data, what)
    if len(value) != 32:
        raise MalformedError(f"expected {what} of 32 bytes, got {len(value)}")
    return value


def parse_hex(data: bytes, what: str) -> bytes:
    """Lower-case hex digits, two to the byte."""
    if not _HEX.match(data):
        raise MalformedError(f"expected {what} in lower-case hex, got {shown(data)}")
    return bytes.fromhex(data.decode("ascii"))


def parse_utf8(data: bytes, what: str) -> str:
    """Valid UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(f"expected {what} in UTF-8") from error


def is_one_line(text: str) -> bool:
    """Whether nothing in it steers a terminal, ends a line or turns its direction.

    Spelled out: what `str.isprintable` says differs between versions of Python.
    """
    return _STEERING.search(text) is None


def format_base64(data: bytes) -> str:
    """Standard alphabet, padded."""
    return b64encode(data).decode("ascii")


def shown(data: bytes) -> str:
    """At most 64 bytes of a stranger's bytes, safe to print."""
    text = repr(data[:_SHOWN_BYTES])[1:]
    return text if len(data) <= _SHOWN_BYTES else f"{text}... ({len(data)} bytes)"
