"""Openings of the lookup set: proof of the complete answer to any set of lookups.

An opening is the trie with everything closed (hash only) that the lookups did not
visit (docs/spec/bundle.md, "Opening").  `Walk` answers a lookup on a live trie or on
an opened one with the same code, so prover and verifier cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import lt
from struct import Struct

from byline_ledger.entry import KEY_BYTES
from byline_ledger.errors import MalformedError, ProofError
from byline_ledger.lookup_set import (
    LEAF_MAX,
    STRING_BITS,
    STRING_SIZE,
    Closed,
    Inner,
    Leaf,
    LookupSet,
    Node,
    StringReader,
    make_leaf,
    span,
    split_strings,
    strings_of,
)

_HEAD = Struct(">HQQ")
"""Of an inner node: depth, strings on the left and on the right."""
MAX_OPENING = 16 << 20
MAX_LEVELS = 256
"""Nested nodes: far beyond any set of honest hashes, well within Python's stack."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a lookup shows: the first strings under a prefix, and how many there are."""

    count: int
    strings: tuple[bytes, ...]

    @property
    def complete(self) -> bool:
        """Whether every string under the prefix is shown."""
        return len(self.strings) == self.count


class Walk:
    """Lookups on one trie; remembers every node they opened."""

    def __init__(self, top: Node, read: StringReader | None = None) -> None:
        self._top = top
        self._read = read
        self._opened: dict[int, Sequence[bytes]] = {}
        """By `id` of a node, the strings of a leaf; nothing for an inner node."""
        self._starts: dict[bytes, tuple[Node, int]] = {}
        """By the first byte of a lookup: the node to which it leads surely, and the
        bits that led there.  All above it is open."""

    def find(self, prefix: bytes, limit: int) -> Found:
        """The strings that begin with `prefix` (whole bytes), page by `limit`.

        Leaves are opened in order until at least `limit` strings are shown, so a page
        holds up to 15 more; the count is always that of all of them.
        Raises ProofError where the trie is closed and the lookup needs it open.
        """
        node, bits = self._starts.get(prefix[:1]) or (self._top, 0)
        wanted = len(prefix) * 8
        opened = self._opened
        while isinstance(node, Inner):
            opened[id(node)] = ()
            depth = node.depth
            if depth > bits and differ(prefix, node.prefix, min(depth, wanted)):
                return NOTHING
            if depth >= wanted:
                shown: list[bytes] = []
                self._page(node, limit, shown)
                return Found(node.count, tuple(shown))
            bits = depth + 1
            right = prefix[depth >> 3] & 0x80 >> (depth & 7)
            node = node.right if right else node.left
            if bits <= 8:
                self._starts[prefix[:1]] = node, bits
        strings = self._strings(node, prefix, bits)
        matching = tuple([one for one in strings if one.startswith(prefix)])
        return Found(len(matching), matching) if matching else NOTHING

    def keys(self, prefix: bytes, bits: int, after: bytes) -> Iterator[bytes]:
        """The lookup keys (32 bytes) that begin with the first `bits` bits of `prefix`
        and lie behind `after`, ascending; empty: from the first.

        Opens what finding them needs, and no node behind the last that was taken.
        Raises ProofError where the trie is closed and the walk needs it open.
        """
        low, high = key_span(prefix, bits)
        stack: list[tuple[Node, bytes, int]] = [(self._top, b"", 0)]
        while stack:
            node, above, known = stack.pop()
            first, last = key_span(above, known)
            if last < low or first > high or last <= after:
                continue
            if not isinstance(node, Inner):
                found = [one[:KEY_BYTES] for one in self._strings(node, above, known)]
            else:
                self._open(node)
                found = [node.prefix[:KEY_BYTES]]
                if node.depth < KEY_BYTES * 8:
                    found, below = [], node.depth + 1
                    zero, one = sides(node.prefix, node.depth)
                    stack += ((node.right, one, below), (node.left, zero, below))
            for key in dict.fromkeys(found):
                if low <= key <= high and key > after:
                    yield key

    def _page(self, node: Node, limit: int, shown: list[bytes]) -> None:
        """Open the subtree of `node`, all of whose strings match, up to the limit."""
        stack: list[tuple[Node, bytes, int]] = [(node, b"", 0)]
        while stack and len(shown) < limit:
            node, above, bits = stack.pop()
            if isinstance(node, Inner):
                self._open(node)
                bits = node.depth + 1
                zero, one = sides(node.prefix, node.depth)
                stack += ((node.right, one, bits), (node.left, zero, bits))
            else:
                shown += self._strings(node, above, bits)

    def _open(self, node: Node) -> None:
        self._opened[id(node)] = ()

    def _strings(self, node: Node, above: bytes, bits: int) -> Sequence[bytes]:
        if not isinstance(node, Leaf):
            raise ProofError("the lookup set is closed where an owed lookup leads")
        known = self._opened.get(id(node))
        if known is None:
            joined = node.strings
            if joined is None:
                known = self._load(node, above, bits)
            else:
                known = split_strings(joined)
            self._opened[id(node)] = known
        return known

    def _load(self, leaf: Leaf, above: bytes, bits: int) -> list[bytes]:
        assert self._read is not None
        found = self._read(*span(above.ljust(STRING_SIZE, b"\0"), bits))
        return strings_of(leaf, found)

    def require_no_surplus(self) -> None:
        """Raise ProofError if the trie is open where no lookup led."""
        stack = [self._top]
        while stack:
            node = stack.pop()
            if isinstance(node, Closed):
                continue
            if id(node) not in self._opened:
                raise ProofError("the opening shows more than the owed lookups need")
            if isinstance(node, Inner):
                stack += (node.right, node.left)

    def to_bytes(self) -> bytes:
        """The opening of everything the lookups visited (docs/spec/bundle.md)."""
        parts: list[bytes] = []
        opened, stack = self._opened, [self._top]
        while stack:
            node = stack.pop()
            strings = opened.get(id(node))
            if strings is None:
                parts += (b"\x00", node.hash)
            elif isinstance(node, Inner):
                parts.append(_inner_head(node))
                stack += (node.right, node.left)
            else:
                parts.append(bytes([2, node.count]))
                parts += strings
        return b"".join(parts)


NOTHING = Found(0, ())


def differ(prefix: bytes, other: bytes, bits: int) -> bool:
    """Whether two strings differ within their first `bits` bits."""
    whole, rest = bits >> 3, bits & 7
    if prefix[:whole] != other[:whole]:
        return True
    return rest > 0 and (prefix[whole] ^ other[whole]) >> (8 - rest) > 0


def walk_set(lookup_set: LookupSet, read: StringReader) -> Walk:
    """A walk over the live set; `read` is `LogView.read_strings` of the same view."""
    return Walk(lookup_set.top, read)


def sides(prefix: bytes, depth: int) -> tuple[bytes, bytes]:
    """The lowest strings that begin with the prefix and then bit 0, or bit 1."""
    padded = bytearray(prefix.ljust(STRING_SIZE, b"\0"))
    zero = bytes(padded)
    padded[depth >> 3] |= 1 << (7 - (depth & 7))
    return zero, bytes(padded)


def key_span(prefix: bytes, bits: int) -> tuple[bytes, bytes]:
    """The lowest and the highest lookup key that begin with these bits."""
    low, high = span(prefix.ljust(STRING_SIZE, b"\0"), bits)
    return low[:KEY_BYTES], high[:KEY_BYTES]


def _inner_head(node: Inner) -> bytes:
    return (
        b"\x03"
        + node.depth.to_bytes(2, "big")
        + node.left.count.to_bytes(8, "big")
        + node.right.count.to_bytes(8, "big")
        + node.prefix
    )


def parse_opening(data: bytes, count: int) -> Node:
    """The opened trie of `count` strings; hashes are computed, never taken on trust.

    Raises MalformedError for bytes that no honest prover writes, ProofError where
    labels, order or counts contradict each other.
    """
    if len(data) > MAX_OPENING:
        raise MalformedError(f"opening: {len(data)} bytes, at most {MAX_OPENING}")
    parser = _Parser(data)
    top = parser.node(count, 0, 0)
    if parser.at != len(data):
        raise MalformedError(f"opening: {len(data) - parser.at} bytes too many")
    return top


class _Parser:
    """Every node of every bundle comes through here, hence the flat form."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def node(self, count: int, above: int, bits: int, level: int = 0) -> Node:
        """A node of `count` strings that all begin with the `bits` bits of `above`."""
        if level > MAX_LEVELS:
            raise MalformedError(f"opening: nested more than {MAX_LEVELS} deep")
        data, at = self._data, self.at
        kind = self._take(1)
        if kind == b"\x00":
            return Closed(count, self._take(32))
        if kind == b"\x02":
            return self._leaf(count, above, bits)
        if kind != b"\x03":
            raise MalformedError(f"opening: unknown node kind {kind[0]}")
        depth, left, right = _HEAD.unpack(self._take(_HEAD.size))
        if not bits <= depth < STRING_BITS:
            raise ProofError(f"opening: depth {depth} below depth {bits}")
        if left + right != count or count <= LEAF_MAX or not left or not right:
            raise ProofError(f"opening: {left} and {right} strings do not make {count}")
        prefix = self._take((depth + 7) // 8)
        value, padding = int.from_bytes(prefix, "big"), -depth % 8
        if value & ((1 << padding) - 1):
            raise MalformedError("opening: prefix is not zero-padded")
        value >>= padding
        if value >> (depth - bits) != above:
            raise ProofError("opening: a prefix leaves that of its parent")
        head = data[at : self.at]
        zero = self.node(left, value << 1, depth + 1, level + 1)
        one = self.node(right, value << 1 | 1, depth + 1, level + 1)
        # The bytes of an inner node up here are those that its hash begins with.
        hash_ = sha256(head + zero.hash + one.hash).digest()
        return Inner(depth, prefix, zero, one, hash_)

    def _take(self, size: int) -> bytes:
        start = self.at
        self.at = end = start + size
        if end > len(self._data):
            raise MalformedError(f"opening: ends within a node at byte {start}")
        return self._data[start:end]

    def _leaf(self, count: int, above: int, bits: int) -> Leaf:
        size = self._take(1)[0]
        if size != count or size > LEAF_MAX:
            raise ProofError(f"opening: leaf of {size} strings where {count} belong")
        joined = self._take(size * STRING_SIZE)
        require_ascending(split_strings(joined))
        # They ascend: what the first and the last begin with, all of them do.
        for one in (joined[:STRING_SIZE], joined[-STRING_SIZE:]):
            if one and _value(one, bits) != above:
                raise ProofError("opening: a string lies outside its leaf's prefix")
        return make_leaf(joined)


def _value(string: bytes, bits: int) -> int:
    """The first `bits` bits as a number."""
    return int.from_bytes(string[: (bits + 7) // 8], "big") >> (-bits % 8)


def require_ascending(strings: Sequence[bytes]) -> None:
    """Raise ProofError unless the strings ascend strictly."""
    if not all(map(lt, strings, strings[1:])):
        raise ProofError("opening: strings are not in strictly ascending order")
