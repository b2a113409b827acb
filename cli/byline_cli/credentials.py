"""`byline export`: a file with its statement and proof as Content Credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from byline_cli import output
from byline_cli.alarms import require_no_alarm
from byline_cli.connect import AnyClient, connect, now_ms, work_asked
from byline_cli.ended import warn_if_ended
from byline_cli.files import read_file, require_new, write_new_file
from byline_cli.options import Json, Key, WorkBits, examples, make_app, refuse_beside
from byline_cli.saying import sign_with_work
from byline_cli.signing import DEFAULT_KEY, load_key
from byline_cli.targets import hash_file, named_path
from byline_ledger.bundle import Bundle
from byline_ledger.bundle_rows import MAX_BUNDLE
from byline_ledger.codec import Value
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.digest import cid_of_statement, digest_bytes
from byline_ledger.errors import StoreError, UsageError, VerificationError
from byline_node.cut_short import is_cut_short
from byline_node.home import find_home
from byline_node.local import LocalClient

if TYPE_CHECKING:
    from byline_node.c2pa_export import Exported
    from byline_node.c2pa_manifest import Attested
    from byline_node.receipts import Receipt

app = make_app()

MAX_REPLY = 65_536
CUT_SHORT = (
    "the file ends before the picture does: it may have been cut short when it was"
    " copied. What is exported is what was attested."
)


@app.command(
    epilog=examples(
        "byline export --c2pa harbour.jpg --out harbour-cc.jpg",
        "byline export --trust-anchor --out anchor.pem",
    )
)
def export(
    c2pa: Annotated[
        Path | None,
        typer.Option(
            "--c2pa",
            metavar="FILE",
            help="Write a copy of FILE that carries your statement and its proof.",
            parser=named_path,
        ),
    ] = None,
    anchor: Annotated[
        bool,
        typer.Option(
            "--trust-anchor",
            help="Write the certificate by which others can trust what you export.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="The file to write. A sidecar usually stands beside FILE.",
            dir_okay=False,
        ),
    ] = None,
    sidecar: Annotated[
        bool,
        typer.Option(
            "--sidecar",
            help="Leave FILE as it is and write a .c2pa file beside it, for any type.",
        ),
    ] = False,
    proof: Annotated[
        Path | None,
        typer.Option(
            "--proof",
            metavar="BUNDLE",
            help="Take the proof from a file that `byline query --save` wrote.",
            readable=False,
        ),
    ] = None,
    no_publish: Annotated[
        bool,
        typer.Option(
            "--no-publish", help="Publish nothing about the bytes of the new file."
        ),
    ] = False,
    deposit: Annotated[
        bool,
        typer.Option(
            "--deposit",
            help="Leave them with the node too, for those who find the work without.",
        ),
    ] = False,
    work_bits: WorkBits = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Write Content Credentials (C2PA): your statement about a file, with its proof.

    Programs that know C2PA show them, offline. Writing them into a file changes its
    digest, so a new statement of yours about the copy is published as well, as the same
    work repackaged; not with --no-publish or --sidecar.
    """
    if anchor == (c2pa is not None):
        raise UsageError("expected either --c2pa FILE or --trust-anchor")
    if c2pa is None:
        unused = {"--sidecar": sidecar, "--proof": proof, "--deposit": deposit}
        refuse_beside("--trust-anchor", unused | {"--no-publish": no_publish})
        write_anchor(out, as_json)
        return
    place = out or sidecar_of(c2pa, sidecar)
    require_new(place)
    work = hash_file(c2pa)
    if is_cut_short(c2pa):
        output.note(output.safe(f"{c2pa}: {CUT_SHORT}"), "doubt")
    key = load_key(key_name)
    job = Job(c2pa, place, key, work)
    attest = not (sidecar or no_publish)
    # A saved proof needs no node; a node that is only asked is not made for that.
    is_asked = attest or deposit or proof is None
    asked = connect(make=attest and proof is not None) if is_asked else nullcontext()
    with asked as client:
        if client is not None:
            warn_if_ended(client, key.public)
        shelf = shelf_of(client) if deposit else None
        job.find(proof, client)
        job.write(sidecar)
        if attest and client is not None:
            job.attest(client, work_bits)
        if shelf is not None:
            job.deposit(shelf)
    output.result(as_json, job.to_json(), job.describe())


def sidecar_of(file: Path, sidecar: bool) -> Path:
    """photo.c2pa beside photo.jpg, where programs look for it; UsageError for a copy,
    which nobody expects in the folder of the original."""
    if sidecar:
        return file.with_suffix(".c2pa")
    raise UsageError(
        "where is the copy to go?", hint=f"say --out {file.stem}-cc{file.suffix}"
    )


def shelf_of(client: AnyClient | None) -> str:
    """Where the node takes manifests; UsageError if no node runs."""
    if client is None or isinstance(client, LocalClient):
        raise UsageError(
            "--deposit needs a running node", hint="start it with: byline node run"
        )
    return f"{client.url}/v1/manifests"


def leave_with_node(url: str, manifest: bytes) -> None:
    """Hand a manifest to the node, which holds it against its log.  RefusedError."""
    from byline_node.calls import read_body
    from byline_node.client import ask_service

    read_body(ask_service(url, manifest, "application/c2pa", limit=MAX_REPLY))


def write_anchor(out: Path | None, as_json: bool) -> None:
    """The certificate of this home's anchor, into a file or for people to read."""
    from byline_node.c2pa_certificates import anchor_certificate

    if out is not None:
        require_new(out)
    pem = anchor_certificate(find_home().credentials, now_ms())
    if out is None:
        output.result(as_json, {"anchor": pem}, pem.splitlines())
        return
    write_new_file(out, pem.encode())
    text = f"Wrote {out}. Who adds it to their trust list trusts all your keys here."
    output.result(as_json, {"anchor": pem, "out": str(out)}, [output.safe(text)])


class Job:
    """One export: what was found, what was written, and how it is told."""

    def __init__(self, file: Path, place: Path, key: SigningKey, work: bytes) -> None:
        self._file = file
        self._place = place
        self._key = key
        self._work = work
        self._attested: Attested
        self._exported: Exported
        self._receipt: Receipt | None = None
        self._sidecar = False
        self._deposited = False

    def find(self, proof: Path | None, client: AnyClient | None) -> None:
        """The own statement about the file, in a saved proof or from the node."""
        from byline_node.c2pa_export import own_statement

        if proof is not None:
            bundle = read_file(proof, MAX_BUNDLE)
        else:
            assert client is not None
            bundle = client.query_bundle(self._work)
        require_no_alarm(Bundle.from_bytes(bundle).log)
        self._attested = own_statement(bundle, self._work, self._key.public)

    def write(self, sidecar: bool) -> None:
        """Sign the manifest and write it, whole or not at all."""
        from byline_node import c2pa_engine
        from byline_node.c2pa_export import export, media_type_of, signer_of

        self._sidecar = sidecar
        folder = find_home().credentials
        media_type = media_type_of(self._file, self._attested.statement)
        signer = signer_of(self._key, folder, now_ms())
        with open_work(self._file) as work, new_file(self._place) as place:
            self._exported = export(
                work, media_type, self._attested, signer, None if sidecar else place
            )
            if sidecar:
                place.write(self._exported.manifest)
            asset = work if sidecar else place
            asset.seek(0)
            found = c2pa_engine.read(
                asset, media_type, manifest=self._exported.manifest if sidecar else None
            )
            if found is None or found.state == "Invalid":
                raise VerificationError("what was written does not read as valid")
        output.note(output.safe(f"Wrote {self._place}."), "quiet")

    def attest(self, client: AnyClient, work_bits: int | None) -> None:
        """Say of the new file what was said of the original."""
        from byline_node.c2pa_export import repackaged

        fields = repackaged(
            self._attested.statement,
            self._exported,
            time=now_ms(),
            salt=random_bytes(16),
        )
        self._receipt = publish_one(client, fields, self._key, work_bits)

    def deposit(self, url: str) -> None:
        """Leave the manifest with the node."""
        leave_with_node(url, self._exported.manifest)
        self._deposited = True

    def describe(self) -> list[output.Line]:
        """What was written, for people."""
        what = f"{self._file} with Content Credentials"
        if self._sidecar:
            what = f"Content Credentials of {self._file}, to be kept beside it"
        rows: list[output.Line] = [
            output.safe(f"{self._place}  {what}"),
            f"carries {self._attested.statement.cid}"
            + (
                ", with its proof"
                if self._attested.bundle
                else ", its place in the log"
            ),
        ]
        if self._receipt is not None:
            id_, index = cid_of_statement(self._receipt.id), self._receipt.index
            rows.append(f"{id_}  entry {index}, about the new bytes")
        if self._deposited:
            rows.append("left with the node, for those who find the work without them")
        return [*rows, (SIGNED, "head")]

    def to_json(self) -> dict[str, object]:
        """The same, for scripts."""
        return {
            "out": str(self._place),
            "digest": f"sha256:{self._exported.digest[2:].hex()}",
            "manifest": f"sha256:{digest_bytes(self._exported.manifest)[2:].hex()}",
            "sidecar": self._sidecar,
            "statement": self._attested.statement.cid,
            "whole_proof": bool(self._attested.bundle),
            "attested": self._receipt.to_json() if self._receipt else None,
            "deposited": self._deposited,
        }


SIGNED = (
    "Signed with your key. Programs trust it once they have your anchor on their list:"
    " byline export --trust-anchor --out anchor.pem"
)


def publish_one(
    client: AnyClient,
    fields: dict[str, Value],
    key: SigningKey,
    work_bits: int | None,
) -> Receipt:
    """Sign these fields, with the work that the node asks for, and publish them."""
    bits = work_asked(client, key.public) if work_bits is None else work_bits
    return client.publish([sign_with_work(fields, key, bits)])[0]


@contextmanager
def open_work(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, to be read more than once."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file to write and to read again; gone if anything fails."""
    try:
        file = path.open("x+b")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from None
    try:
        with file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
