"""Alarms that a node keeps: which, how many, and that they can be read meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from byline_ledger.alarm import Alarm, alarm_of_notes
from byline_ledger.checkpoint import Checkpoint, log_vkey, sign_checkpoint
from byline_ledger.crypto import SigningKey
from byline_node import alarms as module
from byline_node.alarms import Alarms

ORIGIN = "log.example/7"


def alarm_about(number: int, faces: bytes = b"12") -> tuple[bytes, str]:
    """Two faces of a log, and its key."""
    key = SigningKey.from_seed(bytes([number]) * 32)
    notes = [
        sign_checkpoint(Checkpoint(ORIGIN, 1, root * 32), key)
        for root in (faces[:1], faces[1:])
    ]
    vkey = log_vkey(ORIGIN, key.public)
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


@pytest.mark.parametrize(("is_named", "kept"), [(False, 1), (True, 4)])
def test_one_alarm_is_enough_about_a_stranger(
    tmp_path: Path, is_named: bool, kept: int
) -> None:
    alarms = Alarms(tmp_path / "alarms", lambda _vkey: True, lambda _vkey: is_named)
    for faces in (b"12", b"13", b"14", b"15", b"16"):
        alarms.add(alarm_about(1, faces)[0], "a test")
    assert len(alarms.all) == kept
