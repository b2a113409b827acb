"""The ledger when the disk fails or the process dies: a commit is whole or absent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.support.logs import after_a_fault, require_sound, works
from tests.support.stores import Faults, FaultyStore, MemoryDisk, fail

from byline_ledger import commit
from byline_ledger.check import check_ledger
from byline_ledger.errors import (
    StoreError,
)
from byline_ledger.log import Ledger
from byline_ledger.recovery import string_reader
from byline_ledger.store import durable, layout
from byline_ledger.store import guard as guard_module
from byline_ledger.store.interface import OpenStore, Pair
from byline_ledger.store.leveldb import LevelStore


@pytest.fixture(params=["memory", "leveldb"])
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    return MemoryDisk() if request.param == "memory" else LevelStore.open


# Each step of a commit fails, not persisted or persisted all the same


def fault_in_guard(step: str, kept: bool) -> Callable[[pytest.MonkeyPatch], None]:
    def arm(monkeypatch: pytest.MonkeyPatch) -> None:
        real = getattr(durable, step)

        def broken(*arguments: object) -> object:
            if kept:
                real(*arguments)
            raise OSError(5, os.strerror(5))

        monkeypatch.setattr(durable, step, broken)

    return arm


GUARD_STEPS = {
    f"{step}-{'persisted' if kept else 'not-persisted'}": fault_in_guard(step, kept)
    for step in ("_write_aside", "sync_folder")
    for kept in (False, True)
}


@pytest.mark.parametrize("kept", [False, True], ids=["not-persisted", "persisted"])
def test_a_failed_write_stops_the_ledger(
    tmp_path: Path, open_store: OpenStore, kept: bool
) -> None:
    faults = Faults(open_store)
    ledger = Ledger.init(tmp_path, open_store=faults)
    ledger.append(works(0, 30))
    view = ledger.view
    faults.store.before_write, faults.store.after_write = (
        (None, fail) if kept else (fail, None)
    )
    new = works(30, 40)
    with pytest.raises(StoreError, match="the disk failed"):
        ledger.append(new)
    faults.store.before_write = faults.store.after_write = None
    for use in (
        lambda: ledger.append(works(50, 51)),
        lambda: ledger.append(new),
        lambda: ledger.put_record(b"name", b""),
    ):
        with pytest.raises(StoreError, match="stopped after a failed write: the disk"):
            use()
    assert ledger.failure == "the disk failed"
    assert ledger.view is view
    assert view.statement_count == 30
    assert view.statement(new[0].id) is None
    ledger.close()
    after_a_fault(tmp_path, open_store, 30, new)


@pytest.mark.parametrize("step", GUARD_STEPS)
def test_a_failed_guard_stops_the_ledger(tmp_path: Path, step: str) -> None:
    ledger = Ledger.init(tmp_path)
    ledger.append(works(0, 30))
    view = ledger.view
    new = works(30, 40)
    with pytest.MonkeyPatch.context() as monkeypatch:
        GUARD_STEPS[step](monkeypatch)
        with pytest.raises(StoreError, match="Input/output error"):
            ledger.append(new)
    with pytest.raises(StoreError, match="stopped after a failed write"):
        ledger.append(new)
    assert ledger.view is view
    ledger.close()
    ledger = Ledger.open(tmp_path)
    assert ledger.view.statement_count == 40
    ledger.close()
    after_a_fault(tmp_path, LevelStore.open, 30, new)


@pytest.mark.parametrize("kept", [False, True], ids=["not-persisted", "persisted"])
def test_a_failed_side_record_stops_the_ledger(tmp_path: Path, kept: bool) -> None:
    faults = Faults()
    ledger = Ledger.init(tmp_path, open_store=faults)
    if kept:
        faults.store.after_write = fail
    else:
        faults.store.before_write = fail
    with pytest.raises(StoreError, match="the disk failed"):
        ledger.put_record(b"cursor", b"1")
    with pytest.raises(StoreError, match="stopped"):
        ledger.append(works(0, 1))
    ledger.close()
    ledger = Ledger.open(tmp_path)
    assert ledger.get_record(b"cursor") == (b"1" if kept else None)
    ledger.close()
    after_a_fault(tmp_path, LevelStore.open, 0, works(0, 5))


@pytest.mark.parametrize("kept", [False, True], ids=["not-persisted", "persisted"])
def test_a_failed_first_commit(tmp_path: Path, kept: bool) -> None:
    faults = Faults()

    def arm(store: FaultyStore) -> None:
        if kept:
            store.after_write = fail
        else:
            store.before_write = fail

    faults.prepare = arm
    with pytest.raises(StoreError, match="the disk failed"):
        Ledger.init(tmp_path, open_store=faults)
    assert check_ledger(tmp_path).problem is None
    after_a_fault(tmp_path, LevelStore.open, 0, works(0, 5))


@pytest.mark.parametrize("step", GUARD_STEPS)
def test_a_failed_first_guard(tmp_path: Path, step: str) -> None:
    real = guard_module.write_durably
    written = 0

    def second(path: Path, data: bytes) -> None:
        nonlocal written
        written += 1
        with pytest.MonkeyPatch.context() as monkeypatch:
            if written == 2:
                GUARD_STEPS[step](monkeypatch)
            real(path, data)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(guard_module, "write_durably", second)
        with pytest.raises(StoreError, match="Input/output error"):
            Ledger.init(tmp_path)
    after_a_fault(tmp_path, LevelStore.open, 0, works(0, 5))


def test_a_failed_read_stops_the_ledger_too(tmp_path: Path) -> None:
    faults = Faults()
    ledger = Ledger.init(tmp_path, open_store=faults)
    ledger.append(works(0, 5))
    with pytest.MonkeyPatch.context() as monkeypatch:
        reader = type(ledger.view.reader)
        monkeypatch.setattr(reader, "get_many", lambda _self, _keys: fail())
        with pytest.raises(StoreError, match="the disk failed"):
            ledger.append(works(5, 6))
    with pytest.raises(StoreError, match="stopped"):
        ledger.append(works(5, 6))
    faults.store.broken = True
    with pytest.raises(StoreError, match="does not answer"):
        ledger.get_record(b"name")
    ledger.close()
    after_a_fault(tmp_path, LevelStore.open, 5, works(5, 6))


def test_a_snapshot_that_fails_after_the_commit(tmp_path: Path) -> None:
    faults = Faults()
    ledger = Ledger.init(tmp_path, open_store=faults)

    def break_it() -> None:
        faults.store.broken = True

    faults.store.after_write = break_it
    new = works(0, 5)
    with pytest.raises(StoreError, match="does not answer"):
        ledger.append(new)
    ledger.close()
    ledger = Ledger.open(tmp_path)
    assert ledger.view.statement_count == 5
    ledger.close()


def test_want_of_room_refuses_but_does_not_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger.init(tmp_path)
    ledger.append(works(0, 5))
    with monkeypatch.context() as full:
        full.setattr(LevelStore, "require_room", lambda _self: fail())
        for _ in range(2):
            with pytest.raises(StoreError, match="the disk failed"):
                ledger.append(works(5, 6))
            with pytest.raises(StoreError, match="the disk failed"):
                ledger.put_record(b"name", b"")
    assert ledger.failure is None
    assert ledger.append(works(5, 6))[0].new
    ledger.close()
    require_sound(tmp_path)


KINDS = {
    "statement": layout.BODIES,
    "entry": layout.ENTRIES,
    "index": layout.IDS,
    "string": layout.STRINGS,
    "tile": layout.TILES,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0, 1], ids=["key", "value"])
def test_a_bit_flipped_in_memory_is_never_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, part: int
) -> None:
    """In the first, a middle and the last of each kind; each bit of a few bytes."""
    disk = MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    ledger.append(works(0, 100))
    state, read = ledger.view.state, string_reader(ledger.view.reader)
    statements, key = works(100, 300), ledger.keys.log
    encode = commit._puts
    flips = 0
    for place in (0, 50, -1):
        for at in (0, 7, 20, -1):

            def flipping(
                *arguments: Any, place: int = place, at: int = at
            ) -> list[Pair]:
                nonlocal flips
                puts = encode(*arguments)
                found = [i for i, pair in enumerate(puts) if pair[0][:1] == KINDS[kind]]
                index = found[min(place, len(found) - 1)]
                pair = [puts[index][0], bytearray(puts[index][1])]
                old = bytearray(pair[part])
                if -len(old) <= at < len(old):
                    old[at] ^= 1 << flips % 8
                    flips += 1
                pair[part] = bytes(old)
                puts[index] = (bytes(pair[0]), bytes(pair[1]))
                return puts

            monkeypatch.setattr(commit, "_puts", flipping)
            before = flips
            try:
                commit.prepare_commit(state, statements, key, read)
            except StoreError as error:
                assert "changed in memory" in str(error)  # noqa: PT017
            else:
                assert flips == before
    assert flips >= (0 if (kind, part) == ("string", 1) else 9)
    before_pairs = disk.pairs()
    monkeypatch.setattr(commit, "_puts", lambda *all_: encode(*all_)[1:])
    with pytest.raises(StoreError, match="changed in memory"):
        ledger.append(statements)
    ledger.close()
    assert disk.pairs() == before_pairs


def test_a_set_that_changed_in_memory_is_never_signed(tmp_path: Path) -> None:
    ledger = Ledger.init(tmp_path, open_store=MemoryDisk())
    with (
        patch.object(commit, "commitment_entry", lambda _n, _r: b"\x01" + bytes(40)),
        pytest.raises(StoreError, match="the commitment changed in memory"),
    ):
        ledger.append(works(0, 3))


# Processes that die

WRITER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from byline_ledger.log import Ledger
from byline_ledger.store import durable, guard
from tests.support.signed import work
from tests.support.stores import Faults

folder, step = Path(sys.argv[1]), sys.argv[3]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def dying(real, after):
    def run(*arguments):
        if after:
            real(*arguments)
        die()
    return run

faults = Faults()
ledger = Ledger.init(folder, open_store=faults)
for number in range(10**6):
    if number == 20:
        if step == "before-write":
            faults.store.before_write = die
        if step == "after-write":
            faults.store.after_write = die
        if step == "guard-aside":
            durable._write_aside = dying(durable._write_aside, True)
        if step == "guard-in-place":
            durable.sync_folder = dying(durable.sync_folder, False)
        if step == "before-view":
            guard.write_durably = dying(guard.write_durably, True)
    statements = [work(f"{number}-{part}") for part in range(5)]
    ledger.append(statements)
    print(*(one.id.hex() for one in statements), flush=True)
"""

ROOT = Path(__file__).parent.parent.parent


def receipts(folder: Path, step: str, kill_after: int = 10**9) -> list[bytes]:
    """Ids that a writer receipted before it died at a step, or was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(ROOT), step],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if len(lines) == kill_after:
                process.kill()
    assert process.returncode == -signal.SIGKILL
    whole = [line for line in lines if line.endswith("\n")]
    return [bytes.fromhex(word) for line in whole for word in line.split()]


def after_a_death(folder: Path, receipted: list[bytes]) -> int:
    require_sound(folder)
    ledger = Ledger.open(folder)
    assert ledger.read_only is None
    count = ledger.view.statement_count
    assert all(ledger.view.index_of(one) is not None for one in receipted)
    ledger.append(works(0, 5))
    ledger.close()
    require_sound(folder)
    return count


@pytest.mark.parametrize(
    ("step", "kept"),
    [
        ("before-write", False),
        ("after-write", True),
        ("guard-aside", True),
        ("guard-in-place", True),
        ("before-view", True),
    ],
)
def test_a_process_killed_at_each_step(tmp_path: Path, step: str, kept: bool) -> None:
    receipted = receipts(tmp_path, step)
    assert len(receipted) == 100
    assert after_a_death(tmp_path, receipted) == (105 if kept else 100)


@pytest.mark.parametrize("kill_after", [1, 7, 60])
def test_a_process_killed_at_any_time(tmp_path: Path, kill_after: int) -> None:
    receipted = receipts(tmp_path, "none", kill_after)
    assert len(receipted) >= 5 * kill_after
    assert after_a_death(tmp_path, receipted) >= len(receipted)
