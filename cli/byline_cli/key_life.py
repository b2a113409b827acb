"""The life of a key: `byline key rotate`, `recover`, `compromised`, `delegate` and
`revoke`.  What each amounts to is docs/spec/state.md, "Keys" and "Delegation".

A node that can be asked is asked first what may be said without harm (key_rules.py),
because none of it can be taken back.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.connect import AnyClient, now_ms
from byline_cli.moments import parse_end, parse_moment
from byline_cli.naming import parse_key
from byline_cli.options import From, Json, Key, Note, Out, WorkBits
from byline_cli.saying import Manner, say, when
from byline_cli.signing import DEFAULT_KEY, own_name
from byline_cli.targets import is_there, named_path, parse_id, parse_target
from byline_cli.wording import day
from byline_ledger.content_keys import delegate_fields, rotate_fields
from byline_ledger.content_remarks import withdraw_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.did import did_key
from byline_ledger.errors import KeyAccessError, UsageError
from byline_ledger.manifest_tree import manifest_root, tree_name
from byline_ledger.recovery_code import parse_recovery_code
from byline_ledger.statement import Statement
from byline_ledger.vocabulary import COMPROMISED, WITHDRAW_REASONS
from byline_node.key_rules import (
    require_delegate,
    require_delegation_of,
    require_end,
    require_recovery,
    require_rotation,
)
from byline_node.manifests import entries

RECOVERY_VARIABLE = "BYLINE_RECOVERY_CODE"

Successor = Annotated[str, typer.Argument(metavar="SUCCESSOR", hidden=True)]
Code = Annotated[
    bool,
    typer.Option(
        "--recovery-code",
        help="Sign with the recovery code from paper: asked for, or taken from "
        "BYLINE_RECOVERY_CODE.",
    ),
]


def rotate(
    successor: Successor,
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="REASON", help="routine, lost, compromised."),
    ] = "routine",
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Let another key follow this one, which ends.

    SUCCESSOR is a did:key, or the name of a key of yours. What the old key signs
    afterwards counts for nothing, what it signed before stands. The successor acts for
    it, and may withdraw what it said. There is no way back.
    """
    new = parse_key(successor)
    say(
        "Rotated",
        lambda old: rotate_fields(key=old, successor=new, reason=reason, **when()),
        Manner(key_name, work_bits, out, as_json),
        sense=lambda client, signed: require_rotation(client, signed, new),
        more={"successor": did_key(new)},
        rows=follow_up(new),
    )


def recover(
    old: Annotated[str, typer.Argument(metavar="KEY", hidden=True)],
    successor: Annotated[
        str,
        typer.Option("--successor", metavar="KEY", help="The key that follows it."),
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="REASON", help="lost or compromised.")
    ] = "lost",
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="NAME",
            help="The recovery key, if it is in your folder; else its code is asked "
            "for.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Name the successor of a lost or stolen KEY, signed with its recovery key.

    What the recovery key says beats what the old key said, whoever held that. The code
    is asked for, or taken from BYLINE_RECOVERY_CODE.
    """
    lost, new = parse_key(old), parse_key(successor)
    key = None if key_name is not None else recovery_key()
    say(
        "Recovered",
        lambda _: rotate_fields(key=lost, successor=new, reason=reason, **when()),
        Manner(key_name or DEFAULT_KEY, work_bits, out, as_json, key=key),
        sense=lambda client, signed: require_recovery(client, signed, lost, new),
        more={"successor": did_key(new)},
        rows=follow_up(new),
    )


def compromised(
    old: Annotated[
        str | None, typer.Argument(metavar="KEY", hidden=True, show_default=False)
    ] = None,
    code: Code = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether.")] = False,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Declare that somebody else has a key, and that nobody acts for it from now on.

    KEY is the one of --key unless you name another, which its recovery key must sign.
    Rather name a successor, if you can: byline key rotate --reason compromised. What
    was signed before stands, and can then be withdrawn by nobody.
    """
    confirm(yes)
    named = parse_key(old) if old is not None else None
    say(
        "Declared compromised",
        lambda public: rotate_fields(key=named or public, reason=COMPROMISED, **when()),
        Manner(key_name, work_bits, out, as_json, key=recovery_key() if code else None),
        sense=lambda client, signed: require_end(client, signed, named),
        rows=("Nobody acts for it any more; its delegates neither.",),
    )


def delegate(
    to: Annotated[str, typer.Argument(metavar="KEY", hidden=True)],
    until: Annotated[
        str,
        typer.Option(
            "--until",
            metavar="TIME",
            help="Holds until then: 2027-01-31, or 90d from now.",
        ),
    ],
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="What it may sign; without: work. Repeatable.",
        ),
    ] = None,
    from_: From = None,
    uses: Annotated[
        list[str] | None,
        typer.Option(
            "--use",
            metavar="USE",
            help="The only uses that its works may speak on, such as data_mining. "
            "Repeatable.",
        ),
    ] = None,
    manifests: Annotated[
        list[str] | None,
        typer.Option(
            "--manifest",
            metavar="PATH|HASH",
            help="Only works in this manifest: its file, or the root of its tree. "
            "Repeatable.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option("--count", metavar="N", min=1, help="At most so many statements."),
    ] = None,
    note: Note = None,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Let another KEY sign for yours, within limits and for a time.

    For scripts, assistants and machines that make: their statements show both names,
    and you may withdraw them. End it early with: byline key revoke.
    """
    now, other = now_ms(), parse_key(to)
    kinds = ", ".join(types or ["work"])
    end = parse_end(until, now)
    begin = None if from_ is None else parse_moment("--from", from_, now)
    fields = delegate_fields(
        key=other,
        types=types or ["work"],
        until=end,
        from_=begin,
        uses=uses or (),
        manifests=tuple(map(tree_named, manifests or ())),
        count=count,
        note=note,
        **when(),
    )
    signed = say(
        "Delegated",
        fields,
        Manner(key_name, work_bits, out, as_json),
        sense=partial(require_delegate, other=other),
        unless_said="any",
        more={"delegate": did_key(other), "until": end},
        rows=(f"{did_key(other)} may sign {kinds} for it until {day(end)}.",),
    )
    numbered = " --number 1, then 2 and so on" if count is not None else ""
    options = f"--on-behalf-of {did_key(signed.author)} --delegation {signed.cid}"
    output.note(f"It signs with: {options}{numbered}", "quiet")


def revoke(
    delegation: Annotated[str, typer.Argument(metavar="STATEMENT-ID", hidden=True)],
    reason: Annotated[
        str,
        typer.Option(
            "--reason", metavar="REASON", help=f"{', '.join(WITHDRAW_REASONS)}."
        ),
    ] = "superseded",
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """End a delegation before its time. What was signed under it before stands.

    `byline key delegate` showed its id; `byline key history` of the other key, to which
    it was given, shows it too.
    """
    id_ = parse_id(delegation)
    fields = withdraw_fields(statement_id=id_, reason=reason, **when())
    say(
        "Revoked",
        fields,
        Manner(key_name, work_bits, out, as_json),
        sense=note_if_over,
        rows=("What is signed under it from now on counts as that key's own word.",),
    )


def follow_up(new: bytes) -> tuple[str, ...]:
    """What holds from now on, and what the successor is to do next."""
    acts, name = f"{did_key(new)} acts for it from now on.", own_name(new)
    if name is None:
        return (acts, "Whoever has that key announces a profile and a recovery key.")
    return (
        acts,
        (
            "Announce a profile of it, with a recovery key: byline profile set --key"
            f" {name}"
        ),
    )


def tree_named(text: str) -> bytes:
    """How a delegation names a manifest (multihash): by the root of its tree."""
    path = named_path(text)
    if is_there(path):
        return tree_name(manifest_root(entries(path)))
    return parse_target(text).multihash


def confirm(yes: bool) -> None:
    """Ask before what cannot be undone; a script has to say --yes."""
    if yes:
        return
    question = "Nobody will ever act for the key again. Go on?"
    if not sys.stdin.isatty():
        raise UsageError("this cannot be undone", hint="say --yes if you mean it")
    if not typer.confirm(question, err=True):
        raise typer.Abort


def recovery_key() -> SigningKey:
    """The key of a code on paper: from the variable, or asked for."""
    text = os.environ.get(RECOVERY_VARIABLE)
    if text is None:
        if not sys.stdin.isatty():
            raise KeyAccessError(
                "the recovery code is needed and there is no terminal to ask on",
                hint=f"set {RECOVERY_VARIABLE}, or name a key of yours with --key",
            )
        text = typer.prompt("Recovery code", hide_input=True, err=True)
    return SigningKey.from_seed(parse_recovery_code(text))


def note_if_over(client: AnyClient, signed: Statement) -> None:
    """A delegation may be revoked; say it where that changes nothing."""
    until = require_delegation_of(client, signed)
    if until is not None and until <= now_ms():
        output.note(f"That delegation was over on {day(until)} anyway.", "quiet")
