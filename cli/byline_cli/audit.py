"""`byline audit`: read somebody's whole log and compute all of it anew."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
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
    BadSignatureError,
    BylineError,
    InconsistentLogError,
    MalformedError,
    NotFoundError,
    StoreError,
    UnsupportedError,
    UsageError,
    VerificationError,
)
from byline_node.home import find_home

if TYPE_CHECKING:
    from byline_ledger.audit import AuditReport
    from byline_ledger.policy import Policy
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
    from byline_node.log_source import open_source
    from byline_node.read_ahead import ReadAhead

    if alarm_out is not None:
        require_new(alarm_out)
    rules, named = chosen_policy(policy, ignored=False)
    with ReadAhead(open_source(place)) as source:
        key, vouched, fault = key_of(source, vkey, rules, named if policy else "")
        report = run(source, place, key, state or state_folder(key), not no_bodies)
    cosigned = check_cosigners(rules, report)
    if fault:
        report.add(fault)
    kept = keep_alarm(report.alarm) if report.alarm is not None else None
    saved = save_alarm(report, alarm_out)
    value = audit_to_json(report, saved) | {
        "alarm_kept": str(kept) if kept else None,
        "cosignatures": cosigned.lines,
        "cosigned_by": list(cosigned.good),
    }
    rows = describe_audit(report, vouched, cosigned.to_text(report.origin), saved)
    output.result(as_json, value, [*rows[:-1], *kept_line(kept), rows[-1]])
    if report.alarm is not None:
        raise typer.Exit(InconsistentLogError.exit_code)
    if not report.ok:
        raise typer.Exit(1)


def said_key(source: ReadAhead) -> tuple[str | None, str]:
    """The key that the place names, if it does, and what is wrong with that file."""
    from byline_ledger.note import Verifier

    try:
        said = source.vkey()
        if said is not None:
            Verifier.from_text(said)
    except (MalformedError, UnsupportedError) as error:
        return None, f"vkey: {str(error).removeprefix('vkey: ')}"
    return said, ""


def key_of(
    source: ReadAhead, vkey: str | None, rules: Policy | None, named: str
) -> tuple[str, str, str]:
    """The key to audit with, who vouches for it, and what is wrong with file `vkey`.

    `named` is the policy's file where that must name the log.
    """
    given = None if vkey is None else log_key("--vkey", vkey).to_text()
    origin = origin_of(source)
    said, fault = said_key(source)
    names = [origin, said.partition("+")[0] if said else ""]
    logs = [rules.log_for(name) for name in names] if rules is not None else []
    trusted = next((log.vkey for log in logs if log is not None), None)
    if given is None and trusted is None and named:
        raise UsageError(f"{named} does not name the log {origin or 'of that place'}")
    key = given or trusted or said
    if key is None:
        raise no_key(source.name, fault)
    if said not in (None, key):
        fault = "vkey: it names another key than the one this audit goes by"
    return key, vouching(given, trusted), fault


def vouching(given: str | None, trusted: str | None) -> str:
    """Whose word the key is."""
    if given is not None:
        return "the key is the one you gave"
    if trusted is not None:
        return "the key is that of your policy"
    return "the key is the one that the log itself names: nobody vouches for it"


def origin_of(source: ReadAhead) -> str:
    """The log that the place shows, unchecked; empty if that cannot be read."""
    from byline_ledger.checkpoint import checkpoint_of

    try:
        return checkpoint_of(source.checkpoint()).origin
    except NotFoundError:
        raise NotFoundError(
            f"there is no log at {source.name}", hint="expected a checkpoint there"
        ) from None
    except MalformedError:
        return ""  # the audit will say it better


def no_key(name: str, fault: str) -> BylineError:
    """Nobody says which key to audit with, or what says it is damaged."""
    hint = "give the key with --vkey or --policy"
    if fault:
        return VerificationError(f"{name}: {fault}", hint=hint)
    return UsageError(f"{name} does not say which key signs it", hint=hint)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """Signature lines beside the log's own."""

    lines: int
    rules: Policy | None
    good: tuple[str, ...] = ()
    """Witnesses, by their names in the policy, whose lines hold."""
    false: int = 0

    def to_text(self, origin: str) -> str:
        """In words."""
        if self.rules is None and self.lines:
            return f"{self.lines}, not checked: you have no policy"
        parts = ["by nobody"]
        if self.lines:
            known = f"{len(self.good)} by witnesses of your policy"
            parts = [f"{self.lines}, of them {known}"]
        if others := self.lines - len(self.good) - self.false:
            parts.append(f"{others} by others, not checked")
        rules = self.rules
        if rules and rules.log_for(origin) and not rules.is_satisfied(self.good):
            parts.append("which is not its quorum")
        return ", ".join(parts)


def check_cosigners(rules: Policy | None, report: AuditReport) -> Cosigned:
    """Who cosigned what was audited; a false line of a known witness is a problem."""
    from byline_ledger.cosignature import verify_cosignature
    from byline_ledger.note import parse_note

    if not report.note:
        return Cosigned(0, None)
    note, good, false = parse_note(report.note), [], 0
    for witness in rules.witnesses if rules is not None else ():
        if note.signature_by(witness.verifier) is None:
            continue
        try:
            verify_cosignature(note, witness.verifier)
            good.append(witness.name)
        except BadSignatureError as error:
            false += 1
            name = witness.verifier.name
            report.add(f"checkpoint: the cosignature by {name} is false: {error}")
    return Cosigned(len(note.signatures) - 1, rules, tuple(good), false)


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
