"""How peers have behaved, and who is refused for a while because of it.

Rule: sans-IO and bounded.  The time is passed in, nothing is logged, nobody is
disconnected here (peer_conduct.py does), and however many strangers come there is
memory for MAX_PEERS of them; the worst are remembered longest.

A fault costs points, and points fade by half every HALF_LIFE.  At LIMIT points the
peer is refused, each time for twice as long, up to MAX_REFUSAL.  A peer that the
operator named is refused for OWN_REFUSAL and never longer: the operator knows better.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import exp2

MAX_PEERS = 1_024
LIMIT = 100.0
HALF_LIFE = 600.0
FIRST_REFUSAL = 600.0
MAX_REFUSAL = 6 * 3600.0
OWN_REFUSAL = 60.0
MAX_DOUBLINGS = 10
"""Refusals that count for how long the next one is; they fade like points, slower."""
FORGIVE = 24 * 3600.0
"""Seconds without a refusal after which the next one is short again."""


class Fault(Enum):
    """What a peer can do wrong, and how many points it costs."""

    LIE = "lie", 25.0
    """A proof that does not hold, a signature that is none: nobody errs like that."""
    MALFORMED = "malformed", 20.0
    """Bytes that are not of the protocol."""
    FLOOD = "flood", 10.0
    """More than the limits allow: streams, unread bytes, messages."""
    BAD_GOSSIP = "bad gossip", 5.0
    """Published statements that are malformed or forged."""
    MISPLACED = "misplaced addresses", 5.0
    """Peer records of a reach that is not for this connection."""

    def __init__(self, text: str, points: float) -> None:
        self.text = text
        self.points = points


@dataclass(slots=True)
class _Record:
    points: float = 0.0
    at: float = 0.0
    refused_until: float = 0.0
    refusals: int = 0
    last: Fault | None = None

    def points_at(self, now: float) -> float:
        return self.points * exp2(-max(0.0, now - self.at) / HALF_LIFE)

    def worth(self, now: float) -> tuple[float, float]:
        """Order in which records are given up when there are too many."""
        return (max(0.0, self.refused_until - now), self.points_at(now))


@dataclass(slots=True)
class PeerScores:
    """Points of all peers that ever did wrong, as far as there is room."""

    own: frozenset[str] = frozenset()
    """Peers that the operator named."""
    _records: dict[str, _Record] = field(default_factory=dict)

    def charge(self, peer: str, fault: Fault, now: float) -> bool:
        """Counts a fault.  Whether the peer is refused from now on because of it."""
        record = self._records.get(peer) or self._make_room(peer, now)
        record.points = min(record.points_at(now) + fault.points, 2 * LIMIT)
        record.at, record.last = now, fault
        if record.points < LIMIT or now < record.refused_until:
            return False
        self._refuse(peer, record, now)
        return True

    def _refuse(self, peer: str, record: _Record, now: float) -> None:
        if now - record.refused_until > FORGIVE:
            record.refusals = 0
        longest = min(FIRST_REFUSAL * 2**record.refusals, MAX_REFUSAL)
        record.refusals = min(record.refusals + 1, MAX_DOUBLINGS)
        record.refused_until = now + (OWN_REFUSAL if peer in self.own else longest)
        # Who comes back and goes on is refused sooner than a newcomer.
        record.points = LIMIT / 2

    def _make_room(self, peer: str, now: float) -> _Record:
        if len(self._records) >= MAX_PEERS:
            least = min(self._records, key=lambda one: self._records[one].worth(now))
            del self._records[least]
        return self._records.setdefault(peer, _Record(at=now, refused_until=now))

    def refused_for(self, peer: str, now: float) -> float:
        """Seconds for which the peer is still refused; 0 if it is welcome."""
        record = self._records.get(peer)
        return max(0.0, record.refused_until - now) if record else 0.0

    def score(self, peer: str, now: float) -> int:
        """0 for a peer that never did wrong, down to -200."""
        record = self._records.get(peer)
        return -round(record.points_at(now)) if record else 0

    def last_fault(self, peer: str) -> Fault | None:
        """What the peer was charged with last."""
        record = self._records.get(peer)
        return record.last if record else None

    def __len__(self) -> int:
        return len(self._records)
