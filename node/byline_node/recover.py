"""Getting a log back that is behind what it signed, from copies that others kept.

Rule: all copies and the log itself must be of one history before anything is written.
A log is signed on only where somebody answers for its end: its own guard file as it was
before, a mirror that follows it (mirror_word.py), or its operator, who says that
nothing is missing.  Specification: docs/spec/log.md, "Recovery".
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from byline_ledger import codec
from byline_ledger.catch_up import Copy
from byline_ledger.crypto import random_bytes
from byline_ledger.errors import (
    BadSignatureError,
    BylineError,
    CorruptStoreError,
    MalformedError,
    NotFoundError,
    ReadOnlyError,
    UsageError,
)
from byline_ledger.log import Ledger, LogView
from byline_ledger.node_keys import RENEWAL_BYTES, NodeKeys
from byline_ledger.statement import Statement
from byline_ledger.store.node_files import NodeFiles
from byline_ledger.store.restored import read_restored
from byline_ledger.takedown import lost_statements
from byline_ledger.upkeep import Progress
from byline_node.foreign_takedowns import count_foreign, is_wanted, takedowns_of
from byline_node.log_source import FileSource, open_source
from byline_node.mirror_word import URL, End, why_no_word
from byline_node.read_ahead import ReadAhead

RECORD = b"recovery/last"
"""Side record: when, from where and on whose word the log was signed on."""
PORTION = 256
"""Bodies that are put back together."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a copy is, as it was named."""

    name: str
    source: FileSource
    copy: Copy
    is_own: bool
    """Whether the operator says that its takedowns are this log's."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of the log."""

    origin: str
    before: int
    """Entries that were here."""
    size: int
    """Entries that are here now."""
    source: str | None
    """The copy that reaches furthest."""
    put_back: int
    """Bodies that had been lost earlier."""
    lost: int
    """Bodies that are still missing."""
    taken_down: tuple[tuple[str, int], ...]
    """Places that show takedowns which are not this log's, and how many."""
    word: str | None
    """On whose word the log is signed on; None if nobody's was needed or given."""
    refused: tuple[tuple[str, str], ...]
    """Places whose word was needed and not taken, and why."""
    witness: tuple[str, ...]
    """The witness's new verifier keys; empty if it keeps the old ones."""
    read_only: str | None


def recover(
    node: Path,
    names: Sequence[str],
    *,
    own: Sequence[str] = (),
    nothing_lost: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Recovered:
    """Brings the log of the stopped node in the folder up to the copies named.

    `own` are further copies, or some of these, of which the operator says that what
    they show as taken down was taken down from this log.  `nothing_lost`: the operator
    answers for it that nothing newer was signed.

    Raises ContradictionError, with nothing touched, where two histories were signed;
    ReadOnlyError where the guard file proves the operator wrong; what reading the
    copies and `Ledger.open` raise.
    """
    ledger = Ledger.open(node)
    try:
        with open_places(names, ledger.view.vkey, own) as places:
            since = _backed_up(node)
            return _recover(ledger, places, since, nothing_lost, progress)
    finally:
        ledger.close()


@contextmanager
def open_places(
    names: Sequence[str], vkey: str, own: Sequence[str] = ()
) -> Iterator[list[Place]]:
    """The copies of the log `vkey`, the one that reaches furthest first."""
    with ExitStack() as opened:
        places = []
        for name in dict.fromkeys([*names, *own]):
            source = _open(name, vkey)
            ahead = opened.enter_context(ReadAhead(source))
            places.append(Place(name, source, _copy(ahead, vkey), name in own))
        yield sorted(places, key=lambda place: -place.copy.end.size)


def _open(name: str, vkey: str) -> FileSource:
    """The place of this name; of another node's URL, the mirror it keeps of our log."""
    with ExitStack() as closing:
        source = closing.enter_context(open_source(name))
        if not name.startswith(URL) or source.vkey() in (vkey, None):
            closing.pop_all()
            return source
    origin = vkey.partition("+")[0]
    mirror = sha256(origin.encode()).hexdigest()
    return open_source(f"{name.rstrip('/')}/mirror/{mirror}")


def _copy(source: ReadAhead, vkey: str) -> Copy:
    try:
        return Copy.of(source, vkey)
    except (BadSignatureError, NotFoundError) as error:
        raise UsageError(
            f"{source.name} is no copy of this log: {error}",
            hint="name a place where this node's own log was copied or mirrored",
        ) from error


def _backed_up(node: Path) -> int:
    """When the backup was made that the log came out of, in Unix seconds; 0 if it is
    not known to have."""
    with suppress(CorruptStoreError):
        mark = read_restored(NodeFiles(node).restored)
        return mark.time if mark is not None and mark.is_backup else 0
    return 0


def _recover(
    ledger: Ledger,
    places: Sequence[Place],
    since: int,
    nothing_lost: bool,
    progress: Progress,
) -> Recovered:
    before, keys = ledger.view.size, ledger.keys
    takedowns = takedowns_of([place.source for place in places if place.is_own])
    if places:
        furthest, now = places[0].copy, time.time_ns() // 1_000_000
        ledger.heed(furthest.end, now)
        for place in places[1:]:
            end = place.copy.end
            furthest.require_extends(end.size, end.root, place.copy.note)
        others = [place.copy for place in places[1:]]
        renewal = random_bytes(RENEWAL_BYTES)
        ledger.catch_up(
            furthest, now, renewal, progress, others=others, takedowns=takedowns
        )
    for id_, tombstone in takedowns.items():
        if is_wanted(ledger.view, id_):
            ledger.redact(id_, tombstone)
    put_back = sum(_put_back(ledger, place.copy) for place in places)
    refused: dict[str, str] = {}
    if ledger.read_only is not None:
        refused = _refused(ledger, places, since)
    word = _word(ledger, places, refused, nothing_lost)
    if word is not None:
        _vouch(ledger, word, nothing_lost)
    view = ledger.view
    return Recovered(
        origin=view.origin,
        before=before,
        size=view.size,
        source=places[0].name if places else None,
        put_back=put_back,
        lost=sum(1 for _ in lost_statements(view)),
        taken_down=_taken_down(view, places),
        word=word if ledger.read_only is None else None,
        refused=tuple(refused.items()) if ledger.read_only is not None else (),
        witness=_new_keys(keys, ledger.keys),
        read_only=ledger.read_only,
    )


def _new_keys(old: NodeKeys, new: NodeKeys) -> tuple[str, ...]:
    """Verifier keys of the witness, if they were renewed."""
    if old.witness_vkey == new.witness_vkey:
        return ()
    return new.witness_vkey, new.replay_vkey


def _taken_down(view: LogView, places: Sequence[Place]) -> tuple[tuple[str, int], ...]:
    counts = ((one.name, count_foreign(view, one.source)) for one in places)
    return tuple((name, count) for name, count in counts if count)


def _put_back(ledger: Ledger, copy: Copy) -> int:
    """Bodies that were lost, and that this copy has."""
    lost = lost_statements(ledger.view)
    count = 0
    while ids := list(islice(lost, PORTION)):
        count += ledger.put_back(list(_found(copy, ids)))
    return count


def _found(copy: Copy, ids: Sequence[bytes]) -> Iterator[Statement]:
    for id_ in ids:
        try:
            body = copy.source.body(id_)
        except MalformedError:
            continue
        if not isinstance(body, bytes):
            continue
        try:
            statement = Statement.from_envelope(body)
            statement.verify()
        except BylineError:
            continue
        if statement.id == id_:
            yield statement


def _refused(ledger: Ledger, places: Sequence[Place], since: int) -> dict[str, str]:
    """Of all places whose word cannot be taken, why."""
    end = End(ledger.view.origin, ledger.view.size, since)
    reasons = {
        one.name: why_no_word(one.source, one.name, one.copy.end.size, end)
        for one in places
    }
    return {name: why for name, why in reasons.items() if why is not None}


def _word(
    ledger: Ledger,
    places: Sequence[Place],
    refused: Mapping[str, str],
    nothing_lost: bool,
) -> str | None:
    """Who answers for the end of the log, if anybody must and does."""
    if ledger.read_only is None:
        return None
    for place in places:
        if place.name not in refused:
            return place.name
    return "the operator: nothing newer was signed" if nothing_lost else None


def _vouch(ledger: Ledger, word: str, nothing_lost: bool) -> None:
    """Signs on, unless the guard file knows better, and keeps on whose word."""
    try:
        ledger.vouch(random_bytes(RENEWAL_BYTES))
    except ReadOnlyError:
        if nothing_lost:
            raise
        return
    if ledger.read_only is None:
        size, now = ledger.view.size, int(time.time())
        data = codec.pack({"size": size, "time": now, "word": word})
        ledger.put_record(RECORD, data)


def why_stopped(node: Path) -> str | None:
    """Why the log of the stopped node is not signed, None if it is."""
    ledger = Ledger.open(node)
    try:
        return ledger.read_only
    finally:
        ledger.close()
