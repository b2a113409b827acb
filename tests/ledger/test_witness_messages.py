"""What is said between a log and a witness on a stream: one form each, or malformed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.errors import MalformedError
from byline_ledger.witness_messages import (
    MAX_NAME,
    AskAdd,
    AskLatest,
    AskVkeys,
    added,
    latest,
    parse_added,
    parse_latest,
    parse_vkeys,
    parse_witness_request,
    vkeys,
)


@pytest.mark.parametrize(
    "request_", [AskAdd(b"old 0\n\n", "vkey"), AskLatest("a.example"), AskVkeys()]
)
def test_requests_are_what_was_asked(
    request_: AskAdd | AskLatest | AskVkeys,
) -> None:
    assert parse_witness_request(request_.to_bytes()) == request_


def test_answers_are_what_was_answered() -> None:
    assert parse_added(added(409, b"7\n")) == (409, b"7\n")
    assert parse_latest(latest(b"a note")) == b"a note"
    assert parse_latest(latest(None)) is None
    assert parse_vkeys(vkeys("one", "two")) == ("one", "two")


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (parse_witness_request, []),
        (parse_witness_request, {"vkeys": False}),
        (parse_witness_request, {"add": "text", "vkey": "v"}),
        (parse_witness_request, {"latest": b"bytes"}),
        (parse_witness_request, {"latest": "o" * (MAX_NAME + 1)}),
        (parse_added, {"body": b""}),
        (parse_added, {"body": b"", "status": 99}),
        (parse_added, {"body": b"", "status": 600}),
        (parse_added, {"body": b"", "status": True}),
        (parse_added, {"body": "text", "status": 200}),
        (parse_latest, {"note": "text"}),
        (parse_latest, {"vkey": "v"}),
        (parse_vkeys, {"replay": "r"}),
        (parse_vkeys, {"replay": "r", "witness": b"w"}),
    ],
)
def test_anything_else_is_malformed(
    parse: Callable[[bytes], object], value: Value
) -> None:
    with pytest.raises(MalformedError):
        parse(codec.pack(value))
