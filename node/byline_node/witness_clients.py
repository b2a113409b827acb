"""Witnesses of this log, as the cosigner reaches them: peers, and URLs.

Rule: every answer is bounded in time and size, and nothing of it is believed here.
Specification: docs/spec/witness.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import trio

from byline_ledger.witness_messages import (
    MAX_RESPONSE,
    PROTOCOL,
    AskAdd,
    AskLatest,
    AskVkeys,
    parse_added,
    parse_latest,
    parse_vkeys,
)
from byline_node.errors import PeerError

PEER_SECONDS = 5.0
"""A busy one takes two; one that does not answer pings is cut off after five."""
URL_SECONDS = 10.0

Post = Callable[[str, bytes], Awaitable[tuple[int, bytes]]]
"""`await post(url, body)`: status and body; raises NodeUnavailableError."""


class AskPeer(Protocol):
    """`requests.Requests.ask`."""

    def __call__(
        self, peer: str, protocol: str, body: bytes, /, *, most: int
    ) -> Awaitable[bytes]: ...


class PeerWitness:
    """A connected peer (cosigning.WitnessClient)."""

    kind = "peer"

    def __init__(self, name: str, ask: AskPeer, vkey: str) -> None:
        """`vkey` is the key of our own log."""
        self.name = name
        self._ask_peer = ask
        self._vkey = vkey

    async def vkeys(self) -> Sequence[str]:
        """See WitnessClient."""
        return parse_vkeys(await self._ask(AskVkeys().to_bytes()))

    async def add(self, body: bytes) -> tuple[int, bytes]:
        """See WitnessClient."""
        return parse_added(await self._ask(AskAdd(body, self._vkey).to_bytes()))

    async def latest(self) -> bytes | None:
        """See WitnessClient."""
        return parse_latest(await self._ask(AskLatest(self._vkey).to_bytes()))

    async def _ask(self, request: bytes) -> bytes:
        with trio.move_on_after(PEER_SECONDS):
            return await self._ask_peer(self.name, PROTOCOL, request, most=MAX_RESPONSE)
        raise PeerError(f"no answer within {PEER_SECONDS:g} s")


class UrlWitness:
    """A C2SP witness that the operator names (cosigning.WitnessClient)."""

    kind = "url"

    def __init__(self, vkey: str, url: str, post: Post) -> None:
        self.name = url
        self._vkey = vkey
        self._url = url.rstrip("/") + "/add-checkpoint"
        self._post = post

    async def vkeys(self) -> Sequence[str]:
        """See WitnessClient."""
        return (self._vkey,)

    async def add(self, body: bytes) -> tuple[int, bytes]:
        """See WitnessClient."""
        with trio.move_on_after(URL_SECONDS):
            return await self._post(self._url, body)
        raise PeerError(f"no answer within {URL_SECONDS:g} s")

    async def latest(self) -> bytes | None:
        """Not asked: its answer to `add` says the same."""
        return None
