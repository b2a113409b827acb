"""Where a log's files can be read: by form, over HTTP, and ahead of the reader."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.support.logs import take_down, works

from byline_ledger.errors import (
    MalformedError,
    NotFoundError,
    StoreError,
    StoreLockedError,
    UsageError,
)
from byline_ledger.log import Ledger, LogView
from byline_ledger.log_files import StatementName, log_file, new_bundles
from byline_ledger.tiles import Tile, new_tiles
from byline_ledger.tombstone import Tombstone
from byline_node import client, read_ahead
from byline_node.client import HttpFiles
from byline_node.errors import NodeUnavailableError
from byline_node.folder_files import FolderTarget
from byline_node.home import Home
from byline_node.log_copy import LogCopy
from byline_node.log_source import FileSource, ViewFiles, open_source, own_source
from byline_node.read_ahead import BODIES_AHEAD, ReadAhead
from byline_node.s3_files import S3Files, is_endpoint

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def web_server(answer: Answer) -> Iterator[str]:
    """A server on loopback that answers every GET with `answer`; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reply(
    request: BaseHTTPRequestHandler,
    status: int,
    body: bytes = b"",
    **headers: str,
) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("content-length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAUSE", 0)


def get(url: str, limit: int = 100) -> bytes:
    files = HttpFiles(url)
    try:
        return files.get("tile/0/000", limit)
    finally:
        files.close()


# Over HTTP


def test_a_file_is_asked_for_under_the_prefix_and_uncompressed() -> None:
    seen: list[tuple[str, str | None]] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        seen.append((request.path, request.headers["accept-encoding"]))
        reply(request, 200, b"data")

    with web_server(answer) as url:
        assert get(f"{url}/some/log/") == b"data"
        assert get(url) == b"data"
    assert seen == [
        ("/some/log/tile/0/000", "identity"),
        ("/log/tile/0/000", "identity"),
    ]


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_not_found(status: int) -> None:
    with (
        web_server(lambda request: reply(request, status)) as url,
        pytest.raises(NotFoundError),
    ):
        get(url)


def test_a_server_in_short_trouble_is_asked_again() -> None:
    statuses = iter([503, 429, 200])
    with web_server(lambda request: reply(request, next(statuses), b"ok")) as url:
        assert get(url) == b"ok"


@pytest.mark.parametrize(("status", "times"), [(503, client.ATTEMPTS), (403, 1)])
def test_a_server_in_long_trouble_is_unavailable(status: int, times: int) -> None:
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        reply(request, status)

    with (
        web_server(answer) as url,
        pytest.raises(NodeUnavailableError, match=f"status {status}"),
    ):
        get(url)
    assert len(asked) == times


def test_a_few_redirects_are_followed_and_a_loop_is_not() -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        path = request.path
        if path.startswith("/moved"):
            reply(request, 302, location=path.replace("/moved", "/log"))
        elif path.startswith("/round"):
            reply(request, 302, location=path)
        else:
            reply(request, 200, b"there")

    with web_server(answer) as url:
        assert get(f"{url}/moved") == b"there"
        with pytest.raises(NodeUnavailableError):
            get(f"{url}/round")


def test_an_endless_file_is_refused_at_its_limit() -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.close_connection = True
        try:
            while True:
                request.wfile.write(b"x" * 65_536)
        except OSError:
            pass

    with web_server(answer) as url, pytest.raises(MalformedError, match="at most 100"):
        get(url)


def test_a_file_that_trickles_for_ever_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "MAX_SECONDS", 0.2)
    monkeypatch.setattr(client, "ATTEMPTS", 1)
    done = threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("content-length", "100000")
        request.end_headers()
        try:
            while not done.wait(0.02):
                request.wfile.write(b"x")
        except OSError:
            pass

    with web_server(answer) as url:
        began = time.monotonic()
        with pytest.raises(NodeUnavailableError, match="in time"):
            get(url, limit=10_000_000)
        assert time.monotonic() - began < 10
        done.set()


def test_a_compressed_or_cut_answer_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def zipped(request: BaseHTTPRequestHandler) -> None:
        reply(request, 200, b"\x1f\x8b", content_encoding="gzip")

    def short(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("content-length", "50")
        request.end_headers()
        request.wfile.write(b"x")
        request.close_connection = True

    with web_server(zipped) as url, pytest.raises(MalformedError, match="compressed"):
        get(url)
    with web_server(short) as url, pytest.raises(NodeUnavailableError):
        get(url)


def test_a_password_in_a_url_is_used_and_never_shown() -> None:
    seen: list[str | None] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.headers["authorization"])
        reply(request, 404)

    with web_server(answer) as url:
        source = open_source(url.replace("://", "://me:hunter2@") + "/log")
        with source, pytest.raises(NotFoundError) as caught:
            source.checkpoint()
    assert seen[0] is not None
    assert "hunter2" not in str(caught.value) + source.name


@pytest.mark.parametrize("url", ["http://", "http://x/log?y=1", "http://x/log#y"])
def test_a_url_that_can_hold_no_log_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        HttpFiles(url)


# By form


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "home" / "node")
    yield ledger
    ledger.close()


def export(view: LogView, folder: Path) -> None:
    target = FolderTarget(folder)
    LogCopy(FileSource(ViewFiles(view, "x", lambda: None)), target).run()
    target.close()


def test_a_source_is_found_by_its_form(tmp_path: Path, ledger: Ledger) -> None:
    vkey = ledger.view.vkey
    export(ledger.view, tmp_path / "copy")
    with open_source(str(tmp_path / "copy")) as source:
        assert source.vkey() == vkey
    home = Home(tmp_path / "home")
    for place in (home.folder, home.node):
        with pytest.raises(StoreLockedError):
            open_source(str(place))
    ledger.close()
    for place in (home.folder, home.node):
        with open_source(str(place)) as source:
            assert source.vkey() == vkey
    with own_source(home, None) as source:
        assert source.vkey() == vkey
    Ledger.open(home.node).close()


def test_a_stopped_node_shows_its_last_tree_with_its_cosignatures(
    tmp_path: Path, ledger: Ledger
) -> None:
    line = "\N{EM DASH} witness.example/w AAAAAAAAAAA=\n"
    note = ledger.view.checkpoint + line.encode()
    ledger.keep_cosigned(note)
    ledger.close()
    with open_source(str(tmp_path / "home")) as source:
        assert source.checkpoint() == note
    ledger = Ledger.open(tmp_path / "home" / "node")
    ledger.append(works(0, 1))
    plain = ledger.view.checkpoint
    ledger.close()
    with open_source(str(tmp_path / "home")) as source:
        assert source.checkpoint() == plain


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("/nowhere", NotFoundError),
        ("", NotFoundError),
        ("x" * 5000, StoreError),
        ("ftp://x/y", UsageError),
        ("s3://", UsageError),
        ("s3://B", UsageError),
        ("s3://bucket/../x", UsageError),
        ("s3://bucket//x", UsageError),
        ("s3://bucket/x y", UsageError),
    ],
)
def test_what_is_no_place_of_a_log_is_refused(
    text: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        open_source(text)


def test_a_home_without_a_node_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        own_source(Home(tmp_path), None)
    assert caught.value.hint == "make one: byline node init"


def test_without_the_extra_the_pip_command_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(UsageError) as caught:
        S3Files("s3://bucket/prefix")
    assert caught.value.hint == 'install it with: pip install "byline-ledger[s3]"'


@pytest.mark.parametrize(
    "endpoint",
    [
        "nonsense",
        "http://",
        "http://[::1",
        "http://[:::::::::]",
        "http://:::",
        "http://]",
        "http://a:0",
        "http://a:99999",
        "http://a:999999999",
        "http://me:secret@a",
        "http://a?b",
        "http://a b",
        "http://a\n",
        "ftp://a",
    ],
)
def test_an_endpoint_that_is_no_url_never_reaches_the_engine(endpoint: str) -> None:
    """It would panic there, which no `except Exception` sees."""
    assert not is_endpoint(endpoint)
    with pytest.raises(UsageError):
        S3Files("s3://bucket/prefix", endpoint=endpoint)


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:8333", "https://[::1]:1/s3", "https://s3.example"]
)
def test_a_url_is_an_endpoint(endpoint: str) -> None:
    assert is_endpoint(endpoint)


# Ahead of the reader


class Slow:
    """Files of a view, each after a moment; counts who waits at once."""

    def __init__(self, view: LogView) -> None:
        self.name = "slow"
        self.asked: list[str] = []
        self.broken = ""
        self.in_bundles = True
        self._inner = ViewFiles(view, "slow", lambda: None)

    def get(self, path: str, limit: int) -> bytes:
        self.asked.append(path)
        time.sleep(0.005)
        if path == self.broken:
            raise StoreError("broken")
        if path.startswith("statements/entries/") and not self.in_bundles:
            raise NotFoundError("one by one")
        return self._inner.get(path, limit)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("in_bundles", [True, False])
def test_reading_ahead_gives_the_same_and_asks_for_nothing_twice(
    ledger: Ledger, in_bundles: bool, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "WORKERS", workers)
    statements = works(0, 600)
    ledger.append(statements)
    take_down(ledger, statements[5])
    view = ledger.view
    slow = Slow(view)
    slow.in_bundles = in_bundles
    with ReadAhead(FileSource(slow)) as source:
        assert source.checkpoint() == view.checkpoint
        assert source.vkey() == view.vkey
        for bundle in new_bundles(0, view.size):
            assert source.tile(bundle) == log_file(view, bundle.to_path()).data
        for tile in new_tiles(0, view.size):
            assert source.tile(tile) == log_file(view, tile.to_path()).data
        for number, one in enumerate(statements):
            body = source.body(one.id)
            if number == 5:
                assert isinstance(body, Tombstone)
            else:
                assert body == one.to_envelope()
    assert len(slow.asked) == len(set(slow.asked))
    one_by_one = [path for path in slow.asked if re.match("statements/../", path)]
    assert len(one_by_one) == (2 if in_bundles else 601)


def test_reading_ahead_is_several_times_as_fast(ledger: Ledger) -> None:
    statements = works(0, 200)
    ledger.append(statements)
    slow = Slow(ledger.view)
    slow.in_bundles = False
    with ReadAhead(FileSource(slow)) as source:
        source.checkpoint()
        source.tile(Tile(None, 0, 202))
        began = time.monotonic()
        for one in statements:
            source.body(one.id)
        assert time.monotonic() - began < 200 * 0.005 / 2


def test_an_error_ahead_is_raised_where_the_file_is_wanted(ledger: Ledger) -> None:
    statements = works(0, 20)
    ledger.append(statements)
    slow = Slow(ledger.view)
    slow.in_bundles = False
    slow.broken = StatementName(statements[10].id).to_path()
    with ReadAhead(FileSource(slow)) as source:
        source.checkpoint()
        source.tile(Tile(None, 0, 22))
        for one in statements[:10]:
            source.body(one.id)
        with pytest.raises(StoreError):
            source.body(statements[10].id)
        assert source.body(statements[11].id) == statements[11].to_envelope()


def test_an_error_in_a_bundle_of_bodies_is_raised_and_tried_again(
    ledger: Ledger,
) -> None:
    one = works(0, 1)[0]
    ledger.append([one])
    slow = Slow(ledger.view)
    slow.broken = "statements/entries/000.p/3"
    with ReadAhead(FileSource(slow)) as source:
        source.checkpoint()
        source.tile(Tile(None, 0, 3))
        with pytest.raises(StoreError):
            source.body(one.id)
        slow.broken = ""
        assert source.body(one.id) == one.to_envelope()


def test_a_reader_who_jumps_leaves_little_behind(ledger: Ledger) -> None:
    statements = works(0, 300)
    ledger.append(statements)
    slow = Slow(ledger.view)
    slow.in_bundles = False
    with ReadAhead(FileSource(slow)) as source:
        source.checkpoint()
        for bundle in new_bundles(0, ledger.view.size):
            source.tile(bundle)
        source.body(statements[0].id)
        source.body(statements[250].id)
        assert source.body(bytes(32)) is None
        assert source.body(statements[3].id) == statements[3].to_envelope()
    bodies = [path for path in slow.asked if re.match("statements/../", path)]
    assert len(bodies) <= 3 * (1 + BODIES_AHEAD) + 3
