"""Reads the fields that a statement's type defines, leniently (docs/adr/0003).

Rule: nothing in a valid statement raises here.  A field that is not sound becomes
unknown (None, or left out), and a problem that names it.  The limits are those of
docs/spec/statement.md, "Types"; field_maker.py makes statements within the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import wraps
from typing import TypeVar

from byline_ledger import vocabulary as words
from byline_ledger.codec import Value
from byline_ledger.digest import is_multihash
from byline_ledger.licence import read_licence
from byline_ledger.statement import MAX_TIME, Source, Statement

REMEMBERED = 1024
"""Statements whose content is kept: an answer asks for that of each a dozen times."""
MAX_TITLE = 512
MAX_NOTE = 2048
MAX_SHORT_NOTE = 512
MAX_TOOL = 256
MAX_TOOLS = 32
MAX_CONSTRAINT = 1024
MAX_MEDIA_TYPE = 127
MAX_URL = 512
MAX_CONTACT = 256
MAX_USES = 8
MAX_PARTS = 1_000_000
MAX_COUNT = 2**64 - 1

_MEDIA_TYPE = re.compile(r"[a-zA-Z0-9!#$&^_.+-]+/[a-zA-Z0-9!#$&^_.+-]+")

T = TypeVar("T", bound=Value)
C = TypeVar("C")


def remembered(read: Callable[[Statement], C]) -> Callable[[Statement], C]:
    """The same reader, which remembers what it read of the last statements."""
    known: dict[bytes, tuple[Mapping[str, Value], C]] = {}

    @wraps(read)
    def remember(statement: Statement) -> C:
        fields, content = known.get(statement.id, (None, None))
        if fields is not statement.fields or content is None:
            content = read(statement)
            if len(known) >= REMEMBERED:
                known.clear()
            known[statement.id] = statement.fields, content
        return content

    return remember


class FieldReader:
    """Reads fields; what is not sound becomes None and a named problem.

    A statement that lacks a `needed` field, or of which a field among `limits` is there
    and cannot be read, says nothing of its type: `sound` is false then.  `within` names
    the field whose map is read.
    """

    def __init__(
        self,
        fields: Mapping[str, Value],
        *,
        needed: Collection[str] = (),
        limits: Collection[str] = (),
        within: str = "",
    ) -> None:
        self.fields = fields
        self.problems: list[str] = []
        self.sound = True
        self._needed = needed
        self._limits = limits
        self._within = f"{within} " if within else ""

    def problem(self, name: str, expected: str) -> None:
        self.problems.append(f"{self._within}{name}: expected {expected}")

    def missed(self, name: str, expected: str) -> None:
        """The field is not there, or not as it must be."""
        there = name in self.fields
        if there or name in self._needed:
            self.problem(name, expected)
        if name in self._needed or (there and name in self._limits):
            self.sound = False

    def one(
        self, name: str, kind: type[T], is_sound: Callable[[T], bool], expected: str
    ) -> T | None:
        """The field, if it is of this very type and sound."""
        value = self.fields.get(name)
        if type(value) is kind and is_sound(value):
            return value
        self.missed(name, expected)
        return None

    def several(
        self,
        name: str,
        most: int,
        kind: type[T],
        is_sound: Callable[[T], bool],
        expected: str,
    ) -> tuple[T, ...]:
        """Those items of an array of 1 to `most` that are sound."""
        items = self.fields.get(name)
        if type(items) is not list or not 1 <= len(items) <= most:
            self.missed(name, f"an array of 1 to {most}")
            return ()
        found = tuple(item for item in items if type(item) is kind and is_sound(item))
        if not found:
            self.missed(name, expected)
        elif len(found) < len(items):
            self.problem(name, expected)
        return found

    def inner(self, name: str, needed: Collection[str] = ()) -> FieldReader | None:
        """The reader of a map; take what it found with `take_problems`."""
        value = self.one(name, dict, lambda _: True, "a map")
        if value is None:
            return None
        return FieldReader(value, needed=needed, within=f"{self._within}{name}")

    def take_problems(self, inner: FieldReader) -> None:
        self.problems += inner.problems

    def text(self, name: str, limit: int) -> str | None:
        expected = f"text of 1 to {limit} characters"
        return self.one(name, str, lambda value: is_text(value, limit), expected)

    def texts(self, name: str, most: int, limit: int) -> tuple[str, ...]:
        expected = f"texts of 1 to {limit} characters"
        return self.several(
            name, most, str, lambda value: is_text(value, limit), expected
        )

    def word(self, name: str, known: Sequence[str]) -> str | None:
        return self.one(
            name, str, lambda value: value in known, "one of " + ", ".join(known)
        )

    def key(self, name: str) -> bytes | None:
        return self.one(name, bytes, _is_32_bytes, "a key of 32 bytes")

    def id(self, name: str) -> bytes | None:
        return self.one(name, bytes, _is_32_bytes, "a statement id of 32 bytes")

    def hash(self, name: str) -> bytes | None:
        return self.one(name, bytes, _is_32_bytes, "32 bytes")

    def digest(self, name: str) -> bytes | None:
        return self.one(name, bytes, is_multihash, "a SHA-256 multihash")

    def digests(self, name: str, most: int) -> tuple[bytes, ...]:
        return self.several(name, most, bytes, is_multihash, "SHA-256 multihashes")

    def number(self, name: str, most: int = MAX_COUNT, least: int = 0) -> int | None:
        bounds = "a number" if most == MAX_COUNT else f"a number from {least} to {most}"
        return self.one(name, int, lambda value: least <= value <= most, bounds)

    def time(self, name: str) -> int | None:
        return self.one(
            name, int, lambda value: value <= MAX_TIME, "a time in milliseconds"
        )

    def both(self, name: str, value: object, other: str, with_: object) -> bool:
        """Whether two fields stand there together, or a problem, if only one does."""
        if value is not None and with_ is not None:
            return True
        if (value is None) != (with_ is None):
            there, lacking = (other, name) if value is None else (name, other)
            if lacking not in self.fields:
                self.problem(there, f"{lacking} beside it")
        return False

    def source_type(self) -> str | None:
        value = self.one(
            "source-type",
            str,
            # In a statement it is always a URI: a bare term would have two spellings.
            lambda value: "/" in value and bool(words.canonical_source_type(value)),
            f"a term of IPTC {words.IPTC_VERSION} or C2PA",
        )
        return None if value is None else words.canonical_source_type(value)

    def licence(self) -> str | None:
        value = self.one(
            "license",
            str,
            lambda value: bool(read_licence(value)),
            "an SPDX expression",
        )
        return None if value is None else read_licence(value)

    def uses(self) -> tuple[dict[str, str], dict[str, str]]:
        entries = self.one("uses", dict, lambda _: True, "a map") or {}
        uses: dict[str, str] = {}
        constraints: dict[str, str] = {}
        for key in words.USES:
            entry = entries.get(key)
            if entry is not None:
                self._use(key, entry, uses, constraints)
        if set(entries) - set(words.USES):
            self.problem("uses", "only " + ", ".join(words.USES))
        if not entries and "uses" in self.fields and "uses" in self._needed:
            self.problem("uses", "at least one entry")
        if not uses and "uses" in self._needed:
            self.sound = False
        return uses, constraints

    def _use(
        self, key: str, entry: Value, uses: dict[str, str], infos: dict[str, str]
    ) -> None:
        use = entry.get("use") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or use not in words.USE_VALUES:
            self.problem(f"uses {key}", "use: " + ", ".join(words.USE_VALUES))
            return
        uses[key] = str(use)
        info = entry.get("constraint-info")
        if isinstance(info, str) and is_text(info, MAX_CONSTRAINT):
            infos[key] = info
        elif info is not None:
            self.problem(
                f"uses {key}", f"constraint-info of 1 to {MAX_CONSTRAINT} characters"
            )

    def uses_list(self) -> tuple[str, ...]:
        """CAWG entries; one that comes twice counts once, and is a problem."""
        expected = "entries of " + ", ".join(words.USES)
        found = self.several(
            "uses", MAX_USES, str, lambda value: value in words.USES, expected
        )
        if len(set(found)) < len(found):
            self.problem("uses", "no entry twice")
        return tuple(dict.fromkeys(found))

    def sources(self, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        if any(one.relationship not in words.RELATIONSHIPS for one in sources):
            known = ", ".join(words.RELATIONSHIPS)
            self.problem("sources", f"relationship: one of {known}")
        return sources

    def media_type(self) -> str | None:
        expected = f"type/subtype, at most {MAX_MEDIA_TYPE}"
        return self.one("media-type", str, is_media_type, expected)


def is_text(value: str, limit: int) -> bool:
    """Whether this is text of 1 to `limit` characters."""
    return 1 <= len(value) <= limit


def is_media_type(value: str) -> bool:
    """Whether this has the form type/subtype."""
    return len(value) <= MAX_MEDIA_TYPE and bool(_MEDIA_TYPE.fullmatch(value))


def _is_32_bytes(value: bytes) -> bool:
    return len(value) == 32
