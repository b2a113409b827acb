"""What a ledger finds when it opens: the last commit, derived anew and checked.

Rule: trust nothing that can be derived.  The tree's edge comes from entries and tiles
and must have the signed root; the lookup set comes from the strings, or from the
skeleton that the last orderly stop left, and must be the one of the last commitment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.commit import LogState
from byline_ledger.entry import (
    CommitmentEntry,
    Entry,
    RetirementEntry,
    StatementEntry,
    parse_entry,
)
from byline_ledger.errors import (
    BadSignatureError,
    MalformedError,
    StoreError,
)
from byline_ledger.lookup_set import STRING_SIZE, LookupSet, StringReader
from byline_ledger.merkle import root_from
from byline_ledger.store import layout
from byline_ledger.store.damage import damaged
from byline_ledger.store.interface import Reader
from byline_ledger.store.skeleton import Skeleton, read_skeleton
from byline_ledger.tiles import TILE_WIDTH
from byline_ledger.tree import TileRows, Tree, TreeNodes

BUILD_CHUNK = 65_536
"""Strings inserted at a time when the set is built from a scan."""


def require_version(store: Reader) -> None:
    """StoreError if the store is not of the one version that this program reads."""
    version = store.get(layout.VERSION)
    if version is None:
        raise damaged("the database is not that of a Byline node")
    if version != layout.STORE_VERSION:
        expected, got = (
            layout.STORE_VERSION.decode(),
            version[:32].decode("ascii", "replace"),
        )
        raise StoreError(
            f"the store is of another version: expected {expected}, got {got}",
            hint="use the version of Byline that made it",
        )


def require_log(store: Reader, vkey: str) -> None:
    """StoreError if the store holds the log of another origin or secret."""
    stored = store.get(layout.LOG)
    if stored != vkey.encode():
        raise StoreError(
            "the database does not belong to this secret and origin",
            hint="put back the files `secret` and `origin` that belong to it",
        )


def read_state(store: Reader) -> layout.State:
    """The record of the last commit."""
    data = store.get(layout.STATE)
    if data is None:
        raise damaged("the state of the log is missing")
    return layout.State.from_bytes(data)


def read_checkpoint(note: bytes, vkey: str) -> Checkpoint:
    """The stored checkpoint, its signature verified."""
    try:
        return open_checkpoint(note, vkey)
    except (MalformedError, BadSignatureError) as error:
        raise damaged(f"the stored checkpoint does not verify: {error}") from error


def read_entry(store: Reader, index: int) -> Entry:
    """A log entry, parsed."""
    data = store.get(layout.entry(index))
    if data is None:
        raise damaged(f"log entry {index} is missing")
    try:
        return parse_entry(data)
    except MalformedError as error:
        raise damaged(f"log entry {index}: {error}") from error


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a store holds."""

    state: LogState
    previous: int
    """Size of the tree before the last commit."""
    saved_size: int
    """Size of the tree whose skeleton was of use, 0 if none was."""


def load_log(store: Reader, rows: TileRows, vkey: str, skeleton: Path) -> Loaded:
    """The last commit.  Raises CorruptStoreError."""
    stored = read_state(store)
    checkpoint = read_checkpoint(stored.checkpoint, vkey)
    tree = _load_tree(store, rows, checkpoint)
    commitment = read_entry(store, checkpoint.size - 1)
    if not isinstance(commitment, CommitmentEntry):
        raise damaged("the last log entry is not a commitment")
    lookup_set, saved_size = load_lookup_set(
        store, skeleton, commitment, checkpoint.size
    )
    state = LogState(
        checkpoint.origin,
        tree,
        lookup_set,
        stored.statements,
        checkpoint.root,
        stored.checkpoint,
    )
    return Loaded(state, stored.previous, saved_size)


def _load_tree(store: Reader, rows: TileRows, checkpoint: Checkpoint) -> Tree:
    size = checkpoint.size
    if not size:
        raise damaged("the stored checkpoint is of an empty log")
    first = size - size % TILE_WIDTH
    pairs = store.iterate(layout.entry(first), layout.entry(size))
    tree = Tree.restore(size, (entry for _key, entry in pairs), rows)
    if tree.frontier.root() != checkpoint.root:
        raise damaged("the log entries do not lead to the signed root")
    return tree


def root_at(state: LogState, rows: TileRows, size: int) -> bytes:
    """Root of the first `size` leaves of the log."""
    return root_from(size, TreeNodes(state.size, state.tree.edge, rows))


def retirement(store: Reader, size: int) -> str | None:
    """The notice that ended this log; it stands before the last commitment."""
    entry = read_entry(store, size - 2) if size > 1 else None
    return entry.text if isinstance(entry, RetirementEntry) else None


# The lookup set


def load_lookup_set(
    store: Reader, skeleton: Path, commitment: CommitmentEntry, size: int
) -> tuple[LookupSet, int]:
    """The set that `commitment`, the last of `size` entries, commits to; and the size
    of the tree whose skeleton was used, or 0."""
    saved = read_skeleton(skeleton)
    found = _from_skeleton(store, saved, size)
    if saved is not None and found is not None and _is_committed(found, commitment):
        return found, saved.size
    built = build_lookup_set(store)
    if not _is_committed(built, commitment):
        raise damaged("the lookup strings are not those that the log commits to")
    return built, 0


def _is_committed(found: LookupSet, commitment: CommitmentEntry) -> bool:
    return (found.count, found.root) == (commitment.count, commitment.root)


def _from_skeleton(
    store: Reader, saved: Skeleton | None, size: int
) -> LookupSet | None:
    """The saved skeleton with the strings of later entries; None if it is of no use."""
    if saved is None or not 0 < saved.size <= size:
        return None
    commitment = read_entry(store, saved.size - 1)
    is_sound = isinstance(commitment, CommitmentEntry) and _is_committed(
        saved.lookup_set, commitment
    )
    if not is_sound:
        return None
    later = _strings_of_entries(store, saved.size, size)
    if 2 * len(later) > saved.lookup_set.count:
        return None  # a scan is faster than that many single insertions
    return saved.lookup_set.insert(later, _without(store, frozenset(later)))


def _strings_of_entries(store: Reader, start: int, end: int) -> list[bytes]:
    strings: list[bytes] = []
    for index in range(start, end):
        entry = read_entry(store, index)
        if isinstance(entry, StatementEntry):
            strings += entry.lookup_strings()
    return sorted(strings)


def _without(store: Reader, hidden: frozenset[bytes]) -> StringReader:
    """Stored strings but for `hidden`: the state before these were inserted."""
    read = string_reader(store)

    def visible(low: bytes, high: bytes) -> list[bytes]:
        return [string for string in read(low, high) if string not in hidden]

    return visible


def build_lookup_set(store: Reader) -> LookupSet:
    """The set of all stored strings."""
    prefix = layout.STRINGS
    keys = store.keys(prefix, layout.after(prefix))
    lookup_set = LookupSet.empty()
    while chunk := [key[1:] for key in islice(keys, BUILD_CHUNK)]:
        if any(len(string) != STRING_SIZE for string in chunk):
            raise damaged("a stored lookup string is not of 72 bytes")
        lookup_set = lookup_set.insert(chunk, _before(store, chunk))
    return lookup_set


def _before(store: Reader, chunk: Sequence[bytes]) -> StringReader:
    """Stored strings below those of `chunk`: what had been inserted before it."""
    first = chunk[0]
    read = string_reader(store)

    def visible(low: bytes, high: bytes) -> list[bytes]:
        return [string for string in read(low, high) if string < first]

    return visible


def string_reader(store: Reader) -> StringReader:
    """All strings of `store` in a range; made for one batch of ascending ranges."""
    read = store.key_reader()

    def strings(low: bytes, high: bytes) -> list[bytes]:
        keys = read(layout.string_key(low), layout.string_key(high))
        return [key[1:] for key in keys]

    return strings
