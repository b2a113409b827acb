"""`byline alarm`: proof that a log signed something false, checked offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.alarms import keep_alarm, kept_line
from byline_cli.files import read_file
from byline_cli.options import Json, make_app
from byline_ledger.alarm import MAX_ALARM, Alarm
from byline_ledger.errors import InconsistentLogError, MalformedError
from byline_ledger.evidence import Equivocation, Fork

app = make_app("Check proofs that a log signed something false.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="An alarm.", readable=False)]


@app.command()
def verify(file: File, as_json: Json = False) -> None:
    """Check an alarm, with no node and no network.

    Ends with 4 if it proves that the log lied, with 1 if it proves nothing. One that
    proves it is kept: `query` and `verify` believe that log no more.
    """
    alarm = read_alarm(file)
    finding = alarm.verify()
    kept = keep_alarm(alarm)
    value = {
        "origin": finding.origin,
        "vkey": finding.vkey,
        "kind": finding.kind,
        "text": finding.text,
        "kept": str(kept) if kept else None,
    }
    rows: list[output.Line] = [
        f"  log   {output.safe(finding.origin)}",
        f"  key   {output.safe(finding.vkey)}",
        f"  kind  {finding.kind}",
        *kept_line(kept),
        (f"It is proven: this log {output.safe(finding.text)}.", "bad"),
    ]
    output.result(as_json, value, rows)
    raise typer.Exit(InconsistentLogError.exit_code)


@app.command()
def show(file: File, as_json: Json = False) -> None:
    """Show what an alarm says, without checking it."""
    alarm = read_alarm(file)
    evidence = alarm.evidence
    other = evidence.other if isinstance(evidence, Equivocation | Fork) else None
    value = {
        "vkey": alarm.vkey,
        "kind": alarm.kind,
        "note": alarm.note.decode("utf-8", "replace"),
        "other": None if other is None else other.decode("utf-8", "replace"),
    }
    rows: list[output.Line] = [
        f"  key   {output.safe(alarm.vkey)}",
        f"  kind  {alarm.kind}",
        "  signed by it, says the file:",
        *describe_note(alarm.note),
    ]
    if other is not None:
        rows += ["  and, against it:", *describe_note(other)]
    rows.append(("Nothing of this is checked: see byline alarm verify.", "doubt"))
    output.result(as_json, value, rows)


def read_alarm(file: Path) -> Alarm:
    """What the file says; MalformedError names it."""
    data = read_file(file, MAX_ALARM)
    try:
        return Alarm.from_bytes(data)
    except MalformedError as error:
        raise MalformedError(f"{file} is no alarm: {error}") from None


def describe_note(note: bytes) -> list[output.Line]:
    """A signed note, indented."""
    lines = note.decode("utf-8", "replace").splitlines()
    return [f"    {output.safe(one)}" for one in lines]
