"""What nodes say to each other about alarms, and what is no such thing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from byline_ledger.alarm_messages import (
    MAX_IDS,
    MAX_SHARED,
    AskAlarm,
    AskAlarms,
    alarm_answer,
    alarm_ids_answer,
    parse_alarm_answer,
    parse_alarm_ids,
    parse_alarm_request,
)
from byline_ledger.codec import pack
from byline_ledger.errors import MalformedError

IDS = [bytes([number]) * 32 for number in range(3)]


@pytest.mark.parametrize("request_", [AskAlarms(), AskAlarm(IDS[1])])
def test_requests_come_back_from_their_bytes(request_: AskAlarms | AskAlarm) -> None:
    assert parse_alarm_request(request_.to_bytes()) == request_


def test_answers_come_back_from_their_bytes() -> None:
    assert parse_alarm_ids(alarm_ids_answer(IDS)) == IDS
    assert parse_alarm_ids(alarm_ids_answer([])) == []
    assert parse_alarm_answer(alarm_answer(b"an alarm")) == b"an alarm"
    assert parse_alarm_answer(alarm_answer(None)) == b""
    largest = bytes(MAX_SHARED)
    assert parse_alarm_answer(alarm_answer(largest)) == largest


def test_no_more_ids_are_told_than_are_read() -> None:
    many = [number.to_bytes(32, "big") for number in range(MAX_IDS + 5)]
    assert parse_alarm_ids(alarm_ids_answer(many)) == many[:MAX_IDS]


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (parse_alarm_request, b""),
        (parse_alarm_request, pack("alarms")),
        (parse_alarm_request, pack({"ask": "alarm"})),
        (parse_alarm_request, pack({"ask": "other"})),
        (parse_alarm_request, pack({"ask": "alarms", "id": IDS[0]})),
        (parse_alarm_request, pack({"ask": "alarm", "id": b"short"})),
        (parse_alarm_request, pack({"ask": "alarm", "id": "x" * 32})),
        (parse_alarm_request, pack({"ask": "alarm", "id": bytes(200)})),
        (parse_alarm_ids, pack([])),
        (parse_alarm_ids, pack({"ids": b"x"})),
        (parse_alarm_ids, pack({"ids": []})),
        (parse_alarm_ids, pack({"ids": b"", "more": 1})),
        (parse_alarm_ids, pack({"ids": bytes((MAX_IDS + 3) * 32)})),
        (parse_alarm_answer, pack({"alarm": "text"})),
        (parse_alarm_answer, pack({"alarm": b"", "x": b""})),
        (parse_alarm_answer, pack({"alarm": bytes(MAX_SHARED + 100)})),
    ],
)
def test_other_bytes_are_malformed(
    parse: Callable[[bytes], object], data: bytes
) -> None:
    with pytest.raises(MalformedError):
        parse(data)
