"""A naive log, lookup set and prover, written from the specification alone.

Slow and straight: every root is computed from scratch by its definition.  Imports
nothing of the program, no MessagePack and no signature library, so that what the
program and this file agree on is what docs/spec/{statement,log,bundle}.md say.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# MessagePack (statement.md): shortest forms, keys sorted, no floats, ext types or nil


def pack(value: Any) -> bytes:
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return _pack_uint(value)
    if isinstance(value, str):
        data = value.encode()
        small = bytes([0xA0 | len(data)]) if len(data) < 32 else b""
        return (small or _head(len(data), b"\xd9\xda\xdb")) + data
    if isinstance(value, bytes):
        return _head(len(value), b"\xc4\xc5\xc6") + value
    if isinstance(value, dict):
        pairs = sorted((key.encode(), key) for key in value)
        small = bytes([0x80 | len(pairs)]) if len(pairs) < 16 else b""
        body = b"".join(pack(key) + pack(value[key]) for _, key in pairs)
        return (small or _head(len(pairs), b"\0\xde\xdf")) + body
    small = bytes([0x90 | len(value)]) if len(value) < 16 else b""
    return (small or _head(len(value), b"\0\xdc\xdd")) + b"".join(map(pack, value))


def _pack_uint(value: int) -> bytes:
    if value < 128:
        return bytes([value])
    for code, size in ((0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)):
        if value < 1 << 8 * size:
            return bytes([code]) + value.to_bytes(size, "big")
    raise ValueError(value)


def _head(size: int, codes: bytes) -> bytes:
    """Type byte and length; a code of 0 says that there is no one-byte length."""
    if codes[0] and size < 256:
        return codes[:1] + bytes([size])
    if size < 65536:
        return codes[1:2] + size.to_bytes(2, "big")
    return codes[2:] + size.to_bytes(4, "big")


# Ed25519 (RFC 8032), points as (X, Y, Z, T)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def _add(p: Any, q: Any) -> Any:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _base_doublings() -> list[Any]:
    y = 4 * pow(5, -1, P) % P
    x = pow((y * y - 1) * pow(D * y * y + 1, -1, P) % P, (P + 3) // 8, P)
    if (x * x * (D * y * y + 1) - (y * y - 1)) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x & 1:
        x = P - x
    points = [(x, y, 1, x * y % P)]
    for _ in range(255):
        points.append(_add(points[-1], points[-1]))
    return points


_BASE = _base_doublings()


def _times_base(scalar: int) -> bytes:
    """Compressed scalar * B."""
    point = (0, 1, 1, 0)
    for bit in range(256):
        if scalar >> bit & 1:
            point = _add(point, _BASE[bit])
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _le(data: bytes) -> int:
    return int.from_bytes(data, "little")


@dataclass(frozen=True)
class Key:
    """An Ed25519 key from a name, so that vectors come out the same each time."""

    name: str

    @cached_property
    def seed(self) -> bytes:
        return sha256(b"byline vector key " + self.name.encode())

    @cached_property
    def _secret(self) -> tuple[int, bytes]:
        wide = hashlib.sha512(self.seed).digest()
        return _le(wide[:32]) & (1 << 254) - 8 | 1 << 254, wide[32:]

    @cached_property
    def public(self) -> bytes:
        return _times_base(self._secret[0])

    def sign(self, message: bytes) -> bytes:
        scalar, prefix = self._secret
        r = _le(hashlib.sha512(prefix + message).digest()) % L
        point = _times_base(r)
        h = _le(hashlib.sha512(point + self.public + message).digest())
        return point + ((r + h * scalar) % L).to_bytes(32, "little")


# Statements (statement.md)

STATEMENT_TYPE = b"application/vnd.byline.statement.v1+msgpack"


def multihash(digest: bytes) -> bytes:
    return b"\x12\x20" + digest


def digest_of(data: bytes) -> bytes:
    return multihash(sha256(data))


@dataclass(frozen=True)
class Said:
    """A signed statement."""

    fields: dict[str, Any] = field(hash=False)
    body: bytes
    signature: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.body)

    @property
    def name(self) -> bytes:
        """What another statement's `about` says to mean this one."""
        return multihash(self.id)

    @property
    def envelope(self) -> bytes:
        return pack([1, self.body, self.signature])

    @property
    def author(self) -> bytes:
        return bytes(self.fields["author"])

    @property
    def type(self) -> str:
        return str(self.fields["type"])

    @property
    def sources(self) -> list[bytes]:
        return [source["digest"] for source in self.fields.get("sources", [])]


def say(key: Key, type_: str, about: bytes, *, time: int, **further: Any) -> Said:
    """A statement; underscores in field names stand for hyphens."""
    fields: dict[str, Any] = {
        "type": type_,
        "author": key.public,
        "time": time,
        "about": about,
        **{name.replace("_", "-"): value for name, value in further.items()},
    }
    if "salt" not in fields:
        fields["salt"] = sha256(b"salt" + pack(fields))[:16]
    return sign(fields, key)


def sign(fields: dict[str, Any], key: Key) -> Said:
    body = pack(fields)
    return Said(fields, body, key.sign(pae(body)))


def pae(body: bytes) -> bytes:
    """DSSE pre-authentication encoding."""
    type_size, body_size = len(STATEMENT_TYPE), len(body)
    return b"DSSEv1 %d %s %d %s" % (type_size, STATEMENT_TYPE, body_size, body)


# Entries and lookup strings (log.md)


def lookup_key(role: str, what: bytes) -> bytes:
    return sha256(f"byline/{role}/v1".encode() + b"\0" + what)


def subject(about: bytes) -> bytes:
    return lookup_key("subject", about)


def tag(author: bytes) -> bytes:
    return lookup_key("tag", author)[:8]


def keys_of(said: Said) -> list[bytes]:
    keys = {subject(said.fields["about"]), lookup_key("author", said.author)}
    keys |= {lookup_key("source", source) for source in said.sources}
    return sorted(keys)


def entry_of(said: Said) -> bytes:
    keys = keys_of(said)
    return b"\0" + said.id + tag(said.author) + bytes([len(keys)]) + b"".join(keys)


def strings_of(said: Said) -> list[bytes]:
    return [key + tag(said.author) + said.id for key in keys_of(said)]


def commitment(count: int, root: bytes) -> bytes:
    return b"\x01" + count.to_bytes(8, "big") + root


# RFC 6962


@cache
def tree_root(entries: tuple[bytes, ...]) -> bytes:
    if not entries:
        return sha256(b"")
    if len(entries) == 1:
        return sha256(b"\0" + entries[0])
    k = _left_size(len(entries))
    return sha256(b"\x01" + tree_root(entries[:k]) + tree_root(entries[k:]))


def inclusion(index: int, entries: tuple[bytes, ...]) -> list[bytes]:
    if len(entries) == 1:
        return []
    k = _left_size(len(entries))
    if index < k:
        return [*inclusion(index, entries[:k]), tree_root(entries[k:])]
    return [*inclusion(index - k, entries[k:]), tree_root(entries[:k])]


def inclusion_of(indexes: set[int], entries: tuple[bytes, ...]) -> list[bytes]:
    """The shared proof of several leaves (bundle.md)."""
    if not indexes:
        return [tree_root(entries)]
    if len(entries) == 1:
        return []
    k = _left_size(len(entries))
    right = {index - k for index in indexes if index >= k}
    left = {index for index in indexes if index < k}
    return [*inclusion_of(left, entries[:k]), *inclusion_of(right, entries[k:])]


def consistency(old: int, entries: tuple[bytes, ...]) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    return _subproof(old, entries, True)


def _subproof(m: int, entries: tuple[bytes, ...], whole: bool) -> list[bytes]:
    if m == len(entries):
        return [] if whole else [tree_root(entries)]
    k = _left_size(len(entries))
    if m <= k:
        return [*_subproof(m, entries[:k], whole), tree_root(entries[k:])]
    return [*_subproof(m - k, entries[k:], False), tree_root(entries[:k])]


def _left_size(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


# The lookup set as a trie of lists, and its openings (log.md, bundle.md):
#   ["closed", hash] | ["leaf", [string, ...]]
#   | ["inner", d, |L|, |R|, first d bits as text, L, R]


def bits(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)


def unbits(text: str) -> bytes:
    padded = text + "0" * (-len(text) % 8)
    return bytes(int(padded[i : i + 8], 2) for i in range(0, len(padded), 8))


def trie(strings: Sequence[bytes]) -> list[Any]:
    """The whole trie of ascending strings."""
    if len(strings) <= 16:
        return ["leaf", list(strings)]
    first, last = bits(strings[0]), bits(strings[-1])
    d = next(i for i in range(576) if first[i] != last[i])
    left = [s for s in strings if bits(s)[d] == "0"]
    right = [s for s in strings if bits(s)[d] == "1"]
    return ["inner", d, len(left), len(right), first[:d], trie(left), trie(right)]


def trie_hash(node: list[Any]) -> bytes:
    if node[0] == "closed":
        return bytes(node[1])
    if node[0] == "leaf":
        return sha256(b"\x02" + b"".join(node[1]))
    left, right = trie_hash(node[5]), trie_hash(node[6])
    return sha256(inner_head(node) + left + right)


def inner_head(node: list[Any]) -> bytes:
    _, d, left, right, shared = node[:5]
    counts = left.to_bytes(8, "big") + right.to_bytes(8, "big")
    return b"\x03" + d.to_bytes(2, "big") + counts + unbits(shared)


def write_opening(node: list[Any]) -> bytes:
    if node[0] == "closed":
        return b"\0" + bytes(node[1])
    if node[0] == "leaf":
        return bytes([2, len(node[1])]) + b"".join(node[1])
    return inner_head(node) + write_opening(node[5]) + write_opening(node[6])


def opened(node: list[Any], visited: set[int]) -> list[Any]:
    """The trie with everything closed that is not visited."""
    if id(node) not in visited:
        return ["closed", trie_hash(node)]
    if node[0] == "leaf":
        return node
    return [*node[:5], opened(node[5], visited), opened(node[6], visited)]


def lookup(
    top: list[Any], prefix: bytes, page: int, visited: set[int]
) -> tuple[int, list[bytes]]:
    """Count and shown strings of one lookup; notes the nodes on the way."""
    wanted, node = bits(prefix), top
    while node[0] == "inner":
        visited.add(id(node))
        n = min(node[1], len(wanted))
        if node[4][:n] != wanted[:n]:
            return 0, []
        if node[1] >= len(wanted):
            shown: list[bytes] = []
            _show(node, page, visited, shown)
            return node[2] + node[3], shown
        node = node[6] if wanted[node[1]] == "1" else node[5]
    visited.add(id(node))
    found = [s for s in node[1] if s.startswith(prefix)]
    return len(found), found


def _show(node: list[Any], page: int, visited: set[int], shown: list[bytes]) -> None:
    if len(shown) >= page:
        return
    visited.add(id(node))
    if node[0] == "leaf":
        shown += node[1]
        return
    _show(node[5], page, visited, shown)
    _show(node[6], page, visited, shown)


# Notes (log.md)


def key_id(name: str, type_: int, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([type_]) + public)[:4]


def vkey(name: str, key: Key, type_: int = 1) -> str:
    material = b64encode(bytes([type_]) + key.public).decode()
    return f"{name}+{key_id(name, type_, key.public).hex()}+{material}"


def signature_line(name: str, key: Key, signature: bytes, type_: int = 1) -> bytes:
    payload = b64encode(key_id(name, type_, key.public) + signature)
    return b"\xe2\x80\x94 " + name.encode() + b" " + payload + b"\n"


def checkpoint_text(origin: str, size: int, root: bytes) -> bytes:
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n".encode()


def signed_note(text: bytes, name: str, key: Key) -> bytes:
    return text + b"\n" + signature_line(name, key, key.sign(text))


def cosignature(text: bytes, name: str, key: Key, time: int) -> bytes:
    """The witness's line; `time` in Unix seconds."""
    signed = key.sign(b"cosignature/v1\ntime %d\n" % time + text)
    return signature_line(name, key, time.to_bytes(8, "big") + signed, 4)
