"""Catalogues that exist already, line by line (docs/spec/catalogue.md).

Rule: a catalogue is a stranger's file.  A line that is not sound is an entry with the
reason why it was refused, and the rest goes on; only a file that is no catalogue at all
raises MalformedError.  What a line says becomes the arguments of `work_fields`; what it
does not say stays unsaid.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from byline_ledger.content import work_fields
from byline_ledger.digest import multihash, parse_hash
from byline_ledger.errors import BylineError, MalformedError, UsageError
from byline_ledger.statement import Source
from byline_ledger.vocabulary import USE_PREFIX, USES

MAX_CATALOGUE = 1 << 27
"""Bytes of one file."""
MAX_ENTRIES = 1_000_000
MAX_COLUMNS = 256
ENCODINGS = ("utf-8", "utf-16", "latin-1", "cp1252")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How text in UTF-16 begins, as spreadsheets save it."""
DELIMITERS = ",;\t"

PLAIN_COLUMNS = (
    *("digest", "file", "made", "source-type", "title", "license", "tools"),
    *("media-type", "size", "sources"),
)
USE_COLUMNS = tuple(use.removeprefix(USE_PREFIX).replace("_", "-") for use in USES)
COLUMNS = PLAIN_COLUMNS + USE_COLUMNS
OTHER_SPELLINGS: Mapping[str, str] = {
    "sha256": "digest",
    "hash": "digest",
    "path": "file",
    "filename": "file",
    "licence": "license",
    "from": "sources",
}
"""Names of columns that others use, and ours."""

DEFAULT_RELATIONSHIP = "parentOf"
_BETWEEN_ITEMS = re.compile(r"[\s;|]+")
PLACEHOLDER = multihash(bytes(32))
"""Stands for a work whose file was not hashed yet."""
_SIZE = re.compile(r"[0-9]{1,18}", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a catalogue; `refused` says why nothing is made of it."""

    number: int
    """The line at which it begins, or in JSON the number of the record; from 1."""
    digest: bytes | None = None
    """34-byte multihash of the work, if the catalogue names it."""
    files: tuple[str, ...] = ()
    """Names under which the work may be found in a folder."""
    says: Mapping[str, Any] | None = None
    """Arguments of `content.work_fields`."""
    left_out: tuple[str, ...] = ()
    """What was meant to be read and could not be, and why."""
    ignored: tuple[str, ...] = ()
    """Columns that say something which no statement says."""
    refused: str | None = None


def read_csv(data: bytes, encoding: str = "utf-8") -> Iterator[Entry]:
    """The lines below the header of a CSV file; MalformedError if there is no header
    of ours, or the file is none of the encoding."""
    rows = csv_rows(data, encoding)
    columns = [column(name) for name in read_header(rows)]
    if "digest" not in columns and "file" not in columns:
        raise MalformedError(
            "the header names neither a digest nor a file column",
            hint=f"expected a first line with some of: {', '.join(COLUMNS)}",
        )
    if twice := {name for name in columns if columns.count(name) > 1 and name}:
        raise MalformedError(f"the header names a column twice: {min(twice)[:80]!a}")
    return csv_entries(rows, columns)


def read_header(rows: Iterator[tuple[int, list[str] | str]]) -> list[str]:
    """The first row; MalformedError if it can be no header."""
    _number, header = next(rows, (1, "it is empty"))
    if isinstance(header, str):
        raise MalformedError(f"not a catalogue as CSV: {header}")
    if len(header) > MAX_COLUMNS:
        raise MalformedError(
            f"expected at most {MAX_COLUMNS} columns, got {len(header)}"
        )
    return header


def csv_entries(
    rows: Iterator[tuple[int, list[str] | str]], columns: Sequence[str]
) -> Iterator[Entry]:
    """Each row below the header by the names of its columns."""
    for number, row in rows:
        if isinstance(row, str):
            yield Entry(number, refused=row)
        elif len(row) != len(columns):
            wrong = f"expected {len(columns)} cells as in the header, got {len(row)}"
            yield Entry(number, refused=wrong)
        else:
            cells = zip(columns, map(str.strip, row), strict=True)
            yield csv_entry(number, {name: cell for name, cell in cells if cell})


def csv_rows(data: bytes, encoding: str) -> Iterator[tuple[int, list[str] | str]]:
    """Number and cells of each row that is not blank, or what is wrong with it."""
    text = decode(data, encoding)
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    count = 0
    while count <= MAX_ENTRIES:
        number = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            count += 1
            # Python quotes the delimiter as it is.
            yield number, f"not CSV: {error}".replace("'\t'", "a tab")
            continue
        if row is None:
            return
        if not any(map(str.strip, row)):
            continue
        count += 1
        if is_torn("".join(row)):
            yield number, f"not {encoding}; if it is latin-1, say --encoding latin-1"
        else:
            yield number, row
    yield number, f"nothing is read after {MAX_ENTRIES:,} entries"


def decode(data: bytes, encoding: str) -> str:
    """The text; bytes that are no UTF-8 stay recognisable, for the line they are in."""
    if len(data) > MAX_CATALOGUE:
        raise MalformedError(
            f"expected at most {MAX_CATALOGUE:,} bytes, got {len(data):,}",
            hint="divide the catalogue",
        )
    is_marked = encoding == "utf-8" and data.startswith(UTF_16)
    if b"\0" in data and encoding != "utf-16" and not is_marked:
        raise MalformedError(
            "expected a text, got a file with NUL bytes",
            hint="name the catalogue itself; if it is utf-16, say --encoding utf-16",
        )
    if encoding == "utf-8" and not is_marked:
        return data.decode("utf-8-sig", "surrogateescape")
    try:
        return data.decode("utf-16" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise MalformedError(
            f"the catalogue is not {encoding}: byte {error.start + 1} cannot be read"
        ) from None


def is_torn(text: str) -> bool:
    """Whether the text holds what is no character: bytes of another encoding."""
    return bool(_SURROGATE.search(text))


def column(name: str) -> str:
    """Our name of a column, however it is spelt; others are kept as they are."""
    folded = re.sub(r"[\s_]+", "-", name.strip().casefold())
    folded = folded.removeprefix(USE_PREFIX)
    folded = OTHER_SPELLINGS.get(folded, folded)
    return folded if folded in COLUMNS else name.strip()


def csv_entry(number: int, cells: Mapping[str, str]) -> Entry:
    """One row: what its cells say, or why it is refused."""
    ignored = tuple(name for name in cells if name not in COLUMNS)
    try:
        digest = parse_digest(cells["digest"]) if "digest" in cells else None
        says = csv_says(cells)
    except BylineError as error:
        return Entry(number, refused=explain(error), ignored=ignored)
    files = (cells["file"],) if "file" in cells else ()
    return checked(Entry(number, digest, files, says, (), ignored))


def csv_says(cells: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of `work_fields` that the cells stand for."""
    says: dict[str, Any] = {}
    for name in ("made", "source-type", "title", "license", "media-type"):
        if name in cells:
            says[name.replace("-", "_")] = cells[name]
    if "size" in cells:
        says["size"] = parse_size(cells["size"])
    if "tools" in cells:
        says["tools"] = tuple(filter(None, map(str.strip, cells["tools"].split(";"))))
    if "sources" in cells:
        items = _BETWEEN_ITEMS.split(cells["sources"])
        says["sources"] = tuple(map(parse_source, filter(None, items)))
    uses = {
        name.replace("-", "_"): cells[name] for name in USE_COLUMNS if name in cells
    }
    return says | ({"uses": uses} if uses else {})


def checked(entry: Entry) -> Entry:
    """The same, refused if no statement can say what it says."""
    about = entry.digest or PLACEHOLDER
    try:
        work_fields(about=about, time=0, salt=bytes(16), **(entry.says or {}))
    except UsageError as error:
        return replace(entry, says=None, refused=explain(error))
    if entry.digest is None and not entry.files:
        return replace(entry, says=None, refused="names neither a digest nor a file")
    return entry


def explain(error: BylineError) -> str:
    """What is wrong, and the nearest word where there is one."""
    return f"{error}; {error.hint}" if error.hint else str(error)


def parse_digest(text: str) -> bytes:
    """The multihash of a work, in any of the usual forms."""
    parsed = parse_hash(text)
    if parsed.kind == "statement":
        raise MalformedError("digest: expected one of a file, got a statement's id")
    return parsed.multihash


def parse_size(text: str) -> int:
    """A number of bytes."""
    if not _SIZE.fullmatch(text):
        raise MalformedError(f"size: expected a number of bytes, got {text[:40]!a}")
    return int(text)


def parse_source(text: str) -> Source:
    """`HASH` or `HASH:RELATIONSHIP`."""
    what, _, relationship = text.rpartition(":")
    if not what or what.casefold() == "sha256":
        what, relationship = text, DEFAULT_RELATIONSHIP
    return Source(parse_digest(what), relationship, {})
