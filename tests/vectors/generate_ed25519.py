"""Writes ed25519.json: signatures on which libraries disagree, and Byline's verdict.

    python tests/vectors/generate_ed25519.py            the vectors
    python tests/vectors/generate_ed25519.py --table    the start-up table, to stdout

Every case is made here from points and integers (naive_ed25519.py); the verdict is that
of the naive `verify`, a clause a line, after docs/spec/statement.md, "Signature".
`cofactorless` and `cofactored` say whether the equation itself holds, so that a reader
sees which rule of another library would decide otherwise.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from naive_ed25519 import (
    BASE,
    NEUTRAL,
    L,
    P,
    Point,
    add,
    challenge,
    decode,
    encode,
    equation,
    multiply,
    public_key,
    secret_scalar,
    sign,
    verify,
)

Case = dict[str, Any]

SEED = b"byline test vectors, ed25519 key"
SECRET = secret_scalar(SEED)[0] % L
NONCE = int.from_bytes(b"any number below L will do here", "little") % L


def torsion() -> list[Point]:
    """The eight points of small order: the n-th is n times the first of order 8."""
    for y in count(2):
        point = decode(y.to_bytes(32, "little"))
        if point is None:
            continue
        point = multiply(L, point)
        if multiply(4, point) != NEUTRAL:
            return [multiply(n, point) for n in range(8)]
    raise AssertionError


TORSION = torsion()


def other_encodings() -> list[tuple[str, bytes, int]]:
    """Small-order points in encodings that are not canonical, with their multiple."""
    found = []
    for y in (0, 1, P - 1, P, P + 1):
        for sign_bit in (0, 1):
            data = (y | sign_bit << 255).to_bytes(32, "little")
            point = decode(data)
            assert point is not None
            if encode(point) != data:
                what = {P - 1: "p - 1", P: "p", P + 1: "p + 1"}.get(y, str(y))
                name = f"y = {what}, sign bit {sign_bit}"
                found.append((name, data, TORSION.index(point)))
    return found


def signature(r: bytes, s: int) -> bytes:
    return r + s.to_bytes(32, "little")


def crafted(
    *,
    secret: int,
    public: bytes,
    nonce: int,
    r: bytes,
    twist: int,
    turn: int,
    cancels: bool = True,
) -> tuple[bytes, bytes, bytes]:
    """Public key, message and signature whose cofactored equation holds.

    A is secret*B plus `twist` times the torsion point, R is nonce*B plus `turn` times
    it, in the encodings given.  The message is the first number for which the torsion
    parts cancel (so that the equation holds without the cofactor too), or do not.
    """
    for number in count():
        message = b"%d" % number
        h = challenge(r, public, message)
        if ((turn + h * twist) % 8 == 0) == cancels:
            return public, message, signature(r, (nonce + h * secret) % L)
    raise AssertionError


def mixed(scalar: int, twist: int) -> bytes:
    return encode(add(multiply(scalar, BASE), TORSION[twist]))


def sound() -> Iterator[tuple[str, bytes, bytes, bytes]]:
    """Signatures that the rule accepts."""
    public = public_key(SEED)
    for name, message in (("plain", b"1"), ("plain, no message", b"")):
        yield name, public, message, sign(SEED, message)
    yield (
        "A of mixed order, h a multiple of 8",
        *crafted(
            secret=SECRET,
            public=mixed(SECRET, 1),
            nonce=NONCE,
            r=mixed(NONCE, 0),
            twist=1,
            turn=0,
        ),
    )
    for twist, turn in ((1, 3), (4, 4)):
        yield (
            f"A and R of mixed order ({twist}, {turn}) that cancel",
            *crafted(
                secret=SECRET,
                public=mixed(SECRET, twist),
                nonce=NONCE,
                r=mixed(NONCE, turn),
                twist=twist,
                turn=turn,
            ),
        )


def small_keys() -> Iterator[tuple[str, bytes, bytes, bytes]]:
    """Anybody can sign for a key of small order: the equation holds."""
    keys = [(f"multiple {n}", encode(TORSION[n]), n) for n in range(8)]
    for name, public, twist in keys + other_encodings():
        yield (
            f"A of small order: {name}",
            *crafted(
                secret=0,
                public=public,
                nonce=NONCE,
                r=mixed(NONCE, 0),
                twist=twist,
                turn=0,
            ),
        )
    yield (
        "A and R of small order, S = 0",
        *crafted(
            secret=0,
            public=encode(TORSION[1]),
            nonce=0,
            r=encode(TORSION[3]),
            twist=1,
            turn=3,
        ),
    )


def small_commitments() -> Iterator[tuple[str, bytes, bytes, bytes]]:
    """R of small order: the signature shows nothing of a nonce."""
    commitments = [(f"multiple {n}", encode(TORSION[n]), n) for n in range(8)]
    for name, r, turn in commitments + other_encodings():
        twist = 1 if turn else 0
        yield (
            f"R of small order: {name}",
            *crafted(
                secret=SECRET,
                public=mixed(SECRET, twist),
                nonce=0,
                r=r,
                twist=twist,
                turn=turn,
            ),
        )


def cofactored_only() -> Iterator[tuple[str, bytes, bytes, bytes]]:
    """Signatures that hold only when multiplied by the cofactor."""
    for twist, turn in ((1, 0), (4, 0), (0, 1), (0, 4), (1, 1)):
        yield (
            f"cofactored only: torsion {twist} in A, {turn} in R",
            *crafted(
                secret=SECRET,
                public=mixed(SECRET, twist),
                nonce=NONCE,
                r=mixed(NONCE, turn),
                twist=twist,
                turn=turn,
                cancels=False,
            ),
        )


def altered() -> Iterator[tuple[str, bytes, bytes, bytes]]:
    """A good signature with one thing wrong."""
    public, message = public_key(SEED), b"1"
    good = sign(SEED, message)
    r, s = good[:32], int.from_bytes(good[32:], "little")
    for times in (1, 2, 7, 14):
        yield f"S + {times} L", public, message, signature(r, s + times * L)
    yield "S with its top bit set", public, message, signature(r, s | 1 << 255)
    yield "another message", public, b"2", good
    yield "one bit of S", public, message, signature(r, s ^ 1)
    yield "one bit of R", public, message, bytes([r[0] ^ 1]) + good[1:]
    yield "sign of R", public, message, good[:31] + bytes([r[31] ^ 128]) + good[32:]
    yield "sign of A", public[:31] + bytes([public[31] ^ 128]), message, good
    other = public_key(SEED[::-1])
    yield "another key", other, message, good
    off_curve = next(
        data for y in count(2) if decode(data := y.to_bytes(32, "little")) is None
    )
    yield "A not on the curve", off_curve, message, good
    yield "R not on the curve", public, message, off_curve + good[32:]
    yield "all zero", bytes(32), message, bytes(64)
    yield "all ones", b"\xff" * 32, message, b"\xff" * 64


def cases() -> Iterator[Case]:
    """All cases with Byline's verdict and what the bare equations say."""
    groups = (
        (sound, True),
        (small_keys, False),
        (small_commitments, False),
        (cofactored_only, False),
        (altered, False),
    )
    for group, expected in groups:
        for name, public, message, made in group():
            accepted = verify(public, message, made)
            assert accepted == expected, name
            cofactorless, cofactored = equation(public, message, made)
            yield {
                "name": name,
                "public": public.hex(),
                "message": message.hex(),
                "signature": made.hex(),
                "expect": "ok" if accepted else "bad-signature",
                "cofactorless": cofactorless,
                "cofactored": cofactored,
            }


def table() -> str:
    """The lines of byline_ledger/signature_table.py, three to a case."""

    def text(hexadecimal: str) -> str:
        return b64encode(bytes.fromhex(hexadecimal)).decode()

    return "".join(
        f"{'accept' if case['expect'] == 'ok' else 'reject'} {case['name']}\n"
        f"{text(case['public'])} {text(case['message'])}".rstrip()
        + f"\n{text(case['signature'])}\n"
        for case in cases()
    )


def main() -> None:
    """Write the file beside this one, or print the table."""
    if sys.argv[1:] == ["--table"]:
        sys.stdout.write(table())
        return
    path = Path(__file__).with_name("ed25519.json")
    path.write_text(json.dumps({"cases": list(cases())}, indent=1) + "\n")
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
