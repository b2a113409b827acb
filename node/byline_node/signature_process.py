"""A process that checks signatures for the node that started it (signature_checks.py).

Run as `python -m byline_node.signature_process`, with one end of a socket pair as its
standard input, on which it answers too.  It imports little, for all of that is memory;
and it ends when the node closes its end, or is no more.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Iterable, Iterator

from byline_ledger.crypto import self_test, verify_signature
from byline_ledger.errors import BadSignatureError

LINE = 0
"""The descriptor.  Not that of the standard output, where anything may write."""
_HEAD = struct.Struct(">IQ")
_SIZES = struct.Struct(">HHI")
_ANSWER = struct.Struct(">Q?")
ANSWER_SIZE = _ANSWER.size

Signed = tuple[bytes, bytes, bytes]
"""Public key, message, signature (statement.Statement.signed)."""


def to_request(number: int, signed: Iterable[Signed]) -> bytes:
    """u32 size of what follows the head, u64 number; then of each u16, u16, u32 sizes,
    and key, signature, message."""
    parts = [b""]
    for public, message, signature in signed:
        sizes = _SIZES.pack(len(public), len(signature), len(message))
        parts += sizes, public, signature, message
    parts[0] = _HEAD.pack(sum(map(len, parts)), number)
    return b"".join(parts)


def from_request(request: bytes) -> Iterator[Signed]:
    """What `to_request` was given, from what follows the head."""
    at = 0
    while at < len(request):
        of_key, of_signature, of_message = _SIZES.unpack_from(request, at)
        key = at + _SIZES.size
        signature = key + of_key
        message = signature + of_signature
        at = message + of_message
        yield request[key:signature], request[message:at], request[signature:message]


def to_answer(number: int, *, all_hold: bool) -> bytes:
    """u64 number of the request; 1 if all signatures hold, else 0."""
    return _ANSWER.pack(number, all_hold)


def main() -> None:
    # A service manager tells all of a service to end; the node ends this one itself.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    self_test()
    with open(LINE, "rb") as asked:
        while head := asked.read(_HEAD.size):
            size, number = _HEAD.unpack(head)
            os.write(LINE, to_answer(number, all_hold=_all_hold(asked.read(size))))


def _all_hold(request: bytes) -> bool:
    try:
        for public, message, signature in from_request(request):
            verify_signature(public, message, signature)
    except BadSignatureError:
        return False
    return True


if __name__ == "__main__":
    main()
