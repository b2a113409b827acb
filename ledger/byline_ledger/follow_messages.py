"""What a follower asks a log's node, and what the node answers, byte for byte.

Rule: each message is one canonical MessagePack map with exactly the keys of its kind,
of bounded size; any other bytes are a MalformedError.  Nothing in an answer is believed
here: `follower.py` checks it.  Specification: docs/spec/network.md, "Follow".

    {"ask": "meet", "root": bin}                    {"equal": true}  or  {"entry",
                                                        "frontier", "note", "vkey"}
    {"ask": "next", "from": uint}                   {"same": true}
                                                or  {"entries", "note", "proof"}
    {"ask": "head", "from": uint}                   {"same": true}
                                                or  {"note", "proof", "vkey"}
    {"ask": "commitment", "size": uint}             {"entry", "frontier"}
    {"ask": "entries", "size": uint, "start": uint} {"entries", "proof"}
    {"ask": "statements", "ids": bin}               {"envelopes"}
    {"ask": "nodes", ...}, {"ask": "leaves", ...}   set_messages.py
                                            to any  {"error": text}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.errors import MalformedError
from byline_ledger.merkle import HASH_BYTES
from byline_ledger.message_fields import (
    byte_strings,
    bytes_of,
    hashes_of,
    parse_map,
    require_keys,
    require_true,
    size_field,
    text_of,
)
from byline_ledger.set_messages import (
    AskLeaves,
    AskNodes,
    SetLeaves,
    SetNodes,
    parse_set_request,
    parse_set_response,
)

PROTOCOL = "/byline/follow/2"

PAGE_BYTES = 1_000_000
"""Entries or envelopes in one answer; a single one is answered whatever its size."""
MAX_RESPONSE = PAGE_BYTES + 100_000
MAX_REQUEST = 500_000
MAX_IDS = 4_096
MAX_ENTRIES = 16_384
MAX_NOTE = 65_536
MAX_VKEY = 1_024
MAX_ERROR = 200
NEXT_ENTRIES = 256
NEXT_BYTES = 60_000
"""Entries in an answer to `next`; a single one is answered whatever its size."""


# Requests


@dataclass(frozen=True, slots=True)
class AskMeet:
    """What log do you keep, unless its set of statements is ours?"""

    root: bytes
    """Root of our own lookup set; empty to be told in any case."""

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"ask": "meet", "root": self.root})


@dataclass(frozen=True, slots=True)
class AskNext:
    """The latest checkpoint, and the entries from leaf `start` on."""

    start: int
    """Size of the largest tree of this log already checked."""

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"ask": "next", "from": self.start})


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


Request: TypeAlias = (
    AskMeet
    | AskNext
    | AskHead
    | AskCommitment
    | AskEntries
    | AskStatements
    | AskNodes
    | AskLeaves
)


def parse_request(data: bytes) -> Request:
    """Strict, else MalformedError."""
    fields = parse_map(data, MAX_REQUEST, "follow request")
    parse = _REQUESTS.get(str(fields.get("ask")), parse_set_request)
    return parse(fields)


def _parse_meet(fields: Mapping[str, Value]) -> AskMeet:
    require_keys(fields, "ask", "root")
    root = bytes_of(fields["root"], HASH_BYTES, "a set root")
    if len(root) not in (0, HASH_BYTES):
        raise MalformedError(f"expected 32 bytes of set root or none, got {len(root)}")
    return AskMeet(root)


def _parse_next(fields: Mapping[str, Value]) -> AskNext:
    require_keys(fields, "ask", "from")
    return AskNext(size_field(fields, "from"))


def _parse_head(fields: Mapping[str, Value]) -> AskHead:
    require_keys(fields, "ask", "from")
    return AskHead(size_field(fields, "from"))


def _parse_commitment(fields: Mapping[str, Value]) -> AskCommitment:
    require_keys(fields, "ask", "size")
    return AskCommitment(size_field(fields, "size"))


def _parse_entries(fields: Mapping[str, Value]) -> AskEntries:
    require_keys(fields, "ask", "size", "start")
    return AskEntries(size_field(fields, "start"), size_field(fields, "size"))


def _parse_statements(fields: Mapping[str, Value]) -> AskStatements:
    require_keys(fields, "ask", "ids")
    return AskStatements(_ids(fields))


_REQUESTS: Mapping[str, Callable[[Mapping[str, Value]], Request]] = {
    "meet": _parse_meet,
    "next": _parse_next,
    "head": _parse_head,
    "commitment": _parse_commitment,
    "entries": _parse_entries,
    "statements": _parse_statements,
}


# Responses


@dataclass(frozen=True, slots=True)
class Equal:
    """The set of statements is the one that the follower named."""

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"equal": True})


@dataclass(frozen=True, slots=True)
class Met:
    """A signed checkpoint, who signs it, its last leaf, and what is before that."""

    note: bytes
    vkey: str
    entry: bytes
    frontier: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack(
            {
                "entry": self.entry,
                "frontier": list(self.frontier),
                "note": self.note,
                "vkey": self.vkey,
            }
        )


@dataclass(frozen=True, slots=True)
class News:
    """A signed checkpoint, and entries; `proof` leads from their end to its tree."""

    note: bytes
    entries: tuple[bytes, ...]
    proof: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack(
            {
                "entries": list(self.entries),
                "note": self.note,
                "proof": list(self.proof),
            }
        )


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


Response: TypeAlias = (
    Equal
    | Met
    | News
    | Same
    | Head
    | Commitment
    | Entries
    | Envelopes
    | SetNodes
    | SetLeaves
    | Refusal
)


def parse_response(data: bytes) -> Response:
    """Strict, else MalformedError."""
    fields = parse_map(data, MAX_RESPONSE, "follow response")
    match tuple(fields):
        case ("equal",):
            require_true(fields, "equal")
            return Equal()
        case ("same",):
            require_true(fields, "same")
            return Same()
        case ("entry", "frontier", "note", "vkey"):
            entry, frontier = _commitment(fields)
            return Met(_note(fields), _vkey(fields), entry, frontier)
        case ("entries", "note", "proof"):
            entries = byte_strings(fields["entries"], NEXT_ENTRIES, "entries")
            return News(_note(fields), entries, hashes_of(fields["proof"]))
        case ("note", "proof", "vkey"):
            return Head(_note(fields), _vkey(fields), hashes_of(fields["proof"]))
        case ("entry", "frontier"):
            return Commitment(*_commitment(fields))
        case ("entries", "proof"):
            entries = byte_strings(fields["entries"], MAX_ENTRIES, "entries")
            return Entries(entries, hashes_of(fields["proof"]))
        case ("envelopes",):
            return Envelopes(byte_strings(fields["envelopes"], MAX_IDS, "envelopes"))
        case ("error",):
            return Refusal(text_of(fields["error"], MAX_ERROR))
    return parse_set_response(fields)


def _note(fields: Mapping[str, Value]) -> bytes:
    return bytes_of(fields["note"], MAX_NOTE, "a checkpoint")


def _vkey(fields: Mapping[str, Value]) -> str:
    return text_of(fields["vkey"], MAX_VKEY)


def _commitment(fields: Mapping[str, Value]) -> tuple[bytes, tuple[bytes, ...]]:
    entry = bytes_of(fields["entry"], 64, "a commitment entry")
    return entry, hashes_of(fields["frontier"])


def _ids(fields: Mapping[str, Value]) -> tuple[bytes, ...]:
    joined = bytes_of(fields["ids"], MAX_IDS * HASH_BYTES, "ids")
    if not joined or len(joined) % HASH_BYTES:
        raise MalformedError(f"expected ids of 32 bytes each, got {len(joined)} bytes")
    starts = range(0, len(joined), HASH_BYTES)
    return tuple(joined[start : start + HASH_BYTES] for start in starts)
