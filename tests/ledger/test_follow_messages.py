"""Follow messages and cursors: one spelling each, and no other exception."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_ledger import codec
from byline_ledger.cursor import Cursor
from byline_ledger.errors import MalformedError
from byline_ledger.follow_messages import (
    MAX_IDS,
    AskCommitment,
    AskEntries,
    AskHead,
    AskMeet,
    AskNext,
    AskStatements,
    Commitment,
    Entries,
    Envelopes,
    Equal,
    Head,
    Met,
    News,
    Refusal,
    Request,
    Response,
    Same,
    parse_request,
    parse_response,
)
from byline_ledger.gossip import sift_batch
from byline_ledger.set_messages import (
    AskLeaves,
    AskNodes,
    Place,
    SetLeaves,
    SetNodes,
    bitmap,
    parse_bitmap,
)

HASH = b"h" * 32
SIZES = st.integers(0, 2**63 - 1)
HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=5).map(tuple)
BINARY = st.binary(max_size=300)
BINARIES = st.lists(st.binary(max_size=50), max_size=5).map(tuple)

PLACES = st.lists(
    st.builds(Place.of, st.binary(min_size=72, max_size=72), st.integers(0, 576)),
    max_size=5,
).map(tuple)
DIGESTS = st.lists(st.binary(min_size=8, max_size=8), max_size=3).map(tuple)
STRINGS = st.lists(st.sampled_from([b"", bytes(72), bytes(144)]), max_size=4).map(tuple)

REQUESTS = st.one_of(
    st.builds(AskHead, SIZES),
    st.builds(AskCommitment, SIZES),
    st.builds(AskEntries, SIZES, SIZES),
    st.builds(AskStatements, HASHES.filter(bool)),
    st.builds(AskMeet, st.sampled_from([b"", HASH])),
    st.builds(AskNext, SIZES),
    st.builds(AskNodes, SIZES, PLACES.filter(bool), st.integers(1, 8)),
    PLACES.filter(bool).flatmap(
        lambda places: st.builds(
            AskLeaves, SIZES, st.just(places), st.tuples(*[DIGESTS] * len(places))
        )
    ),
)
RESPONSES = st.one_of(
    st.builds(Same),
    st.builds(Head, st.binary(max_size=300), st.text(max_size=100), HASHES),
    st.builds(Commitment, st.binary(max_size=41), HASHES),
    st.builds(Entries, BINARIES, HASHES),
    st.builds(Envelopes, BINARIES),
    st.builds(Equal),
    st.builds(
        Met,
        st.binary(max_size=300),
        st.text(max_size=99),
        st.binary(max_size=41),
        HASHES,
    ),
    st.builds(News, st.binary(max_size=300), BINARIES, HASHES),
    st.builds(SetNodes, BINARIES),
    STRINGS.map(lambda strings: SetLeaves((b"",) * len(strings), strings)),
    st.builds(Refusal, st.text(max_size=200)),
)


@given(REQUESTS)
def test_requests_round_trip(
    request: Request,
) -> None:
    assert parse_request(request.to_bytes()) == request


@given(RESPONSES)
def test_responses_round_trip(
    response: Response,
) -> None:
    assert parse_response(response.to_bytes()) == response


def parses_or_is_malformed(data: bytes) -> None:
    for parse in (
        parse_request,
        parse_response,
        Cursor.from_bytes,
        lambda data: sift_batch(data, lambda _: False),
    ):
        with suppress(MalformedError):
            parse(data)


@given(st.lists(st.booleans(), max_size=64))
def test_bitmaps_round_trip(flags: list[bool]) -> None:
    assert parse_bitmap(bitmap(flags), len(flags)) == flags


@pytest.mark.parametrize(("data", "count"), [(b"", 1), (b"\x01", 7), (b"\0\0", 8)])
def test_other_bitmaps_are_malformed(data: bytes, count: int) -> None:
    with pytest.raises(MalformedError):
        parse_bitmap(data, count)


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_are_malformed(data: bytes) -> None:
    parses_or_is_malformed(data)


VALUES = st.recursive(
    st.one_of(st.booleans(), SIZES, st.binary(max_size=40), st.text(max_size=10)),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(
    [
        "ask",
        "from",
        "size",
        "start",
        "ids",
        "same",
        "note",
        "proof",
        "vkey",
        "entry",
        "frontier",
        "entries",
        "envelopes",
        "error",
        "commitment",
        "count",
        "gaps",
        "v",
        "root",
        "equal",
        "nodes",
        "levels",
        "leaves",
        "digests",
        "absent",
        "strings",
    ]
)
KINDS = st.sampled_from(
    ["meet", "next", "head", "commitment", "entries", "statements", "nodes", "leaves"]
)


@given(st.dictionaries(KEYS, st.one_of(VALUES, KINDS), max_size=8))
def test_any_map_parses_or_is_malformed(fields: dict[str, codec.Value]) -> None:
    parses_or_is_malformed(codec.pack(fields))


CURSOR = {
    "commitment": b"",
    "count": 0,
    "frontier": [],
    "gaps": b"",
    "note": b"",
    "size": 0,
    "v": 1,
    "vkey": "",
}


@given(st.sampled_from(sorted(CURSOR)), VALUES)
def test_a_damaged_cursor_is_malformed(name: str, value: codec.Value) -> None:
    parses_or_is_malformed(codec.pack(CURSOR | {name: value}))


@pytest.mark.parametrize(
    "fields",
    [
        {"ask": "tail", "from": 0},
        {"ask": "head"},
        {"ask": "head", "from": 2**63},
        {"ask": "head", "from": b"0"},
        {"ask": "head", "from": 0, "to": 1},
        {"ask": "entries", "size": 1},
        {"ask": "statements", "ids": b""},
        {"ask": "statements", "ids": HASH[1:]},
        {"ask": "statements", "ids": HASH * (MAX_IDS + 1)},
        {"ask": "statements", "ids": [HASH]},
        {"from": 0},
    ],
)
def test_other_requests_are_malformed(fields: dict[str, codec.Value]) -> None:
    with pytest.raises(MalformedError):
        parse_request(codec.pack(fields))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"same": False},
        {"same": True, "size": 1},
        {"envelopes": ["text"]},
        {"envelopes": [b""] * (MAX_IDS + 1)},
        {"entries": [b""], "proof": [HASH[1:]]},
        {"entries": [b""], "proof": [HASH] * 200},
        {"entry": b"x" * 65, "frontier": []},
        {"note": b"", "proof": [], "vkey": b""},
    ],
)
def test_other_responses_are_malformed(fields: dict[str, codec.Value]) -> None:
    with pytest.raises(MalformedError):
        parse_response(codec.pack(fields))


def test_a_refusal_is_as_short_as_any_reader_may_expect() -> None:
    """One that was cut when it was written again parsed once."""
    said = codec.pack({"error": "x" * 200})
    assert parse_response(said).to_bytes() == said
    with pytest.raises(MalformedError, match="at most 200 characters"):
        parse_response(codec.pack({"error": "x" * 201}))
