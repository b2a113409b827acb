"""Statements for tests: signed for real, with fixed keys and salts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.statement import Statement, sign_statement

TIME = 1_700_000_000_000
SALTS: Iterator[int] = count()


def key(number: int = 1) -> SigningKey:
    return SigningKey.from_seed(bytes([number]) * 32)


def signed(about: bytes, by: SigningKey | None = None, **fields: Any) -> Statement:
    """A statement about a 34-byte multihash; of type `work` unless `type` is given."""
    common: dict[str, Any] = {
        "type": "work",
        "time": TIME,
        "about": about,
        "salt": next(SALTS).to_bytes(16, "big"),
    }
    return sign_statement(common | fields, by or key())


def work(text: str, by: SigningKey | None = None, **fields: Any) -> Statement:
    """A `work` statement about the bytes of a text."""
    return signed(digest_bytes(text.encode()), by, **fields)


def withdraw(statement: Statement, by: SigningKey | None = None) -> Statement:
    about = multihash(statement.id)
    return signed(about, by, type="withdraw", reason="mistaken")


def forged(statement: Statement) -> Statement:
    """The same body under a signature that does not hold."""
    flipped = bytes([statement.signature[0] ^ 1]) + statement.signature[1:]
    return Statement.from_parts(statement.body, flipped)
