"""What a reader without a log asks a node, and what the node answers, byte for byte.

Rule: as in follow, each message is one canonical MessagePack map with exactly the keys
of its kind, of bounded size; any other bytes are a MalformedError.  Nothing in an
answer is believed here.  Specification: docs/spec/network.md, "Query".

    {"ask": "bundle", "depth": uint, "digest": bin}  {"bundle": bin}
    {"ask": "root", "from": uint}                    {"entry", "note", "proof",
                                                         "since", "vkey"}
    {"after": bin, "ask": "crowd", "bits": uint,
     "depth": uint, "prefix": bin}                   a page: crowd_page.py
                                             to any  {"error": str}, {"busy": uint}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from byline_ledger import codec
from byline_ledger.bundle_rows import MAX_BUNDLE
from byline_ledger.chain import MAX_DEPTH
from byline_ledger.codec import Value
from byline_ledger.digest import is_multihash
from byline_ledger.entry import KEY_BYTES
from byline_ledger.errors import MalformedError
from byline_ledger.lookup_set import first_bits
from byline_ledger.merkle import MAX_PROOF
from byline_ledger.message_fields import (
    bytes_of,
    hashes_of,
    parse_map,
    require_keys,
    size_field,
    text_of,
)

PROTOCOL = "/byline/query/1"

MAX_REQUEST = 256
MAX_RESPONSE = 40 << 20
MAX_ROOT = 100_000
"""Bytes of an answer to `root`."""
MAX_NOTE = 65_536
MAX_VKEY = 1_024
MAX_ENTRY = 64
MAX_BITS = 64
"""Of a prefix: beyond this there is no crowd in any log."""
MAX_ERROR = 200
MAX_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class AskBundle:
    """The proof bundle for a digest (34-byte multihash)."""

    digest: bytes
    depth: int

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"ask": "bundle", "depth": self.depth, "digest": self.digest})


@dataclass(frozen=True, slots=True)
class AskRoot:
    """The checkpoint and the lookup set's root; with proof since `seen` entries."""

    seen: int

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"ask": "root", "from": self.seen})


@dataclass(frozen=True, slots=True)
class AskCrowd:
    """A page of everything under the first `bits` bits of a lookup key."""

    prefix: bytes
    bits: int
    depth: int
    after: bytes = b""
    """The key at which the page before ended."""

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack(
            {
                "after": self.after,
                "ask": "crowd",
                "bits": self.bits,
                "depth": self.depth,
                "prefix": self.prefix,
            }
        )


QueryRequest: TypeAlias = AskBundle | AskRoot | AskCrowd


def parse_query_request(data: bytes) -> QueryRequest:
    """Strict, else MalformedError."""
    fields = parse_map(data, MAX_REQUEST, "query request")
    kind = fields.get("ask")
    parse = _REQUESTS.get(kind) if isinstance(kind, str) else None
    if parse is None:
        raise MalformedError("expected a query that asks for something known")
    return parse(fields)


def _bundle(fields: Mapping[str, Value]) -> AskBundle:
    require_keys(fields, "ask", "depth", "digest")
    digest = fields["digest"]
    if not is_multihash(digest):
        raise MalformedError("digest: expected a SHA-256 multihash of 34 bytes")
    assert isinstance(digest, bytes)
    return AskBundle(digest, _number(fields, "depth", 0, MAX_DEPTH))


def _root(fields: Mapping[str, Value]) -> AskRoot:
    require_keys(fields, "ask", "from")
    return AskRoot(size_field(fields, "from"))


def _crowd(fields: Mapping[str, Value]) -> AskCrowd:
    require_keys(fields, "after", "ask", "bits", "depth", "prefix")
    bits = _number(fields, "bits", 0, MAX_BITS)
    prefix = bytes_of(fields["prefix"], MAX_BITS // 8, "a prefix")
    after = bytes_of(fields["after"], KEY_BYTES, "a lookup key")
    if len(prefix) != (bits + 7) // 8 or first_bits(prefix + b"\0", bits) != prefix:
        raise MalformedError(f"prefix: expected {bits} bits, zero-padded to bytes")
    if len(after) not in (0, KEY_BYTES):
        raise MalformedError("after: expected nothing, or a lookup key of 32 bytes")
    return AskCrowd(prefix, bits, _number(fields, "depth", 0, MAX_DEPTH), after)


def _number(fields: Mapping[str, Value], name: str, least: int, most: int) -> int:
    value = fields[name]
    if type(value) is not int or not least <= value <= most:
        raise MalformedError(f"{name}: expected an integer from {least} to {most}")
    return value


_REQUESTS: dict[str, Callable[[Mapping[str, Value]], QueryRequest]] = {
    "bundle": _bundle,
    "crowd": _crowd,
    "root": _root,
}


# Answers

_ANSWER = "query response"


@dataclass(frozen=True, slots=True)
class BundleAnswer:
    """A proof bundle, not looked into."""

    bundle: bytes

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"bundle": self.bundle})


@dataclass(frozen=True, slots=True)
class RootAnswer:
    """A checkpoint, its last leaf with the proof that it is, and the proof `since`."""

    entry: bytes
    note: bytes
    proof: tuple[bytes, ...]
    since: tuple[bytes, ...]
    vkey: str

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack(
            {
                "entry": self.entry,
                "note": self.note,
                "proof": list(self.proof),
                "since": list(self.since),
                "vkey": self.vkey,
            }
        )


@dataclass(frozen=True, slots=True)
class QueryRefusal:
    """The request was understood and cannot be answered."""

    error: str

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"error": self.error[:MAX_ERROR]})


@dataclass(frozen=True, slots=True)
class Busy:
    """Come again in so many seconds, 1 to 3,600."""

    seconds: int

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"busy": min(max(self.seconds, 1), MAX_SECONDS)})


Refused: TypeAlias = QueryRefusal | Busy


def parse_bundle_answer(data: bytes) -> BundleAnswer | Refused:
    """Strict, else MalformedError."""
    refused = parse_refusal(data)
    if refused is not None:
        return refused
    # Not decoded before it is known to be bytes: it may be large.
    fields = codec.split_map(data, max_size=MAX_BUNDLE + 64, max_items=1, what=_ANSWER)
    require_keys(fields, "bundle")
    bundle = codec.unpack(
        fields["bundle"], max_size=MAX_BUNDLE + 64, max_depth=0, what=_ANSWER
    )
    return BundleAnswer(bytes_of(bundle, MAX_BUNDLE, "a bundle"))


def parse_root_answer(data: bytes) -> RootAnswer | Refused:
    """Strict, else MalformedError."""
    refused = parse_refusal(data)
    if refused is not None:
        return refused
    fields = parse_map(data, MAX_ROOT, _ANSWER)
    require_keys(fields, "entry", "note", "proof", "since", "vkey")
    return RootAnswer(
        entry=bytes_of(fields["entry"], MAX_ENTRY, "a commitment entry"),
        note=bytes_of(fields["note"], MAX_NOTE, "a checkpoint"),
        proof=hashes_of(fields["proof"], MAX_PROOF),
        since=hashes_of(fields["since"]),
        vkey=text_of(fields["vkey"], MAX_VKEY),
    )


_REFUSALS = (b"\x81\xa5error", b"\x81\xa4busy")


def parse_refusal(data: bytes) -> Refused | None:
    """What an answer of any kind says if it is none; None if it says something else.

    MalformedError for what begins as a refusal and is not well-formed.
    """
    if not data.startswith(_REFUSALS):
        return None
    fields = parse_map(data, MAX_ERROR * 4 + 64, _ANSWER)
    if "busy" in fields:
        return Busy(_number(fields, "busy", 1, MAX_SECONDS))
    return QueryRefusal(text_of(fields["error"], MAX_ERROR))
