"""A copy of a log: what it refuses, and that it never shows more than it checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.logs import take_down, works
from tests.support.memory_log import MemoryLog
from tests.support.stores import MemoryDisk

from byline_ledger import mirror as mirror_module
from byline_ledger.alarm import Alarm
from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.entry import commitment_entry, retirement_entry, statement_entry
from byline_ledger.errors import (
    CorruptStoreError,
    NotFoundError,
    StoreError,
    VerificationError,
)
from byline_ledger.log import Ledger
from byline_ledger.log_fault import LogFaultError
from byline_ledger.log_files import GONE, StatementName, mirror_file, parse_ids
from byline_ledger.lookup_set import LookupSet
from byline_ledger.mirror import Mirror
from byline_ledger.store import layout


def make_log(*counts: int) -> MemoryLog:
    log = MemoryLog(1)
    for count in counts:
        log.append(works(0, count))
    return log


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copy"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger.init(tmp_path / "node", open_store=MemoryDisk())
    yield made
    made.close()


Open = Callable[[str], Mirror]


@pytest.fixture
def opened(folder: Path, disk: MemoryDisk) -> Iterator[Open]:
    """Opens the copy again and again; the last one is closed."""
    copies: list[Mirror] = []

    def opening(vkey: str) -> Mirror:
        copies.append(Mirror.open(folder, vkey, open_store=disk))
        return copies[-1]

    yield opening
    for copy in copies:
        copy.close()


def test_a_copy_is_found_again_and_goes_on(opened: Open) -> None:
    log = make_log(20, 3)
    with opened(log.vkey) as copy:
        copy.feed(log.log[:22])
        assert copy.sealed is None
    copy = opened(log.vkey)
    assert copy.size == 22
    copy.feed(log.log[22:])
    copy.seal(log.checkpoint)
    view = copy.view()
    assert (view.size, view.root, view.set_root) == (log.size, log.root, log.set_root)
    assert copy.root_at(log.size) == log.root
    assert copy.note == log.checkpoint


def test_a_copy_that_goes_on_is_no_longer_that_of_its_checkpoint(opened: Open) -> None:
    log = make_log(1)
    copy = opened(log.vkey)
    copy.feed(log.log)
    with pytest.raises(StoreError, match="does not end at a checkpoint"):
        copy.view()
    copy.seal(log.checkpoint)
    log.append(works(5, 6))
    copy.feed(log.log[copy.size :])
    with pytest.raises(StoreError, match="does not end at a checkpoint"):
        copy.view()


def test_only_a_checkpoint_of_what_was_copied_seals(opened: Open) -> None:
    log = make_log(2)
    copy = opened(log.vkey)
    copy.feed(log.log)
    for size, reason in ((log.size + 1, "entries copied"), (log.size, "another root")):
        other = sign_checkpoint(Checkpoint(log.origin, size, bytes(32)), log.key)
        with pytest.raises(VerificationError, match=reason):
            copy.seal(other)
    copy.feed([statement_entry(works(7, 8)[0])])
    with pytest.raises(LogFaultError, match="last entry is no commitment"):
        copy.seal(log.checkpoint)


def test_entries_without_a_commitment_are_not_gathered_for_ever(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_module, "MAX_WAITING", 3)
    log = make_log(4)
    with pytest.raises(LogFaultError, match="without a commitment") as caught:
        opened(log.vkey).feed(log.log)
    assert caught.value.index == 4


def test_much_is_written_before_it_is_all(
    opened: Open, monkeypatch: pytest.MonkeyPatch, disk: MemoryDisk
) -> None:
    monkeypatch.setattr(mirror_module, "BATCH", 5)
    log = make_log(9)
    opened(log.vkey).feed(log.log)
    assert disk.store.get(layout.entry(3)) == log.log[3]


def test_after_the_end_of_a_log_comes_its_last_commitment_and_no_more(
    opened: Open,
) -> None:
    log = make_log(1)
    end = retirement_entry("moved away")
    last = commitment_entry(log.set_count, log.set_root)
    with opened(log.vkey) as copy:
        copy.feed([*log.log, end, last])
    for after in (statement_entry(works(5, 6)[0]), last):
        with (
            opened(log.vkey) as copy,
            pytest.raises(LogFaultError, match="after the end"),
        ):
            copy.feed([after])


def test_a_false_last_commitment_is_shown_behind_the_notice_too(opened: Open) -> None:
    log = make_log(3)
    log.add_entry(retirement_entry("moved away"))
    log.add_entry(commitment_entry(log.set_count, bytes(32)))
    log.publish()
    with opened(log.vkey) as copy, pytest.raises(LogFaultError) as caught:
        copy.feed(log.log)
    said = caught.value.evidence(log.size, log.node)
    assert said is not None
    assert Alarm(log.vkey, log.checkpoint, said).verify().kind == "commitment"


def test_the_folder_of_another_copy_is_left_alone(opened: Open) -> None:
    opened(make_log(1).vkey).close()
    with pytest.raises(StoreError, match="a copy of another log"):
        opened(MemoryLog(2).vkey)


def test_a_copy_of_fewer_bytes_than_it_needs_is_damaged(
    opened: Open, disk: MemoryDisk
) -> None:
    log = make_log(1)
    with opened(log.vkey) as copy:
        copy.feed(log.log)
    state = disk.pairs()[layout.STATE]
    beside = layout.u64(2) + state[8:]
    for value, reason in ((state[:15], "15 bytes"), (beside, "with a commitment")):
        disk.change((layout.STATE, value))
        with pytest.raises(CorruptStoreError, match=reason):
            opened(log.vkey)


@pytest.mark.parametrize("cached", [True, False])
def test_strings_not_written_yet_are_seen_by_the_next_commitment(
    opened: Open, monkeypatch: pytest.MonkeyPatch, *, cached: bool
) -> None:
    if not cached:
        empty = LookupSet.empty(cache_bytes=0)
        monkeypatch.setattr(LookupSet, "empty", lambda: empty)
    log = make_log()
    for number in range(60):
        log.append(works(number, number + 1))
    copy = opened(log.vkey)
    copy.feed(log.log)
    copy.seal(log.checkpoint)
    assert copy.view().set_root == log.set_root


def test_a_false_first_commitment_is_judged_by_itself(opened: Open) -> None:
    with pytest.raises(LogFaultError, match="commitment is of 1") as caught:
        opened(make_log().vkey).feed([commitment_entry(1, bytes(32))])
    assert (caught.value.start, len(caught.value.entries)) == (0, 1)


def test_a_mirror_lends_bodies_of_its_own_log_one_by_one(
    opened: Open, ledger: Ledger
) -> None:
    lent = works(0, 25)
    log = MemoryLog(1)
    log.append(lent[:20])
    copy = opened(log.vkey)
    copy.feed(log.log)
    copy.seal(log.checkpoint)
    view = copy.view()
    ledger.append(lent)
    take_down(ledger, lent[3])
    take_down(ledger, lent[22])
    own = ledger.view

    def read(path: str) -> bytes:
        return mirror_file(view, own, path).data

    assert read(StatementName(lent[0].id).to_path()) == own.envelope(lent[0].id)
    assert parse_ids(read(GONE)) == [lent[3].id]
    assert read("checkpoint") == log.checkpoint
    with pytest.raises(NotFoundError, match="holds no statement"):
        read(StatementName(lent[21].id).to_path())
    with pytest.raises(NotFoundError, match="one by one"):
        read("statements/entries/000.p/20")
