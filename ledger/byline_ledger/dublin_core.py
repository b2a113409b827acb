"""Dublin Core as archives export it, read as a catalogue (docs/spec/catalogue.md).

XML (oai_dc, as OAI-PMH gives it), JSON and CSV.  Rule: Dublin Core is prose where our
statements are words, so what does not map for certain is left out and named, and what
no statement says (who made it, when) is counted, never guessed.  XML is read without
entities, without anything from elsewhere and without keeping a tree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, TypeAlias
from xml.parsers import expat

from byline_ledger.catalogue import (
    DEFAULT_RELATIONSHIP,
    MAX_CATALOGUE,
    MAX_ENTRIES,
    Entry,
    checked,
    column,
    csv_rows,
    is_torn,
    parse_digest,
    read_header,
)
from byline_ledger.errors import MalformedError
from byline_ledger.field_reader import MAX_TITLE, is_media_type
from byline_ledger.licence import ALL_RIGHTS_RESERVED, read_licence
from byline_ledger.statement import Source
from byline_ledger.vocabulary import canonical_source_type

ELEMENTS = frozenset(
    {
        *("contributor", "coverage", "creator", "date", "description", "format"),
        *("identifier", "language", "publisher", "relation", "rights", "source"),
        *("subject", "title", "type"),
    }
)
"""Dublin Core 1.1; `license` of the terms is read as `rights`."""
READ = frozenset(
    {"digest", "file", "identifier", "title", "rights", "format", "type", "source"}
)
NAMESPACES = ("http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/")
MAX_DEPTH = 64
MAX_VALUES = 256
"""Of one record."""
MAX_VALUE = 16_384
"""Characters of one value."""
BETWEEN_VALUES = "||"
"""How exports of repositories put several values into one cell."""

CHUNK = 1 << 16
MAX_TOKEN = 1 << 20
"""Bytes of one tag or comment: parsers begin it anew with each chunk."""
OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/ dc"
NOTHING = "it holds no element of Dublin Core"

Pairs: TypeAlias = list[tuple[str, str]]
"""Element and value; and what stands beside Dublin Core under a name of ours."""
Records: TypeAlias = Iterator[tuple[int, Pairs | str]]
"""The number of each record, and what it says or why it cannot be read."""

_PREFIX = re.compile(
    r"(?:http://purl\.org/dc/(?:elements/1\.1|terms)/|dc(?:terms)?[:.])"
)
_QUALIFIER = re.compile(r"[.\[].*", re.DOTALL)
_CREATIVE_COMMONS = re.compile(
    r"https?://creativecommons\.org/(?:licenses/([a-z-]{2,12})|publicdomain/(zero))"
    r"/([1-4]\.[0-9])/?(?:deed\.[a-z_]{2,5}|legalcode)?"
)


def read_dublin_core(data: bytes, encoding: str = "utf-8") -> Iterator[Entry]:
    """The records of a file whose form is seen from its beginning; MalformedError if
    it is none of the three.  `encoding` is that of CSV; XML says its own."""
    if len(data) > MAX_CATALOGUE:
        raise MalformedError(f"expected at most {MAX_CATALOGUE:,} bytes")
    start = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\0<")):
        return entries(XmlReader(data).records())
    if start.startswith((b"[", b"{")):
        return entries(json_records(data))
    return csv_records(data, encoding)


def entries(records: Records) -> Iterator[Entry]:
    """Each record as an entry, a bounded number of them."""
    for count, (number, pairs) in enumerate(records):
        if count == MAX_ENTRIES:
            why = f"nothing is read after {MAX_ENTRIES:,} entries"
            yield Entry(number, refused=why)
            return
        if isinstance(pairs, str):
            yield Entry(number, refused=pairs)
        else:
            yield entry_of(number, pairs)


class XmlReader:
    """The records of an XML file: any element that holds elements of Dublin Core."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._depth = 0
        self._record: tuple[int, int] | None = None
        """Depth and line of the element that holds the record being read."""
        self._pairs: Pairs = []
        self._name: str | None = None
        self._value: list[str] = []
        self._size = 0
        self._found: list[tuple[int, Pairs | str]] = []

    def records(self) -> Records:
        """Line and values of each record; where the XML breaks, that, and no more.

        MalformedError if there is no record at all.
        """
        seen, broken = 0, None
        for at in range(0, len(self._data), CHUNK):
            part = self._data[at : at + CHUNK]
            broken = self._feed(part, at + CHUNK >= len(self._data))
            if at - self._parser.CurrentByteIndex > MAX_TOKEN:
                broken = broken or f"a tag or comment of more than {MAX_TOKEN:,} bytes"
            seen += len(self._found)
            yield from self._found
            self._found.clear()
            if broken:
                break
        if not seen:
            raise MalformedError(f"not a catalogue in Dublin Core: {broken or NOTHING}")
        if broken:
            yield self._parser.CurrentLineNumber, broken

    def _feed(self, part: bytes, last: bool) -> str | None:
        try:
            self._parser.Parse(part, last)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            return f"not XML from here on ({what}); nothing below was read"
        except MalformedError as error:
            return str(error)
        except (LookupError, ValueError):
            return "the XML is in an encoding that is not read; save it as UTF-8"
        return None

    def _refuse_doctype(self, *_: object) -> None:
        raise MalformedError("a document type with entities is not read; remove it")

    def _start(self, name: str, _attributes: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise MalformedError(
                f"nested deeper than {MAX_DEPTH}; nothing below was read"
            )
        namespace, _, local = name.rpartition(" ")
        element = element_of(local) if namespace in NAMESPACES else None
        if self._record is None and (element or name == OAI_DC):
            inside = self._depth - (1 if element else 0)
            self._record = inside, self._parser.CurrentLineNumber
        if self._record is not None and element and self._depth == self._record[0] + 1:
            self._name, self._value, self._size = element, [], 0

    def _text(self, text: str) -> None:
        if self._name is not None and self._size <= MAX_VALUE:
            self._size += len(text)
            self._value.append(text[: MAX_VALUE + 1])

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if self._record is None:
            return
        if self._depth == self._record[0] and self._name is not None:
            self._pairs.append((self._name, "".join(self._value)))
            self._name = None
            if len(self._pairs) > MAX_VALUES:
                raise MalformedError(f"a record with more than {MAX_VALUES} values")
        elif self._depth < self._record[0]:
            self._found.append((self._record[1], self._pairs))
            self._record, self._pairs = None, []


def element_of(name: str) -> str | None:
    """The element that a name stands for, with or without prefix and qualifier."""
    bare = _QUALIFIER.sub("", _PREFIX.sub("", name.strip(), count=1)).casefold()
    bare = "rights" if bare in ("license", "licence") else bare
    return bare if bare in ELEMENTS else None


def key_of(name: str) -> str:
    """The same, or the name of the column of ours, or the name as it is."""
    own = column(name)
    return own if own in ("digest", "file") else element_of(name) or name.strip()


def json_records(data: bytes) -> Records:
    """The objects of an array, of the first array in an object, or one record."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise MalformedError("not a catalogue in Dublin Core: not JSON") from None
    if isinstance(value, dict):
        lists = (one for one in value.values() if isinstance(one, list))
        is_record = not ELEMENTS.isdisjoint(map(key_of, value))
        value = [value] if is_record else next(lists, [value])
    for number, one in enumerate(value, start=1):
        if not isinstance(one, dict):
            yield number, "expected an object"
            continue
        pairs = [(key_of(key), text) for key in one for text in texts_of(one[key])]
        if len(pairs) > MAX_VALUES:
            yield number, f"more than {MAX_VALUES} values"
        elif any(map(is_torn, chain.from_iterable(pairs))):
            yield number, "a text holds half of a character"
        else:
            yield number, pairs


def texts_of(value: object) -> list[str]:
    """What a member of a JSON record says: a text or number, or several."""
    items = value if isinstance(value, list) else [value]
    found = (one.get("@value") if isinstance(one, dict) else one for one in items)
    return [str(one) for one in found if type(one) in (str, int, float)]


def csv_records(data: bytes, encoding: str) -> Iterator[Entry]:
    """The rows below a header that names elements of Dublin Core."""
    rows = csv_rows(data, encoding)
    header = [key_of(name) for name in read_header(rows)]
    if not ELEMENTS & set(header):
        raise MalformedError(
            f"not a catalogue in Dublin Core: {NOTHING}",
            hint="expected XML with oai_dc, JSON, or CSV with columns such as dc:title",
        )
    return entries(csv_pairs(rows, header))


def csv_pairs(
    rows: Iterator[tuple[int, list[str] | str]], header: Sequence[str]
) -> Records:
    """Each row by the names of its columns; several values of a cell one by one."""
    for number, row in rows:
        if isinstance(row, str):
            yield number, row
        elif len(row) != len(header):
            yield number, f"expected {len(header)} cells, got {len(row)}"
        else:
            yield (
                number,
                [
                    (name, value)
                    for name, cell in zip(header, row, strict=True)
                    for value in cell.split(BETWEEN_VALUES, MAX_VALUES)
                ],
            )


def entry_of(number: int, pairs: Pairs) -> Entry:
    """One record: what maps for certain, what does not, and what is not for us."""
    said: dict[str, list[str]] = {}
    for name, value in pairs:
        if value.strip():
            said.setdefault(name, []).append(value.strip())
    reading = Reading(said)
    digests = reading.digests()
    if len(digests) > 1:
        return Entry(number, refused="names several digests; a work has one")
    says: dict[str, Any] = {
        "title": reading.title(),
        "license": reading.licence(),
        "media_type": reading.media_type(),
        "source_type": reading.source_type(),
        "sources": reading.sources(),
    }
    kept = {name: value for name, value in says.items() if value}
    files = tuple(said.get("file", ())) + tuple(reading.names)
    left_out = tuple(reading.left_out)
    ignored = tuple(sorted(set(said) - READ))
    return checked(
        Entry(number, next(iter(digests), None), files, kept, left_out, ignored)
    )


class Reading:
    """One record's values by element, read one field of ours at a time."""

    def __init__(self, said: dict[str, list[str]]) -> None:
        self._said = said
        self.left_out: list[str] = []
        self.names: list[str] = []
        """Identifiers that are no digest: perhaps names of files."""

    def _leave_out(self, element: str, why: str) -> None:
        self.left_out.append(f"{element} {why}")

    def digests(self) -> set[bytes]:
        """The works that the record names by their digest."""
        found: set[bytes] = set()
        for value in [*self._said.get("digest", ()), *self._said.get("identifier", ())]:
            digest = digest_of(value)
            if digest is None:
                self.names.append(value)
            else:
                found.add(digest)
        return found

    def title(self) -> str | None:
        """The first title."""
        values = self._said.get("title", [])
        if values[1:]:
            self._leave_out("title", f"has {len(values)} values; the first is taken")
        if values and len(values[0]) > MAX_TITLE:
            self._leave_out("title", f"is longer than {MAX_TITLE} characters")
            return None
        return values[0] if values else None

    def licence(self) -> str | None:
        """The one licence that the rights name in words of SPDX or by its address."""
        values = self._said.get("rights", [])
        found = {licence for value in values if (licence := licence_of(value))}
        if len(found) == 1:
            return found.pop()
        if values:
            why = (
                "name several licences" if found else "name no licence that SPDX knows"
            )
            self._leave_out("rights", f"{why}: unknown")
        return None

    def media_type(self) -> str | None:
        """The first format that is a media type."""
        values = self._said.get("format", [])
        found = next(filter(is_media_type, values), None)
        if values and found is None:
            self._leave_out("format", "is no media type")
        return found

    def source_type(self) -> str | None:
        """A type that is the address of a digital source type; a kind of thing, such
        as Image, says nothing of how it was made."""
        addresses = (one for one in self._said.get("type", []) if "/" in one)
        return next(filter(None, map(canonical_source_type, addresses)), None)

    def sources(self) -> tuple[Source, ...]:
        """Sources that are named by their digest."""
        values = self._said.get("source", [])
        found = dict.fromkeys(filter(None, map(digest_of, values)))
        if len(found) < len(values):
            self._leave_out("source", "is named by no digest")
        return tuple(Source(digest, DEFAULT_RELATIONSHIP, {}) for digest in found)


def digest_of(text: str) -> bytes | None:
    """The digest that a value names, if it is one."""
    try:
        return parse_digest(text.removeprefix("urn:"))
    except MalformedError:
        return None


def licence_of(text: str) -> str | None:
    """The SPDX expression that a value of `rights` is or leads to, for certain."""
    if text.casefold().rstrip(".") == "all rights reserved":
        return ALL_RIGHTS_RESERVED
    match = _CREATIVE_COMMONS.fullmatch(text)
    if match is None:
        return read_licence(text)
    if match[2]:
        return read_licence(f"CC0-{match[3]}")
    return read_licence(f"CC-{match[1]}-{match[3]}")
