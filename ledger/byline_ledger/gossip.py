"""Batches of statements as they travel through the gossip mesh.

Rule: a batch is one MessagePack array of envelopes of at most 60,000 bytes: messages
cost by number, not by size.  A statement counts as seen only after its signature was
verified, so garbage under a good statement's id never keeps that statement out.
Specification: docs/spec/network.md, "Gossip".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from byline_ledger.codec import join_array, split_array
from byline_ledger.errors import (
    MalformedError,
    UnsupportedError,
    VerificationError,
)
from byline_ledger.statement import Statement

TOPIC = "byline/statements/1"
MAX_BATCH = 60_000
MAX_STATEMENTS = 1_024
"""In one batch; the smallest statement is some 200 bytes."""

_HEADER = 3
_AFTER_BODY = 66
"""Header and bytes of the signature that end an envelope."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """What a batch had to say."""

    fresh: tuple[Statement, ...]
    """Verified, and not known."""
    known: int
    unsupported: int
    """Statements of a version this program does not read."""
    bad: int
    """Malformed, or with a signature that does not hold: charged to the sender."""


def make_batches(envelopes: Iterable[bytes]) -> Iterator[bytes]:
    """The envelopes in order, in as few batches as the limits allow."""
    waiting: list[bytes] = []
    size = _HEADER
    for envelope in envelopes:
        full = size + len(envelope) > MAX_BATCH or len(waiting) == MAX_STATEMENTS
        if waiting and full:
            yield join_array(waiting)
            waiting, size = [], _HEADER
        waiting.append(envelope)
        size += len(envelope)
    if waiting:
        yield join_array(waiting)


def sift_batch(batch: bytes, is_known: Callable[[bytes], bool]) -> Sifted:
    """Sorts the statements of a batch; MalformedError if it is none.

    `is_known(id)` tells the ids of statements whose signatures were verified before:
    they cost one hash each.
    """
    items = split_array(
        batch, max_size=MAX_BATCH, max_items=MAX_STATEMENTS, what="gossip batch"
    )
    fresh: dict[bytes, Statement] = {}
    known = unsupported = bad = 0
    for item in items:
        id_ = _id_in(item)
        if id_ in fresh or is_known(id_):
            known += 1
            continue
        try:
            statement = Statement.from_envelope(item)
            statement.verify()
        except UnsupportedError:
            unsupported += 1
        except (MalformedError, VerificationError):
            bad += 1
        else:
            fresh[statement.id] = statement
    return Sifted(tuple(fresh.values()), known, unsupported, bad)


def _id_in(envelope: bytes) -> bytes:
    """The id, if this is an envelope; else the hash of some bytes, which is no id."""
    start = 4 if envelope[2:3] == b"\xc4" else 5
    return hashlib.sha256(envelope[start:-_AFTER_BODY]).digest()
