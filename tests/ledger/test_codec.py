"""Canonical MessagePack (docs/spec/statement.md, "Encoding")."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import strategies
from tests.support.vectors import as_expected, cases, load

from byline_ledger.codec import join_array, pack, split_array, split_map, unpack
from byline_ledger.errors import MalformedError, UsageError

SOUND = [
    bytes.fromhex(case["bytes"])
    for case in load("statement.json")["encodings"]
    if case["expect"] == "ok"
]


def decode(data: bytes, *, max_size: int = 16_384, max_depth: int = 6) -> Any:
    return unpack(data, max_size=max_size, max_depth=max_depth, what="value")


def split(data: bytes, max_items: int = 1000) -> list[bytes]:
    return split_array(data, max_size=1 << 20, max_items=max_items)


@cases("statement.json", "encodings")
def test_vector(case: dict[str, Any]) -> None:
    """Canonical bytes decode and encode to themselves; all others are malformed."""
    data = bytes.fromhex(case["bytes"])
    with as_expected(case):
        assert pack(decode(data)) == data


@given(strategies.values)
def test_round_trip(value: Any) -> None:
    """Every value has one encoding, which decodes to the value."""
    assert decode(pack(value), max_size=1 << 20, max_depth=64) == value


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_malformed(data: bytes) -> None:
    """Whatever a stranger sends is either canonical or a MalformedError."""
    try:
        value = decode(data)
    except MalformedError:
        return
    assert pack(value) == data


@given(st.sampled_from(SOUND), st.data())
def test_mutated_bytes_decode_or_are_malformed(sound: bytes, data: Any) -> None:
    """So are canonical bytes with a byte changed, dropped or put in."""
    at = data.draw(st.integers(0, len(sound) - 1))
    instead = data.draw(st.binary(max_size=3))
    mutated = sound[:at] + instead + sound[at + 1 :]
    try:
        value = decode(mutated)
    except MalformedError:
        return
    assert pack(value) == mutated


def test_size_limit() -> None:
    """Bytes above the limit are refused, whatever they say; at the limit they count."""
    assert decode(pack(b"x" * 10), max_size=12) == b"x" * 10
    with pytest.raises(MalformedError, match="at most 12 bytes, got 13"):
        decode(pack(b"x" * 11), max_size=12)


def test_depth_limit() -> None:
    """A scalar has depth 0, a map or array of scalars depth 1."""
    assert decode(b"\x01", max_depth=0) == 1
    assert decode(pack({"a": [1]}), max_depth=2) == {"a": [1]}
    for data, depth in ((b"\x90", 0), (b"\x80", 0), (pack({"a": [1]}), 1)):
        with pytest.raises(MalformedError, match=f"at most {depth} nested"):
            decode(data, max_depth=depth)


def test_announced_sizes_cost_no_memory() -> None:
    """Arrays announced in each other, but not there, are refused unallocated."""
    bomb = b"\xdd\x00\x7f\xff\xff" * 1000 + bytes(1 << 23)
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError):
            decode(bomb, max_size=1 << 24)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(bomb)


def test_message_names_the_thing_and_not_its_bytes() -> None:
    """An error says what was read; bytes of a stranger are not quoted."""
    with pytest.raises(MalformedError) as caught:
        unpack(b"\xa4\xffbad", max_size=9, max_depth=1, what="parcel")
    assert str(caught.value).startswith("parcel: expected canonical MessagePack")
    assert "bad" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        -1,
        2**64,
        1.5,
        None,
        "\ud800",
        {1: 2},
        {b"a": 1},
        {"a": None},
        {1, 2},
        bytearray(b"x"),
        [[1.0]],
        {"a": 1, 2: 2},
    ],
)
def test_values_without_encoding(value: Any) -> None:
    """What the format cannot say is the caller's mistake."""
    with pytest.raises(UsageError):
        pack(value)


def test_values_too_deep_to_encode() -> None:
    """A value that contains itself ends in an error, not in the stack."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(UsageError, match="nested"):
        pack(endless)


def test_maps_are_sorted_at_every_level() -> None:
    """The order in which a map was made does not matter."""
    one = {"b": {"z": 1, "a": (2,)}, "a": 0}
    assert pack(one) == pack({"a": 0, "b": {"a": [2], "z": 1}})


@given(st.lists(strategies.values.map(pack), max_size=20))
def test_array_is_split_and_joined(elements: list[bytes]) -> None:
    """Elements come out byte for byte as they went in."""
    data = join_array(elements)
    assert split(data) == elements


def test_split_keeps_elements_that_are_not_canonical() -> None:
    """Judging an element is its reader's business: its bytes are kept as received."""
    assert split(b"\x92\xcc\x01\xc0") == [b"\xcc\x01", b"\xc0"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        b"\x01",
        b"\x91",
        b"\x91\xc1",
        b"\x90\x00",
        b"\x92\x01",
        b"\xdc\x00\x01\x01",
        b"\xdd\x00\x00\x00\x01\x01",
        b"\x91" * 3000,
        b"\xdd\xff\xff\xff\xff",
    ],
)
def test_split_refuses(data: bytes) -> None:
    """Something else, truncated, trailing or in a long form."""
    with pytest.raises(MalformedError):
        split(data)


def test_split_limits() -> None:
    """Both the bytes and the number of elements are bounded."""
    assert len(split(pack([1] * 1000))) == 1000
    with pytest.raises(MalformedError, match="at most 1000 elements, got 1001"):
        split(pack([1] * 1001))
    with pytest.raises(MalformedError, match="at most 3 bytes, got 4"):
        split_array(pack([1, 2, 3]), max_size=3, max_items=9)


@given(st.binary(max_size=100))
def test_split_any_bytes(data: bytes) -> None:
    """Any bytes are an array or malformed."""
    try:
        elements = split(data)
    except MalformedError:
        return
    assert join_array(elements) == data


@given(st.dictionaries(strategies.texts, strategies.values, max_size=18))
def test_map_is_split(fields: dict[str, Any]) -> None:
    """The values of a map come out byte for byte, in the order of their keys."""
    found = split_map(pack(fields), max_size=1 << 20, max_items=18)
    assert list(found) == sorted(fields)
    assert found == {key: pack(value) for key, value in fields.items()}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x90",
        b"\x81\xa1a",
        b"\x81\xa1a\x01\x01",
        b"\x81\x01\x01",
        b"\x81\xd9\x01a\x01",
        b"\x82\xa1b\x01\xa1a\x01",
        b"\x82\xa1a\x01\xa1a\x01",
        b"\xde\x00\x01\xa1a\x01",
        b"\xdf\xff\xff\xff\xff",
        pack({chr(97 + n): n for n in range(4)}),
        pack({"a": "x" * 100}),
    ],
)
def test_split_map_refuses(data: bytes) -> None:
    """Another type, truncated, trailing, unsorted, in a long form, or past a limit."""
    with pytest.raises(MalformedError):
        split_map(data, max_size=50, max_items=3)


def test_split_map_keeps_values_that_are_not_canonical() -> None:
    """Judging a value is its reader's business."""
    assert split_map(b"\x81\xa1a\xcc\x01", max_size=9, max_items=1) == {
        "a": b"\xcc\x01"
    }
