"""What the statements that a naive prover shows amount to (docs/spec/state.md).

Nothing of the program is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from naive_bundle import Said, digest_of, subject, tag
from naive_state import World

KEYS = ("for", "successor", "recovery", "group", "grantee")
IDS = ("delegation", "seal")


class Shown(World):
    """The statements that were shown, named by their hex digits, and which lookups
    showed all there is."""

    def __init__(
        self, statements: Sequence[Said], index: Mapping[bytes, int], chain: Any
    ) -> None:
        self._chain = chain
        self._statements = {one.name: one.id.hex() for one in statements}
        self._keys: dict[bytes, str] = {}
        for one in statements:
            for key in (one.fields["author"], *map(one.fields.get, KEYS)):
                if _is_32_bytes(key):
                    self._keys[digest_of(key)] = key.hex()
        self._by_name: dict[str, bytes] = {}
        rows = [self._row(one, index[one.id]) for one in statements]
        super().__init__({"statements": rows})
        self.gone = _Gone(self)
        self._found: dict[str, tuple[str, str | None]] = {}

    def judged(self, said: Said) -> tuple[str, str | None]:
        """Status, and the id of the withdrawal that decides."""
        name = said.id.hex()
        if name not in self._found:
            row = self.named(name)
            assert row is not None
            self._found[name] = self.status(row), self.withdrawn_by(row)
        return self._found[name]

    def is_shown(self, about: str, key: str | None) -> bool:
        prefix = self.prefix(about)
        one = key is not None and prefix + tag(bytes.fromhex(key)) in self._chain.whole
        return prefix in self._chain.whole or one

    def is_gone(self, about: str) -> bool:
        return self.prefix(about) in self._chain.gone

    def prefix(self, about: str) -> bytes:
        """The lookup key of what a name stands for."""
        kind, _, name = about.partition(" ")
        value = bytes.fromhex(name)
        if kind == "key":
            return subject(digest_of(value))
        return subject(b"\x12\x20" + value if kind == "statement" else value)

    def _row(self, said: Said, index: int) -> dict[str, Any]:
        row = dict(said.fields)
        about = row["about"]
        if about in self._statements:
            row["about"] = f"statement {self._statements[about]}"
        elif about in self._keys:
            row["about"] = f"key {self._keys[about]}"
        else:
            row["about"] = f"work {about.hex()}"
        for name in ("author", *KEYS, *IDS):
            if name in row:
                row[name] = row[name].hex() if _is_32_bytes(row[name]) else 0
        return {**row, "id": said.id.hex(), "index": index}


class _Gone:
    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    def __contains__(self, about: str) -> bool:
        return self._shown.is_gone(about)


def _is_32_bytes(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == 32
