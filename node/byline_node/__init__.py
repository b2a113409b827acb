"""The node and its clients.

    from byline_node import Client

Names are loaded when they are first used: a script that talks to a node does not load
what only a running node needs (libp2p alone takes seconds).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byline_node.client import AsyncClient, Client
    from byline_node.config import NodeConfig
    from byline_node.generated import Attester
    from byline_node.local import LocalClient, open_client
    from byline_node.receipts import Receipt

__all__ = [
    "AsyncClient",
    "Attester",
    "Client",
    "LocalClient",
    "NodeConfig",
    "Receipt",
    "open_client",
]

HOMES = {
    "AsyncClient": "client",
    "Attester": "generated",
    "Client": "client",
    "LocalClient": "local",
    "NodeConfig": "config",
    "Receipt": "receipts",
    "open_client": "local",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
