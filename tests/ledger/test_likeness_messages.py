"""Questions about likeness and their answers: strict and bounded."""

from __future__ import annotations

import pytest

from byline_ledger import codec
from byline_ledger.errors import MalformedError
from byline_ledger.likeness import Question
from byline_ledger.likeness_messages import (
    MAX_QUESTION,
    Candidates,
    parse_candidates,
    parse_question,
    question_to_bytes,
)
from byline_ledger.windows import PARTS, TURNS

CODE = bytes(range(32))
IMAGE = Question(
    turned=tuple(bytes([turn]) * 32 for turn in range(TURNS)),
    parts=tuple(
        tuple(turn * 100 + part for part in range(len(PARTS))) for turn in range(TURNS)
    ),
    data=CODE,
)
TEXT = Question(text=CODE, chunks=(1, 2**64 - 1), data=CODE[::-1])
QUESTIONS = [IMAGE, TEXT, Question(), Question(turned=IMAGE.turned)]


@pytest.mark.parametrize("asked", QUESTIONS)
def test_a_question_is_read_as_it_was_written(asked: Question) -> None:
    data = question_to_bytes(asked)
    assert parse_question(data) == asked
    assert len(data) <= MAX_QUESTION


def test_the_longest_question_fits() -> None:
    words = tuple(range(512))
    longest = Question(IMAGE.turned, IMAGE.parts, CODE, words, CODE)
    assert parse_question(question_to_bytes(longest)) == longest


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"turned": bytes(32)}, "all its turns"),
        ({"parts": bytes(8)}, "all parts"),
        ({"turned": bytes(256), "parts": bytes(8)}, "all parts"),
        ({"turned": bytes(31)}, "codes of 32 bytes"),
        ({"text": bytes(33)}, "at most 32 bytes"),
        ({"data": bytes(31)}, "codes of 32 bytes"),
        ({"chunks": bytes(7)}, "codes of 8 bytes"),
        ({"chunks": bytes(513 * 8)}, "at most 4096 bytes"),
        ({"chunks": "x"}, "expected chunks"),
        ({"more": b""}, "exactly the keys"),
    ],
)
def test_other_questions_are_malformed(change: dict[str, object], error: str) -> None:
    names = ("chunks", "data", "parts", "text", "turned")
    fields = dict.fromkeys(names, b"") | change
    with pytest.raises(MalformedError, match=error):
        parse_question(codec.pack(fields))  # type: ignore[arg-type]


def test_an_answer_is_read_as_it_was_written() -> None:
    answer = Candidates((b"one", b"two"), 7, 9)
    assert parse_candidates(answer.to_bytes()) == answer


@pytest.mark.parametrize(
    "change", [{"statements": [1]}, {"size": 2**63}, {"searched": b""}, {"more": 1}]
)
def test_other_answers_are_malformed(change: dict[str, object]) -> None:
    fields: dict[str, object] = {"searched": 1, "size": 1, "statements": []}
    with pytest.raises(MalformedError):
        parse_candidates(codec.pack(fields | change))  # type: ignore[arg-type]
