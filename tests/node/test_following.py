"""When logs are read, how failures are spaced, and what is kept of cursors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import trio
import trio.testing
from tests.support.followed_peers import Records, Setting, log_of, run_without_threads
from tests.support.signed import work

from byline_ledger import codec, follow_server, follower
from byline_ledger.admission_policy import OPEN
from byline_ledger.cursor import Cursor
from byline_ledger.follow_messages import (
    AskEntries,
    AskHead,
    AskStatements,
    parse_request,
)
from byline_ledger.follower import KnownLog
from byline_node import following as module
from byline_node import turns
from byline_node.cursors import PLACES, Kept, LedgerCursors
from byline_node.errors import PeerError
from byline_node.following import MAX_REMEMBERED
from byline_node.mistakes import noted

pytestmark = pytest.mark.trio


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    run_without_threads(monkeypatch)


async def test_reads_at_connection_and_then_every_other_second(
    autojump_clock: trio.testing.MockClock,
) -> None:
    setting = Setting(friend=log_of(2, "a", "b"))
    await setting.run(0.5)
    assert setting.mine.set_root == setting.peers["friend"].set_root
    setting.times.clear()
    await setting.run(200)
    assert 80 <= len(setting.times) <= 135


async def test_a_kick_is_heeded_at_once(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    """Also one that comes while a session is under way."""
    setting = Setting(friend=log_of(2, "a"))
    nursery.start_soon(setting.following.follow, "friend")
    await trio.sleep(0.1)
    setting.peers["friend"].append([work("b")])
    setting.following.kick()
    await trio.sleep(0.01)
    assert setting.mine.set_root == setting.peers["friend"].set_root
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_log_that_takes_nothing_in_looks_at_the_heads_of_others(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery, is_known: bool
) -> None:
    """Not more often for what is lost meanwhile; and reads them at once at its end."""
    setting = Setting(friend=log_of(2, "a"))
    setting.is_read_only = not is_known
    nursery.start_soon(setting.following.follow, "friend")
    await trio.sleep(10)
    setting.is_read_only = True
    await trio.sleep(10)
    setting.requests.clear()
    for text in "bcdefghijk":
        setting.peers["friend"].append([work(text)])
        setting.following.kick()
        await trio.sleep(5)
    asked = [type(parse_request(request)) for _peer, request in setting.requests]
    assert set(asked) == {AskHead}
    assert 10 <= len(asked) <= 40
    followed = setting.following.logs["friend"]
    assert followed.error is None
    assert followed.cursor is not None
    assert followed.cursor.seen.size == setting.peers["friend"].size
    assert followed.cursor.size < followed.cursor.seen.size
    setting.is_read_only = False
    setting.following.kick()
    await trio.sleep(0.01)
    assert setting.mine.set_root == setting.peers["friend"].set_root
    nursery.cancel_scope.cancel()


async def test_a_failing_peer_is_asked_ever_less_often(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    """And not more often for being kicked; once it is well again, all is forgotten."""
    setting = Setting(friend=log_of(2, "a"))
    setting.broken = PeerError("no answer")
    nursery.start_soon(setting.following.follow, "friend")
    for _ in range(600):
        await trio.sleep(1)
        setting.following.kick()
    assert 10 < len(setting.times) < 25
    assert setting.following.logs["friend"].error == "no answer"
    setting.broken = None
    await trio.sleep(module.MAX_PAUSE * 1.3)
    assert setting.following.logs["friend"].error is None
    assert setting.mine.set_root == setting.peers["friend"].set_root
    nursery.cancel_scope.cancel()


async def test_losses_without_end_do_not_keep_all_peers_busy(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    """Under a flood there is one after the other: ten questions a second to each."""
    setting = Setting(friend=log_of(2, "a"))
    nursery.start_soon(setting.following.follow, "friend")
    for _ in range(10_000):
        await trio.sleep(0.001)
        setting.following.kick()
    assert 80 <= len(setting.times) <= 110
    nursery.cancel_scope.cancel()


async def beside_a_slow_one(nursery: trio.Nursery, seconds: float) -> Setting:
    """A peer whose turn it is takes its time over each answer; for so long, another is
    followed beside it, whose log is read to its end."""
    texts = [str(number) for number in range(100)]
    setting = Setting(slow=log_of(2, *texts), friend=log_of(3, *texts[:70], "b"))
    setting.delays["slow"] = 200.0
    nursery.start_soon(setting.following.follow, "slow")
    await trio.sleep(260)
    nursery.start_soon(setting.following.follow, "friend")
    await trio.sleep(seconds)
    friend = setting.following.logs["friend"].cursor
    assert friend is not None
    assert friend.size == setting.peers["friend"].size
    return setting


async def test_a_slow_peer_does_not_hold_up_the_others(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    setting = await beside_a_slow_one(nursery, turns.PATIENCE + 1)
    slow = setting.following.logs["slow"].cursor
    assert slow is not None
    assert slow.size == 0
    nursery.cancel_scope.cancel()


async def test_a_slow_peer_is_waited_for_once(
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
    nursery: trio.Nursery,
) -> None:
    """And not before each page of the others."""
    monkeypatch.setattr(follow_server, "MAX_ENTRIES", 8)
    monkeypatch.setattr(follower, "WORTH_A_JUMP", 8)
    await beside_a_slow_one(nursery, turns.PATIENCE + 10)
    nursery.cancel_scope.cancel()


async def test_gaps_of_liars_do_not_hide_the_others(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than are asked for at once; sooner or later each has its turn."""
    monkeypatch.setattr(module, "MAX_IDS", 8)
    liar = log_of(2, *(f"phantom {number}" for number in range(16)))
    liar.bodies.clear()
    first, second = log_of(3, "a"), log_of(4, "c")
    ((missing, envelope),) = first.bodies.items()
    first.bodies.clear()
    setting = Setting(liar=liar, first=first, second=second)
    await setting.run(5, "liar")
    await setting.run(5, "first", "second")
    second.bodies[missing] = envelope
    await setting.run(3_000)
    assert setting.mine.index_of(missing) is not None


async def test_a_log_that_contradicts_itself_is_left_alone(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Also after a reconnection."""
    setting = Setting(friend=log_of(2, "a"))
    await setting.run(1)
    setting.peers["friend"] = log_of(2, "another history")
    setting.peers["friend"].append([work("and on")])
    await setting.run(100, "friend")
    asked = len(setting.times)
    await setting.run(100, "friend")
    assert len(setting.times) == asked
    assert setting.following.logs["friend"].halted
    assert "does not extend" in str(setting.following.logs["friend"].error)


async def test_a_gap_is_filled_by_another_peer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """And nobody is asked for it again and again in vain."""
    first, second = log_of(2, "a", "b"), log_of(3, "c")
    missing = list(first.bodies)[1]
    envelope = first.bodies.pop(missing)
    setting = Setting(first=first, second=second)
    await setting.run(300)
    assert setting.following.logs["first"].cursor is not None
    assert setting.following.logs["first"].cursor.gaps == (missing,)
    vain = [r for _, r in setting.requests if missing in r]
    assert 5 <= len(vain) <= 14
    second.bodies[missing] = envelope
    await setting.run(100)
    assert setting.mine.index_of(missing) is not None
    assert setting.following.logs["first"].cursor.gaps == ()


# Cursors


@pytest.mark.parametrize("peer", ["friend", "stranger"])
async def test_a_cursor_outlives_a_restart(
    autojump_clock: trio.testing.MockClock, peer: str
) -> None:
    setting = Setting(**{peer: log_of(2, "a", "b")})
    await setting.run(1)
    setting.restart()
    setting.requests.clear()
    await setting.run(1)
    assert len(setting.requests) == 1
    assert setting.following.logs[peer].cursor is not None
    assert setting.following.logs[peer].cursor.size == setting.peers[peer].size


async def test_an_idle_peer_costs_no_writes(
    autojump_clock: trio.testing.MockClock,
) -> None:
    setting = Setting(friend=log_of(2, "a"))
    await setting.run(500)
    assert setting.records.writes == 1


async def test_a_busy_peer_costs_a_write_in_ten_seconds(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    setting = Setting(friend=log_of(2, "a"))
    nursery.start_soon(setting.following.follow, "friend")
    for number in range(100):
        setting.peers["friend"].append([work(str(number))])
        await trio.sleep(1)
    assert setting.records.writes <= 11
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("damage", [b"", b"\x80", b"noise", b"\x82\xa6cursor\xc4"])
async def test_a_damaged_cursor_is_read_again(
    autojump_clock: trio.testing.MockClock, damage: bytes
) -> None:
    setting = Setting(friend=log_of(2, "a"))
    await setting.run(1)
    for name in setting.records.values:
        setting.records.values[name] = damage
    setting.restart()
    await setting.run(10)
    assert setting.following.logs["friend"].error is None
    assert setting.following.logs["friend"].cursor is not None


# What our policy does not want


async def test_what_is_refused_is_fetched_once_and_counted(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """By whichever peer it is listed, also after a restart."""
    setting = Setting(friend=log_of(2, "a", "b"), other=log_of(3, "b", "c"))
    both = work("both")
    for log in setting.peers.values():
        log.append([both])
    setting.gate.unwanted = {both.id}
    # Small pages are read from both at once; what the one showed first counts.
    await setting.run(30, "friend")
    await setting.run(30, "other")
    setting.restart()
    await setting.run(30)
    asked = [parse_request(request) for _, request in setting.requests]
    ids = [i for one in asked if isinstance(one, AskStatements) for i in one.ids]
    assert ids.count(both.id) == 1
    assert len(ids) == 5
    refused = [one.refused for one in setting.following.logs.values()]
    assert refused == [1, 1]


async def test_another_policy_reads_from_the_start(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    """While connected, and where the record is of another policy; once."""
    setting = Setting(friend=log_of(2, "a", "b"))
    one = work("unwanted")
    setting.peers["friend"].append([one])
    setting.gate.unwanted = {one.id}
    nursery.start_soon(setting.following.follow, "friend")
    await trio.sleep(1)
    followed = setting.following.logs["friend"]
    assert (followed.refused, setting.mine.index_of(one.id)) == (1, None)
    setting.gate.unwanted.clear()
    setting.gate.remembered.clear()
    setting.gate.digest = b"another policy"
    setting.following.kick()
    await trio.sleep(1)
    assert followed.refused == 0
    assert setting.mine.set_root == setting.peers["friend"].set_root
    nursery.cancel_scope.cancel()


async def test_the_policy_is_kept_with_the_cursor(
    autojump_clock: trio.testing.MockClock,
) -> None:
    setting = Setting(friend=log_of(2, "a", "b"))
    await setting.run(1)
    assert setting.gate.saves > 0
    for digest, pages in ((OPEN.digest, 0), (b"another", 1), (b"another", 0)):
        setting.gate.digest = digest
        setting.restart()
        setting.requests.clear()
        await setting.run(30)
        asked = [parse_request(request) for _, request in setting.requests]
        assert sum(isinstance(one, AskEntries) for one in asked) == pages


async def test_a_record_from_before_there_were_policies_is_that_of_an_open_node(
    autojump_clock: trio.testing.MockClock,
) -> None:
    setting = Setting(friend=log_of(2, "a"))
    cursor = await followed_once()
    old = codec.pack({"cursor": cursor.to_bytes(), "peer": "friend"})
    setting.records.values[b"follow/peer/friend"] = old
    kept = LedgerCursors(setting.records, ["friend"]).load("friend")
    assert kept == Kept(cursor, OPEN.digest, 0)
    odd = codec.pack({"cursor": b"", "peer": "friend", "policy": 1})
    setting.records.values[b"follow/peer/friend"] = odd
    assert LedgerCursors(setting.records, ["friend"]).load("friend") is None


async def test_where_no_more_can_wait_only_what_is_due_is_asked_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    setting = Setting(friend=log_of(2))
    late = [work(f"{i}") for i in range(5)]
    setting.peers["friend"].append(late)
    setting.gate.unwanted = {one.id for one in late}
    setting.gate.room = 3
    await setting.run(100)
    assert len(setting.gate.remembered) == 3
    setting.requests.clear()
    await setting.run(100)
    asked = {type(parse_request(request)) for _, request in setting.requests}
    assert asked == {AskHead}
    first = next(iter(setting.gate.remembered))
    setting.gate.unwanted.remove(first)
    setting.gate.wanted_again.add(first)
    await setting.run(200)
    assert setting.mine.index_of(first) is not None
    setting.gate.unwanted.clear()
    setting.gate.wanted_again |= {one.id for one in late}
    await setting.run(300)
    assert setting.mine.set_root == setting.peers["friend"].set_root


async def test_a_full_disk_costs_only_the_cursor(
    autojump_clock: trio.testing.MockClock,
) -> None:
    setting = Setting(friend=log_of(2, "a"))
    setting.records.full = True
    await setting.run(30)
    assert setting.mine.set_root == setting.peers["friend"].set_root


async def test_strangers_share_a_bounded_number_of_places() -> None:
    """Only our own peers have records of their own."""
    records = Records()
    cursors = LedgerCursors(records, ["friend"])
    cursor = Kept(Cursor.from_bytes((await followed_once()).to_bytes()))
    for number in range(PLACES // 8):
        cursors.save(f"stranger {number}", cursor)
    cursors.save("friend", cursor)
    assert b"follow/peer/friend" in records.values
    places = {name for name in records.values if name.startswith(b"follow/place/")}
    assert len(places) == len(records.values) - 1
    assert max(int(name.rpartition(b"/")[2]) for name in places) < PLACES
    assert cursors.load("stranger 1") in (cursor, None)
    assert cursors.load("unheard of") is None


async def followed_once() -> Cursor:
    setting = Setting(friend=log_of(2, "a"))
    with trio.move_on_after(0.3):
        await setting.following.follow("friend")
    cursor = setting.following.logs["friend"].cursor
    assert cursor is not None
    return cursor


async def test_a_mistake_of_this_program_costs_one_peer(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a peer can make it stumble over, the others are followed; it is asked
    ever less often, and not given up: it may have been our own trouble."""
    setting = Setting(friend=log_of(2, "one"), trap=log_of(3, "two"))
    read = follower._read_entries

    def stumble(entries: Sequence[bytes], cursor: Cursor, ours: KnownLog) -> Any:
        if cursor.vkey == setting.peers["trap"].vkey:
            raise IndexError("list index out of range")
        return read(entries, cursor, ours)

    monkeypatch.setattr(follower, "_read_entries", stumble)
    await setting.run(9, "trap", "friend")
    trap = setting.following.logs["trap"]
    assert trap.error is not None
    assert "IndexError" in trap.error
    assert 1 <= len(noted) <= 4
    noted.clear()
    assert len(setting.mine.bodies) == 1
    assert setting.following.logs["friend"].error is None
    monkeypatch.setattr(follower, "_read_entries", read)
    await setting.run(60, "trap")
    assert trap.error is None
    assert len(setting.mine.bodies) == 2


async def test_peers_that_have_gone_are_remembered_up_to_a_bound(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Never one whose session is not over: a thread may be reading in its log."""
    names = [f"peer {n}" for n in range(MAX_REMEMBERED + 2)]
    setting = Setting(friend=log_of(2, "one"), **{name: log_of(3) for name in names})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(setting.following.follow, "friend")
        await trio.sleep(1)
        await setting.run(1, *names)
        assert setting.following.logs["friend"].connected
        assert len(setting.following.logs) == MAX_REMEMBERED + 1
        nursery.cancel_scope.cancel()
    assert len(setting.following.logs) == MAX_REMEMBERED
    assert "friend" not in setting.following.logs
