"""Signatures of SSH keys (`ssh-keygen -Y sign`), of type ssh-ed25519 alone.

Rule (docs/spec/names.md, "ssh"): the blob has one spelling, the namespace `byline-key`,
and is over the did:key of the author's key, without a line's end.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from byline_ledger.crypto import verify_signature
from byline_ledger.did import did_key
from byline_ledger.errors import BadSignatureError, MalformedError

NAMESPACE: Final = b"byline-key"
MAX_ARMOUR: Final = 4096
_MAGIC = b"SSHSIG"
_HEAD = _MAGIC + b"\x00\x00\x00\x01"
_TYPE = b"ssh-ed25519"
_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"


@dataclass(frozen=True, slots=True)
class SshSignature:
    """A parsed signature; whether it holds is another question."""

    public: bytes
    """The SSH key, 32 bytes."""
    namespace: bytes
    hash: bytes
    """`sha256` or `sha512`."""
    signature: bytes
    """64 bytes."""

    @classmethod
    def from_bytes(cls, blob: bytes) -> SshSignature:
        """Read the bytes inside the armour; MalformedError."""
        if not blob.startswith(_HEAD):
            raise MalformedError("SSH signature: expected SSHSIG of version 1")
        public, namespace, reserved, hash_name, signed = _strings(blob[len(_HEAD) :], 5)
        key_type, key = _strings(public, 2)
        signed_type, signature = _strings(signed, 2)
        if (key_type, signed_type) != (_TYPE, _TYPE):
            raise MalformedError(
                "SSH signature: expected one by a key of type ssh-ed25519",
                hint="make such a key with: ssh-keygen -t ed25519",
            )
        sizes = len(key), len(signature), len(reserved)
        if sizes != (32, 64, 0) or hash_name not in _HASHES:
            raise MalformedError("SSH signature: not as ssh-keygen makes it")
        return cls(key, namespace, hash_name, signature)

    @classmethod
    def from_armour(cls, text: str) -> tuple[SshSignature, bytes]:
        """Read what ssh-keygen prints; the signature, and the bytes in the armour."""
        lines = text.strip().split("\n")
        if len(text) > MAX_ARMOUR or (lines[0], lines[-1]) != (_BEGIN, _END):
            raise MalformedError(
                "expected an SSH signature",
                hint="the file that ssh-keygen -Y sign made",
            )
        try:
            blob = base64.b64decode("".join(lines[1:-1]), validate=True)
        except (binascii.Error, ValueError):
            raise MalformedError("SSH signature: expected base64") from None
        return cls.from_bytes(blob), blob

    def verify_for(self, key: bytes) -> None:
        """Check that it is over this author's key (32 bytes); BadSignatureError."""
        if self.namespace != NAMESPACE:
            raise BadSignatureError(
                f"SSH signature: expected the namespace {NAMESPACE.decode()}, "
                f"got {self.namespace[:40].decode('latin-1')!a}"
            )
        digest = _HASHES[self.hash](did_key(key).encode()).digest()
        parts = NAMESPACE, b"", self.hash, digest
        signed = _MAGIC + b"".join(map(_string, parts))
        try:
            verify_signature(self.public, signed, self.signature)
        except BadSignatureError:
            raise BadSignatureError(
                "SSH signature: it is not over this key's did:key",
                hint="sign the did:key itself, without a line's end: printf %s KEY | …",
            ) from None


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _strings(data: bytes, count: int) -> list[bytes]:
    """Exactly so many strings, and nothing behind them."""
    found: list[bytes] = []
    for _ in range(count):
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            raise MalformedError("SSH signature: cut short")
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    if data:
        raise MalformedError("SSH signature: expected its end")
    return found
