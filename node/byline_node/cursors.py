"""Where the follow cursors lie in the ledger's side records.

Rule: what strangers can make us keep is bounded.  A peer of our own configuration has a
record of its own; all others share 4,096 places, chosen by their peer ids, where a
newcomer displaces whoever was there before.  A displaced cursor is read again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from byline_ledger import codec
from byline_ledger.admission_policy import OPEN
from byline_ledger.cursor import MAX_CURSOR, Cursor
from byline_ledger.errors import MalformedError

PLACES = 4_096
_ENVELOPE_BYTES = 1_024


class Records(Protocol):
    """What cursors need of the ledger."""

    def get_record(self, name: bytes, /) -> bytes | None: ...
    def put_record(self, name: bytes, value: bytes, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A cursor, and under which admission policy the log was read so far."""

    cursor: Cursor
    policy: bytes = OPEN.digest
    refused: int = 0
    """Statements that were passed over, being refused."""

    def to_bytes(self, peer: str) -> bytes:
        """A side record."""
        return codec.pack(
            {
                "cursor": self.cursor.to_bytes(),
                "peer": peer,
                "policy": self.policy,
                "refused": self.refused,
            }
        )


class LedgerCursors:
    """following.Cursors over a ledger."""

    def __init__(self, records: Records, configured: Collection[str]) -> None:
        """`configured` are the peer ids of our own configuration."""
        self._records = records
        self._configured = frozenset(configured)

    def load(self, peer: str) -> Kept | None:
        """The last one saved; None if it is lost or cannot be read."""
        data = self._records.get_record(self._name(peer))
        if data is None:
            return None
        try:
            return _parse(data, peer)
        except MalformedError:
            # Of another version of this program: reading again is all it costs.
            return None

    def save(self, peer: str, kept: Kept) -> None:
        """Durable when it returns.  Raises StoreError."""
        self._records.put_record(self._name(peer), kept.to_bytes(peer))

    def _name(self, peer: str) -> bytes:
        if peer in self._configured:
            return b"follow/peer/" + peer.encode()
        place = int.from_bytes(hashlib.sha256(peer.encode()).digest()[:8], "big")
        return b"follow/place/%d" % (place % PLACES)


def _parse(data: bytes, peer: str) -> Kept | None:
    fields: Any = codec.unpack(
        data, max_size=MAX_CURSOR + _ENVELOPE_BYTES, max_depth=1, what="cursor record"
    )
    if not isinstance(fields, dict) or not {"cursor", "peer"} <= fields.keys():
        raise MalformedError("cursor record: expected a cursor and a peer")
    if fields["peer"] != peer or type(fields["cursor"]) is not bytes:
        return None
    # A record from before there were policies was made by an open node.
    policy, refused = fields.get("policy", OPEN.digest), fields.get("refused", 0)
    if type(policy) is not bytes or type(refused) is not int:
        return None
    return Kept(Cursor.from_bytes(fields["cursor"]), policy, refused)
