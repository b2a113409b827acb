"""What a follower asks a log's node, and what the node answers, byte for byte.

Rule: each message is one canonical MessagePack map with exactly the keys of its kind,
of bounded size; any other bytes are a MalformedError.  Nothing in an answer is believed
here: `follower.py` checks it.  Specification: docs/spec/network.md, "Follow".

    {"ask": "head", "from": uint}                   {"same": true}
                                                or  {"note", "proof", "vkey"}
    {"ask": "commitment", "size": uint}             {"entry", "frontier"}
    {"ask": "entries", "size": uint, "start": uint} {"entries", "proof"}
    {"ask": "statements", "ids": bin}               {"envelopes"}
                                            to any  {"error": text}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.errors import MalformedError

PROTOCOL = "/byline/follow/1"

PAGE_BYTES = 1_000_000
"""Entries or envelopes in one answer; a single one is answered whatever its size."""
MAX_RESPONSE = PAGE_BYTES + 100_000
MAX_REQUEST = 150_000
MAX_IDS = 4_096
MAX_ENTRIES = 16_384
MAX_NOTE = 65_536
MAX_VKEY = 1_024
MAX_PROOF = 128
MAX_ERROR = 200
MAX_SIZE = 2**63 - 1
HASH_BYTES = 32


# Requests


@dataclass(frozen=True, slots=True)
class AskHead:
    """The latest checkpoint, and proof that it extends the tree of `seen` leaves."""

    seen: int
    """Size of the largest tree of this log already checked, or 0."""

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"ask": "head", "from": self.seen})


@dataclass(frozen=True, slots=True)
class AskCommitment:
    """The last leaf of the published tree of `size` leaves, and what is before it."""

    size: int

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"ask": "commitment", "size": self.size})


@dataclass(frozen=True, slots=True)
class AskEntries:
    """Entries from leaf `start`, proven to be in the tree of `size` leaves."""

    start: int
    size: int

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"ask": "entries", "size": self.size, "start": self.start})


@dataclass(frozen=True, slots=True)
class AskStatements:
    """Envelopes of 1 to 4,096 statements by their ids."""

    ids: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"ask": "statements", "ids": b"".join(self.ids)})


Request: TypeAlias = AskHead | AskCommitment | AskEntries | AskStatements


def parse_request(data: bytes) -> Request:
    """Strict, else MalformedError."""
    fields = _map(data, MAX_REQUEST, "follow request")
    kind = fields.get("ask")
    if kind == "head":
        _keys(fields, "ask", "from")
        return AskHead(_size(fields, "from"))
    if kind == "commitment":
        _keys(fields, "ask", "size")
        return AskCommitment(_size(fields, "size"))
    if kind == "entries":
        _keys(fields, "ask", "size", "start")
        return AskEntries(_size(fields, "start"), _size(fields, "size"))
    if kind == "statements":
        _keys(fields, "ask", "ids")
        return AskStatements(_ids(fields))
    raise MalformedError("expected a follow request that asks for something known")


# Responses


@dataclass(frozen=True, slots=True)
class Same:
    """The log is still the tree that the follower named."""

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"same": True})


@dataclass(frozen=True, slots=True)
class Head:
    """A signed checkpoint, who signs it, and its consistency with what was seen."""

    note: bytes
    vkey: str
    proof: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack(
            {"note": self.note, "proof": list(self.proof), "vkey": self.vkey}
        )


@dataclass(frozen=True, slots=True)
class Commitment:
    """The last leaf of a published tree, and the frontier of all leaves before it."""

    entry: bytes
    frontier: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"entry": self.entry, "frontier": list(self.frontier)})


@dataclass(frozen=True, slots=True)
class Entries:
    """Consecutive entries; `proof` leads from the tree they end to the one asked."""

    entries: tuple[bytes, ...]
    proof: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"entries": list(self.entries), "proof": list(self.proof)})


@dataclass(frozen=True, slots=True)
class Envelopes:
    """In the order asked, from the first on; empty where there is none to be had.

    Fewer than asked for where the page is full: ask again for the rest.
    """

    envelopes: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"envelopes": list(self.envelopes)})


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request was understood and cannot be answered."""

    error: str

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"error": self.error[:MAX_ERROR]})


Response: TypeAlias = Same | Head | Commitment | Entries | Envelopes | Refusal


def parse_response(data: bytes) -> Response:
    """Strict, else MalformedError."""
    fields = _map(data, MAX_RESPONSE, "follow response")
    names = tuple(fields)
    if names == ("same",):
        if fields["same"] is not True:
            raise MalformedError("expected `same` to be true")
        return Same()
    if names == ("note", "proof", "vkey"):
        note = _bytes(fields["note"], MAX_NOTE, "a checkpoint")
        return Head(note, _text(fields["vkey"], MAX_VKEY), _hashes(fields["proof"]))
    if names == ("entry", "frontier"):
        entry = _bytes(fields["entry"], 64, "a commitment entry")
        return Commitment(entry, _hashes(fields["frontier"]))
    if names == ("entries", "proof"):
        entries = _byte_strings(fields["entries"], MAX_ENTRIES, "entries")
        return Entries(entries, _hashes(fields["proof"]))
    if names == ("envelopes",):
        return Envelopes(_byte_strings(fields["envelopes"], MAX_IDS, "envelopes"))
    if names == ("error",):
        return Refusal(_text(fields["error"], MAX_ERROR * 4))
    raise MalformedError("expected a follow response of a known kind")


# Fields


def _map(data: bytes, max_size: int, what: str) -> Mapping[str, Value]:
    value: Any = codec.unpack(data, max_size=max_size, max_depth=2, what=what)
    if not isinstance(value, dict):
        raise MalformedError(f"{what}: expected a map")
    return value


def _keys(fields: Mapping[str, Value], *names: str) -> None:
    if tuple(fields) != names:
        raise MalformedError(f"expected exactly the keys {', '.join(names)}")


def _size(fields: Mapping[str, Value], name: str) -> int:
    value = fields[name]
    if type(value) is not int or value > MAX_SIZE:
        raise MalformedError(f"{name}: expected an integer up to 2^63 - 1")
    return value


def _ids(fields: Mapping[str, Value]) -> tuple[bytes, ...]:
    joined = _bytes(fields["ids"], MAX_IDS * HASH_BYTES, "ids")
    if not joined or len(joined) % HASH_BYTES:
        raise MalformedError(f"expected ids of 32 bytes each, got {len(joined)} bytes")
    starts = range(0, len(joined), HASH_BYTES)
    return tuple(joined[start : start + HASH_BYTES] for start in starts)


def _bytes(value: Value, most: int, what: str) -> bytes:
    if type(value) is not bytes or len(value) > most:
        raise MalformedError(f"expected {what} of at most {most} bytes")
    return value


def _text(value: Value, most: int) -> str:
    if type(value) is not str or len(value) > most:
        raise MalformedError(f"expected a text of at most {most} characters")
    return value


def _byte_strings(value: Value, most: int, what: str) -> tuple[bytes, ...]:
    if type(value) is not list or len(value) > most:
        raise MalformedError(f"expected an array of at most {most} {what}")
    if any(type(item) is not bytes for item in value):
        raise MalformedError(f"expected {what} as byte strings")
    return tuple(value)


def _hashes(value: Value) -> tuple[bytes, ...]:
    hashes = _byte_strings(value, MAX_PROOF, "hashes")
    if any(len(item) != HASH_BYTES for item in hashes):
        raise MalformedError("expected hashes of 32 bytes each")
    return hashes
