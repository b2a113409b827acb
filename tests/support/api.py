"""The HTTP API over a ledger, on a real socket, without a network of nodes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio

from byline_ledger.admission_policy import OPEN, AdmissionPolicy
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement
from byline_node.admission import Admission
from byline_node.entrance import Entrance
from byline_node.http_api import make_app
from byline_node.http_server import HttpServer, bound_address, open_listeners
from byline_node.operations import describe_log
from byline_node.similar import Similar
from byline_node.witnessing import Witness
from byline_node.writer import Committed, Writer


class Backend:
    """A ledger and its writer, as the node wires them."""

    def __init__(self, ledger: Ledger, policy: AdmissionPolicy = OPEN) -> None:
        self.ledger = ledger
        self.writer = Writer(ledger)
        self.admission = Admission(ledger, policy)
        self.admission.load()
        self.writer.listen(self.admission.heed)
        self.entrance = Entrance(self.admission, self.append)
        self.a_witness = Witness(ledger, clock=time.time)
        self.similar = Similar(ledger._files.folder, lambda: ledger.view)

    @property
    def view(self) -> Any:
        return self.ledger.view

    @property
    def witness(self) -> Witness:
        return self.a_witness

    def published(self) -> Any:
        return self.ledger.view

    def mirrored(self, hex_hash: str) -> Any:
        return None

    async def followed(self, hex_hash: str, nonce: bytes) -> Any:
        return None

    async def answer_view(self) -> Any:
        return self.ledger.view

    async def append(self, statements: Sequence[Statement], source: str) -> Committed:
        """By the writer there is now: a test may have put another in its place."""
        return await self.writer.submit(statements, source)

    async def submit(self, statements: list[Statement], peer: str) -> Committed:
        peers = [peer] * len(statements)
        return await self.entrance.submit(statements, "api", peers)

    def status(self) -> dict[str, Any]:
        nobody: dict[str, Any] = {"api": "", "peer_id": None, "listen": [], "peers": []}
        nobody |= {
            "cosigned": {"size": 1, "count": 0, "time": None},
            "witnesses": [],
            "alarms": [],
            "brought_by": {"api": 0, "gossip": 0, "follow": 0},
            "gossip": {},
            "admission": self.admission.status(),
        }
        return describe_log(self.view, self.ledger.read_only) | nobody


@asynccontextmanager
async def api(
    backend: Backend, shelf: Path | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    listeners = await open_listeners("127.0.0.1", 0)
    server = HttpServer(make_app(backend, (), shelf), listeners)
    url = f"http://{bound_address(listeners)}"
    async with (
        trio.open_nursery() as nursery,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        nursery.start_soon(server.run)
        yield client
        server.stop(1.0)
