"""`byline node backup`, `restore`, `redact`: what keeps a node and its log in order.

The commands themselves are registered in node.py, beside the others of the group.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byline_cli import output
from byline_cli.connect import StoppedError
from byline_cli.options import Json
from byline_cli.targets import parse_id
from byline_cli.wording import amount, moment
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import ReadOnlyError, UsageError
from byline_node.home import find_home

RECOVER = "byline node recover"
WAYS = (
    "name a copy of this log with --from, or, if you know that nothing was signed"
    " after what is here, say --nothing-lost"
)

if TYPE_CHECKING:
    from byline_node.recover import Recovered
    from byline_node.successor import Succession

BackupFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of the backup.")
]


def backup(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Folder to make; nothing may be there."),
    ],
    as_json: Json = False,
) -> None:
    """Copy this node, running or not, into a new folder.

    The copy is of one moment: secret, log, statements and settings. Put it back with
    byline node restore. Your signing keys are no part of a node, nor of its backup:
    copy the folder of keys as well.
    """
    from byline_node import upkeep

    with output.steps("Copying", unit="records") as progress:
        try:
            mark = upkeep.backup(find_home().node, folder, progress)
        except KeyboardInterrupt:
            raise StoppedError("stopped; there is no backup") from None
    rows: list[output.Line] = [
        (f"Backed up {amount(mark.size, 'log entry', 'log entries')}.", "good"),
        f"  log     {mark.origin}",
        f"  folder  {folder}",
        ("  It holds the node's secret: keep it as safe as the node.", "doubt"),
        *about_keys("Your signing keys are not in it: copy"),
    ]
    value = {"folder": str(folder), "origin": mark.origin, "size": mark.size}
    output.result(as_json, value, rows)


def restore(folder: BackupFolder, as_json: Json = False) -> None:
    """Make this node out of a backup.

    There must be no node in BYLINE_HOME. The log is served, but nothing is added to it
    before byline node recover has made sure that nothing is missing.
    """
    from byline_ledger.store.backup import size_of_backup
    from byline_node import upkeep

    node = find_home().node
    require_none(node)
    with output.progress("Copying", size_of_backup(folder), unit="bytes") as advance:
        try:
            mark = upkeep.restore(folder, node, advance)
        except KeyboardInterrupt:
            raise StoppedError("stopped; there is no node") from None
    rows: list[output.Line] = [
        (f"Restored the node of {mark.moment} to {node}.", "good"),
        f"  log      {mark.origin}",
        f"  entries  {mark.size:,}",
        ("  READ-ONLY: more may have been signed since the backup.", "doubt"),
        *about_keys("Your signing keys do not come with it: put a copy of them into"),
        f"Make sure with: {RECOVER} --from PLACE",
    ]
    value = {"folder": str(node), "origin": mark.origin, "size": mark.size}
    output.result(as_json, value | {"read_only": True}, rows)


def about_keys(text: str) -> list[output.Line]:
    """Where they are; who lost them can withdraw nothing that they signed."""
    return [(f"  {text} {output.safe(str(find_home().keys))}", "doubt")]


def require_none(node: Path) -> None:
    """Raises UsageError if there is a node, or anything in its place."""
    from byline_ledger.store.draft import require_free

    try:
        require_free(node)
    except UsageError as error:
        hint = "move it away, or set BYLINE_HOME to another folder"
        raise UsageError(str(error), hint=hint) from None


def redact(
    id_: Annotated[
        str, typer.Argument(metavar="STATEMENT-ID", help="As byline query shows it.")
    ],
    reason: Annotated[
        str,
        typer.Option(
            "--reason", metavar="TEXT", help="One line that everybody can read."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Take a statement down: its text leaves this node for good.

    The log keeps its id, the hashes it is found by, and your reason. Other nodes that
    have it keep it.
    """
    from byline_node import upkeep

    statement_id = parse_id(id_)
    found = upkeep.redact(find_home().node, statement_id, reason)
    name, mark = cid_of_statement(statement_id), found.tombstone
    done = "Took down" if found.is_new else "It was taken down before:"
    rows: list[output.Line] = [
        (f"{done} {name}.", "good" if found.is_new else "doubt"),
        f"  reason  {output.safe(mark.reason)}",
        f"  time    {moment(mark.time)}",
        f"  stays   log entry {found.index}: its id and the hashes it is found by",
        "  Backups and other nodes may still have it.",
    ]
    value = {
        "id": name,
        "index": found.index,
        "reason": mark.reason,
        "time": mark.time,
        "new": found.is_new,
    }
    output.result(as_json, value, rows)


def recover(
    places: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="PLACE",
            help="A copy of this node's log: URL of a mirror or of a node that keeps"
            " one, folder, s3://BUCKET/PREFIX. Repeatable.",
        ),
    ] = None,
    new_origin: Annotated[
        str | None,
        typer.Option(
            "--new-origin",
            metavar="DOMAIN",
            help="End this log and go on with a new one of this first name.",
        ),
    ] = None,
    takedowns_from: Annotated[
        list[str] | None,
        typer.Option(
            "--takedowns-from",
            metavar="PLACE",
            help="A copy of your own, as for --from: what it shows as taken down is"
            " taken down here. Repeatable.",
        ),
    ] = None,
    nothing_lost: Annotated[
        bool,
        typer.Option(
            "--nothing-lost",
            help="You answer for it: nothing was signed after what is here. With"
            " --new-origin: so the old log is ended by a notice, whoever cosigned it.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring back a log that may have lost its end, without signing two histories.

    Takes what is missing from the copies you name, checked against what this log
    signed. A node that mirrors the log confirms its end; for a folder, a bucket or a
    web server you must know that it was the last. The node must not be running.
    """
    node = find_home().node
    value: dict[str, object] = {}
    rows: list[output.Line] = []
    is_confirmed = nothing_lost
    if places or takedowns_from or nothing_lost or new_origin is None:
        found = bring_back(node, places or [], takedowns_from or [], nothing_lost)
        is_confirmed |= found.word is not None
        value = recovered_to_json(found)
        rows = describe_recovered(found, goes_on=new_origin is None)
    if new_origin is not None:
        made = go_on_as(node, new_origin, is_confirmed)
        value["new_log"] = succession_to_json(made)
        rows += describe_succession(made)
        value["read_only"] = None
    output.result(as_json, value, rows)
    if value["read_only"] is not None:
        raise typer.Exit(ReadOnlyError.exit_code)


def bring_back(
    node: Path, places: list[str], own: list[str], nothing_lost: bool
) -> Recovered:
    """The recovery itself, with a bar."""
    from byline_node.recover import recover as recover_log
    from byline_node.recover import why_stopped

    if not places and not own and not nothing_lost:
        reason = why_stopped(node)
        if reason is not None:
            raise UsageError(reason, hint=WAYS)
    with output.steps("Recovering", unit="entries") as progress:
        try:
            return recover_log(
                node, places, own=own, nothing_lost=nothing_lost, progress=progress
            )
        except KeyboardInterrupt:
            raise StoppedError(
                "stopped; what was taken back is kept, and the log is read-only",
                hint="run it again to go on",
            ) from None


def describe_recovered(found: Recovered, *, goes_on: bool) -> list[output.Line]:
    """The outcome for people; the verdict is the last line."""
    rows: list[output.Line] = [
        f"  log      {output.safe(found.origin)}",
        f"  entries  {found.size:,}, {found.size - found.before:,} of them taken back",
    ]
    if found.source is not None:
        rows.append(f"  from     {output.safe(found.source)}")
    if found.put_back:
        rows.append(f"  bodies   {found.put_back:,} put back that had been lost")
    if found.lost:
        lost = amount(found.lost, "statement")
        rows.append((f"  LOST     the bodies of {lost}: no copy had them", "doubt"))
    for name, count in found.taken_down:
        place, gone = output.safe(name), amount(count, "statement")
        rows += [
            (f"  down     {gone} in {place}, and not here;", "doubt"),
            (f"           if that copy is yours: --takedowns-from {place}", "doubt"),
        ]
    if found.word is not None:
        rows.append(f"  word     {output.safe(found.word)}")
    for name, reason in found.refused:
        rows.append(
            (f"  no word  from {output.safe(name)}: {output.safe(reason)}", "doubt")
        )
    if found.read_only is not None:
        rows.append((f"Still READ-ONLY: {output.safe(found.read_only)}", "bad"))
        return [*rows, f"You can {WAYS}."]
    if found.word is None and found.size == found.before:
        return [
            *rows,
            ("By this node's own files nothing is missing.", "good"),
            "If a witness knows of more, name a copy of the log with --from.",
        ]
    if found.witness:
        rows += [
            "  witness  new keys, as it may have forgotten what it cosigned last;",
            "           policies that name it need these:",
            *(f"           {vkey}" for vkey in found.witness),
        ]
    if not goes_on:
        return [*rows, "This log is whole, and ends here."]
    return [*rows, ("The log is signed on from here.", "good")]


def recovered_to_json(found: Recovered) -> dict[str, object]:
    """The same for scripts."""
    return {
        "origin": found.origin,
        "before": found.before,
        "size": found.size,
        "source": found.source,
        "put_back": found.put_back,
        "lost": found.lost,
        "taken_down": [{"from": n, "count": count} for n, count in found.taken_down],
        "word": found.word,
        "refused": [{"from": name, "reason": why} for name, why in found.refused],
        "witness": list(found.witness),
        "read_only": found.read_only,
    }


def go_on_as(node: Path, name: str, is_confirmed: bool) -> Succession:
    """The new log, with a bar."""
    from byline_node.successor import continue_as

    with output.steps("Copying", unit="statements") as progress:
        try:
            return continue_as(node, name, progress, is_confirmed=is_confirmed)
        except KeyboardInterrupt:
            raise StoppedError(
                "stopped; the old log is as it was", hint="run it again"
            ) from None


def describe_succession(made: Succession) -> list[output.Line]:
    """The outcome for people."""
    ended = "with a notice" if made.ended is None else f"NOT signed: {made.ended}"
    rows: list[output.Line] = [
        ("The node goes on with a new log.", "good"),
        f"  new log     {made.new}",
        f"  statements  {made.statements:,}",
        f"  old log     {made.old}",
        f"  its end     {output.safe(ended)}",
        f"  kept in     {made.kept}",
    ]
    if made.missing:
        rows.append(f"  of them     {made.missing:,} without a body, as before")
    return rows


def succession_to_json(made: Succession) -> dict[str, object]:
    """The same for scripts."""
    return {
        "old": made.old,
        "new": made.new,
        "statements": made.statements,
        "missing": made.missing,
        "not_ended": made.ended,
        "kept": str(made.kept),
    }
