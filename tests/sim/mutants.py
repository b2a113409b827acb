"""Bugs planted in production code, one or more for each invariant that must find them.

    python -m tests.sim.run --mutant gossip-alone --seed 3

Rule: each is a mistake that somebody could make, in one place; the test tree alone
holds them, and they are in force while a run lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import trio
from tests.sim import disk
from tests.sim.simulation import Plan

from byline_ledger import follow_server, ledger
from byline_node import following, network, requests, writer
from byline_node.frames import read_frame, write_frame


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bug, the invariant that finds it, and a plan under which it shows."""

    finds: str
    plant: Callable[[], AbstractContextManager[object]]
    plan: Plan


def gossip_alone() -> AbstractContextManager[object]:
    """Logs are not followed: what gossip loses stays lost."""

    async def follow(_self: Any, _peer: str) -> None:
        await trio.sleep_forever()

    return patch.object(following.Following, "follow", follow)


def early_receipts() -> AbstractContextManager[object]:
    """The writer answers before it has written, two seconds before."""

    async def commit(self: Any, batch: list[Any]) -> None:
        view = self._ledger.view
        for one in batch:
            places = (ledger.Appended(s.id, view.size, True) for s in one.statements)
            one.settle(writer.Committed(tuple(places), view))
        await trio.sleep(2)
        await whole(self, batch)

    whole = writer.Writer._commit
    return patch.object(writer.Writer, "_commit", commit)


@contextmanager
def forgetful_disks() -> Iterator[None]:
    """What is written is not synced, and the guard is not looked at."""
    with (
        patch.object(disk.Disk.__init__, "__kwdefaults__", {"is_synced": False}),
        patch.object(ledger, "why_read_only", lambda *_state: None),
    ):
        yield


def no_proofs() -> AbstractContextManager[object]:
    """The follow server leaves out the proofs that its trees belong together."""
    return patch.object(follow_server, "consistency_proof", lambda *_tree: [])


def kept_channels() -> AbstractContextManager[object]:
    """The streams of a peer that has gone are kept for ever."""
    return patch.object(requests.Requests, "forget", lambda _self, _peer: None)


def unended_streams() -> AbstractContextManager[object]:
    """A stream whose request was malformed is left open."""

    async def answer(stream: Any, most: int, handler: Any) -> None:
        while (request := await read_frame(stream, most)) is not None:
            try:
                await write_frame(stream, await handler(stream.peer, request))
            except requests.BylineError:
                await trio.sleep_forever()

    return patch.object(requests, "_answer_all", answer)


def unminded_tasks() -> AbstractContextManager[object]:
    """Whoever was connected once is pinged and followed for ever."""

    async def mind(self: Any) -> None:
        async with trio.open_nursery() as nursery:
            minded: set[str] = set()
            while True:
                connected = set(self._host.peers())
                for peer in sorted(connected - minded):
                    nursery.start_soon(self._mind_peer, peer, trio.CancelScope())
                for peer in sorted(minded - connected):
                    self._requests.forget(peer)
                minded = connected
                await self._host.wait_change()

    return patch.object(network.Network, "_mind_peers", mind)


MUTANTS = {
    "gossip-alone": Mutant("equal roots", gossip_alone, Plan(1, 8, 20, settle=60)),
    "early-receipts": Mutant("nothing lost", early_receipts, Plan(1, 8, 60)),
    "forgetful-disks": Mutant(
        "append only", forgetful_disks, Plan(2, 10, 40, settle=30)
    ),
    "no-proofs": Mutant("nobody accused", no_proofs, Plan(1, 8, 20, settle=60)),
    "kept-channels": Mutant("bounded", kept_channels, Plan(1, 8, 30)),
    "unended-streams": Mutant(
        "no leak", unended_streams, Plan(1, 8, 20, kinds=("flooding",))
    ),
    "unminded-tasks": Mutant("no leak", unminded_tasks, Plan(1, 8, 60)),
}
