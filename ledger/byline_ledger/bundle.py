"""Proof bundles: one file with the complete answer for a digest and its proofs.

Format: docs/spec/bundle.md.  A bundle is one canonical MessagePack map:

    asked       34-byte multihash            the digest it answers for
    checkpoint  signed note                  the log's signature over size and root
    depth       uint                         level of the last work that was followed
    earlier     [[note, 32-byte hashes]]     earlier cosigned checkpoints, each with its
                                             consistency proof to `checkpoint`
    format      "byline-bundle/2"
    log         verifier key (text)
    opening     bytes                        of the lookup set, see opening.py
    proof       32-byte hashes, concatenated inclusion of the commitment, leaf size - 1
    redacted    [index, entry, proof, tombstone]   of bodies taken down, by id
    statements  [index, envelope, inclusion proof] by id
    strings     uint                         number of strings in the lookup set
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from byline_ledger.chain import MAX_DEPTH, Chain, Gone, derive
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.codec import Value, pack, split_array, split_map, unpack
from byline_ledger.entry import StatementEntry, parse_entry
from byline_ledger.errors import (
    MalformedError,
    RedactedError,
    UnsupportedError,
    UsageError,
)
from byline_ledger.note import MAX_NOTE_BYTES
from byline_ledger.opening import walk_set
from byline_ledger.statement import MAX_OTHER_ENVELOPE, Statement
from byline_ledger.tiles import MAX_ENTRY_BYTES
from byline_ledger.tombstone import MAX_TOMBSTONE, Tombstone

if TYPE_CHECKING:
    from byline_ledger.log import LogView

FORMAT = "byline-bundle/2"
DEFAULT_DEPTH = 4
MAX_BUNDLE = 32 << 20
MAX_STATEMENTS = 1 << 15
"""More than any answer uses: MAX_EVIDENCE in statements of at least 184 bytes."""
MAX_PROOF = 63
MAX_ROW = MAX_OTHER_ENVELOPE + MAX_PROOF * 32 + 32
MAX_EARLIER = 32
MAX_CONSISTENCY = 128
MAX_EARLIER_ROW = MAX_NOTE_BYTES + MAX_CONSISTENCY * 32 + 32
MAX_GONE_ROW = MAX_ENTRY_BYTES + MAX_PROOF * 32 + MAX_TOMBSTONE + 32
MAX_INDEX = 2**63 - 1
_KEYS = {
    "asked": bytes,
    "checkpoint": bytes,
    "depth": int,
    "earlier": list,
    "format": str,
    "log": str,
    "opening": bytes,
    "proof": bytes,
    "redacted": list,
    "statements": list,
    "strings": int,
}
_LISTS = {
    "earlier": MAX_EARLIER,
    "redacted": MAX_STATEMENTS,
    "statements": MAX_STATEMENTS,
}


@dataclass(frozen=True, slots=True)
class BundledStatement:
    """A statement, its leaf index and the inclusion proof (32-byte hashes)."""

    index: int
    statement: Statement
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class RedactedStatement:
    """What is left of a statement whose body its node took down."""

    index: int
    entry: StatementEntry
    proof: tuple[bytes, ...]
    tombstone: Tombstone


@dataclass(frozen=True, slots=True)
class EarlierCheckpoint:
    """A cosigned note of a smaller tree, and the proof that `checkpoint` extends it."""

    note: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A parsed bundle; nothing of it is verified yet."""

    asked: bytes
    checkpoint: bytes
    depth: int
    log: str
    opening: bytes
    proof: tuple[bytes, ...]
    statements: tuple[BundledStatement, ...]
    strings: int
    redacted: tuple[RedactedStatement, ...] = ()
    earlier: tuple[EarlierCheckpoint, ...] = ()

    def to_bytes(self) -> bytes:
        """The canonical encoding."""
        return pack(
            {
                "asked": self.asked,
                "checkpoint": self.checkpoint,
                "depth": self.depth,
                "earlier": [[one.note, b"".join(one.proof)] for one in self.earlier],
                "format": FORMAT,
                "log": self.log,
                "opening": self.opening,
                "proof": b"".join(self.proof),
                "redacted": [gone_row(one) for one in self.redacted],
                "statements": [
                    [one.index, one.statement.to_envelope(), b"".join(one.proof)]
                    for one in self.statements
                ],
                "strings": self.strings,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Bundle:
        """Parse strictly. Raises MalformedError or UnsupportedError."""
        raw = split_map(data, max_size=MAX_BUNDLE, max_items=16, what="proof bundle")
        _require_format(_plain(raw.get("format", b"")))
        if raw.keys() != _KEYS.keys():
            raise MalformedError("proof bundle: fields are missing or unknown")
        fields: dict[str, object] = {
            name: split_array(
                raw.pop(name), max_size=MAX_BUNDLE, max_items=most, what="proof bundle"
            )
            for name, most in _LISTS.items()
        }
        fields |= {name: _plain(raw[name]) for name in raw}
        for name, kind in _KEYS.items():
            if type(fields[name]) is not kind:
                raise MalformedError(f"proof bundle: {name} is not {kind.__name__}")
        return cls._from_fields(fields)

    @classmethod
    def _from_fields(cls, fields: dict[str, object]) -> Bundle:
        asked, depth, strings = fields["asked"], fields["depth"], fields["strings"]
        assert isinstance(asked, bytes)
        assert isinstance(depth, int)
        assert isinstance(strings, int)
        if len(asked) != 34 or asked[:2] != b"\x12\x20":
            raise MalformedError("proof bundle: asked is not a SHA-256 multihash")
        if depth > MAX_DEPTH or strings > MAX_INDEX:
            raise MalformedError("proof bundle: depth or count is out of range")
        rows, gone = fields["statements"], fields["redacted"]
        earlier = fields["earlier"]
        assert isinstance(rows, list)
        assert isinstance(gone, list)
        assert isinstance(earlier, list)
        statements = tuple(_parse_row(row) for row in rows)
        redacted = tuple(parse_gone(row) for row in gone)
        _require_ascending([one.statement.id for one in statements])
        _require_ascending([one.entry.id for one in redacted])
        return cls(
            asked=asked,
            checkpoint=_bytes(fields["checkpoint"]),
            depth=depth,
            log=str(fields["log"]),
            opening=_bytes(fields["opening"]),
            proof=_hashes(fields["proof"]),
            statements=statements,
            strings=strings,
            redacted=redacted,
            earlier=tuple(_parse_earlier(row) for row in earlier),
        )


def _require_ascending(ids: list[bytes]) -> None:
    if any(a >= b for a, b in pairwise(ids)):
        raise MalformedError("proof bundle: statements are not in order of their id")


def _require_format(value: object) -> None:
    if not isinstance(value, str) or not value.startswith("byline-bundle/"):
        raise MalformedError("expected a proof bundle, got something else")
    if value != FORMAT:
        raise UnsupportedError(
            f"proof bundle: expected the format {FORMAT}",
            hint="it comes from another version of Byline",
        )


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise MalformedError("proof bundle: expected bytes")
    return value


def _hashes(value: object, most: int = MAX_PROOF) -> tuple[bytes, ...]:
    joined = _bytes(value)
    if len(joined) % 32 or len(joined) > most * 32:
        raise MalformedError(f"proof bundle: {len(joined)} bytes are no Merkle proof")
    return tuple(joined[i : i + 32] for i in range(0, len(joined), 32))


def _plain(data: bytes) -> object:
    """A value that is no container."""
    return unpack(data, max_size=MAX_BUNDLE, max_depth=0, what="proof bundle")


def _parse_row(data: bytes) -> BundledStatement:
    index, envelope, proof = _row(data, MAX_ROW, 3)
    statement = Statement.from_envelope(_bytes(envelope))
    return BundledStatement(_index(index), statement, _hashes(proof))


def parse_gone(data: bytes) -> RedactedStatement:
    """A row of `redacted`.  Raises MalformedError."""
    index, entry, proof, tombstone = _row(data, MAX_GONE_ROW, 4)
    parsed = parse_entry(_bytes(entry))
    if not isinstance(parsed, StatementEntry):
        raise MalformedError("proof bundle: what was taken down is no statement")
    return RedactedStatement(
        _index(index), parsed, _hashes(proof), Tombstone.from_bytes(_bytes(tombstone))
    )


def _parse_earlier(data: bytes) -> EarlierCheckpoint:
    note, proof = _row(data, MAX_EARLIER_ROW, 2)
    return EarlierCheckpoint(_bytes(note), _hashes(proof, MAX_CONSISTENCY))


def _row(data: bytes, most: int, size: int) -> list[Value]:
    row = unpack(data, max_size=most, max_depth=1, what="proof bundle")
    if not isinstance(row, list) or len(row) != size:
        raise MalformedError(f"proof bundle: expected a row of {size} values")
    return row


def _index(value: object) -> int:
    if type(value) is not int or value > MAX_INDEX:
        raise MalformedError("proof bundle: a statement's index is not a leaf index")
    return value


def gone_row(one: RedactedStatement) -> list[Value]:
    """The row of `redacted` that `parse_gone` parses."""
    proof, tombstone = b"".join(one.proof), one.tombstone.to_bytes()
    return [one.index, one.entry.to_bytes(), proof, tombstone]


def build_bundle(view: LogView, digest: bytes, *, depth: int = DEFAULT_DEPTH) -> bytes:
    """The proof bundle for `digest` (34-byte multihash) from one view of a log.

    Raises UsageError for a depth over 16.
    """
    if not 0 <= depth <= MAX_DEPTH:
        raise UsageError(f"depth {depth}: expected 0 to {MAX_DEPTH}")
    known: dict[bytes, Statement | Gone] = {}

    def recall(id_: bytes) -> Statement | Gone:
        known[id_] = _recall(view, id_)
        return known[id_]

    walk = walk_set(view.lookup_set, view.read_strings)
    chain = derive(walk, recall, digest, depth)
    used = [known[id_] for id_ in sorted(chain.used)]
    bundle = Bundle(
        asked=digest,
        checkpoint=view.checkpoint,
        depth=chain.depth,
        log=view.vkey,
        opening=walk.to_bytes(),
        proof=tuple(view.inclusion_proof(view.size - 1)),
        statements=tuple(_proven(view, s) for s in used if isinstance(s, Statement)),
        strings=view.set_count,
        redacted=tuple(redacted(view, s.id) for s in used if isinstance(s, Gone)),
        earlier=_earlier(view, chain),
    )
    return bundle.to_bytes()


def _recall(view: LogView, id_: bytes) -> Statement | Gone:
    try:
        found = view.statement(id_)
    except RedactedError:
        return Gone(_entry_at(view, _index_of(view, id_)))
    if found is None:
        raise RuntimeError(f"the store lacks the body of statement {id_.hex()}")
    return found


def _index_of(view: LogView, id_: bytes) -> int:
    index = view.index_of(id_)
    if index is None:
        raise RuntimeError(f"the store lacks the index of {id_.hex()}")
    return index


def _proven(view: LogView, statement: Statement) -> BundledStatement:
    index = _index_of(view, statement.id)
    return BundledStatement(index, statement, tuple(view.inclusion_proof(index)))


def redacted(view: LogView, id_: bytes) -> RedactedStatement:
    """What is left of a statement of the log whose body was taken down."""
    index = _index_of(view, id_)
    tombstone = view.tombstone(id_)
    if tombstone is None:
        raise RuntimeError(f"the store lacks the tombstone of {id_.hex()}")
    proof = tuple(view.inclusion_proof(index))
    return RedactedStatement(index, _entry_at(view, index), proof, tombstone)


def _entry_at(view: LogView, index: int) -> StatementEntry:
    entry = parse_entry(view.entry(index))
    assert isinstance(entry, StatementEntry)
    return entry


def _earlier(view: LogView, chain: Chain) -> tuple[EarlierCheckpoint, ...]:
    """The first cosigned trees that held what is used; those of the claims about the
    asked work first."""
    notes: dict[int, bytes] = {}
    asked = [one.statement.id for one in chain.works[0].statements]
    for id_ in dict.fromkeys([*asked, *sorted(chain.used)]):
        note = view.earliest_cosigned(_index_of(view, id_))
        size = checkpoint_of(note).size if note is not None else view.size
        if note is not None and size < view.size:
            notes.setdefault(size, note)
        if len(notes) == MAX_EARLIER:
            break
    return tuple(
        EarlierCheckpoint(notes[size], tuple(view.consistency_proof(size)))
        for size in sorted(notes)
    )
