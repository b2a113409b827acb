"""Proofs of a label: asked of a node, and read back from files and verified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from byline_ledger.answer import Answer
from byline_ledger.errors import VerificationError
from byline_ledger.facts import AsOf
from byline_ledger.policy import Policy
from byline_ledger.verify import verify_bundle

DEPTH = 4
"""Steps of sources that a label follows."""
MAX_PROOF = 64 << 20
"""Bytes of a file with proofs."""


class Prover(Protocol):
    """The part of a client that labels need."""

    def prove_many(
        self, digests: Iterable[bytes], *, depth: int = ..., now: int | None = ...
    ) -> Iterator[tuple[bytes, dict[bytes, Answer]]]:
        """Proof bundles with their answers by work (34-byte multihash)."""
        ...


def read_proof(data: bytes, policy: Policy | None, time: int) -> dict[bytes, Answer]:
    """Work to verified answer, terms judged at a time (Unix ms); VerificationError or
    MalformedError, saying why."""
    verdict = verify_bundle(data, policy=policy, as_of=AsOf(now=time))
    if not verdict.ok or not verdict.answers:
        raise VerificationError(str(verdict.failure()))
    return {one.asked: one for one in verdict.answers}
