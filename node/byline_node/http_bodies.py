"""Request bodies: few at a time, of bounded size, and none that trickles in.

Rule: whoever sends slowly holds a place for some seconds and no longer, and one address
never holds all places (places.py).  The witness and the API have places of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NoReturn

import trio
from starlette.requests import ClientDisconnect, Request

from byline_ledger.errors import MalformedError
from byline_node.budgets import owner_of
from byline_node.errors import SlowRequestError, TooLargeError
from byline_node.places import Places

AT_ONCE, SHARE = 8, 4
"""Bodies held in memory, and of one address."""
GRACE_SECONDS = 5.0
LEAST_RATE = 65_536
"""Bytes a second at which a body must come, after the grace."""
STOOD_STILL_SECONDS = 1.0
"""By so much a deadline is seen too late where the node itself was frozen, or its
machine asleep: what the client has sent meanwhile is not read yet."""
REFUSAL_TIMEOUT = 5.0
REFUSAL_BYTES = 64 << 20


class Bodies:
    """Some places for bodies."""

    def __init__(self, wait: float) -> None:
        """A request waits `wait` seconds for a place."""
        self._places = Places(AT_ONCE, SHARE, wait)

    @asynccontextmanager
    async def read(self, request: Request, limit: int) -> AsyncIterator[bytes]:
        """The request's body, of up to `limit` bytes, while a place is held.

        Raises BusyError, TooLargeError, SlowRequestError, or MalformedError where the
        client has gone.
        """
        async with self._places.one(client_of(request)):
            yield await read_body(request, limit)


def client_of(request: Request) -> str:
    """Whose budget and places a request uses: the owner of its address."""
    return owner_of(request.client.host) if request.client else ""


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body; raises TooLargeError or SlowRequestError."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        await refuse_body(request, limit)
    body, started = bytearray(), trio.current_time()
    while True:
        with trio.CancelScope(deadline=_deadline(started, body)) as reading:
            try:
                async for chunk in request.stream():
                    body += chunk
                    reading.deadline = _deadline(started, body)
                    if len(body) > limit:
                        await refuse_body(request, limit)
            except ClientDisconnect:
                raise MalformedError("the request body ended early") from None
        if not reading.cancelled_caught:
            return bytes(body)
        late = trio.current_time() - reading.deadline
        if late < STOOD_STILL_SECONDS:
            raise SlowRequestError(
                f"expected {LEAST_RATE} bytes of body a second, got {len(body)} in"
                f" {trio.current_time() - started:.0f} s"
            )
        started += late + GRACE_SECONDS


def _deadline(started: float, body: bytearray) -> float:
    """When more of it must have come."""
    return started + GRACE_SECONDS + len(body) / LEAST_RATE


async def refuse_body(request: Request, limit: int) -> NoReturn:
    """Reads on for a little: a client that is still sending would miss the answer."""
    with trio.move_on_after(REFUSAL_TIMEOUT), suppress(ClientDisconnect):
        left = REFUSAL_BYTES
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                break
    raise TooLargeError(f"expected a body of at most {limit} bytes, got more")
