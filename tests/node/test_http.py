"""The HTTP API over a real ledger and real sockets: answers, limits, errors."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from tests.support.api import Backend, api
from tests.support.signed import forged, key, signed, withdraw, work

from byline_ledger.bundle import Bundle
from byline_ledger.codec import join_array, pack, split_array
from byline_ledger.digest import cid_of_statement, digest_bytes, multihash
from byline_ledger.errors import StoreError
from byline_ledger.log import Ledger
from byline_ledger.merkle import verify_consistency
from byline_ledger.statement import Statement
from byline_ledger.tombstone import Tombstone
from byline_ledger.verify import verify_bundle
from byline_node import http_bodies, http_models, http_public, operations, taken_down
from byline_node.receipts import receipts_from_json, verify_receipts
from byline_node.taken_down import TakenDown
from byline_node.writer import Writer

pytestmark = pytest.mark.trio

MSGPACK = {"content-type": "application/vnd.msgpack"}
BUNDLE = {"accept": "application/vnd.byline.bundle"}
ENVELOPE = {"accept": "application/vnd.byline.statement"}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node")
    yield ledger
    ledger.close()


@pytest.fixture
async def backend(ledger: Ledger, nursery: trio.Nursery) -> Backend:
    backend = Backend(ledger)
    nursery.start_soon(backend.writer.run)
    return backend


@pytest.fixture
async def client(backend: Backend) -> AsyncIterator[httpx.AsyncClient]:
    async with api(backend) as client:
        yield client


def batch(*statements: Statement) -> bytes:
    return join_array([one.to_envelope() for one in statements])


async def publish(client: httpx.AsyncClient, *statements: Statement) -> httpx.Response:
    return await client.post(
        "/v1/statements", content=batch(*statements), headers=MSGPACK
    )


def check_error(response: httpx.Response, status: int, kind: str, text: str) -> None:
    """The one form of every error, and one line of text."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    problem = http_models.Failure.model_validate(response.json()).error
    assert problem.kind == kind
    assert text in problem.message
    assert "\n" not in problem.message


# Publishing


async def test_a_receipt_for_each_statement_in_order(client: httpx.AsyncClient) -> None:
    """Every receipt is proven by the one checkpoint of the answer."""
    statements = [work(f"work {i}") for i in range(20)]
    response = await publish(client, *statements)
    assert response.status_code == 200
    http_models.Receipts.model_validate(response.json())
    receipts = receipts_from_json(response.json())
    verify_receipts(receipts, statements)
    assert all(receipt.new for receipt in receipts)


async def test_publishing_again_changes_nothing(client: httpx.AsyncClient) -> None:
    """The second receipt names the same place and says that it is not new."""
    one = work("again")
    first = receipts_from_json((await publish(client, one)).json())[0]
    second = receipts_from_json((await publish(client, one, one)).json())
    assert [r.index for r in second] == [first.index] * 2
    assert not any(receipt.new for receipt in second)
    assert (await client.get("/v1/status")).json()["statements"] == 1


@pytest.mark.parametrize(
    ("broken", "status", "kind"),
    [
        (lambda s: b"\x92\x01" + s.to_envelope()[2:-66], 400, "malformed"),
        (lambda s: b"\x93\x02" + s.to_envelope()[2:], 400, "unsupported"),
        (lambda s: forged(s).to_envelope(), 422, "bad-signature"),
        (lambda s: b"\x01", 400, "malformed"),
    ],
)
async def test_one_bad_statement_refuses_the_batch_and_is_named(
    client: httpx.AsyncClient, broken: Any, status: int, kind: str
) -> None:
    """All or nothing: the good ones beside it are not taken."""
    good = [work("a").to_envelope(), broken(work("b")), work("c").to_envelope()]
    body = join_array(good)
    response = await client.post("/v1/statements", content=body, headers=MSGPACK)
    check_error(response, status, kind, "statement 2 of 3")
    assert (await client.get("/v1/status")).json()["statements"] == 0


async def test_a_body_of_17_kib_is_refused(client: httpx.AsyncClient) -> None:
    """The limit of a statement is 16 KiB, whoever signs it."""
    body = pack({"author": key().public, "padding": "x" * (17 << 10)})
    envelope = b"\x93\x01\xc5" + len(body).to_bytes(2, "big") + body
    envelope += b"\xc4\x40" + bytes(64)
    response = await client.post(
        "/v1/statements", content=join_array([envelope]), headers=MSGPACK
    )
    check_error(response, 400, "malformed", "statement 1 of 1")


@pytest.mark.parametrize(
    "body", [b"", b"\x90\x90", b"\xc1", b"\xdd\xff\xff\xff\xff", b"not messagepack"]
)
async def test_bytes_that_are_no_array_are_refused(
    client: httpx.AsyncClient, body: bytes
) -> None:
    """400, whatever they are."""
    response = await client.post("/v1/statements", content=body, headers=MSGPACK)
    check_error(response, 400, "malformed", "array")


async def test_an_empty_array_has_no_receipts(client: httpx.AsyncClient) -> None:
    """Nothing asked, nothing written."""
    before = (await client.get("/v1/status")).json()["size"]
    response = await publish(client)
    assert response.json()["receipts"] == []
    assert (await client.get("/v1/status")).json()["size"] == before


async def test_the_content_type_is_required(client: httpx.AsyncClient) -> None:
    """A form that any web page may send across origins is never read."""
    for given in ({}, {"content-type": "text/plain"}):
        response = await client.post(
            "/v1/statements", content=batch(work("x")), headers=given
        )
        check_error(response, 415, "media-type", "application/vnd.msgpack")


async def test_a_body_over_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    """413, announced or not, and the client gets to read it."""
    big = bytes(9 << 20)

    async def unannounced() -> AsyncIterator[bytes]:
        for start in range(0, len(big), 1 << 20):
            yield big[start : start + (1 << 20)]

    for content in (big, unannounced()):
        response = await client.post("/v1/statements", content=content, headers=MSGPACK)
        check_error(response, 413, "too-large", str(8 << 20))


async def test_a_body_that_does_not_arrive_is_given_up(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """408 after the time-out, so that a place for bodies is not held for ever."""
    monkeypatch.setattr(http_bodies, "GRACE_SECONDS", 0.05)

    head = (
        "POST /v1/statements HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
        f"Content-Type: {MSGPACK['content-type']}\r\n\r\n"
    )
    stream = await trio.open_tcp_stream(client.base_url.host, client.base_url.port or 0)
    with trio.fail_after(5):
        await stream.send_all(head.encode() + b"\x91")
        answer = b"".join([piece async for piece in stream])
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"kind":"slow-request"' in answer


async def trickle(client: httpx.AsyncClient, path: str) -> trio.SocketStream:
    """One byte of a long body, and nothing more."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        f"Content-Type: {MSGPACK['content-type']}\r\n\r\n"
    )
    stream = await trio.open_tcp_stream(client.base_url.host, client.base_url.port or 0)
    await stream.send_all(head.encode() + b"\x91")
    return stream


async def test_strangers_who_send_slowly_do_not_keep_anybody_from_publishing(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The witness's places for bodies are not those of the API."""
    monkeypatch.setattr(http_public, "WITNESS_WAIT", 0.05)
    count = http_bodies.AT_ONCE
    slow = [await trickle(client, "/witness/add-checkpoint") for _ in range(count)]
    with trio.fail_after(http_bodies.GRACE_SECONDS - 1):
        answer = await client.post("/witness/add-checkpoint", content=b"old 0\n\n")
        while answer.status_code != 503:
            answer = await client.post("/witness/add-checkpoint", content=b"old 0\n\n")
        assert (await publish(client, work("meanwhile"))).status_code == 200
    for stream in slow:
        await stream.aclose()


async def test_after_a_failed_write_there_is_no_receipt(ledger: Ledger) -> None:
    """503 with one line to every request; reading goes on."""
    backend = Backend(ledger)
    failure = StoreError("cannot write: no space left on device", hint="free some")

    def fail(statements: Any) -> Any:
        raise failure

    backend.writer = Writer(Failing(ledger, fail))

    async def run() -> None:
        with pytest.raises(StoreError):
            await backend.writer.run()

    async with trio.open_nursery() as nursery, api(backend) as client:
        nursery.start_soon(run)
        for _ in range(2):
            response = await publish(client, work("lost"))
            check_error(response, 503, "store", "no space left on device")
            assert response.json()["error"]["hint"] == "free some"
        assert (await client.get("/healthz")).status_code == 200


class Failing:
    """A ledger that cannot append."""

    read_only = None
    failure = "a failed write"

    def __init__(self, ledger: Ledger, append: Any) -> None:
        self._ledger = ledger
        self.append = append

    @property
    def view(self) -> Any:
        return self._ledger.view


# Asking


async def test_a_bundle_that_verifies(client: httpx.AsyncClient) -> None:
    """The bundle of the answer is checked here, with nothing from the node trusted."""
    one = work("photo")
    await publish(client, one, work("other"))
    digest = digest_bytes(b"photo")
    response = await client.get(f"/v1/query/{digest[2:].hex()}", headers=BUNDLE)
    assert response.headers["content-type"] == BUNDLE["accept"]
    verdict = verify_bundle(response.content, digest=digest)
    assert verdict.ok, verdict.levels
    assert verdict.answer is not None
    assert [claim.id for claim in verdict.answer.works[0].claims] == [one.id]


async def test_the_same_in_json(client: httpx.AsyncClient) -> None:
    """The answer for people, with the levels at which it was verified."""
    one = work("photo")
    await publish(client, one)
    response = await client.get(f"/v1/query/sha256:{one.about[2:].hex()}")
    answer = http_models.QueryAnswer.model_validate(response.json())
    assert answer.ok
    assert answer.answer is not None
    assert answer.answer["works"][0]["claims"][0]["id"] == cid_of_statement(one.id)


async def test_what_nobody_attested_is_proven_absent(client: httpx.AsyncClient) -> None:
    """An unknown digest is an answer, not an error."""
    digest = digest_bytes(b"nobody knows")
    response = await client.get(f"/v1/query/{digest[2:].hex()}", headers=BUNDLE)
    verdict = verify_bundle(response.content, digest=digest)
    assert verdict.ok
    assert verdict.answer is not None
    assert not verdict.answer.known


async def test_every_form_of_a_hash(client: httpx.AsyncClient) -> None:
    """Also one with slashes in it; a statement id means the work it is about."""
    one = work("many forms")
    remark = signed(multihash(one.id), key(2), type="endorse", role="witnessed")
    await publish(client, one, remark)
    sri = "sha256-" + base64.b64encode(one.about[2:]).decode()
    forms = [
        one.about[2:].hex(),
        one.about.hex(),
        f"sha256:{one.about[2:].hex()}",
        sri,
        cid_of_statement(one.id),
        one.id.hex(),
        cid_of_statement(remark.id),
    ]
    for form in forms:
        response = await client.get(f"/v1/query/{form}", headers=BUNDLE)
        assert response.status_code == 200, (form, response.text)
        assert Bundle.from_bytes(response.content).asked == (one.about,), form


async def test_a_slash_in_a_hash_is_part_of_it(client: httpx.AsyncClient) -> None:
    """SRI is base64, which has slashes."""
    text = next(t for t in map(str, range(1000)) if b"/" in sri_of(t))
    await publish(client, work(text))
    response = await client.get(f"/v1/query/sha256-{sri_of(text).decode()}")
    assert response.json()["answer"]["works"][0]["total"] == 1


def sri_of(text: str) -> bytes:
    return base64.b64encode(digest_bytes(text.encode())[2:])


async def test_a_bad_hash_names_the_accepted_forms(client: httpx.AsyncClient) -> None:
    """400 with the forms in the hint."""
    response = await client.get("/v1/query/not-a-hash")
    check_error(response, 400, "malformed", "not-a-hash")
    assert "sha256sum" in response.json()["error"]["hint"]


@pytest.mark.parametrize("depth", ["-1", "17", "x", "1e3"])
async def test_a_bad_depth_is_named(client: httpx.AsyncClient, depth: str) -> None:
    """400, and what was expected."""
    path = f"/v1/query/{'00' * 32}?depth={depth}"
    check_error(await client.get(path), 400, "usage", "depth")


async def test_one_statement_by_its_id(client: httpx.AsyncClient) -> None:
    """As JSON, or as the very envelope that was published."""
    one = work("single", title="a title")
    await publish(client, one)
    for name in (cid_of_statement(one.id), one.id.hex()):
        shown = await client.get(f"/v1/statements/{name}")
        found = http_models.StatementJson.model_validate(shown.json())
        assert bytes.fromhex(found.body) == one.body
        assert found.fields["title"] == "a title"
        raw = await client.get(f"/v1/statements/{name}", headers=ENVELOPE)
        assert raw.content == one.to_envelope()


async def test_a_statement_that_is_not_there(client: httpx.AsyncClient) -> None:
    """404 for an unknown id, 400 for what is none."""
    missing = cid_of_statement(bytes(32))
    response = await client.get(f"/v1/statements/{missing}")
    check_error(response, 404, "not-found", missing)
    response = await client.get(f"/v1/query/{missing}")
    check_error(response, 404, "not-found", missing)
    response = await client.get("/v1/statements/nonsense")
    check_error(response, 400, "malformed", "nonsense")


async def test_what_an_author_said(client: httpx.AsyncClient) -> None:
    """Only that author's, only about those digests, with the withdrawals."""
    mine, other = work("mine"), work("mine", key(2))
    withdrawn = work("withdrawn")
    gone = withdraw(withdrawn)
    stranger = withdraw(mine, key(2))
    await publish(client, mine, other, withdrawn, gone, stranger, work("unasked"))
    question: Any = {"author": key().public, "digests": [mine.about, withdrawn.about]}
    body = pack(question)
    response = await client.post("/v1/authored", content=body, headers=MSGPACK)
    assert response.headers["content-type"] == MSGPACK["content-type"]
    items = split_array(response.content, max_size=1 << 20, max_items=10)
    found = [Statement.from_envelope(item).id for item in items]
    assert found == [mine.id, withdrawn.id, gone.id]


async def test_a_digest_asked_again_and_again_is_looked_up_once(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question is no multiplier: each digest costs up to 4,000 reads."""
    looked_up: list[bytes] = []

    def said_by(view: object, author: bytes, digest: bytes) -> Iterator[Statement]:
        looked_up.append(digest)
        yield from ()

    monkeypatch.setattr(operations, "said_by", said_by)
    digests = [digest_bytes(b"x"), digest_bytes(b"y")]
    body = pack({"author": bytes(32), "digests": digests * 2000})
    response = await client.post("/v1/authored", content=body, headers=MSGPACK)
    assert response.status_code == 200
    assert looked_up == digests


async def test_what_was_taken_down_keeps_nothing_else_back(
    ledger: Ledger, client: httpx.AsyncClient
) -> None:
    """The author's other statements are found, and which is gone is said, with why."""
    gone, kept, stranger = work("gone"), work("kept"), work("gone", key(2))
    ledger.append([gone, kept, stranger])
    for one in (gone, stranger):
        ledger.redact(one.id, Tombstone("a court said so", 7))
    question: Any = {"author": key().public, "digests": [gone.about, kept.about]}
    body = pack(question)
    response = await client.post("/v1/authored", content=body, headers=MSGPACK)
    (item,) = split_array(response.content, max_size=1 << 20, max_items=10)
    assert Statement.from_envelope(item) == kept
    response = await client.post("/v1/taken-down", content=body, headers=MSGPACK)
    http_models.TakenDown.model_validate(response.json())
    assert taken_down.from_json(response.json()) == {
        gone.about: TakenDown(gone.about, gone.id, Tombstone("a court said so", 7))
    }
    asked = gone.about[2:].hex()
    assert (await client.get(f"/v1/query/{asked}")).status_code == 200


async def test_a_witness_refuses_a_body_over_its_limit(
    client: httpx.AsyncClient,
) -> None:
    """With the status of docs/spec/witness.md, and a line that says the limit."""
    too_much = b"old 0\n" + bytes(65_536)
    response = await client.post("/witness/add-checkpoint", content=too_much)
    assert response.status_code == 413
    assert response.text == "expected a body of at most 65536 bytes, got more\n"


@pytest.mark.parametrize(
    "question",
    [
        [],
        {"author": bytes(31), "digests": []},
        {"author": bytes(32), "digests": [bytes(34)]},
        {"author": bytes(32), "digests": ["x"]},
        {"author": bytes(32), "digests": {}},
        {"author": bytes(32)},
        {"author": bytes(32), "digests": [digest_bytes(b"x")] * 4097},
    ],
)
async def test_a_bad_question_about_an_author(
    client: httpx.AsyncClient, question: Any
) -> None:
    """400 for anything but a key and digests."""
    body = pack(question)
    for path in ("/v1/authored", "/v1/taken-down"):
        response = await client.post(path, content=body, headers=MSGPACK)
        check_error(response, 400, "malformed", "expected")


# The rest


async def test_status_and_health(client: httpx.AsyncClient) -> None:
    """Both are as OpenAPI describes them."""
    status = await client.get("/v1/status")
    found = http_models.Status.model_validate(status.json())
    health = http_models.Health.model_validate((await client.get("/healthz")).json())
    assert health.origin == found.origin
    assert found.size == 1


async def test_unknown_paths_and_methods(client: httpx.AsyncClient) -> None:
    """JSON like every other error."""
    check_error(await client.get("/v2/nothing"), 404, "not-found", "GET /v2/nothing")
    response = await client.delete("/v1/status")
    check_error(response, 405, "usage", "DELETE /v1/status")
    assert "GET" in response.headers["allow"]


async def test_openapi_names_every_route(client: httpx.AsyncClient) -> None:
    """The document is served, and its page with foreign scripts is not."""
    document = (await client.get("/openapi.json")).json()
    assert set(document["paths"]) == {
        "/v1/statements",
        "/v1/statements/{id}",
        "/v1/query",
        "/v1/query/{hash}",
        "/v1/authored",
        "/v1/similar",
        "/v1/taken-down",
        "/v1/consistency",
        "/v1/status",
        "/v1/admission",
        "/v1/stats",
        "/healthz",
    }
    assert (await client.get("/docs")).status_code == 404


async def test_no_answer_allows_another_origin(client: httpx.AsyncClient) -> None:
    """No CORS header, and no answer to a preflight."""
    foreign = {"origin": "http://evil.example"}
    response = await client.get("/v1/status", headers=foreign)
    assert not [name for name in response.headers if "access-control" in name]
    asking = foreign | {"access-control-request-method": "POST"}
    response = await client.options("/v1/statements", headers=asking)
    assert response.status_code == 405


async def test_a_fault_of_ours_is_a_500_in_the_same_form(ledger: Ledger) -> None:
    """No traceback reaches the caller."""

    class Broken(Backend):
        def status(self) -> dict[str, Any]:
            raise RuntimeError("secret detail")

    async with api(Broken(ledger)) as client:
        response = await client.get("/v1/status")
        check_error(response, 500, "error", "the node failed inside")
        assert "secret detail" not in response.text
        assert (await client.get("/healthz")).status_code == 200


async def test_consistency_between_two_trees(
    client: httpx.AsyncClient, ledger: Ledger
) -> None:
    """The proof holds; trees that there are not are refused."""
    old = ledger.view
    ledger.append([work("one"), work("two")])
    new = ledger.view
    path = f"/v1/consistency?old={old.size}&new={new.size}"
    value = (await client.get(path)).json()
    proof = tuple(base64.b64decode(one) for one in value["proof"])
    verify_consistency(old.size, new.size, old.root, new.root, proof)
    for query in ("old=2&new=1", f"old=1&new={new.size + 1}", "old=-1&new=1", "old=x"):
        response = await client.get(f"/v1/consistency?{query}")
        check_error(response, 400, "usage", "")


async def test_a_statement_that_was_taken_down_is_not_taken_in_again(
    ledger: Ledger, client: httpx.AsyncClient
) -> None:
    """The whole request is refused, with the reason."""
    gone, other = work("gone"), work("other")
    ledger.append([gone])
    ledger.redact(gone.id, Tombstone("a court said so", 1))
    response = await publish(client, other, gone)
    check_error(response, 410, "redacted", "statement 2 of 2")
    assert "a court said so" in response.json()["error"]["message"]
    assert ledger.view.index_of(other.id) is None
