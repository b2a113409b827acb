"""Which altered copies are found, and what is taken for one: make similarity.

Real images and texts that packages ship (similarity_samples.py) are attested with their
fingerprints into a ledger; copies are looked for the way `byline similar` does it,
windows, turns, index and all.  PDQ sees the same images.  What comes out is written
into benchmarks/similarity.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from math import sqrt
from pathlib import Path
from typing import Any

from benchmarks import similarity_samples as samples
from byline_ledger.content import Fingerprints, read_work, work_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.fingerprint_codes import codes_of
from byline_ledger.likeness import compare
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement, sign_statement
from byline_node.fingerprint import (
    FEWEST_CHARACTERS,
    Asked,
    fingerprint,
    question_about,
)
from byline_node.iscc_codes import collapse
from byline_node.similar_index import SimilarIndex

PAGE = Path(__file__).with_name("similarity.md")
ALLOWED = 14 / 142_000
"""False pairs of unrelated ones."""
PDQ_NEAR = 31
"""The distance that PDQ's own makers use, of 256."""
QUOTE = 100
"""Letters that two texts share word for word: then one quotes the other."""
KEY = SigningKey.from_seed(bytes(32))

try:
    import numpy as np
    import pdqhash
except ImportError:
    pdqhash = None


@dataclass(slots=True)
class Count:
    """How many copies were found, of how many."""

    found: int = 0
    of: int = 0
    missed: list[str] = field(default_factory=list)

    def add(self, hit: bool, name: str = "") -> None:
        self.found += hit
        self.of += 1
        if not hit:
            self.missed.append(name)

    def __str__(self) -> str:
        low, high = wilson(self.found, self.of)
        share = self.found / self.of
        return f"{share:.3f} ({low:.3f}–{high:.3f})"  # noqa: RUF001


def wilson(found: int, of: int) -> tuple[float, float]:
    """The interval that holds the true share 19 times of 20."""
    z, share = 1.96, found / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    spread = sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    spread *= z / (1 + z * z / of)
    return max(0.0, middle - spread), min(1.0, middle + spread)


# The way of `byline similar`


def as_png(image: Any) -> bytes:
    out = BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def without_bytes(found: Fingerprints | None) -> Fingerprints:
    """The fingerprints without the codes of the bytes: those of this very file would
    find it, and nothing of that is to be measured here."""
    assert found is not None
    kept = tuple(one for one in found.iscc if one[5:8] not in ("GAD", "IAD"))
    return Fingerprints(kept, found.windows, found.chunks)


def attested(name: str, data: bytes) -> Statement:
    fields = work_fields(
        about=digest_bytes(data),
        title=name,
        time=1,
        salt=digest_bytes(data + name.encode())[2:18],
        fingerprints=without_bytes(fingerprint([data], data).fingerprints),
    )
    return sign_statement(fields, KEY)


class Known:
    """Works in a ledger with its index."""

    def __init__(self, folder: Path, statements: Iterable[Statement]) -> None:
        self._ledger = Ledger.init(folder)
        self._ledger.append(list(statements))
        self._index = SimilarIndex(folder)

    def like(self, asked: Asked) -> set[str]:
        """Titles of the works that are found."""
        answer = self._index.search(self._ledger.view, asked.question)
        found = set()
        for statement in map(Statement.from_envelope, answer.statements):
            content = read_work(statement)
            assert content.fingerprints is not None
            codes = codes_of(content.fingerprints)
            if compare(asked.question, codes, asked.image) is not None:
                found.add(str(content.title))
        return found


def ask(data: bytes) -> Asked:
    asked = question_about([data], data)
    plain = type(asked.question)(
        asked.question.turned,
        asked.question.parts,
        asked.question.text,
        asked.question.chunks,
    )
    return Asked(plain, asked.image, asked.problem)


# PDQ


def pdq(image: Any) -> tuple[bytes, list[bytes]]:
    """The code of an image, and those of its eight turns."""
    pixels = np.asarray(image.convert("RGB"))
    code, _quality = pdqhash.compute(pixels)
    turns, _quality = pdqhash.compute_dihedral(pixels)
    return np.packbits(code).tobytes(), [np.packbits(t).tobytes() for t in turns]


def pdq_near(codes: Iterable[bytes], work: bytes) -> bool:
    return any(
        (int.from_bytes(code) ^ int.from_bytes(work)).bit_count() <= PDQ_NEAR
        for code in codes
    )


# Images


Row = tuple[str, str, str, bool, bool, bool]
"""Group, change, image, and whether we, PDQ, and PDQ in eight turns find it."""

GROUPS: dict[str, Callable[[], dict[str, samples.Change]]] = {
    "saved again": samples.encodings,
    "resized": samples.sizes,
    "turned": samples.flips,
    "cut": samples.crops,
    "edited": samples.edits,
}
WANTED = {"saved again, resized": 0.99, "cut": 0.95, "turned": 0.95}


@cache
def known_images() -> tuple[dict[str, Any], Known, dict[str, bytes]]:
    """In each process once: the images, a ledger of them, their PDQ codes."""
    images = samples.images()
    folder = Path(tempfile.mkdtemp(prefix="byline-similarity-")) / "node"
    works = Known(folder, [attested(n, as_png(one)) for n, one in images.items()])
    codes = {} if pdqhash is None else {n: pdq(one)[0] for n, one in images.items()}
    return images, works, codes


def copies_of(name: str) -> list[Row]:
    """What becomes of one image's copies."""
    images, works, codes = known_images()
    rows: list[Row] = []
    for group, changes in GROUPS.items():
        for title, change in changes().items():
            copy = change(images[name])
            hit = name in works.like(ask(as_png(copy)))
            one, turned = False, False
            if pdqhash is not None:
                code, turns = pdq(copy)
                one = pdq_near([code], codes[name])
                turned = pdq_near([code, *turns], codes[name])
            rows.append((group, title, name, hit, one, turned))
    return rows


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of an image, or the whole of it (number 0)."""

    image: str
    number: int

    @property
    def title(self) -> str:
        return f"{self.image} {self.number}"

    def is_unrelated(self, other: Tile) -> bool:
        """Neither is a part of the other."""
        if self.image != other.image:
            return True
        return 0 not in (self.number, other.number) and self.number != other.number


def tiles_of(name: str) -> list[tuple[Tile, bytes, bytes, list[bytes]]]:
    """The image and its tiles, as statements, with their PDQ codes."""
    image = known_images()[0][name]
    found = []
    for number, one in enumerate([image, *samples.tiles(image)]):
        tile, data = Tile(name, number), as_png(one)
        code, turns = (b"", []) if pdqhash is None else pdq(one)
        statement = attested(tile.title, data)
        found.append((tile, statement.to_envelope(), code, turns))
    return found


def false_pairs(
    folder: Path, run: ProcessPoolExecutor, names: list[str]
) -> tuple[int, set[frozenset[str]], set[frozenset[str]], set[frozenset[str]]]:
    """Unrelated pairs, and those that we, PDQ, and PDQ in eight turns take for one."""
    rows = [row for part in run.map(tiles_of, names) for row in part]
    known = {tile.title: tile for tile, *_ in rows}
    statements = [Statement.from_envelope(row[1]) for row in rows]
    works = Known(folder / "tiles", statements)
    pairs = sum(
        a.is_unrelated(b)
        for number, (a, *_) in enumerate(rows)
        for b, *_ in rows[:number]
    )
    ours: set[frozenset[str]] = set()
    images = known_images()[0]
    for name in names:
        for number, one in enumerate([images[name], *samples.tiles(images[name])]):
            tile = Tile(name, number)
            for title in works.like(ask(as_png(one))):
                if tile.is_unrelated(known[title]):
                    ours.add(frozenset((tile.title, title)))
    theirs: set[frozenset[str]] = set()
    turned: set[frozenset[str]] = set()
    for number, (a, _, code, turns) in enumerate(rows):
        for b, _, other, _ in rows[:number] if code else ():
            if a.is_unrelated(b):
                if pdq_near([code], other):
                    theirs.add(frozenset((a.title, b.title)))
                if pdq_near([code, *turns], other):
                    turned.add(frozenset((a.title, b.title)))
    return pairs, ours, theirs, turned


# Texts


def text_rows(folder: Path) -> tuple[list[tuple[str, Count]], int, list[list[str]]]:
    """Recall for each change; pairs of texts; those that are alike and quote not."""
    known = {
        name: text
        for name, text in samples.texts().items()
        if len(collapse(text)) >= FEWEST_CHARACTERS
    }
    works = Known(folder / "texts", [attested(n, t.encode()) for n, t in known.items()])
    rows: list[tuple[str, Count]] = []
    for title, change in samples.rewrites(known).items():
        count = Count()
        for name, text in known.items():
            copy = change(text)
            data = copy if isinstance(copy, bytes) else copy.encode()
            if len(copy) >= samples.FEWEST:
                count.add(name in works.like(ask(data)), name)
        rows.append((title, count))
    alike: set[frozenset[str]] = set()
    for name, text in known.items():
        found = works.like(ask(text.encode())) - {name}
        alike |= {frozenset((name, other)) for other in found}
    false = [
        sorted(pair) for pair in alike if not quotes(*(known[name] for name in pair))
    ]
    return rows, len(known), false


def quotes(one: str, other: str) -> bool:
    """Whether the texts share a passage letter for letter."""
    letters = collapse(other)
    passages = {letters[at : at + QUOTE] for at in range(len(letters) - QUOTE + 1)}
    text = collapse(one)
    return any(text[at : at + QUOTE] in passages for at in range(len(text) - QUOTE + 1))


# The page


def table(rows: Iterable[tuple[str, ...]], *heads: str) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


HEAD = """# Altered copies

`make similarity` measured this on {date}, in {minutes:.0f} minutes on {cores} cores:
{images} images that scikit-image, scikit-learn and matplotlib ship (all but {left}),
{tiles} tiles of them, and the documentation strings of {texts} modules of the standard
library. Each is attested with its fingerprints into a ledger, and each copy is looked
for as `byline similar` does it ([similar.md](../docs/spec/similar.md)), but for the
codes of the bytes. In parentheses: the Wilson interval that holds the true share 19
times of 20, for images like these.

PDQ ({pdq}) sees the same images: within {near} of 256 bits, as it is and in its eight
turns. It knows no windows.

What counts as alike was chosen by looking at these very images and tiles, so on others
it finds a little less and is wrong a little more often.

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="images whose name begins so")
    parser.add_argument("--no-page", action="store_true", help="print, write nothing")
    chosen = parser.parse_args()
    started = time.monotonic()
    names = [n for n in known_images()[0] if n.startswith(chosen.only)]
    workers = min(4, os.cpu_count() or 1)
    with (
        ProcessPoolExecutor(workers) as run,
        tempfile.TemporaryDirectory(prefix="byline-similarity-") as temporary,
    ):
        folder = Path(temporary)
        copies = [row for part in run.map(copies_of, names) for row in part]
        print(f"copies: {time.monotonic() - started:.0f} s", flush=True)
        pairs, *false = false_pairs(folder, run, names)
        print(f"pairs: {time.monotonic() - started:.0f} s", flush=True)
        texts, text_count, text_false = text_rows(folder)
    lines = [*image_lines(copies), *pair_lines(pairs, false)]
    lines += text_lines(texts, text_count, text_false)
    lines += verdict_lines(copies, pairs, false[0])
    head = HEAD.format(
        date=time.strftime("%Y-%m-%d"),
        minutes=max(1, (time.monotonic() - started) / 60),
        cores=os.cpu_count(),
        images=len(names),
        left=", ".join(f"{name} ({why})" for name, why in samples.LEFT_OUT.items()),
        tiles=sum(1 for n in names for _ in samples.tiles(known_images()[0][n])),
        texts=text_count,
        pdq="pdqhash"
        if pdqhash
        else "pdqhash could not be built here: its columns say 0",
        near=PDQ_NEAR,
    )
    page = head + "\n".join(lines).rstrip() + "\n"
    print(page)
    if not chosen.no_page and not chosen.only:
        PAGE.write_text(page)


def counts(copies: list[Row], which: int) -> dict[tuple[str, str], Count]:
    found: dict[tuple[str, str], Count] = {}
    for row in copies:
        found.setdefault((row[0], row[1]), Count()).add(bool(row[which]), row[2])
    return found


def image_lines(copies: list[Row]) -> Iterator[str]:
    ours, theirs, turned = (counts(copies, which) for which in (3, 4, 5))
    for group in GROUPS:
        yield f"## Images {group}\n"
        rows = [
            (
                title,
                str(count),
                f"{theirs[key].found / theirs[key].of:.2f}",
                f"{turned[key].found / turned[key].of:.2f}",
                ", ".join(count.missed),
            )
            for key, count in ours.items()
            if (title := key[1]) and key[0] == group
        ]
        yield from table(rows, "copy", "found", "PDQ", "PDQ, turned", "not found")


def pair_lines(pairs: int, false: list[set[frozenset[str]]]) -> Iterator[str]:
    yield "## Unrelated images\n"
    yield f"{pairs:,} pairs of images and tiles, neither a part of the other.\n"
    rows = []
    for name, found in zip(("Byline", "PDQ", "PDQ, turned"), false, strict=True):
        low, high = (1e6 * one for one in wilson(len(found), pairs))
        rows.append((name, f"{len(found)}", f"{low:.0f}–{high:.0f}"))  # noqa: RUF001
    yield from table(rows, "", "pairs taken for copies", "of a million")
    names = sorted(" and ".join(sorted(pair)) for pair in false[0])
    yield f"Ours: {'; '.join(names)}.\n"


def text_lines(
    rows: list[tuple[str, Count]], count: int, false: list[list[str]]
) -> Iterator[str]:
    yield "## Texts\n"
    yield from table(((title, str(found)) for title, found in rows), "copy", "found")
    pairs = count * (count - 1) // 2
    low, high = (1e6 * one for one in wilson(len(false), pairs))
    yield (
        f"Of {pairs:,} pairs {len(false)} are alike and share no passage of {QUOTE}"
        f" letters ({low:.0f}–{high:.0f} of a million)"  # noqa: RUF001
        f"{': ' if false else ''}{'; '.join(map(' and '.join, false))}.\n"
    )


def verdict_lines(
    copies: list[Row], pairs: int, false: set[frozenset[str]]
) -> Iterator[str]:
    yield "## What is asked of it\n"
    rows = []
    for groups, least in WANTED.items():
        count = Count()
        for row in copies:
            if row[0] in groups.split(", "):
                count.add(row[3], row[2])
        met = "yes" if count.found >= least * count.of else "NO"
        rows.append((f"images {groups}: at least {least}", str(count), met))
    rows.append(
        (
            f"unrelated pairs: at most 14 of 142,000 ({ALLOWED * pairs:.1f} of these)",
            str(len(false)),
            "yes" if len(false) <= ALLOWED * pairs else "NO",
        )
    )
    yield from table(rows, "", "measured", "met")


if __name__ == "__main__":
    main()
