"""Who signed a manifest: the leaf certificate, out of the bytes of its store.

Rule (C2PA 2.4, JUMBF and COSE): a store is a box of manifests, each of which has a box
`c2pa.signature` with one COSE_Sign1; its certificates are under x5chain, leaf first.
The engine tells a certificate's name but not its key, so this much is read here.  Pure:
bytes in, bytes out, MalformedError for everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from byline_ledger.errors import MalformedError

MAX_BOXES = 4096
"""Boxes looked at on the way to one."""
MAX_LABEL = 256
MAX_ITEMS = 4096
"""Values in one piece of CBOR."""
MAX_DEPTH = 8
SIGNATURE = "c2pa.signature"
X5CHAIN = (33, "x5chain")
"""By number, and as early writers named it."""
HAS_LABEL = 0x02

Cbor: TypeAlias = "int | bytes | str | list[Cbor] | dict[int | str, Cbor] | None"


def leaf_certificate(store: bytes, label: str) -> bytes:
    """The certificate (DER) that signed the manifest of that label in a store."""
    manifest = inner(inner(store, "c2pa"), label)
    for kind, data in boxes(inner(manifest, SIGNATURE)):
        if kind == b"cbor":
            return leaf_of(read_cbor(data))
    raise MalformedError("C2PA manifest: expected a signature in CBOR")


def inner(data: bytes, label: str) -> bytes:
    """What is in the superbox of that label, its description left out."""
    body = superbox(data, label)
    return body[8 + len(described(body)) :]


def superbox(data: bytes, label: str) -> bytes:
    """The content of the first superbox of that label, its description and all."""
    for kind, body in boxes(data):
        if kind == b"jumb" and label_of(described(body)) == label:
            return body
    raise MalformedError(f"C2PA manifest: expected a box {label[:80]!a}")


def described(body: bytes) -> bytes:
    """The description with which a superbox begins."""
    first = next(boxes(body), None)
    if first is None or first[0] != b"jumd":
        raise MalformedError("C2PA manifest: expected a description of each box")
    return first[1]


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of the boxes that follow one another; each to its end."""
    at = count = 0
    while at < len(data):
        count += 1
        size = int.from_bytes(data[at : at + 4], "big")
        # Size 0 (to the end) and 1 (64 bits) are allowed in JUMBF, and nobody's.
        if size < 8 or at + size > len(data) or count > MAX_BOXES:
            raise MalformedError("C2PA manifest: a box does not fit")
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def box(kind: bytes, body: bytes) -> bytes:
    """One box."""
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def label_of(description: bytes) -> str | None:
    """The label in a description box: 16 bytes of type, toggles, text and a zero."""
    if len(description) < 17 or not description[16] & HAS_LABEL:
        return None
    text, zero, _ = description[17 : 18 + MAX_LABEL].partition(b"\0")
    return text.decode("utf-8", "replace") if zero else None


def leaf_of(signed: Cbor) -> bytes:
    """The first certificate of a COSE_Sign1."""
    if not isinstance(signed, list) or len(signed) != 4:
        raise MalformedError("C2PA signature: expected a COSE_Sign1")
    protected, unprotected = signed[0], signed[1]
    headers = (
        [read_cbor(protected)] if protected and isinstance(protected, bytes) else []
    )
    for header in (*headers, unprotected):
        if not isinstance(header, dict):
            continue
        for name in X5CHAIN:
            chain = header.get(name)
            first = chain[0] if isinstance(chain, list) and chain else chain
            if isinstance(first, bytes):
                return first
    raise MalformedError("C2PA signature: expected certificates")


# As much CBOR as a signature has


def read_cbor(data: bytes) -> Cbor:
    """One value of definite length; tags are passed over, simple values are None."""
    return CborReader(data).value(0)


class CborReader:
    """A cursor over CBOR that never reads beyond its end, nor too much."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._left = MAX_ITEMS

    def value(self, depth: int) -> Cbor:
        """The next value."""
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            raise MalformedError("C2PA signature: too much in it")
        kind, size = self._head()
        if kind == 0:
            return size
        if kind == 1:
            return -1 - size
        if kind in (2, 3):
            return self._text(kind, size)
        if kind in (4, 5):
            return self._many(kind, size, depth)
        return self.value(depth + 1) if kind == 6 else None

    def _text(self, kind: int, size: int) -> bytes | str:
        piece = self._take(size)
        return piece if kind == 2 else piece.decode("utf-8", "replace")

    def _many(self, kind: int, size: int, depth: int) -> Cbor:
        if size > self._left:
            raise MalformedError("C2PA signature: too much in it")
        if kind == 4:
            return [self.value(depth + 1) for _ in range(size)]
        found: dict[int | str, Cbor] = {}
        for _ in range(size):
            name, value = self.value(depth + 1), self.value(depth + 1)
            if isinstance(name, (int, str)):
                found.setdefault(name, value)
        return found

    def _head(self) -> tuple[int, int]:
        first = self._take(1)[0]
        kind, low = first >> 5, first & 31
        if low < 24:
            return kind, low
        if low > 27:
            raise MalformedError("C2PA signature: expected definite lengths")
        return kind, int.from_bytes(self._take(1 << (low - 24)), "big")

    def _take(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        if len(piece) != size:
            raise MalformedError("C2PA signature: cut short")
        self._at += size
        return piece
