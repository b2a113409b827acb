"""Copies a log's files from one place to another, each time only what came since.

Rule: the checkpoint is written last, so whatever a copy's checkpoint names is there,
and an earlier copy stays whole however the copying ends.  What was copied before an
interruption is named by the file `.copied`, a checkpoint without signatures.  A copy is
never continued with another log, or with a tree that contradicts it.
Specification: docs/spec/log.md, "As files".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol, TypeAlias

from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.entry import StatementEntry, parse_entry
from byline_ledger.errors import (
    ContradictionError,
    MalformedError,
    NotFoundError,
    UsageError,
    VerificationError,
)
from byline_ledger.log_files import (
    CHECKPOINT,
    GONE,
    VKEY,
    StatementName,
    format_ids,
    new_bundles,
)
from byline_ledger.log_source import tree_nodes
from byline_ledger.merkle import root_from
from byline_ledger.statement import Statement
from byline_ledger.tiles import (
    TILE_WIDTH,
    Tile,
    new_tiles,
    parse_entry_bundle,
)
from byline_ledger.tombstone import Tombstone
from byline_node.log_source import Files, FileSource

PROGRESS = ".copied"
MAX_PROGRESS = 1_024
WORKERS = 8
"""Files on their way at once: most of the time goes into waiting for each."""
WINDOW = 64
"""Files whose copying was begun before the first of them is done."""
PORTION = 16
"""Bundles of entries between two records of how far the copying came."""

Job: TypeAlias = Callable[[], int]
"""Copies a file; returns the number of log entries that are done with it."""
Advance: TypeAlias = Callable[[int], None]


class Target(Files, Protocol):
    """Files that can be written; each `put` is whole or not there at all."""

    def put(self, path: str, data: bytes) -> None: ...
    def delete(self, path: str) -> None: ...
    def settle(self) -> None:
        """Returns once everything before is certain to stay."""
        ...


@dataclass(frozen=True, slots=True)
class Copied:
    """What the copy holds now: the log's tree, of which `old_size` entries were there
    before, and how many bodies were taken down in it this time."""

    checkpoint: Checkpoint
    old_size: int
    taken_down: int


class LogCopy:
    """One run of copying `source` to `target`."""

    def __init__(self, source: FileSource, target: Target) -> None:
        """Reads what both have; writes nothing.

        Raises UsageError for a target that holds another log or a newer tree,
        ContradictionError where the two trees cannot both be true.
        """
        self._source = source
        self._target = target
        self._copy = FileSource(target)
        self._in_bundles = True
        self._vkey = required_key(source)
        self._note = source.checkpoint()
        self.new = open_checkpoint(self._note, self._vkey)
        """The tree to be copied."""
        self._nodes = tree_nodes(source, self.new.size)
        if root_from(self.new.size, self._nodes) != self.new.root:
            raise VerificationError(
                f"{source.name}: the tiles do not lead to the root of the checkpoint"
            )
        self.old_size = self._checked_old()
        """Entries that the copy holds under its checkpoint."""
        self.start = max(self.old_size, self._checked_progress())
        """Entries that need not be copied."""

    def run(self, advance: Advance = lambda count: None) -> Copied:
        """Copies; `advance` is told the number of entries each time some are done."""
        if not self.old_size:
            self._target.put(VKEY, self._vkey.encode() + b"\n")
        self._copy_entries(advance)
        tiles = new_tiles(self.old_size, self.new.size)
        self._run(map(self._tile_job, tiles), advance)
        taken_down = self._take_down()
        # Whoever finds the new checkpoint must find all that it names.
        self._target.settle()
        self._target.put(CHECKPOINT, self._note)
        self._target.delete(PROGRESS)
        self._target.settle()
        return Copied(self.new, self.old_size, taken_down)

    # What there is already

    def _checked_old(self) -> int:
        vkey = self._copy.vkey()
        if vkey not in (None, self._vkey):
            raise UsageError(
                f"{self._target.name} is a copy of another log",
                hint="name a place of its own for each log",
            )
        try:
            note = self._copy.checkpoint()
        except NotFoundError:
            return 0
        old = open_checkpoint(note, self._vkey)
        self._require_one_history(old, note)
        if old.size > self.new.size:
            raise UsageError(
                f"{self._target.name} holds a newer tree, of {old.size} entries;"
                f" {self._source.name} has {self.new.size}"
            )
        return old.size

    def _require_one_history(self, old: Checkpoint, note: bytes) -> None:
        """The smaller of the two trees is a prefix of the larger."""
        if old.size <= self.new.size:
            agree = self._root_at(old.size) == old.root
        else:
            nodes = tree_nodes(self._copy, old.size)
            agree = root_from(self.new.size, nodes) == self.new.root
        if not agree:
            raise ContradictionError(
                f"{self._target.name} and {self._source.name} hold trees of"
                f" {self.new.origin} that contradict each other:"
                f" {old.size} and {self.new.size} entries",
                hint="keep both: their checkpoints are the proof",
                vkey=self._vkey,
                notes=(note, self._note),
            )

    def _checked_progress(self) -> int:
        """How far an interrupted run came with this very tree; 0 if none did."""
        try:
            done = Checkpoint.from_text(self._target.get(PROGRESS, MAX_PROGRESS))
        except (NotFoundError, MalformedError):
            return 0
        if done.size > self.new.size or self._root_at(done.size) != done.root:
            return 0
        return done.size

    def _root_at(self, size: int) -> bytes:
        return root_from(size, self._nodes)

    # Copying

    def _copy_entries(self, advance: Advance) -> None:
        """Bundles, each with the bodies of its new statements, in portions."""
        tiles = new_bundles(self.start, self.new.size)
        while portion := list(islice(tiles, PORTION)):
            self._run(self._entry_jobs(portion), advance)
            if portion[-1].width == TILE_WIDTH:
                self._note_progress((portion[-1].index + 1) * TILE_WIDTH)

    def _note_progress(self, size: int) -> None:
        self._target.settle()
        done = Checkpoint(self.new.origin, size, self._root_at(size))
        self._target.put(PROGRESS, done.to_text())

    def _entry_jobs(self, tiles: list[Tile]) -> Iterator[Job]:
        for tile in tiles:
            data = self._source.tile(tile)
            entries = map(parse_entry, parse_entry_bundle(data, tile.width))
            known = max(self.start - tile.index * TILE_WIDTH, 0)
            fresh = list(zip(entries, self._bodies(tile), strict=True))[known:]
            named = [
                (entry.id, body)
                for entry, body in fresh
                if isinstance(entry, StatementEntry)
            ]
            yield partial(self._put, tile.to_path(), data, len(fresh) - len(named))
            yield from (partial(self._copy_statement, *one) for one in named)

    def _bodies(self, bundle: Tile) -> list[bytes]:
        """What the source has of a bundle's bodies in one piece; maybe nothing."""
        if self._in_bundles:
            try:
                return self._source.bodies(bundle)
            except (NotFoundError, MalformedError):
                self._in_bundles = False
        return [b""] * bundle.width

    def _tile_job(self, tile: Tile) -> Job:
        return lambda: self._put(tile.to_path(), self._source.tile(tile), 0)

    def _put(self, path: str, data: bytes, entries: int) -> int:
        self._target.put(path, data)
        return entries

    def _copy_statement(self, id_: bytes, known: bytes) -> int:
        body = known or self._source.body(id_)
        if body is None:
            raise NotFoundError(
                f"{self._source.name} has neither body nor tombstone of the statement"
                f" {id_.hex()}"
            )
        if isinstance(body, Tombstone):
            return self._put_tombstone(id_, body)
        if Statement.from_envelope(body).id != id_:
            raise MalformedError(
                f"{self._source.name} has something else under the id {id_.hex()}"
            )
        return self._put(StatementName(id_).to_path(), body, 1)

    def _put_tombstone(self, id_: bytes, tombstone: Tombstone) -> int:
        """First what says why, then the body is gone: a reader finds one or both."""
        self._put(StatementName(id_, gone=True).to_path(), tombstone.to_bytes(), 1)
        self._target.delete(StatementName(id_).to_path())
        return 1

    def _take_down(self) -> int:
        """Bodies that the source took down since go from the copy, too."""
        done, listed = set(self._copy.taken_down()), self._source.taken_down()
        fresh = [id_ for id_ in listed if id_ not in done]
        for id_ in fresh:
            tombstone = self._source.tombstone(id_)
            if tombstone is None:
                raise NotFoundError(f"{self._source.name} has no tombstone {id_.hex()}")
            self._put_tombstone(id_, tombstone)
        self._put(GONE, format_ids([*done.difference(listed), *listed]), 0)
        return len(fresh)

    def _run(self, jobs: Iterator[Job], advance: Advance) -> None:
        for entries in run_jobs(jobs):
            advance(entries)


def run_jobs(jobs: Iterator[Job]) -> Iterator[int]:
    """Runs the jobs in a few threads; their results in order, or the first error."""
    waiting: deque[Future[int]] = deque()
    pool = ThreadPoolExecutor(WORKERS)
    try:
        for job in jobs:
            waiting.append(pool.submit(job))
            if len(waiting) >= WINDOW:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def required_key(source: FileSource) -> str:
    """The log's verifier key, without which nothing of it can be checked."""
    vkey = source.vkey()
    if vkey is None:
        raise NotFoundError(f"{source.name} does not say the log's key (file `vkey`)")
    return vkey
