"""Statements by which one key may act for another, and withdrawals by it."""

from __future__ import annotations

from byline_ledger.content_keys import delegate_fields, rotate_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import multihash
from byline_ledger.statement import Statement, sign_statement

from .signed import SALTS, TIME, signed


def rotation(old: SigningKey, new: SigningKey | None) -> Statement:
    """The old key names another that follows it, or none."""
    salt = next(SALTS).to_bytes(16, "big")
    named = None if new is None else new.public
    fields = rotate_fields(key=old.public, successor=named, time=TIME, salt=salt)
    return sign_statement(fields, old)


def delegation(by: SigningKey, to: SigningKey, *types: str) -> Statement:
    """A key lets another sign statements of these types for it."""
    salt = next(SALTS).to_bytes(16, "big")
    fields = delegate_fields(
        key=to.public, types=types, until=TIME * 2, time=TIME, salt=salt
    )
    return sign_statement(fields, by)


def withdraw_for(
    statement: Statement, principal: SigningKey, given: Statement, by: SigningKey
) -> Statement:
    """A withdrawal that is signed for another key under a delegation."""
    named = {"for": principal.public, "delegation": given.id}
    about = multihash(statement.id)
    return signed(about, by, type="withdraw", reason="mistaken", **named)
