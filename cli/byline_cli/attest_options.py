"""Options of `byline attest` that not every work needs, and how they are read."""

from __future__ import annotations

from typing import Annotated

import typer

from byline_cli import naming
from byline_ledger import content
from byline_ledger.vocabulary import OVERSIGHT

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME[=IDENTIFIER]",
        help="The model that made it, and perhaps where it is found.",
    ),
]
Oversight = Annotated[
    str | None,
    typer.Option(
        "--oversight",
        metavar="HOW",
        help="How far a human looked after what the model made: "
        f"{', '.join(OVERSIGHT)}.",
    ),
]
Shares = Annotated[
    list[str] | None,
    typer.Option(
        "--share",
        metavar="KEY=PARTS",
        help="Who made it, and in which proportion. Repeatable.",
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group",
        metavar="KEY",
        help="The cooperative whose offer holds for it.",
    ),
]
Sealed = Annotated[
    bool,
    typer.Option(
        "--sealed",
        help="Publish only a seal now, which tells nothing; see byline reveal.",
    ),
]


def parse_model(text: str | None) -> content.Model | None:
    """`NAME[=IDENTIFIER]`."""
    if text is None:
        return None
    name, equals, identifier = text.partition("=")
    return content.Model(name.strip(), identifier.strip() if equals else None)


def parse_shares(texts: list[str] | None) -> tuple[content.Share, ...]:
    """`KEY=PARTS` texts; the ledger checks the figures."""
    return tuple(content.Share(*naming.parse_share(text)) for text in texts or ())
