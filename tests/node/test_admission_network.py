"""Nodes with different policies side by side settle, and ask for nothing in vain."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
from tests.support.networked import NetworkedNode, agree, networked_node
from tests.support.node_process import node_process
from tests.support.signed import TIME, key, signed, work
from tests.support.waiting import until, wait_until

from byline_ledger.admission_policy import OPEN, AdmissionPolicy
from byline_ledger.buckets import Rate
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.errors import MalformedError
from byline_ledger.follow_messages import (
    AskHead,
    AskMeet,
    AskNext,
    AskStatements,
    parse_request,
)
from byline_ledger.statement import Statement
from byline_node import following
from byline_node.admission_jobs import PolicyTest, ask_reload, ask_state
from byline_node.config import NodeConfig
from byline_node.errors import ConfigError, RefusedError
from byline_node.home import Home

ANN, BEN, VOUCHER = key(1), key(2), key(9)
LISTED = AdmissionPolicy(authors="listed", listed=frozenset({ANN.public}))


@pytest.fixture
def fast_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is due is asked for in every session."""
    monkeypatch.setattr(following, "GAP_SECONDS", 0.0)
    monkeypatch.setattr(following, "ROUND_SECONDS", 0.2)


class Spy:
    """What a node asked of its peers, and was told: a question whose connection broke
    (the peer had not noticed a restart yet) is asked again."""

    def __init__(self, node: NetworkedNode) -> None:
        self.ids: Counter[tuple[str, bytes]] = Counter()
        self.others = 0
        self.heads = 0
        asked = node.network._following._ask

        async def ask(peer: str, request: bytes) -> bytes:
            answer = await asked(peer, request)
            match parse_request(request):
                case AskStatements(ids):
                    self.ids.update((peer, id_) for id_ in ids)
                case AskHead() | AskNext() | AskMeet():
                    self.heads += 1
                case _:
                    self.others += 1
            return answer

        node.network._following._ask = ask


async def has_read(node: NetworkedNode, *peers: NetworkedNode) -> None:
    """Waits until a node has read all that these peers show."""

    def all_read() -> bool:
        status = {one["peer_id"]: one for one in node.peers()}
        return all(
            status[peer.network.peer_id]["cursor"] == peer.ledger.view.size
            for peer in peers
        )

    await until(all_read, 30)


def holds(node: NetworkedNode, statements: Sequence[Statement]) -> list[bool]:
    return [node.ledger.view.index_of(one.id) is not None for one in statements]


@pytest.mark.trio
async def test_an_open_node_and_one_with_a_list_settle(tmp_path: Path) -> None:
    """No id is fetched from one peer twice, also after a restart; then there is nothing
    but the question whether something is new."""
    ours = [work(f"ann {i}", ANN) for i in range(40)]
    theirs = [work(f"ben {i}", BEN) for i in range(160)]
    async with (
        networked_node(tmp_path / "open") as archive,
        networked_node(tmp_path / "too", peers=archive.network.addresses) as second,
    ):
        await archive.publish(ours[:20] + theirs[:80])
        await agree(archive, second)
        peers = [*archive.network.addresses, *second.network.addresses]
        async with networked_node(
            tmp_path / "list", peers=peers, policy=LISTED
        ) as gallery:
            spy = Spy(gallery)
            await has_read(gallery, archive, second)
            await archive.publish(ours[20:] + theirs[80:])
            await agree(archive, second)
            await has_read(gallery, archive, second)
            assert all(holds(gallery, ours))
            assert not any(holds(gallery, theirs))
            assert max(spy.ids.values(), default=0) <= 1
            fetched, pages, heads = spy.ids.total(), spy.others, spy.heads
            for _ in range(5):
                gallery.network.look_again()
                await trio.sleep(0.15)
            await until(lambda: spy.heads > heads + 4)
            assert (spy.ids.total(), spy.others) == (fetched, pages)
            status = gallery.peers()
            assert [one["refused"] for one in status] == [160, 160]
            assert [one["agrees"] for one in status] == [False, False]
            counted = gallery.admission.status()
            assert counted["remembered"] == {"not-listed": 160}
            # The others have read what it holds, too, and want nothing of it.
            await has_read(archive, gallery)
        async with networked_node(
            tmp_path / "list", peers=peers, policy=LISTED
        ) as gallery:
            spy = Spy(gallery)
            await has_read(gallery, archive, second)
            gallery.network.look_again()
            await until(lambda: spy.heads > 2)
            assert (spy.ids.total(), spy.others) == (0, 0)
            assert [one["refused"] for one in gallery.peers()] == [160, 160]


@pytest.mark.trio
async def test_another_policy_makes_what_was_refused_wanted_again(
    tmp_path: Path,
) -> None:
    """At once where a peer is connected, and at the next start where it was not."""
    works = [work(f"{i}", by) for i in range(80) for by in (ANN, BEN)]
    async with networked_node(tmp_path / "open") as archive:
        await archive.publish(works)
        peers = archive.network.addresses
        async with networked_node(
            tmp_path / "list", peers=peers, policy=LISTED
        ) as gallery:
            await has_read(gallery, archive)
            assert sum(holds(gallery, works)) == 80
            assert gallery.admission.change(OPEN)
            gallery.network.look_again()
            await agree(archive, gallery)
            # Gossip may have brought them before the log was read again.
            await until(lambda: gallery.peers()[0]["refused"] == 0)
            assert gallery.admission.change(LISTED)
            await archive.publish([work("late", BEN)])
            await until(lambda: gallery.peers()[0]["refused"] == 1)
        async with networked_node(tmp_path / "list", peers=peers) as gallery:
            await agree(archive, gallery)
            await until(lambda: gallery.peers()[0]["refused"] == 0)


@pytest.mark.trio
async def test_what_is_denied_stays_out_and_the_rest_of_a_batch_comes_in(
    tmp_path: Path,
) -> None:
    """By author and by digest, through gossip and through follow."""
    policy = AdmissionPolicy(
        denied_authors=frozenset({BEN.public}),
        denied_digests=frozenset({digest_bytes(b"illegal")[2:]}),
    )
    async with (
        networked_node(tmp_path / "open") as archive,
        networked_node(
            tmp_path / "strict", peers=archive.network.addresses, policy=policy
        ) as strict,
    ):
        await until(lambda: strict.peers()[0]["connected"])
        for round_ in range(3):
            mixed = [work(f"good {round_}"), work("illegal"), work(f"{round_}", BEN)]
            await archive.publish(mixed)
            await until(lambda mixed=mixed: holds(strict, mixed)[0])  # type: ignore[misc]
            assert holds(strict, mixed) == [True, False, False]
        await has_read(strict, archive)
        remembered = strict.admission.status()["remembered"]
        assert remembered == {"denied-author": 3, "denied-digest": 3}


@pytest.mark.trio
async def test_a_rate_defers_and_time_brings_all(
    tmp_path: Path, fast_gaps: None
) -> None:
    """Also over a restart in between; the peer is asked for what is due alone."""
    now = TIME
    policy = AdmissionPolicy(author=Rate(60, 66))
    flood = [work(f"{i}", ANN) for i in range(50)]

    def clock() -> int:
        return now

    async with networked_node(tmp_path / "open") as archive:
        await archive.publish(flood)
        options = {"peers": archive.network.addresses, "policy": policy, "clock": clock}
        async with networked_node(tmp_path / "slow", **options) as slow:  # type: ignore[arg-type]
            await has_read(slow, archive)
            await until(lambda: sum(holds(slow, flood)) == 33)
            now += 2 * 120_000
            await until(lambda: sum(holds(slow, flood)) == 35)
        now += 4 * 120_000
        async with networked_node(tmp_path / "slow", **options) as slow:  # type: ignore[arg-type]
            spy = Spy(slow)
            await until(lambda: sum(holds(slow, flood)) == 39)
            await until(lambda: spy.heads > 3)
            assert spy.ids.total() == 4
            now += 20 * 120_000
            await agree(archive, slow)
            assert slow.admission.status()["deferred"] == 0


@pytest.mark.trio
async def test_where_no_more_can_wait_the_cursor_stops(
    tmp_path: Path, fast_gaps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And goes on when there is room again; nothing is lost."""
    monkeypatch.setattr("byline_ledger.refusals.MAX_DEFERRED_OF_PEER", 5)
    now = TIME
    flood = [work(f"{i}", ANN) for i in range(50)]
    async with networked_node(tmp_path / "open") as archive:
        await archive.publish(flood)
        async with networked_node(
            tmp_path / "slow",
            peers=archive.network.addresses,
            policy=AdmissionPolicy(author=Rate(60, 66)),
            clock=lambda: now,
        ) as slow:
            await until(lambda: slow.admission.status()["deferred"] == 5)
            spy = Spy(slow)
            await until(lambda: spy.heads > 3, 20)
            assert slow.peers()[0]["cursor"] < archive.ledger.view.size
            assert spy.others == spy.ids.total() == 0
            now += 3_600_000
            await agree(archive, slow, seconds=60)


@pytest.mark.trio
async def test_an_endorsement_opens_the_door(tmp_path: Path, fast_gaps: None) -> None:
    """A voucher's word, coming later, brings in what was refused, and no log is read
    again for it."""
    policy = AdmissionPolicy(authors="vouched", vouchers=frozenset({VOUCHER.public}))
    works = [work(f"{i}", by) for i in range(5) for by in (ANN, BEN)]
    async with (
        networked_node(tmp_path / "open") as archive,
        networked_node(
            tmp_path / "vouched", peers=archive.network.addresses, policy=policy
        ) as picky,
    ):
        await archive.publish(works)
        await until(lambda: picky.peers()[0]["cursor"])
        await has_read(picky, archive)
        assert not any(holds(picky, works))
        spy = Spy(picky)
        about = multihash(works[0].id)
        await archive.publish([signed(about, VOUCHER, type="endorse", role="archive")])
        await until(lambda: sum(holds(picky, works)) == 5)
        assert holds(picky, works) == [True, False] * 5
        await has_read(picky, archive)
        assert max(spy.ids.values(), default=0) <= 1


# The operator, and a node in a process of its own


def write_policy(home: Path, policy: AdmissionPolicy) -> None:
    (home / "node").mkdir(exist_ok=True)
    NodeConfig(home, listen=(), admission=policy).write()


def test_a_running_node_takes_another_policy(tmp_path: Path) -> None:
    """At SIGHUP, and when asked; one that cannot be read changes nothing."""
    home = Home(tmp_path)
    write_policy(tmp_path, LISTED)
    with node_process(tmp_path) as node, node.wait_ready() as client:
        with pytest.raises(RefusedError):
            client.publish([work("a", BEN)])
        home.config_file.write_text('[admission]\nauthors = "anybody"\n')
        with pytest.raises(ConfigError, match="goes on with the policy it has") as bad:
            ask_reload(home)
        assert bad.value.hint == "did you mean anyone?"
        with pytest.raises(RefusedError):
            client.publish([work("a", BEN)])
        state = ask_state(home)
        assert state is not None
        assert state["policy"] == LISTED.digest.hex()
        write_policy(tmp_path, OPEN)
        assert ask_reload(home)["changed"] is True
        assert ask_reload(home)["changed"] is False
        assert client.publish([work("b", BEN)])[0].new
        write_policy(tmp_path, LISTED)
        os.kill(node.process.pid, signal.SIGHUP)
        wait_until(lambda: client.admission()["policy"] == LISTED.digest.hex())
        home.config_file.write_text("admission = 7\n")
        os.kill(node.process.pid, signal.SIGHUP)
        with pytest.raises(RefusedError):
            client.publish([work("c", BEN)])
        code, _, written = node.stop()
    assert code == 0, written
    events = [json.loads(line)["event"] for line in written.splitlines()]
    assert events.count("another admission policy") == 2
    assert events.count("the admission policy stays as it was") >= 1


def test_statements_are_tried_on_a_running_node_and_on_a_stopped_one(
    tmp_path: Path,
) -> None:
    """The same answer, rule by rule, and nothing is used up."""
    write_policy(tmp_path, AdmissionPolicy(author=Rate(60, 66), work_bits=20))
    home, one = Home(tmp_path), work("x", title="y" * 16_000)
    with node_process(tmp_path) as node, node.wait_ready():
        running = PolicyTest(home)
        found = [running.rules(one, "api", "") for _ in range(50)]
        assert ask_state(home) is not None
        with pytest.raises(MalformedError, match="source"):
            running.rules(one, "mail", "")
    assert ask_state(home) is None
    stopped = PolicyTest(home)
    assert [stopped.rules(one, "api", "")] * 50 == found
    stopped.close()
    PolicyTest(home).close()
    refused = [rule for rule in found[0] if "reason" in rule]
    assert [rule["reason"] for rule in refused] == ["too-little-work"]
