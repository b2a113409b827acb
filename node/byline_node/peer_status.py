"""What a node says of its peers: for `/v1/status`, `byline node status` and `peers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from byline_node.followed_log import FollowedLog
from byline_node.streams import Link


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One peer, connected, configured or seen lately."""

    peer_id: str
    address: str
    """Where it is connected from or to; the configured address while it is not."""
    connected: bool
    origin: str | None
    """The name of its log; None before the first contact."""
    size: int | None
    """Entries of its log, as of the last checkpoint seen."""
    cursor: int | None
    """How many of them have been read."""
    set_root: str | None
    """Root of its lookup set, in hex."""
    agrees: bool
    """Its whole log was read, and its set of statements is ours."""
    gaps: int
    """Statements that it lists but did not hand out."""
    refused: int
    """Statements of it that our admission policy passed over."""
    error: str | None
    """What last went wrong, if it is still wrong."""
    found: str
    """How it was found: configured, bootstrap, exchange, dht, mdns, inbound."""
    direction: str | None
    """`out` where this node dialled, `in` where the peer did."""
    agent: str | None
    """The program and version that the peer says it is."""
    latency_ms: float | None
    """How long its last pong took."""
    score: int
    """0, or less for a peer that misbehaved."""
    refused_for: int
    """Seconds for which it is refused because of that."""
    bytes_in: int
    """On the connections that are open now."""
    bytes_out: int


@dataclass(frozen=True, slots=True)
class NetworkStatus:
    """Of this node and its peers."""

    peer_id: str
    addresses: tuple[str, ...]
    peers: tuple[PeerStatus, ...]
    gossip: dict[str, int]


def log_status(followed: FollowedLog | None, our_root: bytes) -> dict[str, Any]:
    """The fields that come from following its log."""
    cursor = followed.cursor if followed else None
    if followed is None or cursor is None:
        nothing = dict.fromkeys(("origin", "size", "cursor", "set_root"))
        return nothing | {"agrees": False, "gaps": 0, "refused": 0}
    seen, set_root = cursor.seen, cursor.set_root
    return {
        "origin": seen.origin,
        "size": seen.size,
        "cursor": cursor.size,
        "set_root": set_root.hex() if set_root else None,
        "agrees": cursor.size == seen.size and set_root == our_root,
        "gaps": len(cursor.gaps),
        "refused": followed.refused,
    }


def link_status(link: Link | None) -> dict[str, Any]:
    """The fields that come from the open connections."""
    return {
        "direction": ("out" if link.is_outbound else "in") if link else None,
        "agent": link.agent if link else None,
        "bytes_in": link.bytes_in if link else 0,
        "bytes_out": link.bytes_out if link else 0,
    }
