"""`byline admit`, `leave`: who is a member of a cooperative.

A cooperative is a key. It admits members under signed terms; members' works name it,
and then carry its offer. It ends a membership by withdrawing what admitted the member.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from byline_cli.behalf import Delegation, For, Number, parse_behalf
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
from byline_ledger.content import admit_fields, leave_fields
from byline_node.sense import require_admittable, require_member

app = make_app()

Who = Annotated[str, typer.Argument(metavar="KEY", hidden=True)]


@app.command(epilog=examples("byline admit did:key:z6Mk… --key coop"))
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
        sense=partial(require_admittable, member=member),
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
        sense=partial(require_member, group=group),
    )
