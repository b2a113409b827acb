"""Clients: both kinds against a real API, and what a lying node achieves."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import trio
from tests.support.api import Backend, api
from tests.support.signed import forged, key, signed, withdraw, work

from byline_ledger.bundle import build_bundle
from byline_ledger.codec import join_array, unpack
from byline_ledger.digest import cid_of_statement, digest_bytes, multihash
from byline_ledger.errors import (
    BadSignatureError,
    BylineError,
    MalformedError,
    NotFoundError,
    ProofError,
    UsageError,
    VerificationError,
)
from byline_ledger.log import Ledger
from byline_node import AsyncClient, Client, calls, operations
from byline_node.calls import Call, Operation, Reply
from byline_node.errors import NodeUnavailableError, TooLargeError
from byline_node.receipts import receipts_from_view, receipts_to_json

T = TypeVar("T")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node")
    yield ledger
    ledger.close()


@pytest.fixture
async def url(ledger: Ledger, nursery: trio.Nursery) -> AsyncIterator[str]:
    backend = Backend(ledger)
    nursery.start_soon(backend.writer.run)
    async with api(backend) as plain:
        yield str(plain.base_url)


class Both:
    """Calls the same method of Client (in a thread) or AsyncClient."""

    def __init__(self, url: str, *, blocking: bool) -> None:
        self.client = Client(url) if blocking else AsyncClient(url)

    async def __call__(self, name: str, *args: Any, **options: Any) -> Any:
        method = getattr(self.client, name)
        if isinstance(self.client, AsyncClient):
            return await method(*args, **options)
        return await trio.to_thread.run_sync(lambda: method(*args, **options))


@pytest.fixture(params=["Client", "AsyncClient"])
async def node(url: str, request: pytest.FixtureRequest) -> AsyncIterator[Both]:
    both = Both(url, blocking=request.param == "Client")
    yield both
    await both("close")


@pytest.mark.trio
async def test_publish_query_and_the_rest(node: Both) -> None:
    """Every method of either client, against a real API."""
    one = work("photo", title="a photo")
    remark = signed(multihash(one.id), key(2), type="endorse", role="witnessed")
    receipts = await node("publish", [one, remark])
    assert [receipt.id for receipt in receipts] == [one.id, remark.id]
    answer = await node("query", digest_bytes(b"photo"))
    claim = answer.works[0].claims[0]
    assert (claim.id, claim.title) == (one.id, "a photo")
    assert [remark.id for remark in claim.endorsements] == [remark.id]
    assert await node("statement", one.id) == one
    assert await node("authored", key().public, [one.about]) == [one]
    assert await node("taken_down", key().public, [one.about]) == {}
    status = await node("status")
    assert status["statements"] == 2
    assert await node("health") == status["origin"]


@pytest.mark.trio
async def test_every_hash_means_the_same_work(node: Both) -> None:
    """A digest, a statement's id, and the id of a remark about it."""
    one = work("photo")
    remark = signed(multihash(one.id), key(2), type="endorse", role="witnessed")
    await node("publish", [one, remark])
    digest = one.about[2:].hex()
    texts = [digest, f"sha256:{digest}", cid_of_statement(one.id), one.id.hex()]
    texts += [cid_of_statement(remark.id), remark.id.hex()]
    for asked in [one.about, *texts]:
        assert (await node("query", asked)).asked == one.about, asked
        bundle = await node("query_bundle", asked, depth=0)
        assert calls.read_answer(bundle, one.about, 0).works[0].total == 1


@pytest.mark.trio
async def test_the_unknown_is_an_answer_and_a_missing_statement_an_error(
    node: Both,
) -> None:
    """Nothing known about a digest is proven; an id is there or not."""
    answer = await node("query", "00" * 32)
    assert not answer.known
    for name, asked in (
        ("query", cid_of_statement(bytes(32))),
        ("statement", bytes(32)),
    ):
        with pytest.raises(NotFoundError):
            await node(name, asked)


@pytest.mark.trio
async def test_publishing_goes_in_chunks(
    node: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receipts stay in order, and progress is told of each chunk."""
    monkeypatch.setattr(calls, "CHUNK", 3)
    told: list[int] = []
    statements = [work(f"chunked {i}") for i in range(7)]
    receipts = await node("publish", iter(statements), progress=told.append)
    assert told == [3, 3, 1]
    assert [receipt.id for receipt in receipts] == [one.id for one in statements]


@pytest.mark.trio
async def test_the_nodes_errors_come_back_as_themselves(node: Both) -> None:
    """A refused statement raises here what it raised there."""
    with pytest.raises(BadSignatureError, match="statement 1 of 1"):
        await node("publish", [forged(work("x"))])
    with pytest.raises(UsageError, match="depth"):
        await node("query", bytes.fromhex("1220" + "00" * 32), depth=17)


@pytest.mark.trio
async def test_no_node_is_one_clear_line() -> None:
    """Exit code 69, and the URL."""
    async with AsyncClient("http://127.0.0.1:9", timeout=1.0) as client:
        with pytest.raises(NodeUnavailableError, match="no node answers at") as caught:
            await client.status()
    assert caught.value.exit_code == 69


@pytest.mark.parametrize("url", ["http://a..b", f"http://{'a' * 64}"])
def test_a_host_name_that_no_resolver_takes(url: str) -> None:
    """One line, as for any node that is not there."""
    with Client(url) as client, pytest.raises(NodeUnavailableError, match="no node"):
        client.status()


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://", "", "http://[::1", "http://x:y", "http://xn--"]
)
def test_a_url_that_is_none(url: str) -> None:
    """UsageError with an example."""
    with pytest.raises(UsageError, match=r"http://127\.0\.0\.1:8737"):
        Client(url)


def test_host_and_port_alone_mean_http() -> None:
    """What people type."""
    assert Client("127.0.0.1:1234").url == "http://127.0.0.1:1234"
    assert Client("http://archive.example/").url == "http://archive.example"


# Lies.  The operations are run against a function instead of a node.


def carry(operation: Operation[T], answer: Callable[[Call], Reply]) -> T:
    """Runs an operation with every call answered by `answer`."""
    try:
        call = next(operation)
        while True:
            call = operation.send(answer(call))
    except StopIteration as finished:
        result: T = finished.value
        return result


def answer_in_turn(operation: Operation[T], replies: Iterator[Reply]) -> T:
    return carry(operation, lambda call: next(replies))


def ok(body: bytes) -> Reply:
    return Reply(200, body)


def say(value: object) -> Reply:
    return ok(json.dumps(value).encode())


def test_receipts_for_other_statements_are_refused(ledger: Ledger) -> None:
    """Swapped, too few, for another place, of another tree: none passes."""
    statements = [work(f"{i}") for i in range(3)]
    receipts = receipts_from_view(ledger.append(statements), ledger.view)
    honest = receipts_to_json(receipts, ledger.view)
    assert carry(calls.publish(statements), lambda call: say(honest)) == list(receipts)

    def lie(change: Callable[[dict[str, Any]], None]) -> None:
        told = json.loads(json.dumps(honest))
        change(told)
        carry(calls.publish(statements), lambda call: say(told))

    with pytest.raises(ProofError):
        lie(lambda told: told["receipts"].reverse())
    with pytest.raises(VerificationError, match="expected 3 receipts, got 2"):
        lie(lambda told: told["receipts"].pop())
    with pytest.raises(ProofError):
        lie(lambda told: told["receipts"][0].update(index=2))
    with pytest.raises(ProofError):
        lie(lambda told: told["receipts"][0]["proof"].reverse())
    other = work("not in the log")
    with pytest.raises(ProofError):
        carry(calls.publish([other, *statements[1:]]), lambda call: say(honest))
    for name in (1, None, ["x"]):
        with pytest.raises(MalformedError):
            lie(lambda told, name=name: told["receipts"][0].update(id=name))  # type: ignore[misc]
    forged_note = honest["checkpoint"].replace("\n5\n", "\n6\n")
    assert forged_note != honest["checkpoint"]
    with pytest.raises(BadSignatureError):
        lie(lambda told: told.update(checkpoint=forged_note))


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        {"checkpoint": 1, "log": {}, "receipts": []},
        {"checkpoint": "", "log": {"vkey": 1}, "receipts": []},
        {"checkpoint": "", "log": {"vkey": ""}, "receipts": [1]},
        {"checkpoint": "", "log": {"vkey": ""}, "receipts": [{"id": "x"}]},
        {"checkpoint": "\ud800", "log": {"vkey": ""}, "receipts": []},
    ],
)
def test_receipts_that_are_none_are_malformed(told: Any) -> None:
    """Anything but the documented form."""
    with pytest.raises(MalformedError):
        carry(calls.publish([work("x")]), lambda call: say(told))


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_json_that_is_none_is_malformed(body: bytes) -> None:
    """Also nesting that would overflow a parser's stack."""
    with pytest.raises(MalformedError):
        carry(calls.status(), lambda call: ok(body))


def test_a_bundle_for_something_else_is_refused(ledger: Ledger) -> None:
    """A good bundle for another digest, and one that was changed."""
    ledger.append([work("photo"), work("other")])
    other = build_bundle(ledger.view, digest_bytes(b"other"))
    with pytest.raises(VerificationError, match="does not hold"):
        carry(calls.query(digest_bytes(b"photo")), lambda call: ok(other))
    good = build_bundle(ledger.view, digest_bytes(b"photo"))
    for at in range(0, len(good), 97):
        bad = bytearray(good)
        bad[at] ^= 1
        with pytest.raises(BylineError):
            calls.read_answer(bytes(bad), digest_bytes(b"photo"), 0)


def test_another_statement_than_asked_for_is_refused() -> None:
    """Whatever the node hands over must have the id and a good signature."""
    asked, other = work("asked"), work("other")
    with pytest.raises(VerificationError, match=cid_of_statement(other.id)):
        carry(calls.statement(asked.id), lambda call: ok(other.to_envelope()))
    with pytest.raises(BadSignatureError):
        carry(calls.statement(asked.id), lambda call: ok(forged(asked).to_envelope()))


def test_another_authors_statements_are_refused() -> None:
    """The answer about an author has that author's good signatures only."""
    for bad in (work("x", key(2)), forged(work("x"))):
        replies = iter([ok(join_array([bad.to_envelope()]))])
        asking = calls.authored(key().public, [bad.about])
        with pytest.raises(VerificationError):
            answer_in_turn(asking, replies)


def test_a_question_too_large_is_halved(ledger: Ledger) -> None:
    """Where the answer does not fit one response, the client asks for less."""
    statements = [work(f"{i}") for i in range(5)]
    gone = withdraw(statements[3])
    ledger.append([*statements, gone])
    asked: list[int] = []

    def answer(call: Call) -> Reply:
        assert call.body is not None
        question = calls_question(call.body)
        asked.append(len(question))
        if len(question) > 2:
            error = TooLargeError("too much")
            problem = {"kind": error.kind, "message": str(error), "hint": None}
            return Reply(413, json.dumps({"error": problem}).encode())
        found = operations.authored(ledger.view, key().public, question)
        return ok(join_array([one.to_envelope() for one in found]))

    digests = [one.about for one in statements]
    found = carry(calls.authored(key().public, digests), answer)
    assert {one.id for one in found} == {one.id for one in [*statements, gone]}
    assert max(asked) == 5
    assert min(asked) == 1


def calls_question(body: bytes) -> list[bytes]:
    value = unpack(body, max_size=1 << 20, max_depth=2, what="question")
    return operations.parse_authored(value)[1]


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (
            Reply(404, b"<html>not found</html>"),
            NodeUnavailableError,
            "HTTP status 404",
        ),
        (Reply(302, b""), NodeUnavailableError, "HTTP status 302"),
        (Reply(500, b'{"error":{}}'), NodeUnavailableError, "HTTP status 500"),
        (
            Reply(400, b'{"error":{"kind":"new-kind","message":"m","hint":null}}'),
            NodeUnavailableError,
            "m",
        ),
        (
            Reply(
                404,
                b'{"error":{"kind":"not-found","message":"a\\u001b[2Jb\\nc","hint":3}}',
            ),
            NotFoundError,
            "a [2Jb c",
        ),
    ],
)
def test_errors_of_a_stranger(
    reply: Reply, error: type[BylineError], text: str
) -> None:
    """Another program's answer is named as such; text is made fit for a terminal."""
    with pytest.raises(error) as caught:
        carry(calls.status(), lambda call: reply)
    assert text in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.trio
async def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node cannot fill the client's memory."""
    monkeypatch.setattr(calls, "MAX_REPLY", 1 << 20)

    def endless(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=(b"x" * 65536 for _ in range(1 << 20)))

    client = Client()
    transport = httpx.MockTransport(endless)
    client._http = httpx.Client(transport=transport, base_url=client.url)
    with pytest.raises(MalformedError, match="exceeds"):
        client.status()


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "br", "unheard-of"])
@pytest.mark.trio
async def test_a_compressed_answer_is_refused_unread(encoding: str) -> None:
    """It was not asked for, and kilobytes of it can hold gigabytes."""

    def bomb(request: httpx.Request) -> httpx.Response:
        headers = {"content-encoding": encoding}
        return httpx.Response(200, headers=headers, content=never())

    def never() -> Iterator[bytes]:
        raise AssertionError("read")
        yield b""

    transport = httpx.MockTransport(bomb)
    with Client() as client:
        client._http = httpx.Client(transport=transport, base_url=client.url)
        with pytest.raises(MalformedError, match="not compressed"):
            client.status()

    async def bomb_later(request: httpx.Request) -> httpx.Response:
        headers = {"content-encoding": encoding}
        return httpx.Response(200, headers=headers, content=b"")

    later = httpx.MockTransport(bomb_later)
    async with AsyncClient() as patient:
        patient._http = httpx.AsyncClient(transport=later, base_url=patient.url)
        with pytest.raises(MalformedError, match="not compressed"):
            await patient.status()


def test_json_larger_than_any_node_sends_is_refused() -> None:
    """As objects it would take 30 times its size."""
    problem = b'{"error":{"kind":"usage","message":"m","hint":null},"more":['
    flood = problem + b"{}," * (3 << 20) + b"{}]}"
    for status, error in ((200, MalformedError), (400, NodeUnavailableError)):
        with pytest.raises(error):
            answer_in_turn(calls.status(), iter([Reply(status, flood)]))


def test_a_client_loads_nothing_of_a_node() -> None:
    """Scripts that talk to a node do not pay for running one."""
    code = "import sys; from byline_node import Client; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "byline_node.client" in loaded
    heavy = {
        "libp2p",
        "fastapi",
        "starlette",
        "hypercorn",
        "plyvel",
        "trio",
        "structlog",
    }
    assert heavy.isdisjoint(loaded)
