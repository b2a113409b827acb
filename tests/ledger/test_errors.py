"""What every error can tell."""

from __future__ import annotations

from byline_ledger.errors import BylineError


def test_most_errors_have_nothing_further_for_programs() -> None:
    assert BylineError("a message", hint="a hint").details() == {}
