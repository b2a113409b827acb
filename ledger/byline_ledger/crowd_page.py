"""A page of everything under a prefix of lookup keys: its form, and how it is made.

Rule: for each key under the prefix a page has one of three: the whole bundle of a
subject, what another key is the hash of, or what is left of statements that were all
taken down.  An opening of the lookup set shows that no key was left out.
Specification: docs/spec/network.md, "Crowd".  Who reads a page: crowd_reader.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from byline_ledger.bundle import build_bundle
from byline_ledger.bundle_rows import (
    MAX_BUNDLE,
    MAX_GONE_ROW,
    RedactedStatement,
    gone_entry,
    leaf_index,
    split_hashes,
)
from byline_ledger.chain import WORK_PAGE
from byline_ledger.codec import Value, pack, split_array, split_map, unpack
from byline_ledger.digest import is_multihash
from byline_ledger.entry import KEY_BYTES, author_key, id_in, source_key, subject_key
from byline_ledger.errors import MalformedError, RedactedError
from byline_ledger.merkle import MAX_PROOF, MAX_SIZE
from byline_ledger.message_fields import bytes_of, text_of
from byline_ledger.note import MAX_NOTE_BYTES
from byline_ledger.opening import MAX_OPENING, Walk, walk_set
from byline_ledger.query_messages import MAX_RESPONSE, MAX_VKEY, AskCrowd
from byline_ledger.recall import redacted
from byline_ledger.statement import Statement
from byline_ledger.store.damage import damaged
from byline_ledger.tombstone import Tombstone

if TYPE_CHECKING:
    from byline_ledger.log import LogView

PAGE_BYTES = 1_000_000
"""With which a page ends; the last bundle is in it whatever its size."""
MAX_KEYS = 4_096
MAX_GONE = 2_048
GONE_BYTES = 1_000
"""As what a row of `gone` counts, about what it has."""
_OTHER_BYTES = 34
_NAMES = (
    "bundles",
    "gone",
    "log",
    "note",
    "opening",
    "others",
    "proof",
    "strings",
    "upto",
)
_LISTS = {"bundles": MAX_KEYS, "gone": MAX_GONE, "others": MAX_KEYS}
_WHAT = "page of a crowd"


@dataclass(frozen=True, slots=True)
class GoneRow:
    """What is left of a statement that was taken down, with a proof of its own."""

    left: RedactedStatement
    proof: tuple[bytes, ...]

    def to_row(self) -> list[Value]:
        """The row."""
        left = self.left
        return [
            left.index,
            left.entry.to_bytes(),
            b"".join(self.proof),
            left.tombstone.to_bytes(),
        ]

    @classmethod
    def from_row(cls, data: bytes) -> GoneRow:
        """Strict, else MalformedError."""
        size = MAX_GONE_ROW + MAX_PROOF * 32
        row = unpack(data, max_size=size, max_depth=1, what=_WHAT)
        if not isinstance(row, list) or len(row) != 4:
            raise MalformedError(f"{_WHAT}: expected a row of 4 values")
        index, entry, proof, tombstone = row
        left = RedactedStatement(
            leaf_index(index),
            gone_entry(bytes_of(entry, MAX_GONE_ROW, "an entry")),
            Tombstone.from_bytes(bytes_of(tombstone, MAX_GONE_ROW, "a tombstone")),
        )
        return cls(left, split_hashes(proof))


@dataclass(frozen=True, slots=True)
class CrowdPage:
    """A parsed page; nothing of it is verified yet."""

    bundles: tuple[bytes, ...]
    """Proof bundles, not looked into."""
    gone: tuple[GoneRow, ...]
    log: str
    note: bytes
    opening: bytes
    others: tuple[bytes, ...]
    proof: tuple[bytes, ...]
    strings: int
    upto: bytes
    """The last key; empty if there is none behind this page."""

    def to_bytes(self) -> bytes:
        """The response."""
        return pack(
            {
                "bundles": list(self.bundles),
                "gone": [one.to_row() for one in self.gone],
                "log": self.log,
                "note": self.note,
                "opening": self.opening,
                "others": list(self.others),
                "proof": b"".join(self.proof),
                "strings": self.strings,
                "upto": self.upto,
            }
        )


def parse_crowd_page(data: bytes) -> CrowdPage:
    """Strict, else MalformedError; UnsupportedError never: bundles are bytes here."""
    raw = split_map(data, max_size=MAX_RESPONSE, max_items=16, what=_WHAT)
    if tuple(raw) != _NAMES:
        raise MalformedError(f"{_WHAT}: expected the keys {', '.join(_NAMES)}")
    lists = {
        name: split_array(
            raw.pop(name), max_size=MAX_RESPONSE, max_items=most, what=_WHAT
        )
        for name, most in _LISTS.items()
    }
    fields = {name: _plain(value) for name, value in raw.items()}
    upto = bytes_of(fields["upto"], KEY_BYTES, "a lookup key")
    if len(upto) not in (0, KEY_BYTES):
        raise MalformedError(f"{_WHAT}: upto has {len(upto)} bytes")
    return CrowdPage(
        bundles=tuple(
            bytes_of(_plain(one), MAX_BUNDLE, "a bundle") for one in lists["bundles"]
        ),
        gone=tuple(GoneRow.from_row(one) for one in lists["gone"]),
        log=text_of(fields["log"], MAX_VKEY),
        note=bytes_of(fields["note"], MAX_NOTE_BYTES, "a checkpoint"),
        opening=bytes_of(fields["opening"], MAX_OPENING, "an opening"),
        others=tuple(_other(one) for one in lists["others"]),
        proof=split_hashes(fields["proof"]),
        strings=_count(fields),
        upto=upto,
    )


def _plain(data: bytes) -> Value:
    """A value that is no container."""
    return unpack(data, max_size=MAX_RESPONSE, max_depth=0, what=_WHAT)


def _count(fields: Mapping[str, Value]) -> int:
    value = fields["strings"]
    if type(value) is not int or value > MAX_SIZE:
        raise MalformedError(f"{_WHAT}: strings is not a count")
    return value


def _other(data: bytes) -> bytes:
    value = bytes_of(_plain(data), _OTHER_BYTES, "what a key is made of")
    if len(value) != KEY_BYTES and not is_multihash(value):
        raise MalformedError(f"{_WHAT}: expected a public key or a multihash")
    return value


def other_key(other: bytes) -> bytes:
    """The lookup key of an author (32 bytes) or of a source (34)."""
    return author_key(other) if len(other) == KEY_BYTES else source_key(other)


# Making one


@dataclass(frozen=True, slots=True)
class Subject:
    """A key that is a digest's (34 bytes): its bundle is owed."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class Other:
    """A key that is an author's or a source's, and what it is made of."""

    what: bytes


Role: TypeAlias = Subject | Other


@dataclass(slots=True)
class _Parts:
    """What a page under way has."""

    bundles: list[bytes] = field(default_factory=list)
    others: list[bytes] = field(default_factory=list)
    gone: dict[bytes, GoneRow] = field(default_factory=dict)
    size: int = 0
    keys: int = 0

    @property
    def is_full(self) -> bool:
        return self.size >= PAGE_BYTES or self.keys >= MAX_KEYS


def build_crowd_page(view: LogView, ask: AskCrowd) -> CrowdPage:
    """The page that is asked for, from one view of a log."""
    walk = walk_set(view.lookup_set, view.read_strings)
    parts, upto = _Parts(), b""
    for key in walk.keys(ask.prefix, ask.bits, ask.after):
        _add(parts, view, walk, key, ask.depth)
        if parts.is_full:
            upto = key
            break
    return CrowdPage(
        bundles=tuple(parts.bundles),
        gone=tuple(parts.gone[id_] for id_ in sorted(parts.gone)),
        log=view.vkey,
        note=view.checkpoint,
        opening=walk.to_bytes(),
        others=tuple(parts.others),
        proof=tuple(view.inclusion_proof(view.size - 1)),
        strings=view.set_count,
        upto=upto,
    )


def _add(parts: _Parts, view: LogView, walk: Walk, key: bytes, depth: int) -> None:
    """What a page has for one key."""
    parts.keys += 1
    role = role_of(view, key)
    if isinstance(role, Subject):
        bundle = build_bundle(view, role.digest, depth=depth)
        parts.bundles.append(bundle)
        parts.size += len(bundle)
    elif isinstance(role, Other):
        parts.others.append(role.what)
        parts.size += len(role.what)
    else:
        for string in walk.find(key, WORK_PAGE).strings:
            left = redacted(view, id_in(string))
            proof = tuple(view.inclusion_proof(left.index))
            parts.gone[left.entry.id] = GoneRow(left, proof)
            parts.size += GONE_BYTES


def role_of(view: LogView, key: bytes) -> Role | None:
    """What the key stands for; None where everything under it was taken down."""
    # A walk of its own: what it opens is not the page's.
    walk = walk_set(view.lookup_set, view.read_strings)
    for statement in _bodies(view, walk.find(key, WORK_PAGE).strings):
        if subject_key(statement.about) == key:
            return Subject(statement.about)
        if author_key(statement.author) == key:
            return Other(statement.author)
        for source in statement.sources:
            if source_key(source.digest) == key:
                return Other(source.digest)
        raise damaged(f"statement {statement.id.hex()} lacks a key of its string")
    return None


def _bodies(view: LogView, strings: tuple[bytes, ...]) -> Iterator[Statement]:
    for string in strings:
        try:
            statement = view.statement(id_in(string))
        except RedactedError:
            continue
        if statement is None:
            raise damaged(f"statement {id_in(string).hex()} is missing")
        yield statement
