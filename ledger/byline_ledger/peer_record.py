"""Where a peer can be reached, signed by that peer: the record that nodes pass on.

Rule: a peer speaks for itself alone.  The signature shows who claims the addresses, not
that anybody is there; whoever reads a record tries it before it tells others of it.
The key is that of the transport, never the log's, and the payload type sets its
signatures apart from all others of that key.  Specification: docs/spec/network.md,
"Peer record".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.crypto import (
    KEY_SIZE,
    SIGNATURE_SIZE,
    SigningKey,
    verify_signature,
)
from byline_ledger.did import base58
from byline_ledger.errors import MalformedError
from byline_ledger.message_fields import parse_map, require_keys, size_field
from byline_ledger.peer_address import PeerAddress, Reach
from byline_ledger.statement import pae

PAYLOAD_TYPE = "application/vnd.byline.peer.v1+msgpack"
MAX_BODY = 1_024
MAX_RECORD = 1_100
MAX_ADDRESSES = 8
MAX_LIFE = 24 * 3_600_000
"""Milliseconds for which a record may be valid."""
MAX_AHEAD = 600_000
"""Milliseconds that its signer's clock may be ahead."""

# libp2p's name of an Ed25519 key: the key itself, as a protobuf in an identity
# multihash.  A leading zero byte is a "1" in base 58.
_PEER_ID_HEAD = bytes.fromhex("2408011220")


def peer_id_of_key(key: bytes) -> str:
    """The peer id of an Ed25519 public key (32 bytes)."""
    return "1" + base58(_PEER_ID_HEAD + key)


@dataclass(frozen=True, slots=True)
class PeerRecord:
    """Well-formed; whether it is signed is what `verify` says."""

    key: bytes
    addresses: tuple[PeerAddress, ...]
    time: int
    """When it was signed, Unix milliseconds: the newer one counts."""
    expires: int
    body: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @classmethod
    def from_bytes(cls, data: bytes) -> PeerRecord:
        """Strict, else MalformedError."""
        value: Value = codec.unpack(
            data, max_size=MAX_RECORD, max_depth=1, what="peer record"
        )
        match value:
            case [bytes(body), bytes(signature)] if len(signature) == SIGNATURE_SIZE:
                return _from_body(body, signature)
        raise MalformedError("peer record: expected a body and its signature")

    def to_bytes(self) -> bytes:
        """As it was received."""
        return codec.pack([self.body, self.signature])

    @property
    def peer_id(self) -> str:
        """Whose it is."""
        return peer_id_of_key(self.key)

    @property
    def reach(self) -> Reach:
        """That of all its addresses."""
        return self.addresses[0].reach

    def verify(self) -> None:
        """BadSignatureError unless the peer itself signed it."""
        verify_signature(self.key, pae(PAYLOAD_TYPE, self.body), self.signature)

    def is_current(self, now: int) -> bool:
        """Whether it may be used at `now`, Unix milliseconds."""
        return self.time - MAX_AHEAD <= now < self.expires


def sign_peer_record(
    key: SigningKey, addresses: Sequence[str], time: int, life: int = MAX_LIFE
) -> PeerRecord:
    """The record that says where the peer of this (transport) key is."""
    body = codec.pack(
        {
            "addresses": list(addresses),
            "expires": time + life,
            "key": key.public,
            "time": time,
        }
    )
    return _from_body(body, key.sign(pae(PAYLOAD_TYPE, body)))


def _from_body(body: bytes, signature: bytes) -> PeerRecord:
    fields = parse_map(body, MAX_BODY, "peer record")
    require_keys(fields, "addresses", "expires", "key", "time")
    key, time = fields["key"], size_field(fields, "time")
    expires = size_field(fields, "expires")
    if type(key) is not bytes or len(key) != KEY_SIZE:
        raise MalformedError("peer record: expected a key of 32 bytes")
    if not 0 < expires - time <= MAX_LIFE:
        raise MalformedError("peer record: expected a life of at most 24 hours")
    return PeerRecord(
        key, _addresses(fields["addresses"]), time, expires, body, signature
    )


def _addresses(value: Value) -> tuple[PeerAddress, ...]:
    if type(value) is not list or not 1 <= len(value) <= MAX_ADDRESSES:
        raise MalformedError("peer record: expected 1 to 8 addresses")
    if not all(type(one) is str for one in value):
        raise MalformedError("peer record: expected addresses as text")
    found = tuple(PeerAddress.parse(str(one)) for one in value)
    if len({one.text for one in found}) < len(found):
        raise MalformedError("peer record: an address comes twice")
    if len({one.reach for one in found}) > 1:
        raise MalformedError("peer record: expected addresses of one reach")
    return found
