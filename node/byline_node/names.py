"""Checking names: the fetches that a check asks for, and the result with its date.

Rule (docs/spec/names.md): only when somebody asks, never while an answer is verified.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from byline_ledger.name_check import (
    UNREACHABLE,
    Fetched,
    Finding,
    Question,
    check_name,
)
from byline_ledger.name_proofs import NameProof
from byline_node.name_dns import txt_records
from byline_node.name_fetch import Ways, fetch

NAME_SECONDS: Final = 40.0
"""For one name, whatever it takes."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check, and when by the checker's clock (Unix milliseconds)."""

    time: int
    finding: Finding


def check(proof: NameProof, key: bytes, ways: Ways | None = None) -> Checked:
    """Look now whether the name names the key (32 bytes); takes NAME_SECONDS at most.

    Whether the key's profile claims the name is the caller's to know.
    """
    ways = Ways() if ways is None else ways
    end = time.monotonic() + NAME_SECONDS
    looking = check_name(proof, key)
    try:
        question = next(looking)
        while True:
            question = looking.send(_answer(question, ways, end))
    except StopIteration as stop:
        finding: Finding = stop.value
    return Checked(time.time_ns() // 1_000_000, finding)


def _answer(question: Question, ways: Ways, end: float) -> Fetched:
    if time.monotonic() >= end:
        return Fetched(failed=f"{question}: no answer in time")
    if question.url:
        return fetch(question.url, ways, end)
    return txt_records(question.txt, ways.name_server, end)


def is_known(checked: Checked) -> bool:
    """Whether the result says anything about the name."""
    return checked.finding.outcome != UNREACHABLE
