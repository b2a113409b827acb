"""Fetching what a stranger's profile points to: servers and resolvers of every kind."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.support.dns_server import dns_server
from tests.support.tls_server import Authority, Page, tls_server

from byline_ledger.errors import UsageError
from byline_ledger.name_check import Fetched
from byline_node import name_fetch
from byline_node.name_dns import MISSING, txt_records
from byline_node.name_fetch import Ways, fetch, look_up, parse_address, parse_way

HOST = "studio.example"
URL = f"https://{HOST}/a"


@contextmanager
def serving(
    folder: Path, *hosts: str, **pages: Page
) -> Iterator[tuple[Ways, list[tuple[str, dict[str, str]]]]]:
    """A server for HOST, and the ways that lead there; `pages` by path."""
    authority = Authority(folder)
    known = {f"{HOST}/{path}": page for path, page in pages.items()}
    with tls_server(authority, known, *(hosts or (HOST,))) as (port, asked):
        here = ("127.0.0.1", port)
        ways = {(HOST, 443): here, ("www." + HOST, 443): here, ("a.b", 443): here}
        yield Ways(ways, authority.file), asked


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


def test_a_file_is_fetched_and_the_way_there_is_told(tmp_path: Path) -> None:
    with serving(tmp_path, a=b"hello") as (ways, asked):
        got = fetch(URL, ways, soon())
        port = ways.hosts[(HOST, 443)][1]
    assert got == Fetched(b"hello", via=f"127.0.0.1:{port}")
    place, headers = asked[0]
    assert place == f"{HOST}/a"
    assert {one.lower() for one in headers} == {"host", "accept-encoding", "user-agent"}


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (500, "HTTP status 500"),
        (204, "HTTP status 204"),
        (b"x" * 65_537, "more than 65536 bytes"),
        ("http://studio.example/a", "another host"),
        ("https://evil.example/a", "another host"),
        ("https://www.evil.example/a", "another host"),
        ("https://studio.example:444/a", "another host"),
        ("https://studio.example:x/a", "no URL"),
        ("https://me@studio.example/a", "no https URL"),
        ("https://studio.example/ü", "no https URL"),
        ("", "more than 3 redirects"),
        ("/a", "more than 3 redirects"),
    ],
)
def test_what_is_not_followed_or_read(tmp_path: Path, page: Page, reason: str) -> None:
    with serving(tmp_path, a=page) as (ways, _):
        got = fetch(URL, ways, soon())
    assert got.data is None
    assert reason in got.failed


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_not_a_failure(tmp_path: Path, status: int) -> None:
    with serving(tmp_path, a=status) as (ways, _):
        got = fetch(URL, ways, soon())
    assert (got.data, got.failed) == (None, "")


def test_redirects_stay_with_the_host(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pages: dict[str, Page] = {
        f"{HOST}/a": f"https://www.{HOST}/b?c=d",
        f"www.{HOST}/b?c=d": f"https://{HOST}/e",
        f"{HOST}/e": "/f",
        f"{HOST}/f": b"at last",
    }
    with tls_server(authority, pages, HOST, "www." + HOST) as (port, _):
        here = ("127.0.0.1", port)
        hosts = {(HOST, 443): here, ("www." + HOST, 443): here}
        got = fetch(URL, Ways(hosts, authority.file), soon())
    assert got.data == b"at last"


def test_the_certificate_must_be_for_the_host_and_by_somebody_known(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, "other.example", a=b"hello") as (ways, _):
        assert "certificate does not hold" in fetch(URL, ways, soon()).failed
    with serving(tmp_path, a=b"hello") as (ways, _):
        unknown = fetch(URL, Ways(ways.hosts), soon())
        assert "certificate does not hold" in unknown.failed
        nobody = Ways(ways.hosts, tmp_path / "nothing.pem")
        with pytest.raises(UsageError, match="no certificates"):
            fetch(URL, nobody, soon())


def trickle(handler: BaseHTTPRequestHandler) -> None:
    """A header that never ends, a byte now and then."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        handler.wfile.write(b"y")
        time.sleep(0.05)


def compressed(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("content-encoding", "gzip")
    handler.end_headers()


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 8192)


def cut(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "9")
    handler.end_headers()
    handler.wfile.write(b"hello")
    handler.close_connection = True


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (trickle, "no answer in time"),
        (compressed, "compressed"),
        (cut, "cut short"),
        (endless, "more than 65536 bytes"),
        (nonsense, "cannot be reached"),
    ],
)
def test_servers_of_ill_will(tmp_path: Path, page: Page, reason: str) -> None:
    with serving(tmp_path, a=page) as (ways, _):
        began = time.monotonic()
        got = fetch(URL, ways, soon(0.6))
        assert time.monotonic() - began < 3
    assert reason in got.failed


def test_who_accepts_and_says_nothing_costs_no_more_than_the_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        ways = Ways({(HOST, 443): silent.getsockname()})
        got = fetch(URL, ways, soon(0.3))
        assert got.failed == f"{URL}: no answer in time"
        assert fetch(URL, ways, soon(-1)).failed == f"{URL}: no answer in time"
    refused = fetch(URL, ways, soon())
    assert refused.failed == f"{URL}: it cannot be reached"


@pytest.mark.parametrize(
    "url",
    [
        "http://studio.example/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[/",
    ],
)
def test_only_https_to_public_names(url: str) -> None:
    assert fetch(url, Ways(), soon()).failed.startswith(url)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "224.0.0.1", "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_a_host_with_any_address_that_is_not_public_is_not_connected_to(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, "93.184.216.34", address)
    monkeypatch.setattr(socket, "create_connection", None)
    assert "not public" in fetch(URL, Ways(), soon()).failed


def test_the_addresses_found_are_the_ones_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[Any] = []

    def connect(address: Any, timeout: float) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    resolve(monkeypatch, "93.184.216.34", "93.184.216.34", "2606:2800::1")
    monkeypatch.setattr(socket, "create_connection", connect)
    assert "cannot be reached" in fetch(URL, Ways(), soon()).failed
    assert tried == [("93.184.216.34", 443), ("2606:2800::1", 443)]


def resolve(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(0, 0, 0, "", (one, 443)) for one in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_a_resolver_that_fails_or_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert "no address" in fetch(URL, Ways(), soon()).failed
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(0.5) or [])
    with pytest.raises(name_fetch._FetchError, match="no answer in time"):
        look_up(HOST, 443, soon(0.05))


def test_what_the_reader_may_name() -> None:
    assert parse_way("a.b=127.0.0.1:8443") == (("a.b", 443), ("127.0.0.1", 8443))
    assert parse_way("a.b:8000=[::1]:1") == (("a.b", 8000), ("::1", 1))
    for wrong in ("a.b", "a.b=", "a.b=c.d:1", "a.b:x=127.0.0.1:1", "a=127.0.0.1:1"):
        with pytest.raises(UsageError):
            parse_way(wrong)
    for wrong in ("127.0.0.1", "127.0.0.1:0", "localhost:53", "127.0.0.1:65536", ":53"):
        with pytest.raises(UsageError):
            parse_address(wrong)


def test_txt_records() -> None:
    zone = {
        "a.example": [b"one", b"two" * 100, b"x" * 1025, b"in\ntwo lines"],
        "many.example": [b"%d" % i for i in range(70)],
        "none.example": "nothing",
        "fails.example": "fails",
        "silent.example": "silent",
    }
    with dns_server(zone) as server:
        via = f"{server[0]}:{server[1]}"
        got = txt_records("a.example", server, soon())
        assert got == Fetched(b"one\n" + b"two" * 100 + b"\n", via=via)
        many = txt_records("many.example", server, soon())
        assert (many.data or b"").count(b"\n") == 64
        for name in ("none.example", "nobody.example"):
            assert txt_records(name, server, soon()) == Fetched(via=via)
        assert "resolver fails" in txt_records("fails.example", server, soon()).failed
        silent = txt_records("silent.example", server, soon(0.3))
        assert silent.failed == "TXT silent.example: no answer in time"
        assert "in time" in txt_records("a.example", server, soon(-1)).failed
        assert "fails" in txt_records("a" * 64 + ".example", server, soon()).failed


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "dns.resolver", None)
    assert txt_records("a.example", None, soon()) == Fetched(failed=MISSING)
