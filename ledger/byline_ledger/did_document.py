"""What is fetched to check a name, read strictly: JSON, DID documents, TXT, SSH keys.

Rule (docs/spec/names.md, "What is fetched, and what must be in it"): bytes in, keys of
32 bytes out, else MalformedError.  Whoever controls a domain wrote these bytes, so all
of it is bounded, and what is not understood is no key.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from byline_ledger.did import parse_did_key
from byline_ledger.errors import MalformedError

MAX_FETCHED: Final = 65_536
"""Bytes of anything that is fetched."""
MAX_DEPTH: Final = 16
MAX_ENTRIES: Final = 64
"""Of `keys`, `verificationMethod` and `alsoKnownAs`."""
MAX_KEY_LINES: Final = 256
MAX_DID: Final = 2048

TXT_PREFIX: Final = "byline-key="
HANDLE_PREFIX: Final = "did="
_DID_KEY = "did:key:"
_SSH_KEY = "ssh-ed25519"
_SSH_HEAD = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"


@dataclass(frozen=True, slots=True)
class DidDocument:
    """What a DID document says that matters here."""

    id: str
    also_known_as: tuple[str, ...]
    keys: frozenset[bytes]
    """Ed25519 public keys of 32 bytes that it names."""

    @classmethod
    def from_bytes(cls, data: bytes) -> DidDocument:
        """Read strictly; MalformedError."""
        value = read_object(data, "DID document")
        did = value.get("id")
        if not isinstance(did, str) or not 1 <= len(did) <= MAX_DID:
            raise MalformedError("DID document: expected an id")
        names = _entries(value, "alsoKnownAs")
        if not all(isinstance(one, str) for one in names):
            raise MalformedError("alsoKnownAs: expected texts")
        methods = _entries(value, "verificationMethod")
        found = {_method_key(one, did) for one in methods}
        found |= {key_of(one) for one in names}
        return cls(did, tuple(names), frozenset(found - {None}))  # type: ignore[arg-type]

    @property
    def handle(self) -> str | None:
        """What the first `at://` of alsoKnownAs says: no other place counts."""
        for one in self.also_known_as:
            if one.startswith("at://"):
                return one.removeprefix("at://")
        return None


def read_object(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object: UTF-8, no member twice, at most MAX_DEPTH levels deep."""
    if len(data) > MAX_FETCHED:
        raise MalformedError(f"{what}: expected at most {MAX_FETCHED} bytes")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_members,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError):
        raise MalformedError(f"{what}: expected JSON") from None
    if not isinstance(value, dict):
        raise MalformedError(f"{what}: expected a JSON object")
    _require_flat(value, what)
    return value


def keys_in_domain_file(data: bytes) -> tuple[bytes, ...]:
    """The keys that a domain's byline.json names."""
    keys = read_object(data, "byline.json").get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_ENTRIES:
        raise MalformedError(f"byline.json: expected keys, 1 to {MAX_ENTRIES} of them")
    if not all(isinstance(one, str) for one in keys):
        raise MalformedError("byline.json: expected keys as texts")
    return _known(map(key_of, keys))


def keys_in_txt(records: Iterable[str]) -> tuple[bytes, ...]:
    """The keys that TXT records name."""
    own = (one for one in records if one.startswith(TXT_PREFIX))
    return _known(key_of(one.removeprefix(TXT_PREFIX)) for one in own)


def dids_in_txt(records: Iterable[str]) -> tuple[str, ...]:
    """The DIDs that TXT records name for a handle, each once."""
    own = (one for one in records if one.startswith(HANDLE_PREFIX))
    return tuple(dict.fromkeys(one.removeprefix(HANDLE_PREFIX) for one in own))


def did_in_file(data: bytes) -> str:
    """The DID that a handle's file names."""
    try:
        text = data.decode("ascii").strip(" \t\r\n")
    except UnicodeDecodeError:
        text = ""
    if not text.startswith("did:") or len(text) > MAX_DID or not text.isprintable():
        raise MalformedError("atproto-did: expected a DID")
    return text


def ssh_keys(data: bytes) -> tuple[bytes, ...]:
    """The Ed25519 keys (32 bytes) among the keys that a forge publishes of a user."""
    if len(data) > MAX_FETCHED:
        raise MalformedError(f"SSH keys: expected at most {MAX_FETCHED} bytes")
    lines = data.split(b"\n")[:MAX_KEY_LINES]
    return _known(map(_ssh_key, lines))


def key_of(text: str) -> bytes | None:
    """The 32 bytes of a did:key; None for anything else."""
    try:
        return parse_did_key(text)
    except MalformedError:
        return None


def _known(keys: Iterable[bytes | None]) -> tuple[bytes, ...]:
    return tuple(one for one in keys if one is not None)


def _ssh_key(line: bytes) -> bytes | None:
    words = line.split()
    if len(words) < 2 or words[0] != _SSH_KEY.encode():
        return None
    try:
        blob = base64.b64decode(words[1], validate=True)
    except binascii.Error:
        return None
    is_sound = len(blob) == len(_SSH_HEAD) + 32 and blob.startswith(_SSH_HEAD)
    return blob[len(_SSH_HEAD) :] if is_sound else None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member twice")
    return found


def _no_constant(_text: str) -> NoReturn:
    raise ValueError("not JSON")


def _require_flat(value: dict[str, Any], what: str) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        inner = [child for one in level for child in _children(one)]
        level = [child for child in inner if isinstance(child, dict | list)]
    if level:
        raise MalformedError(f"{what}: expected at most {MAX_DEPTH} levels")


def _children(value: list[object] | dict[str, object]) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value


def _entries(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name, [])
    if not isinstance(found, list) or len(found) > MAX_ENTRIES:
        raise MalformedError(f"{name}: expected an array of at most {MAX_ENTRIES}")
    return found


def _method_key(method: object, did: str) -> bytes | None:
    """The key of a verification method that the DID itself controls."""
    if not isinstance(method, dict) or method.get("controller", did) != did:
        return None
    multibase = method.get("publicKeyMultibase")
    if isinstance(multibase, str):
        return key_of(_DID_KEY + multibase)
    return _jwk_key(method.get("publicKeyJwk"))


def _jwk_key(jwk: object) -> bytes | None:
    if not isinstance(jwk, dict):
        return None
    x = jwk.get("x")
    if (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519") or not isinstance(x, str):
        return None
    try:
        key = base64.b64decode(x + "=", altchars=b"-_", validate=True)
    except ValueError:
        return None
    # 43 symbols hold two bits too many: only one spelling of a key counts.
    canonical = base64.urlsafe_b64encode(key).rstrip(b"=").decode() == x
    return key if len(key) == 32 and canonical else None
