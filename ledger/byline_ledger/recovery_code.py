"""A secret that a person writes on paper: the seed of a recovery key as groups of text.

Rule (docs/spec/names.md, "Recovery codes"): base32 of the 32 bytes and the first three
of their SHA-256, in groups of four.  Read in capitals or small letters, with whatever
blanks and hyphens between; a slip of the pen is noticed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

from byline_ledger.errors import UsageError

SEED_SIZE: Final = 32
CHECK_SIZE: Final = 3
SYMBOLS: Final = 56
GROUP: Final = 4


def recovery_code(seed: bytes) -> str:
    """The code of a seed (32 bytes): 14 groups of four letters and digits."""
    assert len(seed) == SEED_SIZE
    text = base64.b32encode(seed + _check(seed)).decode().lower()
    return " ".join(text[at : at + GROUP] for at in range(0, SYMBOLS, GROUP))


def parse_recovery_code(text: str) -> bytes:
    """The seed; UsageError for what was not copied right."""
    symbols = "".join(text.split()).replace("-", "").upper()
    # People read 0 and 1 where base32 has o and l.
    symbols = symbols.replace("0", "O").replace("1", "L")
    if len(symbols) != SYMBOLS:
        raise UsageError(
            f"recovery code: expected {SYMBOLS} letters and digits, got {len(symbols)}"
        )
    try:
        data = base64.b32decode(symbols)
    except (binascii.Error, ValueError):
        raise UsageError(
            "recovery code: expected letters and the digits 2 to 7"
        ) from None
    seed, check = data[:SEED_SIZE], data[SEED_SIZE:]
    if check != _check(seed):
        raise UsageError("recovery code: it was not copied right; look at it again")
    return seed


def _check(seed: bytes) -> bytes:
    return hashlib.sha256(b"byline/recovery-code/v1\x00" + seed).digest()[:CHECK_SIZE]
