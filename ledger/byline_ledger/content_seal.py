"""The `seal`: a commitment to a work that is published before the work is shown.

Its `about` is a multihash whose 32 bytes are SHA-256("byline/seal/v1" || 0x00 || nonce
|| multihash of the work || author key).  The later `work` names the seal and its nonce
(docs/spec/statement.md, "seal").
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.digest import digest_bytes, is_multihash
from byline_ledger.errors import UsageError
from byline_ledger.field_maker import Fields, made_of
from byline_ledger.statement import Statement

NONCE_SIZE = 32
_PREFIX = b"byline/seal/v1\x00"


@dataclass(frozen=True, slots=True)
class SealContent:
    """What a `seal` says beyond its commitment: nothing."""

    problems: tuple[str, ...] = ()


def seal_commitment(nonce: bytes, work: bytes, author: bytes) -> bytes:
    """What a seal of the work (multihash) by the author (key, 32 bytes) is about:
    a multihash, 34 bytes.  UsageError for parts of another size."""
    if len(nonce) != NONCE_SIZE or not is_multihash(work) or len(author) != 32:
        raise UsageError("seal: expected a nonce, a work's multihash and a key")
    return digest_bytes(_PREFIX + nonce + work + author)


def seal_fields(
    *, nonce: bytes, work: bytes, author: bytes, time: int, salt: bytes
) -> Fields:
    """The fields of a `seal`; the author's key must be the one that signs."""
    return made_of("seal", seal_commitment(nonce, work, author), time, salt).fields


def read_seal(statement: Statement) -> SealContent:
    """What a `seal` says."""
    del statement
    return SealContent()
