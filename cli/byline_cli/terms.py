"""`byline grant`, `offer`, `request`: who may use what, asked, offered and allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.attest import parse_uses
from byline_cli.behalf import Delegation, For, Number, parse_behalf
from byline_cli.connect import AnyClient
from byline_cli.known_names import with_own_name
from byline_cli.moments import optional_end, optional_moment
from byline_cli.naming import (
    is_key_name,
    parse_key,
    parse_optional_key,
)
from byline_cli.options import (
    USE_WORDS,
    From,
    Json,
    Key,
    Out,
    Until,
    WorkBits,
    examples,
    make_app,
)
from byline_cli.plain_terms import asked, granted, offered, term
from byline_cli.price import parse_price
from byline_cli.saying import Manner, say, when
from byline_cli.signing import DEFAULT_KEY
from byline_cli.targets import parse_id, parse_target
from byline_cli.wording import day
from byline_ledger.content import (
    grant_fields,
    name_of_key,
    offer_fields,
    read_grant,
    read_offer,
    read_request,
    request_fields,
)
from byline_ledger.statement import Statement
from byline_ledger.vocabulary import PRICE_UNITS, USE_PREFIX
from byline_node.sense import (
    claims_work,
    granted_for_another_time,
    require_answer,
    require_offer,
    require_own_key,
)

app = make_app()

Work = Annotated[str, typer.Argument(metavar="PATH|HASH", hidden=True)]
Offered = Annotated[str, typer.Argument(metavar="PATH|HASH|KEY", hidden=True)]
Uses = Annotated[
    list[str],
    typer.Option(
        "--use",
        metavar="USE",
        help=f"{USE_WORDS}. Repeatable.",
    ),
]
Contact = Annotated[
    str | None,
    typer.Option("--contact", metavar="TEXT", help="Where you can be reached."),
]


@app.command(
    epilog=examples(
        "byline grant harbour.jpg --to did:key:z6Mk… --use ai_training --until 90d"
    )
)
def grant(
    work: Work,
    grantee: Annotated[
        str,
        typer.Option("--to", metavar="KEY", help="The key that may."),
    ],
    uses: Uses,
    from_: From = None,
    until: Until = None,
    terms: Annotated[
        str | None,
        typer.Option(
            "--condition", metavar="TEXT", help="What the grantee must keep to."
        ),
    ] = None,
    request: Annotated[
        str | None,
        typer.Option(
            "--request", metavar="STATEMENT-ID", help="The request that this answers."
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
    """Let one key do with your work what you do not allow everybody.

    It lifts your own "no" and nobody else's; withdraw it to end it. KEY is a did:key,
    or the name of a key of yours.
    """
    fields = grant_fields(
        about=parse_target(work).multihash,
        grantee=parse_key(grantee),
        uses=uses,
        from_=optional_moment("--from", from_),
        until=optional_end(until),
        constraint_info=terms,
        request=parse_id(request) if request else None,
        **when(),
    )
    manner = Manner(
        key_name, work_bits, out, as_json, behalf=parse_behalf(for_, delegation, number)
    )
    say(
        "Granted",
        fields,
        manner,
        sense=sense_of_grant,
        unless_said="any",
        words=lambda signed: granted(read_grant(signed), with_own_name),
    )


@app.command(
    epilog=examples(
        "byline offer harbour.jpg --use ai_training=allowed --price 2.50EUR/item",
        "byline offer key:coop --use ai_training=allowed --key coop",
    )
)
def offer(
    what: Offered,
    uses: Annotated[
        list[str],
        typer.Option(
            "--use",
            metavar="USE=VALUE",
            help="As in attest: ai_generative_training=allowed, or "
            "'=constrained:what to keep to'. Repeatable.",
        ),
    ],
    price: Annotated[
        str | None,
        typer.Option(
            "--price",
            metavar="PRICE",
            help="Such as 2.50EUR/item. Per {}.".format(", ".join(PRICE_UNITS)),
        ),
    ] = None,
    grantee: Annotated[
        str | None,
        typer.Option("--to", metavar="KEY", help="Only for this key."),
    ] = None,
    from_: From = None,
    until: Until = None,
    spdx: Annotated[
        str | None,
        typer.Option("--license", metavar="SPDX", help="Licence, e.g. CC-BY-4.0."),
    ] = None,
    terms: Annotated[
        str | None,
        typer.Option("--terms", metavar="PATH|HASH", help="The text of the terms."),
    ] = None,
    terms_url: Annotated[
        str | None,
        typer.Option("--terms-url", metavar="URL", help="Where that text is."),
    ] = None,
    contact: Contact = None,
    for_: For = None,
    delegation: Delegation = None,
    number: Number = None,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Say on which terms others may use a work, a data set, or a cooperative's works.

    A cooperative names its own key, as a did:key or key:NAME: the offer then holds for
    works of members that name it.
    """
    fields = offer_fields(
        about=parse_offered(what),
        uses=parse_uses(uses),
        license=spdx,
        grantee=parse_optional_key(grantee),
        from_=optional_moment("--from", from_),
        until=optional_end(until),
        price=parse_price(price) if price else None,
        terms=parse_target(terms).multihash if terms else None,
        terms_url=terms_url,
        contact=contact,
        **when(),
    )
    whose = parse_key(what) if is_key_name(what) else None

    def sense(_: AnyClient, signed: Statement) -> None:
        require_own_key(whose, signed)

    say(
        "Offered",
        fields,
        Manner(
            key_name,
            work_bits,
            out,
            as_json,
            behalf=parse_behalf(for_, delegation, number),
        ),
        sense=sense,
        unless_said="any",
        words=lambda signed: offered(read_offer(signed), with_own_name),
    )


@app.command(
    epilog=examples(
        "byline request harbour.jpg --use ai_training --purpose 'a model of harbours'"
    )
)
def request(
    what: Offered,
    uses: Uses,
    purpose: Annotated[
        str | None,
        typer.Option("--purpose", metavar="TEXT", help="What you want it for."),
    ] = None,
    until: Until = None,
    taken: Annotated[
        str | None,
        typer.Option(
            "--offer", metavar="STATEMENT-ID", help="The offer that you take up."
        ),
    ] = None,
    contact: Contact = None,
    for_: For = None,
    delegation: Delegation = None,
    number: Number = None,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Ask for the use of a work, of a data set, or of a cooperative's works.

    The answer is a grant that names your request.
    """
    fields = request_fields(
        about=parse_offered(what),
        uses=uses,
        purpose=purpose,
        until=optional_end(until),
        offer=parse_id(taken) if taken else None,
        contact=contact,
        **when(),
    )
    manner = Manner(
        key_name, work_bits, out, as_json, behalf=parse_behalf(for_, delegation, number)
    )
    say(
        "Asked",
        fields,
        manner,
        sense=sense_of_request,
        unless_said="any",
        words=lambda signed: asked(read_request(signed)),
    )


def parse_offered(text: str) -> bytes:
    """What is offered or asked for (multihash): a work, a manifest, or a key's name."""
    if is_key_name(text):
        return name_of_key(parse_key(text))
    return parse_target(text).multihash


def sense_of_grant(client: AnyClient, signed: Statement) -> None:
    """A grant answers the request that it names.  What else its author should know of
    is said: that the key claims nothing about the work, for it may act for one that
    does; and that the same was granted for another time."""
    note_uses("Not asked for, but granted", require_answer(client, signed))
    for one in granted_for_another_time(client, signed):
        found = read_grant(one)
        output.note(
            f"You granted the same on {day(one.time)}{term(found.from_, found.until)},"
            f" and both stand. To end that: byline withdraw {one.cid} --reason"
            " superseded",
            "doubt",
        )
    if not claims_work(client, signed):
        output.note(
            "This key claims nothing about that work: the grant counts only if it acts"
            " for a key that does.",
            "doubt",
        )


def sense_of_request(client: AnyClient, signed: Statement) -> None:
    """A request takes up an offer that is for its author."""
    taken = require_offer(client, signed)
    if taken.names_something_else:
        output.note(
            "That offer names something else than you ask for: it counts if that stands"
            " under it, such as a member's work.",
            "doubt",
        )
    note_uses("Not in that offer", taken.beyond)


def note_uses(what: str, uses: Sequence[str]) -> None:
    """Say what holds of these uses, if there are any."""
    if uses:
        names = ", ".join(one.removeprefix(USE_PREFIX) for one in uses)
        output.note(f"{what}: {names}.", "doubt")
