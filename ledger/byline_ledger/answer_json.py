"""Answers in JSON: ids as CIDs, digests as sha256:HEX, keys as did:key.

Form: docs/spec/state.md, "Answer in JSON".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement, is_multihash

IDS = frozenset(
    {
        "admit",
        "deciding",
        "delegation",
        "id",
        "offer",
        "offers",
        "replacement",
        "request",
        "seal",
        "statement",
    }
)
KEYS = frozenset(
    {
        "author",
        "for_",
        "grantee",
        "group",
        "key",
        "linked",
        "member",
        "named",
        "recovery",
        "signed_for",
        "succession",
        "successor",
    }
)
HIDDEN = frozenset({"state"})
"""Fields that are no part of the form."""


def to_json(value: object, name: str = "") -> object:
    """One value in JSON; the field's name decides how 32 bytes are written."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            one.name.rstrip("_"): to_json(getattr(value, one.name), one.name)
            for one in fields(value)
            if one.name not in HIDDEN
        }
    if isinstance(value, Mapping):
        # What an author wrote: no name there means what it does elsewhere.
        return {key: to_json(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(one, name) for one in value]
    if not isinstance(value, bytes):
        return value
    return _bytes(name, value)


def _bytes(name: str, value: bytes) -> str:
    if len(value) == 32 and name in IDS:
        return cid_of_statement(value)
    if len(value) == 32 and name in KEYS:
        return did_key(value)
    if name and is_multihash(value):
        return f"sha256:{value[2:].hex()}"
    return value.hex()
