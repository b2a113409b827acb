"""Moments as people type them: a day, a day and a time, or so much time from now."""

from __future__ import annotations

import re

from byline_cli.connect import now_ms
from byline_cli.naming import parse_time
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.statement import MAX_TIME

SPAN = re.compile(r"([1-9][0-9]{0,5})([mhdwy])")
MINUTE = 60_000
SPANS = {
    "m": MINUTE,
    "h": 60 * MINUTE,
    "d": 1440 * MINUTE,
    "w": 7 * 1440 * MINUTE,
    "y": 365 * 1440 * MINUTE,
}
FORMS = "such as 2027-01-31, 2027-01-31T12:00Z, or 90d for 90 days from now"


def parse_moment(option: str, text: str, now: int) -> int:
    """Unix milliseconds of a time, or of so long after `now`: `90d`, `12h`, `8w`;
    `option` is blamed for what is none."""
    span = SPAN.fullmatch(text)
    try:
        found = now + int(span[1]) * SPANS[span[2]] if span else parse_time(text)
    except MalformedError:
        found = -1
    if not 0 <= found <= MAX_TIME:
        raise UsageError(f"{option}: expected a moment, got {text[:80]!a}", hint=FORMS)
    return found


def parse_end(text: str, now: int) -> int:
    """The moment behind --until; UsageError if it is over at `now`."""
    end = parse_moment("--until", text, now)
    if end <= now:
        raise UsageError(f"--until {text}: that is over", hint="name a later time")
    return end


def optional_end(text: str | None) -> int | None:
    """The same from now on, where nothing may be said."""
    return None if text is None else parse_end(text, now_ms())


def optional_moment(option: str, text: str | None) -> int | None:
    """The same from now on, where nothing may be said."""
    return None if text is None else parse_moment(option, text, now_ms())
