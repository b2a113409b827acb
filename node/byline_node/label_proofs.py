"""Proofs of a label: asked of a node, kept in files, read back and verified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from byline_ledger.answer import Answer
from byline_ledger.errors import VerificationError
from byline_ledger.policy import Policy
from byline_ledger.verify import FAILED, verify_bundle

DEPTH = 4
"""Steps of sources that a label follows."""
MAX_PROOF = 32 << 20
"""Bytes of a file with proofs."""


class Prover(Protocol):
    """The part of a client that labels need."""

    def query_bundle(self, asked: str | bytes, *, depth: int = ...) -> bytes:
        """The proof bundle for a work."""
        ...


def ask_proofs(
    client: Prover, digests: Sequence[bytes]
) -> Iterator[tuple[tuple[bytes, ...], bytes]]:
    """Proof bundles, each with the works (34-byte multihashes) that it answers for."""
    for digest in digests:
        yield (digest,), client.query_bundle(digest, depth=DEPTH)


def read_proof(data: bytes, policy: Policy | None = None) -> dict[bytes, Answer]:
    """Work to verified answer; VerificationError or MalformedError, saying why."""
    verdict = verify_bundle(data, policy=policy)
    for level in verdict.levels:
        if level.status == FAILED:
            raise VerificationError(f"{level.name}: {level.detail}")
    assert verdict.answer is not None
    return {verdict.answer.asked: verdict.answer}
