"""The address book between two runs: one file of the node's folder.

Rule: what is in it is worth nothing to anybody else and may be lost.  A file that
cannot be read is an empty book, and one line in the log.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import structlog

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.errors import MalformedError, StoreError
from byline_ledger.message_fields import byte_strings, require_keys, text_of
from byline_ledger.peer_address import PeerAddress
from byline_ledger.peer_record import PeerRecord
from byline_ledger.store.durable import write_durably
from byline_node.address_book import (
    MAX_HEARD,
    MAX_HINTS,
    MAX_MET,
    AddressBook,
    Entry,
    Found,
)

MAX_FILE = 8 << 20
MAX_NAME = 128
MAX_SECONDS = 2**53
VERSION = 1

log = structlog.get_logger("byline.peers")


def read_book(path: Path, own: str, random: Random) -> AddressBook:
    """The book in a file; an empty one if there is none that can be read."""
    book = AddressBook(own, random)
    try:
        with path.open("rb") as file:
            entries = parse_entries(file.read(MAX_FILE + 1))
    except FileNotFoundError:
        return book
    except (OSError, MalformedError) as error:
        log.warning("the address book is begun anew", file=str(path), reason=str(error))
        return book
    for entry in entries:
        book.restore(entry)
    return book


def write_book(path: Path, entries: list[Entry]) -> None:
    """Replaces the file.  A disk that fails here is worth a line and no more."""
    try:
        write_durably(path, format_entries(entries))
    except StoreError as error:
        log.warning("the address book is not kept", reason=str(error))


def format_entries(entries: list[Entry]) -> bytes:
    """The file's bytes: canonical MessagePack."""
    return codec.pack(
        {"entries": [_fields(entry) for entry in entries], "version": VERSION}
    )


def _fields(entry: Entry) -> dict[str, Value]:
    return {
        "failures": entry.failures,
        "found": entry.found.value,
        "heard": int(entry.heard),
        "hints": [one.text for one in entry.hints],
        "met": int(entry.met),
        "met_at": entry.met_at,
        "peer": entry.peer,
        "records": [one.to_bytes() for one in entry.records.values()],
        "source": entry.source,
    }


def parse_entries(data: bytes) -> list[Entry]:
    """Strict, else MalformedError."""
    value: Value = codec.unpack(
        data, max_size=MAX_FILE, max_depth=4, what="address book"
    )
    if isinstance(value, dict) and tuple(value) == ("entries", "version"):
        entries, version = value["entries"], value["version"]
        is_ours = type(version) is int and version == VERSION
        most = MAX_MET + MAX_HEARD
        if is_ours and isinstance(entries, list) and len(entries) <= most:
            return [_entry(one) for one in entries]
    raise MalformedError("address book: expected entries of version 1")


def _entry(value: Value) -> Entry:
    if not isinstance(value, dict):
        raise MalformedError("address book: expected entries that are maps")
    names = "failures", "found", "heard", "hints", "met", "met_at", "peer", "records"
    require_keys(value, *names, "source")
    records = [
        PeerRecord.from_bytes(one)
        for one in byte_strings(value["records"], 3, "peer records")
    ]
    if len({one.reach for one in records}) < len(records):
        raise MalformedError("address book: two records of one reach")
    return Entry(
        peer=text_of(value["peer"], MAX_NAME),
        found=_found(value["found"]),
        source=text_of(value["source"], MAX_NAME),
        heard=_number(value["heard"]),
        records={one.reach: one for one in records},
        hints=_hints(value["hints"]),
        met=_number(value["met"]),
        met_at=text_of(value["met_at"], MAX_NAME),
        failures=_number(value["failures"]),
    )


def _found(value: Value) -> Found:
    try:
        return Found(str(value))
    except ValueError:
        raise MalformedError("address book: expected a way of finding peers") from None


def _hints(value: Value) -> tuple[PeerAddress, ...]:
    if type(value) is not list or len(value) > MAX_HINTS:
        raise MalformedError(f"address book: expected up to {MAX_HINTS} hints")
    return tuple(PeerAddress.parse(text_of(one, MAX_NAME)) for one in value)


def _number(value: Value) -> int:
    if type(value) is not int or value > MAX_SECONDS:
        raise MalformedError("address book: expected a number")
    return value
