"""Ed25519 as slow and plain as it can be, for writing test vectors.

Imports nothing of Byline and no crypto library.  Points are affine pairs of integers;
every rule of docs/spec/statement.md, "Signature", is its own line in `verify`.  Never
use it for real keys: it takes its time, and how much depends on the secret.
"""

from __future__ import annotations

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    """The sum of two points of the twisted Edwards curve."""
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P
    return x, y


def multiply(scalar: int, point: Point) -> Point:
    """The point added to itself; the scalar is not reduced modulo L."""
    total = NEUTRAL
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def negate(point: Point) -> Point:
    """The point that adds up to the neutral one with this."""
    return -point[0] % P, point[1]


def recover_x(y: int, sign: int) -> int | None:
    """The x with this parity that is on the curve with y; None if there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P:
        return None
    return P - x if x and x % 2 != sign else x


BASE: Point = (recover_x(4 * pow(5, -1, P) % P, 0) or 0, 4 * pow(5, -1, P) % P)


def encode(point: Point) -> bytes:
    """32 bytes: y little-endian, the parity of x in the top bit."""
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point, also from an encoding that is not canonical; None if off the curve."""
    number = int.from_bytes(data, "little")
    y, sign = (number & (2**255 - 1)) % P, number >> 255
    x = recover_x(y, sign)
    return None if x is None else (x, y)


def is_canonical(data: bytes) -> bool:
    """Whether these bytes are what `encode` writes for their point."""
    point = decode(data)
    return point is not None and encode(point) == data


def is_small(data: bytes) -> bool:
    """Whether the point has an order that divides the cofactor 8."""
    point = decode(data)
    return point is not None and multiply(8, point) == NEUTRAL


def challenge(r: bytes, public: bytes, message: bytes) -> int:
    """h = SHA-512(R || A || M) modulo L."""
    hashed = hashlib.sha512(r + public + message).digest()
    return int.from_bytes(hashed, "little") % L


def secret_scalar(seed: bytes) -> tuple[int, bytes]:
    """The secret scalar (clamped) and the prefix that a 32-byte seed stands for."""
    hashed = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(hashed[:32], "little") & (2**254 - 8) | 2**254
    return scalar, hashed[32:]


def public_key(seed: bytes) -> bytes:
    """The public key (32 bytes) of a seed."""
    return encode(multiply(secret_scalar(seed)[0], BASE))


def sign(seed: bytes, message: bytes) -> bytes:
    """The signature (64 bytes) of RFC 8032."""
    scalar, prefix = secret_scalar(seed)
    public = encode(multiply(scalar, BASE))
    hashed = hashlib.sha512(prefix + message).digest()
    nonce = int.from_bytes(hashed, "little") % L
    r = encode(multiply(nonce, BASE))
    s = (nonce + challenge(r, public, message) * scalar) % L
    return r + s.to_bytes(32, "little")


def equation(public: bytes, message: bytes, signature: bytes) -> tuple[bool, bool]:
    """Whether the equation holds without the cofactor (R bytewise), and with it."""
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    a, r_point = decode(public), decode(r)
    if a is None:
        return False, False
    h = challenge(r, public, message)
    wanted = add(multiply(s, BASE), negate(multiply(h, a)))
    if r_point is None:
        return encode(wanted) == r, False
    rest = add(wanted, negate(r_point))
    return encode(wanted) == r, multiply(8, rest) == NEUTRAL


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Byline's rule, one line a clause."""
    if len(public) != 32 or len(signature) != 64:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    return (
        s < L
        and is_canonical(public)
        and not is_small(public)
        and not is_small(r)
        and equation(public, message, signature)[0]
    )
