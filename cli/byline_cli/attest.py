"""`byline attest`: say how files were made, and publish that."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.attest_options import (
    Group,
    Model,
    Oversight,
    Sealed,
    Shares,
    parse_model,
    parse_shares,
)
from byline_cli.behalf import (
    Delegation,
    For,
    InManifest,
    Number,
    parse_behalf,
    require_delegation,
)
from byline_cli.connect import (
    AnyClient,
    now_ms,
    publish,
    unpublished,
    work_asked,
)
from byline_cli.ended import connect_to_sign
from byline_cli.files import require_new
from byline_cli.fingerprinting import Similar, add_fingerprints, require_fingerprints
from byline_cli.naming import parse_optional_key
from byline_cli.options import Json, Key, Out, WorkBits, make_app
from byline_cli.path_list import listed
from byline_cli.signing import DEFAULT_KEY, load_key
from byline_cli.statement_file import write_statements
from byline_cli.targets import is_there, named_path, parse_target
from byline_cli.wording import MADE, amount, day, in_the_log
from byline_ledger.content import read_work
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import UsageError
from byline_ledger.statement import Source, Statement
from byline_ledger.vocabulary import RELATIONSHIPS, check_word, use_key
from byline_node.attest import (
    Candidate,
    Earlier,
    HashedFile,
    PassedOver,
    Terms,
    find_files,
    hash_files,
    leave_out_attested,
    leave_out_taken_down,
    leave_out_unlisted,
    sign_works,
)
from byline_node.home import find_home
from byline_node.receipts import Receipt
from byline_node.seals import SealStore, leave_out_sealed

app = make_app()

DEFAULT_RELATIONSHIP = "parentOf"
MOST_NAMED = 20
"""Entries passed over that are named one by one, if nothing is wrong with them."""


@app.command()
def attest(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", hidden=True, parser=named_path)
    ],
    made: Annotated[
        str | None,
        typer.Option(
            "--made",
            metavar="human|assisted|generated",
            help="How made; human alone stands for digitalCreation.",
        ),
    ] = None,
    source_type: Annotated[
        str | None,
        typer.Option(
            "--source-type",
            metavar="TERM",
            help="How made, as an IPTC digital source type, e.g. digitalCapture.",
        ),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="T", help="Title of the work.")
    ] = None,
    spdx: Annotated[
        str | None,
        typer.Option("--license", metavar="SPDX", help="Licence, e.g. CC-BY-4.0."),
    ] = None,
    uses: Annotated[
        list[str] | None,
        typer.Option(
            "--use",
            metavar="USE=VALUE",
            help="ai_generative_training, ai_training, ai_inference or data_mining, "
            "= allowed, notAllowed or constrained. Repeatable.",
        ),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="PATH|HASH[:RELATIONSHIP]",
            help="What it was made from: parentOf (the default), componentOf or "
            "inputTo. Repeatable.",
        ),
    ] = None,
    tools: Annotated[
        list[str] | None,
        typer.Option(
            "--tool", metavar="TEXT", help="A tool that was used. Repeatable."
        ),
    ] = None,
    model: Model = None,
    oversight: Oversight = None,
    shares: Shares = None,
    group: Group = None,
    for_: For = None,
    delegation: Delegation = None,
    number: Number = None,
    manifest: InManifest = None,
    sealed: Sealed = False,
    similar: Similar = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Take all files in folders.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Attest also files about which the node took a statement down.",
        ),
    ] = False,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Say how files were made, from what and on which terms, signed with your key.

    Files that the key has attested already are left out. Empty files, hidden entries
    and proofs in folders, files that cannot be read, and those about which the node
    took a statement of yours down are named, and the rest goes on. PATH - stands for
    paths on standard input, one a line.
    """
    if made is None and source_type is None:
        raise UsageError(
            "how were they made?",
            hint="say --made human, assisted or generated; of photos from a camera: "
            "--source-type digitalCapture",
        )
    terms = Terms(
        made=made,
        source_type=source_type,
        title=title,
        license=spdx,
        uses=parse_uses(uses or []),
        sources=tuple(parse_source(text) for text in sources or []),
        tools=tuple(tools or []),
        model=parse_model(model),
        oversight=oversight,
        shares=parse_shares(shares),
        group=parse_optional_key(group),
        behalf=parse_behalf(for_, delegation, number, manifest),
    )
    terms.check()
    kind = kind_of_job(sealed, terms)
    if similar:
        require_fingerprints(sealed)
    if out is not None:
        require_new(out)
    with unpublished():
        found, passed = find_files(listed(paths), recursive=recursive)
        key = load_key(key_name)
        hashed, more = hash_with_progress(found)
    hashed, unlisted = leave_out_unlisted(hashed, terms)
    job = kind(terms, key, hashed, [*passed, *more, *unlisted], work_bits)
    job.similar = similar
    job.sign_into(out) if out else job.publish(again=again)
    output.result(as_json, job.to_json(), job.describe())
    job.finish()


def kind_of_job(sealed: bool, terms: Terms) -> type[Job]:
    """How the files are dealt with: at once, or in two steps."""
    if not sealed:
        return Job
    if terms.behalf is not None:
        raise UsageError(
            "--sealed and --for do not go together",
            hint="a seal is the signer's own: attest for others without",
        )
    from byline_cli.seal import SealJob  # it is a Job itself

    return SealJob


def parse_uses(texts: list[str]) -> dict[str, str]:
    """`USE=VALUE` texts as a mapping; the ledger checks the words."""
    uses: dict[str, str] = {}
    for text in texts:
        use, equals, value = text.partition("=")
        if not equals:
            raise UsageError(
                f"--use {text}: expected USE=VALUE",
                hint="such as ai_generative_training=notAllowed",
            )
        if use in uses:
            raise UsageError(f"--use {use} is given twice")
        uses[use] = value
    return uses


def parse_source(text: str) -> Source:
    """`PATH|HASH[:RELATIONSHIP]` as a source."""
    what, colon, relationship = text.rpartition(":")
    if is_there(named_path(text)) or not colon or what == "sha256":
        what, relationship = text, DEFAULT_RELATIONSHIP
    check_word(f"--from {text}", relationship, RELATIONSHIPS)
    target = parse_target(what)
    if target.kind == "statement":
        raise UsageError(
            f"--from {text}: expected a work, got the id of a statement",
            hint="byline query shows which work it is about",
        )
    return Source(target.multihash, relationship, {})


def hash_with_progress(
    found: list[Candidate],
) -> tuple[list[HashedFile], list[PassedOver]]:
    """Hash them, with a bar over their bytes."""
    total = sum(one.size for one in found)
    with output.progress("Hashing", total, unit="bytes") as advance:
        return hash_files(found, advance)


class Job:
    """One run: what was found, what came of it, and how it is told."""

    def __init__(
        self,
        terms: Terms,
        key: SigningKey,
        files: list[HashedFile],
        passed: list[PassedOver],
        work_bits: int | None,
    ) -> None:
        self._work_bits = work_bits
        self._terms = terms
        self._key = key
        self._files = files
        self._passed = passed
        self._earlier: list[Earlier] = []
        self._statements: list[Statement] = []
        self._receipts: list[Receipt] = []
        self._out: Path | None = None
        self._hint = ""
        self._lacking: list[output.Line] = []
        self.similar = False
        """Whether it is to be said what the files resemble."""

    def sign_into(self, out: Path) -> None:
        """Sign all into a file, to be published from another machine."""
        self._leave_out_sealed()
        self._sign(self._work_bits or 0)
        if self._statements:
            write_statements(out, self._statements)
            self._out = out

    def publish(self, *, again: bool) -> None:
        """Leave out what was attested or taken down, sign and publish the rest."""
        if not self._files:
            return
        with connect_to_sign(self._key.public) as client:
            with unpublished():
                self._files, self._earlier = leave_out_attested(
                    client, self._key.public, self._files, self._terms
                )
                self._leave_out_sealed()
                if not again:
                    self._leave_out_taken_down(client)
                require_delegation(
                    client,
                    self._terms.behalf,
                    self._key.public,
                    kind="work",
                    uses=[use_key(use) for use in self._terms.uses or ()],
                    count=len(self._files),
                )
                bits = self._work_bits
                if bits is None:
                    bits = work_asked(client, self._key.public)
                self._sign(bits)
            self._receipts = publish(client, self._statements, "files")

    def _leave_out_sealed(self) -> None:
        self._files, sealed = leave_out_sealed(
            SealStore(find_home().seals), self._key.public, self._files
        )
        self._passed += sealed

    def _leave_out_taken_down(self, client: AnyClient) -> None:
        self._files, gone = leave_out_taken_down(client, self._key.public, self._files)
        self._passed += gone
        if gone:
            self._hint = "To attest what was taken down, with other terms: add --again"

    def _sign(self, bits: int) -> None:
        if self.similar:
            self._files, self._lacking = add_fingerprints(self._files)
        what, unit = ("Working", "hashes") if bits else ("Signing", "files")
        total = len(self._files) << bits
        with output.progress(what, total, unit=unit) as advance:
            self._statements = sign_works(
                self._files,
                self._terms,
                self._key,
                now=now_ms(),
                advance=advance,
                work_bits=bits,
            )

    def describe(self) -> list[output.Line]:
        """What became of everything, for people."""
        rows: list[output.Line] = []
        for file, statement in zip(self._files, self._statements, strict=True):
            rows.append(
                f"{cid_of_statement(statement.id)}  {output.safe(str(file.path))}"
            )
        rows += self._lacking
        rows += [describe_earlier(one) for one in self._earlier]
        rows += describe_passed(self._passed)
        rows += [(self._hint, "doubt")] if self._hint else []
        return [*rows, (self._summary(), "head")]

    def _summary(self) -> str:
        count = len(self._statements)
        files = amount(count, "file")
        if not count:
            if not self._earlier and not self._passed:
                return "There is no file in what you named: nothing to attest."
            return "Nothing new to attest."
        made = f"made: {MADE[read_work(self._statements[0]).made]}"
        if self._out is not None:
            return f"Signed {files} into {self._out} ({made}). Nothing was published."
        where = in_the_log([one.index for one in self._receipts])
        return f"Attested {files} ({made}), {where}."

    def to_json(self) -> dict[str, object]:
        """The same, for scripts."""
        receipts: list[Receipt | None] = [*self._receipts]
        receipts += [None] * (len(self._statements) - len(receipts))
        rows = zip(self._files, self._statements, receipts, strict=True)
        return {
            "attested": [
                {
                    "path": str(file.path),
                    "digest": f"sha256:{file.digest[2:].hex()}",
                    "id": cid_of_statement(statement.id),
                    "index": receipt.index if receipt else None,
                }
                for file, statement, receipt in rows
            ],
            "earlier": [
                {
                    "path": str(one.file.path),
                    "digest": f"sha256:{one.file.digest[2:].hex()}",
                    "id": cid_of_statement(one.statement.id),
                    "same": one.same,
                    "differs": list(one.differs),
                }
                for one in self._earlier
            ],
            "passed_over": [
                {"path": str(one.path), "reason": one.reason} for one in self._passed
            ],
            "out": str(self._out) if self._out else None,
        }

    def finish(self) -> None:
        """End with the code of the first failure, or of having found nothing at all, or
        of a file that stays with other terms than these."""
        for one in self._passed:
            if one.exit_code:
                raise typer.Exit(one.exit_code)
        kept = [one for one in self._earlier if not one.same]
        if kept or not (self._statements or self._earlier):
            raise typer.Exit(UsageError.exit_code)


def describe_earlier(one: Earlier) -> output.Line:
    """A file that was attested already."""
    path, when = output.safe(str(one.file.path)), day(one.statement.time)
    if one.same:
        return (f"{path}: attested already on {when}", "quiet")
    id_ = cid_of_statement(one.statement.id)
    terms = output.safe(", ".join(one.differs))
    text = (
        f"{path}: attested already on {when}, but with other terms ({terms}). To"
        f" replace that: byline withdraw {id_} --reason superseded, then attest again"
    )
    return (text, "doubt")


def describe_passed(passed: list[PassedOver]) -> list[output.Line]:
    """Failures one by one; harmless ones too, unless there are many."""
    rows: list[output.Line] = []
    harmless = [one for one in passed if not one.exit_code]
    named = (
        passed
        if len(harmless) <= MOST_NAMED
        else [one for one in passed if one.exit_code or one.reason == "empty"]
    )
    for one in named:
        style = "bad" if one.exit_code else "quiet"
        said = output.safe(f"{one.path}: {one.reason}, passed over")
        rows.append((said, style))
    if len(named) < len(passed):
        rows.append((f"{len(passed) - len(named)} more entries passed over", "quiet"))
    return rows
