"""`byline admit`, `leave`: who is a member of a cooperative.

A cooperative is a key. It admits members under signed terms; members' works name it,
and then carry its offer. It ends a membership by withdrawing what admitted the member.
"""

from __future__ import annotations

from typing import Annotated

import typer

from byline_cli.behalf import Delegation, For, Number, parse_behalf
from byline_cli.connect import AnyClient
from byline_cli.moments import optional_end, optional_moment
from byline_cli.naming import parse_key
from byline_cli.options import (
    From,
    Json,
    Key,
    Note,
    Out,
    Until,
    WorkBits,
    examples,
    make_app,
)
from byline_cli.saying import Manner, say, when
from byline_cli.signing import DEFAULT_KEY
from byline_cli.targets import parse_target
from byline_cli.wording import day
from byline_ledger.content import admit_fields, leave_fields, name_of_key
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import UsageError
from byline_ledger.statement import Statement
from byline_node.delegations import speaker
from byline_node.said_before import standing

app = make_app()

Who = Annotated[str, typer.Argument(metavar="KEY", hidden=True)]


@app.command(
    epilog=examples(
        "byline admit did:key:z6Mk… --key coop",
    )
)
def admit(
    who: Who,
    from_: From = None,
    until: Until = None,
    terms: Annotated[
        str | None,
        typer.Option("--terms", metavar="PATH|HASH", help="The text of the terms."),
    ] = None,
    terms_url: Annotated[
        str | None,
        typer.Option("--terms-url", metavar="URL", help="Where that text is."),
    ] = None,
    parts: Annotated[
        int | None,
        typer.Option("--parts", metavar="N", help="The member's weight."),
    ] = None,
    note: Note = None,
    for_: For = None,
    delegation: Delegation = None,
    number: Number = None,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Make a key a member of the cooperative that you sign for.

    It takes both sides: the member's works name the cooperative (attest --group). To
    end it, withdraw this statement.
    """
    member = parse_key(who)
    fields = admit_fields(
        member=member,
        from_=optional_moment("--from", from_),
        until=optional_end(until),
        terms=parse_target(terms).multihash if terms else None,
        terms_url=terms_url,
        parts=parts,
        note=note,
        **when(),
    )

    def sense(client: AnyClient, signed: Statement) -> None:
        require_others(member, signed, "a cooperative does not admit its own key")
        before = last_standing(client, speaker(signed), member, "admit")
        if before is not None and not has_left(client, before, speaker(signed), member):
            raise UsageError(
                f"that key is a member already, admitted on {day(before.time)}",
                hint="for other terms, first: byline withdraw "
                f"{cid_of_statement(before.id)} --reason superseded",
            )

    say(
        "Admitted",
        fields,
        Manner(
            key_name,
            work_bits,
            out,
            as_json,
            behalf=parse_behalf(for_, delegation, number),
        ),
        sense=sense,
    )


@app.command()
def leave(
    which: Who,
    note: Note = None,
    for_: For = None,
    delegation: Delegation = None,
    number: Number = None,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Leave a cooperative: from then on its offers do not speak for your works.

    KEY is the cooperative's.
    """
    group = parse_key(which)
    fields = leave_fields(group=group, note=note, **when())

    def sense(client: AnyClient, signed: Statement) -> None:
        require_others(group, signed, "that is the key that you sign with")
        admitted = last_standing(client, group, speaker(signed), "admit")
        if admitted is None:
            raise UsageError(
                f"{did_key(group)} has not admitted the key that you sign with",
                hint="name the member's key: --key NAME",
            )
        if has_left(client, admitted, group, speaker(signed)):
            raise UsageError("that key has left already")

    say(
        "Left",
        fields,
        Manner(
            key_name,
            work_bits,
            out,
            as_json,
            behalf=parse_behalf(for_, delegation, number),
        ),
        sense=sense,
    )


def require_others(named: bytes, signed: Statement, wrong: str) -> None:
    """Membership is between two keys."""
    if named == speaker(signed):
        raise UsageError(wrong, hint="sign with another: --key NAME")


def last_standing(
    client: AnyClient, author: bytes, about: bytes, kind: str
) -> Statement | None:
    """The latest statement of this type by a key about a key that still stands."""
    name = name_of_key(about)
    return next(
        reversed(standing(client.authored(author, [name]), author, name, kind)), None
    )


def has_left(
    client: AnyClient, admitted: Statement, group: bytes, member: bytes
) -> bool:
    """Whether the member left since, by the claimed times; the log's order decides in
    the end, and here nothing is decided but what is worth saying."""
    left = last_standing(client, member, group, "leave")
    return left is not None and left.time >= admitted.time
