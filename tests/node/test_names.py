"""Anybody can call a log as another is called: nothing follows for the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.memory_log import MemoryLog
from tests.support.signed import work

from byline_ledger.alarm import Alarm, alarm_of_notes
from byline_ledger.checkpoint import Checkpoint, log_vkey, sign_checkpoint
from byline_ledger.crypto import SigningKey
from byline_ledger.log import Ledger
from byline_ledger.witness import AddCheckpoint
from byline_ledger.witness_messages import AskAdd, AskLatest, parse_added, parse_latest
from byline_node import witnessing
from byline_node.alarms import Alarms
from byline_node.witnessing import Witness

pytestmark = pytest.mark.trio
EVIL = SigningKey.from_seed(b"e" * 32)


@pytest.fixture
def honest() -> MemoryLog:
    log = MemoryLog(7)
    log.append([work("honest")])
    return log


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node")
    yield ledger
    ledger.close()


def squatted(log: MemoryLog, seed: bytes = b"1") -> tuple[bytes, str]:
    """A checkpoint under the log's name, signed by another key; and that key."""
    note = sign_checkpoint(Checkpoint(log.origin, 1, seed * 32), EVIL)
    return note, log_vkey(log.origin, EVIL.public)


async def add(witness: Witness, peer: str, note: bytes, vkey: str) -> int:
    request = AskAdd(AddCheckpoint(0, (), note).to_bytes(), vkey)
    return parse_added(await witness.answer(peer, request.to_bytes()))[0]


async def test_whoever_takes_a_name_first_does_not_shut_out_its_owner(
    ledger: Ledger, honest: MemoryLog
) -> None:
    witness = Witness(ledger, clock=time.time)
    assert await add(witness, "a stranger", *squatted(honest)) == 200
    assert await add(witness, "the owner", honest.checkpoint, honest.vkey) == 200
    request = AskLatest(honest.vkey).to_bytes()
    latest = parse_latest(await witness.answer("anybody", request))
    assert latest is not None
    assert latest.startswith(honest.checkpoint)
    # Both are remembered: neither may show another history now.
    assert await add(witness, "a stranger", *squatted(honest, b"2")) == 409


async def test_the_key_that_the_operator_names_is_the_only_one_of_its_name(
    ledger: Ledger, honest: MemoryLog
) -> None:
    before = Witness(ledger, clock=time.time)
    assert await add(before, "a stranger", *squatted(honest)) == 200
    witness = Witness(ledger, clock=time.time, configured=[honest.vkey])
    assert await add(witness, "a stranger", *squatted(honest)) == 403
    request = AddCheckpoint(0, (), honest.checkpoint).to_bytes()
    assert (await witness.add_checkpoint(request)).status == 200


async def test_the_keys_of_one_name_are_bounded(
    ledger: Ledger, honest: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnessing, "MAX_PER_NAME", 3)
    witness = Witness(ledger, clock=time.time)
    for number in range(5):
        key = SigningKey.from_seed(bytes([number]) * 32)
        witness.present(f"peer {number}", log_vkey(honest.origin, key.public))
    assert len(witness.recall(honest.origin)) == 3


async def test_an_alarm_is_about_a_key_and_not_about_a_name(
    ledger: Ledger, honest: MemoryLog, tmp_path: Path
) -> None:
    one, evil_vkey = squatted(honest, b"1")
    alarms = Alarms(tmp_path / "alarms", lambda vkey: vkey == evil_vkey)
    witness = Witness(ledger, clock=time.time, is_alarmed=alarms.is_alarmed)
    assert await add(witness, "a stranger", one, evil_vkey) == 200
    alarm = alarm_of_notes(evil_vkey, (one, squatted(honest, b"2")[0]), ())
    assert alarm is not None
    assert alarms.add(alarm.to_bytes(), "a test") is not None
    assert await add(witness, "a stranger", one, evil_vkey) == 403
    assert await add(witness, "the owner", honest.checkpoint, honest.vkey) == 200


async def test_what_is_about_no_log_known_here_is_not_even_verified(
    tmp_path: Path, honest: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, vkey = squatted(honest, b"1")
    alarm = alarm_of_notes(vkey, (one, squatted(honest, b"2")[0]), ())
    assert alarm is not None

    def fail(_alarm: Alarm) -> None:
        raise AssertionError("it was verified")

    monkeypatch.setattr(Alarm, "verify", fail)
    alarms = Alarms(tmp_path / "alarms", lambda _vkey: False)
    assert alarms.add(alarm.to_bytes(), "a test") is None


async def test_alarms_can_be_read_while_another_is_added(
    tmp_path: Path, honest: MemoryLog
) -> None:
    """In other threads: what is read is replaced as a whole."""
    one, vkey = squatted(honest, b"1")
    alarms = Alarms(tmp_path / "alarms", lambda _vkey: True)
    reading = iter(alarms._alarms)
    alarm = alarm_of_notes(vkey, (one, squatted(honest, b"2")[0]), ())
    assert alarm is not None
    alarms.add(alarm.to_bytes(), "a test")
    assert list(reading) == []
    assert len(alarms.all) == 1
