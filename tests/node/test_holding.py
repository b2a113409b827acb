"""Cosigning by witnesses in memory: who may end a hold, and who cannot cause one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing
from tests.support.held_nodes import Honest, Impostor, Node, rounds, vkey
from tests.support.logs import works

from byline_ledger.witness import AddCheckpoint
from byline_node import cosigning, holding
from byline_node.errors import PeerError

pytestmark = pytest.mark.trio


class Slow(Honest):
    async def latest(self) -> bytes | None:
        await trio.sleep_forever()
        return None

    async def add(self, _body: bytes) -> tuple[int, bytes]:
        await trio.sleep_forever()
        return 0, b""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    yield made
    made.ledger.close()


# Who may end a hold


async def test_those_whom_the_operator_named_end_it(node: Node) -> None:
    good = Honest(1, vkey(node))
    await rounds(node.cosigner(good, named=(good.name,)))
    cosigner = node.start(good, named=(good.name,))
    assert cosigner.hold.is_waiting
    said = node.ledger.read_only or ""
    assert "asking peer1, and it ends by itself once 1 of 1 agreed" in said
    assert "--trust-disk" in said
    await rounds(cosigner)
    assert node.ledger.read_only is None
    assert not cosigner.hold.is_waiting


async def test_one_that_does_not_answer_is_asked_again_soon(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is admitted meanwhile: rounds for the sake of the newest tree may wait,
    this one may not.  Whoever waits for the end is told."""
    monkeypatch.setattr(cosigning, "ROUND_SECONDS", 10_000.0)
    monkeypatch.setattr(cosigning, "MAX_ROUND_SECONDS", 10_000.0)
    monkeypatch.setattr(cosigning, "RETRY_SECONDS", 0.05)
    good = Honest(1, vkey(node))
    await rounds(node.cosigner(good, named=(good.name,)))
    asked: list[Honest] = []

    def fail_twice(one: Honest) -> None:
        asked.append(one)
        if len(asked) < 3:
            raise PeerError("no answer")

    good.before = fail_twice
    cosigner = node.start(good, named=(good.name,))
    ended: list[bool] = []
    cosigner.hold.on_end = lambda: ended.append(node.ledger.is_held)
    await rounds(cosigner, 3)
    assert len(asked) == 3
    assert ended == [False]


async def test_nobody_ends_it_with_the_keys_of_another(node: Node) -> None:
    """Any old checkpoint is public, and so are the keys of an honest witness."""
    good = Honest(1, vkey(node))
    named = (good.name,)
    await rounds(node.cosigner(good, named=named))
    image = node.image()
    cosigner = node.cosigner(good, named=named, trust_disk=True)
    node.ledger.append(works(50, 60))
    await rounds(cosigner)
    node.put_back(image)
    public = node.ledger.view.checkpoint
    cosigner = node.cosigner(Impostor(good, public), named=named)
    await rounds(cosigner)
    assert "not certain" in (node.ledger.read_only or "")
    # The honest one shows that the disk is old.
    await rounds(node.cosigner(good, named=named))
    said = node.ledger.read_only or ""
    assert "peer1 cosigned 18 entries of this log, and this disk has 7" in said
    assert "put back" in said
    assert "recover --from PLACE" in said
    assert "--new-origin" in said


async def test_of_many_who_are_waited_for_some_are_named(node: Node) -> None:
    good = [Honest(number, vkey(node)) for number in range(1, 6)]
    named = tuple(one.name for one in good)
    await rounds(node.cosigner(*good, named=named))
    node.start(*good, named=named)
    said = node.ledger.read_only or ""
    assert "peer1, peer2, peer3 and 2 more" in said
    assert "3 of 5" in said


async def test_a_slow_stranger_does_not_make_it_last(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosigning, "STRANGER_SECONDS", 0.1)
    good, slow = Honest(1, vkey(node)), Slow(2, vkey(node))
    await rounds(node.cosigner(good, named=(good.name,)))
    cosigner = node.start(good, slow, named=(good.name,))
    await rounds(cosigner)
    assert node.ledger.read_only is None
    errors = {one.client.name: one.error for one in cosigner.known}
    assert errors == {"peer1": None, "peer2": "no cosignature within 0.1 s"}


async def test_strangers_alone_are_waited_for_a_while(node: Node) -> None:
    await rounds(node.cosigner(Honest(1, vkey(node))))
    node.start()
    assert "try again in about 20 s" in (node.ledger.read_only or "")


async def test_a_log_that_lied_is_not_sent_to_be_recovered(node: Node) -> None:
    hold = node.start().hold
    hold.convict("signed two histories")
    assert not hold.is_waiting
    said = node.ledger.read_only or ""
    assert "signed two histories; no recovery undoes that" in said
    assert "--new-origin" in said


async def test_strangers_who_left_do_not_make_it_last(node: Node) -> None:
    good = [Honest(number, vkey(node)) for number in (1, 2)]
    crowd = [Honest(number, vkey(node)) for number in range(10, 15)]
    named = tuple(one.name for one in good)
    await rounds(node.cosigner(*good, *crowd, named=named))
    await rounds(node.start(*good, named=named))
    assert node.ledger.read_only is None


async def test_one_with_new_keys_may_have_forgotten(node: Node) -> None:
    """However often the node is started: it is the operator who must know."""
    good = Honest(1, vkey(node))
    named = (good.name,)
    await rounds(node.cosigner(good, named=named))
    good.renew(1, b"r" * 16)
    for _ in range(2):
        await rounds(node.start(good, named=named))
        assert "not certain" in (node.ledger.read_only or "")
    await rounds(node.start(good, named=named, trust_disk=True))
    await rounds(node.start(good, named=named))
    assert node.ledger.read_only is None


async def test_keys_that_were_renewed_meanwhile_agree_to_nothing(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is known by its old keys when it comes back with an older memory."""
    monkeypatch.setattr(cosigning, "HURRY_SECONDS", 0.01)
    monkeypatch.setattr(cosigning, "ROUND_SECONDS", 0.01)
    monkeypatch.setattr(cosigning, "RETRY_SECONDS", 0.01)
    good = Honest(1, vkey(node))
    named = (good.name,)
    await rounds(node.cosigner(good, named=named))

    async def unreachable(_body: bytes) -> tuple[int, bytes]:
        raise PeerError("no answer")

    async def busy(_body: bytes) -> tuple[int, bytes]:
        return 503, b"held\n"

    good.add = unreachable  # type: ignore[method-assign]
    cosigner = node.start(good, named=named)
    await rounds(cosigner)
    good.renew(1, b"r" * 16)
    good.add = busy  # type: ignore[method-assign]
    await rounds(cosigner)
    assert "not certain" in (node.ledger.read_only or "")


@pytest.mark.parametrize("is_held", [False, True])
async def test_one_that_forgot_what_it_signed_does_not_count(
    node: Node, is_held: bool
) -> None:
    """Its disk was put back as well, behind its back: its key is the old one."""
    good = Honest(1, vkey(node))
    named = (good.name,)
    older = good.memory
    await rounds(node.cosigner(good, named=named))
    if is_held:
        older = good.memory
        node.ledger.append(works(50, 60))
        await rounds(node.start(good, named=named, trust_disk=True))

        async def busy(_body: bytes) -> tuple[int, bytes]:
            return 503, b"held\n"

        good.add = busy  # type: ignore[method-assign]
    good.memory = older
    for _ in range(2):
        await rounds(node.start(good, named=named))
        assert "not certain" in (node.ledger.read_only or "")
    assert good.memory == older, "it must not be led to sign again"


async def test_what_strangers_sign_later_does_not_excuse_it(node: Node) -> None:
    good, stranger = Honest(1, vkey(node)), Honest(2, vkey(node))
    named, older = (good.name,), good.memory
    await rounds(node.cosigner(good, named=named))
    node.ledger.append(works(50, 60))
    await rounds(node.cosigner(stranger, named=named, trust_disk=True))
    good.memory = older
    await rounds(node.start(good, stranger, named=named))
    assert "not certain" in (node.ledger.read_only or "")
    assert good.memory == older


async def test_a_held_witness_must_show_its_own_cosignature(node: Node) -> None:
    """One of two that the operator named says that it is the other."""
    good = Honest(1, vkey(node))
    named = (good.name,)
    await rounds(node.cosigner(good, named=named))
    liar = Impostor(good, node.ledger.view.checkpoint)
    liar.name = good.name
    await rounds(node.start(liar, named=named))
    assert "not certain" in (node.ledger.read_only or "")


async def test_one_that_is_held_itself_agrees_if_it_is_named(node: Node) -> None:
    good = Honest(1, vkey(node))
    await rounds(node.cosigner(good, named=(good.name,)))

    async def busy(_body: bytes) -> tuple[int, bytes]:
        return 503, b"held\n"

    good.add = busy  # type: ignore[method-assign]
    await rounds(node.start(good))
    assert "not certain" in (node.ledger.read_only or "")
    await rounds(node.start(good, named=(good.name,)))
    assert node.ledger.read_only is None


@pytest.mark.parametrize("count", [0, 3])
async def test_where_only_strangers_cosigned_it_ends_when_it_ends(
    node: Node, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not sooner because all of them agree, nor later because none does: they are as
    many as somebody likes."""
    monkeypatch.setattr(cosigning, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(holding, "STRANGERS_SECONDS", 3.0)
    strangers = [Honest(number, vkey(node)) for number in (1, 2, 3)]
    await rounds(node.cosigner(*strangers))
    cosigner = node.start(*strangers[:count])
    started = trio.current_time()
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cosigner.run)
            while node.ledger.read_only is not None:  # noqa: ASYNC110
                await trio.sleep(0.05)
            nursery.cancel_scope.cancel()
    assert trio.current_time() - started >= 3.0


async def test_a_stranger_who_saw_more_is_heard_meanwhile(node: Node) -> None:
    stranger = Honest(1, vkey(node))
    await rounds(node.cosigner(stranger))
    image = node.image()
    node.ledger.append(works(50, 60))
    await rounds(node.cosigner(stranger, trust_disk=True))
    node.put_back(image)
    await rounds(node.cosigner(stranger))
    assert "put back" in (node.ledger.read_only or "")


# Who cannot cause one


@pytest.mark.parametrize("kind", ["peer", "url"])
async def test_a_newer_tree_that_a_stranger_showed_first_is_no_reason(
    node: Node, kind: str
) -> None:
    """It was committed while the round was under way, and is public at once."""
    good = Honest(1, vkey(node), kind)
    cosigner = node.cosigner(good)
    seen: list[int] = []

    def stranger(one: Honest) -> None:
        if seen:
            return
        node.ledger.append(works(100, 101))
        view = node.ledger.view
        old = one.memory.checkpoint.size if one.memory.checkpoint else 0
        proof = tuple(view.consistency_proof(old))
        request = AddCheckpoint(old, proof, view.checkpoint)
        seen.append(one.take(request.to_bytes())[0])

    good.before = stranger
    await rounds(cosigner)
    assert seen == [200]
    assert node.ledger.read_only is None
    assert cosigner.published().size == node.ledger.view.size


@pytest.mark.parametrize("kind", ["peer", "url"])
async def test_nobody_keeps_a_log_from_being_cosigned_by_being_faster(
    node: Node, kind: str
) -> None:
    """Somebody publishes all the time, and each time shows the witness our newest tree
    before a round does: then the round takes that tree."""
    good = Honest(1, vkey(node), kind)
    cosigner = node.cosigner(good)
    shown: list[int] = []

    def stranger(one: Honest) -> None:
        one.before = lambda _one: None  # once in each round
        node.ledger.append(works(100 + len(shown), 101 + len(shown)))
        view = node.ledger.view
        old = one.memory.checkpoint.size if one.memory.checkpoint else 0
        proof = tuple(view.consistency_proof(old))
        request = AddCheckpoint(old, proof, view.checkpoint)
        shown.append(one.take(request.to_bytes())[0])

    for _ in range(2):
        good.before = stranger
        await rounds(cosigner)
        assert cosigner.published().size == node.ledger.view.size
        assert cosigner.status()["cosigned"]["count"] == 1
    assert shown == [200, 200]
    assert node.ledger.read_only is None


async def test_one_that_was_shown_more_does_not_cost_the_lines_of_the_others(
    node: Node,
) -> None:
    good = [Honest(number, vkey(node)) for number in (1, 2, 3)]

    def stranger(one: Honest) -> None:
        one.before = lambda _one: None
        node.ledger.append(works(100, 101))
        view = node.ledger.view
        request = AddCheckpoint(0, (), view.checkpoint)
        assert one.take(request.to_bytes())[0] == 200

    good[0].before = stranger
    cosigner = node.cosigner(*good)
    size = node.ledger.view.size
    await rounds(cosigner)
    assert cosigner.status()["cosigned"]["size"] == size
    assert cosigner.status()["cosigned"]["count"] == 2


async def test_a_claim_without_proof_stops_nothing_unless_a_witness_makes_it(
    node: Node,
) -> None:
    class Boaster(Impostor):
        async def add(self, _body: bytes) -> tuple[int, bytes]:
            return 409, b"1000000\n"

    boaster = Boaster(Honest(1, vkey(node)), node.ledger.view.checkpoint)
    await rounds(node.cosigner(boaster))
    assert node.ledger.read_only is None
    boaster.kind = "url"
    await rounds(node.cosigner(boaster))
    assert "put back" in (node.ledger.read_only or "")
