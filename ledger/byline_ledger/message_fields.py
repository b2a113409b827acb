"""Fields of messages between nodes: strict and bounded, else MalformedError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.errors import MalformedError
from byline_ledger.merkle import HASH_BYTES, MAX_CONSISTENCY, MAX_SIZE

MAX_CONTAINERS = 16
"""The map, and its arrays: no message has more."""


def parse_map(data: bytes, max_size: int, what: str) -> Mapping[str, Value]:
    """A canonical map that holds values, or arrays of them."""
    value: Any = codec.unpack(
        data,
        max_size=max_size,
        max_depth=2,
        max_containers=MAX_CONTAINERS,
        what=what,
    )
    if not isinstance(value, dict):
        raise MalformedError(f"{what}: expected a map")
    return value


def require_keys(fields: Mapping[str, Value], *names: str) -> None:
    """These keys and no others."""
    if tuple(fields) != names:
        raise MalformedError(f"expected exactly the keys {', '.join(names)}")


def require_true(fields: Mapping[str, Value], name: str) -> None:
    """A key that is there to say so."""
    if fields[name] is not True:
        raise MalformedError(f"expected `{name}` to be true")


def size_field(fields: Mapping[str, Value], name: str) -> int:
    """The size of a tree, or a leaf of one."""
    value = fields[name]
    if type(value) is not int or value > MAX_SIZE:
        raise MalformedError(f"{name}: expected an integer up to 2^63 - 1")
    return value


def bytes_of(value: Value, most: int, what: str) -> bytes:
    """Up to `most` bytes."""
    if type(value) is not bytes or len(value) > most:
        raise MalformedError(f"expected {what} of at most {most} bytes")
    return value


def text_of(value: Value, most: int) -> str:
    """Up to `most` characters."""
    if type(value) is not str or len(value) > most:
        raise MalformedError(f"expected a text of at most {most} characters")
    return value


def byte_strings(value: Value, most: int, what: str) -> tuple[bytes, ...]:
    """An array of up to `most` byte strings."""
    if type(value) is not list or len(value) > most:
        raise MalformedError(f"expected an array of at most {most} {what}")
    if any(type(item) is not bytes for item in value):
        raise MalformedError(f"expected {what} as byte strings")
    return tuple(value)


def hashes_of(value: Value, most: int = MAX_CONSISTENCY) -> tuple[bytes, ...]:
    """A proof, or a frontier."""
    hashes = byte_strings(value, most, "hashes")
    if any(len(item) != HASH_BYTES for item in hashes):
        raise MalformedError("expected hashes of 32 bytes each")
    return hashes
