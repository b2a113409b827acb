"""`byline attest --sealed` and `byline reveal`: a work is promised first, shown later.

The seal tells nothing about the work; what reveals it is kept on this machine
(byline_node/seals.py).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.attest import Job
from byline_cli.connect import now_ms
from byline_cli.options import Json, Out, WorkBits, make_app
from byline_cli.saying import Manner, say
from byline_cli.signing import readable_keys
from byline_cli.targets import hash_file, named_path
from byline_cli.wording import amount, day, in_the_log
from byline_ledger.crypto import random_bytes
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import NotFoundError, UsageError
from byline_node.home import find_home
from byline_node.seals import SealRecord, SealStore, kept, seal_work
from byline_node.sense import require_first_showing

app = make_app()


def seal_store() -> SealStore:
    """What this user has sealed."""
    return SealStore(find_home().seals)


class SealJob(Job):
    """Seals of files: nothing but commitments is published, the rest is kept."""

    def _leave_out_sealed(self) -> None:
        """The seal of what was sealed before is published again, if it must be."""

    def _sign(self, bits: int) -> None:
        store = seal_store()
        what, unit = ("Working", "hashes") if bits else ("Signing", "files")
        with output.progress(what, len(self._files) << bits, unit=unit) as advance:
            for file in self._files:
                now = now_ms()
                fields = self._terms.fields(file, time=now, salt=bytes(16))
                record = store.find(file.digest, self._key.public)
                if record is not None:
                    # The seal holds for whatever is said of the work in the end.
                    record = replace(
                        record, fields=kept(fields), path=str(file.path.absolute())
                    )
                else:
                    record = seal_work(
                        fields,
                        file.path,
                        self._key,
                        time=now,
                        work_bits=bits,
                        advance=advance,
                    )
                if not bits:
                    advance(1)
                store.save(record)
                self._statements.append(record.seal)

    def _summary(self) -> str:
        count = len(self._statements)
        if not count:
            return "Nothing new to seal."
        files = amount(count, "file")
        kept_in = output.safe(str(seal_store().folder))
        if self._out is not None:
            return (
                f"Signed seals of {files} into {self._out}. Nothing was published. What"
                f" reveals them is in {kept_in}: keep it."
            )
        where = in_the_log([one.index for one in self._receipts])
        return (
            f"Sealed {files}, {where}. What reveals them is in {kept_in}: keep it,"
            " then: byline reveal FILE"
        )

    def to_json(self) -> dict[str, object]:
        """As of a job that attests, under another name."""
        told = super().to_json()
        told["sealed"] = told.pop("attested")
        return told


@app.command()
def reveal(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", hidden=True, parser=named_path)
    ],
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Annotated[
        str | None,
        typer.Option(
            "--key", metavar="NAME", help="Of several keys that sealed it, this one."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a work that you sealed: say what you said when you sealed it.

    The statement names the seal, so that everybody sees since when you have had these
    very bytes.
    """
    record, name = find_record(file, hash_file(file), key_name)
    fields = record.revealed(time=now_ms(), salt=random_bytes(16))

    say(
        "Revealed",
        fields,
        Manner(name, work_bits, out, as_json),
        sense=partial(require_first_showing, seal=record.seal, file=str(file)),
        more={"seal": cid_of_statement(record.seal.id)},
        rows=(f"sealed on {day(record.seal.time)} as {record.seal.cid}",),
    )


def find_record(
    file: Path, work: bytes, key_name: str | None
) -> tuple[SealRecord, str]:
    """What was sealed, and the name of the key that did it; one error for each way in
    which that may fail."""
    store = seal_store()
    records = store.of_work(work)
    if not records:
        raise not_sealed(store, file)
    names = {info.public: info.name for info in readable_keys()[0]}
    found = [
        (one, names[one.author])
        for one in records
        if key_name in (None, names.get(one.author)) and one.author in names
    ]
    if len(found) == 1:
        return found[0]
    by = ", ".join(names.get(one.author, did_key(one.author)) for one in records)
    if found:
        raise UsageError(f"{file} was sealed with several keys", hint=f"--key: {by}")
    wanted = "a key that is not here" if key_name is None else "another key"
    raise UsageError(f"{file} was sealed with {wanted}: {by}")


def not_sealed(store: SealStore, file: Path) -> UsageError | NotFoundError:
    """Either the file is not the same any more, or nothing was kept of it here."""
    before = store.at(file)
    if before is not None:
        return UsageError(
            f"{file} is not what you sealed on {day(before.seal.time)}: its bytes have"
            " changed since",
            hint="a seal holds for the very bytes: bring back those of that day, "
            f"sha256 {before.work[2:].hex()}, or attest what it is now",
        )
    return NotFoundError(
        f"nothing in {store.folder} reveals {file}",
        hint="if it was sealed on another machine, copy the file of that folder from"
        " there; if that is lost, nobody can open the seal, and you can only attest it",
    )
