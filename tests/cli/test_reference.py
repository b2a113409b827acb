"""docs/cli.md is what `--help` says now."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from tests.cli.reference import PAGE, command_lines, help_of, make_page
from typer.main import get_command

from byline_cli.main import app


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


def test_every_example_is_a_command_line() -> None:
    """Its command is there and takes what it is given; nothing is run."""
    found = [one for arguments in command_lines() for one in examples_in(arguments)]
    assert len(found) > 30
    for line in found:
        name, *given = shlex.split(line)
        assert name == "byline"
        context: Any = None
        command: Any = get_command(app)
        while hasattr(command, "resolve_command"):
            context = command.make_context(
                None, list(given), parent=context, resilient_parsing=True
            )
            given = context._protected_args + context.args
            _, command, given = command.resolve_command(context, given)
        command.make_context(None, list(given), parent=context)


def examples_in(arguments: list[str]) -> list[str]:
    """The command lines below a help text."""
    _, _, below = help_of(arguments).partition("Examples:\n")
    return [line.strip() for line in below.splitlines()]
