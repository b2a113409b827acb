"""Options that several commands share, so that they are spelt and explained once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from byline_cli.output import no_such
from byline_ledger.chain import MAX_DEPTH
from byline_ledger.errors import UsageError
from byline_ledger.proof_of_work import MAX_BITS

USE_WORDS = "ai_generative_training, ai_training, ai_inference or data_mining"
"""What is said of the uses of works wherever one is to be named."""


def examples(*lines: str) -> str:
    """What stands below the options of a command, each line whole."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


LONGEST_SENTENCE = 300
"""Characters of what is told of a command in the help of its group."""

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
        help="Compute longer before each statement, against floods: about 2^N tries."
        " Usually as many as the node asks for; with no node to ask, none.",
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
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="Whom you trust, as byline policy init writes it. Usually your own.",
        readable=False,
    ),
]
NoPublish = Annotated[
    bool, typer.Option("--no-publish", help="Sign it and publish nothing.")
]
SetUse = Annotated[
    str,
    typer.Option(
        "--for", metavar="USE", help=f"What the set is used for: {USE_WORDS}."
    ),
]
TrustKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--trust-key",
        metavar="KEY",
        help="Whose word comes first, however many others claim the work."
        " Repeatable, 16 at most.",
    ),
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


MEANT = {
    "collection verify": "collection check",
    "collection make": "collection create",
    "label make": "label create",
    "label check": "label verify",
    "label refresh": "label stale, then label create anew",
    "label update": "label stale, then label create anew",
    "node start": "node run",
    "node stop": "Ctrl-C where it runs, or kill and the number of its process",
    "node show": "node status",
    "settle check": "settle verify",
    "settle make": "settle create",
    "consent verify": "consent check",
}
"""Groups with words that people try in them, and what they mean."""


class Group(TyperGroup):
    """A group whose help says in full what each of its commands does."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As the base class, with an error like that of `byline` itself."""
        name = args[0] if args else ""
        if name and name not in self.commands and not name.startswith("-"):
            meant = MEANT.get(f"{ctx.info_name} {name}")
            if meant is not None:
                ctx.fail(f"no such command: {name}; did you mean {meant}?")
            ctx.fail(no_such("command", name, self.commands))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The first sentence of each, over as many lines as it takes."""
        named = [
            (name, self.get_command(ctx, name)) for name in self.list_commands(ctx)
        ]
        rows = [
            (name, one.get_short_help_str(LONGEST_SENTENCE))
            for name, one in named
            if one is not None and not one.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def refuse_beside(what: str, given: Mapping[str, object]) -> None:
    """UsageError for the first option that was given and would be passed over."""
    for name, value in given.items():
        if value:
            raise UsageError(f"{name} does not go with {what}")


def make_app(
    help_text: str | None = None, *, cls: type[TyperGroup] | None = None
) -> typer.Typer:
    """A Typer application as all command modules have it: plain help, no tracebacks."""
    return typer.Typer(
        cls=cls or Group,
        help=help_text,
        add_completion=False,
        no_args_is_help=help_text is not None,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
