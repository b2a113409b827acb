"""`byline anchor`: another's word on when a checkpoint existed, in its own file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byline_cli import output
from byline_cli.files import read_file, replace_file, require_new, write_new_file
from byline_cli.options import Json, examples, make_app
from byline_cli.wording import amount, format_time
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.errors import MalformedError, NotFoundError, UsageError
from byline_ledger.note import MAX_NOTE_BYTES

if TYPE_CHECKING:
    from byline_node.anchors import Anchored, Ask

MAX_PEM = 262_144
NO_EVIDENCE = (
    "An anchor says when, not what: it is no evidence that the log is consistent."
)
UNPROVEN = (
    "  No time is proven here: that takes the header of the Bitcoin block, from"
    " somebody you trust."
)

app = make_app("Have somebody else say when a checkpoint existed.")

CheckpointFile = Annotated[
    Path,
    typer.Argument(
        metavar="CHECKPOINT",
        help="File with a signed checkpoint, to be kept byte for byte.",
        readable=False,
    ),
]
Anchor = Annotated[
    Path, typer.Argument(metavar="FILE", help="The anchor.", readable=False)
]
Calendar = Annotated[
    list[str] | None,
    typer.Option(
        "--calendar", metavar="URL", help="An OpenTimestamps calendar. Repeatable."
    ),
]


@app.command(
    epilog=examples(
        "byline anchor stamp checkpoint --from-node --tsa https://tsa.example"
    )
)
def stamp(
    checkpoint: CheckpointFile,
    node: Annotated[
        bool,
        typer.Option(
            "--from-node",
            help="Write the checkpoint of this node's log there first.",
        ),
    ] = False,
    tsa: Annotated[
        str | None,
        typer.Option(
            "--tsa", metavar="URL", help="An RFC 3161 time-stamping authority."
        ),
    ] = None,
    ots: Annotated[
        bool, typer.Option("--ots", help="Stamp with OpenTimestamps.")
    ] = False,
    calendar: Calendar = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Where the anchor goes, if not beside it."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Have the bytes of a checkpoint time-stamped by somebody else.

    Asks only the services that you name. The checkpoint's file is needed to verify.
    """
    from byline_node import anchors

    if (tsa is not None) == ots:
        raise UsageError("expected either --tsa URL or --ots --calendar URL")
    if tsa is not None and calendar:
        raise UsageError("--calendar goes with --ots")
    place = out or Path(f"{checkpoint}.{'ots' if ots else 'tsr'}")
    require_new(place)
    note = fresh_checkpoint(checkpoint) if node else read_checkpoint(checkpoint)
    if tsa is not None:
        anchor = anchors.stamp_by_authority(note, tsa, asker())
    else:
        from byline_ledger.crypto import random_bytes

        anchor = anchors.stamp_by_calendars(
            note, calendar or [], asker(), random_bytes(16)
        )
    write_new_file(place, anchor)
    kept = f"Wrote {place}. Keep {checkpoint} beside it, byte for byte."
    value = {"anchor": str(place), "checkpoint": str(checkpoint)}
    rows: list[output.Line] = [output.safe(kept)]
    if ots:
        rows.append("It waits for its calendars: byline anchor upgrade, in some hours.")
    output.result(as_json, value, rows)


@app.command()
def upgrade(file: Anchor, calendar: Calendar = None, as_json: Json = False) -> None:
    """Ask calendars for what they have attested since an OpenTimestamps file was made.

    Ends with 3 if that is nothing yet.
    """
    from byline_node import anchors

    upgraded = anchors.upgrade(
        read_file(file, anchors.MAX_ANCHOR), calendar or [], asker()
    )
    if upgraded is None:
        raise NotFoundError(
            "the calendars have attested to nothing of it yet",
            hint="ask again in some hours",
        )
    replace_file(file, upgraded)
    rows = [output.safe(f"{file} now holds what the calendars attested.")]
    output.result(as_json, {"anchor": str(file)}, rows)


@app.command()
def verify(
    file: Anchor,
    checkpoint: CheckpointFile,
    tsa_cert: Annotated[
        Path | None,
        typer.Option(
            "--tsa-cert",
            metavar="PEM",
            help="Root certificate of the authority, and what leads to it.",
            readable=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check an anchor against the checkpoint's bytes, offline."""
    from byline_node import anchors

    anchor, note = read_file(file, anchors.MAX_ANCHOR), read_checkpoint(checkpoint)
    pem = b"" if tsa_cert is None else read_file(tsa_cert, MAX_PEM)
    found = anchors.verify_anchor(anchor, note, pem)
    output.result(as_json, to_json(found), describe(found))


def read_checkpoint(path: Path) -> bytes:
    """The bytes of a file that is a checkpoint; MalformedError names it if it is not.

    They are what is anchored, so they are left as they are.
    """
    note = read_file(path, MAX_NOTE_BYTES)
    try:
        checkpoint_of(note)
    except MalformedError as error:
        raise MalformedError(f"{path} is no checkpoint: {error}") from None
    return note


def fresh_checkpoint(path: Path) -> bytes:
    """The latest checkpoint of this node's log, now also in a file that is new."""
    from byline_cli.log import own_log

    require_new(path)
    with own_log() as source:
        note = source.checkpoint()
    checkpoint_of(note)
    write_new_file(path, note)
    return note


def asker() -> Ask:
    """How services are asked."""
    from byline_node.anchors import MAX_ANCHOR
    from byline_node.client import ask_service

    return partial(ask_service, limit=MAX_ANCHOR)


def to_json(found: Anchored) -> dict[str, object]:
    return {
        "kind": found.kind,
        "origin": found.checkpoint.origin,
        "size": found.checkpoint.size,
        "existed_by": found.time,
        "according_to": found.by or None,
        "unchecked": list(found.unchecked),
    }


def describe(found: Anchored) -> list[output.Line]:
    origin, size = found.checkpoint.origin, found.checkpoint.size
    entries = amount(size, "entry", "entries")
    rows: list[output.Line] = [
        output.safe(f"A checkpoint that names {origin} at {entries}:")
    ]
    if found.time is not None:
        when = format_time(found.time * 1000, "%Y-%m-%d %H:%M:%S UTC")
        said = f"  existed by {when} according to {found.by}"
        rows.append((output.safe(said), "good"))
    else:
        rows.append("  its hash leads to what the file says of it:")
        rows += [f"    {output.safe(one)}" for one in found.unchecked]
        rows.append((UNPROVEN, "doubt"))
    return [*rows, NO_EVIDENCE]
