"""Groups of commands of which one may go unnamed: `byline consent PATH` is `byline
consent check PATH`."""

from __future__ import annotations

from typing import Any

import typer

from byline_cli.options import Group, make_app


def app_with_default(help_text: str, default: str) -> typer.Typer:
    """A group; where the first word names none of its commands, `default` is meant."""

    class WithDefault(Group):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if args and args[0] not in {*self.commands, "--help", "-h"}:
                args = [default, *args]
            return super().parse_args(ctx, args)

    return make_app(help_text, cls=WithDefault)
