"""Taking back what this log signed and lost: its own later entries, from a copy.

Rule: nothing of the copy is believed, and nothing new is signed.  A checkpoint that
this log signed says where the log ends; whatever is written is shown to be a prefix of
that tree first, and to be in order.  Each batch ends with a commitment, so its tree
was published once, and signing it again gives the signature of then, bit for bit.  The
guard is raised to the end before the first batch is written: until it is reached, the
log stays read-only, whatever happens.  A tombstone of a copy is signed by nobody: it is
not taken for a takedown of this log.  Specification: docs/spec/log.md, "Recovery".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.commit import LogState, entry_puts
from byline_ledger.entry import (
    CommitmentEntry,
    Entry,
    StatementEntry,
    parse_entry,
    statement_entry,
)
from byline_ledger.errors import (
    BylineError,
    ContradictionError,
    MalformedError,
    VerificationError,
)
from byline_ledger.log_source import LogSource, tree_nodes
from byline_ledger.lookup_set import StringReader
from byline_ledger.merkle import (
    NodeReader,
    consistency_proof,
    leaf_hash,
    root_from,
    verify_consistency,
)
from byline_ledger.statement import Statement
from byline_ledger.store import layout
from byline_ledger.store.interface import Pair
from byline_ledger.tiles import TILE_WIDTH, Tile, parse_entry_bundle
from byline_ledger.tombstone import NOT_RECOVERED, Tombstone
from byline_ledger.unwritten import Unwritten

BATCH = 4_096
"""Entries written together, at least, unless the log ends before."""
MAX_PIECE = 1_000_000
"""Entries from one commitment to the next."""

Piece = list[tuple[bytes, Entry]]
"""Entries up to and with a commitment, as they were logged and parsed."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What somebody kept of this log: a checkpoint that this log signed, and a source
    that must prove all the rest."""

    source: LogSource
    note: bytes
    end: Checkpoint
    vkey: str
    node: NodeReader
    """Hashes of the tree, as the source has them."""

    @classmethod
    def of(cls, source: LogSource, vkey: str) -> Copy:
        """Reads the checkpoint.  BadSignatureError if the log `vkey` did not sign it;
        what the source raises."""
        note = source.checkpoint()
        end = open_checkpoint(note, vkey)
        return cls(source, note, end, vkey, tree_nodes(source, end.size))

    def require_extends(self, size: int, root: bytes, note: bytes = b"") -> None:
        """The tree (size, root), not larger than the copy's, is a prefix of it.

        Raises ContradictionError if it is shown not to be, and VerificationError where
        the copy shows nothing.  `note` is the checkpoint of that tree, if at hand.
        """
        try:
            self.require_prefix(size, root)
        except VerificationError:
            self.require_prefix(size, root_from(size, self.node))
            raise _contradiction(self, size, note, self._proof(size)) from None

    def require_prefix(self, size: int, root: bytes) -> None:
        """The tree (size, root) is shown to be a prefix of the copy's, or
        VerificationError."""
        end = self.end
        try:
            verify_consistency(size, end.size, root, end.root, self._proof(size))
        except VerificationError as error:
            raise VerificationError(
                "the entries and tiles of the copy do not lead to its checkpoint"
            ) from error

    def _proof(self, size: int) -> tuple[bytes, ...]:
        return tuple(consistency_proof(size, self.end.size, self.node))

    def require_within(self, root: bytes, note: bytes) -> None:
        """The copy ends with `root`, which is ours of that size; `note` is our latest.

        Raises ContradictionError.
        """
        if root != self.end.root:
            raise _contradiction(self, self.end.size, note, ())

    def pieces(self, start: int) -> Iterator[Piece]:
        """The entries from `start` on.  MalformedError, what the source raises."""
        piece: Piece = []
        for data in self._entries(start):
            entry = parse_entry(data)
            piece.append((data, entry))
            if isinstance(entry, CommitmentEntry):
                yield piece
                piece = []
            if len(piece) > MAX_PIECE:
                raise MalformedError(f"more than {MAX_PIECE} entries and no commitment")
        if piece:
            raise VerificationError("the copy does not end with a commitment")

    def _entries(self, start: int) -> Iterator[bytes]:
        for number in range(start // TILE_WIDTH, -(-self.end.size // TILE_WIDTH)):
            first = number * TILE_WIDTH
            width = min(TILE_WIDTH, self.end.size - first)
            data = self.source.tile(Tile(None, number, width))
            yield from parse_entry_bundle(data, width)[max(0, start - first) :]

    def body(self, entry: StatementEntry) -> bytes | None:
        """The statement's envelope, checked; None where the copy has nothing of use."""
        try:
            body = self.source.body(entry.id)
        except MalformedError:
            return None
        if not isinstance(body, bytes):
            return None
        try:
            statement = Statement.from_envelope(body)
            statement.verify()
        except BylineError:
            return None
        return body if statement_entry(statement) == entry.to_bytes() else None


def _contradiction(
    copy: Copy, size: int, note: bytes, proof: tuple[bytes, ...]
) -> ContradictionError:
    return ContradictionError(
        f"the copy and this node hold different trees of {size} entries of"
        f" {copy.end.origin}",
        hint="keep both: this log signed two histories, and neither goes on",
        vkey=copy.vkey,
        notes=(note, copy.note),
        proof=proof,
    )


@dataclass(frozen=True, slots=True)
class Bodies:
    """Where the bodies of statements come from."""

    copies: Sequence[Copy]
    """Asked one after the other until one has a body of use."""
    takedowns: Mapping[bytes, Tombstone]
    """By id: what the operator says was taken down from this log."""
    now: int
    """Unix milliseconds: dates what is lost."""

    def find(self, entry: StatementEntry) -> bytes | Tombstone:
        """The envelope, or what stands in its place."""
        takedown = self.takedowns.get(entry.id)
        if takedown is not None:
            return takedown
        found = (copy.body(entry) for copy in self.copies)
        body = next((body for body in found if body is not None), None)
        return body or Tombstone(NOT_RECOVERED, self.now)


@dataclass(frozen=True, slots=True)
class Batch:
    """A longer log, unsigned, and what must be written for it, but for its state."""

    state: LogState
    previous: int
    """Size of the published tree before."""
    puts: list[Pair]
    lost: int
    """Bodies that no copy has."""


def batches(
    copy: Copy, state: LogState, read: Callable[[], StringReader], bodies: Bodies
) -> Iterator[Batch]:
    """From `state` to the end of the copy.

    Each batch must be written before the next one is asked for, since `read` gives the
    strings written so far.  Raises VerificationError, MalformedError, what the sources
    raise.
    """
    pieces: list[Piece] = []
    waiting = 0
    for piece in copy.pieces(state.size):
        pieces.append(piece)
        waiting += len(piece)
        if waiting >= BATCH or state.size + waiting == copy.end.size:
            batch = _batch(copy, state, pieces, read(), bodies)
            yield batch
            state, pieces, waiting = batch.state, [], 0


def _batch(
    copy: Copy,
    old: LogState,
    pieces: Sequence[Piece],
    read: StringReader,
    sources: Bodies,
) -> Batch:
    hashes = [leaf_hash(data) for piece in pieces for data, _entry in piece]
    tree, filled = old.tree.grow(hashes)
    copy.require_prefix(tree.size, tree.frontier.root())
    entries = [data for piece in pieces for data, _entry in piece]
    logged = [
        (index, entry)
        for index, (_data, entry) in enumerate(
            (one for piece in pieces for one in piece), old.size
        )
        if isinstance(entry, StatementEntry)
    ]
    state, strings = _replay(old, pieces, read)
    bodies, lost = _bodies(sources, logged)
    ids = [(entry.id, index) for index, entry in logged]
    new = replace(
        state,
        tree=tree,
        statements=old.statements + len(logged),
        root=tree.frontier.root(),
        checkpoint=b"",
    )
    puts = bodies + entry_puts(old.size, entries, ids, strings, filled)
    return Batch(new, tree.size - len(pieces[-1]), puts, lost)


def _replay(
    old: LogState, pieces: Sequence[Piece], read: StringReader
) -> tuple[LogState, list[bytes]]:
    """The lookup set behind the pieces, each commitment compared; and all strings."""
    unwritten = Unwritten()

    def strings_so_far(low: bytes, high: bytes) -> list[bytes]:
        return sorted([*read(low, high), *unwritten.between(low, high)])

    lookup_set, everything = old.lookup_set, list[bytes]()
    for piece in pieces:
        strings = sorted(
            string
            for _data, entry in piece
            if isinstance(entry, StatementEntry)
            for string in entry.lookup_strings()
        )
        lookup_set = lookup_set.insert(strings, strings_so_far)
        if piece[-1][1] != CommitmentEntry(lookup_set.count, lookup_set.root):
            raise VerificationError(
                "a commitment of the copy is not that of the entries before it,"
                " although this log signed it"
            )
        unwritten.add(strings)
        everything += strings
    return replace(old, lookup_set=lookup_set), everything


def _bodies(
    sources: Bodies, logged: Sequence[tuple[int, StatementEntry]]
) -> tuple[list[Pair], int]:
    """What is put for each statement; how many are lost."""
    puts: list[Pair] = []
    lost = 0
    for index, entry in logged:
        found = sources.find(entry)
        if isinstance(found, Tombstone):
            lost += found.is_lost
            puts.append((layout.tombstone(index), found.to_bytes()))
        else:
            puts.append((layout.body(index), found))
    return puts, lost
