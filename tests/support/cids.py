"""CIDs that Byline reads and does not write."""

from __future__ import annotations

from base64 import b32encode


def cid_raw(digest: bytes) -> str:
    """The CIDv1 of raw bytes with this multihash (34 bytes), as IPFS writes it."""
    return "b" + b32encode(b"\x01\x55" + digest).decode().rstrip("=").lower()
