"""Anybody can call a log as another is called; what follows, and what does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing
from tests.support.memory_log import MemoryLog
from tests.support.signed import work

from byline_ledger.alarm import alarm_of_notes
from byline_ledger.checkpoint import Checkpoint, log_vkey, sign_checkpoint
from byline_ledger.crypto import SigningKey
from byline_ledger.log import Ledger
from byline_ledger.merkle import EMPTY_ROOT
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


def squatted_by(log: MemoryLog, number: int) -> tuple[bytes, str]:
    """The same by one of many keys."""
    key = SigningKey.from_seed(bytes([number]) * 32)
    note = sign_checkpoint(Checkpoint(log.origin, 1, b"1" * 32), key)
    return note, log_vkey(log.origin, key.public)


async def add(witness: Witness, peer: str, note: bytes, vkey: str) -> int:
    request = AskAdd(AddCheckpoint(0, (), note).to_bytes(), vkey)
    return parse_added(await witness.answer(peer, request.to_bytes()))[0]


async def test_no_two_histories_of_one_name_are_cosigned(
    ledger: Ledger, honest: MemoryLog
) -> None:
    """A cosignature is of a name and a tree: its line fits under the other log's
    signature as well, whichever key it was earned with."""
    witness = Witness(ledger, clock=time.time, own_peers=["a friend"])
    assert await add(witness, "a stranger", *squatted(honest)) == 200
    for peer in ("a stranger", "the owner", "a friend"):
        assert await add(witness, peer, honest.checkpoint, honest.vkey) == 403
    assert await add(witness, "a stranger", *squatted(honest, b"2")) == 409
    request = AskLatest(honest.vkey).to_bytes()
    assert parse_latest(await witness.answer("anybody", request)) is None
    assert len(witness.recall(honest.origin)) == 1


async def test_the_key_that_the_operator_names_is_the_only_one_of_its_name(
    ledger: Ledger, honest: MemoryLog
) -> None:
    """But where another was cosigned, only new keys of the witness may sign for it."""
    before = Witness(ledger, clock=time.time)
    assert await add(before, "a stranger", *squatted(honest)) == 200
    request = AddCheckpoint(0, (), honest.checkpoint).to_bytes()
    witness = Witness(ledger, clock=time.time, configured=[honest.vkey])
    assert (await witness.add_checkpoint(request)).status == 403
    ledger.renew_witness(bytes(16))
    witness = Witness(ledger, clock=time.time, configured=[honest.vkey])
    assert await add(witness, "a stranger", *squatted(honest)) == 403
    assert (await witness.add_checkpoint(request)).status == 200
    plain = Witness(ledger, clock=time.time)
    assert plain.recall(honest.origin)[0].vkey == honest.vkey


async def test_nobody_takes_the_name_of_our_own_log(ledger: Ledger) -> None:
    witness = Witness(ledger, clock=time.time)
    note = sign_checkpoint(Checkpoint(ledger.keys.origin, 1, b"1" * 32), EVIL)
    vkey = log_vkey(ledger.keys.origin, EVIL.public)
    assert await add(witness, "a stranger", note, vkey) == 404


def logs_of_strangers(count: int) -> list[MemoryLog]:
    return [MemoryLog(number + 100) for number in range(count)]


async def test_logs_are_bounded_and_those_of_our_own_peers_have_a_place(
    ledger: Ledger, honest: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnessing, "MAX_LOGS", 3)
    witness = Witness(ledger, clock=time.time, own_peers=["a friend"])
    answers = [
        await add(witness, f"peer {n}", log.checkpoint, log.vkey)
        for n, log in enumerate(logs_of_strangers(5))
    ]
    assert answers == [200, 200, 200, 404, 404]
    assert await add(witness, "a stranger", honest.checkpoint, honest.vkey) == 404
    assert await add(witness, "a friend", honest.checkpoint, honest.vkey) == 200


async def test_a_peer_makes_a_few_logs_known(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnessing, "MAX_PER_PEER", 2)
    witness = Witness(ledger, clock=time.time)
    answers = [
        await add(witness, "a peer", log.checkpoint, log.vkey)
        for log in logs_of_strangers(4)
    ]
    assert answers == [200, 200, 404, 404]


async def test_keys_without_a_log_take_no_places(
    ledger: Ledger, honest: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a checkpoint of it holds, nothing is kept of a log; nor before its first
    entry."""
    monkeypatch.setattr(witnessing, "MAX_LOGS", 3)
    witness = Witness(ledger, clock=time.time)
    for number in range(5):
        _note, vkey = squatted_by(honest, number)
        assert await add(witness, f"peer {number}", b"no note", vkey) == 400
        assert await add(witness, f"peer {number}", honest.checkpoint, vkey) == 403
        empty = sign_checkpoint(Checkpoint(honest.origin, 0, EMPTY_ROOT), EVIL)
        evil = log_vkey(honest.origin, EVIL.public)
        assert await add(witness, f"peer {number}", empty, evil) == 404
    assert await add(witness, "the owner", honest.checkpoint, honest.vkey) == 200


async def test_a_peer_asks_so_often_and_not_more(
    ledger: Ledger, honest: MemoryLog, autojump_clock: trio.testing.MockClock
) -> None:
    witness = Witness(ledger, clock=time.time)
    asked = [
        await add(witness, "a peer", b"no note", honest.vkey)
        for _ in range(int(witnessing.PEER_BURST) + 1)
    ]
    assert set(asked[:-1]) == {400}
    assert asked[-1] == 503
    assert await add(witness, "another", honest.checkpoint, honest.vkey) == 200
    await trio.sleep(1)
    assert await add(witness, "a peer", b"no note", honest.vkey) == 400


async def test_an_alarm_is_about_a_key_and_not_about_a_name(
    ledger: Ledger, honest: MemoryLog, tmp_path: Path
) -> None:
    one, evil_vkey = squatted(honest, b"1")
    alarms = Alarms(tmp_path / "alarms", lambda vkey: vkey == evil_vkey)
    witness = Witness(ledger, clock=time.time, is_alarmed=alarms.is_alarmed)
    alarm = alarm_of_notes(evil_vkey, (one, squatted(honest, b"2")[0]), ())
    assert alarm is not None
    assert alarms.add(alarm.to_bytes(), "a test") is not None
    assert await add(witness, "a stranger", one, evil_vkey) == 403
    assert await add(witness, "the owner", honest.checkpoint, honest.vkey) == 200
