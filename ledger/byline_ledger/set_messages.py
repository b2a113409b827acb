"""What a follower asks of a peer's lookup set, and the answers, byte for byte.

Rule: as `follow_messages.py`, of whose protocol these are a part.  A set is that of a
published tree, named by its size; a place in it is the first bits that all strings
there begin with.  Specification: docs/spec/network.md, "Set".

    {"ask": "nodes", "levels": uint, "nodes": [bin...], "size": uint}
        {"nodes": [bin...]}
    {"ask": "leaves", "digests": [bin...], "leaves": [bin...], "size": uint}
        {"absent": [bin...], "strings": [bin...]}
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.errors import MalformedError
from byline_ledger.lookup_set import (
    LEAF_MAX,
    STRING_BITS,
    STRING_SIZE,
    first_bits,
)
from byline_ledger.message_fields import byte_strings, require_keys, size_field

MAX_NODES = 4_096
"""Nodes in one request, and leaves."""
MAX_LEVELS = 8
MAX_DIGESTS = 64
"""Of the follower's strings at one leaf."""
DIGEST_BYTES = 8
MAX_OPENED = 40_000
"""Bytes of one opened node, of at most 8 levels."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """All strings of a set whose first `bits` bits are those of `prefix`."""

    bits: int
    prefix: bytes
    """ceil(bits / 8) bytes, zero-padded."""

    @classmethod
    def of(cls, string: bytes, bits: int) -> Place:
        """Where a string is, to this many bits."""
        return cls(bits, first_bits(string, bits))

    def to_bytes(self) -> bytes:
        """`u16 bits || prefix`."""
        return self.bits.to_bytes(2, "big") + self.prefix

    @classmethod
    def from_bytes(cls, data: bytes) -> Place:
        """Strict, else MalformedError."""
        bits, prefix = int.from_bytes(data[:2], "big"), data[2:]
        whole = len(prefix) == (bits + 7) // 8 and len(data) >= 2
        if not whole or bits > STRING_BITS:
            raise MalformedError(f"expected a place in a set, got {data[:80].hex()}")
        if first_bits(prefix + b"\0", bits) != prefix:
            raise MalformedError("a place in a set: expected a zero-padded prefix")
        return cls(bits, prefix)


def digest_of(string: bytes) -> bytes:
    """8 bytes that stand for a lookup string; who grinds two alike gains nothing."""
    return hashlib.sha256(string).digest()[:DIGEST_BYTES]


@dataclass(frozen=True, slots=True)
class AskNodes:
    """The nodes at these places, opened by some levels."""

    size: int
    places: tuple[Place, ...]
    levels: int

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack(
            {
                "ask": "nodes",
                "levels": self.levels,
                "nodes": [place.to_bytes() for place in self.places],
                "size": self.size,
            }
        )


@dataclass(frozen=True, slots=True)
class AskLeaves:
    """The strings at these places that the follower does not have."""

    size: int
    places: tuple[Place, ...]
    digests: tuple[tuple[bytes, ...], ...]
    """For each place, of the strings that the follower has there."""

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack(
            {
                "ask": "leaves",
                "digests": [b"".join(one) for one in self.digests],
                "leaves": [place.to_bytes() for place in self.places],
                "size": self.size,
            }
        )


def parse_set_request(fields: Mapping[str, Value]) -> AskNodes | AskLeaves:
    """Strict, else MalformedError."""
    match fields.get("ask"):
        case "nodes":
            require_keys(fields, "ask", "levels", "nodes", "size")
            levels = fields["levels"]
            if type(levels) is not int or not 1 <= levels <= MAX_LEVELS:
                raise MalformedError(f"expected 1 to {MAX_LEVELS} levels")
            return AskNodes(
                size_field(fields, "size"), _places(fields, "nodes"), levels
            )
        case "leaves":
            require_keys(fields, "ask", "digests", "leaves", "size")
            size, places = size_field(fields, "size"), _places(fields, "leaves")
            return AskLeaves(size, places, _digests(fields, len(places)))
    raise MalformedError("expected a follow request that asks for something known")


def _places(fields: Mapping[str, Value], name: str) -> tuple[Place, ...]:
    items = byte_strings(fields[name], MAX_NODES, "places")
    if not items:
        raise MalformedError("expected 1 place or more")
    return tuple(map(Place.from_bytes, items))


def _digests(fields: Mapping[str, Value], count: int) -> tuple[tuple[bytes, ...], ...]:
    items = byte_strings(fields["digests"], MAX_NODES, "digests")
    if len(items) != count:
        raise MalformedError(f"expected digests for {count} places, got {len(items)}")
    return tuple(tuple(_split(item)) for item in items)


def _split(joined: bytes) -> list[bytes]:
    if len(joined) % DIGEST_BYTES or len(joined) > MAX_DIGESTS * DIGEST_BYTES:
        raise MalformedError(f"expected up to {MAX_DIGESTS} digests of 8 bytes each")
    starts = range(0, len(joined), DIGEST_BYTES)
    return [joined[start : start + DIGEST_BYTES] for start in starts]


@dataclass(frozen=True, slots=True)
class SetNodes:
    """Openings in the order asked; fewer than asked for where the page is full."""

    openings: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"nodes": list(self.openings)})


@dataclass(frozen=True, slots=True)
class SetLeaves:
    """For each place in the order asked; fewer where the page is full."""

    absent: tuple[bytes, ...]
    """A bitmap: which of the digests are those of no string there."""
    strings: tuple[bytes, ...]
    """The strings there that have none of the digests, joined."""

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"absent": list(self.absent), "strings": list(self.strings)})


def parse_set_response(fields: Mapping[str, Value]) -> SetNodes | SetLeaves:
    """Strict, else MalformedError; openings are not parsed."""
    match tuple(fields):
        case ("nodes",):
            openings = byte_strings(fields["nodes"], MAX_NODES, "nodes")
            if any(len(one) > MAX_OPENED for one in openings):
                raise MalformedError(f"expected nodes of at most {MAX_OPENED} bytes")
            return SetNodes(openings)
        case ("absent", "strings"):
            absent = byte_strings(fields["absent"], MAX_NODES, "bitmaps")
            strings = byte_strings(fields["strings"], MAX_NODES, "leaves")
            if len(absent) != len(strings):
                raise MalformedError("expected as many bitmaps as leaves")
            if any(len(one) > MAX_DIGESTS // 8 for one in absent):
                raise MalformedError("expected bitmaps of at most 8 bytes")
            most = LEAF_MAX * STRING_SIZE
            if any(len(one) > most or len(one) % STRING_SIZE for one in strings):
                raise MalformedError("expected leaves of up to 16 strings")
            return SetLeaves(absent, strings)
    raise MalformedError("expected a follow response of a known kind")


def bitmap(flags: list[bool]) -> bytes:
    """A bit for each, the first one the most significant of byte 0."""
    data = bytearray((len(flags) + 7) // 8)
    for index, flag in enumerate(flags):
        data[index >> 3] |= flag << (7 - (index & 7))
    return bytes(data)


def parse_bitmap(data: bytes, count: int) -> list[bool]:
    """The flags of a bitmap, else MalformedError."""
    flags = [
        bool(data[i >> 3] >> (7 - (i & 7)) & 1)
        for i in range(min(count, len(data) * 8))
    ]
    if bitmap(flags) != data or len(flags) != count:
        raise MalformedError(f"expected a bitmap of {count} bits, got {data.hex()}")
    return flags
