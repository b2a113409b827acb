"""How far a node that keeps a copy of a log has followed it, said when asked.

    byline-followed/1
    <the number asked with, 32 hex digits>
    <origin>
    <entries of the copy>
    <entries of the largest tree of this log that the node saw>
    <time of its last cosignature on the copy's tree, Unix seconds; 0 if none>

Rule: files can be copied, an answer to a number that was drawn just now cannot.  So an
export behind a web server, and a copy of a mirror, cannot speak for the end of a log.
What is said is unsigned: whoever asks has chosen whom to believe.  Specification:
docs/spec/witness.md, "Replay".
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.ascii import parse_decimal, parse_hex, parse_utf8, shown
from byline_ledger.checkpoint import check_origin
from byline_ledger.errors import MalformedError

NONCE_BYTES = 16
MAX_FOLLOWED = 1_024
_HEADER = b"byline-followed/1"


@dataclass(frozen=True, slots=True)
class Followed:
    """One answer; fields as above."""

    nonce: bytes
    origin: str
    size: int
    seen: int
    time: int

    def to_bytes(self) -> bytes:
        """The answer's body."""
        head, nonce = _HEADER.decode(), self.nonce.hex()
        lines = (head, nonce, self.origin, self.size, self.seen, self.time)
        return "".join(f"{line}\n" for line in lines).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Followed:
        """Strict, else MalformedError."""
        lines = data[: MAX_FOLLOWED + 1].split(b"\n")
        if len(data) > MAX_FOLLOWED or len(lines) != 7 or lines[0] != _HEADER:
            raise MalformedError(f"expected {_HEADER.decode()}, got {shown(data)}")
        if lines[6]:
            raise MalformedError("expected six lines that end with a newline")
        return cls(
            parse_nonce(lines[1]),
            check_origin(parse_utf8(lines[2], "an origin")),
            parse_decimal(lines[3], "a size"),
            parse_decimal(lines[4], "a size"),
            parse_decimal(lines[5], "a time"),
        )


def parse_nonce(data: bytes) -> bytes:
    """16 bytes in lower-case hex, else MalformedError."""
    nonce = parse_hex(data, "a number")
    if len(nonce) != NONCE_BYTES:
        raise MalformedError(f"expected {NONCE_BYTES} bytes, got {len(nonce)}")
    return nonce
