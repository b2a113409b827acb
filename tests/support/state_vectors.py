"""Reads state.json: statements by name become statements in bytes."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from byline_ledger.digest import SHA256_PREFIX, digest_bytes, multihash
from byline_ledger.facts import AsOf, Facts, Record
from byline_ledger.statement import Source, Statement

PATH = Path(__file__).parent.parent / "vectors" / "state.json"
KEYS = frozenset({"author", "for", "successor", "recovery", "grantee", "group", "key"})
IDS = frozenset({"delegation", "seal"})
PLACE = frozenset({"id", "index", "existed_by"})


def key(name: str) -> bytes:
    return sha256(f"key {name}".encode()).digest()


def id_(name: str) -> bytes:
    return sha256(f"statement {name}".encode()).digest()


def work(name: str) -> bytes:
    return multihash(sha256(f"work {name}".encode()).digest())


def nonce(name: str) -> bytes:
    return sha256(f"nonce {name}".encode()).digest()


def digest(text: str) -> bytes:
    """What `about` and sources name."""
    kind, _, name = text.partition(" ")
    if kind == "key":
        return digest_bytes(key(name))
    if kind == "statement":
        return multihash(id_(name))
    if kind == "work":
        return work(name)
    if kind == "tree":
        return SHA256_PREFIX + root([work(one) for one in name.split(" ")])
    secret, sealed, author = name.split(" ")
    sealing = b"byline/seal/v1\x00" + nonce(secret) + work(sealed) + key(author)
    return multihash(sha256(sealing).digest())


def root(rows: list[bytes]) -> bytes:
    """RFC 6962 hash of a short list."""
    if len(rows) == 1:
        return sha256(b"\x00" + rows[0]).digest()
    half = 1 << (len(rows) - 1).bit_length() - 1
    return sha256(b"\x01" + root(rows[:half]) + root(rows[half:])).digest()


def value(name: str, found: Any) -> Any:
    """A field in bytes; what is no name (a malformed field) stays as it is."""
    if isinstance(found, dict):
        return {inner: value(inner, one) for inner, one in found.items()}
    if isinstance(found, list):
        return [value(name, one) for one in found]
    if not isinstance(found, str):
        return found
    if found.startswith("hex:"):
        return bytes.fromhex(found[4:])
    if name in KEYS:
        return key(found)
    if name in IDS:
        return id_(found)
    if name == "seal-nonce":
        return nonce(found)
    if name in ("about", "digest", "manifests", "manifest"):
        return digest(found)
    return found


def record(said: dict[str, Any]) -> Record:
    """A statement with its place; nothing is signed, since nothing here checks it."""
    fields = {name: value(name, one) for name, one in said.items() if name not in PLACE}
    sources = tuple(
        Source(one["digest"], one["relationship"]) for one in fields.get("sources", [])
    )
    statement = Statement(
        body=said["id"].encode(),
        signature=b"",
        id=id_(said["id"]),
        type=fields["type"],
        author=fields["author"],
        time=fields["time"],
        about=fields["about"],
        also=(),
        sources=sources,
        fields=fields,
    )
    return Record(statement, said["index"], said.get("existed_by"))


def facts(case: dict[str, Any]) -> Facts:
    """The facts of a case."""
    missing = {
        (digest(about), None if name is None else key(name))
        for about, name in case.get("missing", [])
    }
    gone = {digest(about) for about in case.get("gone", [])}

    def shown(about: bytes, by: bytes | None) -> bool:
        hidden = (about, None) in missing or about in gone
        return not hidden and (by is None or (about, by) not in missing)

    return Facts(
        map(record, case["statements"]),
        shown=shown,
        gone=gone.__contains__,
        as_of=AsOf(**case.get("as_of", {})),
    )


def load() -> dict[str, Any]:
    """The whole file."""
    found: dict[str, Any] = json.loads(PATH.read_text())
    return found
