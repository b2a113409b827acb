"""What people type to name a key or a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from byline_cli.signing import key_store
from byline_ledger.did import did_key, parse_did_key
from byline_ledger.errors import MalformedError, NotFoundError, UsageError

DID = "did:key:"
OWN = "key:"
"""Before the name of a key of one's own, where a file could be meant as well."""


def parse_key(text: str) -> bytes:
    """A public key (32 bytes): a did:key, or the name of a key of one's own."""
    if text.startswith(DID):
        if text.endswith(("…", "...")):
            raise MalformedError(
                f"{text[:80]} is cut short: a key must be whole, {DID} and"
                f" {len(did_key(bytes(32))) - len(DID)} characters",
                hint="`byline key list` shows yours, `byline query FILE` who claims it",
            )
        return parse_did_key(text)
    name = text.removeprefix(OWN)
    known = key_store().names()
    if name in known:
        return key_store().info(name).public
    names = f", or one of your own keys: {', '.join(known)}" if known else ""
    raise NotFoundError(
        f"{text[:80]!r} is no key of yours",
        hint=f"name a key as did:key:z6Mk…{names}",
    )


def parse_keys(texts: list[str] | None) -> tuple[bytes, ...]:
    """Several keys, or none."""
    return tuple(map(parse_key, texts or ()))


def is_key_name(text: str) -> bool:
    """Whether a text that may also name a file names a key."""
    return text.startswith((DID, OWN))


def parse_share(text: str) -> tuple[bytes, int]:
    """`KEY=PARTS`."""
    key, equals, parts = text.rpartition("=")
    if not equals or not re.fullmatch("[0-9]{1,9}", parts):
        raise UsageError(
            f"--share {text}: expected KEY=PARTS", hint="such as did:key:z6Mk…=2"
        )
    return parse_key(key), int(parts)


def parse_time(text: str) -> int:
    """Unix milliseconds of a day (its beginning) or a moment, in UTC if not said."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedError(
            f"{text[:80]!r} is no time",
            hint="write a day, 2027-01-31, or a moment, 2027-01-31T12:00Z",
        ) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    milliseconds = round(found.timestamp() * 1000)
    if milliseconds < 0:
        raise MalformedError(f"{text} is before 1970, where times begin here")
    return milliseconds


def parse_optional_key(text: str | None) -> bytes | None:
    """A key, where none may be named."""
    return None if text is None else parse_key(text)
