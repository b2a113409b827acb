"""Opened nodes of a lookup set: one spelling, and a hash over all that it says."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_ledger.errors import MalformedError, ProofError
from byline_ledger.lookup_set import Inner, LookupSet
from byline_ledger.set_messages import Place
from byline_ledger.set_nodes import open_claim, open_node
from byline_ledger.set_places import ROOT, Claim, subtree

HASH = bytes(range(32))
CLOSED = b"\0" + HASH


def strings(*firsts: bytes) -> list[bytes]:
    return sorted({one.ljust(72, b"\x55") for one in firsts})


def claim_of(top: Inner, place: Place = ROOT) -> Claim:
    node = subtree(top, place)
    assert isinstance(node, Inner)
    return Claim(place, node.count, node.hash)


def top_of(held: list[bytes]) -> Inner:
    top = LookupSet.build(held).top
    assert isinstance(top, Inner)
    return top


@given(
    st.sets(st.binary(min_size=3, max_size=3), min_size=17, max_size=200),
    st.binary(max_size=4),
    st.integers(1, 8),
)
def test_what_is_opened_is_claimed_of_the_places_below(
    firsts: set[bytes], shared: bytes, levels: int
) -> None:
    """Every place's count and hash are those of the set; down to the last level."""
    held = strings(*(shared + one for one in firsts))
    top = top_of(held)
    claims = open_claim(claim_of(top), open_node(top, ROOT, levels))
    assert sum(one.count for one in claims) == len(held)
    for one in claims:
        node = subtree(top, one.place)
        assert node is not None
        assert (node.count, node.hash) == (one.count, one.hash)
        if isinstance(node, Inner):
            again = open_claim(one, open_node(node, one.place, levels))
            assert sum(below.count for below in again) == one.count


@given(st.binary(max_size=80), st.integers(0, 575), st.integers(0, 2**64))
def test_any_bytes_open_or_are_refused(data: bytes, bits: int, count: int) -> None:
    claim = Claim(Place.of(bytes(72), bits), count, HASH)
    with suppress(MalformedError, ProofError):
        open_claim(claim, data)


@given(st.data())
def test_what_was_changed_is_refused(data: st.DataObject) -> None:
    top = top_of(strings(*(bytes([7, i, i]) for i in range(0, 240, 3))))
    good = open_node(top, ROOT, 3)
    at = data.draw(st.integers(0, len(good) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :]
    with pytest.raises((MalformedError, ProofError)):
        open_claim(claim_of(top), changed)


@pytest.mark.parametrize(
    ("opening", "error"),
    [
        (b"", MalformedError),
        (b"\x05", MalformedError),
        (b"\x00" + HASH[1:], MalformedError),
        (CLOSED, ProofError),
        (CLOSED + b"\0", MalformedError),
        (b"\x03\x00" + CLOSED * 2, ProofError),
        (b"\x03\x14" + CLOSED * 2, ProofError),
        (b"\x03\x80\x00" + CLOSED * 2, MalformedError),
        (b"\x03" + b"\xff" * 10 + CLOSED * 2, MalformedError),
        (b"\x04\x00\x01" + CLOSED * 2, MalformedError),
        (b"\x04\xc0\x04" + bytes(72) + b"\x01" + CLOSED * 2, MalformedError),
        (b"\x04\xbf\x04" + bytes(72) + b"\x01" + CLOSED * 2, ProofError),
        (b"\x04\x01\x40\x01" + CLOSED * 2, MalformedError),
        (b"\x03\x01" * 9 + CLOSED * 10, (MalformedError, ProofError)),
    ],
)
def test_other_openings_are_refused(
    opening: bytes, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    claim = Claim(Place(1, b"\x80"), 20, HASH)
    with pytest.raises(error):
        open_claim(claim, opening)


def test_an_opening_is_at_most_eight_levels_deep() -> None:
    claim = Claim(ROOT, 2**60, HASH)
    opening = CLOSED
    for _ in range(9):
        opening = b"\x03" + b"\x01" + CLOSED + opening
    with pytest.raises(MalformedError, match="too deep"):
        open_claim(claim, opening)
