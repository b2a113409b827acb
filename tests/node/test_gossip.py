"""Batches out and in, over a mesh in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
import trio
import trio.testing
from tests.support.signed import forged, work
from tests.support.waiting import until

from byline_ledger.codec import join_array, split_array
from byline_ledger.errors import ReadOnlyError
from byline_ledger.gossip import MAX_BATCH
from byline_ledger.statement import Statement
from byline_node import gossip as module
from byline_node.gossip import Gossip
from byline_node.writer import MAX_COMMIT

pytestmark = pytest.mark.trio


@dataclass(frozen=True)
class Message:
    sender: str
    data: bytes


class Mesh:
    """Keeps what is published, and hands out what a test sends."""

    def __init__(self) -> None:
        self.published: list[bytes] = []
        self.send, self.receive = trio.open_memory_channel[Message](10_000)

    async def publish(self, _topic: str, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.published.append(data)

    async def messages(self, _topic: str) -> AsyncIterator[Message]:
        async for message in self.receive:
            yield message

    def bring(self, *statements: Statement, sender: str = "peer") -> None:
        batch = join_array([one.to_envelope() for one in statements])
        self.send.send_nowait(Message(sender, batch))


class Setting:
    def __init__(self) -> None:
        self.mesh = Mesh()
        self.admitted: dict[bytes, Statement] = {}
        self.commits = 0
        self.losses = 0
        self.refusal: ReadOnlyError | None = None
        self.may_admit = trio.Event()
        self.may_admit.set()
        self.gossip = Gossip(
            self.mesh, self.admitted.__contains__, self.admit, self.lose
        )

    async def admit(
        self, statements: Sequence[Statement], source: str, senders: Sequence[str]
    ) -> None:
        assert len(senders) == len(statements)
        assert source == "gossip"
        await self.may_admit.wait()
        if self.refusal is not None:
            raise self.refusal
        if len(statements) > MAX_COMMIT:
            raise ValueError("the writer takes no more at once")
        self.commits += 1
        self.admitted |= {one.id: one for one in statements}

    def lose(self) -> None:
        self.losses += 1


@pytest.fixture
async def setting(nursery: trio.Nursery) -> AsyncIterator[Setting]:
    setting = Setting()
    nursery.start_soon(setting.gossip.run)
    yield setting
    nursery.cancel_scope.cancel()


async def test_what_comes_close_together_goes_out_together(setting: Setting) -> None:
    one, two = work("one"), work("two")
    setting.gossip.offer([one])
    setting.gossip.offer([two])
    await until(lambda: setting.mesh.published)
    (batch,) = setting.mesh.published
    items = split_array(batch, max_size=MAX_BATCH, max_items=10)
    assert items == [one.to_envelope(), two.to_envelope()]


async def test_a_flood_goes_out_in_full_batches_or_not_at_all(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue is bounded; what does not fit is left to follow."""
    statements = [work(f"{i}", title="x" * 400) for i in range(2000)]
    setting.gossip._outgoing._most = 1_000_000
    setting.gossip.offer(statements)
    assert setting.gossip.counts["dropped_out"] > 100
    await until(lambda: sum(map(len, setting.mesh.published)) > 990_000)
    assert all(len(batch) <= MAX_BATCH for batch in setting.mesh.published)
    assert len(setting.mesh.published) == 17


async def test_what_comes_in_is_admitted_once(setting: Setting) -> None:
    one, two = work("one"), work("two")
    setting.mesh.bring(one, two)
    setting.mesh.bring(two, one)
    await until(lambda: setting.admitted)
    setting.mesh.bring(one)
    await until(lambda: setting.gossip.counts["known"])
    assert list(setting.admitted) == [one.id, two.id]
    assert setting.commits == 1


async def test_one_bad_statement_is_charged_and_the_rest_admitted(
    setting: Setting,
) -> None:
    good, bad = work("good"), work("bad")
    setting.mesh.bring(forged(bad), good, sender="liar")
    setting.mesh.send.send_nowait(Message("noise", b"\xc1"))
    await until(lambda: setting.gossip.counts["bad"] == 2 and setting.admitted)
    assert list(setting.admitted) == [good.id]
    assert setting.gossip.bad_by_sender == {"liar": 1, "noise": 1}
    setting.mesh.bring(bad)
    await until(lambda: bad.id in setting.admitted)


async def test_a_lone_statement_is_admitted_at_once_and_a_stream_in_few_commits(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GATHER_SECONDS", pause := 1.0)
    started = trio.current_time()
    for number in range(100):
        setting.mesh.bring(last := work(f"{number}"))
        await until(lambda: setting.gossip._incoming.size or setting.admitted)
    await until(lambda: last.id in setting.admitted)
    took = trio.current_time() - started
    assert took >= pause
    assert setting.commits <= 1 + took / pause


async def test_where_admissions_take_long_they_are_few_and_others_are_told(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = iter((0.0, most := 0.5, 0.0))
    monkeypatch.setattr(module, "MAX_GATHER_SECONDS", most)
    monkeypatch.setattr(module, "seconds_between", lambda *_: next(pauses))
    setting.mesh.bring(first := work("first"))
    await until(lambda: first.id in setting.admitted)
    assert not setting.gossip.is_slow
    setting.mesh.bring(slow := work("slow"))
    began = trio.current_time()
    await until(lambda: slow.id in setting.admitted and setting.gossip.is_slow)
    setting.mesh.bring(last := work("last"))
    await until(lambda: last.id in setting.admitted)
    assert trio.current_time() - began >= most
    await until(lambda: not setting.gossip.is_slow)


async def test_a_full_queue_drops_and_has_follow_look_at_once(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting.may_admit = trio.Event()
    setting.gossip._incoming._most = 2_000
    for number in range(30):
        setting.mesh.bring(work(f"{number}"))
    await until(lambda: setting.losses)
    assert setting.losses == setting.gossip.counts["dropped_in"]
    setting.may_admit.set()
    await until(lambda: setting.admitted and not setting.gossip._incoming.size)
    setting.mesh.bring(last := work("last"))
    await until(lambda: last.id in setting.admitted)


async def test_small_statements_are_never_too_many_at_once(setting: Setting) -> None:
    """Over 5,000 of the smallest fit into what is verified together."""
    statements = [work(f"{number}", type="a") for number in range(5_200)]
    setting.may_admit = trio.Event()
    setting.mesh.bring(work("first"))
    for start in range(0, len(statements), 260):
        setting.mesh.bring(*statements[start : start + 260])
    setting.may_admit.set()
    await until(lambda: len(setting.admitted) == 5_201, 30)


async def test_empty_messages_fill_a_queue_too(setting: Setting) -> None:
    setting.may_admit = trio.Event()
    setting.mesh.bring(work("being admitted"))
    await until(lambda: setting.gossip.counts["fresh"])
    setting.gossip._incoming._most = 64 * 100
    for _ in range(500):
        setting.mesh.send.send_nowait(Message("flood", b""))
    await until(lambda: setting.losses == 400)
    assert len(setting.gossip._incoming._items) == 100


async def test_a_log_that_is_read_only_stops_nothing(setting: Setting) -> None:
    setting.refusal = ReadOnlyError("read-only")
    setting.mesh.bring(one := work("one"))
    await until(lambda: setting.gossip.counts["dropped_in"])
    setting.refusal = None
    setting.mesh.bring(one)
    await until(lambda: one.id in setting.admitted)


async def test_many_senders_are_not_remembered_for_ever(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_SENDERS", 5)
    for number in range(20):
        setting.mesh.send.send_nowait(Message(f"liar {number}", b"\xc1"))
    await until(lambda: setting.gossip.counts["bad"] == 20)
    assert len(setting.gossip.bad_by_sender) <= 5
