"""Discovery in virtual time: a node whose host and peers are pretended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

import trio

from byline_ledger.crypto import SigningKey
from byline_ledger.peer_record import PeerRecord, sign_peer_record
from byline_node.discovery import Announcer, Discovery
from byline_node.errors import PeerError, UnspokenError
from byline_node.peer_conduct import Conduct
from byline_node.requests import Requests
from byline_node.streams import Link

START = 1_790_000_000.0
OWN = SigningKey.from_seed(b"\x01" * 32)
NUMBERS = count(2)


def now() -> float:
    return START + trio.current_time()


def fresh_key() -> SigningKey:
    return SigningKey.from_seed(next(NUMBERS).to_bytes(32, "big"))


def signed(*addresses: str, key: SigningKey | None = None, at: float = 0) -> PeerRecord:
    return sign_peer_record(key or fresh_key(), addresses, int((now() + at) * 1000))


def world(number: int, network: int = 0) -> str:
    """A public address; all of a network share its first 16 bits."""
    return f"/ip4/{30 + network % 60}.{network // 60}.{number % 250}.1/tcp/4737"


@dataclass
class FakeHost:
    """Peers that are there when they are in `reachable`; what was dialled."""

    peer_id: str = "me"
    open: dict[str, Link] = field(default_factory=dict)
    reachable: set[str] = field(default_factory=set)
    dials: list[tuple[float, str]] = field(default_factory=list)
    probes: list[str] = field(default_factory=list)
    changed: trio.Event = field(default_factory=trio.Event)

    def links(self) -> dict[str, Link]:
        return self.open

    def link(self, peer: str) -> Link | None:
        return self.open.get(peer)

    def join(self, peer: str, address: str, *, out: bool = False) -> None:
        dialled = address if out else ""
        self.open[peer] = Link(address, out, None, 0, 0, dialled)
        self.changed.set()
        self.changed = trio.Event()

    async def connect(self, address: str) -> str:
        self.dials.append((trio.current_time(), address))
        await trio.lowlevel.checkpoint()
        where, _, peer = address.partition("/p2p/")
        if address not in self.reachable:
            raise PeerError("nobody")
        self.join(peer, where, out=True)
        return peer

    async def probe(self, address: str) -> None:
        self.probes.append(address)
        await trio.lowlevel.checkpoint()
        if address not in self.reachable:
            raise PeerError("nobody")

    async def wait_change(self) -> None:
        await self.changed.wait()


Say = Callable[[], bytes]


@dataclass
class FakeRequests:
    """Peers that answer with whatever `says` has for them."""

    says: dict[str, Say] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)

    def answer(self, _protocol: str, _most: int, _handler: Any) -> None: ...

    async def ask(self, peer: str, _protocol: str, body: bytes, *, most: int) -> bytes:
        await trio.lowlevel.checkpoint()
        self.asked.append(body)
        if peer not in self.says:
            raise UnspokenError("it does not")
        return self.says[peer]()


@dataclass
class FakeNode:
    host: FakeHost
    requests: FakeRequests
    conduct: Conduct
    discovery: Discovery
    dropped: list[str]

    async def serve(self, *peers: str, seconds: float) -> None:
        """Runs for so long, with these peers connected until they are dropped."""
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.discovery.run)
                for peer in peers:
                    nursery.start_soon(self.exchange, peer)

    async def exchange(self, peer: str) -> None:
        with trio.CancelScope() as scope:
            self.scopes[peer] = scope
            await self.discovery.exchange(peer)

    scopes: dict[str, trio.CancelScope] = field(default_factory=dict)


def new_node() -> FakeNode:
    host, requests = FakeHost(), FakeRequests()
    dropped: list[str] = []
    made: list[FakeNode] = []

    def drop(peer: str) -> None:
        dropped.append(peer)
        host.open.pop(peer, None)
        if scope := made[0].scopes.get(peer):
            scope.cancel()

    conduct = Conduct((), drop)
    announcer = Announcer(OWN, lambda: [world(7, 59)])
    discovery = Discovery(
        host,
        cast("Requests", requests),
        conduct,
        announcer,
        None,
        {},
        clock=now,
    )
    made.append(FakeNode(host, requests, conduct, discovery, dropped))
    return made[0]
