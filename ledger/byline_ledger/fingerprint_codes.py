"""The codes in a statement's fingerprints, as numbers that can be compared.

Rule (docs/spec/similar.md, "Fingerprints"): of several units of one kind the first
counts; units of other kinds are kept in statements and compared by nobody.  A code of a
plain surface is like any other such, and says nothing.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from byline_ledger.content_parts import Fingerprints
from byline_ledger.windows import WINDOWS

IMAGE, TEXT, DATA = b"\x21\x07", b"\x20\x07", b"\x30\x07"
"""How units of 256 bits begin: main type, sub type, version, length."""
FEWEST_ONES = 8
"""Of 64 bits; a code with fewer is that of a plain surface."""


@dataclass(frozen=True, slots=True)
class Codes:
    """Empty where the work has no such code."""

    image: bytes = b""
    """32 bytes."""
    windows: tuple[int, ...] = ()
    """64 bits for each of WINDOWS, 0 for a plain one."""
    text: bytes = b""
    """32 bytes."""
    chunks: tuple[int, ...] = ()
    """64 bits each."""
    data: bytes = b""
    """32 bytes."""


def codes_of(fingerprints: Fingerprints) -> Codes:
    """The codes that are compared.  `windows` of another number are of another table,
    and left out."""
    bodies: dict[bytes, bytes] = {}
    for unit in fingerprints.iscc:
        raw = base64.b32decode(unit.removeprefix("ISCC:") + "=")
        bodies.setdefault(raw[:2], raw[2:])
    image = bodies.get(IMAGE, b"")
    if is_plain(image):
        image = b""
    sound = bool(image) and len(fingerprints.windows) == len(WINDOWS)
    return Codes(
        image=image,
        windows=tuple(map(marked, fingerprints.windows)) if sound else (),
        text=bodies.get(TEXT, b""),
        chunks=tuple(map(word_of, fingerprints.chunks)),
        data=bodies.get(DATA, b""),
    )


def is_plain(code: bytes) -> bool:
    """Whether a code is that of a plain surface: of any 64 of its bits."""
    words = (code[at : at + 8] for at in range(0, len(code), 8))
    return any(int.from_bytes(word, "big").bit_count() < FEWEST_ONES for word in words)


def marked(code: bytes) -> int:
    """The first 64 bits of a code; 0 if they are those of a plain surface."""
    return 0 if is_plain(code[:8]) else word_of(code)


def word_of(code: bytes) -> int:
    """The first 64 bits of a code."""
    return int.from_bytes(code[:8], "big")


def bits_between(one: bytes, other: bytes) -> int:
    """The number of bits in which two codes of one length differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()
