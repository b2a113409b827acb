"""Manifests: tables of works, read line by line from chunks of bytes, and written.

Rule: a line is a `ManifestRow`, or a `BadLine` that is named by its number, and the
rest goes on; memory is bounded by the longest line, whatever the file's size.  Only a
file that is no manifest at all raises (MalformedError).  Specification:
docs/spec/collection.md.  Opening files, and Parquet, are for the node.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from byline_ledger.ascii import is_one_line
from byline_ledger.digest import SHA256_PREFIX, is_multihash, parse_hash
from byline_ledger.errors import MalformedError
from byline_ledger.field_reader import is_media_type
from byline_ledger.licence import read_licence
from byline_ledger.manifest_path import FORMULA, quote_path, unquote_path

MAX_LINE = 65_536
MAX_COLUMNS = 256
MAX_BYTES = 2**63 - 1
MAX_PATH = 4_096
MAX_URL = 2_048
MAX_SHOWN = 60
"""Characters of a bad line that its problem shows."""

COLUMNS = ("digest", "path", "bytes", "media-type", "license", "url")
"""The header of what we write."""
NAMES = {
    **{name: name for name in COLUMNS},
    **dict.fromkeys(("sha256", "hash", "checksum", "multihash"), "digest"),
    **dict.fromkeys(("file", "filename", "file-name", "name"), "path"),
    **dict.fromkeys(("size", "length"), "bytes"),
    **dict.fromkeys(("mime", "mime-type", "content-type"), "media-type"),
    **dict.fromkeys(("licence", "spdx"), "license"),
    **dict.fromkeys(("source", "source-url", "link"), "url"),
}
"""What columns are called, to what they hold."""
HEADER_HINT = "the first line names the columns, one of them digest, or is a hash"

_HEX64 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_SUM = re.compile(r"(\\?)([0-9a-fA-F]{64}) [ *](.+)", re.ASCII | re.DOTALL)
_TAG = re.compile(r"(\\?)SHA256 \((.+)\) = ([0-9a-fA-F]{64})", re.ASCII | re.DOTALL)
_OTHER = re.compile(
    r"\\?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})(?: .*)?",
    re.ASCII | re.DOTALL,
)
_ESCAPES = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"\\": "\\", "n": "\n", "r": "\r"}


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A work of a manifest: its line (from 1) and 34-byte multihash.

    The other values are None where the line does not say, or not soundly.  A path may
    hold surrogates where its bytes are not UTF-8, as the system's own functions do.
    """

    number: int
    digest: bytes
    path: str | None = None
    bytes: int | None = None
    media_type: str | None = None
    license: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that names no work, and why; its number is from 1."""

    number: int
    reason: str


Line = ManifestRow | BadLine
Numbered = tuple[int, str | BadLine]


def read_manifest(chunks: Iterable[bytes]) -> Iterator[Line]:
    """All lines of a CSV manifest or a hash list, in their order.

    MalformedError, before the first, if it is neither.
    """
    lines = _lines(chunks)
    first = next(lines, None)
    if first is None:
        return iter(())
    number, text = first
    if isinstance(text, BadLine):
        raise MalformedError(f"not a manifest: its first line: {text.reason}")
    text = text.removeprefix("\ufeff")
    header = _header(text)
    if header is not None:
        return _csv_lines(header, lines)
    if isinstance(_list_line(number, text), BadLine):
        _require_list(text)
    return _list_lines(chain([(number, text)], lines))


def is_table(start: bytes) -> bool:
    """Whether a file that begins so has a header; else it is a hash list, or none."""
    first = next(_lines([start]), (1, ""))[1]
    if isinstance(first, BadLine):
        return False
    return _header(first.removeprefix("\ufeff")) is not None


def row_from_values(
    number: int, digest: bytes | str | None, values: dict[str, object]
) -> Line:
    """A row by the names of its columns, as a table of another format has them."""
    found = _digest_of(number, digest)
    if isinstance(found, BadLine):
        return found
    path, size = values.get("path"), values.get("bytes")
    return ManifestRow(
        number,
        found,
        _known_path(_text(path)),
        size if type(size) is int and 0 <= size <= MAX_BYTES else None,
        _media_type(_text(values.get("media-type"))),
        _license(_text(values.get("license"))),
        _url(_text(values.get("url"))),
    )


def header_line() -> str:
    """The header that we write, with its line feed."""
    return ",".join(COLUMNS) + "\n"


def row_line(row: ManifestRow) -> str:
    """A row as we write it, with its line feed; its number is left out."""
    path = "" if row.path is None else _quoted(quote_path(row.path))
    size = "" if row.bytes is None else str(row.bytes)
    rest = (_quoted(one or "") for one in (row.media_type, row.license, row.url))
    return ",".join((row.digest[2:].hex(), path, size, *rest)) + "\n"


def known_columns(names: Sequence[str]) -> list[str | None]:
    """What each column holds by its name, None where that is not known.

    MalformedError for too many, or for two of one meaning.
    """
    if len(names) > MAX_COLUMNS:
        raise MalformedError(f"manifest: expected at most {MAX_COLUMNS} columns")
    found = [NAMES.get(re.sub("[_ ]", "-", name.strip().lower())) for name in names]
    for column in COLUMNS:
        if found.count(column) > 1:
            raise MalformedError(f"manifest: two columns mean {column}")
    return found


def _require_list(first: str) -> None:
    """A bad first line may be one of a hash list, if it is text without commas."""
    first = first.replace("\t", ",")
    if not first.isprintable():
        raise MalformedError("not a manifest: no text", hint=HEADER_HINT)
    if "," in first and not first.startswith("#"):
        raise MalformedError(
            f"not a manifest: no column of {_shown(first)} is called digest",
            hint=HEADER_HINT,
        )


# Lines


def _lines(chunks: Iterable[bytes]) -> Iterator[Numbered]:
    """Numbered from 1, without their ends."""
    number, rest, long = 1, b"", False
    for chunk in chunks:
        pieces = (rest + chunk).split(b"\n")
        rest = pieces.pop()
        for piece in pieces:
            yield number, _decoded(number, piece, long)
            number, long = number + 1, False
        if len(rest) > MAX_LINE:
            rest, long = b"", True
    if rest or long:
        yield number, _decoded(number, rest, long)


def _decoded(number: int, line: bytes, long: bool) -> str | BadLine:
    if long or len(line) > MAX_LINE:
        return BadLine(number, f"longer than {MAX_LINE:,} bytes")
    return line.removesuffix(b"\r").decode("utf-8", "surrogateescape")


def _fields(line: str) -> list[str] | str:
    """The fields of a line of CSV, or what is wrong with it."""
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return "a quote that is not closed, or that stands within a field"


def _header(text: str) -> list[str | None] | None:
    """What the columns hold, if this line is a header."""
    names = _fields(text)
    if isinstance(names, str) or len(names) > MAX_COLUMNS:
        return None
    found = known_columns(names)
    return found if "digest" in found else None


def _csv_lines(header: list[str | None], lines: Iterator[Numbered]) -> Iterator[Line]:
    """The rows below a header; empty lines, such as a last one, are passed over."""
    at = {name: place for place, name in enumerate(header) if name is not None}
    make = _row_maker(at)
    width = len(header)
    for number, text in lines:
        if isinstance(text, BadLine):
            yield text
            continue
        fields = _fields(text)
        if isinstance(fields, str):
            yield BadLine(number, fields)
        elif len(fields) == width:
            yield make(number, fields)
        elif text:
            said = f"expected {width} fields as in the header, got {len(fields)}"
            yield BadLine(number, said)


def _row_maker(at: dict[str, int]) -> Callable[[int, list[str]], Line]:
    """Rows from fields; what the header does not have stays unknown."""
    where, path_at, size_at = at["digest"], at.get("path"), at.get("bytes")
    others = tuple(at.get(name) for name in COLUMNS[3:])

    def make(number: int, fields: list[str]) -> Line:
        digest = _digest_of(number, fields[where])
        if isinstance(digest, BadLine):
            return digest
        media, spdx, url = (None if i is None else fields[i] for i in others)
        return ManifestRow(
            number,
            digest,
            _known_path(unquote_path(fields[path_at]) if path_at is not None else None),
            _size(fields[size_at]) if size_at is not None else None,
            _media_type(media),
            _license(spdx),
            _url(url),
        )

    return make


def _list_lines(lines: Iterable[Numbered]) -> Iterator[Line]:
    for number, text in lines:
        if isinstance(text, BadLine):
            yield text
        elif text and not text.startswith("#"):
            yield _list_line(number, text)


def _list_line(number: int, text: str) -> Line:
    """A line of sha256sum, or one hash."""
    if line := _SUM.fullmatch(text):
        escaped, digest, name = line.groups()
    elif line := _TAG.fullmatch(text):
        escaped, name, digest = line.groups()
    elif _OTHER.fullmatch(text):
        return BadLine(number, "the hash is not SHA-256")
    else:
        found = _digest_of(number, text)
        return found if isinstance(found, BadLine) else ManifestRow(number, found)
    if escaped:
        name = _ESCAPES.sub(lambda one: _ESCAPED.get(one[1], one[0]), name)
    whole = SHA256_PREFIX + bytes.fromhex(digest)
    return ManifestRow(number, whole, _known_path(name))


# Values


def _digest_of(number: int, value: bytes | str | None) -> bytes | BadLine:
    """The multihash of a value, whatever form it has."""
    if isinstance(value, bytes):
        whole = SHA256_PREFIX + value if len(value) == 32 else value
        if is_multihash(whole):
            return whole
        return BadLine(number, f"no SHA-256 hash: {len(value)} bytes")
    if not value:
        return BadLine(number, "no digest")
    if _HEX64.fullmatch(value):
        return SHA256_PREFIX + bytes.fromhex(value)
    try:
        parsed = parse_hash(value)
    except MalformedError:
        return BadLine(number, f"not a hash: {_shown(value)}")
    if parsed.kind == "statement":
        return BadLine(number, "the id of a statement, not of a file")
    return parsed.multihash


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _known_path(path: str | None) -> str | None:
    return path if path and len(path) <= MAX_PATH else None


def _size(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    size = int(text)
    return size if size <= MAX_BYTES else None


def _media_type(text: str | None) -> str | None:
    return text if text and is_media_type(text) else None


@lru_cache(maxsize=1_024)  # a set has few licences, and many rows
def _license(text: str | None) -> str | None:
    return read_licence(text) if text else None


def _url(text: str | None) -> str | None:
    """Nothing that steers a terminal, nor what a spreadsheet would compute."""
    if not text or len(text) > MAX_URL or text[0] in FORMULA:
        return None
    return text if is_one_line(text) else None


def _quoted(text: str) -> str:
    """A field of CSV."""
    if any(c in text for c in ',"\r\n'):
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text


def _shown(text: str) -> str:
    """A stranger's text, cut and escaped."""
    cut = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."
    return ascii(cut)
