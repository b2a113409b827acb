"""What the cases of witness.json have in common: keys, two histories, requests."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from log_cases import LOG_KEY, ORIGIN, b64, pieces
from naive_bundle import (
    Key,
    checkpoint_text,
    consistency,
    cosignature,
    signed_note,
    tree_root,
    vkey,
)

Case = dict[str, Any]

NOW = 1_790_000_000
SECRET = bytes(range(32))
OWN = "witness.example/fedcba9876543210fedcba9876543210"
"""Origin of the log whose node is the witness."""
RENEWAL = bytes(range(16))


class SeedKey(Key):
    """A key whose name is its seed, in hex."""

    @cached_property
    def seed(self) -> bytes:
        return bytes.fromhex(self.name)


@dataclass(frozen=True)
class NodeKeys:
    """The keys of a node's roles (witness.md, "Keys"; log.md and network.md)."""

    secret: bytes
    origin: str
    renewal: bytes = b""

    @cache  # noqa: B019  # as many as there are cases
    def key(self, role: str) -> Key:
        label = f"byline/{role}-key/v1"
        if role != "transport":
            label += f" {self.origin}"
        if self.renewal and role in ("witness", "replay"):
            label += f" {self.renewal.hex()}"
        seed = hmac.digest(self.secret, label.encode(), hashlib.sha256)
        return SeedKey(seed.hex())

    def vkey(self, role: str) -> str:
        if role == "log":
            return vkey(self.origin, self.key(role))
        return vkey(f"{self.origin}/{role}", self.key(role), 4)

    def line(self, role: str, text: bytes, time: int) -> bytes:
        return cosignature(text, f"{self.origin}/{role}", self.key(role), time)


KEYS = NodeKeys(SECRET, OWN)


@dataclass(frozen=True)
class History:
    """What a log of this key could have grown to; only its hashes matter here."""

    name: str
    origin: str = ORIGIN
    key: Key = LOG_KEY

    @cached_property
    def entries(self) -> tuple[bytes, ...]:
        same = tuple(b"entry %d" % n for n in range(2))
        return (*same, *(f"{self.name} {n}".encode() for n in range(2, 20)))

    def text(self, size: int) -> bytes:
        return checkpoint_text(self.origin, size, tree_root(self.entries[:size]))

    def note(self, size: int) -> bytes:
        return signed_note(self.text(size), self.origin, self.key)

    def proof(self, old: int, size: int) -> list[bytes]:
        return consistency(old, self.entries[:size]) if 0 < old < size else []

    @property
    def vkey(self) -> str:
        return vkey(self.origin, self.key)

    def known(self, size: int | None = None, *lines: bytes) -> dict[str, Any]:
        """As the witness remembers it, cosigned with these lines, or never yet."""
        note = None if size is None else (self.note(size) + b"".join(lines)).decode()
        return {"vkey": self.vkey, "note": note}


TRUE = History("true")
FALSE = History("false")
"""Signed by the same key, and another from leaf 2 on."""
OTHER = History("true", "other.example/log", Key("other log"))


def cosigned(history: History, size: int, time: int = NOW - 60) -> dict[str, Any]:
    """What the witness remembers after it cosigned this tree."""
    return history.known(size, KEYS.line("witness", history.text(size), time))


@dataclass(frozen=True)
class Request:
    """A request, right unless something is changed."""

    size: int
    old: int = 0
    history: History = TRUE
    proof: list[bytes] | None = field(default=None, hash=False)
    note: bytes | None = None

    @property
    def lines(self) -> list[bytes]:
        proof = self.proof
        if proof is None:
            proof = self.history.proof(self.old, self.size)
        return [b"old %d" % self.old, *(b64(one).encode() for one in proof)]

    @property
    def signed(self) -> bytes:
        return self.history.note(self.size) if self.note is None else self.note

    @property
    def body(self) -> bytes:
        return with_lines(self.lines, self.signed)


def with_lines(lines: list[bytes], note: bytes) -> bytes:
    return b"\n".join([*lines, b"", b""]) + note


def case(
    name: str,
    status: int,
    request: Request | bytes,
    *known: dict[str, Any],
    **further: Any,
) -> Case:
    """`known` is what the witness remembers, of one log if nothing is said."""
    body = request if isinstance(request, bytes) else request.body
    return {
        "name": name,
        "status": status,
        "request": body.hex(),
        "known": list(known) or [TRUE.known()],
        "now": NOW,
        "replayed": False,
        "keeps": None,
        **further,
    }


def filled(body: bytes, size: int) -> list[list[Any]]:
    """The request with a stranger's line that makes it so many bytes long."""
    for length in range(1, 5):
        head = f"\u2014 {'x' * length} ".encode()
        room = size - len(body) - len(head) - 1
        if room % 4 == 0:
            return pieces((body + head, 1), (b"A", room), (b"\n", 1))
    raise AssertionError
