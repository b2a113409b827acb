"""Many works at once: the route, the clients, and what a lying node achieves."""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from tests.support.api import Backend, api
from tests.support.signed import key, signed, withdraw, work

from byline_ledger import key_lookups
from byline_ledger.answer import Answer
from byline_ledger.bundle import build_shared
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement, digest_bytes
from byline_ledger.entry import author_tag
from byline_ledger.errors import (
    MalformedError,
    ProofError,
    UsageError,
    VerificationError,
)
from byline_ledger.log import Ledger
from byline_ledger.policy import Policy
from byline_ledger.verify import verify_bundle
from byline_node import AsyncClient, Client, LocalClient, many_works
from byline_node.home import Home
from byline_node.many_works import Asking, answer_all
from byline_node.shared_question import MAX_BYTES, SharedQuestion

WORKS = [work(f"work {number}", key(number % 3)) for number in range(20)]
DIGESTS = [one.about for one in WORKS]
UNKNOWN = digest_bytes(b"nobody's")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node")
    ledger.append([*WORKS, withdraw(WORKS[3], key(0))])
    yield ledger
    ledger.close()


@pytest.fixture
async def url(ledger: Ledger, nursery: trio.Nursery) -> AsyncIterator[str]:
    backend = Backend(ledger)
    nursery.start_soon(backend.writer.run)
    async with api(backend) as plain:
        yield str(plain.base_url)


def without_derived(answer: Answer) -> Answer:
    """What was made from a work is looked up for a work that is asked for alone."""
    first = replace(answer.works[0], derived=(), derived_total=None)
    return replace(answer, works=(first, *answer.works[1:]))


async def ask_all(url: str, kind: str, digests: Sequence[bytes], **how: Any) -> Any:
    """What either client answers, and how often the node was asked."""
    if kind == "AsyncClient":
        async with AsyncClient(url) as client:
            return [one async for one in client.query_many(digests, **how)]

    def wait() -> list[Answer]:
        with Client(url) as client:
            return list(client.query_many(iter(digests), **how))

    return await trio.to_thread.run_sync(wait)


@pytest.mark.trio
@pytest.mark.parametrize("kind", ["Client", "AsyncClient"])
async def test_each_work_has_the_answer_that_it_has_alone(
    url: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the question, whatever is asked twice or not known."""
    asked = [*DIGESTS[::-1], UNKNOWN, DIGESTS[0], DIGESTS[0]]
    for size in (512, 4):
        monkeypatch.setattr(many_works, "MAX_ASKED", size)
        found = await ask_all(url, kind, asked, keys=[key(5).public])
        assert [one.asked for one in found] == asked
        async with AsyncClient(url) as client:
            alone = [await client.query(one, depth=0) for one in asked]
        assert found == [without_derived(one) for one in alone]
    assert await ask_all(url, kind, []) == []


@pytest.mark.trio
async def test_the_first_answers_come_before_all_was_asked(url: str) -> None:
    """Any iterable: one bundle is asked ahead, and no more of it is taken."""
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        number = 0
        while True:
            taken.append(number)
            yield DIGESTS[number % 20]
            number += 1

    def first() -> Answer:
        with Client(url) as client:
            answers = client.query_many(endless())
            found = next(answers)
            answers.close()  # type: ignore[attr-defined]  # a generator
            return found

    assert (await trio.to_thread.run_sync(first)).asked == DIGESTS[0]
    assert len(taken) <= 3 * 512


@pytest.mark.trio
async def test_no_request_is_kept_until_cycles_are_looked_for(url: str) -> None:
    """A million works are asked for in two thousand requests of 40 kB."""

    def ask() -> int:
        with Client(url) as client:
            list(client.query_many(DIGESTS))
            gc.collect()
            gc.disable()
            try:
                before = requests()
                list(client.query_many(DIGESTS))
                return requests() - before
            finally:
                gc.enable()

    def requests() -> int:
        return sum(type(one).__name__ == "Request" for one in gc.get_objects())

    assert await trio.to_thread.run_sync(ask) <= 0
    async with AsyncClient(url) as client:
        one = [answer async for answer in client.query_many(DIGESTS[:1])]
        gc.collect()
        gc.disable()
        try:
            before = requests()
            assert [answer async for answer in client.query_many(DIGESTS[:1])] == one
            assert requests() <= before
        finally:
            gc.enable()


@pytest.mark.trio
async def test_a_local_client_does_the_same(tmp_path: Path) -> None:
    with LocalClient(Home(tmp_path)) as client:
        client.publish(WORKS)
        found = list(client.query_many([*DIGESTS, UNKNOWN]))
        assert [one.known for one in found] == [True] * 20 + [False]
        with pytest.raises(UsageError, match="multihashes"):
            list(client.query_many([b"short"]))


def asker(ledger: Ledger, sizes: list[int]) -> Callable[[SharedQuestion], bytes]:
    """Answers as a node does, and notes how many works it was asked for."""

    def ask(question: SharedQuestion) -> bytes:
        sizes.append(len(question.digests))
        asked, depth, keys = question.digests, question.depth, question.keys
        return build_shared(ledger.view, asked, depth=depth, keys=keys)

    return ask


def test_who_is_cut_short_in_company_is_asked_again_in_less(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a flood about one work pushes out of a bundle is not lost: only the caps
    decide, and each work has them for itself in the end."""
    flood = [signed(DIGESTS[7], key(9), type="x-note", n=n) for n in range(40)]
    ledger.append(flood)
    whole = list(answer_all(DIGESTS, Asking(), asker(ledger, [])))
    monkeypatch.setattr(key_lookups, "MAX_EVIDENCE", 120_000)
    sizes: list[int] = []
    found = list(answer_all(DIGESTS, Asking(), asker(ledger, sizes)))
    assert sizes[0] == 20
    assert 2 in sizes[1:]
    assert 1 in sizes[1:]
    for one, other in zip(found, whole, strict=True):
        if one.asked != DIGESTS[7]:
            assert without_derived(one) == without_derived(other)
    flooded = found[7]
    assert "statements beyond 120000 bytes are not followed" in flooded.gaps


def test_a_no_from_before_a_flood_is_found_in_company_too(ledger: Ledger) -> None:
    """A work whose page is not complete is asked for alone, where its bundle tells who
    came first."""
    uses = {"cawg.ai_training": {"use": "notAllowed"}}
    last = max(map(key, range(20, 40)), key=lambda one: author_tag(one.public))
    ledger.append([signed(DIGESTS[0], last, uses=uses)])
    ledger.append([signed(DIGESTS[0], key(40 + n % 200)) for n in range(300)])
    sizes: list[int] = []
    found = list(answer_all(DIGESTS, Asking(), asker(ledger, sizes)))
    assert sizes == [20, 1]
    assert found[0].works[0].total == 302
    assert found[0].consent("cawg.ai_training").verdict == "notAllowed"


@pytest.mark.parametrize("lie", ["fewer", "others", "keyless", "cut", "forged"])
def test_a_lie_is_noticed(ledger: Ledger, lie: str) -> None:
    """Whoever answers something else than was asked is not believed."""
    view, keys = ledger.view, [key(5).public]

    def ask(question: SharedQuestion) -> bytes:
        asked = list(question.digests)
        if lie == "fewer":
            return build_shared(view, asked[1:], depth=0, keys=keys)
        if lie == "others":
            return build_shared(view, [*asked[1:], UNKNOWN], depth=0, keys=keys)
        if lie == "keyless":
            return build_shared(view, asked, depth=0)
        whole = build_shared(view, asked, depth=0, keys=keys)
        return whole[:-1] if lie == "cut" else whole[:-1] + b"\x01"

    with pytest.raises((VerificationError, MalformedError, ProofError)):
        list(answer_all(DIGESTS, Asking(keys=tuple(keys)), ask))


def test_the_policy_is_held_against_every_bundle(ledger: Ledger) -> None:
    strange = Policy.from_bytes(b"quorum none\n")
    with pytest.raises(VerificationError, match="trust"):
        list(answer_all(DIGESTS, Asking(policy=strange), asker(ledger, [])))


def test_a_node_that_fails_later_is_heard_after_the_answers_before(
    ledger: Ledger,
) -> None:
    """The bundle that is asked ahead fails in its own turn."""
    asked = asker(ledger, [])
    left = [1, 0]

    def ask(question: SharedQuestion) -> bytes:
        if not left.pop(0):
            raise MalformedError("gone")
        return asked(question)

    answers = answer_all(DIGESTS, Asking(), ask, size=10)
    assert [next(answers).asked for _ in range(10)] == DIGESTS[:10]
    with pytest.raises(MalformedError, match="gone"):
        next(answers)


# The route


async def post(url: str, body: Any, kind: str = "application/json") -> Any:
    import httpx

    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with httpx.AsyncClient(trust_env=False) as plain:
        headers = {"content-type": kind}
        return await plain.post(f"{url}/v1/query", content=data, headers=headers)


@pytest.mark.trio
async def test_one_bundle_for_all(url: str) -> None:
    """Hex or any other form of a digest; keys as people write them."""
    texts = [DIGESTS[0][2:].hex(), f"sha256:{DIGESTS[1][2:].hex()}"]
    response = await post(url, {"digests": texts})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/vnd.byline.bundle"
    assert verify_bundle(response.content, digests=DIGESTS[:2]).ok
    keys = [did_key(key(5).public)]
    response = await post(url, {"digests": texts, "keys": keys, "depth": 3})
    verdict = verify_bundle(response.content, digests=DIGESTS[:2], keys=[key(5).public])
    assert verdict.ok
    assert [one.asked for one in verdict.answers] == sorted(DIGESTS[:2])


@pytest.mark.trio
async def test_what_is_no_question_is_refused(url: str) -> None:
    """With the reason, and before anything is looked up."""
    texts = [one[2:].hex() for one in DIGESTS]
    for body, reason in (
        (b"", "expected JSON"),
        (b"[" * 5000, "expected JSON"),
        ([], "an object with digests"),
        ({}, "an object with digests"),
        ({"digests": texts, "more": 1}, "an object with digests"),
        ({"digests": []}, "at least one"),
        ({"digests": texts[0]}, "an array of at most 512"),
        ({"digests": [f"{n:064x}" for n in range(513)]}, "an array of at most 512"),
        ({"digests": [7]}, "expected strings"),
        ({"digests": ["7"]}, "hash"),
        ({"digests": [cid_of_statement(WORKS[0].id)]}, "a statement's id"),
        ({"digests": texts, "depth": 17}, "depth: expected 0 to 16"),
        ({"digests": texts, "depth": True}, "depth: expected 0 to 16"),
        ({"digests": texts, "keys": ["did:key:z6Mk"]}, "did:key"),
        ({"digests": texts, "keys": [did_key(key().public)] * 17}, "at most 16"),
    ):
        response = await post(url, body)
        assert response.status_code == 400, (body, response.text)
        assert reason in response.json()["error"]["message"], response.text
    large = await post(url, {"digests": texts, "more": "x" * MAX_BYTES})
    assert large.status_code == 413
    other = await post(url, {"digests": texts}, "text/plain")
    assert other.status_code == 415
    assert "application/json" in other.json()["error"]["message"]


def test_a_question_is_read_as_it_was_written() -> None:
    question = SharedQuestion.of([*DIGESTS, *DIGESTS], 2, [key(5).public])
    assert SharedQuestion.from_bytes(question.to_bytes()) == question
    with pytest.raises(MalformedError, match="at most"):
        SharedQuestion.from_bytes(b" " * (MAX_BYTES + 1))
