"""What a statement says, for scripts: JSON with the names of docs/spec/statement.md.

Digests are `sha256:HEX`, keys did:key, ids CIDs, other bytes hexadecimal.  What is not
known is left out; `problems` names what is not sound, and `sound` is false where the
statement says nothing of its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from byline_ledger.content import CollectionContent, LabelContent, read_content
from byline_ledger.content_delegated import read_delegated
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement, is_multihash
from byline_ledger.statement import Source, Statement

KEYS = {"key", "group", "grantee", "recovery", "successor", "for"}
IDS = {"request", "offer", "replacement", "seal", "delegation"}
BESIDE_USES = "constraints"
"""In a statement they stand within the entries of `uses`."""


def content_to_json(statement: Statement) -> dict[str, Any] | None:
    """What it says by its type, and whom it is signed for; None for a type that is not
    known."""
    content = read_content(statement)
    if content is None:
        return None
    delegated = read_delegated(statement)
    said = _object(content) | _object(delegated)
    return {
        **said,
        "sound": getattr(content, "sound", True),
        "problems": [*content.problems, *delegated.problems],
    }


def _object(value: Any) -> dict[str, Any]:
    """A dataclass of ours, without what is not known."""
    sized = isinstance(value, CollectionContent | LabelContent)
    found: dict[str, Any] = {}
    for field in fields(value):
        one = getattr(value, field.name)
        if field.name in ("sound", "problems", BESIDE_USES):
            continue
        if one is None or (one in ((), {}, b"") and field.name != "proof"):
            continue
        name = field.name.rstrip("_").replace("_", "-")
        if sized and name == "size":
            name = "bytes"
        if name == "uses" and isinstance(one, Mapping):
            infos = getattr(value, BESIDE_USES)
            found[name] = {use: _use(one[use], infos.get(use)) for use in one}
        else:
            found[name] = _value(name, one)
    return found


def _use(use: str, info: str | None) -> dict[str, str]:
    return {"use": use} if info is None else {"use": use, "constraint-info": info}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return _bytes(name, value)
    if isinstance(value, tuple):
        return [_value(name, one) for one in value]
    if isinstance(value, Source):
        digest = _bytes("digest", value.digest)
        return {"digest": digest, "relationship": value.relationship}
    return _object(value) if is_dataclass(value) else value


def _bytes(name: str, value: bytes) -> str:
    if name in KEYS:
        return did_key(value)
    if name in IDS:
        return cid_of_statement(value)
    return f"sha256:{value[2:].hex()}" if is_multihash(value) else value.hex()
