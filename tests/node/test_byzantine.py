"""Peers that lie, over real libp2p: each is named, and the honest ones lose nothing.

One node follows two peers: an honest one and a liar, which is a host of its own that
answers the follow protocol with whatever its lie asks for.  Whatever the lie, the node
ends with all that the honest peer has, and with nothing that the liar made up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import trio
from tests.support.memory_log import MemoryLog
from tests.support.networked import ANY_PORT, NetworkedNode, networked_node
from tests.support.signed import work
from tests.support.waiting import until

from byline_ledger import follow_server, follower
from byline_ledger.alarm import alarm_of_notes
from byline_ledger.follow_messages import (
    MAX_REQUEST,
    MAX_RESPONSE,
    PROTOCOL,
    AskEntries,
    AskHead,
    AskMeet,
    AskNext,
    AskStatements,
    Entries,
    Envelopes,
    Head,
    Met,
    News,
    Request,
    Response,
    Same,
    parse_request,
)
from byline_ledger.gossip import TOPIC
from byline_ledger.log import Ledger
from byline_node import checkpoint_watch, following, peer_score
from byline_node import requests as requests_module
from byline_node.alarms import Alarms
from byline_node.host import open_host
from byline_node.requests import Requests

pytestmark = pytest.mark.trio

LIAR_SEED = b"\x42" * 32
HONEST = [work(f"honest {i}") for i in range(120)]

Answer: TypeAlias = Callable[[Request, Response], Response | bytes | Awaitable[bytes]]
"""What a liar says to a request, given the true response of its log."""


@dataclass
class Liar:
    """A peer with a log in memory; `lie` makes its answers."""

    log: MemoryLog
    address: str
    lie: Answer
    asked: int = 0

    async def answer(self, _peer: str, request: bytes) -> bytes:
        self.asked += 1
        truth = follow_server.answer(self.log, request)
        said = self.lie(parse_request(request), truth)
        if isinstance(said, bytes):
            return said
        if isinstance(said, Awaitable):
            return await said
        return said.to_bytes()


@asynccontextmanager
async def lying(lie: Answer, statements: int = 10) -> AsyncIterator[Liar]:
    """A liar that listens on loopback."""
    log = MemoryLog(7)
    log.append(work(f"liar {i}") for i in range(statements))
    async with open_host(LIAR_SEED, [ANY_PORT], [TOPIC]) as host:
        liar = Liar(log, host.addresses[0], lie)
        Requests(host).answer(
            PROTOCOL, MAX_REQUEST, lambda peer, request: liar.answer(peer, request)
        )
        yield liar


@asynccontextmanager
async def between(
    folder: Path, liar: Liar
) -> AsyncIterator[tuple[NetworkedNode, NetworkedNode]]:
    """The node under test, and the honest peer that it follows beside the liar."""
    async with networked_node(folder / "honest") as honest:
        await honest.publish(HONEST[:60])
        peers = [liar.address, *honest.network.addresses]
        async with networked_node(folder / "tested", peers=peers) as tested:
            yield tested, honest


def trouble_with(node: NetworkedNode, liar: Liar) -> str:
    """What the node's status says of the liar."""
    name = liar.address.rpartition("/p2p/")[2]
    (status,) = [one for one in node.peers() if one["peer_id"] == name]
    return str(status["error"] or "")


async def require_unharmed(tested: NetworkedNode, honest: NetworkedNode) -> None:
    """All of the honest peer's statements arrive, those of now included."""
    await honest.publish(HONEST[60:])
    view = tested.ledger
    await until(lambda: all(view.view.index_of(one.id) for one in HONEST), 30)


# The lies


def wrong_consistency(request: Request, truth: Response) -> Response:
    """A proof that leads nowhere."""
    match request, truth:
        case AskEntries(), Entries(entries, _):
            return Entries(entries, (b"\x00" * 32,) * 3)
    return truth


def other_entries(request: Request, truth: Response) -> Response:
    """Entries that are not those of the tree."""
    match request, truth:
        case AskEntries(), Entries(entries, proof):
            return Entries(entries[::-1], proof)
    return truth


def unsigned(request: Request, truth: Response) -> Response:
    """A checkpoint whose root was changed after it was signed."""
    match truth:
        case Met(note):
            origin, size, root, rest = note.split(b"\n", 3)
            changed = b"\n".join((origin, size, root[::-1], rest))
            return replace(truth, note=changed)
    return truth


def forged_bodies(request: Request, truth: Response) -> Response:
    """The right statements under signatures that their authors never made."""
    match truth:
        case Envelopes(envelopes):
            return Envelopes(tuple(e[:-64] + b"\x07" * 64 for e in envelopes))
    return truth


def other_bodies(request: Request, truth: Response) -> Response:
    """Statements that nobody asked for."""
    match request, truth:
        case AskStatements(ids), Envelopes():
            return Envelopes((work("unasked").to_envelope(),) * len(ids))
    return truth


def garbage(request: Request, truth: Response) -> bytes:
    """Bytes that are no response."""
    return b"\xc1" * 100


def no_pages(request: Request, truth: Response) -> Response:
    """Pages without entries, for ever."""
    return Entries((), ()) if isinstance(request, AskEntries) else truth


def nothing_new(request: Request, truth: Response) -> Response:
    """The same as before, at first contact."""
    return Same()


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        (wrong_consistency, "proof"),
        (other_entries, "root"),
        (unsigned, "checkpoint|signature|base64|root"),
        (forged_bodies, "signature"),
        (other_bodies, "expected statement"),
        (garbage, "follow response"),
        (no_pages, "expected entries"),
        (nothing_new, "expected another response"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
async def test_a_lie_is_named_and_costs_the_honest_nothing(
    lie: Answer, named: str, tmp_path: Path
) -> None:
    async with lying(lie) as liar, between(tmp_path, liar) as (tested, honest):
        await until(lambda: trouble_with(tested, liar))
        assert any(part in trouble_with(tested, liar) for part in named.split("|"))
        await require_unharmed(tested, honest)
        made_up = [i for i in liar.log.indexes if tested.ledger.view.index_of(i)]
        assert not made_up


async def test_a_liar_is_refused_for_a_while_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is configured, so its turn comes again; by then it tells the truth."""
    monkeypatch.setattr(following, "ROUND_SECONDS", 0.05)
    monkeypatch.setattr(peer_score, "OWN_REFUSAL", 2.0)
    async with (
        lying(forged_bodies) as liar,
        between(tmp_path, liar) as (tested, honest),
    ):

        def seen() -> dict[str, Any]:
            name = liar.address.rpartition("/p2p/")[2]
            (one,) = [p for p in tested.peers() if p["peer_id"] == name]
            return one

        await until(lambda: seen()["refused_for"] and not seen()["connected"], 20)
        assert seen()["score"] < 0
        assert "refused for its conduct: " in seen()["error"]
        assert "signature" in seen()["error"]
        liar.lie = lambda _asked, truth: truth
        asked = liar.asked
        await require_unharmed(tested, honest)
        await until(lambda: seen()["connected"] and not seen()["error"], 30)
        assert liar.asked > asked
        await until(lambda: all(map(tested.ledger.view.index_of, liar.log.indexes)), 30)


async def test_a_log_that_goes_back_is_named(tmp_path: Path) -> None:
    """Stale: a checkpoint older than the one it showed before."""
    async with lying(lambda _asked, truth: truth) as liar:
        older = liar.log.checkpoint
        liar.log.append([work("later")])

        def stale(request: Request, truth: Response) -> Response:
            return News(older, (), ()) if isinstance(request, AskNext) else truth

        liar.lie = stale
        async with between(tmp_path, liar) as (tested, honest):
            await until(lambda: "went back" in trouble_with(tested, liar))
            await require_unharmed(tested, honest)


async def test_news_of_nothing_is_named(tmp_path: Path) -> None:
    """The checkpoint it showed before, as if it were new."""
    async with lying(lambda _asked, truth: truth) as liar:

        def empty(request: Request, truth: Response) -> Response:
            known = isinstance(request, AskNext) and isinstance(truth, Same)
            return News(liar.log.checkpoint, (), ()) if known else truth

        liar.lie = empty
        async with between(tmp_path, liar) as (tested, honest):
            await until(lambda: "no entries" in trouble_with(tested, liar))
            await require_unharmed(tested, honest)


async def test_a_log_with_two_histories_is_left_alone(tmp_path: Path) -> None:
    """Forked: not asked again, whatever it says later."""
    async with lying(lambda _asked, truth: truth) as liar:
        other = MemoryLog(7)
        other.append(work(f"another past {i}") for i in range(10))
        assert other.size == liar.log.size

        def forked(request: Request, truth: Response) -> Response:
            match request:
                case AskNext():
                    return News(other.checkpoint, (), ())
                case AskHead():
                    return Head(other.checkpoint, other.vkey, ())
            return truth

        liar.lie = forked
        async with between(tmp_path, liar) as (tested, honest):
            await until(lambda: "does not extend" in trouble_with(tested, liar))
            (alarm,) = tested.alarms.all
            assert (alarm.kind, alarm.vkey) == ("equivocation", liar.log.vkey)
            asked = liar.asked
            await require_unharmed(tested, honest)
            await trio.sleep(2 * 2.0)  # two rounds of following
            assert liar.asked == asked


async def test_a_log_with_two_faces_is_found_out_by_gossip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of two nodes is shown another tree, for ever; both end with the alarm."""
    monkeypatch.setattr(checkpoint_watch, "OTHERS", 0.02)
    async with lying(lambda _asked, truth: truth) as liar:
        faces = [MemoryLog(7), MemoryLog(7)]
        for face, one in zip(faces, ("one past", "another past"), strict=True):
            face.append(work(f"{one} {i}") for i in range(10))
        assert faces[0].checkpoint != faces[1].checkpoint
        shown: dict[str, MemoryLog] = {}

        async def answer(peer: str, request: bytes) -> bytes:
            face = shown.setdefault(peer, faces[len(shown) % 2])
            return follow_server.serve(face, request)

        liar.answer = answer  # type: ignore[method-assign]
        async with (
            networked_node(tmp_path / "one", peers=[liar.address]) as one,
            networked_node(
                tmp_path / "two", peers=[liar.address, *one.network.addresses]
            ) as two,
        ):
            await until(lambda: one.alarms.all and two.alarms.all, 30)
            for node in (one, two):
                assert node.alarms.all[0].kind == "equivocation"
                assert node.alarms.is_alarmed(liar.log.vkey)
            assert Alarms(tmp_path / "one" / "alarms", lambda _vkey: True).all


async def test_an_alarm_about_a_log_that_nobody_here_follows_is_not_kept(
    tmp_path: Path,
) -> None:
    """Else anybody could fill the disk with proofs against logs of their own making."""
    one, two = MemoryLog(3), MemoryLog(3)
    one.append([work("one")])
    two.append([work("two")])
    alarm = alarm_of_notes(one.vkey, (one.checkpoint, two.checkpoint), ())
    assert alarm is not None
    async with networked_node(tmp_path / "node") as node:
        assert node.alarms.add(alarm.to_bytes(), "test") is None
        assert not node.alarms.all


async def test_an_oversized_answer_is_not_read(tmp_path: Path) -> None:
    def oversized(request: Request, truth: Response) -> bytes:
        return bytes(MAX_RESPONSE + 1)

    async with lying(oversized) as liar, between(tmp_path, liar) as (tested, honest):
        await until(lambda: trouble_with(tested, liar))
        await require_unharmed(tested, honest)


async def test_a_peer_that_never_answers_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests_module.Requests.ask, "__kwdefaults__", {"seconds": 1})

    async def silence() -> bytes:
        await trio.sleep_forever()
        return b""

    def silent(request: Request, truth: Response) -> Awaitable[bytes]:
        return silence()

    async with lying(silent) as liar, between(tmp_path, liar) as (tested, honest):
        await require_unharmed(tested, honest)
        await until(lambda: "no answer within" in trouble_with(tested, liar))


async def test_an_endless_log_holds_nobody_up(tmp_path: Path) -> None:
    """One true entry a page, and always one more: it costs its own session alone."""
    async with lying(lambda _asked, truth: truth, statements=2_000) as liar:

        def endless(request: Request, truth: Response) -> Response:
            if isinstance(request, AskEntries) and request.start % 50 == 0:
                liar.log.append([work(f"one more {request.start}")])
            match request, truth:
                case AskEntries(start, size), Entries():
                    proof = follow_server.consistency_proof(
                        start + 1, size, liar.log.node
                    )
                    return Entries((liar.log.entry(start),), tuple(proof))
            return truth

        liar.lie = endless
        async with between(tmp_path, liar) as (tested, honest):
            await require_unharmed(tested, honest)
            status = trouble_with(tested, liar)
            assert status == ""


async def test_the_lies_are_lies() -> None:
    """Each of them changes at least one answer of an honest log."""
    log = MemoryLog(7)
    log.append(work(f"liar {i}") for i in range(10))
    asked: list[Request] = [
        AskMeet(b""),
        AskEntries(0, log.size),
        AskStatements(tuple(log.indexes)),
    ]
    lies: list[Answer] = [
        wrong_consistency,
        other_entries,
        unsigned,
        forged_bodies,
        other_bodies,
        garbage,
        no_pages,
        nothing_new,
    ]
    for lie in lies:
        truths = [follow_server.answer(log, one.to_bytes()) for one in asked]
        said = [lie(one, truth) for one, truth in zip(asked, truths, strict=True)]
        assert said != truths, lie


async def test_few_differences_among_many_statements_are_found_without_reading_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First contact of two nodes that others told nearly all."""
    monkeypatch.setattr(follower, "WORTH_A_DESCENT", 2_000)
    everything = [work(f"told by others {i}") for i in range(2_500)]
    asked: list[str] = []

    def note(request: Request, truth: Response) -> Response:
        asked.append(type(request).__name__)
        return truth

    async with lying(note) as peer:
        peer.log.append(everything)
        folder = tmp_path / "node"
        with closing(Ledger.init(folder)) as ledger:
            ledger.append(everything[:-3])
        async with networked_node(folder, peers=[peer.address]) as node:
            ids = peer.log.indexes
            await until(lambda: all(node.ledger.view.index_of(i) for i in ids))
    assert "AskNodes" in asked
    assert "AskEntries" not in asked
