"""`byline audit`: read somebody's whole log and compute all of it anew."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byline_cli import output
from byline_cli.alarms import keep_alarm, kept_line
from byline_cli.connect import StoppedError
from byline_cli.files import require_new, write_new_file
from byline_cli.options import Json, examples, make_app
from byline_cli.policy import chosen_policy, log_key
from byline_ledger.errors import (
    InconsistentLogError,
    MalformedError,
    StoreError,
)
from byline_node.home import find_home

if TYPE_CHECKING:
    from byline_ledger.audit import AuditReport
    from byline_ledger.policy import Policy
    from byline_node.audit_trust import Cosigned
    from byline_node.read_ahead import ReadAhead

app = make_app()


@app.command(
    epilog=examples(
        "byline audit https://log.example",
    )
)
def audit(
    place: Annotated[
        str,
        typer.Argument(
            metavar="PLACE",
            help="URL of a node or log, folder of a copy or of a stopped node,"
            " s3://BUCKET/PREFIX.",
        ),
    ],
    vkey: Annotated[
        str | None,
        typer.Option("--vkey", metavar="VKEY", help="The log's verifier key."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="Take the log's key from this policy.",
            readable=False,
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="DIR",
            help="Where an interrupted audit is kept, and what was seen last.",
        ),
    ] = None,
    alarm_out: Annotated[
        Path | None,
        typer.Option(
            "--alarm-out", metavar="FILE", help="Where an alarm goes, if there is one."
        ),
    ] = None,
    no_bodies: Annotated[
        bool, typer.Option("--no-bodies", help="Do not read the statements themselves.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read a whole log, compute all of it anew, and name what is wrong.

    Ends with 0 if the log is sound, with 1 if something is damaged, and with 4 if the
    log signed something false: then the proof is in the alarm file, and `query` and
    `verify` believe that log no more. Each audit reads everything; one of this place
    that was interrupted goes on. The key is that of your policy, if it names the log.
    """
    from byline_node.audit_trust import check_cosigners, choose_key
    from byline_node.log_source import open_source
    from byline_node.read_ahead import ReadAhead

    if alarm_out is not None:
        require_new(alarm_out)
    rules, named = chosen_policy(policy, ignored=False)
    given = None if vkey is None else log_key("--vkey", vkey).to_text()
    with ReadAhead(open_source(place)) as source:
        key = choose_key(source, given, rules, named if policy else "")
        kept_in = state or state_folder(key.vkey)
        report = run(source, place, key.vkey, kept_in, not no_bodies)
    cosigned = check_cosigners(rules, report)
    if key.fault:
        report.add(key.fault)
    kept = keep_alarm(report.alarm) if report.alarm is not None else None
    saved = save_alarm(report, alarm_out)
    value = audit_to_json(report, saved) | {
        "alarm_kept": str(kept) if kept else None,
        "cosignatures": cosigned.lines,
        "cosigned_by": list(cosigned.good),
    }
    told = cosigned_text(cosigned, rules, report.origin)
    rows = describe_audit(report, VOUCHED[key.vouched], told, saved)
    output.result(as_json, value, [*rows[:-1], *kept_line(kept), rows[-1]])
    if report.alarm is not None:
        raise typer.Exit(InconsistentLogError.exit_code)
    if not report.ok:
        raise typer.Exit(1)


VOUCHED = {
    "given": "the key is the one you gave",
    "policy": "the key is that of your policy",
    "log": "the key is the one that the log itself names: nobody vouches for it",
}


def cosigned_text(found: Cosigned, rules: Policy | None, origin: str) -> str:
    """Who cosigned it, in words."""
    if rules is None and found.lines:
        return f"{found.lines}, not checked: you have no policy"
    parts = ["by nobody"]
    if found.lines:
        known = f"{len(found.good)} by witnesses of your policy"
        parts = [f"{found.lines}, of them {known}"]
    if found.others:
        parts.append(f"{found.others} by others, not checked")
    if rules and rules.log_for(origin) and not rules.is_satisfied(found.good):
        parts.append("which is not its quorum")
    return ", ".join(parts)


def state_folder(vkey: str) -> Path:
    """Where audits of this log keep what they copy."""
    name = hashlib.sha256(vkey.encode()).hexdigest()[:32]
    return find_home().folder / "audit" / name


def run(
    source: ReadAhead, place: str, vkey: str, state: Path, bodies: bool
) -> AuditReport:
    """The audit itself, with a bar."""
    from byline_ledger.checkpoint import checkpoint_of
    from byline_node.audit_copies import audit_place, place_name

    done = 0
    try:
        total = checkpoint_of(source.checkpoint()).size
    except MalformedError:
        total = 0  # the audit will say it better
    try:
        with output.progress("Auditing", total, unit="entries") as advance:

            def progress(now: int, _total: int) -> None:
                nonlocal done
                advance(now - done)
                done = now

            return audit_place(
                source, place_name(place), vkey, state, bodies=bodies, progress=progress
            )
    except KeyboardInterrupt:
        raise StoppedError(
            f"stopped; what was read is kept in {state}",
            hint="run it again to go on",
        ) from None


def save_alarm(report: AuditReport, wanted: Path | None) -> Path | None:
    """Writes the alarm, if there is one, and says where."""
    if report.alarm is None:
        return None
    data = report.alarm.to_bytes()
    if wanted is not None:
        write_new_file(wanted, data)
        return wanted
    path = Path(f"{hashlib.sha256(data).hexdigest()[:16]}.alarm")
    try:
        if not path.exists():
            write_new_file(path, data)
    except StoreError as error:
        output.complain(f"{error}: choose a place with --alarm-out")
        return None
    return path


def describe_audit(
    report: AuditReport, vouched: str, cosigned: str, saved: Path | None
) -> list[output.Line]:
    """The outcome for people; the verdict is the last line."""
    before = f", {report.read_before:,} of them before it was interrupted"
    rows: list[output.Line] = [
        f"  log          {output.safe(report.origin or 'unknown')}",
        (f"               {vouched}", "quiet"),
        f"  entries      {report.checked:,} of {report.size:,} checked"
        + (before if report.read_before else ""),
        f"  bodies       {report.bodies:,} checked, {report.redacted:,} taken down",
        f"  files        {report.tiles:,} tiles and bundles read",
        f"  cosigned     {cosigned}",
    ]
    rows += [(f"  note         {output.safe(one)}", "doubt") for one in report.notes]
    if report.ok:
        rows += [
            f"  statements   {report.statements:,}",
            f"  root         {report.root.hex()}",
            f"  set root     {report.set_root.hex()}",
            (f"The log is sound up to entry {report.size - 1}.", "good"),
        ]
        return rows
    rows += [(f"  WRONG        {output.safe(one)}", "bad") for one in report.problems]
    if report.more_problems:
        rows.append((f"  and          {report.more_problems:,} more", "bad"))
    if report.alarm is not None:
        where = f": the proof is in {saved}" if saved else ""
        rows.append((f"The log signed something that is FALSE{where}.", "bad"))
    else:
        rows.append(
            (f"NOT sound. {output.safe(report.problems[0])}", "bad"),
        )
    return rows


def audit_to_json(report: AuditReport, saved: Path | None) -> dict[str, object]:
    """The outcome for scripts."""
    return {
        "ok": report.ok,
        "origin": report.origin,
        "vkey": report.vkey,
        "size": report.size,
        "root": report.root.hex(),
        "read_before": report.read_before,
        "checked": report.checked,
        "statements": report.statements,
        "strings": report.strings,
        "set_root": report.set_root.hex(),
        "bodies": report.bodies,
        "redacted": report.redacted,
        "tiles": report.tiles,
        "notes": report.notes,
        "problems": report.problems,
        "more_problems": report.more_problems,
        "alarm": str(saved) if saved else None,
        "alarm_kind": report.alarm.kind if report.alarm else None,
    }
