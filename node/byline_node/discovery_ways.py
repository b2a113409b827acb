"""The ways of discovery beside asking peers, as far as they are switched on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from byline_node.address_book import Found
from byline_node.dht_search import NodeSeams, search
from byline_node.discovery import Discovery
from byline_node.host import Host
from byline_node.network_needs import NetworkConfig

Search: TypeAlias = Callable[[], Awaitable[None]]
"""Runs until it is cancelled."""


def searches_of(
    discovery: Discovery, host: Host, config: NetworkConfig
) -> list[Search]:
    """What runs beside the discovery itself."""
    found: list[Search] = []
    if config.dht:
        found.append(partial(search, host.open_dht(NodeSeams(discovery))))
    if config.mdns:
        from byline_node.mdns import LocalNetwork  # only where it is asked for

        heard = partial(hint_of, discovery)
        own = discovery.own_addresses
        found.append(LocalNetwork(host.peer_id, own, heard).run)
    return found


def hint_of(discovery: Discovery, peer: str, addresses: list[str]) -> None:
    discovery.hint(peer, addresses, Found.MDNS)
