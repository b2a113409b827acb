"""The reader's own book of names: what checks found, and which names keys go by.

One file a key in `names/` of the home (docs/spec/names.md, "Evidence").  For each name
three results are kept: the first that was confirmed, the last that was, and the last.
A result is what this machine saw on a day: evidence, and no proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.did import did_key, parse_did_key
from byline_ledger.errors import CorruptStoreError, MalformedError
from byline_ledger.message_fields import bytes_of, require_keys, text_of
from byline_ledger.name_check import (
    CONFIRMED,
    MAX_KEPT,
    MAX_REASON,
    MAX_STEPS,
    OUTCOMES,
    Finding,
    Step,
)
from byline_ledger.name_proofs import MAX_NAME, NameProof
from byline_ledger.store.durable import make_folder, read_small, write_durably
from byline_ledger.vocabulary import NAME_METHODS
from byline_node.names import Checked

VERSION: Final = 1
MAX_FILE: Final = 4 << 20
MAX_NAMES: Final = 64
MAX_SHOWN: Final = 128
MAX_TEXT: Final = 1024
MAX_TIME: Final = 2**63 - 1
MAX_KEYS: Final = 10_000
"""Files that are read to compare names."""
SUFFIX: Final = ".names"
_PREFIX = "did:key:"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a key, and up to three results, in the order of their times."""

    method: str
    name: str
    results: tuple[Checked, ...]

    @property
    def last(self) -> Checked:
        return self.results[-1]

    @property
    def confirmed(self) -> tuple[Checked, ...]:
        """The first result that was confirmed and the last, or the one, or none."""
        return tuple(one for one in self.results if one.finding.outcome == CONFIRMED)

    def with_result(self, checked: Checked) -> Entry:
        """The entry after another check."""
        is_confirmed = checked.finding.outcome == CONFIRMED
        confirmed = [*self.confirmed, *([checked] if is_confirmed else [])]
        unique = dict.fromkeys([*confirmed[:1], *confirmed[-1:], checked])
        return Entry(self.method, self.name, tuple(unique))


@dataclass(frozen=True, slots=True)
class Page:
    """What the book has of one key: the display name last seen, and checked names."""

    key: bytes
    """32 bytes."""
    shown: str = ""
    entries: tuple[Entry, ...] = ()

    def find(self, method: str, name: str) -> Entry | None:
        """The entry of a name, if it was ever checked."""
        for one in self.entries:
            if (one.method, one.name) == (method, name):
                return one
        return None

    def with_result(self, proof: NameProof, checked: Checked) -> Page:
        """The page after a check; the name longest without a confirmation gives way."""
        old = self.find(proof.method, proof.name)
        entry = (old or Entry(proof.method, proof.name, ())).with_result(checked)
        others = [one for one in self.entries if one is not old]
        while len(others) >= MAX_NAMES:
            others.remove(min(others, key=_worth))
        return replace(self, entries=(*others, entry))


class NameBook:
    """The folder of pages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def page(self, key: bytes) -> Page:
        """What is known of a key (32 bytes); CorruptStoreError."""
        path = self._path(key)
        data = read_small(path, MAX_FILE)
        if data is None:
            return Page(key)
        try:
            page = parse_page(data)
            if page.key != key:
                raise MalformedError("it is another key's")
        except MalformedError as error:
            raise CorruptStoreError(
                f"{path}: {error}", hint="move it away; names are checked anew"
            ) from None
        return page

    def record(self, key: bytes, proof: NameProof, checked: Checked) -> Page:
        """Keeps a result."""
        return self._write(self.page(key).with_result(proof, checked))

    def show(self, key: bytes, name: str) -> None:
        """Remembers which name the key goes by (of at most MAX_SHOWN characters)."""
        page = self.page(key)
        if page.shown != name:
            self._write(replace(page, shown=name))

    def shown(self) -> Iterator[tuple[bytes, str]]:
        """Keys and the names that they go by; files that cannot be read are left out,
        because nothing but a warning depends on them."""
        for path in sorted(self._folder.glob("*" + SUFFIX))[:MAX_KEYS]:
            try:
                page = self.page(parse_did_key(_PREFIX + path.stem))
            except (CorruptStoreError, MalformedError):
                continue
            if page.shown:
                yield page.key, page.shown

    def _write(self, page: Page) -> Page:
        make_folder(self._folder)
        write_durably(self._path(page.key), format_page(page))
        return page

    def _path(self, key: bytes) -> Path:
        return self._folder / (did_key(key).removeprefix(_PREFIX) + SUFFIX)


def format_page(page: Page) -> bytes:
    """The file's bytes: canonical MessagePack."""
    names = [
        {
            "method": one.method,
            "name": one.name,
            "results": [_result_fields(result) for result in one.results],
        }
        for one in page.entries
    ]
    fields: dict[str, Value] = {
        "key": page.key,
        "names": names,  # type: ignore[dict-item]  # maps of values
        "shown": page.shown,
        "version": VERSION,
    }
    return codec.pack(fields)


def parse_page(data: bytes) -> Page:
    """Strict, else MalformedError."""
    value: Any = codec.unpack(data, max_size=MAX_FILE, max_depth=7, what="names")
    if not isinstance(value, dict):
        raise MalformedError("names: expected a map")
    require_keys(value, "key", "names", "shown", "version")
    key = bytes_of(value["key"], 32, "a key")
    if type(value["version"]) is not int or value["version"] != VERSION:
        raise MalformedError(f"names: expected version {VERSION}")
    if len(key) != 32:
        raise MalformedError("names: expected a key of 32 bytes")
    entries = tuple(map(_entry, _list(value["names"], MAX_NAMES)))
    if len({(one.method, one.name) for one in entries}) < len(entries):
        raise MalformedError("names: one name twice")
    return Page(key, text_of(value["shown"], MAX_SHOWN), entries)


def _entry(value: Any) -> Entry:
    fields = _map(value, "method", "name", "results")
    results = tuple(map(_result, _list(fields["results"], 3)))
    method = text_of(fields["method"], MAX_NAME)
    if not results or method not in NAME_METHODS:
        raise MalformedError("names: expected a method that is known, and results")
    return Entry(method, text_of(fields["name"], MAX_NAME), results)


def _result(value: Any) -> Checked:
    fields = _map(value, "outcome", "reason", "steps", "time")
    outcome = text_of(fields["outcome"], MAX_REASON)
    if outcome not in OUTCOMES:
        raise MalformedError("names: unknown outcome")
    reason = text_of(fields["reason"], MAX_REASON)
    steps = tuple(map(_step, _list(fields["steps"], MAX_STEPS)))
    return Checked(_number(fields["time"]), Finding(outcome, reason, steps))


def _step(value: Any) -> Step:
    fields = _map(value, "asked", "data", "digest", "size", "via")
    digest = bytes_of(fields["digest"], 32, "a digest")
    if len(digest) != 32:
        raise MalformedError("names: expected a digest of 32 bytes")
    return Step(
        text_of(fields["asked"], MAX_TEXT),
        _number(fields["size"]),
        digest,
        bytes_of(fields["data"], MAX_KEPT, "what was fetched"),
        text_of(fields["via"], MAX_TEXT),
    )


def _result_fields(checked: Checked) -> dict[str, Value]:
    finding = checked.finding
    steps: list[Value] = [
        {
            "asked": one.asked,
            "data": one.data,
            "digest": one.digest,
            "size": one.size,
            "via": one.via,
        }
        for one in finding.steps
    ]
    return {
        "outcome": finding.outcome,
        "reason": finding.reason,
        "steps": steps,
        "time": checked.time,
    }


def _map(value: Any, *names: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError("names: expected maps")
    require_keys(value, *names)
    return value


def _list(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise MalformedError(f"names: expected an array of at most {most}")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value > MAX_TIME:
        raise MalformedError("names: expected a number up to 2^63 - 1")
    return value


def _worth(entry: Entry) -> tuple[int, int]:
    """When it was last confirmed, or at all looked at."""
    confirmed = entry.confirmed
    return (confirmed[-1].time if confirmed else 0, entry.last.time)
