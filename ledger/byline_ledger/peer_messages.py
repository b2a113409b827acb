"""How nodes tell each other of peers, byte for byte.

Rule: as in follow, each message is one canonical MessagePack map with exactly the keys
of its kind; any other bytes are a MalformedError.  Records in it are bounded here and
judged one by one in `judge`.  Specification: docs/spec/network.md, "Exchange".

    {"ask": "peers", "own": [bin...]}        {"own": [bin...], "peers": [bin...]}
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.errors import MalformedError
from byline_ledger.message_fields import byte_strings, parse_map, require_keys
from byline_ledger.peer_address import Reach
from byline_ledger.peer_record import MAX_RECORD, PeerRecord

PROTOCOL = "/byline/peers/1"
MAX_REQUEST = 4_096
MAX_RESPONSE = 40_000
MAX_OWN = 3
"""One for each reach."""
MAX_PEERS = 32


@dataclass(frozen=True, slots=True)
class AskPeers:
    """Whom do you know?  And where the asker itself is, if it says so."""

    own: tuple[bytes, ...] = ()

    def to_bytes(self) -> bytes:
        """The request."""
        return codec.pack({"ask": "peers", "own": list(self.own)})


@dataclass(frozen=True, slots=True)
class KnownPeers:
    """Records, not looked into: of who answers, and of others."""

    own: tuple[bytes, ...] = ()
    peers: tuple[bytes, ...] = ()

    def to_bytes(self) -> bytes:
        """The response."""
        return codec.pack({"own": list(self.own), "peers": list(self.peers)})


def parse_peers_request(data: bytes) -> AskPeers:
    """Strict, else MalformedError."""
    fields = parse_map(data, MAX_REQUEST, "peers request")
    require_keys(fields, "ask", "own")
    if fields["ask"] != "peers":
        raise MalformedError("expected a request for peers")
    return AskPeers(_records(fields["own"], MAX_OWN))


def parse_peers_answer(data: bytes) -> KnownPeers:
    """Strict, else MalformedError."""
    fields = parse_map(data, MAX_RESPONSE, "peers response")
    require_keys(fields, "own", "peers")
    return KnownPeers(
        _records(fields["own"], MAX_OWN), _records(fields["peers"], MAX_PEERS)
    )


def _records(value: Value, most: int) -> tuple[bytes, ...]:
    records = byte_strings(value, most, "peer records")
    if any(len(one) > MAX_RECORD for one in records):
        raise MalformedError(f"expected peer records of at most {MAX_RECORD} bytes")
    return records


class MisplacedRecordError(MalformedError):
    """A record that may be good, but not on this connection."""


class UntimelyRecordError(MalformedError):
    """A record that may be good, but not now; by which of two clocks is not known."""


def judge(data: bytes, *, now: int, reach: Reach, owner: str | None) -> PeerRecord:
    """A record that came over a connection of this reach, if it may be used.

    `owner` is the peer id that it has to be of, where that is known.  MalformedError,
    BadSignatureError or MisplacedRecordError say what is wrong with whoever sent it;
    UntimelyRecordError does not.
    """
    record = PeerRecord.from_bytes(data)
    if owner is not None and record.peer_id != owner:
        raise MalformedError("peer record: expected the sender's own")
    record.verify()
    if not record.is_current(now):
        raise UntimelyRecordError("peer record: it has expired, or is not valid yet")
    if record.reach < reach:
        raise MisplacedRecordError(
            f"peer record: {record.reach.name.lower()} addresses are not told to"
            f" {reach.name.lower()} peers"
        )
    return record
