"""Auditing somebody's log: read all of it, compute all of it anew, name what is wrong.

Rule: from the top down, so that what is wrong has a place.  The checkpoint must be
signed; the tiles must lead to its root; the entries must have the hashes of the tiles;
the commitments must follow from the entries; the bodies must be what the entries say.
What the log signed and is false ends in an alarm (alarm.py); what is merely damaged,
by whoever stores or carries it, is named and proves nothing against the log.

An audit says of a place only what it read there: all of it, in this run or before this
run was interrupted (audit_progress.py).  Of earlier audits, of this place or others, it
takes one thing: the checkpoint that they were shown, which must be of the same tree.  A
copy may be behind one that was seen elsewhere; a place must not be behind itself.
Specification: docs/spec/log.md, "Audit".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from byline_ledger.alarm import Alarm
from byline_ledger.audit_progress import AuditProgress
from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.entry import StatementEntry, parse_entry, statement_entry
from byline_ledger.errors import (
    MalformedError,
    NotFoundError,
    UnsupportedError,
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
PROGRESS = b"audit"
"""Record of the copy: how far this audit has read."""
KEEP_EVERY = 8_192
"""Entries after which it is written: what a crash may cost."""

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
    note: bytes = b""
    """The checkpoint as it was signed; empty if it was not."""
    read_before: int = 0
    """Of those, entries that this audit had read before it was interrupted."""
    checked: int = 0
    """Entries found sound."""
    statements: int = 0
    strings: int = 0
    set_root: bytes = b""
    tiles: int = 0
    bodies: int = 0
    redacted: int = 0
    notes: list[str] = field(default_factory=list)
    """What is worth saying and not wrong."""
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


_CONTRADICTS = "checkpoint: it contradicts one that was seen earlier"
_CHANGED = "checkpoint: the log has changed since this audit of it was interrupted"


class _DamageError(VerificationError):
    """Files that do not fit what the log signed."""


def audit(
    source: LogSource,
    mirror: Mirror,
    *,
    earlier: Mirror | None = None,
    shown: bytes | None = None,
    place: str = "",
    bodies: bool = True,
    progress: Progress = lambda _done, _total: None,
) -> AuditReport:
    """Reads all of the log `mirror.vkey` from `source`, and computes it anew.

    `mirror` is the copy that this audit makes: an empty one, or that of an audit of the
    same `place` that was interrupted and goes on.  It is sealed with the checkpoint if
    the log is sound, and of no more use if it is not.  `earlier` is the copy of the log
    that earlier audits ended with, wherever they read it, and `shown` the checkpoint
    that one of this place did.  Raises StoreError for our own disk, and what the source
    raises where it cannot be read at all, which interrupts the audit; what is wrong
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
        checkpoint.origin, mirror.vkey, checkpoint.size, checkpoint.root, note
    )
    state = AuditProgress(place, bodies, note)
    seen = _Seen(earlier, shown)
    _Audit(source, mirror, seen, checkpoint, report, state, progress).run()
    return report


@dataclass(frozen=True, slots=True)
class _Seen:
    """Of earlier audits: the longest copy, and what this place showed."""

    copy: Mirror | None
    here: bytes | None


class _Audit:
    def __init__(
        self,
        source: LogSource,
        mirror: Mirror,
        seen: _Seen,
        checkpoint: Checkpoint,
        report: AuditReport,
        state: AuditProgress,
        progress: Progress,
    ) -> None:
        self._source = source
        self._mirror = mirror
        self._seen = seen
        self._note = state.note
        self._checkpoint = checkpoint
        self._report = report
        self._state = state
        self._progress = progress
        self._rows = cached_rows(self._read_full)
        self._nodes = TreeNodes(0, (), self._rows)
        self._read_to = 0
        self._old = ""

    def run(self) -> None:
        try:
            self._nodes = self._check_tiles()
            self._compare_with_earlier()
            self._go_on()
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
            if self._old:
                self._report.add(self._old)
        self._report.checked = min(self._read_to, self._mirror.size)
        self._mirror.put_record(PROGRESS, b"")

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
        """The log extends each checkpoint that an earlier audit ended with, or is an
        older copy of one that was seen elsewhere."""
        longest = self._seen.copy
        note = None if longest is None else longest.note
        if longest and note and not self._compare(note, longest):
            self._report.notes.append(
                f"this copy is older: {longest.size:,} entries of this log were seen"
                " elsewhere"
            )
        for note, copy in ((self._seen.here, None), (self._mirror.note, self._mirror)):
            if note is not None:
                self._compare_here(note, copy)

    def _compare_here(self, note: bytes, copy: Mirror | None) -> bool:
        """The same for what this place has shown: it must not go back."""
        extends = self._compare(note, copy)
        if not extends:
            self._old = (
                f"checkpoint: of {self._checkpoint.size} entries, but"
                f" {open_checkpoint(note, self._mirror.vkey).size} were seen here"
                " earlier: an old copy?"
            )
        return extends

    def _compare(self, note: bytes, copy: Mirror | None) -> bool:
        """Whether the log extends the tree of a checkpoint, of which `copy` has the
        hashes; False where the log is an older one."""
        seen, new = open_checkpoint(note, self._mirror.vkey), self._checkpoint
        if new.size < seen.size:
            if copy is not None and copy.root_at(new.size) != new.root:
                root = copy.root_at(new.size)
                proof = consistency_proof(new.size, seen.size, copy.nodes())
                self._accuse(Fork(self._note, root, tuple(proof)), note)
                raise _DamageError(_CONTRADICTS)
            return False
        root = root_from(seen.size, self._nodes)
        if root == seen.root:
            return True
        if seen.size == new.size:
            self._accuse(Equivocation(note))
        else:
            proof = consistency_proof(seen.size, new.size, self._nodes)
            self._accuse(Fork(note, root, tuple(proof)))
        raise _DamageError(_CONTRADICTS)

    def _go_on(self) -> None:
        """From where this audit was interrupted, if it was; what the copy has by then
        is the beginning of this log."""
        size, before = self._mirror.size, self._kept()
        extends = before is not None and self._compare_here(before.note, None)
        if size > self._checkpoint.size:
            raise _DamageError(self._old or _CHANGED)
        if size and root_from(size, self._nodes) != self._mirror.root_at(size):
            raise _DamageError(_CHANGED)
        if before is not None and extends:
            self._state = replace(before, note=self._note)
            report = self._report
            report.read_before = before.size
            report.bodies, report.redacted = before.bodies, before.redacted
            report.problems, report.more_problems = [*before.problems], before.more

    def _kept(self) -> AuditProgress | None:
        data = self._mirror.get_record(PROGRESS)
        try:
            found = AuditProgress.from_bytes(data or b"")
        except MalformedError:
            return None
        mine = self._state
        return found if found.is_of(mine.place, mine.with_bodies) else None

    def _keep(self) -> None:
        self._mirror.put_record(PROGRESS, self._state.to_bytes())

    # Entries and bodies

    def _copy(self) -> None:
        try:
            self._read_entries()
        except (LogFaultError, _DamageError, MalformedError, NotFoundError):
            raise
        except BaseException:
            self._keep()
            raise

    def _read_entries(self) -> None:
        """Entries and bodies, each from where the copy and the audit got to."""
        size, start = self._checkpoint.size, self._state.size
        last = self._read_to = start
        self._progress(start, size)
        self._keep()
        for first, entries in self._bundles(min(start, self._mirror.size)):
            self._read_to = first + len(entries)
            self._mirror.feed(entries[max(0, self._mirror.read - first) :])
            if self._state.with_bodies:
                for place, data in enumerate(entries, first):
                    if place >= start:
                        self._check_body(place, data)
            self._note_progress()
            if self._state.size >= last + KEEP_EVERY:
                self._keep()
                last = self._state.size
            self._progress(self._state.size, size)

    def _note_progress(self) -> None:
        report = self._report
        self._state = replace(
            self._state,
            size=max(self._state.size, self._read_to),
            bodies=report.bodies,
            redacted=report.redacted,
            problems=tuple(report.problems),
            more=report.more_problems,
        )

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
        except (
            MalformedError,
            NotFoundError,
            UnsupportedError,
            VerificationError,
        ) as error:
            self._report.add(f"statement {entry.id.hex()} (entry {index}): {error}")
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
