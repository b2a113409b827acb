"""Places in a lookup set: what is there, on our side or on a peer's.

Rule: a trie is canonical, so two sets that hold the same strings at a place have the
same hash there, however different they are elsewhere; and a hash that is proven to be
the peer's proves what it has.  Specification: docs/spec/network.md, "Set".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from byline_ledger.lookup_set import (
    EMPTY_SET_ROOT,
    STRING_SIZE,
    Inner,
    LookupSet,
    Node,
    bit_at,
    span,
    strings_hash,
)
from byline_ledger.opening import differ
from byline_ledger.set_messages import Place

ROOT = Place(0, b"")


class SetReader(Protocol):
    """What is needed of a log's view (`log.LogView`)."""

    @property
    def lookup_set(self) -> LookupSet: ...
    def read_strings(self, low: bytes, high: bytes, /) -> list[bytes]: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """What a peer's commitment says of one place."""

    place: Place
    count: int
    hash: bytes


def subtree(top: Node, place: Place) -> Node | None:
    """The smallest subtree that holds all strings at the place: an inner node holds no
    others, a leaf may; None if there are no strings."""
    node = top
    while isinstance(node, Inner):
        shared = min(node.depth, place.bits)
        if differ(place.prefix, node.prefix, shared):
            return None
        if node.depth >= place.bits:
            return node
        node = node.right if bit_at(place.prefix, node.depth) else node.left
    return node


def strings_at(log: SetReader, place: Place) -> list[bytes]:
    """All strings of our set at the place, ascending."""
    return log.read_strings(*span(place.prefix.ljust(STRING_SIZE, b"\0"), place.bits))


def is_known(log: SetReader, claim: Claim) -> bool:
    """Whether our set has at this place what the peer's has, and nothing else."""
    node = subtree(log.lookup_set.top, claim.place)
    if node is None:
        return claim.hash == EMPTY_SET_ROOT
    if isinstance(node, Inner):
        return node.hash == claim.hash
    if claim.count > node.count:
        return False
    return strings_hash(b"".join(strings_at(log, claim.place))) == claim.hash
