"""The lookup set: a canonical trie over strings (docs/spec/log.md, "Lookup set").

The root depends on the set of strings alone, never on the order of arrival.
`naive_root` is the definition and the oracle; `LookupSet` is the engine that is tested
against it.  A `LookupSet` is persistent: `insert` returns a new one that shares all
untouched nodes with the old, so that readers keep a consistent set without locks.

The skeleton (hashes and counts) lives in memory.  The strings of the leaves live in
the store, which is also the secondary index; a byte-capped cache keeps the recent ones.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from byline_ledger.errors import CorruptStoreError, MalformedError, ProofError

STRING_SIZE = 72
STRING_BITS = STRING_SIZE * 8
LEAF_MAX = 16
EMPTY_SET_ROOT = hashlib.sha256(b"\x02").digest()
"""T of no strings; the root of a tree without leaves is another (merkle.py)."""
CACHE_BYTES = 8 << 20

StringReader: TypeAlias = Callable[[bytes, bytes], list[bytes]]
"""All strings s with low <= s <= high, ascending, as of the set before the insert."""


class Leaf:
    """At most 16 strings; `strings` is their concatenation, or None if not cached."""

    __slots__ = ("count", "hash", "strings")

    def __init__(self, count: int, hash_: bytes, strings: bytes | None) -> None:
        self.count = count
        self.hash = hash_
        self.strings = strings


class Inner:
    """More than 16 strings that share their first `depth` bits (`prefix`, padded)."""

    __slots__ = ("count", "depth", "hash", "left", "prefix", "right")

    def __init__(
        self,
        depth: int,
        prefix: bytes,
        left: Node,
        right: Node,
        hash_: bytes | None = None,
    ) -> None:
        """`hash_` where it was computed already."""
        self.depth = depth
        self.prefix = prefix
        self.left = left
        self.right = right
        self.count: int = left.count + right.count
        self.hash: bytes = hash_ or inner_hash(
            depth, prefix, left.count, right.count, left.hash, right.hash
        )


class Closed:
    """A subtree of which only hash and count are shown (openings only)."""

    __slots__ = ("count", "hash")

    def __init__(self, count: int, hash_: bytes) -> None:
        self.count = count
        self.hash = hash_


Node: TypeAlias = Leaf | Inner | Closed


def inner_hash(
    depth: int,
    prefix: bytes,
    left: int,
    right: int,
    left_hash: bytes,
    right_hash: bytes,
) -> bytes:
    """T(S) of more than 16 strings (docs/spec/log.md, "Lookup set")."""
    return hashlib.sha256(
        b"\x03"
        + depth.to_bytes(2, "big")
        + left.to_bytes(8, "big")
        + right.to_bytes(8, "big")
        + prefix
        + left_hash
        + right_hash
    ).digest()


def strings_hash(strings: bytes) -> bytes:
    """T(S) of at most 16 strings, given sorted and concatenated."""
    return hashlib.sha256(b"\x02" + strings).digest()


def make_leaf(strings: bytes) -> Leaf:
    """A leaf with its strings at hand."""
    return Leaf(len(strings) // STRING_SIZE, strings_hash(strings), strings)


def split_strings(joined: bytes) -> list[bytes]:
    """The 72-byte strings of a leaf."""
    return [joined[i : i + STRING_SIZE] for i in range(0, len(joined), STRING_SIZE)]


def strings_of(leaf: Leaf, found: list[bytes]) -> list[bytes]:
    """What was found as a leaf's strings, or CorruptStoreError if that is wrong."""
    if len(found) != leaf.count or strings_hash(b"".join(found)) != leaf.hash:
        raise CorruptStoreError(
            f"the store does not have the {leaf.count} lookup strings of a leaf"
        )
    return found


def common_bits(a: bytes, b: bytes) -> int:
    """Length in bits of the longest common prefix of two strings of equal length."""
    differing = int.from_bytes(a, "big") ^ int.from_bytes(b, "big")
    return len(a) * 8 - differing.bit_length()


def first_bits(string: bytes, bits: int) -> bytes:
    """The first `bits` bits of `string`, zero-padded to whole bytes."""
    whole, rest = divmod(bits, 8)
    if not rest:
        return string[:whole]
    return string[:whole] + bytes([string[whole] & (0xFF00 >> rest) & 0xFF])


def bit_at(string: bytes, position: int) -> int:
    """Bit `position`; bit 0 is the most significant bit of byte 0."""
    return string[position >> 3] >> (7 - (position & 7)) & 1


def span(string: bytes, bits: int) -> tuple[bytes, bytes]:
    """The lowest and the highest string that begin with the first `bits` bits."""
    prefix = first_bits(string, bits)
    low = prefix.ljust(STRING_SIZE, b"\x00")
    free = (1 << (STRING_BITS - bits)) - 1
    high = (int.from_bytes(low, "big") | free).to_bytes(STRING_SIZE, "big")
    return low, high


def naive_root(strings: Iterable[bytes]) -> bytes:
    """The definition of T(S), straight and slow: the oracle for `LookupSet`."""
    return _naive(sorted(set(strings)))


def _naive(strings: list[bytes]) -> bytes:
    if len(strings) <= LEAF_MAX:
        return strings_hash(b"".join(strings))
    depth = common_bits(strings[0], strings[-1])
    left = [s for s in strings if not bit_at(s, depth)]
    right = [s for s in strings if bit_at(s, depth)]
    prefix = first_bits(strings[0], depth)
    return inner_hash(depth, prefix, len(left), len(right), _naive(left), _naive(right))


def _no_strings(low: bytes, high: bytes) -> list[bytes]:
    raise AssertionError("a set that begins empty has all its strings in memory")


class LeafCache:
    """Keeps the strings of recently written leaves in memory, up to a byte cap.

    Only the writer touches the cache; readers take `leaf.strings` as they find it.
    """

    def __init__(self, max_bytes: int = CACHE_BYTES) -> None:
        self._room = max_bytes
        self._leaves: OrderedDict[Leaf, int] = OrderedDict()

    def add(self, leaf: Leaf) -> None:
        size = leaf.count * STRING_SIZE
        self._leaves[leaf] = size
        self._room -= size
        while self._room < 0 and self._leaves:
            old, freed = self._leaves.popitem(last=False)
            old.strings = None
            self._room += freed

    def take(self, leaf: Leaf) -> bytes | None:
        """The strings of a leaf that is replaced.  A view of the set before may hold it
        for long, and must not hold them too: they are in the store."""
        strings = leaf.strings
        size = self._leaves.pop(leaf, 0)
        if size:
            self._room += size
            leaf.strings = None
        return strings


class LookupSet:
    """An immutable set of strings with its root; see `insert`."""

    __slots__ = ("_cache", "top")

    def __init__(self, top: Node, cache: LeafCache) -> None:
        self.top = top
        self._cache = cache

    @classmethod
    def opened(cls, top: Node) -> LookupSet:
        """The set behind a parsed opening (opening.parse_opening): what is inserted
        into it must not lead into what is closed."""
        return cls(top, LeafCache())

    @classmethod
    def empty(cls, cache_bytes: int = CACHE_BYTES) -> LookupSet:
        """The set of nothing."""
        return cls(make_leaf(b""), LeafCache(cache_bytes))

    @classmethod
    def build(
        cls, strings: Iterable[bytes], cache_bytes: int = CACHE_BYTES
    ) -> LookupSet:
        """The set of `strings`, which must be ascending and distinct."""
        return cls.empty(cache_bytes).insert(list(strings), _no_strings)

    @property
    def root(self) -> bytes:
        """T(S), 32 bytes."""
        return self.top.hash

    @property
    def count(self) -> int:
        """Number of strings."""
        return self.top.count

    def insert(self, strings: Sequence[bytes], read: StringReader) -> LookupSet:
        """The set with `strings` added: ascending, distinct, none of them in it yet.

        `read` gives the stored strings of leaves that are not cached; it is called
        with ascending ranges and must not see `strings` yet.  ProofError where the set
        is an opening that is closed where a string belongs.
        """
        if not strings:
            return self
        top = _Insertion(strings, read, self._cache).into(self.top, 0, len(strings), 0)
        return LookupSet(top, self._cache)

    def to_snapshot(self) -> bytes:
        """The skeleton, pre-order: leaf 02 count, hash; inner 03 depth, prefix."""
        parts: list[bytes] = []
        stack: list[Node] = [self.top]
        while stack:
            node = stack.pop()
            if isinstance(node, Inner):
                parts.append(b"\x03" + node.depth.to_bytes(2, "big") + node.prefix)
                stack += (node.right, node.left)
            else:
                parts.append(bytes([2, node.count]) + node.hash)
        return b"".join(parts)

    @classmethod
    def from_snapshot(cls, data: bytes) -> LookupSet:
        """Rebuild from `to_snapshot`; the caller compares `root` with a commitment.

        Raises MalformedError.
        """
        top, end = _load(data, 0, 0)
        if end != len(data):
            raise MalformedError(f"lookup snapshot: {len(data) - end} bytes too many")
        return cls(top, LeafCache())


def _load(data: bytes, at: int, least: int) -> tuple[Leaf | Inner, int]:
    kind = data[at : at + 1]
    if kind == b"\x02" and len(data) >= at + 34 and data[at + 1] <= LEAF_MAX:
        return Leaf(data[at + 1], data[at + 2 : at + 34], None), at + 34
    if kind != b"\x03" or len(data) < at + 3:
        raise MalformedError(f"lookup snapshot: no node at byte {at}")
    depth = int.from_bytes(data[at + 1 : at + 3], "big")
    if not least <= depth < STRING_BITS:
        raise MalformedError(f"lookup snapshot: depth {depth} at byte {at}")
    end = at + 3 + (depth + 7) // 8
    left, right_at = _load(data, end, depth + 1)
    right, after = _load(data, right_at, depth + 1)
    return Inner(depth, data[at + 3 : end], left, right), after


class _Insertion:
    """One batch on its way down the trie: `strings[lo:hi]` goes below each node."""

    __slots__ = ("cache", "read", "strings")

    def __init__(
        self, strings: Sequence[bytes], read: StringReader, cache: LeafCache
    ) -> None:
        self.strings = strings
        self.read = read
        self.cache = cache

    def into(self, node: Node, lo: int, hi: int, known: int) -> Node:
        """`node` with strings[lo:hi], which share `known` bits with all of its own.

        One frame per level: a trie has at most 576 levels, Python 1,000 frames.
        """
        if hi == lo:
            return node
        if isinstance(node, Leaf):
            return self._into_leaf(node, lo, hi, known)
        if isinstance(node, Closed):
            raise ProofError("the opening is closed where a string would be inserted")
        depth = node.depth
        if depth > known:
            depth = self._divergence(node, lo, hi)
        mid = partition(self.strings, lo, hi, depth)
        if depth == node.depth:
            left = self.into(node.left, lo, mid, depth + 1)
            right = self.into(node.right, mid, hi, depth + 1)
            return Inner(depth, node.prefix, left, right)
        prefix = first_bits(node.prefix, depth)
        if bit_at(node.prefix, depth):
            kept = self.into(node, mid, hi, depth + 1)
            return Inner(depth, prefix, self._grow(self.strings, lo, mid), kept)
        kept = self.into(node, lo, mid, depth + 1)
        return Inner(depth, prefix, kept, self._grow(self.strings, mid, hi))

    def _into_leaf(self, leaf: Leaf, lo: int, hi: int, known: int) -> Leaf | Inner:
        merged = self._strings_of(leaf, lo, known)
        merged += self.strings[lo:hi]
        merged.sort()
        return self._grow(merged, 0, len(merged))

    def _divergence(self, node: Inner, lo: int, hi: int) -> int:
        """Where the first new string leaves the node's prefix, else its depth."""
        size = len(node.prefix)
        first = common_bits(self.strings[lo][:size], node.prefix)
        last = common_bits(self.strings[hi - 1][:size], node.prefix)
        return min(first, last, node.depth)

    def _strings_of(self, leaf: Leaf, lo: int, known: int) -> list[bytes]:
        joined = self.cache.take(leaf)
        if joined is not None:
            return split_strings(joined)
        return strings_of(leaf, self.read(*span(self.strings[lo], known)))

    def _grow(self, strings: Sequence[bytes], lo: int, hi: int) -> Leaf | Inner:
        """A new subtree of strings[lo:hi]."""
        if hi - lo <= LEAF_MAX:
            leaf = make_leaf(b"".join(strings[lo:hi]))
            self.cache.add(leaf)
            return leaf
        depth = common_bits(strings[lo], strings[hi - 1])
        mid = partition(strings, lo, hi, depth)
        prefix = first_bits(strings[lo], depth)
        left, right = self._grow(strings, lo, mid), self._grow(strings, mid, hi)
        return Inner(depth, prefix, left, right)


def partition(strings: Sequence[bytes], lo: int, hi: int, depth: int) -> int:
    """Index of the first of strings[lo:hi] with bit `depth` set; all agree so far."""
    if bit_at(strings[lo], depth):
        return lo
    if not bit_at(strings[hi - 1], depth):
        return hi
    whole, rest = divmod(depth, 8)
    last = strings[hi - 1]
    boundary = last[:whole] + bytes([last[whole] & (0xFF00 >> (rest + 1)) & 0xFF])
    return bisect_left(strings, boundary, lo, hi)
