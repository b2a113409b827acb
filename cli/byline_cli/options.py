"""Options that several commands share, so that they are spelt and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from byline_ledger.chain import MAX_DEPTH
from byline_ledger.proof_of_work import MAX_BITS

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Key = Annotated[str, typer.Option("--key", metavar="NAME", help="Key to sign with.")]
Note = Annotated[
    str | None, typer.Option("--note", metavar="TEXT", help="A remark for readers.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Sign into FILE and publish nothing.",
        dir_okay=False,
    ),
]
WorkBits = Annotated[
    int | None,
    typer.Option(
        "--work-bits",
        metavar="N",
        min=0,
        max=MAX_BITS,
        help="Do so much work for each statement. Usually as much as the node asks.",
    ),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Holds from then on."),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TIME",
        help="Holds until then: 2027-01-31, or 90d from now.",
    ),
]
NoPolicy = Annotated[
    bool, typer.Option("--no-policy", help="Do not go by your own policy.")
]
MaxAge = Annotated[
    int | None,
    typer.Option(
        "--max-age",
        metavar="SECONDS",
        min=0,
        help="Refuse an answer that the quorum signed longer ago.",
    ),
]
Depth = Annotated[
    int,
    typer.Option(
        "--depth",
        metavar="N",
        min=0,
        max=MAX_DEPTH,
        help="How many steps of sources to follow.",
    ),
]


def make_app(
    help_text: str | None = None, *, cls: type[TyperGroup] | None = None
) -> typer.Typer:
    """A Typer application as all command modules have it: plain help, no tracebacks."""
    return typer.Typer(
        cls=cls,
        help=help_text,
        add_completion=False,
        no_args_is_help=help_text is not None,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
