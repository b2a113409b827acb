"""What is asked with `POST /v1/query`: one proof bundle for many works, as JSON.

    {"depth": 0, "digests": ["9f86d0…", …], "keys": ["did:key:z6Mk…", …]}

1 to 512 digests, each 64 hex digits or another form that names a work; `depth` (0) and
`keys` (none) may be left out.  Bytes parse or raise MalformedError.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from byline_ledger.chain import MAX_ASKED, MAX_DEPTH, MAX_TRUSTED
from byline_ledger.did import did_key, parse_did_key
from byline_ledger.digest import parse_hash
from byline_ledger.errors import MalformedError

MAX_BYTES = 256 * 1024
_NAMES = {"depth", "digests", "keys"}


@dataclass(frozen=True, slots=True)
class SharedQuestion:
    """34-byte multihashes, ascending; the depth; 32-byte keys that the reader trusts,
    ascending."""

    digests: tuple[bytes, ...]
    depth: int = 0
    keys: tuple[bytes, ...] = ()

    @classmethod
    def of(
        cls, digests: Collection[bytes], depth: int = 0, keys: Collection[bytes] = ()
    ) -> SharedQuestion:
        """The question for these, in any order and however often they are named."""
        return cls(tuple(sorted(set(digests))), depth, tuple(sorted(set(keys))))

    def to_bytes(self) -> bytes:
        """The body of the request."""
        question = {
            "depth": self.depth,
            "digests": [digest[2:].hex() for digest in self.digests],
            "keys": [did_key(key) for key in self.keys],
        }
        return json.dumps(question).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> SharedQuestion:
        """Strict, but for order and repetition."""
        if len(data) > MAX_BYTES:
            raise MalformedError(f"question: expected at most {MAX_BYTES} bytes")
        try:
            value: Any = json.loads(data)
        except (ValueError, RecursionError):
            raise MalformedError("question: expected JSON") from None
        if not isinstance(value, dict) or not {"digests"} <= value.keys() <= _NAMES:
            raise MalformedError(
                "question: expected an object with digests, and maybe depth and keys"
            )
        depth = value.get("depth", 0)
        if type(depth) is not int or not 0 <= depth <= MAX_DEPTH:
            raise MalformedError(f"depth: expected 0 to {MAX_DEPTH}")
        texts = _texts(value["digests"], "digests", MAX_ASKED)
        if not texts:
            raise MalformedError("digests: expected at least one")
        keys = _texts(value.get("keys", []), "keys", MAX_TRUSTED)
        return cls.of([*map(_digest, texts)], depth, [*map(parse_did_key, keys)])


def _texts(value: object, name: str, most: int) -> list[str]:
    if not isinstance(value, list) or len(value) > most:
        raise MalformedError(f"{name}: expected an array of at most {most}")
    if not all(isinstance(one, str) for one in value):
        raise MalformedError(f"{name}: expected strings")
    return value


def _digest(text: str) -> bytes:
    parsed = parse_hash(text)
    if parsed.kind == "statement":
        raise MalformedError("digests: expected digests of works, got a statement's id")
    return parsed.multihash
