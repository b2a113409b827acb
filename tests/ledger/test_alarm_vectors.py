"""docs/spec/alarm.md and its vectors: reproducible, and what the program does."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from tests.support.vectors import VECTORS, load, raw

from byline_ledger.alarm import Alarm
from byline_ledger.errors import (
    MalformedError,
    UnsupportedError,
    VerificationError,
)

CASES = [(group, case) for group, some in load("alarm.json").items() for case in some]


def of(*outcomes: str) -> pytest.MarkDecorator:
    """Parametrised over the cases with one of these outcomes."""
    found = [case for _group, case in CASES if case["expect"] in outcomes]
    return pytest.mark.parametrize("case", found, ids=[one["name"] for one in found])


def test_the_vectors_are_what_the_naive_generator_writes() -> None:
    """The committed file is the generator's, to the byte."""
    command = [sys.executable, str(VECTORS / "generate_alarm.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_each_kind_has_alarms_that_hold_and_that_do_not() -> None:
    for group in load("alarm.json"):
        outcomes = {case["expect"] for name, case in CASES if name == group}
        assert {"ok", "verification"} <= outcomes, group
    names = [case["name"] for _group, case in CASES]
    assert len(set(names)) == len(names)


@of("ok")
def test_what_holds(case: dict[str, Any]) -> None:
    data = raw(case["alarm"])
    alarm = Alarm.from_bytes(data)
    assert alarm.to_bytes() == data
    finding = alarm.verify()
    assert (finding.kind, finding.origin) == (case["kind"], case["origin"])
    assert finding.vkey == alarm.vkey
    assert "\n" not in finding.text


@of("verification")
def test_what_proves_nothing(case: dict[str, Any]) -> None:
    """It parses, so that whoever made it can be told why it does not hold."""
    data = raw(case["alarm"])
    alarm = Alarm.from_bytes(data)
    assert alarm.to_bytes() == data
    with pytest.raises(VerificationError):
        alarm.verify()


@of("malformed", "unsupported")
def test_what_is_no_alarm(case: dict[str, Any]) -> None:
    kind = UnsupportedError if case["expect"] == "unsupported" else MalformedError
    with pytest.raises(kind):
        Alarm.from_bytes(raw(case["alarm"]))
