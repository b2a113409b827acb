"""What every HTTP request passes before the API sees it: host name, number, leftovers.

Plain ASGI, around the application of http_api.py.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import nullcontext
from typing import Any, TypeAlias

import trio

from byline_ledger.errors import BylineError
from byline_node.budgets import owner_of
from byline_node.errors import BusyError, ForbiddenHostError
from byline_node.places import Places

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUESTS_AT_ONCE, SHARE = 64, 32
"""In all, and of one address."""
LARGE = ("/v1/query", "/v1/authored", "/v1/similar")
"""Paths whose answers may have megabytes, which wait in memory until they are taken."""
LARGE_AT_ONCE, LARGE_SHARE = 16, 8
WAIT_TIMEOUT = 15.0


class Gate:
    """Refuses foreign host names and floods; takes what a request leaves unread."""

    def __init__(
        self, app: App, hosts: tuple[str, ...], on_error: Callable[[BylineError], App]
    ) -> None:
        self._app = app
        self._hosts = frozenset(name.lower() for name in hosts)
        self._on_error = on_error
        self._places = Places(REQUESTS_AT_ONCE, SHARE, WAIT_TIMEOUT)
        self._large = Places(LARGE_AT_ONCE, LARGE_SHARE, WAIT_TIMEOUT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Leftovers(receive, send)
        async with trio.open_nursery() as nursery:
            request.nursery = nursery
            await self._admit(scope, request)

    async def _admit(self, scope: Scope, request: Leftovers) -> None:
        host = host_of(scope)
        if not is_safe_host(host, self._hosts):
            error = ForbiddenHostError(
                f"this node does not answer to the host name {host[:64]!r}",
                hint="name it in api_hosts of node.toml",
            )
            await self._on_error(error)(scope, request.receive, request.send)
            return
        client = owner_of(scope["client"][0]) if scope.get("client") else ""
        is_large = scope["path"].startswith(LARGE)
        large = self._large.one(client) if is_large else nullcontext()
        try:
            async with self._places.one(client), large:
                await self._app(scope, request.receive, request.send)
        except BusyError as busy:  # the application answers its own
            await self._on_error(busy)(scope, request.receive, request.send)


class Leftovers:
    """Reads away what is left of a body once the answer has begun.

    Hypercorn puts a body's pieces into a short queue and waits while it is full; an
    answer given before the body was read would wait for that queue for ever.
    """

    nursery: trio.Nursery

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._whole = False

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self._whole = True  # the last piece, or the client has gone
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._whole:
            self.nursery.start_soon(self._read_away)
        await self._send(message)

    async def _read_away(self) -> None:
        # The server ends a finished request with this message, read or not.
        while (await self._receive())["type"] != "http.disconnect":
            pass


def host_of(scope: Scope) -> str:
    """The host name asked for, lower case, without port or brackets; else empty."""
    for name, value in scope["headers"]:
        if name.lower() in (b"host", b":authority"):
            text = value.decode("latin-1").strip().lower()
            if text.startswith("["):
                return str(text[1:].partition("]")[0])
            return str(text.partition(":")[0])
    return ""


def is_safe_host(host: str, names: frozenset[str]) -> bool:
    """Whether no foreign web page can have led a browser here under this name.

    A page reaches a node through a name of its own that it lets point here.  It cannot
    do so with an address, or with a name that is ours.
    """
    if host == "localhost" or host in names:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
