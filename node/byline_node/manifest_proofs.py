"""Proofs that works are in a manifest, for many works of one (docs/spec/collection.md).

A delegation can be limited to the works of manifests; each statement under it then
proves that its work is one of them.  The whole tree is held in memory: a proof is one
look-up, where reading the file anew for each would be one pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

from byline_ledger.errors import NotFoundError, UsageError
from byline_ledger.manifest_tree import InManifest, tree_name
from byline_ledger.merkle import inclusion_proof, leaf_hash, node_hash, root_from
from byline_node.manifests import entries

MAX_ENTRIES: Final = 1_000_000


class ManifestProofs:
    """The tree of a manifest; `name` is how delegations name it (34 bytes)."""

    def __init__(self, digests: Iterable[bytes]) -> None:
        self._indexes: dict[bytes, int] = {}
        leaves: list[bytes] = []
        for digest in digests:
            if len(leaves) == MAX_ENTRIES:
                raise UsageError(f"a manifest of more than {MAX_ENTRIES:,} entries")
            self._indexes.setdefault(digest, len(leaves))
            leaves.append(leaf_hash(digest))
        self._levels = [leaves]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)
            self._levels.append([node_hash(*pair) for pair in pairs])
        self.count = len(leaves)
        self.name = tree_name(root_from(self.count, self._node))

    @classmethod
    def of(cls, path: Path) -> Self:
        """Those of a manifest's file."""
        return cls(entries(path))

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._indexes

    def place(self, digest: bytes) -> InManifest:
        """The proof for a work (multihash of 34 bytes); NotFoundError if it is not one
        of them."""
        index = self._indexes.get(digest)
        if index is None:
            raise NotFoundError(f"sha256:{digest[2:].hex()} is not in the manifest")
        proof = inclusion_proof(index, self.count, self._node)
        return InManifest(self.name, index, self.count, proof)

    def _node(self, level: int, place: int) -> bytes:
        return self._levels[level][place]
