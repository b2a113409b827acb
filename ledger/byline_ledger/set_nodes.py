"""Opened nodes of a lookup set, as short as their hashes let them be.

    00 || hash (32)                                     a closed node
    03 || left                                          an inner node
    04 || skip || label (ceil(skip / 8)) || left        one whose label goes on

then the nodes of both sides.  `left` (how many strings are on the side of bit 0) and
`skip` (1 or more: how many bits all strings share beyond the place) are LEB128 of the
shortest form; the label is those bits, zero-padded.  What a hash covers beside them,
count and prefix, the reader knows.  Specification: docs/spec/network.md, "Set".
"""

from __future__ import annotations

from byline_ledger.errors import MalformedError, ProofError
from byline_ledger.lookup_set import LEAF_MAX, STRING_BITS, Inner, Node, inner_hash
from byline_ledger.set_messages import MAX_LEVELS, Place
from byline_ledger.set_places import Claim

CLOSED, PLAIN, LABELLED = b"\x00", b"\x03", b"\x04"
MAX_NUMBER_BYTES = 9


def open_node(node: Node, place: Place, levels: int) -> bytes:
    """The node at the place, by so many levels; leaves stay closed."""
    parts: list[bytes] = []
    stack = [(node, place.bits, levels)]
    while stack:
        node, bits, left = stack.pop()
        if isinstance(node, Inner) and left:
            parts.append(_head(node, bits))
            below = node.depth + 1
            stack += ((node.right, below, left - 1), (node.left, below, left - 1))
        else:
            parts.append(CLOSED + node.hash)
    return b"".join(parts)


def _head(node: Inner, bits: int) -> bytes:
    skip, left = node.depth - bits, _number(node.left.count)
    if not skip:
        return PLAIN + left
    prefix = int.from_bytes(node.prefix, "big") >> (-node.depth % 8)
    return LABELLED + _number(skip) + _padded(prefix & ((1 << skip) - 1), skip) + left


def _number(value: int) -> bytes:
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    return bytes([*data, value])


def _padded(value: int, bits: int) -> bytes:
    """So many bits, zero-padded to whole bytes."""
    return (value << (-bits % 8)).to_bytes((bits + 7) // 8, "big")


def open_claim(claim: Claim, opening: bytes) -> list[Claim]:
    """What the opening of a claimed node claims of the places below.

    Raises MalformedError, and ProofError where it is the opening of something else.
    """
    reader = _Reader(opening)
    place = claim.place
    prefix = int.from_bytes(place.prefix, "big") >> (-place.bits % 8)
    found = reader.node(place.bits, prefix, claim.count, 0)
    if reader.at != len(opening):
        raise MalformedError(f"a node: {len(opening) - reader.at} bytes too many")
    if found != claim.hash or opening[:1] == CLOSED:
        raise ProofError("what is shown of the lookup set is not what was committed to")
    return reader.claims


class _Reader:
    """Computes the hash of what it reads."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0
        self.claims: list[Claim] = []

    def node(self, bits: int, prefix: int, count: int, level: int) -> bytes:
        """The hash of a node of `count` strings that begin with `bits` bits `prefix`.

        One frame per level, of at most 8.
        """
        kind = self._take(1)
        if kind == CLOSED:
            hash_ = self._take(32)
            place = Place(bits, _padded(prefix, bits))
            self.claims.append(Claim(place, count, hash_))
            return hash_
        if kind not in (PLAIN, LABELLED) or level == MAX_LEVELS:
            raise MalformedError(f"a node: unknown kind {kind[0]}, or too deep")
        skip, label = self._label() if kind == LABELLED else (0, 0)
        depth, prefix, left = bits + skip, prefix << skip | label, self._number()
        if depth >= STRING_BITS or count <= LEAF_MAX or not 0 < left < count:
            raise ProofError(f"{left} of {count} strings cannot part at bit {depth}")
        hashes = (
            self.node(depth + 1, prefix << 1, left, level + 1),
            self.node(depth + 1, prefix << 1 | 1, count - left, level + 1),
        )
        return inner_hash(depth, _padded(prefix, depth), left, count - left, *hashes)

    def _label(self) -> tuple[int, int]:
        skip = self._number()
        if not 0 < skip < STRING_BITS:
            raise MalformedError(f"a node: a label of {skip} bits")
        padded = int.from_bytes(self._take((skip + 7) // 8), "big")
        label = padded >> (-skip % 8)
        if label << (-skip % 8) != padded:
            raise MalformedError("a node: expected a label that is padded with zeros")
        return skip, label

    def _number(self) -> int:
        value = 0
        for shift in range(0, 7 * MAX_NUMBER_BYTES, 7):
            (byte,) = self._take(1)
            value |= (byte & 127) << shift
            if byte < 128:
                if not byte and shift:
                    break
                return value
        raise MalformedError("a node: expected a number in its shortest form")

    def _take(self, size: int) -> bytes:
        chunk = self._data[self.at : self.at + size]
        if len(chunk) != size:
            raise MalformedError(f"a node: ends at byte {len(self._data)}")
        self.at += size
        return chunk
