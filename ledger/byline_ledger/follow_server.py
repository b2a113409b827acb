"""The answering side of follow: one request, one view of the log, one answer.

Rule: bounded, and nothing is kept for a peer.  Whatever is asked, an answer reads at
most about a megabyte and a few proofs.  Leaves are immutable, so any view can answer
about every tree up to its own size; a lookup set is not, so the views of trees that
were shown to somebody are kept for a minute, to answer about those very sets.
Specification: docs/spec/network.md, "Follow".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from byline_ledger.entry import COMMITMENT_ENTRY
from byline_ledger.errors import RedactedError
from byline_ledger.follow_messages import (
    MAX_ENTRIES,
    NEXT_BYTES,
    NEXT_ENTRIES,
    PAGE_BYTES,
    AskCommitment,
    AskEntries,
    AskHead,
    AskMeet,
    AskNext,
    AskStatements,
    Commitment,
    Entries,
    Envelopes,
    Equal,
    Head,
    Met,
    News,
    Refusal,
    Response,
    Same,
    parse_request,
)
from byline_ledger.lookup_set import LEAF_MAX, Inner
from byline_ledger.merkle import Frontier, consistency_proof
from byline_ledger.set_messages import (
    AskLeaves,
    AskNodes,
    SetLeaves,
    SetNodes,
    bitmap,
    digest_of,
)
from byline_ledger.set_nodes import open_node
from byline_ledger.set_places import SetReader, strings_at, subtree

KEEP_SECONDS = 60.0
"""How long a view is kept after it was last asked about."""
MAX_KEPT = 4
KEEP_AT_MOST = 600.0
"""What is taken down leaves the disk only when no view from before is kept."""


class ServedLog(SetReader, Protocol):
    """What answering needs of a log's view (`log.LogView`)."""

    @property
    def vkey(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def set_root(self) -> bytes: ...
    @property
    def checkpoint(self) -> bytes: ...
    def entry(self, index: int, /) -> bytes: ...
    def entries(self, start: int, end: int, max_bytes: int, /) -> Sequence[bytes]: ...
    def envelope(self, statement_id: bytes, /) -> bytes | None: ...
    def node(self, level: int, index: int, /) -> bytes: ...


@dataclass(slots=True)
class _Kept:
    """A view that somebody may ask about."""

    view: ServedLog
    since: float
    used: float
    asked: bool = False
    """Somebody did ask about it, and may go on to."""


class FollowServer:
    """Answers, in any thread, from the newest view; remembers a few older ones."""

    def __init__(self, view: Callable[[], ServedLog]) -> None:
        """`view` gives the present view of the log, whenever it is called."""
        self._view = view
        self._kept: dict[int, _Kept] = {}

    def serve(self, request: bytes, now: float, most: int | None = None) -> bytes:
        """The answer to one request at `now` (seconds, never going back);
        MalformedError for bytes that are none.

        Of views that nobody asks about so many are kept at `most`, usually MAX_KEPT.
        """
        return self.answer(request, now, most).to_bytes()

    def answer(self, request: bytes, now: float, most: int | None = None) -> Response:
        """The same before encoding."""
        log, asked = self._view(), parse_request(request)
        if isinstance(asked, AskNodes | AskLeaves):
            shown = self._shown(asked.size, now)
            if shown is None:
                return Refusal(
                    f"the set of {asked.size} leaves is not at hand any more"
                )
            return _answer_set(shown, asked)
        if isinstance(asked, AskMeet | AskCommitment):
            self._keep(log, now, most or MAX_KEPT)
        return _answer(log, asked)

    def forget(self, now: float) -> None:
        """Lets go of views that nobody has asked about lately."""
        for size, kept in list(self._kept.items()):
            if now - kept.used > KEEP_SECONDS or now - kept.since > KEEP_AT_MOST:
                self._kept.pop(size, None)

    def _shown(self, size: int, now: float) -> ServedLog | None:
        kept = self._kept.get(size)
        if kept is None:
            return None
        kept.used, kept.asked = now, True
        return kept.view

    def _keep(self, log: ServedLog, now: float, most: int) -> None:
        kept = self._kept.get(log.size)
        if kept is not None:
            kept.used = now
            return
        idle = [pair for pair in self._kept.items() if not pair[1].asked]
        self._let_go(idle, len(idle) - most + 1)
        self._let_go(list(self._kept.items()), len(self._kept) - MAX_KEPT + 1)
        self._kept[log.size] = _Kept(log, now, now)

    def _let_go(self, some: Sequence[tuple[int, _Kept]], count: int) -> None:
        """So many of them, those first that were used longest ago."""
        for size, _kept in sorted(some, key=lambda pair: pair[1].used)[: max(0, count)]:
            self._kept.pop(size, None)


def answer(log: ServedLog, request: bytes) -> Response:
    """The answer of a log that does not change meanwhile."""
    asked = parse_request(request)
    if isinstance(asked, AskNodes | AskLeaves):
        if asked.size != log.size:
            return Refusal(f"the set of {asked.size} leaves is not at hand")
        return _answer_set(log, asked)
    return _answer(log, asked)


def serve(log: ServedLog, request: bytes) -> bytes:
    """The same as bytes."""
    return answer(log, request).to_bytes()


def _answer(
    log: ServedLog,
    asked: AskMeet | AskNext | AskHead | AskCommitment | AskEntries | AskStatements,
) -> Response:
    match asked:
        case AskMeet(root):
            return _meet(log, root)
        case AskNext(start):
            return _next(log, start)
        case AskHead(seen):
            return _head(log, seen)
        case AskCommitment(size):
            return _commitment(log, size)
        case AskEntries(start, size):
            return _entries(log, start, size)
    return _statements(log, asked.ids)


def _meet(log: ServedLog, root: bytes) -> Response:
    if root == log.set_root:
        return Equal()
    entry, before = log.entry(log.size - 1), Frontier.of(log.size - 1, log.node)
    return Met(log.checkpoint, log.vkey, entry, before.hashes)


def _next(log: ServedLog, start: int) -> Response:
    if start == log.size:
        return Same()
    if start > log.size:
        return News(log.checkpoint, (), ())  # the follower can tell that it went back
    end = min(log.size, start + NEXT_ENTRIES)
    entries = tuple(log.entries(start, end, NEXT_BYTES))
    proof = consistency_proof(start + len(entries), log.size, log.node)
    return News(log.checkpoint, entries, tuple(proof))


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


# The lookup set


def _answer_set(log: ServedLog, asked: AskNodes | AskLeaves) -> Response:
    if isinstance(asked, AskNodes):
        return _nodes(log, asked)
    return _leaves(log, asked)


def _nodes(log: ServedLog, asked: AskNodes) -> Response:
    openings: list[bytes] = []
    room = PAGE_BYTES
    for place in asked.places:
        node = subtree(log.lookup_set.top, place)
        if not isinstance(node, Inner):
            return Refusal(f"no {LEAF_MAX + 1} strings begin with {place.prefix.hex()}")
        opening = open_node(node, place, asked.levels)
        room -= len(opening)
        if openings and room < 0:
            break
        openings.append(opening)
    return SetNodes(tuple(openings))


def _leaves(log: ServedLog, asked: AskLeaves) -> Response:
    absent: list[bytes] = []
    fresh: list[bytes] = []
    room = PAGE_BYTES
    for place, digests in zip(asked.places, asked.digests, strict=True):
        node = subtree(log.lookup_set.top, place)
        if isinstance(node, Inner):
            return Refusal(f"{node.count} strings begin with {place.prefix.hex()}")
        pairs = [(digest_of(one), one) for one in strings_at(log, place)]
        known, there = set(digests), {key for key, _ in pairs}
        new = b"".join(one for key, one in pairs if key not in known)
        room -= len(new) + 8
        if absent and room < 0:
            break
        absent.append(bitmap([one not in there for one in digests]))
        fresh.append(new)
    return SetLeaves(tuple(absent), tuple(fresh))
