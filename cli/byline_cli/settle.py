"""`byline settle`: what a data set used of a cooperative's works, and what is due."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.connect import connect, now_ms, work_asked
from byline_cli.ended import warn_if_ended
from byline_cli.files import require_new
from byline_cli.groups import app_with_default
from byline_cli.naming import parse_key, parse_optional_key
from byline_cli.options import (
    Json,
    Key,
    NoPolicy,
    NoPublish,
    PolicyFile,
    SetUse,
    examples,
)
from byline_cli.policy import chosen_policy
from byline_cli.set_words import MOST_NAMED
from byline_cli.signing import DEFAULT_KEY, key_names, load_key
from byline_cli.targets import named_path
from byline_cli.wording import USES, amount, in_the_log
from byline_ledger.did import did_key
from byline_ledger.errors import UsageError, VerificationError
from byline_ledger.money import money
from byline_ledger.settlement import MemberTotal, decimal
from byline_ledger.settlement_rows import Row
from byline_ledger.vocabulary import use_key
from byline_node.manifests import require_manifest
from byline_node.settle import Check, Terms, check_settlement, settle, sizes_of
from byline_node.shared_proofs import bundles_of, reader_of

DEFAULT_COMMAND = "create"
NO_WORK = """A work is the cooperative's if its author attested it with --group KEY and
was admitted: byline admit."""

app = app_with_default(
    "What a data set used of a cooperative's works, and what is due for it.",
    DEFAULT_COMMAND,
)


@app.command(
    DEFAULT_COMMAND,
    epilog=examples(
        "byline settle set.csv --group key:coop --for ai_training --out settled/",
    ),
)
def create(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", hidden=True, parser=named_path)
    ],
    group: Annotated[
        str, typer.Option("--group", metavar="KEY", help="The cooperative's key.")
    ],
    use: SetUse,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder to write.")
    ],
    policy: PolicyFile = None,
    no_policy: NoPolicy = False,
    no_publish: NoPublish = False,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Say what a data set used of a cooperative's works: per work, and per member.

    The folder holds the table, its proofs and a statement that is signed and published:
    any member checks them offline with `byline settle verify`.
    """
    require_new(out)
    require_manifest(manifest)
    terms = Terms(parse_key(group), use_key(use), now_ms())
    rules, _where = chosen_policy(policy, no_policy)
    key = load_key(key_name)
    count = len(sizes_of(manifest))
    with connect(make=False) as client:
        warn_if_ended(client, key.public)
        bits = 0
        if not no_publish:
            bits = work_asked(client, key.public, has_option=False)
        with output.progress("Asking", count, unit="works") as advance:
            made, signed = settle(
                out, manifest, terms, bundles_of(client, rules), key, advance, bits
            )
        index = None if no_publish else client.publish([signed])[0].index
    members = made.members()
    used = len({row.work for row in made.rows})
    told = {
        "id": signed.cid,
        "index": index,
        "out": str(out),
        "works": count,
        "used": used,
        "members": [member_json(one) for one in members],
    }
    head = f"{used:,} of {amount(count, 'work')} are the cooperative's"
    rows: list[output.Line] = [(f"{head}, used to {USES[terms.use]}.", "head")]
    if not used:
        rows.append((NO_WORK, "doubt"))
    rows += member_rows(members)
    where = "Nothing was published" if index is None else in_the_log([index])
    rows.append(f"Written to {out}, signed as {signed.cid}. {where.capitalize()}.")
    output.result(as_json, told, rows)


@app.command(epilog=examples("byline settle verify settled/ --member did:key:z6Mk…"))
def verify(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", hidden=True, parser=named_path)
    ],
    member: Annotated[
        str | None,
        typer.Option("--member", metavar="KEY", help="Show the rows of this key."),
    ] = None,
    policy: PolicyFile = None,
    no_policy: NoPolicy = False,
    as_json: Json = False,
) -> None:
    """Compute a settlement again from its proofs, offline, and name what differs."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder that `byline settle` wrote")
    rules, _where = chosen_policy(policy, no_policy)
    wanted = parse_optional_key(member)
    with output.progress("Checking", 0, unit="works") as advance:
        check = check_settlement(folder, reader_of(rules), advance)
    rows = [row for row in check.rows if row.member == wanted]
    output.result(as_json, check_json(check, rows), check_rows(check, rows))
    if check.findings:
        raise VerificationError(
            f"the settlement does not hold: {check.findings[0]}",
        )


def check_json(check: Check, rows: list[Row]) -> dict[str, object]:
    """What a check found, for scripts."""
    signed = check.statement
    return {
        "ok": not check.findings,
        "findings": check.findings,
        "id": None if signed is None else signed.cid,
        "author": None if signed is None else did_key(signed.author),
        "origin": None if check.log is None else check.log.origin,
        "log_size": None if check.log is None else check.log.size,
        "members": [member_json(one) for one in check.members],
        "rows": [row.to_line() for row in rows],
    }


def check_rows(check: Check, rows: list[Row]) -> list[output.Line]:
    """The same for people."""
    told: list[output.Line] = []
    if check.statement is not None:
        told.append(f"Signed by {did_key(check.statement.author)}")
    if check.log is not None:
        log = output.safe(check.log.origin)
        told.append(
            f"As of entry {check.log.size:,} of {log}; what came later is not in it"
        )
    told += member_rows(check.members)
    told += [f"  {row.work.hex()}  {row.parts}/{row.of}  {row.word}" for row in rows]
    told += [(output.safe(one), "bad") for one in check.findings[:MOST_NAMED]]
    more = len(check.findings) - MOST_NAMED
    if more > 0:
        told.append((f"{more:,} more differences", "bad"))
    if not check.findings:
        told.append(("Everything in it follows from its proofs.", "good"))
    return told


def member_json(one: MemberTotal) -> dict[str, object]:
    """What a member has, for scripts."""
    return {
        "member": did_key(one.member),
        "works": one.works,
        "contested": one.contested,
        "bytes": one.size,
        "share": decimal(one.share),
        "due": dict(one.due),
    }


def member_rows(members: list[MemberTotal]) -> list[output.Line]:
    """A line for each member."""
    names = key_names()
    rows: list[output.Line] = []
    for one in members:
        owed = ", ".join(money(units, name) for name, units in sorted(one.due.items()))
        contested = f", {one.contested:,} contested" if one.contested else ""
        did = did_key(one.member)
        known = f" ({names[one.member]})" if one.member in names else ""
        rows.append(
            f"  {did}{known}  {amount(one.works, 'work')}{contested}"
            f"  share {decimal(one.share)}  due {owed or 'nothing'}"
        )
    return rows
