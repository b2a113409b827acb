"""Taking a body down: the proofs stay, the bytes go, and nobody brings them back."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.support.logs import require_sound, works
from tests.support.signed import work
from tests.support.stores import Faults, MemoryDisk, fail

from byline_ledger.check import check_ledger
from byline_ledger.checkpoint import open_checkpoint
from byline_ledger.entry import statement_entry
from byline_ledger.errors import (
    CorruptStoreError,
    NotFoundError,
    ReadOnlyError,
    RedactedError,
    StoreError,
    UsageError,
)
from byline_ledger.follow_messages import AskStatements, Envelopes
from byline_ledger.follow_server import answer
from byline_ledger.log import Ledger
from byline_ledger.log_files import Bodies, log_file
from byline_ledger.merkle import leaf_hash, verify_inclusion
from byline_ledger.statement import Statement
from byline_ledger.store import layout
from byline_ledger.store.interface import OpenStore
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.takedown import UNERASED
from byline_ledger.tiles import Tile, parse_entry_bundle
from byline_ledger.tombstone import NOT_RECOVERED, Tombstone

GONE = Tombstone("court order of 2026-03-01", 1_790_000_000_000)


@pytest.fixture(params=["memory", "leveldb"])
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    return MemoryDisk() if request.param == "memory" else LevelStore.open


def files_with(folder: Path, data: bytes) -> list[str]:
    """Names of the database's files that hold these bytes."""
    files = sorted((folder / "database").iterdir())
    return [file.name for file in files if data in file.read_bytes()]


def incompressible(number: int) -> Statement:
    """Its body holds bytes that no compression hides."""
    secret = hashlib.sha512(str(number).encode()).digest()
    return work(f"secret {number}", blob=secret)


def secret_of(number: int) -> bytes:
    return hashlib.sha512(str(number).encode()).digest()[8:56]


def test_the_body_goes_and_the_proofs_stay(
    tmp_path: Path, open_store: OpenStore
) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    statements = works(0, 300)
    ledger.append(statements)
    before, one = ledger.view, statements[7]
    assert ledger.redact(one.id, GONE) == GONE
    for view in (ledger.view, before):
        with pytest.raises(RedactedError, match="court order"):
            view.statement(one.id)
        assert view.tombstone(one.id) == GONE
        bundle = log_file(view, Bodies(Tile(None, 0)).to_path()).data
        bodies = parse_entry_bundle(bundle, 256)
        assert bodies[8] == b""
        assert bodies[9] == statements[8].to_envelope()
        left = [said.id for _, said in view.statements(0, view.size)]
        assert left == [said.id for said in statements if said != one]
    view = ledger.view
    assert (view.root, view.set_root) == (before.root, before.set_root)
    assert view.checkpoint == before.checkpoint
    index = view.index_of(one.id)
    assert index is not None
    tree = open_checkpoint(view.checkpoint, view.vkey)
    leaf, proof = leaf_hash(statement_entry(one)), view.inclusion_proof(index)
    verify_inclusion(leaf, index, tree.size, proof, tree.root)
    assert view.strings_under(b"", limit=1000) == before.strings_under(b"", limit=1000)
    asked = AskStatements((statements[0].id, one.id)).to_bytes()
    answered = answer(view, asked)
    assert answered == Envelopes((statements[0].to_envelope(), b""))
    ledger.append(works(300, 301))
    ledger.close()
    report = check_ledger(tmp_path, open_store=open_store)
    assert report.problem is None
    assert (report.statements, report.redacted) == (301, 1)
    ledger = Ledger.open(tmp_path, open_store=open_store)
    assert ledger.view.tombstone(one.id) == GONE
    ledger.close()


def test_the_first_reason_stands(tmp_path: Path) -> None:
    ledger = Ledger.init(tmp_path, open_store=MemoryDisk())
    one = work("one")
    ledger.append([one])
    ledger.redact(one.id, GONE)
    assert ledger.redact(one.id, Tombstone("another", 1)) == GONE
    assert ledger.view.tombstone(one.id) == GONE


def test_what_cannot_be_taken_down(tmp_path: Path) -> None:
    ledger = Ledger.init(tmp_path, open_store=MemoryDisk())
    ledger.append([one := work("one")])
    with pytest.raises(NotFoundError, match="holds no statement"):
        ledger.redact(bytes(32), GONE)
    with pytest.raises(UsageError, match="nobody took down"):
        ledger.redact(one.id, Tombstone(NOT_RECOVERED, 1))
    ledger.close()
    with pytest.raises(StoreError, match="closed"):
        ledger.redact(one.id, GONE)


def test_a_body_taken_down_is_not_taken_in_again(tmp_path: Path) -> None:
    ledger = Ledger.init(tmp_path, open_store=MemoryDisk())
    one = work("one")
    ledger.append([one])
    ledger.redact(one.id, GONE)
    size = ledger.view.size
    place = ledger.append([one])[0]
    assert (place.index, place.new) == (1, False)
    assert ledger.view.size == size
    assert ledger.view.tombstone(one.id) == GONE
    assert ledger.put_back([one]) == 0
    with pytest.raises(RedactedError):
        ledger.view.statement(one.id)


@pytest.mark.parametrize("reopened", [False, True], ids=["memtable", "tables"])
def test_the_bytes_leave_the_disk(tmp_path: Path, reopened: bool) -> None:
    ledger = Ledger.init(tmp_path)
    statements = [incompressible(number) for number in range(50)]
    ledger.append(statements)
    if reopened:
        ledger.close()
        ledger = Ledger.open(tmp_path)
    assert files_with(tmp_path, secret_of(7))
    ledger.redact(statements[7].id, GONE)
    assert files_with(tmp_path, secret_of(7)) == []
    assert files_with(tmp_path, secret_of(8))
    assert ledger.get_record(UNERASED) is None
    ledger.close()
    assert files_with(tmp_path, secret_of(7)) == []
    require_sound(tmp_path)


@pytest.mark.parametrize("released", [False, True])
def test_bytes_in_use_leave_the_disk_afterwards(tmp_path: Path, released: bool) -> None:
    """When nobody uses them any more, or else at close."""
    ledger = Ledger.init(tmp_path)
    statements = [incompressible(number) for number in range(50)]
    ledger.append(statements)
    held = ledger.view
    ledger.redact(statements[7].id, GONE)
    assert held.size == ledger.view.size
    assert files_with(tmp_path, secret_of(7))
    assert ledger.get_record(UNERASED) == layout.u64(8)
    ledger.put_record(b"later", b"")
    if released:
        del held
        ledger.finish_takedowns()
        assert ledger.get_record(UNERASED) is None
        assert files_with(tmp_path, secret_of(7)) == []
    ledger.close()
    assert files_with(tmp_path, secret_of(7)) == []
    ledger = Ledger.open(tmp_path)
    assert ledger.get_record(UNERASED) is None
    ledger.close()
    require_sound(tmp_path)


def test_bytes_left_by_a_crash_leave_the_disk_at_the_next_start(
    tmp_path: Path,
) -> None:
    faults = Faults()
    ledger = Ledger.init(tmp_path, open_store=faults)
    statements = [incompressible(number) for number in range(50)]
    ledger.append(statements)
    faults.store.after_write = fail
    with pytest.raises(StoreError, match="the disk failed"):
        ledger.redact(statements[7].id, GONE)
    with pytest.raises(StoreError, match="stopped"):
        ledger.redact(statements[8].id, GONE)
    faults.store.after_write = None
    ledger.close()
    assert files_with(tmp_path, secret_of(7))
    Ledger.open(tmp_path).close()
    assert files_with(tmp_path, secret_of(7)) == []
    require_sound(tmp_path)


def test_a_failed_takedown_is_whole_or_absent(tmp_path: Path) -> None:
    disk = MemoryDisk()
    faults = Faults(disk)
    ledger = Ledger.init(tmp_path, open_store=faults)
    ledger.append([one := work("one")])
    faults.store.before_write = fail
    with pytest.raises(StoreError, match="the disk failed"):
        ledger.redact(one.id, GONE)
    ledger.close()
    require_sound(tmp_path, disk)
    assert Ledger.open(tmp_path, open_store=disk).view.statement(one.id) == one


def test_a_list_of_takedowns_that_is_cut_is_damage(tmp_path: Path) -> None:
    disk = MemoryDisk()
    Ledger.init(tmp_path, open_store=disk).close()
    disk.change((layout.record(UNERASED), b"123"))
    with pytest.raises(CorruptStoreError, match="3 bytes"):
        Ledger.open(tmp_path, open_store=disk)


# What a check finds


def test_body_and_tombstone_together_or_neither_are_findings(tmp_path: Path) -> None:
    disk = MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    ledger.append([one := work("one"), two := work("two")])
    ledger.redact(two.id, GONE)
    ledger.close()
    good = disk.pairs()

    def problem(pairs: dict[bytes, bytes]) -> str:
        disk.replace(pairs)
        return check_ledger(tmp_path, open_store=disk).problem or ""

    mark = layout.tombstone(2)
    assert problem(good) == ""
    assert "a tombstone, too" in problem(good | {layout.body(2): one.to_envelope()})
    assert "is missing" in problem({k: v for k, v in good.items() if k != mark})
    assert "tombstone: " in problem(good | {mark: b"\x80"})
    stray = good | {layout.tombstone(3): GONE.to_bytes()}
    assert "a tombstone without an entry: 78" in problem(stray)
    stray = good | {layout.tombstone(0): GONE.to_bytes()}
    assert "a tombstone without an entry: 78" in problem(stray)


def test_a_cosigned_checkpoint_of_another_tree_is_a_finding(tmp_path: Path) -> None:
    disk = MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    ledger.append(works(0, 3))
    ledger.keep_cosigned(ledger.view.checkpoint)
    ledger.close()
    good = disk.pairs()
    require_sound(tmp_path, disk)
    disk.change((layout.cosigned(3), good[layout.cosigned(5)]))
    found = check_ledger(tmp_path, open_store=disk).problem
    assert "cosigned checkpoint of another tree" in (found or "")


# The end of a log


def test_a_retired_log_is_served_and_never_signed_again(
    tmp_path: Path, open_store: OpenStore
) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    ledger.append([one := work("one")])
    ledger.retire("continued as log.example/2")
    size = ledger.view.size
    assert size == 5
    for _ in range(2):
        assert "ended by its operator: continued as" in (ledger.read_only or "")
        for use in (
            lambda log: log.append(works(1, 2)),
            lambda log: log.retire("again"),
        ):
            with pytest.raises(ReadOnlyError, match="ended by its operator"):
                use(ledger)
        assert ledger.view.size == size
        assert ledger.view.statement(one.id) == one
        ledger.close()
        require_sound(tmp_path, open_store)
        ledger = Ledger.open(tmp_path, open_store=open_store)
    assert ledger.redact(one.id, GONE) == GONE
    ledger.close()
    require_sound(tmp_path, open_store)


@pytest.mark.parametrize("text", ["", "two\nlines", "x" * 1025, "\ud800"])
def test_a_notice_is_one_line(tmp_path: Path, text: str) -> None:
    ledger = Ledger.init(tmp_path, open_store=MemoryDisk())
    with pytest.raises(UsageError):
        ledger.retire(text)
    assert ledger.failure is None
    assert ledger.append(works(0, 1))[0].new
