"""Backups, first starts that a power cut broke off, and statements without a body."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.support.logs import take_down, works
from tests.support.memory_log import MemoryLog

from byline_ledger import commit
from byline_ledger.check import check_ledger
from byline_ledger.commit import Vacancy
from byline_ledger.entry import entry_of
from byline_ledger.errors import (
    BylineError,
    CorruptStoreError,
    RedactedError,
    StoreError,
)
from byline_ledger.log import Ledger
from byline_ledger.mirror import Mirror
from byline_ledger.store.interface import Store
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.node_files import NodeFiles, init_node
from byline_ledger.takedown import keys_to_erase, lost_statements
from byline_ledger.tombstone import NOT_RECOVERED, Tombstone


def broken(_folder: Path, _create: bool) -> Store:
    raise CorruptStoreError("no manifest")


def test_a_backup_is_sound_and_known_as_one(tmp_path: Path) -> None:
    seen: list[int] = []
    with closing(Ledger.init(tmp_path / "node")) as ledger:
        ledger.append(works(0, 10))
        size = ledger.view.size
        ledger.backup(tmp_path / "copy", 100, lambda done, _total: seen.append(done))
    assert seen
    found = check_ledger(tmp_path / "copy")
    assert found.problem is None
    assert "read-only" in " ".join(found.notes)
    copy = Ledger.open(tmp_path / "copy")
    assert (copy.view.size, copy.read_only is None) == (size, False)
    copy.close()


def test_a_database_that_was_never_finished_is_made_again(tmp_path: Path) -> None:
    init_node(tmp_path)
    NodeFiles(tmp_path).database.mkdir()
    assert check_ledger(tmp_path, open_store=broken).problem is None
    calls: list[bool] = []

    def second_time(folder: Path, create: bool) -> Store:
        calls.append(create)
        if len(calls) == 1:
            raise CorruptStoreError("no manifest")
        return LevelStore.open(folder, create)

    ledger = Ledger.open(tmp_path, open_store=second_time)
    ledger.append(works(0, 1))
    ledger.close()
    assert calls[:2] == [True, True]
    with pytest.raises(StoreError, match="no manifest"):
        check_ledger(tmp_path, open_store=broken)


def test_a_list_of_takedowns_that_was_cut_is_damage() -> None:
    with pytest.raises(CorruptStoreError, match="has 7 bytes"):
        keys_to_erase(bytes(7))


def test_a_statement_without_its_body_is_logged_as_gone(tmp_path: Path) -> None:
    gone = works(0, 1)[0]
    with closing(Ledger.init(tmp_path / "old")) as old:
        old.append([gone])
        take_down(old, gone)
        tombstone = old.view.tombstone(gone.id)
    assert tombstone is not None
    with closing(Ledger.init(tmp_path / "new")) as ledger:
        vacancy = Vacancy(entry_of(gone), tombstone)
        ledger.append([vacancy, *works(1, 3)])
        assert ledger.view.index_of(vacancy.id) is not None
        with pytest.raises(RedactedError):
            ledger.view.envelope(gone.id)
    assert check_ledger(tmp_path / "new").problem is None


def test_a_copy_counts_what_waits_for_its_commitment(tmp_path: Path) -> None:
    log = MemoryLog(1)
    log.append(works(0, 20))
    with Mirror.open(tmp_path / "copy", log.vkey) as copy:
        copy.feed(log.log[:10])
        assert copy.frontier().size == 10


def test_a_backup_brings_a_guard_where_the_node_has_lost_its_own(
    tmp_path: Path,
) -> None:
    with closing(Ledger.init(tmp_path / "node")) as ledger:
        ledger.append(works(0, 1))
        (tmp_path / "node" / "guard").unlink()
        ledger.backup(tmp_path / "copy", 100)
    assert (tmp_path / "copy" / "guard").exists()
    assert check_ledger(tmp_path / "copy").problem is None


def test_a_statement_that_changed_before_signing_is_not_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Ledger.init(tmp_path / "node")) as ledger:
        before = ledger.view.size
        monkeypatch.setattr(commit, "_hash_of", lambda _statement: bytes(32))
        with pytest.raises(BylineError, match="a statement"):
            ledger.append(works(0, 1))
        assert ledger.view.size == before


def test_lost_bodies_are_found_among_those_taken_down(tmp_path: Path) -> None:
    one, other = works(0, 2)
    with closing(Ledger.init(tmp_path / "node")) as ledger:
        ledger.append([one, Vacancy(entry_of(other), Tombstone(NOT_RECOVERED, 1))])
        take_down(ledger, one)
        assert list(lost_statements(ledger.view)) == [other.id]
