"""What each kind of alarm proves, and how (docs/spec/alarm.md, "What each proves").

Rule: everything leads back to a note that the log's own key signed.  `judge` returns
the accusation as one plain line, or raises VerificationError: then nothing is proven.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, TypeAlias

from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.digest import cid_of_statement
from byline_ledger.entry import (
    CommitmentEntry,
    RetirementEntry,
    StatementEntry,
    parse_entry,
)
from byline_ledger.errors import (
    MalformedError,
    ProofError,
    UnsupportedError,
    VerificationError,
)
from byline_ledger.lookup_set import EMPTY_SET_ROOT, LookupSet, Node
from byline_ledger.merkle import (
    Frontier,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from byline_ledger.opening import Walk, parse_opening


@dataclass(frozen=True, slots=True)
class Finding:
    """A proven accusation: the log, the kind of alarm and one plain line."""

    origin: str
    vkey: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Signed:
    """The tree that an alarm is about, and the key that signed it."""

    vkey: str
    checkpoint: Checkpoint

    @classmethod
    def of(cls, vkey: str, note: bytes) -> Signed:
        """Raises VerificationError unless `vkey` signed the note."""
        return cls(vkey, _open(note, vkey))

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.checkpoint.origin

    @property
    def size(self) -> int:
        """Entries of the tree."""
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        """Its root, 32 bytes."""
        return self.checkpoint.root

    def open(self, note: bytes) -> Checkpoint:
        """Another checkpoint of this log."""
        return _open(note, self.vkey)


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry of the tree with its inclusion proof."""

    index: int
    entry: bytes
    proof: tuple[bytes, ...]

    def require_in(self, signed: Signed) -> None:
        """ProofError unless it is where it says."""
        verify_inclusion(
            leaf_hash(self.entry), self.index, signed.size, self.proof, signed.root
        )


@dataclass(frozen=True, slots=True)
class Equivocation:
    """Two trees of one size."""

    kind: ClassVar[str] = "equivocation"
    other: bytes

    def judge(self, signed: Signed) -> str:
        """See the module."""
        other = signed.open(self.other)
        _require(other.size == signed.size, "the two trees are of different sizes")
        _require(other.root != signed.root, "the two notes are of one tree")
        return f"signed two different trees of {signed.size} entries"


@dataclass(frozen=True, slots=True)
class Fork:
    """A tree that does not extend an earlier one."""

    kind: ClassVar[str] = "fork"
    other: bytes
    root: bytes
    """Root of the larger tree's first leaves, as many as the smaller one has."""
    proof: tuple[bytes, ...]

    def judge(self, signed: Signed) -> str:
        """See the module."""
        other = signed.open(self.other)
        _require(0 < other.size < signed.size, "the other tree is not a smaller one")
        _require(other.root != self.root, "the other tree is a part of this one")
        verify_consistency(other.size, signed.size, self.root, signed.root, self.proof)
        return (
            f"signed a tree of {signed.size} entries that does not extend the one of"
            f" {other.size} that it also signed"
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf that must not be where it is."""

    kind: ClassVar[str] = "entry"
    leaves: tuple[Leaf, ...]

    def judge(self, signed: Signed) -> str:
        """See the module."""
        for leaf in self.leaves:
            leaf.require_in(signed)
        if len(self.leaves) == 2:
            return self._after_the_end()
        (leaf,) = self.leaves
        try:
            entry = parse_entry(leaf.entry)
        except MalformedError as error:
            return f"has a malformed entry {leaf.index}: {error}"
        _require(
            not isinstance(entry, CommitmentEntry)
            and leaf.index in (0, signed.size - 1),
            "the entry may stand where it does",
        )
        place = "last" if leaf.index else "first"
        return f"signed a tree of {signed.size} entries whose {place} is no commitment"

    def _after_the_end(self) -> str:
        notice, later = self.leaves
        _require(
            isinstance(_parse(notice.entry), RetirementEntry),
            "the first leaf does not end the log",
        )
        _require(later.index > notice.index, "the second leaf is not behind the first")
        is_next = later.index == notice.index + 1
        _require(
            not (is_next and _is_commitment(later.entry)),
            "a commitment may follow the notice",
        )
        return f"goes on at entry {later.index}, after its end at {notice.index}"


@dataclass(frozen=True, slots=True)
class Repeat:
    """One statement at two leaves."""

    kind: ClassVar[str] = "repeat"
    leaves: tuple[Leaf, ...]

    def judge(self, signed: Signed) -> str:
        """See the module."""
        for leaf in self.leaves:
            leaf.require_in(signed)
        one, two = (_parse(leaf.entry) for leaf in self.leaves)
        indexes = sorted(leaf.index for leaf in self.leaves)
        _require(
            isinstance(one, StatementEntry)
            and isinstance(two, StatementEntry)
            and one.id == two.id
            and indexes[0] < indexes[1],
            "the leaves are not one statement at two places",
        )
        assert isinstance(one, StatementEntry)
        name = cid_of_statement(one.id)
        return f"lists statement {name} twice, at {indexes[0]} and {indexes[1]}"


@dataclass(frozen=True, slots=True)
class Commitment:
    """A commitment that does not follow from the one before and what was logged."""

    kind: ClassVar[str] = "commitment"
    start: int
    before: tuple[bytes, ...]
    """Frontier of the first `start` leaves."""
    entries: tuple[bytes, ...]
    """The leaves from `start` on; the last one is the commitment that is judged."""
    opening: bytes
    """Of the set that the first of them commits to, as far as inserting needs it."""
    proof: tuple[bytes, ...]
    """Consistency, from the tree that the entries end to the signed one."""

    def judge(self, signed: Signed) -> str:
        """See the module."""
        self._require_in(signed)
        said = _parse(self.entries[-1])
        _require(isinstance(said, CommitmentEntry), "the last entry is no commitment")
        assert isinstance(said, CommitmentEntry)
        count, root = self._derive()
        _require(
            (count, root) != (said.count, said.root),
            "the commitment is what the entries make it",
        )
        index = self.start + len(self.entries) - 1
        return (
            f"commits at entry {index} to {said.count} lookup strings with root"
            f" {said.root.hex()[:16]}…, but its entries make it {count} with root"
            f" {root.hex()[:16]}…"
        )

    def _require_in(self, signed: Signed) -> None:
        try:
            before = Frontier.from_hashes(self.start, self.before)
        except MalformedError as error:
            raise VerificationError(str(error)) from error
        found = before.extend([leaf_hash(entry) for entry in self.entries])
        _require(found.size <= signed.size, "the entries go beyond the signed tree")
        verify_consistency(
            found.size, signed.size, found.root(), signed.root, self.proof
        )

    def _derive(self) -> tuple[int, bytes]:
        """Count and root that the commitment should have."""
        if len(self.entries) == 1:
            _require(self.start == 0, "there is no commitment to begin with")
            return 0, EMPTY_SET_ROOT
        base = _parse(self.entries[0])
        _require(isinstance(base, CommitmentEntry), "the first entry is no commitment")
        assert isinstance(base, CommitmentEntry)
        top = _open_trie(self.opening, base)
        strings = sorted(_strings(self.entries[1:-1]))
        walk = Walk(top)
        for left, right in pairwise(strings):
            _require(left != right, "a lookup string is there twice")
        for string in strings:
            found = walk.find(string, 1)
            _require(not found.count, "a lookup string is in the set already")
        grown = LookupSet.opened(top).insert(strings, lambda _low, _high: [])
        return grown.count, grown.root


@dataclass(frozen=True, slots=True)
class Omission:
    """A statement that is in the log and not in the set it commits to."""

    kind: ClassVar[str] = "omission"
    leaves: tuple[Leaf, ...]
    """The statement, and the commitment that ends the tree."""
    opening: bytes

    def judge(self, signed: Signed) -> str:
        """See the module."""
        statement, last = self.leaves
        for leaf in self.leaves:
            leaf.require_in(signed)
        _require(last.index == signed.size - 1, "the second leaf is not the last")
        _require(statement.index < last.index, "the statement is not before the end")
        entry, commitment = _parse(statement.entry), _parse(last.entry)
        _require(
            isinstance(entry, StatementEntry)
            and isinstance(commitment, CommitmentEntry),
            "the leaves are not a statement and a commitment",
        )
        assert isinstance(entry, StatementEntry)
        assert isinstance(commitment, CommitmentEntry)
        walk = Walk(_open_trie(self.opening, commitment))
        if not any(_is_absent(walk, one) for one in entry.lookup_strings()):
            raise VerificationError("no string of the statement is shown to be absent")
        name = cid_of_statement(entry.id)
        return (
            f"has statement {name} as entry {statement.index}, but"
            f" leaves it out of the set that entry {last.index} commits to"
        )


Evidence: TypeAlias = Equivocation | Fork | Entry | Repeat | Commitment | Omission


def _open(note: bytes, vkey: str) -> Checkpoint:
    try:
        return open_checkpoint(note, vkey)
    except (MalformedError, UnsupportedError) as error:
        raise VerificationError(f"the note is not a checkpoint: {error}") from error


def _open_trie(opening: bytes, commitment: CommitmentEntry) -> Node:
    try:
        top = parse_opening(opening, commitment.count)
    except MalformedError as error:
        raise ProofError(str(error)) from error
    _require(top.hash == commitment.root, "the opening is that of another set")
    return top


def _is_absent(walk: Walk, string: bytes) -> bool:
    """Whether the opening shows that the set lacks this string."""
    try:
        return walk.find(string, 1).count == 0
    except ProofError:
        return False  # closed there: it shows nothing of this string


def _parse(data: bytes) -> StatementEntry | CommitmentEntry | RetirementEntry:
    try:
        return parse_entry(data)
    except MalformedError as error:
        raise VerificationError(f"a leaf is no log entry: {error}") from error


def _is_commitment(data: bytes) -> bool:
    try:
        return isinstance(parse_entry(data), CommitmentEntry)
    except MalformedError:
        return False


def _strings(entries: Sequence[bytes]) -> list[bytes]:
    """Lookup strings of the entries between two commitments."""
    found: list[bytes] = []
    for data in entries:
        entry = _parse(data)
        _require(
            not isinstance(entry, CommitmentEntry),
            "there is a commitment between the first and the last",
        )
        if isinstance(entry, StatementEntry):
            found += entry.lookup_strings()
    return found


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise VerificationError(f"the alarm proves nothing: {otherwise}")
