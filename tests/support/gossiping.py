"""One node's gossip, without what the node does with it."""

from __future__ import annotations

from typing import Any

from tests.support.networked import ANY_PORT

from byline_node.host import Host, open_host
from byline_node.peer_conduct import Conduct
from byline_node.peer_score import Fault

TOPIC = "test/topic"


def node(seed: bytes = b"a" * 32) -> Any:
    return open_host(seed, [ANY_PORT], [TOPIC])


class Charged(Conduct):
    """A door that remembers what it was told, and throws nobody out."""

    def __init__(self) -> None:
        super().__init__([], lambda _peer: None)
        self.faults: list[tuple[Fault, str]] = []

    def charge(self, _peer: str, fault: Fault, reason: str) -> None:
        self.faults.append((fault, reason))

    def refused_for(self, _peer: str) -> float:
        return 0.0


def buffered(host: Host) -> int:
    """Messages that came and wait to be read."""
    channel = host._pubsub.subscribed_topics_send[TOPIC]
    return int(channel.statistics().current_buffer_used)
