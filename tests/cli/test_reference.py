"""docs/cli.md is what `--help` says now."""

from __future__ import annotations

import pytest
from tests.cli.reference import PAGE, command_lines, help_of, make_page


@pytest.fixture(autouse=True)
def columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The width that the page is written for, put back afterwards."""
    monkeypatch.setenv("COLUMNS", "80")


def test_the_page_is_current() -> None:
    """To mend it: python -m tests.cli.reference."""
    assert make_page() == PAGE.read_text("utf-8")


@pytest.mark.parametrize("arguments", list(command_lines()), ids=" ".join)
def test_every_command_explains_itself(arguments: list[str]) -> None:
    """A sentence, and a line for each option."""
    text = help_of(arguments)
    assert text.startswith(f"Usage: {' '.join(['byline', *arguments])} ")
    body = text.split("\n\n", 1)[1]
    assert body.strip()[0].isupper()
    for row in text.splitlines():
        assert len(row) <= 80
