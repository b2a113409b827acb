"""Author keys as people see them: did:key (docs/spec/statement.md, "Names").

`did:key:z` and base58btc of `ed 01` (Ed25519 public key) and the 32 bytes of the key.
"""

from __future__ import annotations

from byline_ledger.errors import MalformedError

_PREFIX = "did:key:z"
_ED25519 = b"\xed\x01"
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {symbol: value for value, symbol in enumerate(_ALPHABET)}
# 34 bytes that begin with ed 01 are always 47 symbols, z6Mk… with the multibase z.
_SYMBOLS = 47


def did_key(public: bytes) -> str:
    """The did:key of an Ed25519 public key (32 bytes)."""
    if len(public) != 32:
        raise MalformedError(f"public key: expected 32 bytes, got {len(public)}")
    return _PREFIX + base58(_ED25519 + public)


def parse_did_key(text: str) -> bytes:
    """The 32 bytes of the Ed25519 public key that a did:key names."""
    encoded = text.removeprefix(_PREFIX)
    if encoded == text or len(encoded) != _SYMBOLS:
        raise _not_a_key(text)
    number = 0
    for symbol in encoded:
        if symbol not in _VALUES:
            raise _not_a_key(text)
        number = number * 58 + _VALUES[symbol]
    # 58^47 < 2^276: 35 bytes always suffice.
    data = number.to_bytes(35, "big")
    if data[:3] != b"\x00" + _ED25519:
        raise _not_a_key(text)
    return data[3:]


def base58(data: bytes) -> str:
    """base58btc of bytes that do not begin with a zero byte."""
    number = int.from_bytes(data, "big")
    symbols = []
    while number:
        number, value = divmod(number, 58)
        symbols.append(_ALPHABET[value])
    return "".join(reversed(symbols))


def _not_a_key(text: str) -> MalformedError:
    shown = ascii(text if len(text) <= 80 else text[:77] + "...")
    return MalformedError(
        f"not an Ed25519 did:key: {shown}", hint="expected did:key:z6Mk…"
    )
