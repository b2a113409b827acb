"""Makes the folder of a label: manifest, proofs, items, figures, documents, pictures.

Everything is made beside the place where it will be, and put there in one step at the
end.  What the files hold: docs/spec/label.md, "Folder".
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TextIO

from byline_ledger.answer import Answer
from byline_ledger.codec import join_array
from byline_ledger.content_sets import label_fields
from byline_ledger.croissant import croissant
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.data_provenance import data_provenance
from byline_ledger.digest import digest_bytes
from byline_ledger.label_card import card
from byline_ledger.label_document import Head, headline, label_bytes
from byline_ledger.label_drawing import draw
from byline_ledger.label_html import to_html
from byline_ledger.label_maker import LabelMaker
from byline_ledger.label_svg import to_svg
from byline_ledger.label_table import header_line
from byline_ledger.label_tally import Figures
from byline_ledger.manifest import MAX_LINE, ManifestRow, is_table
from byline_ledger.statement import Statement
from byline_node.attest import sign_after_work
from byline_node.label_picture import has_pictures, to_png
from byline_node.label_proofs import DEPTH, Prover
from byline_node.manifests import PARQUET_MAGIC, manifest_digest, rows_of
from byline_node.set_files import PROOFS, written_whole

LABEL, STATEMENT = "label.json", "label.statement"
ITEMS = "items.csv"
CROISSANT, CARD, OASIS = "croissant.json", "README.md", "data-provenance.json"
SVG, PNG, PAGE = "label.svg", "label.png", "label.html"
BATCH = 512
"""Rows whose works are asked for together."""

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class MadeLabel:
    """The label as label.json has it, its statement, and the folder where both are."""

    folder: Path
    document: Figures
    statement: Statement


def manifest_name(path: Path) -> str:
    """What a manifest is called in the folder of a label, by what it is."""
    with path.open("rb") as file:
        start = file.read(MAX_LINE)
    if start.startswith(PARQUET_MAGIC):
        return "manifest.parquet"
    return "manifest.csv" if is_table(start) else "manifest.txt"


def make_label(
    folder: Path,
    manifest: Path,
    head: Head,
    client: Prover,
    key: SigningKey,
    advance: Advance,
    bits: int = 0,
) -> MadeLabel:
    """Write a label into a new folder; `advance` is called with numbers of works, and
    `bits` is the proof of work that its statement is to have.

    `manifest` is a file with at least one row, and none that is bad.
    """
    with written_whole(folder) as part:
        made = fill(part, manifest, head, client, key, advance, bits)
    return replace(made, folder=folder)


def fill(
    part: Path,
    manifest: Path,
    head: Head,
    client: Prover,
    key: SigningKey,
    advance: Advance,
    bits: int,
) -> MadeLabel:
    """All files of a label in a folder that is there."""
    name = manifest_name(manifest)
    shutil.copyfile(manifest, part / name)
    head = replace(head, file=name, manifest=manifest_digest(part / name))
    maker = LabelMaker(head.use)
    with (part / ITEMS).open("w", encoding="utf-8", newline="") as items:
        items.write(header_line())
        rows = rows_of(part / name)
        write_items(part, rows, maker, client, items, head.time, advance)
    document = maker.document(head)
    write_documents(part, document)
    files = {name: digest_hex(part / name) for name in sorted(names_in(part))}
    document["files"] = files
    data = label_bytes(document)
    (part / LABEL).write_bytes(data)
    signed = sign_label(document, data, head, key, bits)
    (part / STATEMENT).write_bytes(join_array([signed.to_envelope()]))
    return MadeLabel(part, document, signed)


def write_items(
    part: Path,
    rows: Iterator[ManifestRow],
    maker: LabelMaker,
    client: Prover,
    items: TextIO,
    now: int,
    advance: Advance,
) -> None:
    """Ask for the works batch by batch; proofs and lines are written as they come."""
    number = 0
    while batch := list(islice(rows, BATCH)):
        answers: dict[bytes, tuple[Answer, str]] = {}
        asked = list(dict.fromkeys(row.digest for row in batch))
        for data, found in client.prove_many(asked, depth=DEPTH, now=now):
            name = f"{PROOFS}/{number:06}.byline"
            number += 1
            (part / name).write_bytes(data)
            answers.update((work, (one, name)) for work, one in found.items())
            advance(len(found))
        for row in batch:
            answer, name = answers[row.digest]
            items.write(maker.add(row, answer, name))


def write_documents(part: Path, document: Figures) -> None:
    """Everything that is drawn and said from the figures."""
    for name, text in rendered(part, document).items():
        (part / name).write_text(text, "utf-8", newline="")
    if has_pictures():
        (part / PNG).write_bytes(to_png(draw(document)))


def rendered(folder: Path, document: Figures) -> dict[str, str]:
    """The texts that follow from a label's figures and the files in its folder."""
    manifest = document["manifest"]["file"]
    digests = {name: digest_hex(folder / name)[7:] for name in (ITEMS, manifest)}
    return {
        CROISSANT: as_json(croissant(document, digests)),
        CARD: card(document),
        OASIS: as_json(data_provenance(document)),
        SVG: to_svg(draw(document)),
        PAGE: to_html(document),
    }


def as_json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def names_in(folder: Path) -> Iterator[str]:
    """Files of a label's folder, by their names in it."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix()


def digest_hex(path: Path) -> str:
    """`sha256:HEX` of a file."""
    return f"sha256:{manifest_digest(path)[2:].hex()}"


def sign_label(
    document: Figures, data: bytes, head: Head, key: SigningKey, bits: int
) -> Statement:
    """The `label` statement about the manifest, after so much work."""
    fields = label_fields(
        manifest=head.manifest,
        label=digest_bytes(data),
        **headline(document),
        time=head.time,
        salt=random_bytes(16),
    )
    return sign_after_work(fields, key, bits)
