"""`byline import`: claims that exist elsewhere come in.  One module for each source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byline_cli.options import (
    Json,
    Key,
    Out,
    WorkBits,
    examples,
    make_app,
    refuse_beside,
)
from byline_cli.saying import Manner
from byline_cli.signing import DEFAULT_KEY
from byline_ledger.catalogue import ENCODINGS
from byline_ledger.errors import UsageError
from byline_ledger.vocabulary import check_word

app = make_app()


@app.command(
    "import",
    epilog=examples(
        "byline import --csv works.csv --files scans/ --made human --dry-run",
        "byline import --c2pa photo.jpg",
    ),
)
def import_(
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="A catalogue as CSV.", readable=False
        ),
    ] = None,
    dublin_core: Annotated[
        Path | None,
        typer.Option(
            "--dublin-core",
            metavar="FILE",
            help="A catalogue in Dublin Core: XML (oai_dc), JSON or CSV.",
            readable=False,
        ),
    ] = None,
    c2pa: Annotated[
        Path | None,
        typer.Option(
            "--c2pa",
            metavar="FILE",
            help="The Content Credentials in a file, or beside it.",
            readable=False,
        ),
    ] = None,
    sidecar: Annotated[
        Path | None,
        typer.Option(
            "--sidecar",
            metavar="FILE",
            help="With --c2pa: where they are, if not in the file.",
            readable=False,
        ),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust-anchor",
            metavar="PEM",
            help="With --c2pa: certificates whose holders you trust.",
            readable=False,
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            metavar="FILE",
            help="With --c2pa: write the proof of Byline that they carry.",
            dir_okay=False,
        ),
    ] = None,
    deposit: Annotated[
        bool,
        typer.Option(
            "--deposit",
            help="With --c2pa: leave them with the node, for those who find the work"
            " without.",
        ),
    ] = False,
    files: Annotated[
        Path | None,
        typer.Option(
            "--files",
            metavar="DIR",
            help="Where the files of the catalogue are, to be hashed.",
        ),
    ] = None,
    made: Annotated[
        str | None,
        typer.Option(
            "--made",
            metavar="human|assisted|generated",
            help="How made, where the catalogue does not say.",
        ),
    ] = None,
    source_type: Annotated[
        str | None,
        typer.Option(
            "--source-type",
            metavar="TERM",
            help="The same as an IPTC digital source type, e.g. negativeFilm.",
        ),
    ] = None,
    spdx: Annotated[
        str | None,
        typer.Option(
            "--license", metavar="SPDX", help="Licence, where it does not say."
        ),
    ] = None,
    uses: Annotated[
        list[str] | None,
        typer.Option(
            "--use",
            metavar="USE=VALUE",
            help="Consent, where it does not say, as in byline attest. Repeatable.",
        ),
    ] = None,
    encoding: Annotated[
        str,
        typer.Option(
            "--encoding", metavar="NAME", help=f"Of CSV: {', '.join(ENCODINGS)}."
        ),
    ] = "utf-8",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Write what became of each line as CSV.",
            dir_okay=False,
        ),
    ] = None,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Take in claims that exist elsewhere, signed with your key.

    A catalogue becomes one statement a line, about the digest in the line or the file
    that it names. Lines that cannot be read are named, and the rest goes on; lines that
    the log has already are left out, so a run that was stopped can be made again.
    Content Credentials are relayed: whose word they are, and what was found of them.
    """
    given = {"--csv": csv, "--dublin-core": dublin_core, "--c2pa": c2pa}
    chosen = [name for name, path in given.items() if path is not None]
    if len(chosen) != 1:
        raise UsageError(
            f"expected one of {', '.join(given)}, got {' and '.join(chosen) or 'none'}"
        )
    of_catalogues = {
        "--files": files,
        "--made": made,
        "--source-type": source_type,
        "--license": spdx,
        "--use": uses,
        "--report": report,
    }
    of_credentials = {
        "--sidecar": sidecar,
        "--trust-anchor": trust,
        "--save": save,
        "--deposit": deposit,
    }
    refuse_beside(chosen[0], of_catalogues if c2pa is not None else of_credentials)
    if c2pa is not None:
        from byline_cli.import_credentials import Wanted as Credentials
        from byline_cli.import_credentials import import_credentials

        manner = Manner(key_name, work_bits, out, as_json)
        import_credentials(
            Credentials(c2pa, sidecar, trust, save, deposit, dry_run, manner)
        )
    if csv is not None or dublin_core is not None:
        from byline_cli.import_catalogue import Wanted, import_catalogue

        check_word("--encoding", encoding, ENCODINGS)
        import_catalogue(
            Wanted(
                path=csv or dublin_core or Path(),
                is_csv=csv is not None,
                folder=files,
                made=made,
                source_type=source_type,
                license=spdx,
                uses=tuple(uses or ()),
                encoding=encoding,
                dry_run=dry_run,
                report=report,
                work_bits=work_bits,
                out=out,
                key_name=key_name,
                as_json=as_json,
            )
        )
