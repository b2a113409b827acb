"""Options of `byline attest` that not every work needs, and how they are read."""

from __future__ import annotations

from typing import Annotated

import typer

from byline_cli import naming, output
from byline_cli.connect import AnyClient, now_ms
from byline_cli.saying import find_statement
from byline_cli.targets import parse_id
from byline_ledger import content
from byline_ledger.crypto import SigningKey
from byline_ledger.did import did_key
from byline_ledger.errors import UsageError
from byline_ledger.vocabulary import OVERSIGHT, USE_PREFIX, use_key
from byline_node.attest import Behalf, Terms

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
Number = Annotated[
    int | None,
    typer.Option(
        "--number",
        metavar="N",
        help="Of the first file, where the delegation is for so many; the next follow.",
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


def parse_behalf(
    key: str | None, delegation: str | None, number: int | None
) -> Behalf | None:
    """Whom one signs for: both or neither."""
    if key is None and delegation is None and number is None:
        return None
    if key is None or delegation is None:
        raise UsageError(
            "--for and --delegation go together",
            hint="the key that let you sign, and the id of the statement that says so",
        )
    return Behalf(naming.parse_key(key), parse_id(delegation), number)


def require_delegation(
    client: AnyClient, terms: Terms, key: SigningKey, count: int
) -> None:
    """Refuse to sign so many for somebody whose delegation plainly does not cover it:
    readers would take such words for the signer's alone."""
    behalf = terms.behalf
    if behalf is None:
        return
    found = find_statement(client, behalf.delegation)
    if found.type != "delegate":
        raise UsageError(f"--delegation: that statement is no delegation: {found.type}")
    if found.about != content.name_of_key(key.public):
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
    if not (said.from_ or 0) <= now_ms() < (said.until or 0):
        raise UsageError(
            "--delegation: that delegation is over, or has not begun",
            hint="ask for a new one",
        )
    require_limits(said, terms, behalf, count)


def require_limits(
    said: content.DelegateContent, terms: Terms, behalf: Behalf, count: int
) -> None:
    """The limits that a delegation may have: uses, a number of statements, works."""
    if said.uses is not None and (more := uses_beyond(terms, said.uses)):
        raise UsageError(f"--delegation: it does not let you speak about {more}")
    if said.manifests:
        raise UsageError(
            "--delegation: it is for works of certain manifests, which must be proven",
            hint="that is not done by this command",
        )
    if said.count is None:
        return
    if behalf.number is None:
        raise UsageError(
            f"--delegation: it is for {said.count:,} statements, which are numbered",
            hint="say --number N, one that you have not used",
        )
    if behalf.number + count - 1 > said.count:
        raise UsageError(
            f"--number: {count:,} from {behalf.number:,} on are more than the"
            f" {said.count:,} of that delegation",
        )


def uses_beyond(terms: Terms, allowed: tuple[str, ...]) -> str:
    """The uses spoken about that are none of these."""
    named = [use_key(use) for use in terms.uses or ()]
    more = [use for use in named if use not in allowed]
    return ", ".join(use.removeprefix(USE_PREFIX) for use in more)
