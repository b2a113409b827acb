"""Serves an ASGI application over HTTP on the node's own trio loop.

The only file that imports hypercorn (docs/adr/0009-http-stack.md).  Hypercorn speaks
the protocol; accepting, limits and stopping are ours, because its own loop has no cap
on connections, writes to a client without ever giving up, and therefore cannot stop
while somebody holds a large answer unread.  Only HTTP/1.1 is spoken.
"""

from __future__ import annotations

import errno
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Event, Updated
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState

from byline_node.budgets import is_loopback, owner_of
from byline_node.errors import ConfigError
from byline_node.http_gate import App

MAX_CONNECTIONS = 256
MAX_PER_ADDRESS = 64
"""Of them, from one owner but loopback, where a proxy may speak for many."""
MAX_HEAD = 16 * 1024
"""Bytes of a request line and its headers."""
IDLE_TIMEOUT = 15.0
"""Seconds in which a connection must send a whole request head."""
SEND_TIMEOUT = 20.0
"""Seconds in which a client must take one piece of an answer."""

log = logging.getLogger("byline.http")


class PatientStream:
    """A socket stream that gives up on a client that does not read.

    Hypercorn shields its writes from cancellation; the time-out here still ends them.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self.socket = stream.socket

    async def send_all(self, data: bytes) -> None:
        with trio.move_on_after(SEND_TIMEOUT) as scope:
            try:
                await self._stream.send_all(data)
            except trio.BusyResourceError:
                raise trio.BrokenResourceError("the client has gone") from None
        if scope.cancelled_caught:
            self.socket.close()  # ends the read that waits beside this write
            raise trio.BrokenResourceError("the client does not read its answer")

    async def receive_some(self, size: int) -> bytes:
        return bytes(await self._stream.receive_some(size))

    async def send_eof(self) -> None:
        # Its client may go while an answer is still on its way.
        with suppress(trio.BusyResourceError):
            await self._stream.send_eof()

    async def aclose(self) -> None:
        await self._stream.aclose()


class Connection(TCPServer):
    """Hypercorn's connection, but that it ends when its client has gone.

    As it comes, the idle timer of a connection outlives it, so that a few hundred short
    connections would fill the cap for IDLE_TIMEOUT seconds.
    """

    gone = False

    async def _read_data(self) -> None:
        # Nobody may leave HTTP/1.1: over HTTP/2 one client that opens no window holds
        # every place of the gate, and SEND_TIMEOUT never sees it.
        cast("Any", self.protocol).protocol._check_protocol = keep_protocol
        await super()._read_data()
        self.gone = True
        await self.idle_task.stop()

    async def protocol_send(self, event: Event) -> None:
        if self.gone and isinstance(event, Updated):
            return  # or the timer would be started again
        await super().protocol_send(event)


async def keep_protocol(request: object) -> None:
    """In place of hypercorn's look for a wish to go on in HTTP/2."""


async def open_listeners(host: str, port: int) -> list[trio.SocketListener]:
    """Listens at the address.  Raises ConfigError, naming the port, if it cannot."""
    try:
        return list(await trio.open_tcp_listeners(port, host=host, backlog=128))
    except OSError as error:
        raise ConfigError(*listen_failure(host, port, error)) from None


def listen_failure(host: str, port: int, error: OSError) -> tuple[str]:
    where = f"HTTP API: cannot listen at {host}, port {port}"
    if error.errno == errno.EADDRINUSE:
        return (f"{where}: another program has this port",)
    return (f"{where}: {error.strerror or error}",)


def bound_address(listeners: Sequence[trio.SocketListener]) -> str:
    """`host:port` of the first listener, as a URL wants it."""
    host, port = listeners[0].socket.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class HttpServer:
    """One application behind some listeners, until `stop`."""

    def __init__(self, app: App, listeners: Sequence[trio.SocketListener]) -> None:
        self._app = ASGIWrapper(cast("ASGIFramework", app))
        self._listeners = listeners
        self._config = make_config()
        self._context = WorkerContext(None)
        self._streams: set[trio.SocketStream] = set()
        self._addresses: Counter[str] = Counter()
        self._stop = trio.Event()
        self._grace = 0.0

    def stop(self, grace: float) -> None:
        """Accepts no more; requests in flight have `grace` seconds to finish."""
        self._grace = grace
        self._stop.set()

    async def run(self) -> None:
        """Serves; returns when stopped and every connection is closed."""
        async with trio.open_nursery() as watching:
            async with trio.open_nursery() as connections:
                async with trio.open_nursery() as accepting:
                    for listener in self._listeners:
                        accepting.start_soon(self._accept, listener, connections)
                    await self._until_stopped()
                    accepting.cancel_scope.cancel()
                # Connections without a request in flight see this and close.
                await self._context.terminated.set()
                watching.start_soon(self._close_late, connections.cancel_scope)
            watching.cancel_scope.cancel()

    async def _until_stopped(self) -> None:
        try:
            await self._stop.wait()
        finally:
            if not self._stop.is_set():  # the node fails: nobody waits for clients
                self._close_connections()

    async def _accept(
        self, listener: trio.SocketListener, connections: trio.Nursery
    ) -> None:
        await trio.serve_listeners(
            self._handle, [listener], handler_nursery=connections
        )

    async def _close_late(self, requests: trio.CancelScope) -> None:
        await trio.sleep(self._grace)
        log.warning("closing %d connections that are still busy", len(self._streams))
        self._close_connections()
        requests.cancel()

    def _close_connections(self) -> None:
        """Ends reads and the shielded writes, which no cancellation ends."""
        for stream in self._streams:
            stream.socket.close()

    async def _handle(self, stream: trio.SocketStream) -> None:
        try:
            address = str(stream.socket.getpeername()[0]).partition("%")[0]
        except OSError:
            return  # it has gone already
        if not self._has_room(address):
            return  # closed by the caller: the client sees it and can try again
        self._streams.add(stream)
        owner = owner_of(address)
        self._addresses[owner] += 1
        try:
            await self._serve(stream)
        # A fault in one connection is that connection's; the node goes on.
        except* Exception:
            log.exception("an HTTP connection failed")
        finally:
            self._streams.discard(stream)
            self._leave(owner)

    def _has_room(self, address: str) -> bool:
        if len(self._streams) >= MAX_CONNECTIONS:
            return False
        few = self._addresses[owner_of(address)] < MAX_PER_ADDRESS
        return few or is_loopback(address)

    def _leave(self, owner: str) -> None:
        self._addresses[owner] -= 1
        if not self._addresses[owner]:
            del self._addresses[owner]

    async def _serve(self, stream: trio.SocketStream) -> None:
        await Connection(
            self._app,
            self._config,
            self._context,
            cast("Any", ConnectionState({})),
            cast("Any", PatientStream(stream)),
        ).run()


def make_config() -> Config:
    config = Config()
    config.errorlog = log
    config.accesslog = None
    config.include_server_header = False
    config.h11_max_incomplete_size = MAX_HEAD
    config.keep_alive_timeout = IDLE_TIMEOUT
    return config
