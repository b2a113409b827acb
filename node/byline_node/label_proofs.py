"""Proofs of a label: asked of a node, and read back from files and verified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from byline_ledger.answer import Answer
from byline_ledger.facts import AsOf
from byline_ledger.policy import Policy
from byline_node.shared_proofs import reader_of

DEPTH = 4
"""Steps of sources that a label follows."""


class Prover(Protocol):
    """The part of a client that labels need."""

    def prove_many(
        self, digests: Iterable[bytes], *, depth: int = ..., now: int | None = ...
    ) -> Iterator[tuple[bytes, dict[bytes, Answer]]]:
        """Proof bundles with their answers by work (34-byte multihash)."""
        ...


def read_proof(data: bytes, policy: Policy | None, time: int) -> Mapping[bytes, Answer]:
    """Work to verified answer, terms judged at a time (Unix ms); VerificationError or
    MalformedError, saying why."""
    return reader_of(policy, DEPTH)(data, AsOf(now=time))
