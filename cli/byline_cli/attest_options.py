"""Options of `byline attest` that not every work needs, and how they are read."""

from __future__ import annotations

from typing import Annotated

import typer

from byline_cli import naming, output
from byline_cli.connect import AnyClient
from byline_cli.saying import find_statement
from byline_cli.targets import parse_id
from byline_ledger import content
from byline_ledger.did import did_key
from byline_ledger.errors import UsageError
from byline_ledger.vocabulary import OVERSIGHT
from byline_node.attest import Behalf

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
For = Annotated[
    str | None,
    typer.Option("--for", metavar="KEY", help="Whom you sign for, with --delegation."),
]
Delegation = Annotated[
    str | None,
    typer.Option(
        "--delegation", metavar="STATEMENT-ID", help="What lets you sign for --for."
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


def parse_behalf(key: str | None, delegation: str | None) -> Behalf | None:
    """Whom one signs for: both or neither."""
    if key is None and delegation is None:
        return None
    if key is None or delegation is None:
        raise UsageError(
            "--for and --delegation go together",
            hint="the key that let you sign, and the id of the statement that says so",
        )
    return Behalf(naming.parse_key(key), parse_id(delegation))


def require_delegation(
    client: AnyClient, behalf: Behalf | None, author: bytes, now: int
) -> None:
    """Refuse to sign for somebody whose delegation is plainly another one: readers
    would take such words for the signer's alone."""
    if behalf is None:
        return
    found = find_statement(client, behalf.delegation)
    if found.type != "delegate":
        raise UsageError(f"--delegation: that statement is no delegation: {found.type}")
    if found.about != content.name_of_key(author):
        raise UsageError(
            "--delegation: that delegation is not to the key that you sign with",
            hint="sign with the key that it names: --key NAME",
        )
    said = content.read_delegate(found)
    if found.author != behalf.key:
        output.note(
            f"That delegation is by {did_key(found.author)}: it counts only if that key"
            " acts for the one you sign for.",
            "doubt",
        )
    if not said.sound or "work" not in said.types:
        raise UsageError("--delegation: that delegation does not cover works")
    if not (said.from_ or 0) <= now < (said.until or 0):
        raise UsageError(
            "--delegation: that delegation is over, or has not begun",
            hint="ask for a new one",
        )
