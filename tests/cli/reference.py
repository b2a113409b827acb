"""Writes docs/cli.md from what `--help` says: `python -m tests.cli.reference`.

The text about exit codes, variables and JSON is in reference_head.md beside this file;
test_reference.py fails when the page is out of date.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from byline_cli.main import COMMANDS, app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"

HEAD = Path(__file__).with_name("reference_head.md")


def command_lines() -> Iterator[list[str]]:
    """Every command that has a help of its own."""
    yield []
    for name in COMMANDS:
        yield [name]
        group: Any = get_command(app)
        for inner, command in commands_of(group.get_command(None, name)).items():
            yield [name, inner]
            yield from ([name, inner, one] for one in commands_of(command))


def commands_of(group: Any) -> dict[str, Any]:
    """The commands of a group; none if it is a command itself."""
    return dict(getattr(group, "commands", {}))


def help_of(arguments: list[str]) -> str:
    """What `byline ARGUMENTS --help` prints on a terminal of 80 columns."""
    printed = io.StringIO()
    os.environ["COLUMNS"] = "80"
    with contextlib.redirect_stdout(printed):
        get_command(app)(
            [*arguments, "--help"], prog_name="byline", standalone_mode=False
        )
    return printed.getvalue().rstrip()


def make_page() -> str:
    """The whole page."""
    parts = [HEAD.read_text("utf-8"), "\n## Commands\n"]
    for arguments in command_lines():
        title = " ".join(["byline", *arguments])
        parts.append(f"\n### {title}\n\n```\n{help_of(arguments)}\n```\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(make_page(), "utf-8")
    print(f"wrote {PAGE}")
