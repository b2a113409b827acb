"""Proof bundles: one file with the complete answer for a digest and its proofs.

Format: docs/spec/bundle.md.  A bundle is one canonical MessagePack map:

    asked       34-byte multihash            the digest it answers for
    checkpoint  signed note                  the log's signature over size and root
    depth       uint                         level of the last work that was followed
    format      "byline-bundle/1"
    log         verifier key (text)
    opening     bytes                        of the lookup set, see opening.py
    proof       32-byte hashes, concatenated inclusion of the commitment, leaf size - 1
    statements  [[id order] index, envelope, inclusion proof]
    strings     uint                         number of strings in the lookup set
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from byline_ledger.chain import MAX_DEPTH, derive
from byline_ledger.codec import pack, split_array, split_map, unpack
from byline_ledger.errors import MalformedError, UnsupportedError, UsageError
from byline_ledger.opening import walk_set
from byline_ledger.statement import MAX_OTHER_ENVELOPE, Statement

if TYPE_CHECKING:
    from byline_ledger.log import LogView

FORMAT = "byline-bundle/1"
DEFAULT_DEPTH = 4
MAX_BUNDLE = 32 << 20
MAX_STATEMENTS = 1 << 15
"""More than any answer uses: MAX_EVIDENCE in statements of at least 184 bytes."""
MAX_PROOF = 63
MAX_ROW = MAX_OTHER_ENVELOPE + MAX_PROOF * 32 + 32
MAX_INDEX = 2**63 - 1
_KEYS = {
    "asked": bytes,
    "checkpoint": bytes,
    "depth": int,
    "format": str,
    "log": str,
    "opening": bytes,
    "proof": bytes,
    "statements": list,
    "strings": int,
}


@dataclass(frozen=True, slots=True)
class BundledStatement:
    """A statement, its leaf index and the inclusion proof (32-byte hashes)."""

    index: int
    statement: Statement
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

    def to_bytes(self) -> bytes:
        """The canonical encoding."""
        return pack(
            {
                "asked": self.asked,
                "checkpoint": self.checkpoint,
                "depth": self.depth,
                "format": FORMAT,
                "log": self.log,
                "opening": self.opening,
                "proof": b"".join(self.proof),
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
        rows = split_array(
            raw.pop("statements"),
            max_size=MAX_BUNDLE,
            max_items=MAX_STATEMENTS,
            what="proof bundle",
        )
        fields: dict[str, object] = {name: _plain(raw[name]) for name in raw}
        fields["statements"] = rows
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
        rows = fields["statements"]
        assert isinstance(rows, list)
        statements = tuple(_parse_row(row) for row in rows)
        ids = [one.statement.id for one in statements]
        if any(a >= b for a, b in pairwise(ids)):
            raise MalformedError(
                "proof bundle: statements are not in order of their id"
            )
        return cls(
            asked=asked,
            checkpoint=_bytes(fields["checkpoint"]),
            depth=depth,
            log=str(fields["log"]),
            opening=_bytes(fields["opening"]),
            proof=_hashes(fields["proof"]),
            statements=statements,
            strings=strings,
        )


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


def _hashes(value: object) -> tuple[bytes, ...]:
    joined = _bytes(value)
    if len(joined) % 32 or len(joined) > MAX_PROOF * 32:
        raise MalformedError(f"proof bundle: {len(joined)} bytes are no Merkle proof")
    return tuple(joined[i : i + 32] for i in range(0, len(joined), 32))


def _plain(data: bytes) -> object:
    """A value that is no container."""
    return unpack(data, max_size=MAX_BUNDLE, max_depth=0, what="proof bundle")


def _parse_row(data: bytes) -> BundledStatement:
    row = unpack(data, max_size=MAX_ROW, max_depth=1, what="proof bundle")
    if not isinstance(row, list) or len(row) != 3:
        raise MalformedError(
            "proof bundle: a statement is not [index, envelope, proof]"
        )
    index, envelope, proof = row
    if type(index) is not int or index > MAX_INDEX:
        raise MalformedError("proof bundle: a statement's index is not a leaf index")
    return BundledStatement(
        index, Statement.from_envelope(_bytes(envelope)), _hashes(proof)
    )


def build_bundle(view: LogView, digest: bytes, *, depth: int = DEFAULT_DEPTH) -> bytes:
    """The proof bundle for `digest` (34-byte multihash) from one view of a log.

    Raises UsageError for a depth over 16.
    """
    if not 0 <= depth <= MAX_DEPTH:
        raise UsageError(f"depth {depth}: expected 0 to {MAX_DEPTH}")
    known: dict[bytes, Statement] = {}

    def statement(id_: bytes) -> Statement:
        found = view.statement(id_)
        if found is None:
            raise RuntimeError(f"the store lacks the body of statement {id_.hex()}")
        known[id_] = found
        return found

    walk = walk_set(view.lookup_set, view.read_strings)
    chain = derive(walk, statement, digest, depth)
    bundle = Bundle(
        asked=digest,
        checkpoint=view.checkpoint,
        depth=chain.depth,
        log=view.vkey,
        opening=walk.to_bytes(),
        proof=tuple(view.inclusion_proof(view.size - 1)),
        statements=tuple(_proven(view, known[id_]) for id_ in sorted(chain.used)),
        strings=view.set_count,
    )
    return bundle.to_bytes()


def _proven(view: LogView, statement: Statement) -> BundledStatement:
    index = view.index_of(statement.id)
    if index is None:
        raise RuntimeError(f"the store lacks the index of {statement.id.hex()}")
    return BundledStatement(index, statement, tuple(view.inclusion_proof(index)))
