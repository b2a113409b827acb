"""The tree over a manifest's entries: root, and the proof that a work is one of them.

Rule: leaf i is RFC 6962's hash of the 34-byte multihash of row i.  Digests come as
streams, so that a manifest of any length takes no more memory than one of a thousand
rows.  Specification: docs/spec/collection.md, "Membership".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Self

from byline_ledger.codec import Value
from byline_ledger.digest import SHA256_PREFIX, is_multihash
from byline_ledger.errors import MalformedError, NotFoundError
from byline_ledger.manifest import BadLine, Line
from byline_ledger.merkle import (
    HASH_BYTES,
    MAX_PROOF,
    MAX_SIZE,
    Frontier,
    inclusion_proof,
    leaf_hash,
    verify_inclusion,
)

BATCH = 1_024
"""Leaves that are hashed together."""


class ManifestSum:
    """Count, bytes and root of the rows seen so far, and how many lines were bad.

    `unsized` counts rows that do not say their bytes.
    """

    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0
        self.unsized = 0
        self.bad = 0
        self._frontier = Frontier.empty()
        self._waiting: list[bytes] = []

    def add(self, digest: bytes, size: int | None) -> None:
        """One more entry."""
        self.count += 1
        self.bytes += size or 0
        self.unsized += size is None
        self._waiting.append(leaf_hash(digest))
        if len(self._waiting) == BATCH:
            self._flush()

    def add_line(self, line: Line) -> None:
        """One more line of a manifest."""
        if isinstance(line, BadLine):
            self.bad += 1
        else:
            self.add(line.digest, line.bytes)

    def root(self) -> bytes:
        """32 bytes."""
        self._flush()
        return self._frontier.root()

    def _flush(self) -> None:
        self._frontier = self._frontier.extend(self._waiting)
        self._waiting = []


@dataclass(frozen=True, slots=True)
class InManifest:
    """Says that a work is entry `index` of `count` of the manifest (multihash)."""

    manifest: bytes
    index: int
    count: int
    proof: tuple[bytes, ...]

    def to_field(self) -> dict[str, Value]:
        """The map `in-manifest` of a statement."""
        return {
            "manifest": self.manifest,
            "index": self.index,
            "count": self.count,
            "proof": b"".join(self.proof),
        }

    @classmethod
    def from_field(cls, value: Value) -> Self:
        """The map as a statement has it, else MalformedError."""
        found = value if isinstance(value, dict) else {}
        manifest, proof = found.get("manifest"), found.get("proof")
        index, count = found.get("index"), found.get("count")
        if not (
            isinstance(manifest, bytes)
            and is_multihash(manifest)
            and isinstance(proof, bytes)
            and len(proof) <= MAX_PROOF * HASH_BYTES
            and len(proof) % HASH_BYTES == 0
            and type(index) is int
            and type(count) is int
            and 0 <= index < count <= MAX_SIZE
        ):
            raise MalformedError(
                "in-manifest: expected manifest, index, count and proof"
            )
        pieces = range(0, len(proof), HASH_BYTES)
        hashes = tuple(proof[at : at + HASH_BYTES] for at in pieces)
        return cls(manifest, index, count, hashes)

    def verify(self, digest: bytes, root: bytes) -> None:
        """The work is in the manifest of that root, or ProofError."""
        verify_inclusion(leaf_hash(digest), self.index, self.count, self.proof, root)


def manifest_root(digests: Iterable[bytes]) -> bytes:
    """Root (32 bytes) over multihashes in the manifest's order."""
    total = ManifestSum()
    for digest in digests:
        total.add(digest, None)
    return total.root()


def tree_name(root: bytes) -> bytes:
    """How `in-manifest` and delegations name a manifest: the multihash of its tree."""
    return SHA256_PREFIX + root


def find_entry(digests: Iterable[bytes], wanted: bytes) -> tuple[int, int]:
    """The first index of a digest, and how many entries there are.

    NotFoundError if it is none of them.
    """
    index, count = None, 0
    for digest in digests:
        if index is None and digest == wanted:
            index = count
        count += 1
    if index is None:
        raise NotFoundError(f"sha256:{wanted[2:].hex()} is not in the manifest")
    return index, count


def membership_proof(
    digests: Iterable[bytes], index: int, count: int
) -> tuple[bytes, ...]:
    """The proof of entry `index`, from a second pass over all `count` digests."""
    wanted: dict[tuple[int, int], bytes] = {}

    def note_down(level: int, place: int) -> bytes:
        wanted[level, place] = b""
        return bytes(HASH_BYTES)

    inclusion_proof(index, count, note_down)
    for level, start, hashes in _completed(digests):
        for place, value in enumerate(hashes, start):
            if (level, place) in wanted:
                wanted[level, place] = value
    return inclusion_proof(index, count, lambda level, place: wanted[level, place])


def _completed(digests: Iterable[bytes]) -> Iterator[tuple[int, int, list[bytes]]]:
    """Level, first index and roots of perfect subtrees, as they come to be complete."""
    frontier = Frontier.empty()
    stream = iter(digests)
    while leaves := [leaf_hash(one) for one in islice(stream, BATCH)]:
        before = frontier.size
        frontier, levels = frontier.extend_with_nodes(leaves)
        for level, hashes in enumerate(levels):
            yield level, before >> level, hashes
