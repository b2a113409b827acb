"""Reads the fields that a statement's type defines, leniently (docs/adr/0003).

Rule: nothing in a valid statement raises here.  A field that is not sound becomes
unknown (None, or left out), and a problem that names it.  The limits are those of
docs/spec/statement.md, "Types"; `content.py` makes statements within the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from byline_ledger import vocabulary as words
from byline_ledger.codec import Value
from byline_ledger.digest import is_multihash
from byline_ledger.licence import read_licence
from byline_ledger.statement import Source

MAX_TITLE = 512
MAX_NOTE = 2048
MAX_TOOL = 256
MAX_TOOLS = 32
MAX_CONSTRAINT = 1024
MAX_MEDIA_TYPE = 127
MAX_EVIDENCE = 64

_MEDIA_TYPE = re.compile(r"[a-zA-Z0-9!#$&^_.+-]+/[a-zA-Z0-9!#$&^_.+-]+")


class FieldReader:
    """Reads optional fields; what is not sound becomes None and a named problem."""

    def __init__(self, fields: Mapping[str, Value]) -> None:
        self.fields = fields
        self.problems: list[str] = []

    def problem(self, name: str, expected: str) -> None:
        self.problems.append(f"{name}: expected {expected}")

    def text(self, name: str, limit: int) -> str | None:
        value = self.fields.get(name)
        if value is None or is_text(value, limit):
            return value  # type: ignore[return-value]  # text or None
        self.problem(name, f"text of 1 to {limit} characters")
        return None

    def word(self, name: str, known: Sequence[str]) -> str | None:
        value = self.fields.get(name)
        if isinstance(value, str) and value in known:
            return value
        self.problem(name, "one of " + ", ".join(known))
        return None

    def source_type(self) -> str | None:
        value = self.fields.get("source-type")
        if value is None:
            return None
        # In a statement it is always a URI: a bare term would have two spellings.
        if isinstance(value, str) and "/" in value:
            term = words.canonical_source_type(value)
            if term is not None:
                return term
        self.problem("source-type", f"a term of IPTC {words.IPTC_VERSION} or C2PA")
        return None

    def licence(self) -> str | None:
        value = self.fields.get("license")
        if value is None:
            return None
        licence = read_licence(value) if isinstance(value, str) else None
        if licence is None:
            self.problem("license", "an SPDX expression")
        return licence

    def uses(self) -> tuple[dict[str, str], dict[str, str]]:
        value = self.fields.get("uses", {})
        entries = value if isinstance(value, dict) else {}
        if entries is not value:
            self.problem("uses", "a map")
        uses: dict[str, str] = {}
        constraints: dict[str, str] = {}
        for key in words.USES:
            entry = entries.get(key)
            if entry is not None:
                self._use(key, entry, uses, constraints)
        if set(entries) - set(words.USES):
            self.problem("uses", "only " + ", ".join(words.USES))
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

    def tools(self) -> tuple[str, ...]:
        items = self._list("tools", MAX_TOOLS)
        found = tuple(item for item in items if is_text(item, MAX_TOOL))
        if len(found) < len(items):
            self.problem("tools", f"texts of 1 to {MAX_TOOL} characters")
        return found  # type: ignore[return-value]  # texts

    def sources(self, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        if any(one.relationship not in words.RELATIONSHIPS for one in sources):
            known = ", ".join(words.RELATIONSHIPS)
            self.problem("sources", f"relationship: one of {known}")
        return sources

    def media_type(self) -> str | None:
        value = self.fields.get("media-type")
        if isinstance(value, str) and is_media_type(value):
            return value
        if value is not None:
            self.problem("media-type", f"type/subtype, at most {MAX_MEDIA_TYPE}")
        return None

    def size(self) -> int | None:
        value = self.fields.get("size")
        if type(value) is int:
            return value
        if value is not None:
            self.problem("size", "a number of bytes")
        return None

    def evidence(self) -> tuple[bytes, ...]:
        items = self._list("evidence", MAX_EVIDENCE)
        found = tuple(item for item in items if is_multihash(item))
        if len(found) < len(items):
            self.problem("evidence", "SHA-256 multihashes")
        return found  # type: ignore[return-value]  # multihashes

    def replacement(self) -> bytes | None:
        value = self.fields.get("replacement")
        if isinstance(value, bytes) and len(value) == 32:
            return value
        if value is not None:
            self.problem("replacement", "a statement id of 32 bytes")
        return None

    def _list(self, name: str, limit: int) -> list[Value]:
        value = self.fields.get(name)
        if value is None:
            return []
        if isinstance(value, list) and 1 <= len(value) <= limit:
            return value
        self.problem(name, f"an array of 1 to {limit}")
        return []


def is_text(value: Value, limit: int) -> bool:
    """Whether this is text of 1 to `limit` characters."""
    return isinstance(value, str) and 1 <= len(value) <= limit


def is_media_type(value: str) -> bool:
    """Whether this has the form type/subtype."""
    return len(value) <= MAX_MEDIA_TYPE and bool(_MEDIA_TYPE.fullmatch(value))
