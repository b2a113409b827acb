"""Alarms that a node keeps: which, how many, and that they can be read meanwhile."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from tests.support.node_process import node_process
from tests.support.signed import work
from tests.support.waiting import wait_until

from byline_ledger.alarm import Alarm, alarm_of_notes
from byline_ledger.alarm_messages import (
    AskAlarms,
    alarm_answer,
    alarm_ids_answer,
    parse_alarm_request,
)
from byline_ledger.checkpoint import Checkpoint, log_vkey, sign_checkpoint
from byline_ledger.crypto import SigningKey
from byline_ledger.errors import ReadOnlyError
from byline_ledger.log import Ledger
from byline_node import alarms as module
from byline_node.alarm_exchange import ASK_SECONDS, AlarmExchange
from byline_node.alarms import Alarms

ORIGIN = "log.example/7"


class NoMesh:
    async def publish(self, _topic: str, _data: bytes) -> None: ...

    async def messages(self, _topic: str) -> AsyncIterator[Any]:
        await trio.sleep_forever()
        yield


def alarm_about(number: int, faces: bytes = b"12") -> tuple[bytes, str]:
    """Two faces of a log, and its key."""
    return two_faces(ORIGIN, SigningKey.from_seed(bytes([number]) * 32), faces)


def two_faces(origin: str, key: SigningKey, faces: bytes = b"12") -> tuple[bytes, str]:
    notes = [
        sign_checkpoint(Checkpoint(origin, 1, root * 32), key)
        for root in (faces[:1], faces[1:])
    ]
    vkey = log_vkey(origin, key.public)
    alarm = alarm_of_notes(vkey, (notes[0], notes[1]), ())
    assert alarm is not None
    return alarm.to_bytes(), vkey


def test_what_is_about_no_log_known_here_is_not_even_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm, _vkey = alarm_about(1)

    def fail(_alarm: Alarm) -> None:
        raise AssertionError("it was verified")

    monkeypatch.setattr(Alarm, "verify", fail)
    alarms = Alarms(tmp_path / "alarms", lambda _vkey: False)
    assert alarms.add(alarm, "a test") is None


def test_alarms_can_be_read_while_another_is_added(tmp_path: Path) -> None:
    """In other threads: what is read is replaced as a whole."""
    alarms = Alarms(tmp_path / "alarms", lambda _vkey: True)
    reading = iter(alarms._alarms)
    alarms.add(alarm_about(1)[0], "a test")
    assert list(reading) == []
    assert len(alarms.all) == 1


@pytest.mark.parametrize(("most", "room"), [(3, 1 << 20), (99, 1_500)])
def test_alarms_about_strangers_leave_room_for_those_that_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, room: int
) -> None:
    """And a peer of our own that shows one log after the other fills no disk."""
    monkeypatch.setattr(module, "MAX_EACH", most)
    monkeypatch.setattr(module, "EACH_BYTES", room)
    named = {alarm_about(number)[1] for number in range(50, 59)}
    alarms = Alarms(tmp_path / "alarms", lambda _vkey: True, named.__contains__)
    for number in range(9):
        alarms.add(alarm_about(number)[0], "a test")
    assert len(alarms.all) == 3
    for number in range(50, 59):
        alarms.add(alarm_about(number)[0], "a test")
    assert len(alarms.all) == 6
    assert sum(map(alarms.is_alarmed, named)) == 3
    again = Alarms(tmp_path / "alarms", lambda _vkey: True)
    assert {one.id for one in again.all} == {one.id for one in alarms.all}


@pytest.mark.trio
async def test_what_commands_prove_is_heeded_while_the_node_runs(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Of logs that it has to do with, also where that comes later; bad files harm
    nothing."""
    home = tmp_path / "home"
    known: set[str] = set()
    (first, one), (second, other) = alarm_about(1), alarm_about(2)
    known.add(one)
    alarms = Alarms(tmp_path / "alarms", known.__contains__)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alarms.heed, home)
        await trio.sleep(1)
        home.mkdir()
        (home / "bad.alarm").write_bytes(b"no alarm")
        (home / "first.alarm").write_bytes(first)
        (home / "second.alarm").write_bytes(second)
        await trio.sleep(module.LOOK_SECONDS)
        assert alarms.is_alarmed(one)
        assert not alarms.is_alarmed(other)
        known.add(other)
        await trio.sleep(module.LOOK_SECONDS)
        assert alarms.is_alarmed(other)
        nursery.cancel_scope.cancel()


def test_the_node_of_a_home_knows_what_its_commands_prove(tmp_path: Path) -> None:
    """It would else go on cosigning a log that `audit` has convicted."""
    alarm, vkey = alarm_about(1)
    (tmp_path / "alarms").mkdir()
    (tmp_path / "alarms" / "found.alarm").write_bytes(alarm)
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "node.toml").write_text(f'witness_logs = ["{vkey}"]\n')
    with node_process(tmp_path) as node:
        client = node.wait_ready()
        end = time.monotonic() + 20
        while not (told := client.status()["alarms"]):
            assert time.monotonic() < end
            time.sleep(0.05)
        assert [one["vkey"] for one in told] == [vkey]


def test_a_log_that_lied_is_not_signed_again_after_a_restart(tmp_path: Path) -> None:
    with closing(Ledger.init(tmp_path / "node")) as ledger:
        alarm, _vkey = two_faces(ledger.view.origin, ledger.keys.log)
    file = tmp_path / "alarms" / "found.alarm"
    file.parent.mkdir()
    file.write_bytes(alarm)
    for _ in range(2):
        with node_process(tmp_path) as node:
            client = node.wait_ready()
            wait_until(
                lambda ask=client.status: "this log" in (ask()["read_only"] or "")
            )
            with pytest.raises(ReadOnlyError, match="new log"):
                client.publish([work("a")])
        file.unlink(missing_ok=True)


@pytest.mark.trio
async def test_what_has_no_place_is_fetched_again_when_it_has(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """A fresh node knows no log when it asks its first peer for alarms.  What proves
    nothing is fetched once."""
    (good, vkey), bad, known = alarm_about(1), b"no alarm", set[str]()
    shown = {hashlib.sha256(one).digest(): one for one in (good, bad)}
    fetched: list[bytes] = []

    async def ask(_peer: str, _protocol: str, body: bytes, *, most: int) -> bytes:
        asked = parse_alarm_request(body)
        if isinstance(asked, AskAlarms):
            return alarm_ids_answer(list(shown))
        fetched.append(shown[asked.id])
        return alarm_answer(shown[asked.id])

    alarms = Alarms(tmp_path / "alarms", known.__contains__)
    exchange = AlarmExchange(NoMesh(), ask, alarms)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(exchange.exchange, "peer")
        await trio.sleep(10 * ASK_SECONDS)
        assert sorted(fetched) == sorted([good, bad])
        known.add(vkey)
        await trio.sleep(10 * ASK_SECONDS)
        assert alarms.is_alarmed(vkey)
        assert sorted(fetched) == sorted([good, good, bad])
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("is_named", "kept"), [(False, 1), (True, 4)])
def test_one_alarm_is_enough_about_a_stranger(
    tmp_path: Path, is_named: bool, kept: int
) -> None:
    alarms = Alarms(tmp_path / "alarms", lambda _vkey: True, lambda _vkey: is_named)
    for faces in (b"12", b"13", b"14", b"15", b"16"):
        alarms.add(alarm_about(1, faces)[0], "a test")
    assert len(alarms.all) == kept
