"""Asking peers over real libp2p without a node: the answers that hold, and the lies."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from tests.support.memory_log import MemoryLog
from tests.support.networked import ANY_PORT, NetworkedNode, networked_node
from tests.support.signed import key, work

from byline_ledger import crowd_page
from byline_ledger.alarm import alarm_of_notes
from byline_ledger.bundle import Bundle, build_bundle
from byline_ledger.codec import pack
from byline_ledger.crowd_page import parse_crowd_page
from byline_ledger.digest import cid_of_statement, digest_bytes, parse_hash
from byline_ledger.errors import (
    BylineError,
    MalformedError,
    NotFoundError,
    ProofError,
    VerificationError,
)
from byline_ledger.log import LogView
from byline_ledger.merkle import consistency_proof, inclusion_proof
from byline_ledger.query_messages import (
    MAX_REQUEST,
    PROTOCOL,
    AskBundle,
    AskCrowd,
    AskRoot,
    BundleAnswer,
    Busy,
    QueryRefusal,
    QueryRequest,
    RootAnswer,
    parse_bundle_answer,
    parse_query_request,
    parse_root_answer,
)
from byline_ledger.query_server import serve_query
from byline_ledger.verify import verify_bundle
from byline_node import peer_query
from byline_node.errors import BusyError, PeerError
from byline_node.host import open_host
from byline_node.peer_query import Question, Replies, inquire
from byline_node.requests import Requests

pytestmark = pytest.mark.trio

WORKS = [work(f"work {number}", key(1 + number % 3)) for number in range(30)]
DIGEST = digest_bytes(b"work 7")
HEX = DIGEST[2:].hex()
NOWHERE = (
    "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWEV9qR5H4mPvzh2W3VMUMTS7XmXCSMyzUmrQjG66gnLsj"
)


def question(text: str = f"sha256:{HEX}", **options: Any) -> Question:
    return Question(parse_hash(text), **options)


@asynccontextmanager
async def node_with(
    folder: Path, works: Sequence[Any] = WORKS
) -> AsyncIterator[NetworkedNode]:
    async with networked_node(folder) as node:
        await node.publish(works)
        yield node


# Honest nodes


@pytest.mark.parametrize("crowd", [None, 2, 64])
async def test_a_peer_answers_what_http_answers(
    tmp_path: Path, crowd: int | None
) -> None:
    async with node_with(tmp_path / "a") as node:
        replies = await inquire(node.network.addresses, question(crowd=crowd))
        plain = build_bundle(node.ledger.view, DIGEST)
    (reply,) = replies.peers
    assert reply.problem is None
    assert reply.bundle == plain
    assert reply.root is not None
    assert reply.root.set_root == node.set_root
    if crowd is not None:
        assert reply.crowd is not None
        assert reply.crowd.works >= crowd or replies.bits == 0
    assert replies.digest == DIGEST
    assert replies.contradictions == []


async def test_a_statement_stands_for_its_work(tmp_path: Path) -> None:
    """By its id, in both spellings; and nobody has one that is unknown."""
    async with node_with(tmp_path / "a") as node:
        at = node.network.addresses
        for name in (cid_of_statement(WORKS[7].id), WORKS[7].id.hex()):
            replies = await inquire(at, question(name))
            assert replies.digest == DIGEST
            assert replies.peers[0].bundle == build_bundle(node.ledger.view, DIGEST)
        with pytest.raises(NotFoundError, match="no peer has the statement"):
            await inquire(at, question(cid_of_statement(bytes(32))))
        lost = await inquire([NOWHERE], question(cid_of_statement(bytes(32))))
        assert isinstance(lost.peers[0].problem, PeerError)
        unknown = await inquire(at, question("00" * 32))
        assert unknown.peers[0].bundle is not None
        verdict = verify_bundle(unknown.peers[0].bundle)
        assert verdict.answer is not None
        assert not verdict.answer.known


async def test_several_peers_are_asked_side_by_side(tmp_path: Path) -> None:
    """One that is not there costs nobody an answer."""
    async with node_with(tmp_path / "a") as a, node_with(tmp_path / "b") as b:
        addresses = [*a.network.addresses, NOWHERE, *b.network.addresses]
        replies = await inquire(addresses, question())
    first, gone, second = replies.peers
    assert first.root is not None
    assert second.root is not None
    assert first.root.set_root == second.root.set_root
    assert first.root.vkey != second.root.vkey
    assert isinstance(gone.problem, PeerError)
    assert replies.contradictions == []


async def test_all_are_asked_for_the_shortest_prefix(tmp_path: Path) -> None:
    """A smaller log must not be shown what names one work of it."""
    small = WORKS[:8]
    async with node_with(tmp_path / "a") as a, node_with(tmp_path / "b", small) as b:
        addresses = [*a.network.addresses, *b.network.addresses]
        alone = await inquire(a.network.addresses, question(crowd=2))
        both = await inquire(addresses, question(crowd=2))
    assert alone.bits == 2
    assert both.bits == 1
    assert all(one.problem is None for one in both.peers)


async def test_the_nodes_see_a_new_name_each_time(tmp_path: Path) -> None:
    async with node_with(tmp_path / "a") as node:
        seen = set()
        for _ in range(2):
            before = set(node.network._host.peers())
            assert before <= seen
            async with trio.open_nursery() as nursery:
                nursery.start_soon(inquire, node.network.addresses, question())
                with trio.fail_after(10):
                    while not set(node.network._host.peers()) - seen:
                        await node.network._host.wait_change()
                seen |= set(node.network._host.peers())
        assert len(seen) == 2


# Liars

Lie = Callable[[QueryRequest, bytes], "bytes | Awaitable[bytes]"]
"""What a liar says to a request, given the true response."""


@asynccontextmanager
async def lying(
    view: LogView, lie: Lie, seed: int = 0x42, network_key: bytes | None = None
) -> AsyncIterator[tuple[str, ...]]:
    """A host that answers queries about a log with lies; its addresses."""

    async def answer(_peer: str, request: bytes) -> bytes:
        said = lie(parse_query_request(request), serve_query(view, request))
        return said if isinstance(said, bytes) else await said

    name = bytes([seed]) * 32
    async with open_host(name, [ANY_PORT], [], network_key=network_key) as host:
        Requests(host).answer(PROTOCOL, MAX_REQUEST, answer)
        yield host.addresses


def for_bundles(change: Callable[[Bundle], Bundle | bytes]) -> Lie:
    """The truth about the root; of a bundle something else."""

    def lie(request: QueryRequest, truth: bytes) -> bytes:
        if not isinstance(request, AskBundle):
            return truth
        answer = parse_bundle_answer(truth)
        assert isinstance(answer, BundleAnswer)
        said = change(Bundle.from_bytes(answer.bundle))
        data = said if isinstance(said, bytes) else said.to_bytes()
        return BundleAnswer(data).to_bytes()

    return lie


def refuse(error: str) -> Lie:
    return lambda _request, _truth: QueryRefusal(error).to_bytes()


def roots(change: Callable[[RootAnswer], RootAnswer]) -> Lie:
    def lie(request: QueryRequest, truth: bytes) -> bytes:
        if not isinstance(request, AskRoot):
            return truth
        answer = parse_root_answer(truth)
        assert isinstance(answer, RootAnswer)
        return change(answer).to_bytes()

    return lie


LIES: dict[str, tuple[Lie, type[BylineError], str]] = {
    "a statement less": (
        for_bundles(lambda one: replace(one, statements=())),
        VerificationError,
        "does not hold",
    ),
    "no bundle": (for_bundles(lambda _one: b"\x80"), MalformedError, "proof bundle"),
    "another count": (
        for_bundles(lambda one: replace(one, strings=one.strings + 1)),
        VerificationError,
        "does not hold",
    ),
    "a count of its own in the root": (
        roots(lambda one: replace(one, entry=one.entry[:8] + b"\xff" + one.entry[9:])),
        ProofError,
        "",
    ),
    "a refusal": (refuse("no\x1b[31m"), PeerError, "it does not answer: no  *.31m"),
    "no message": (lambda _ask, _truth: b"\xc1", MalformedError, ""),
    "an answer to another question": (
        lambda _ask, truth: pack({"envelopes": []}),
        MalformedError,
        "keys",
    ),
}


@pytest.mark.parametrize("name", LIES)
async def test_a_lie_is_named_and_harms_no_other(tmp_path: Path, name: str) -> None:
    lie, error, text = LIES[name]
    async with (
        node_with(tmp_path / "a") as node,
        lying(node.ledger.view, lie) as addresses,
    ):
        replies = await inquire([*addresses, *node.network.addresses], question())
    liar, honest = replies.peers
    assert isinstance(liar.problem, error)
    assert re.search(text, str(liar.problem))
    assert liar.bundle is None
    assert honest.problem is None
    assert honest.bundle is not None


async def test_the_bundle_of_another_work_is_no_answer(tmp_path: Path) -> None:
    async with node_with(tmp_path / "a") as node:
        view = node.ledger.view
        other = build_bundle(view, digest_bytes(b"work 8"))
        lie = for_bundles(lambda _one: other)
        async with lying(view, lie) as addresses:
            replies = await inquire(addresses, question())
    assert "answers for" in str(replies.peers[0].problem)


async def test_an_answer_of_another_log_than_was_shown_is_refused(
    tmp_path: Path,
) -> None:
    async with node_with(tmp_path / "a") as a, node_with(tmp_path / "b") as b:
        strange = build_bundle(b.ledger.view, DIGEST)
        async with lying(a.ledger.view, for_bundles(lambda _one: strange)) as at:
            replies = await inquire(at, question())
    assert "another log than it shows" in str(replies.peers[0].problem)


@pytest.mark.parametrize("crowd", [None, 2])
async def test_an_answer_without_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crowd: int | None
) -> None:
    """Slow ones after their time, and nothing else waits for them."""
    monkeypatch.setattr(peer_query, "REQUEST_SECONDS", 1.0)

    def slow(request: QueryRequest, truth: bytes) -> bytes | Awaitable[bytes]:
        return truth if isinstance(request, AskRoot) else forever()

    async def forever() -> bytes:
        await trio.sleep_forever()

    async with (
        node_with(tmp_path / "a") as node,
        lying(node.ledger.view, slow) as addresses,
    ):
        replies = await inquire(
            [*addresses, *node.network.addresses], question(crowd=crowd)
        )
    assert "no answer within 1 s" in str(replies.peers[0].problem)
    assert replies.peers[1].bundle is not None


async def test_pages_without_end_are_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page is good; they just bring nothing to an end in its time."""
    monkeypatch.setattr(crowd_page, "MAX_KEYS", 1)
    monkeypatch.setattr(peer_query, "PEER_SECONDS", 1.0)

    async def late(truth: bytes) -> bytes:
        await trio.sleep(0.3)
        return truth

    async with (
        node_with(tmp_path / "a") as node,
        lying(node.ledger.view, lambda _ask, truth: late(truth)) as addresses,
    ):
        replies = await inquire(addresses, question(crowd=64))
    assert "not done within 1 s" in str(replies.peers[0].problem)


async def test_an_answer_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    def large(request: QueryRequest, truth: bytes) -> bytes:
        return truth + bytes(200_000) if isinstance(request, AskRoot) else truth

    async with (
        node_with(tmp_path / "a") as node,
        lying(node.ledger.view, large) as addresses,
    ):
        replies = await inquire(addresses, question())
    assert "expected a frame of at most 100000 bytes" in str(replies.peers[0].problem)


async def test_a_work_left_out_of_a_crowd_is_noticed(tmp_path: Path) -> None:
    """Although it is not the one that was meant."""

    def lie(request: QueryRequest, truth: bytes) -> bytes:
        if not isinstance(request, AskCrowd):
            return truth
        page = parse_crowd_page(truth)
        others = [b for b in page.bundles if Bundle.from_bytes(b).asked != (DIGEST,)]
        rest = tuple(one for one in page.bundles if one != others[0])
        return replace(page, bundles=rest).to_bytes()

    async with (
        node_with(tmp_path / "a") as node,
        lying(node.ledger.view, lie) as addresses,
    ):
        replies = await inquire(addresses, question(crowd=64))
    assert "leaves out the key" in str(replies.peers[0].problem)


async def test_who_is_busy_is_asked_again_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_query, "PATIENCE", 2.0)
    asked = 0

    def busy_once(_request: QueryRequest, truth: bytes) -> bytes:
        nonlocal asked
        asked += 1
        return Busy(1).to_bytes() if asked == 1 else truth

    def busy_long(_request: QueryRequest, _truth: bytes) -> bytes:
        return Busy(30).to_bytes()

    async with node_with(tmp_path / "a") as node:
        view = node.ledger.view
        async with lying(view, busy_once) as once, lying(view, busy_long, 7) as long:
            replies = await inquire([*once, *long], question())
    assert replies.peers[0].problem is None
    assert isinstance(replies.peers[1].problem, BusyError)
    assert str(replies.peers[1].problem) == "it is busy: try again in 30 s"


async def test_a_private_network_is_asked_with_its_key(tmp_path: Path) -> None:
    secret = b"k" * 32
    async with (
        node_with(tmp_path / "a") as node,
        lying(node.ledger.view, lambda _ask, truth: truth, 7, secret) as addresses,
    ):
        inside = await inquire(addresses, question(), secret)
        outside = await inquire(addresses, question())
    assert inside.peers[0].bundle is not None
    assert isinstance(outside.peers[0].problem, PeerError)


# Logs that contradict themselves


def memory_root(log: MemoryLog, seen: int) -> bytes:
    since = consistency_proof(seen, log.size, log.node) if 0 < seen < log.size else ()
    proof = inclusion_proof(log.size - 1, log.size, log.node)
    return RootAnswer(
        log.log[-1], log.checkpoint, tuple(proof), tuple(since), log.vkey
    ).to_bytes()


async def ask_two(tmp_path: Path, first: MemoryLog, second: MemoryLog) -> Replies:
    def shows(log: MemoryLog) -> Lie:
        def lie(request: QueryRequest, _truth: bytes) -> bytes:
            if isinstance(request, AskRoot):
                return memory_root(log, request.seen)
            return QueryRefusal("only roots").to_bytes()

        return lie

    async with node_with(tmp_path / "a", WORKS[:1]) as node:
        view = node.ledger.view
        async with lying(view, shows(first)) as a, lying(view, shows(second), 7) as b:
            return await inquire([*a, *b], question())


@pytest.mark.parametrize("more", [0, 5])
async def test_two_histories_of_one_log_are_an_alarm(tmp_path: Path, more: int) -> None:
    log, fork = MemoryLog(1), MemoryLog(1)
    log.append(WORKS[:5])
    fork.append(WORKS[5:10])
    if more:
        fork.append(WORKS[10 : 10 + more])
    replies = await ask_two(tmp_path, log, fork)
    (error,) = replies.contradictions
    alarm = alarm_of_notes(error.vkey, error.notes, error.proof)
    assert alarm is not None
    assert alarm.vkey == log.vkey


async def test_two_ages_of_one_log_and_two_logs_are_none(tmp_path: Path) -> None:
    log, later, other = MemoryLog(1), MemoryLog(1), MemoryLog(2)
    log.append(WORKS[:5])
    for batch in (WORKS[:5], WORKS[5:9]):
        later.append(batch)
    other.append(WORKS[:3])
    assert (await ask_two(tmp_path, log, later)).contradictions == []
    assert (await ask_two(tmp_path, later, log)).contradictions == []
    assert (await ask_two(tmp_path, log, other)).contradictions == []


async def test_a_proof_that_proves_nothing_is_no_contradiction(
    tmp_path: Path,
) -> None:
    """Anybody can show what another log signed later, with rubbish as the proof: that
    harms only the answer of whoever does."""
    log, later = MemoryLog(1), MemoryLog(1)
    for batch in (WORKS[:5], WORKS[5:9]):
        later.append(batch)
    log.append(WORKS[:5])

    def shows(log: MemoryLog, since: tuple[bytes, ...] | None) -> Lie:
        def lie(request: QueryRequest, _truth: bytes) -> bytes:
            if not isinstance(request, AskRoot):
                return QueryRefusal("only roots").to_bytes()
            told = parse_root_answer(memory_root(log, request.seen))
            assert isinstance(told, RootAnswer)
            is_false = since is not None and request.seen
            return (replace(told, since=since) if is_false else told).to_bytes()

        return lie

    async with node_with(tmp_path / "a", WORKS[:1]) as node:
        view = node.ledger.view
        async with (
            lying(view, shows(log, None)) as honest,
            lying(view, shows(later, (b"z" * 32,)), 7) as liar,
        ):
            replies = await inquire([*honest, *liar], question())
    assert replies.contradictions == []
