"""How large the pages of a Parquet file say that they become, before any is unpacked.

Rule: an engine makes room for what the head of a page asks for, so a few bytes could
ask for two gigabytes; heads are read here first, and too large a page refused.  The
engine's own way to the places of the pages ends the process on some broken files.
Format: the Parquet specification's, in Thrift's compact protocol.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, BinaryIO, TypeAlias

from byline_ledger.errors import MalformedError

MAX_PAGE = 32 << 20
"""Bytes of a page, unpacked."""
MAX_VALUE = 8 << 10
"""Bytes of a value, on average over a page: rows are read by the thousand."""
MAX_PAGES = 1 << 18
MAX_CHUNKS = 1 << 16
"""Columns times groups of rows."""
MAX_FOOTER = 16 << 20
FIRST_READ, MAX_HEAD = 4_096, 1 << 20
"""Bytes of a page's head: it may hold the least and the greatest value."""
MAX_DEPTH = 16

Struct: TypeAlias = "dict[int, Wanted]"
"""The fields of a struct that are kept."""
Wanted: TypeAlias = "Struct | list[Struct] | None"
"""A struct, a list of one kind of structs, or an integer."""
UNPACKED, PACKED, COUNT = 2, 3, 1
KINDS = (5, 7, 8)
"""Pages with values, with a dictionary, and with values in the newer form."""
HEAD: Struct = {
    UNPACKED: None,
    PACKED: None,
    **{one: {COUNT: None} for one in KINDS},
}
GROUPS, COLUMNS, CHUNK, SIZE, PAGES, DICTIONARY = 4, 1, 3, 7, 9, 11
FOOTER: Struct = {
    GROUPS: [{COLUMNS: [{CHUNK: {SIZE: None, PAGES: None, DICTIONARY: None}}]}]
}

STOP, TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 12
INTEGERS = range(4, 7)
"""Kinds of values; there are no maps."""
KEPT: dict[type, type] = {type(None): int, dict: dict, list: list}
"""What is made of what is wanted."""


def require_small_pages(file: BinaryIO, columns: Collection[int]) -> None:
    """MalformedError for a page that becomes too large in one of these columns (by
    their place), or where there is no page."""
    count = 0
    for start, end in chunks(footer(file), columns):
        at = start
        while at < end:
            count += 1
            head, size = page_head(file, at)
            unpacked, packed = head.get(UNPACKED, -1), head.get(PACKED, -1)
            if unpacked < 0 or packed < 0 or count > MAX_PAGES:
                raise broken()
            values = sum(head[one].get(COUNT, 0) for one in KINDS if one in head)
            if unpacked > min(MAX_PAGE, (max(0, values) + 1) * MAX_VALUE):
                raise MalformedError(
                    "not a manifest: the texts of a column are too long"
                )
            at += size + packed


def broken() -> MalformedError:
    """What is said of all else."""
    return MalformedError("not a manifest: its pages cannot be found")


def footer(file: BinaryIO) -> dict[int, Any]:
    """What the file says of its columns."""
    end = file.seek(0, 2)
    file.seek(max(0, end - 8))
    size = int.from_bytes(file.read(4), "little")
    if not 0 < size <= min(MAX_FOOTER, end - 8):
        raise broken()
    file.seek(end - 8 - size)
    try:
        return Thrift(file.read(size)).struct(FOOTER)
    except EOFError:
        raise broken() from None


def chunks(said: dict[int, Any], columns: Collection[int]) -> Iterator[tuple[int, int]]:
    """Where the pages of each of these columns begin and end in each group of rows."""
    for group in said.get(GROUPS, []):
        for place, column in enumerate(group.get(COLUMNS, [])):
            if place not in columns:
                continue
            chunk = column.get(CHUNK, {})
            if SIZE not in chunk or PAGES not in chunk:
                raise broken()
            start, first = chunk[PAGES], chunk.get(DICTIONARY, 0)
            if 0 < first < start:
                start = first
            if start < 0:
                raise broken()
            yield start, start + chunk[SIZE]


def page_head(file: BinaryIO, at: int) -> tuple[dict[int, Any], int]:
    """The head of the page at an offset, and its bytes."""
    file.seek(at)
    data = file.read(FIRST_READ)
    for more in (MAX_HEAD - FIRST_READ, 0):
        reader = Thrift(data)
        try:
            return reader.struct(HEAD), reader.at
        except EOFError:
            data += file.read(more)
    raise broken()


class Thrift:
    """A cursor over the compact protocol that keeps only what is wanted.

    Raises MalformedError, or EOFError where the bytes end too early.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0
        self._structs = 0

    def struct(self, wanted: Struct, depth: int = 0) -> dict[int, Any]:
        """The wanted fields of a struct."""
        found: dict[int, Any] = {}
        field = 0
        while (head := self._byte()) & 15 != STOP:
            field = field + (head >> 4) if head >> 4 else self._integer()
            if field not in wanted:
                self._value(head & 15, None, depth)
                continue
            value = self._value(head & 15, wanted[field], depth)
            # Of a field that is there twice, readers differ in which one counts.
            if field in found or type(value) is not KEPT[type(wanted[field])]:
                raise broken()
            found[field] = value
        return found

    def _value(self, kind: int, wanted: Wanted, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise broken()
        if kind in INTEGERS:
            return self._integer()
        if kind in (TRUE, FALSE):
            return None
        if kind == STRUCT:
            return self.struct(wanted if isinstance(wanted, dict) else {}, depth + 1)
        if kind in (LIST, SET):
            return self._list(wanted[0] if isinstance(wanted, list) else None, depth)
        if kind not in (BYTE, DOUBLE, BINARY):
            raise broken()
        self._pass(self._varint() if kind == BINARY else 8 if kind == DOUBLE else 1)
        return None

    def _list(self, wanted: Struct | None, depth: int) -> list[Any]:
        head = self._byte()
        kind, count = head & 15, head >> 4
        if count == 15:
            count = self._varint()
        if wanted is not None:
            self._structs += count
            if kind != STRUCT or self._structs > MAX_CHUNKS:
                raise broken()
            return [self.struct(wanted, depth + 1) for _ in range(count)]
        for _ in range(count):
            # In a list a truth value has a byte of its own.
            self._value(BYTE if kind in (TRUE, FALSE) else kind, None, depth + 1)
        return []

    def _integer(self) -> int:
        """Zigzag."""
        value = self._varint()
        return value >> 1 ^ -(value & 1)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise broken()

    def _byte(self) -> int:
        self._pass(1)
        return self._data[self.at - 1]

    def _pass(self, size: int) -> None:
        if size > len(self._data) - self.at:
            raise EOFError
        self.at += size
