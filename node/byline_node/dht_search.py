"""The DHT as a way of discovery: what it may know and tell, and when it searches.

Rule: it is a source of hints for the address book like any other, and decides nothing.
Specification: docs/spec/network.md, "DHT".
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Protocol

import trio

from byline_ledger.peer_address import Reach
from byline_node.address_book import Found
from byline_node.discovery import Discovery
from byline_node.peer_score import Fault

FIRST_SECONDS = 5.0
SECONDS = 600.0


class Table(Protocol):
    """What this file needs of `host_dht.Dht`."""

    async def run(self) -> None: ...
    async def refresh(self) -> None: ...


class NodeSeams:
    """What the DHT needs of the node (host_dht.Seams)."""

    def __init__(self, discovery: Discovery) -> None:
        self._discovery = discovery

    def known(self, peer: str) -> Sequence[str]:
        """Where this node itself reached a peer lately."""
        return self._discovery.reached(peer)

    def heard(self, peer: str, addresses: Iterable[str]) -> None:
        """Takes what peers say of others."""
        self._discovery.hint(peer, addresses, Found.DHT)

    def reach(self, peer: str) -> Reach:
        """What a connected peer may be told."""
        return self._discovery.reach_of_peer(peer)

    def own(self) -> Iterable[str]:
        """Where this node is."""
        return self._discovery.own_addresses()

    def charge(self, peer: str, reason: str, is_flood: bool) -> None:
        """For more than the limits allow, or for what is no message."""
        fault = Fault.FLOOD if is_flood else Fault.MALFORMED
        self._discovery.charge(peer, fault, reason)


async def search(dht: Table) -> None:
    """Until cancelled: soon after the start, then more and more seldom."""
    pause = FIRST_SECONDS
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dht.run)
        while True:
            await trio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311
            await dht.refresh()
            pause = min(2 * pause, SECONDS)
