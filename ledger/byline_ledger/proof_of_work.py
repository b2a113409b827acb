"""Work that an author puts into a statement before signing it.

Rule: the target is committed to in the body, and the id, which is the hash of the
body, must begin with that many zero bits; so luck is no work, and checking costs
nothing.  Validity does not depend on it: a field that is not sound is no work.
Specification: docs/spec/admission.md, "Proof of work".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.errors import UsageError
from byline_ledger.statement import Statement

FIELD = "proof-of-work"
MAX_BITS = 64
NONCE_BYTES = 8


def work_of(statement: Statement) -> int:
    """Bits of work that the statement committed to and has; 0 if it has none."""
    field: Any = statement.fields.get(FIELD)
    if not isinstance(field, dict) or field.keys() != {"bits", "nonce"}:
        return 0
    bits, nonce = field["bits"], field["nonce"]
    if type(bits) is not int or not 1 <= bits <= MAX_BITS:
        return 0
    if not isinstance(nonce, bytes) or len(nonce) != NONCE_BYTES:
        return 0
    return bits if zero_bits(statement.id) >= bits else 0


def zero_bits(digest: bytes) -> int:
    """How many zero bits a digest begins with."""
    return 8 * len(digest) - int.from_bytes(digest, "big").bit_length()


class WorkSearch:
    """Looks for a nonce, a few hashes at a time, so that a caller can show progress."""

    def __init__(self, fields: Mapping[str, Value], author: bytes, bits: int) -> None:
        """`fields` are those that will be signed by the key `author`, without work."""
        if not 1 <= bits <= MAX_BITS:
            raise UsageError(f"bits of work: expected 1 to {MAX_BITS}, got {bits}")
        self._fields = {**fields, "author": author}
        self._bits = bits
        body = self._body(bytes(NONCE_BYTES))
        other = self._body(b"\xff" * NONCE_BYTES)
        pairs = enumerate(zip(body, other, strict=True))
        start = next(at for at, (one, two) in pairs if one != two)
        self._before = hashlib.sha256(body[:start])
        self._after = body[start + NONCE_BYTES :]
        self.tried = 0
        """Hashes made so far; about 2^bits are needed."""

    def _body(self, nonce: bytes) -> bytes:
        return codec.pack(self._with(nonce))

    def _with(self, nonce: bytes) -> dict[str, Value]:
        return {**self._fields, FIELD: {"bits": self._bits, "nonce": nonce}}

    def step(self, tries: int) -> dict[str, Value] | None:
        """The fields to be signed, if one of the next `tries` nonces does it."""
        # The salt is random, so nonces may be counted from 0.
        before, after, limit = self._before, self._after, 1 << (256 - self._bits)
        for number in range(self.tried, self.tried + tries):
            nonce = number.to_bytes(NONCE_BYTES, "big")
            hasher = before.copy()
            hasher.update(nonce + after)
            if int.from_bytes(hasher.digest(), "big") < limit:
                self.tried = number + 1
                return self._with(nonce)
        self.tried += tries
        return None
