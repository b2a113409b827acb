"""The HTTP server's own rules: stopping, stuck clients, early answers, hosts."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

from byline_ledger.errors import BylineError
from byline_node import http_server
from byline_node.errors import ConfigError
from byline_node.http_gate import Gate
from byline_node.http_server import HttpServer, bound_address, open_listeners

pytestmark = pytest.mark.trio

BIG = b"x" * (32 << 20)


async def reply(send: Any, body: bytes, status: int = 200) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class App:
    """`/slow` waits for `release`, `/big` is more than any socket buffer holds."""

    def __init__(self) -> None:
        self.entered = trio.Event()
        self.release = trio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.entered.set()
        if scope["path"] == "/slow":
            await self.release.wait()
        if scope["path"] == "/bug":
            raise RuntimeError("a fault of the application")
        await reply(send, BIG if scope["path"] == "/big" else b"done")


def on_error(error: BylineError) -> Any:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await reply(send, error.kind.encode(), error.http_status)

    return answer


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[tuple[HttpServer, int]]:
    listeners = await open_listeners("127.0.0.1", 0)
    server = HttpServer(Gate(app, ("archive.example",), on_error), listeners)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        yield server, int(bound_address(listeners).rpartition(":")[2])
        server.stop(0.2)


async def ask(port: int, head: str, body: bytes = b"") -> trio.SocketStream:
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    await stream.send_all(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
    return stream


async def connections(server: HttpServer, count: int) -> None:
    """Waits until the server has that many."""
    while len(server._streams) != count:  # noqa: ASYNC110  # it tells nobody
        await trio.sleep(0.01)


async def read_all(stream: trio.SocketStream) -> bytes:
    pieces = [piece async for piece in stream]
    return b"".join(pieces)


async def test_one_address_may_hold_some_connections_and_not_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """But on loopback, where a proxy may speak for many."""
    monkeypatch.setattr(http_server, "MAX_PER_ADDRESS", 2)
    with trio.fail_after(5):
        async with serving(App()) as (server, port):
            held = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(3)]
            await connections(server, 3)
            assert server._has_room("127.0.0.1")
            server._addresses["192.0.2.7"] = 1
            assert server._has_room("192.0.2.7")
            server._addresses["192.0.2.7"] = 2
            assert not server._has_room("192.0.2.7")
            assert server._has_room("192.0.2.8")
            server._addresses["2001:db8::/64"] = 2
            assert not server._has_room("2001:db8::7")
            assert server._has_room("2001:db8:0:1::7")
            for one in held:
                await one.aclose()
            await connections(server, 0)
            assert "127.0.0.1" not in server._addresses


async def test_a_request_in_flight_is_finished_before_the_server_stops() -> None:
    """Stopping closes idle connections at once and lets a request have its answer."""
    app = App()
    with trio.fail_after(5):
        async with serving(app) as (server, port):
            idle = await trio.open_tcp_stream("127.0.0.1", port)
            slow = await ask(port, "GET /slow HTTP/1.1\nHost: localhost")
            await app.entered.wait()
            server.stop(3)
            assert await idle.receive_some() == b""
            with pytest.raises(OSError, match=r"."):
                await trio.open_tcp_stream("127.0.0.1", port)
            app.release.set()
            assert (await read_all(slow)).endswith(b"done")


async def test_a_request_that_does_not_end_is_cut_after_the_grace() -> None:
    """The server stops although the application never answers."""
    app = App()
    with trio.fail_after(5):
        async with serving(app) as (_, port):
            slow = await ask(port, "GET /slow HTTP/1.1\nHost: localhost")
            await app.entered.wait()
        assert b"done" not in await read_all(slow)


async def test_a_client_that_does_not_read_cannot_hold_up_stopping() -> None:
    """A write that nobody takes is ended, though hypercorn shields it."""
    app = App()
    with trio.fail_after(5):
        async with serving(app) as (_, port):
            stuck = await ask(port, "GET /big HTTP/1.1\nHost: localhost")
            await app.entered.wait()
            await trio.testing.wait_all_tasks_blocked(0.05)
        await stuck.aclose()


async def test_a_client_that_does_not_read_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One piece of an answer must be taken within the time-out."""
    monkeypatch.setattr(http_server, "SEND_TIMEOUT", 0.1)
    with trio.fail_after(5):
        async with serving(App()) as (server, port):
            stuck = await ask(port, "GET /big HTTP/1.1\nHost: localhost")
            await connections(server, 1)
            await connections(server, 0)
            await stuck.aclose()


async def test_an_answer_before_the_body_was_read_leaves_nothing_behind() -> None:
    """The connection ends, and its task with it, however much is still sent."""
    head = f"POST / HTTP/1.1\nHost: localhost\nContent-Length: {len(BIG)}"
    with trio.fail_after(10):
        async with serving(App()) as (server, port):
            stream = await ask(port, head)
            with pytest.raises(trio.BrokenResourceError):
                await stream.send_all(BIG)
            await connections(server, 0)
            good = await ask(port, "GET / HTTP/1.1\nHost: localhost\nConnection: close")
            assert (await read_all(good)).endswith(b"done")


async def test_a_fault_in_one_request_is_not_the_servers() -> None:
    """An exception in the application answers 500, garbage 400; the server goes on."""
    with trio.fail_after(5):
        async with serving(App()) as (_, port):
            close = "Host: localhost\nConnection: close"
            bug = await ask(port, f"GET /bug HTTP/1.1\n{close}")
            assert b" 500 " in await read_all(bug)
            garbage = await ask(port, "\x00\xff garbage")
            assert b" 400 " in await read_all(garbage)
            good = await ask(port, f"GET / HTTP/1.1\n{close}")
            assert (await read_all(good)).endswith(b"done")


async def test_connections_beyond_the_cap_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The cap holds, and a place that becomes free can be taken again."""
    monkeypatch.setattr(http_server, "MAX_CONNECTIONS", 1)
    with trio.fail_after(5):
        async with serving(App()) as (server, port):
            first = await trio.open_tcp_stream("127.0.0.1", port)
            await connections(server, 1)
            second = await trio.open_tcp_stream("127.0.0.1", port)
            assert await second.receive_some() == b""
            await first.aclose()
            await connections(server, 0)
            good = await ask(port, "GET / HTTP/1.1\nHost: localhost\nConnection: close")
            assert (await read_all(good)).endswith(b"done")


@pytest.mark.parametrize(
    "hello",
    [
        "PRI * HTTP/2.0\n\nSM",
        "GET / HTTP/1.1\nHost: localhost\nUpgrade: h2c\nConnection: Upgrade, close",
    ],
)
async def test_only_http_1_is_spoken(hello: str) -> None:
    """Our limits are those of HTTP/1.1; a wish for HTTP/2 is passed over."""
    with trio.fail_after(5):
        async with serving(App()) as (server, port):
            answer = await read_all(await ask(port, hello))
            assert answer.startswith(b"HTTP/1.1 ")
            assert b"101" not in answer[:13]
            assert b"upgrade: h2c" not in answer.lower()
            await connections(server, 0)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:8737", 200),
        ("[::1]:8737", 200),
        ("Archive.Example:80", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:8737", 403),
        ("", 403),  # as HTTP/1.0 allows
    ],
)
async def test_only_names_that_are_ours_are_answered(host: str, status: int) -> None:
    """A page that points its own name at this machine learns nothing."""
    with trio.fail_after(5):
        async with serving(App()) as (_, port):
            stream = await ask(port, f"GET / HTTP/1.1\nHost: {host}\nConnection: close")
            assert f" {status} ".encode() in (await read_all(stream))[:20]


async def test_a_port_in_use_is_named() -> None:
    """One line with the address and the port; exit code 78."""
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    with taken, pytest.raises(ConfigError, match=f"port {port}: another") as caught:
        await open_listeners("127.0.0.1", port)
    assert caught.value.exit_code == 78


async def test_an_address_that_is_not_ours_is_named() -> None:
    """An address of another machine cannot be listened at."""
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1"):
        await open_listeners("192.0.2.1", 0)
