"""`byline log`: a log as files that anybody can serve, keep and check."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byline_cli import output
from byline_cli.connect import StoppedError
from byline_cli.options import Json, examples, make_app
from byline_cli.wording import amount
from byline_node.home import find_home

if TYPE_CHECKING:
    from byline_node.log_copy import Copied, Target
    from byline_node.log_source import FileSource

app = make_app("Write a log as files that anybody can serve, keep and check.")

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of the copy, made if need be.")
]
Bucket = Annotated[
    str, typer.Argument(metavar="s3://BUCKET/PREFIX", help="Where the copy lies.")
]
Place = Annotated[
    str,
    typer.Argument(
        metavar="PLACE",
        help="s3://BUCKET/PREFIX, the URL of a log or node, or a folder.",
    ),
]
Endpoint = Annotated[
    str,
    typer.Option(
        "--endpoint",
        metavar="URL",
        help="Where the storage answers; else what AWS_ENDPOINT_URL says, or Amazon's.",
    ),
]
Region = Annotated[
    str,
    typer.Option(
        "--region",
        metavar="NAME",
        help="Region of the bucket; else what AWS_REGION says.",
    ),
]


@app.command()
def export(folder: Folder, as_json: Json = False) -> None:
    """Write this node's log into a folder that any web server can serve.

    Run it again to add what came since, and to remove what was taken down.
    """
    from byline_node.folder_files import FolderTarget

    with own_log() as source:
        target = FolderTarget(folder)
        try:
            copy(source, target, "Exporting", as_json)
        finally:
            target.close()


@app.command(epilog=examples("byline log push s3://bucket/log"))
def push(
    place: Bucket,
    endpoint: Endpoint = "",
    region: Region = "",
    origin: Annotated[
        str,
        typer.Option(
            "--from", metavar="PLACE", help="Push this copy, not this node's log."
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Write this node's log into S3-compatible storage.

    Run it again to add what came since. Credentials come from AWS_ACCESS_KEY_ID and
    AWS_SECRET_ACCESS_KEY, or what else AWS programs read.
    """
    from byline_node.log_source import open_source
    from byline_node.s3_files import S3Files

    target = S3Files(place, endpoint=endpoint, region=region)
    with open_source(origin) if origin else own_log() as source:
        copy(source, target, "Pushing", as_json)


@app.command()
def pull(
    place: Place,
    folder: Folder,
    endpoint: Endpoint = "",
    region: Region = "",
    as_json: Json = False,
) -> None:
    """Copy somebody's log, or your own from storage, into a folder.

    The log's signature and the shape of its tree are checked, not what it holds.
    """
    from byline_node.folder_files import FolderTarget
    from byline_node.log_source import open_source

    with open_source(place, endpoint=endpoint, region=region) as source:
        target = FolderTarget(folder)
        try:
            copy(source, target, "Pulling", as_json)
        finally:
            target.close()


def own_log() -> FileSource:
    """The log of BYLINE_NODE, else of this home's node, running or not."""
    from byline_node.log_source import own_source

    return own_source(find_home(), os.environ.get("BYLINE_NODE"))


def copy(source: FileSource, target: Target, doing: str, as_json: bool) -> None:
    """Copy with a bar, and say what there is now."""
    from byline_node.log_copy import LogCopy

    run = LogCopy(source, target)
    total = run.new.size - run.start
    try:
        with output.progress(doing, total, unit="entries") as advance:
            copied = run.run(advance)
    except KeyboardInterrupt:
        raise StoppedError(
            f"stopped; {target.name} is as it was, but for files it does not name yet",
            hint="run it again to go on",
        ) from None
    output.result(as_json, describe(copied, target), rows(copied, target))


def describe(copied: Copied, target: Target) -> dict[str, object]:
    """The outcome for scripts."""
    return {
        "place": target.name,
        "origin": copied.checkpoint.origin,
        "size": copied.checkpoint.size,
        "root": copied.checkpoint.root,
        "new": copied.checkpoint.size - copied.old_size,
        "taken_down": copied.taken_down,
    }


def rows(copied: Copied, target: Target) -> list[output.Line]:
    """The outcome for people."""
    holds = amount(copied.checkpoint.size, "entry", "entries")
    new = amount(copied.checkpoint.size - copied.old_size, "entry", "entries")
    found: list[output.Line] = [
        (f"{target.name} holds the log, {holds}.", "good"),
        f"  log   {copied.checkpoint.origin}",
        f"  new   {new}",
    ]
    if copied.taken_down:
        gone = amount(copied.taken_down, "body", "bodies")
        found.append(f"  gone  {gone} taken down")
    return found
