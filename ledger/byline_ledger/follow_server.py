"""The answering side of follow: one request, one view of the log, one answer.

Rule: stateless and bounded.  Whatever is asked, an answer reads at most about a
megabyte and a few proofs, and what is written meanwhile changes nothing: leaves are
immutable, so any view can answer about every tree up to its own size.  Specification:
docs/spec/network.md, "Follow".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from byline_ledger.entry import COMMITMENT_ENTRY
from byline_ledger.errors import RedactedError
from byline_ledger.follow_messages import (
    MAX_ENTRIES,
    PAGE_BYTES,
    AskCommitment,
    AskEntries,
    AskHead,
    Commitment,
    Entries,
    Envelopes,
    Head,
    Refusal,
    Response,
    Same,
    parse_request,
)
from byline_ledger.merkle import Frontier, consistency_proof


class ServedLog(Protocol):
    """What answering needs of a log's view (`log.LogView`)."""

    @property
    def vkey(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def checkpoint(self) -> bytes: ...
    def entry(self, index: int, /) -> bytes: ...
    def entries(self, start: int, end: int, max_bytes: int, /) -> Sequence[bytes]: ...
    def envelope(self, statement_id: bytes, /) -> bytes | None: ...
    def node(self, level: int, index: int, /) -> bytes: ...


def serve(log: ServedLog, request: bytes) -> bytes:
    """The answer to one request; MalformedError for bytes that are none."""
    return answer(log, request).to_bytes()


def answer(log: ServedLog, request: bytes) -> Response:
    """The same before encoding."""
    asked = parse_request(request)
    match asked:
        case AskHead(seen):
            return _head(log, seen)
        case AskCommitment(size):
            return _commitment(log, size)
        case AskEntries(start, size):
            return _entries(log, start, size)
    return _statements(log, asked.ids)


def _head(log: ServedLog, seen: int) -> Response:
    if seen == log.size:
        return Same()
    # A follower that has seen more than there is gets what there is, and can tell.
    proof = consistency_proof(seen, log.size, log.node) if seen < log.size else ()
    return Head(log.checkpoint, log.vkey, tuple(proof))


def _commitment(log: ServedLog, size: int) -> Response:
    if not 1 <= size <= log.size:
        return Refusal(f"no tree of {size} leaves: the log has {log.size}")
    entry = log.entry(size - 1)
    if entry[0] != COMMITMENT_ENTRY:
        return Refusal(f"no tree of {size} leaves was published")
    return Commitment(entry, Frontier.of(size - 1, log.node).hashes)


def _entries(log: ServedLog, start: int, size: int) -> Response:
    if not start < size <= log.size:
        return Refusal(f"no leaves {start} to {size}: the log has {log.size}")
    end = min(size, start + MAX_ENTRIES)
    entries = tuple(log.entries(start, end, PAGE_BYTES))
    proof = consistency_proof(start + len(entries), size, log.node)
    return Entries(entries, tuple(proof))


def _statements(log: ServedLog, ids: Sequence[bytes]) -> Response:
    envelopes: list[bytes] = []
    room = PAGE_BYTES
    for statement_id in ids:
        envelope = _envelope(log, statement_id)
        room -= len(envelope)
        if envelopes and room < 0:
            break
        envelopes.append(envelope)
    return Envelopes(tuple(envelopes))


def _envelope(log: ServedLog, statement_id: bytes) -> bytes:
    """Empty where there is none to be had."""
    try:
        return log.envelope(statement_id) or b""
    except RedactedError:
        return b""
