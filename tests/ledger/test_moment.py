"""Moments are those of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_ledger.moment import LATEST, utc


@given(st.integers(0, LATEST))
def test_moments_are_those_of_the_calendar(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert utc(seconds) == f"{moment:%Y-%m-%d %H:%M} UTC".rjust(20, "0")


@pytest.mark.parametrize("seconds", [-1, LATEST + 1, 2**63 - 1])
def test_beyond_the_calendar_it_is_the_number(seconds: int) -> None:
    assert utc(seconds) == f"Unix second {seconds}"
