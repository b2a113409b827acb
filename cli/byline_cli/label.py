"""`byline label`: the nutrition label of a data set: made, checked, kept up to date."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from byline_cli import output
from byline_cli.attest import describe_passed
from byline_cli.connect import connect, now_ms, unpublished, work_asked
from byline_cli.ended import connect_to_sign
from byline_cli.files import read_file, require_new
from byline_cli.groups import app_with_default
from byline_cli.label_words import (
    describe_asked,
    describe_check,
    describe_label,
    describe_stale,
)
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
from byline_cli.set_words import changes_json, describe_changes, unsound
from byline_cli.signing import DEFAULT_KEY, load_key
from byline_cli.targets import named_path
from byline_cli.wording import in_the_log
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.label_document import Head
from byline_ledger.label_words import typed_words
from byline_ledger.vocabulary import use_key
from byline_node.attest import PassedOver
from byline_node.collections import compare, find_in_folder, folder_rows, words_said
from byline_node.label_checking import check_label
from byline_node.label_making import MadeLabel, make_label
from byline_node.label_picture import has_pictures
from byline_node.label_register import Register
from byline_node.label_staleness import Staleness, find_stale
from byline_node.manifests import (
    manifest_digest,
    open_manifest,
    sum_up,
    write_manifest,
)

app = app_with_default("The nutrition label of a data set.", "create")

MAX_WORDS = 1 << 20

Folder = Annotated[
    Path, typer.Argument(metavar="LABEL-DIR", parser=named_path, hidden=True)
]


@app.command(
    epilog=examples(
        "byline label create photos/ --for ai_training --title Harbour --out label/"
    )
)
def create(
    what: Annotated[
        Path, typer.Argument(metavar="DIR|MANIFEST", parser=named_path, hidden=True)
    ],
    use: SetUse,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The label's folder, new.")
    ],
    title: Annotated[
        str | None,
        typer.Option("--title", metavar="TEXT", help="Name of the set."),
    ] = None,
    about: Annotated[
        Path | None,
        typer.Option(
            "--about",
            metavar="FILE",
            help="What you say of the set, as TOML: description, license, url, "
            "limitations and so on.",
        ),
    ] = None,
    no_publish: NoPublish = False,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Compute the label of a set from what is proven about each work, and sign it.

    A folder is hashed first; a MANIFEST is a CSV or Parquet file, or a list of hashes.
    What your `collection` statement says of it need not be said again.
    """
    full_use = use_key(use)
    words = words_of(title, about)
    typed_words(words)  # before any work
    require_new(out)
    passed: list[PassedOver] = []
    with unpublished(), manifest_of(what, passed) as (manifest, count):
        key = load_key(key_name)
        with connect_to_sign(key.public) as client:
            said = words_said(client, manifest_digest(manifest), key.public)
            whole = typed_words(said | words)
            bits = 0
            if not no_publish:
                bits = work_asked(client, key.public, has_option=False)
            head = Head(full_use, key.public, now_ms(), b"", "", whole)
            with output.progress("Asking", count, unit="works") as advance:
                made = make_label(out, manifest, head, client, key, advance, bits)
            where = "Signed. Nothing was published."
            if not no_publish:
                receipt = client.publish([made.statement])[0]
                where = f"Signed, {in_the_log([receipt.index])}."
    Register.of_home().add(out)
    rows = [*describe_passed(passed), *describe_label(made.document, out), where]
    if not has_pictures():
        rows.append(("No PNG: pip install 'byline-ledger[similar]'", "quiet"))
    output.result(as_json, to_json(made), rows)


def words_of(title: str | None, about: Path | None) -> dict[str, Any]:
    """What the maker says of the set."""
    found: dict[str, Any] = {}
    if about is not None:
        try:
            found = tomllib.loads(read_file(about, MAX_WORDS).decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise MalformedError(f"{about}: not TOML: {error}") from None
    if title is not None:
        found["name"] = title
    return found


@contextmanager
def manifest_of(what: Path, passed: list[PassedOver]) -> Iterator[tuple[Path, int]]:
    """The manifest of what was named, and its number of works."""
    if not what.is_dir():
        total = sum_up(what)
        if total.bad or not total.count:
            raise unsound(what, total.bad)
        yield what, total.count
        return
    found, more = find_in_folder(what)
    passed += more
    with tempfile.TemporaryDirectory(prefix="byline-label-") as folder:
        manifest = Path(folder) / "manifest.csv"
        size = sum(one.size for one in found)
        with output.progress("Hashing", size, unit="bytes") as advance:
            rows = folder_rows(what, found, passed, advance)
            total = write_manifest(manifest, rows)
        yield manifest, total.count


def to_json(made: MadeLabel) -> dict[str, object]:
    """For scripts: the figures, and where they are."""
    return {
        "folder": str(made.folder),
        "id": cid_of_statement(made.statement.id),
        "label": {k: v for k, v in made.document.items() if k != "files"},
    }


@app.command(epilog=examples("byline label verify label/ --files photos/"))
def verify(
    folder: Folder,
    files: Annotated[
        Path | None,
        typer.Option(
            "--files",
            metavar="DIR",
            help="The works, to be compared as well.",
            parser=named_path,
        ),
    ] = None,
    policy: PolicyFile = None,
    no_policy: NoPolicy = False,
    ask: Annotated[
        bool,
        typer.Option(
            "--ask",
            help="Ask your node about works whose proofs do not hold, to name those "
            "of which something else is true.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compute a label again from its proofs, offline, and name what differs."""
    rules, _where = chosen_policy(policy, no_policy)
    if files is not None and not files.is_dir():
        raise UsageError(f"--files {files}: expected the folder of the works")
    with output.progress("Checking", 0, unit="works") as advance:
        check = check_label(folder, rules, advance)
    rows, value = describe_check(check, folder)
    differs = not check.holds
    if ask and check.unproven:
        with connect(make=False) as client:
            asked = find_stale(
                folder, client, now_ms(), lambda _count: None, [*check.unproven]
            )
        rows += describe_asked(asked)
        value["asked"] = asked.to_json()
    if files is not None:
        passed: list[PassedOver] = []
        found, _passed = find_in_folder(files)
        manifest = folder / check.label.head.file
        now = folder_rows(files, found, passed, lambda _bytes: None)
        changes = compare(open_manifest(manifest), now)
        rows.append("The works, compared with the manifest:")
        rows += describe_changes(changes)
        value["works"] = changes_json(changes)
        differs = differs or not changes.none
    output.result(as_json, value, rows)
    if differs:
        raise typer.Exit(1)


@app.command()
def stale(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="LABEL-DIR", parser=named_path, hidden=True),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which labels a later withdrawal or change of consent has outdated.

    Without folders: all labels that were made here.
    """
    named = folders or Register.of_home().folders()
    if not named:
        raise UsageError("no label was made here", hint="name the folder of one")
    found: list[Staleness] = []
    with connect(make=False) as client:
        for folder in named:
            with output.progress(f"Asking {folder.name}", 0, unit="works") as advance:
                found.append(find_stale(folder, client, now_ms(), advance))
    value = {"labels": [one.to_json() for one in found]}
    output.result(as_json, value, [row for one in found for row in describe_stale(one)])
    if any(not one.is_current for one in found):
        raise typer.Exit(1)
