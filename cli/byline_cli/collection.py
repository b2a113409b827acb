"""`byline collection`: what a data set consists of, in a manifest that is signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.attest import describe_passed
from byline_cli.connect import connect, now_ms, unpublished, work_asked
from byline_cli.ended import connect_to_sign
from byline_cli.files import require_new, write_new_file
from byline_cli.known_names import with_own_name
from byline_cli.options import (
    USE_WORDS,
    Json,
    Key,
    examples,
    make_app,
    refuse_beside,
)
from byline_cli.saying import said_already
from byline_cli.set_words import (
    bad_json,
    changes_json,
    describe_bad,
    describe_bytes,
    describe_changes,
    reading,
    unsound,
)
from byline_cli.signing import DEFAULT_KEY, load_key
from byline_cli.statement_file import write_statements
from byline_cli.targets import named_path, parse_target
from byline_cli.wording import amount, day
from byline_ledger.answer import EFFECTIVE, Remark
from byline_ledger.content_sets import CollectionContent, collection_fields
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement, multihash
from byline_ledger.errors import MalformedError, NotFoundError, UsageError
from byline_ledger.field_maker import Fields
from byline_ledger.manifest import BadLine, Line, ManifestRow
from byline_ledger.manifest_tree import (
    InManifest,
    ManifestSum,
    find_entry,
    manifest_root,
    membership_proof,
    tree_name,
)
from byline_ledger.statement import Statement, sign_statement
from byline_node.attest import PassedOver, sign_after_work
from byline_node.collections import (
    MAX_NAMED,
    compare,
    find_in_folder,
    folder_rows,
)
from byline_node.manifests import (
    entries,
    manifest_digest,
    open_manifest,
    require_manifest,
    sum_up,
    write_manifest,
)
from byline_node.said_before import said_before

app = make_app("Data sets: manifests, and statements about them.")

Set = Annotated[
    Path, typer.Argument(metavar="DIR|MANIFEST", parser=named_path, hidden=True)
]


@app.command(
    epilog=examples("byline collection create photos/ --out photos.csv --title Harbour")
)
def create(
    what: Set,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="The manifest to write: .csv or .parquet."
        ),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="Title of the set.")
    ] = None,
    description: Annotated[
        str | None, typer.Option("--description", metavar="TEXT", help="What it is.")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--set-version", metavar="V", help="Its version.")
    ] = None,
    spdx: Annotated[
        str | None,
        typer.Option("--license", metavar="SPDX", help="Licence of the set as such."),
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Where it can be had.")
    ] = None,
    uses: Annotated[
        list[str] | None,
        typer.Option(
            "--for",
            metavar="USE",
            help=f"A use that it is meant for: {USE_WORDS}. Repeatable.",
        ),
    ] = None,
    no_publish: Annotated[
        bool, typer.Option("--no-publish", help="Write the manifest and sign nothing.")
    ] = False,
    statement: Annotated[
        Path | None,
        typer.Option(
            "--statement",
            metavar="FILE",
            help="Sign into FILE and publish nothing; --out is the manifest.",
            dir_okay=False,
        ),
    ] = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Write the manifest of a folder, and sign a statement about it.

    For a MANIFEST without --out, the statement is about that file as it is; with
    --out, a clean copy is written first. Lines that do not parse are named by number.
    """

    def fields(manifest: bytes, total: ManifestSum) -> Fields:
        return collection_fields(
            manifest=manifest,
            count=total.count,
            size=total.bytes,
            root=total.root(),
            title=title,
            description=description,
            version=version,
            license=spdx,
            url=url,
            uses=uses or [],
            time=now_ms(),
            salt=random_bytes(16),
        )

    if no_publish:
        refuse_beside("--no-publish", {"--statement": statement})
    fields(multihash(bytes(32)), ManifestSum())  # bad words, before any work
    for path in (out, statement):
        if path is not None:
            require_new(path)
    job = Creation(what, out)
    with unpublished():
        job.run()
        is_signed = not no_publish and not job.bad
        key = load_key(key_name) if is_signed else None
    if key is not None:
        job.say(fields(job.digest, job.total), key, statement)
    output.result(as_json, job.to_json(), job.describe())
    job.finish()


class Creation:
    """One run of `create`: what was found, written and said."""

    def __init__(self, what: Path, out: Path | None) -> None:
        self._what, self._out = what, out
        self._passed: list[PassedOver] = []
        self.bad: list[BadLine] = []
        self._bad_count = 0
        self.total = ManifestSum()
        self.digest = b""
        self._signed: Statement | None = None
        self._statement: Path | None = None
        self._index: int | None = None
        self._before: Statement | None = None
        """What the key has said of this very manifest already."""

    def run(self) -> None:
        """Write the manifest if it is to be written, and sum it up."""
        if self._what.is_dir():
            self._from_folder()
        elif self._out is not None:
            require_manifest(self._what)
            with reading(self._what) as advance:
                rows = self._good(open_manifest(self._what, advance))
                self.total = write_manifest(self._out, rows)
        else:
            with reading(self._what) as advance:
                for _row in self._good(open_manifest(self._what, advance)):
                    self.total.add(_row.digest, _row.bytes)
        if not self.total.count:
            if self._out is not None:
                self._out.unlink(missing_ok=True)
            why = f"line {self.bad[0].number}: {self.bad[0].reason}" if self.bad else ""
            raise UsageError(f"{self._what} names no works", hint=why or None)
        self.digest = manifest_digest(self._out or self._what)

    def _from_folder(self) -> None:
        if self._out is None:
            raise UsageError(
                "where is the manifest of a folder to go?",
                hint="say --out manifest.csv",
            )
        found, self._passed = find_in_folder(self._what)
        size = sum(one.size for one in found)
        with output.progress("Hashing", size, unit="bytes") as advance:
            rows = folder_rows(self._what, found, self._passed, advance)
            self.total = write_manifest(self._out, rows)

    def _good(self, lines: Iterator[Line]) -> Iterator[ManifestRow]:
        for line in lines:
            if isinstance(line, BadLine):
                self._bad_count += 1
                if len(self.bad) < MAX_NAMED:
                    self.bad.append(line)
            else:
                yield line

    def say(self, fields: Fields, key: SigningKey, into: Path | None) -> None:
        """Publish the statement, or write it to a file."""
        self._signed, self._statement = sign_statement(fields, key), into
        if into is not None:
            write_statements(into, [self._signed])
            return
        with connect_to_sign(key.public) as client:
            self._before = said_before(client, self._signed, "last")
            if self._before is None:
                bits = work_asked(client, key.public, has_option=False)
                self._signed = sign_after_work(fields, key, bits)
            else:
                self._signed = self._before
            self._index = client.publish([self._signed])[0].index

    def describe(self) -> list[output.Line]:
        """What became of it, for people."""
        bad = describe_bad(self.bad, self._bad_count)
        rows = [*describe_passed(self._passed), *bad]
        name = output.safe(str(self._out or self._what))
        said = (
            f"{name}: {amount(self.total.count, 'file')}, {describe_bytes(self.total)}"
        )
        rows += [
            (said, "head"),
            f"digest  sha256:{self.digest[2:].hex()}",
            f"root    {self.total.root().hex()}",
        ]
        if self._signed is None:
            why = (
                "; a set with lines that do not parse is not signed" if self.bad else ""
            )
            return [*rows, f"Nothing was signed{why}."]
        cid = cid_of_statement(self._signed.id)
        if self._statement is not None:
            return [
                *rows,
                f"Signed into {self._statement}. Nothing was published.",
                cid,
            ]
        said = f"Signed, in the log as entry {self._index}."
        if self._before is not None:
            said = said_already(self._before, self._index or 0)
        return [*rows, said, cid]

    def to_json(self) -> dict[str, object]:
        """The same, for scripts."""
        return {
            "manifest": str(self._out or self._what),
            "digest": f"sha256:{self.digest[2:].hex()}",
            "count": self.total.count,
            "bytes": self.total.bytes,
            "unsized": self.total.unsized,
            "root": self.total.root().hex(),
            "id": cid_of_statement(self._signed.id) if self._signed else None,
            "index": self._index,
            "statement": str(self._statement) if self._statement else None,
            "passed_over": [
                {"path": str(one.path), "reason": one.reason} for one in self._passed
            ],
            "bad_lines": bad_json(self.bad),
            "bad_count": self._bad_count,
        }

    def finish(self) -> None:
        """End with the code of the first failure."""
        if self.bad:
            raise typer.Exit(MalformedError.exit_code)
        for one in self._passed:
            if one.exit_code:
                raise typer.Exit(one.exit_code)


@app.command(epilog=examples("byline collection check photos/ --against photos.csv"))
def check(
    what: Set,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="MANIFEST",
            help="The earlier manifest that it is compared with.",
            parser=named_path,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what of a data set changed since its manifest was written.

    A MANIFEST alone is held against the statements that the log has about it.
    """
    if against is None:
        if what.is_dir():
            raise UsageError(
                "with which manifest is the folder compared?",
                hint=f"byline collection check {what} --against manifest.csv",
            )
        check_said(what, as_json)
        return
    require_manifest(against)
    passed: list[PassedOver] = []
    with output.progress("Comparing", 1, unit="steps"):
        changes = compare(open_manifest(against), lines_of(what, passed))
    rows = [*describe_passed(passed), *describe_changes(changes)]
    output.result(as_json, changes_json(changes), rows)
    if not changes.none:
        raise typer.Exit(1)


def lines_of(what: Path, passed: list[PassedOver]) -> Iterator[Line]:
    """The lines of a manifest, or those that a folder would have."""
    if not what.is_dir():
        yield from open_manifest(what)
        return
    found, more = find_in_folder(what)
    passed += more
    yield from folder_rows(what, found, passed, lambda _bytes: None)


def check_said(manifest: Path, as_json: bool) -> None:
    """Hold a manifest against what the log's statements say about it."""
    with reading(manifest) as advance:
        total = sum_up(manifest, advance)
    if not total.count:
        raise unsound(manifest, total.bad)
    digest = manifest_digest(manifest)
    with connect(make=False) as client:
        answer = client.query(digest, depth=0)
    said = [one for one in answer.works[0].remarks if one.type == "collection"]
    if not said:
        raise NotFoundError(
            f"this log holds no statement about {manifest} as it is now "
            f"(sha256:{digest[2:].hex()})",
            hint="if it was signed earlier, it changed since: see --against",
        )
    agreeing = [(one, agree(one, total)) for one in said]
    name = output.safe(str(manifest))
    rows: list[output.Line] = [(f"{name}: {amount(total.count, 'file')}", "head")]
    rows += [describe_said(one, agrees) for one, agrees in agreeing]
    value = {
        "manifest": str(manifest),
        "digest": f"sha256:{digest[2:].hex()}",
        "count": total.count,
        "bytes": total.bytes,
        "root": total.root().hex(),
        "collections": [
            {
                "id": cid_of_statement(one.id),
                "author": did_key(one.author),
                "status": one.status,
                "agrees": agrees,
            }
            for one, agrees in agreeing
        ],
    }
    output.result(as_json, value, rows)
    if not any(agrees and one.status == EFFECTIVE for one, agrees in agreeing):
        raise typer.Exit(1)


def agree(said: Remark, total: ManifestSum) -> bool:
    """Whether a statement's figures are those of the manifest."""
    figures = total.count, total.bytes, total.root()
    return isinstance(said.content, CollectionContent) and said.content.agrees(*figures)


def describe_said(one: Remark, agrees: bool) -> output.Line:
    """One statement about the manifest."""
    who = with_own_name(one.author)
    if one.status != EFFECTIVE:
        return (f"claimed by {who} on {day(one.time)}, {one.status}", "doubt")
    if agrees:
        text = "count, bytes and root are as said"
        return (f"claimed by {who} on {day(one.time)}: {text}", "good")
    return (f"claimed by {who} on {day(one.time)}, but with other figures", "bad")


@app.command(
    epilog=examples(
        "byline collection prove photos/dawn.jpg --in photos.csv --out dawn.json"
    )
)
def prove(
    work: Annotated[str, typer.Argument(metavar="PATH|HASH", hidden=True)],
    manifest: Annotated[
        Path,
        typer.Option("--in", metavar="MANIFEST", help="The set.", parser=named_path),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the proof there, as JSON."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove that a work is one of a data set, without showing the others."""
    if out is not None:
        require_new(out)
    digest = parse_target(work).multihash
    with reading(manifest) as advance:
        index, count = find_entry(entries(manifest, advance), digest)
    proof = membership_proof(entries(manifest), index, count)
    root = manifest_root(entries(manifest))
    InManifest(tree_name(root), index, count, proof).verify(digest, root)
    value = {
        "digest": f"sha256:{digest[2:].hex()}",
        "manifest": f"sha256:{manifest_digest(manifest)[2:].hex()}",
        "index": index,
        "count": count,
        "proof": [one.hex() for one in proof],
        "root": root.hex(),
    }
    if out is not None:
        write_new_file(out, json.dumps(value, indent=2).encode() + b"\n")
    rows: list[output.Line] = [
        (f"Entry {index + 1} of {count:,}.", "head"),
        f"digest    {value['digest']}",
        f"manifest  {value['manifest']}",
        f"root      {root.hex()}",
    ]
    output.result(as_json, value, rows)
