"""The keys of a node's roles, each derived from its one secret (docs/spec/log.md).

Rule: no key serves two roles.  What is signed for one must never mean anything in
another, and a peer that learns one key's habits learns nothing about the others.

    role       name of the key      derived with
    transport  (libp2p peer id)     byline/transport-key/v1
    log        <origin>             byline/log-key/v1 <origin>
    witness    <origin>/witness     byline/witness-key/v1 <origin>[ <renewal>]
    replay     <origin>/replay      byline/replay-key/v1 <origin>[ <renewal>]

A witness that may have forgotten what it signed must never sign with that key again.
So each recovery renews the two keys (docs/spec/witness.md, "Keys").
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.checkpoint import log_vkey
from byline_ledger.cosignature import cosigner_vkey
from byline_ledger.crypto import SigningKey, derive_secret

WITNESS_SUFFIX = "/witness"
REPLAY_SUFFIX = "/replay"
RENEWAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """What the node of the log `origin` signs with, and how others know it."""

    origin: str
    transport_seed: bytes
    """32 secret bytes: the seed of the node's identity on the network."""
    log: SigningKey
    witness: SigningKey
    """Cosigns other logs: this tree extends every one that I saw before it."""
    replay: SigningKey
    """Cosigns other logs: the same, and I recomputed what it commits to."""

    @classmethod
    def derive(cls, secret: bytes, origin: str, renewal: bytes = b"") -> NodeKeys:
        """From the node's 32-byte secret; a new origin makes new keys of all roles but
        the transport's, a renewal (16 random bytes) new ones of the witness."""
        renewed = f" {renewal.hex()}" if renewal else ""

        def key(role: str, further: str = "") -> SigningKey:
            label = f"byline/{role}-key/v1 {origin}{further}"
            return SigningKey.from_seed(derive_secret(secret, label))

        return cls(
            origin,
            derive_secret(secret, "byline/transport-key/v1"),
            log=key("log"),
            witness=key("witness", renewed),
            replay=key("replay", renewed),
        )

    @property
    def transport_public(self) -> bytes:
        """What the peer id names."""
        return SigningKey.from_seed(self.transport_seed).public

    @property
    def witness_name(self) -> str:
        """The name of the key that cosigns."""
        return self.origin + WITNESS_SUFFIX

    @property
    def replay_name(self) -> str:
        """The name of the key that cosigns what was replayed."""
        return self.origin + REPLAY_SUFFIX

    @property
    def log_vkey(self) -> str:
        """Verifier key of the log."""
        return log_vkey(self.origin, self.log.public)

    @property
    def witness_vkey(self) -> str:
        """Verifier key of the witness."""
        return cosigner_vkey(self.witness_name, self.witness.public)

    @property
    def replay_vkey(self) -> str:
        """Verifier key of the replay witness."""
        return cosigner_vkey(self.replay_name, self.replay.public)


def is_replay_key(name: str) -> bool:
    """Whether a cosigner of this name says that it replayed what it signs.

    Only a reader's policy decides whether that cosigner is believed.
    """
    return name.endswith(REPLAY_SUFFIX)


def operator_of(name: str) -> str:
    """What a node's two witness keys have in common: the name of its own log."""
    return name.removesuffix(WITNESS_SUFFIX).removesuffix(REPLAY_SUFFIX)
