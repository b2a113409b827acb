"""Auditing somebody's log: read all of it, compute all of it anew, name what is wrong.

Rule: from the top down, so that what is wrong has a place.  The checkpoint must be
signed; the tiles must lead to its root; the entries must have the hashes of the tiles;
the commitments must follow from the entries; the bodies must be what the entries say.
What the log signed and is false ends in an alarm (alarm.py); what is merely damaged,
by whoever stores or carries it, is named and proves nothing against the log.
Specification: docs/spec/log.md, "Audit".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from byline_ledger.alarm import Alarm
from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.entry import StatementEntry, parse_entry, statement_entry
from byline_ledger.errors import (
    BylineError,
    MalformedError,
    NotFoundError,
    VerificationError,
)
from byline_ledger.evidence import Equivocation, Evidence, Fork
from byline_ledger.log_fault import LogFaultError
from byline_ledger.log_source import LogSource
from byline_ledger.merkle import HASH_BYTES, consistency_proof, leaf_hash, root_from
from byline_ledger.mirror import Mirror
from byline_ledger.statement import Statement
from byline_ledger.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    parse_entry_bundle,
    tile_widths,
)
from byline_ledger.tombstone import Tombstone
from byline_ledger.tree import TreeNodes, cached_rows

MAX_PROBLEMS = 20
"""Damaged bodies that are named one by one."""

Progress = Callable[[int, int], None]
"""`progress(done, total)` in entries."""


@dataclass(slots=True)
class AuditReport:
    """What was checked, and what was found wrong, each in one line with its place."""

    origin: str
    vkey: str
    size: int
    """Entries of the log, by its checkpoint."""
    root: bytes
    read_before: int = 0
    """Of those, entries that an earlier audit had copied and checked."""
    checked: int = 0
    """Entries found sound."""
    statements: int = 0
    strings: int = 0
    set_root: bytes = b""
    tiles: int = 0
    bodies: int = 0
    redacted: int = 0
    problems: list[str] = field(default_factory=list)
    more_problems: int = 0
    alarm: Alarm | None = None

    @property
    def ok(self) -> bool:
        """Whether everything is as it should be."""
        return not self.problems

    def add(self, problem: str) -> None:
        """One more, named or only counted."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more_problems += 1


class _DamageError(VerificationError):
    """Files that do not fit what the log signed."""


def audit(
    source: LogSource,
    mirror: Mirror,
    *,
    bodies: bool = True,
    progress: Progress = lambda _done, _total: None,
) -> AuditReport:
    """Reads the log `mirror.vkey` from `source`, from where the copy ends.

    The copy is sealed with the checkpoint if all is well.  Raises StoreError for our
    own disk, and what the source raises where it cannot be read at all; what is wrong
    with the log is in the report.
    """
    note = source.checkpoint()
    try:
        checkpoint = open_checkpoint(note, mirror.vkey)
    except (MalformedError, VerificationError) as error:
        report = AuditReport("", mirror.vkey, 0, b"")
        report.add(f"checkpoint: {error}")
        return report
    report = AuditReport(
        checkpoint.origin, mirror.vkey, checkpoint.size, checkpoint.root, mirror.size
    )
    _Audit(source, mirror, note, checkpoint, report, bodies, progress).run()
    report.checked = mirror.size
    return report


class _Audit:
    def __init__(
        self,
        source: LogSource,
        mirror: Mirror,
        note: bytes,
        checkpoint: Checkpoint,
        report: AuditReport,
        bodies: bool,
        progress: Progress,
    ) -> None:
        self._source = source
        self._mirror = mirror
        self._note = note
        self._checkpoint = checkpoint
        self._report = report
        self._bodies = bodies
        self._progress = progress
        self._rows = cached_rows(self._read_full)
        self._nodes = TreeNodes(0, (), self._rows)

    def run(self) -> None:
        try:
            self._nodes = self._check_tiles()
            self._compare_with_earlier()
            self._copy()
            self._mirror.seal(self._note)
        except LogFaultError as fault:
            self._report.add(str(fault))
            evidence = fault.evidence(self._checkpoint.size, self._nodes)
            if evidence is not None:
                self._accuse(evidence)
        except (_DamageError, MalformedError, NotFoundError) as error:
            self._report.add(str(error))
        else:
            view = self._mirror.view()
            self._report.statements = view.statement_count
            self._report.strings = view.set_count
            self._report.set_root = view.set_root

    def _accuse(self, evidence: Evidence, note: bytes | None = None) -> None:
        """Makes the alarm, if it holds."""
        alarm = Alarm(self._mirror.vkey, note or self._note, evidence)
        try:
            alarm.verify()
        except VerificationError as error:
            self._report.add(f"no alarm can be made of it: {error}")
        else:
            self._report.alarm = alarm

    # Tiles

    def _read_full(self, level: int, index: int) -> bytes:
        return self._read(Tile(level, index))

    def _read(self, tile: Tile) -> bytes:
        """A tile's bytes; the error names its path."""
        try:
            data = self._source.tile(tile)
        except (MalformedError, NotFoundError) as error:
            raise _DamageError(f"{tile.to_path()}: {error}") from error
        self._report.tiles += 1
        return data

    def _check_tiles(self) -> TreeNodes:
        """The tree's hashes, all of them led to the signed root."""
        size = self._checkpoint.size
        widths = tile_widths(size)
        edge = tuple(
            self._read(Tile(level, full, width)) if width else b""
            for level, (full, width) in enumerate(widths)
        )
        nodes = TreeNodes(size, edge, self._rows)
        if root_from(size, nodes) != self._checkpoint.root:
            raise _DamageError(self._where_the_edge_breaks(edge))
        for level in range(len(widths) - 1, 0, -1):
            self._check_below(level, widths[level], edge[level])
        return nodes

    def _check_below(self, level: int, count: tuple[int, int], edge: bytes) -> None:
        """Each hash of this level is the root of the full tile below it."""
        full, width = count
        for index in range(full * TILE_WIDTH + width):
            tile, at = divmod(index, TILE_WIDTH)
            hashes = self._rows(level, tile)[0] if tile < full else edge
            expected = hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES]
            if self._rows(level - 1, index)[TILE_HEIGHT] != expected:
                path = Tile(level - 1, index).to_path()
                raise _DamageError(f"{path}: its hashes do not lead to the signed root")

    def _where_the_edge_breaks(self, edge: tuple[bytes, ...]) -> str:
        """The first partial tile that does not fit what is below it."""
        size = self._checkpoint.size
        for level, (full, width) in enumerate(tile_widths(size)):
            path = Tile(level, full, width).to_path() if width else ""
            for at in range(width):
                said = edge[level][at * HASH_BYTES : (at + 1) * HASH_BYTES]
                index = full * TILE_WIDTH + at
                if level:
                    found = self._rows(level - 1, index)[TILE_HEIGHT]
                else:
                    found = leaf_hash(self._bundle(full, width)[at])
                if said != found:
                    return f"{path}: hash {at} is not that of what is below it"
        return f"checkpoint: it signs another root of {size} entries than theirs"

    # What was seen before

    def _compare_with_earlier(self) -> None:
        """The log extends the checkpoint that an earlier audit ended with."""
        seen, new, note = self._mirror.sealed, self._checkpoint, self._mirror.note
        if seen is None or note is None:
            self._require_prefix(min(self._mirror.size, new.size))
            return
        if new.size < seen.size:
            if self._mirror.root_at(new.size) == new.root:
                raise _DamageError(
                    f"checkpoint: of {new.size} entries, but an earlier audit read"
                    f" {seen.size}: an old copy?"
                )
            nodes = self._mirror.nodes()
            root = self._mirror.root_at(new.size)
            proof = tuple(consistency_proof(new.size, seen.size, nodes))
            self._accuse(Fork(self._note, root, proof), note)
            raise _DamageError("checkpoint: it contradicts one that was seen earlier")
        if root_from(seen.size, self._nodes) == seen.root:
            self._require_prefix(min(self._mirror.size, new.size))
            return
        if seen.size == new.size:
            self._accuse(Equivocation(note))
        else:
            root = root_from(seen.size, self._nodes)
            proof = tuple(consistency_proof(seen.size, new.size, self._nodes))
            self._accuse(Fork(note, root, proof))
        raise _DamageError("checkpoint: it contradicts one that was seen earlier")

    def _require_prefix(self, size: int) -> None:
        """What an audit that broke off had copied is the beginning of this log."""
        if size and root_from(size, self._nodes) != self._mirror.root_at(size):
            raise _DamageError(
                "checkpoint: the log has changed since an audit of it that broke off;"
                " remove what that one kept, and begin again"
            )

    # Entries and bodies

    def _copy(self) -> None:
        size = self._checkpoint.size
        for index, entries in self._bundles(self._mirror.size):
            self._mirror.feed(entries)
            if self._bodies:
                for place, data in enumerate(entries, index):
                    self._check_body(place, data)
            self._progress(index + len(entries), size)

    def _bundles(self, start: int) -> Iterator[tuple[int, list[bytes]]]:
        """Entries from `start` on, each checked against the hash tiles."""
        size = self._checkpoint.size
        for number in range(start // TILE_WIDTH, -(-size // TILE_WIDTH)):
            first = number * TILE_WIDTH
            width = min(TILE_WIDTH, size - first)
            entries = self._bundle(number, width)
            for index, entry in enumerate(entries, first):
                if leaf_hash(entry) != self._nodes(0, index):
                    path = Tile(None, number, width).to_path()
                    raise _DamageError(f"{path}: entry {index} is not the one logged")
            skip = max(0, start - first)
            yield first + skip, entries[skip:]

    def _bundle(self, number: int, width: int) -> list[bytes]:
        tile = Tile(None, number, width)
        try:
            return parse_entry_bundle(self._read(tile), width)
        except MalformedError as error:
            raise _DamageError(f"{tile.to_path()}: {error}") from error

    def _check_body(self, index: int, data: bytes) -> None:
        entry = parse_entry(data)
        if not isinstance(entry, StatementEntry):
            return
        try:
            body = self._source.body(entry.id)
            if isinstance(body, Tombstone):
                self._report.redacted += 1
                return
            _require_body(entry, data, body)
        except (MalformedError, VerificationError, NotFoundError) as error:
            self._report.add(f"statement {entry.id.hex()} (entry {index}): {error}")
        except BylineError as error:
            if error.kind == "unsupported":
                self._report.add(f"statement {entry.id.hex()} (entry {index}): {error}")
                return
            raise
        else:
            self._report.bodies += 1


def _require_body(entry: StatementEntry, data: bytes, body: bytes | None) -> None:
    """The body is the statement that was logged."""
    if body is None:
        raise NotFoundError("its body is missing")
    statement = Statement.from_envelope(body)
    if statement.id != entry.id:
        raise VerificationError("its body is not the one that was logged")
    if statement_entry(statement) != data:
        raise VerificationError("its log entry says something else")
    statement.verify()
