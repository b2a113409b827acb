"""Groups of commands of which one may go unnamed: `byline consent PATH` is `byline
consent check PATH`."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer

from byline_cli.options import MEANT, Group, make_app

WORD = re.compile(r"[a-z]{3,}")
NEAR = 0.8
"""How much a word must be like a command for being one that was mistyped."""


def app_with_default(help_text: str, default: str) -> typer.Typer:
    """A group; where the first word names none of its commands, `default` is meant."""

    class WithDefault(Group):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if args and args[0] not in {*self.commands, "--help", "-h"}:
                if is_mistyped(f"{ctx.info_name} {args[0]}", args[0], self.commands):
                    return super().parse_args(ctx, args)
                args = [default, *args]
            return super().parse_args(ctx, args)

    unnamed = f"The command {default} may be left out."
    return make_app(f"{help_text} {unnamed}", cls=WithDefault)


def is_mistyped(whole: str, word: str, commands: Any) -> bool:
    """Whether a word is no path that is there, and much like a command."""
    if not WORD.fullmatch(word) or Path(word).exists():
        return False
    return whole in MEANT or bool(get_close_matches(word, list(commands), 1, NEAR))
