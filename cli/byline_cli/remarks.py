"""`byline endorse`, `dispute`, `withdraw`: statements about statements."""

from __future__ import annotations

from typing import Annotated

import typer

from byline_cli.behalf import Delegation, For, Number, parse_behalf
from byline_cli.options import Json, Key, Note, Out, WorkBits, examples, make_app
from byline_cli.saying import Manner, say, when
from byline_cli.signing import DEFAULT_KEY
from byline_cli.targets import parse_id, parse_target
from byline_ledger.content import dispute_fields, endorse_fields, withdraw_fields
from byline_ledger.vocabulary import DISPUTE_REASONS, ENDORSE_ROLES, WITHDRAW_REASONS
from byline_node.sense import require_sense

app = make_app()

Id = Annotated[str, typer.Argument(metavar="STATEMENT-ID", hidden=True)]


@app.command(epilog=examples("byline endorse STATEMENT-ID --role witnessed"))
def endorse(
    statement: Id,
    role: Annotated[
        str,
        typer.Option("--role", metavar="ROLE", help=f"{', '.join(ENDORSE_ROLES)}."),
    ],
    note: Note = None,
    for_: For = None,
    delegation: Delegation = None,
    number: Number = None,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Vouch for somebody's statement, in a role.

    STATEMENT-ID is what `byline query` shows as "statement".
    """
    fields = endorse_fields(
        statement_id=parse_id(statement),
        role=role,
        note=note,
        **when(),
    )
    manner = Manner(
        key_name, work_bits, out, as_json, behalf=parse_behalf(for_, delegation, number)
    )
    say("Endorsed", fields, manner, sense=require_sense, unless_said="any")


@app.command(
    epilog=examples("byline dispute portrait.jpg --reason consent --note 'I am in it'")
)
def dispute(
    what: Annotated[str, typer.Argument(metavar="STATEMENT-ID|PATH|HASH", hidden=True)],
    reason: Annotated[
        str,
        typer.Option(
            "--reason", metavar="REASON", help=f"{', '.join(DISPUTE_REASONS)}."
        ),
    ],
    note: Note = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option("--evidence", metavar="PATH|HASH", help="A work that shows it."),
    ] = None,
    for_: For = None,
    delegation: Delegation = None,
    number: Number = None,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Contest a statement, or a work itself (you are in it and object).

    64 hex digits mean a work; a statement is named by its id as `byline query` shows
    it.
    """
    fields = dispute_fields(
        about=parse_target(what).multihash,
        reason=reason,
        note=note,
        evidence=tuple(parse_target(text).multihash for text in evidence or []),
        **when(),
    )
    manner = Manner(
        key_name, work_bits, out, as_json, behalf=parse_behalf(for_, delegation, number)
    )
    say("Disputed", fields, manner, sense=require_sense, unless_said="any")


@app.command(epilog=examples("byline withdraw STATEMENT-ID --reason superseded"))
def withdraw(
    statement: Id,
    reason: Annotated[
        str,
        typer.Option(
            "--reason", metavar="REASON", help=f"{', '.join(WITHDRAW_REASONS)}."
        ),
    ],
    replacement: Annotated[
        str | None,
        typer.Option(
            "--replacement", metavar="STATEMENT-ID", help="What holds instead."
        ),
    ] = None,
    for_: For = None,
    delegation: Delegation = None,
    number: Number = None,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Take back a statement of yours. It stays in the log, shown as withdrawn.

    A withdrawal cannot itself be withdrawn: to say the same again, attest again.
    """
    id_ = parse_id(statement)
    fields = withdraw_fields(
        statement_id=id_,
        reason=reason,
        replacement=parse_id(replacement) if replacement else None,
        **when(),
    )
    manner = Manner(
        key_name, work_bits, out, as_json, behalf=parse_behalf(for_, delegation, number)
    )
    say("Withdrew", fields, manner, sense=require_sense)
