"""A ledger with a cosigner and witnesses, all in memory but the disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import trio
import trio.testing
from tests.support.logs import works

from byline_ledger.log import Ledger
from byline_ledger.node_keys import NodeKeys
from byline_ledger.witness import Memory, decide
from byline_node.cosigning import Cosigner
from byline_node.known_witness import WitnessClient


class Honest:
    """A witness that decides as ours do, in memory."""

    def __init__(self, number: int, vkey: str, kind: str = "peer") -> None:
        self.renew(number)
        self.name, self.kind = f"peer{number}", kind
        self.memory = Memory(vkey)
        self.replays = False
        self.before: Callable[[Honest], None] = lambda _one: None

    def renew(self, number: int, renewal: bytes = b"") -> None:
        origin = f"w{number}.example/{number:032x}"
        self.keys = NodeKeys.derive(number.to_bytes(32, "big"), origin, renewal)

    async def vkeys(self) -> tuple[str, str]:
        return self.keys.witness_vkey, self.keys.replay_vkey

    def take(self, body: bytes) -> tuple[int, bytes]:
        now = int(time.time())
        answer = decide(
            body, lambda _o: [self.memory], self.keys, now, lambda _c: self.replays
        )
        self.memory = answer.keep or self.memory
        return answer.status, answer.body

    async def add(self, body: bytes) -> tuple[int, bytes]:
        self.before(self)
        return self.take(body)

    async def latest(self) -> bytes | None:
        return self.memory.note


class Impostor:
    """Claims the keys of another, and shows whatever is public."""

    name, kind = "stranger", "peer"

    def __init__(self, other: Honest, public: bytes) -> None:
        self.other, self.public = other, public

    async def vkeys(self) -> tuple[str, str]:
        return await self.other.vkeys()

    async def add(self, _body: bytes) -> tuple[int, bytes]:
        return 503, b"busy\n"

    async def latest(self) -> bytes | None:
        return self.public


class Node:
    """A ledger with a cosigner, which is started again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "node"
        self.ledger = Ledger.init(self.folder)
        self.ledger.append(works(0, 5))

    def start(
        self, *peers: WitnessClient, named: tuple[str, ...] = (), **options: bool
    ) -> Cosigner:
        self.ledger.close()
        self.ledger = Ledger.open(self.folder)
        return self.cosigner(*peers, named=named, **options)

    def cosigner(
        self, *peers: WitnessClient, named: tuple[str, ...] = (), **options: bool
    ) -> Cosigner:
        found = [one for one in peers if one.kind == "peer"]
        urls = [one for one in peers if one.kind == "url"]
        return Cosigner(
            self.ledger,
            clock=time.time,
            peers=lambda: found,
            witnesses=urls,
            named_peers=named,
            **options,
        )

    def image(self) -> Path:
        """A copy of the disk as it is."""
        self.ledger.close()
        copy = self.folder.with_name("image")
        shutil.copytree(self.folder, copy)
        self.ledger = Ledger.open(self.folder)
        return copy

    def put_back(self, image: Path) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)
        shutil.copytree(image, self.folder)
        self.ledger = Ledger.open(self.folder)


async def rounds(cosigner: Cosigner, count: int = 1) -> None:
    """Runs for so many rounds."""
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            changed = cosigner._changed
            nursery.start_soon(cosigner.run)
            for _ in range(count):
                await changed.wait()
                changed = cosigner._changed
            nursery.cancel_scope.cancel()


def vkey(node: Node) -> str:
    return node.ledger.view.vkey
