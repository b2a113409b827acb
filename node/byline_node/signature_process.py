"""A process that checks signatures for the node that started it (signature_checks.py).

Run as `python -m byline_node.signature_process`, with one end of a socket pair as its
standard input and output.  It imports little, for all of that is memory; and it ends
when the node closes its end, or is no more.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator

from byline_ledger.crypto import verify_signature
from byline_ledger.errors import BadSignatureError

ALL_HOLD, SOME_DO_NOT = b"\1", b"\0"
_SIZE = struct.Struct(">I")
_HEAD = struct.Struct(">32s64sI")

Signed = tuple[bytes, bytes, bytes]
"""Public key, 32 bytes; signature, 64 bytes; the message that it signs."""


def to_request(signed: Iterable[Signed]) -> bytes:
    """Its size, then each: key, signature, size of the message, message."""
    parts = [b""]
    for public, signature, message in signed:
        parts += _HEAD.pack(public, signature, len(message)), message
    parts[0] = _SIZE.pack(sum(map(len, parts)))
    return b"".join(parts)


def from_request(request: bytes) -> Iterator[Signed]:
    """What `to_request` was given, from what follows the size."""
    at = 0
    while at < len(request):
        public, signature, size = _HEAD.unpack_from(request, at)
        at += _HEAD.size + size
        yield public, signature, request[at - size : at]


def answer(request: bytes) -> bytes:
    """ALL_HOLD or SOME_DO_NOT."""
    try:
        for public, signature, message in from_request(request):
            verify_signature(public, message, signature)
    except BadSignatureError:
        return SOME_DO_NOT
    return ALL_HOLD


def main() -> None:
    with open(0, "rb") as asked:
        while size := asked.read(_SIZE.size):
            request = asked.read(*_SIZE.unpack(size))
            os.write(1, answer(request))


if __name__ == "__main__":
    main()
