"""Keys, signatures and sealed secrets.  The only file that imports PyNaCl.

Rule (docs/spec/statement.md, "Signature"): a signature is valid if S < L; A is
canonical and not of small order; R is not of small order; and R equals SB - hA byte
for byte, without multiplying by the cofactor.  That is what libsodium 1.0.20 decides;
libraries differ on signatures made in bad faith, and nodes that differ keep different
sets, so `self_test` runs at start and refuses a library that decides otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from typing import Final

import nacl
from nacl import bindings, exceptions

from byline_ledger import codec
from byline_ledger.errors import (
    BadSignatureError,
    KeyAccessError,
    MalformedError,
    UsageError,
    VerificationError,
)

KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64
# Argon2id as RFC 9106 recommends where memory is scarce: 64 MiB, three passes.
ARGON_MEMORY: Final = 64 << 20
ARGON_PASSES: Final = 3
# What a sealed secret may ask of the machine that opens it.
MAX_ARGON_MEMORY: Final = 1 << 30
MAX_ARGON_PASSES: Final = 16
MAX_SEALED: Final = 1024
MAX_PASSPHRASE: Final = 1024

_KDF = "argon2id13"


class SigningKey:
    """An Ed25519 key that can sign.  It never shows its secret."""

    __slots__ = ("_secret", "public")

    def __init__(self, public: bytes, secret: bytes) -> None:
        self.public = public
        """32 bytes."""
        self._secret = secret

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key that these 32 secret bytes determine."""
        if len(seed) != KEY_SIZE:
            raise MalformedError(f"key seed: expected 32 bytes, got {len(seed)}")
        return cls(*bindings.crypto_sign_seed_keypair(seed))

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes; the same for the same message."""
        return bindings.crypto_sign(message, self._secret)[:SIGNATURE_SIZE]

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()})"

    def __reduce__(self) -> str:
        raise TypeError("a SigningKey is not pickled: that would write its secret out")


def verify_signature(public: bytes, message: bytes, signature: bytes) -> None:
    """Check an Ed25519 signature; BadSignatureError if it does not hold."""
    # The binding hands out pointers without looking at these lengths.
    if len(public) != KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        raise BadSignatureError(
            "signature: expected a key of 32 and a signature of 64 bytes, "
            f"got {len(public)} and {len(signature)}"
        )
    try:
        # PyNaCl has no detached verification; joining costs 2 us of 55 (measured).
        bindings.crypto_sign_open(signature + message, public)
    except exceptions.BadSignatureError:
        raise BadSignatureError(
            f"signature: does not verify under the key {public.hex()}"
        ) from None


def self_test() -> None:
    """Try the edge cases of the signature rule; VerificationError if one goes wrong."""
    from byline_ledger.signature_table import CASES

    for name, public, message, signature, accept in CASES:
        try:
            verify_signature(public, message, signature)
        except BadSignatureError:
            accepted = False
        else:
            accepted = True
        if accepted != accept:
            decided = "accepts" if accepted else "rejects"
            raise VerificationError(
                f"signature self-test: this {sodium_version()} {decided} {name!r}",
                hint="install the pinned PyNaCl wheel with the libsodium it brings",
            )


def sodium_version() -> str:
    """Which library decides on signatures, for logs and messages."""
    # The bindings do not show libsodium's own version; each wheel brings its own.
    return f"PyNaCl {nacl.__version__}"


def random_bytes(count: int) -> bytes:
    """Bytes from the operating system's generator."""
    return os.urandom(count)


def derive_secret(secret: bytes, label: str) -> bytes:
    """A secret of its own (32 bytes) for each label: HMAC-SHA256(secret, label)."""
    return hmac.digest(secret, label.encode(), hashlib.sha256)


def seal_secret(secret: bytes, passphrase: str) -> bytes:
    """Encrypt a secret under a passphrase (Argon2id, then XSalsa20-Poly1305).

    Canonical MessagePack map of `box`, `kdf`, `memory` (in bytes), `nonce`, `passes`
    and `salt`.
    """
    salt = random_bytes(bindings.crypto_pwhash_SALTBYTES)
    nonce = random_bytes(bindings.crypto_secretbox_NONCEBYTES)
    key = _stretch(passphrase, salt, ARGON_PASSES, ARGON_MEMORY)
    return codec.pack(
        {
            "box": bindings.crypto_secretbox(secret, nonce, key),
            "kdf": _KDF,
            "memory": ARGON_MEMORY,
            "nonce": nonce,
            "passes": ARGON_PASSES,
            "salt": salt,
        }
    )


FORGOTTEN = (
    "run the command again; nobody can recover it: if it is forgotten, make another key"
    " with `byline key new NAME` and sign with --key NAME"
)


def open_secret(sealed: bytes, passphrase: str) -> bytes:
    """Decrypt what seal_secret made; KeyAccessError if the passphrase is wrong."""
    box, nonce, salt, passes, memory = _parse_sealed(sealed)
    key = _stretch(passphrase, salt, passes, memory)
    try:
        return bindings.crypto_secretbox_open(box, nonce, key)
    except exceptions.CryptoError:
        raise KeyAccessError("wrong passphrase", hint=FORGOTTEN) from None


def _parse_sealed(sealed: bytes) -> tuple[bytes, bytes, bytes, int, int]:
    value = codec.unpack(sealed, max_size=MAX_SEALED, max_depth=1, what="sealed secret")
    fields = value if isinstance(value, dict) else {}
    box, nonce, salt = fields.get("box"), fields.get("nonce"), fields.get("salt")
    passes, memory = fields.get("passes"), fields.get("memory")
    if (
        fields.get("kdf") == _KDF
        and isinstance(box, bytes)
        and len(box) >= bindings.crypto_secretbox_MACBYTES
        and isinstance(nonce, bytes)
        and len(nonce) == bindings.crypto_secretbox_NONCEBYTES
        and isinstance(salt, bytes)
        and len(salt) == bindings.crypto_pwhash_SALTBYTES
        and type(passes) is int
        and 1 <= passes <= MAX_ARGON_PASSES
        and type(memory) is int
        and bindings.crypto_pwhash_argon2id_MEMLIMIT_MIN <= memory <= MAX_ARGON_MEMORY
    ):
        return box, nonce, salt, passes, memory
    raise MalformedError(f"sealed secret: expected {_KDF} with bounded costs")


def _stretch(passphrase: str, salt: bytes, passes: int, memory: int) -> bytes:
    """The key that a passphrase stands for, the same on every keyboard (NFC)."""
    secret = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    if not 1 <= len(secret) <= MAX_PASSPHRASE:
        raise UsageError(
            f"passphrase: expected 1 to {MAX_PASSPHRASE} bytes",
            hint="a new key without any: byline key new --no-passphrase",
        )
    try:
        return bindings.crypto_pwhash_alg(
            bindings.crypto_secretbox_KEYBYTES,
            secret,
            salt,
            passes,
            memory,
            bindings.crypto_pwhash_ALG_ARGON2ID13,
        )
    except exceptions.RuntimeError:
        # The one thing that can fail with sound parameters.
        raise KeyAccessError(
            f"passphrase: deriving its key takes {memory >> 20} MiB of memory,"
            " which are not to be had"
        ) from None
