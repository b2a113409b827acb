"""The ledger in good order: what it keeps, finds and proves."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.logs import require_sound, strings_of, works
from tests.support.stores import MemoryDisk, fail

from byline_ledger.checkpoint import open_checkpoint
from byline_ledger.entry import (
    CommitmentEntry,
    commitment_entry,
    parse_entry,
    statement_entry,
    subject_key,
)
from byline_ledger.errors import (
    StoreError,
)
from byline_ledger.log import Ledger, LogView
from byline_ledger.lookup_set import LookupSet, naive_root
from byline_ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from byline_ledger.node_keys import NodeKeys
from byline_ledger.statement import Statement
from byline_ledger.store.interface import OpenStore
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.node_files import NodeFiles


@pytest.fixture(params=["memory", "leveldb"])
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    return MemoryDisk() if request.param == "memory" else LevelStore.open


# A log in good order


def test_a_new_log_commits_to_nothing(tmp_path: Path, open_store: OpenStore) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    view = ledger.view
    assert (view.size, view.statement_count, view.set_count) == (1, 0, 0)
    assert view.entry(0) == commitment_entry(0, naive_root([]))
    assert view.root == leaf_hash(view.entry(0))
    assert open_checkpoint(view.checkpoint, view.vkey).size == 1
    assert view.origin.startswith("byline.internal/")
    assert ledger.read_only is None
    ledger.close()
    require_sound(tmp_path, open_store)


def test_every_tree_ends_with_the_commitment_of_all_before(
    tmp_path: Path, open_store: OpenStore
) -> None:
    ledger = Ledger.init(tmp_path, name="example.org", open_store=open_store)
    kept: list[Statement] = []
    views: list[LogView] = []
    for count in (1, 3, 0, 300):
        new = works(len(kept), len(kept) + count)
        places = ledger.append(new)
        assert all(place.new for place in places)
        kept += new
        view = ledger.view
        views.append(view)
        last = parse_entry(view.entry(view.size - 1))
        assert last == CommitmentEntry(view.set_count, view.set_root)
        assert view.set_root == naive_root(strings_of(kept))
        assert view.statement_count == len(kept)
        for place, statement in zip(places, new, strict=True):
            assert view.entry(place.index) == statement_entry(statement)
    assert [view.size for view in views] == [3, 7, 7, 308]
    newest = ledger.view
    for old in views:
        proof = newest.consistency_proof(old.size)
        verify_consistency(old.size, newest.size, old.root, newest.root, proof)
        checkpoint = open_checkpoint(old.checkpoint, old.vkey)
        assert (checkpoint.size, checkpoint.root) == (old.size, old.root)
        assert checkpoint.origin.startswith("example.org/")
    ledger.close()
    require_sound(tmp_path, open_store)


def test_statements_are_found_and_proven(tmp_path: Path, open_store: OpenStore) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    statements = works(0, 40)
    places = ledger.append(statements)
    view = ledger.view
    for place, statement in zip(places, statements, strict=True):
        assert view.index_of(statement.id) == place.index
        assert view.envelope(statement.id) == statement.to_envelope()
        assert view.statement(statement.id) == statement
        proof = view.inclusion_proof(place.index)
        leaf = leaf_hash(statement_entry(statement))
        verify_inclusion(leaf, place.index, view.size, proof, view.root)
        subject = subject_key(statement.about)
        (string,) = view.strings_under(subject, limit=10)
        assert string.endswith(statement.id)
    assert view.statement(bytes(32)) is None
    assert view.envelope(bytes(32)) is None
    assert view.index_of(bytes(32)) is None
    assert view.frontier().root() == view.root
    for index in (-1, view.size):
        with pytest.raises(IndexError):
            view.entry(index)
    ledger.close()


def test_strings_come_in_pages(tmp_path: Path, open_store: OpenStore) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    statements = works(0, 25)
    ledger.append(statements)
    view = ledger.view
    everything = sorted(strings_of(statements))
    assert view.strings_under(b"", limit=1000) == everything
    assert view.read_strings(bytes(72), b"\xff" * 72) == everything
    assert view.read_strings(everything[3], everything[5]) == everything[3:6]
    paged: list[bytes] = []
    after: bytes | None = None
    while page := view.strings_under(b"", limit=7, after=after):
        paged += page
        after = page[-1]
    assert paged == everything
    prefix = everything[0][:40]
    expected = [string for string in everything if string.startswith(prefix)]
    assert view.strings_under(prefix, limit=100) == expected
    assert view.strings_under(b"\xff" * 40, limit=9) == []
    assert view.strings_under(prefix, limit=9, after=b"\xff" * 72) == []
    ledger.close()


def test_entries_come_in_pages(tmp_path: Path, open_store: OpenStore) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    ledger.append(works(0, 10))
    view = ledger.view
    everything = [view.entry(index) for index in range(view.size)]
    assert view.entries(0, 1000, 1 << 20) == everything
    assert view.entries(3, 5, 1 << 20) == everything[3:5]
    assert view.entries(2, 12, 1) == everything[2:3]
    size = len(everything[1])
    assert view.entries(1, 9, 2 * size) == everything[1:3]
    assert view.entries(view.size, view.size + 1, 100) == []
    assert view.entries(5, 5, 100) == view.entries(5, 2, 100) == []
    assert view.entries(99, 120, 100) == []
    ledger.close()


def test_a_statement_is_kept_once(tmp_path: Path, open_store: OpenStore) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    one, two, three = works(0, 3)
    ledger.append([one])
    places = ledger.append([two, one, two, three, three])
    assert [(place.index, place.new) for place in places] == [
        (3, True),
        (1, False),
        (3, False),
        (4, True),
        (4, False),
    ]
    size = ledger.view.size
    again = ledger.append([one, two, three])
    assert [(place.index, place.new) for place in again] == [
        (1, False),
        (3, False),
        (4, False),
    ]
    assert ledger.append([]) == []
    assert ledger.view.size == size
    ledger.close()
    require_sound(tmp_path, open_store)


def test_another_signature_of_the_same_body_changes_nothing(tmp_path: Path) -> None:
    ledger = Ledger.init(tmp_path, open_store=MemoryDisk())
    (one,) = works(0, 1)
    ledger.append([one])
    ledger.append([Statement.from_parts(one.body, bytes(64))])
    assert ledger.view.envelope(one.id) == one.to_envelope()
    ledger.close()


def test_old_views_stay_as_they_were(tmp_path: Path, open_store: OpenStore) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    first, second = works(0, 20), works(20, 400)
    ledger.append(first)
    old = ledger.view
    ledger.append(second)
    assert old.set_root == naive_root(strings_of(first))
    assert old.strings_under(b"", limit=10_000) == sorted(strings_of(first))
    assert old.index_of(second[0].id) is None
    assert old.size == 22
    leaf = leaf_hash(old.entry(3))
    verify_inclusion(leaf, 3, 22, old.inclusion_proof(3), old.root)
    ledger.close()


def test_all_is_there_again_after_a_restart(
    tmp_path: Path, open_store: OpenStore
) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    statements = works(0, 700)
    ledger.append(statements[:600])
    ledger.append(statements[600:])
    before = ledger.view
    seed = ledger.transport_seed
    ledger.close()
    ledger = Ledger.open(tmp_path, open_store=open_store)
    after = ledger.view
    for name in (
        "origin",
        "vkey",
        "size",
        "root",
        "checkpoint",
        "set_root",
        "set_count",
        "statement_count",
    ):
        assert getattr(after, name) == getattr(before, name)
    assert ledger.transport_seed == seed
    assert ledger.folder == tmp_path
    assert after.state.tree == before.state.tree
    assert all(after.statement(one.id) == one for one in statements[::50])
    ledger.append(works(700, 710))
    ledger.close()
    require_sound(tmp_path, open_store)


def test_keys_of_a_node_are_separate(tmp_path: Path) -> None:
    ledger = Ledger.init(tmp_path, open_store=MemoryDisk())
    secret = NodeFiles(tmp_path).read_secret()
    keys = {
        NodeKeys.derive(secret, ledger.view.origin).log.public,
        NodeKeys.derive(secret, ledger.view.origin + "x").log.public,
        ledger.transport_seed,
        secret,
    }
    assert len(keys) == 4
    ledger.close()


def test_side_records(tmp_path: Path, open_store: OpenStore) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    assert ledger.get_record(b"cursor/peer") is None
    ledger.put_record(b"cursor/peer", b"1")
    ledger.put_record(b"cursor/peer", b"2")
    ledger.put_records({b"one": b"1", b"two": b"2"})
    assert (ledger.get_record(b"one"), ledger.get_record(b"two")) == (b"1", b"2")
    ledger.close()
    ledger = Ledger.open(tmp_path, open_store=open_store)
    assert ledger.get_record(b"cursor/peer") == b"2"
    ledger.close()
    require_sound(tmp_path, open_store)


def test_a_closed_ledger(tmp_path: Path, open_store: OpenStore) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    (one,) = works(0, 1)
    ledger.append([one])
    view = ledger.view
    ledger.close()
    ledger.close()
    for use in (
        lambda: ledger.append([one]),
        lambda: ledger.put_record(b"name", b""),
        lambda: ledger.get_record(b"name"),
        lambda: view.statement(one.id),
        lambda: view.strings_under(b"", limit=1),
    ):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_readers_run_through_commits_and_close(tmp_path: Path) -> None:
    ledger = Ledger.init(tmp_path)
    statements = works(0, 300)
    ledger.append(statements[:50])
    wrong: list[BaseException] = []

    def read(start: int) -> None:
        try:
            while True:
                view = ledger.view
                for one in statements[start:50:7]:
                    index = view.index_of(one.id)
                    assert index is not None
                    proof = view.inclusion_proof(index)
                    leaf = leaf_hash(view.entry(index))
                    verify_inclusion(leaf, index, view.size, proof, view.root)
                assert len(view.strings_under(b"", limit=9999)) == view.set_count
        except StoreError as error:
            if "closed" not in str(error):
                wrong.append(error)
        except BaseException as error:  # noqa: BLE001
            wrong.append(error)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for start in range(50, 300, 25):
        ledger.append(statements[start : start + 25])
    ledger.close()
    for thread in threads:
        thread.join()
    assert wrong == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_show(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], random: object
) -> None:
    statements = works(0, 40)
    random.shuffle(shuffled := list(statements))  # type: ignore[attr-defined]
    ledger = Ledger.init(tmp_path_factory.mktemp("log"), open_store=MemoryDisk())
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), 40], strict=True):
        ledger.append(shuffled[start:end])
    assert ledger.view.set_root == naive_root(strings_of(statements))
    ledger.close()


# The saved skeleton


def test_a_skeleton_is_used_replayed_or_replaced(
    tmp_path: Path, open_store: OpenStore
) -> None:
    ledger = Ledger.init(tmp_path, open_store=open_store)
    ledger.append(works(0, 500))
    ledger.close()
    files = NodeFiles(tmp_path)
    saved = files.lookup.read_bytes()
    ledger = Ledger.open(tmp_path, open_store=open_store)
    assert ledger._saved_size == 502
    ledger.append(works(500, 600))
    root = ledger.view.set_root
    ledger.close()
    assert files.lookup.read_bytes() != saved
    # As if the second stop had been a crash: the strings of 101 entries are replayed.
    files.lookup.write_bytes(saved)
    ledger = Ledger.open(tmp_path, open_store=open_store)
    assert (ledger._saved_size, ledger.view.set_root) == (502, root)
    ledger.append(works(600, 601))
    ledger.close()
    require_sound(tmp_path, open_store)


@pytest.mark.parametrize("damage", ["gone", "cut", "flipped", "foreign", "future"])
def test_a_useless_skeleton_does_no_harm(tmp_path: Path, damage: str) -> None:
    disk = MemoryDisk()
    ledger = Ledger.init(tmp_path / "a", open_store=disk)
    ledger.append(works(0, 300))
    ledger.close()
    path = NodeFiles(tmp_path / "a").lookup
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(data[:-1])
    elif damage == "flipped":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    else:
        other = Ledger.init(tmp_path / "b", open_store=MemoryDisk())
        other.append(works(0, 300 if damage == "foreign" else 400))
        other.close()
        shutil.copy(NodeFiles(tmp_path / "b").lookup, path)
    ledger = Ledger.open(tmp_path / "a", open_store=disk)
    assert ledger._saved_size == 0
    ledger.append(works(300, 301))
    ledger.close()
    require_sound(tmp_path / "a", disk)


def test_a_skeleton_far_behind_is_not_replayed(tmp_path: Path) -> None:
    disk = MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    ledger.append(works(0, 10))
    ledger.close()
    saved = NodeFiles(tmp_path).lookup.read_bytes()
    ledger = Ledger.open(tmp_path, open_store=disk)
    ledger.append(works(10, 100))
    ledger.close()
    NodeFiles(tmp_path).lookup.write_bytes(saved)
    ledger = Ledger.open(tmp_path, open_store=disk)
    assert ledger._saved_size == 0
    ledger.close()


def test_a_small_change_does_not_rewrite_the_skeleton(tmp_path: Path) -> None:
    disk = MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    ledger.append(works(0, 500))
    ledger.close()
    saved = NodeFiles(tmp_path).lookup.read_bytes()
    ledger = Ledger.open(tmp_path, open_store=disk)
    ledger.append(works(500, 501))
    ledger.close()
    assert NodeFiles(tmp_path).lookup.read_bytes() == saved


def test_a_failure_to_save_the_skeleton_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger.init(tmp_path)
    ledger.append(works(0, 10))

    def full(_path: Path, _data: bytes) -> None:
        fail()

    monkeypatch.setattr("byline_ledger.store.skeleton.write_durably", full)
    ledger.close()
    require_sound(tmp_path)


def test_a_set_is_built_from_many_strings_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byline_ledger.recovery.BUILD_CHUNK", 37)
    disk = MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    ledger.append(works(0, 200))
    root = ledger.view.set_root
    ledger.close()
    uncached = LookupSet.empty(cache_bytes=0)
    for start in (LookupSet.empty(), uncached):
        monkeypatch.setattr(LookupSet, "empty", lambda start=start: start)
        NodeFiles(tmp_path).lookup.unlink(missing_ok=True)
        ledger = Ledger.open(tmp_path, open_store=disk)
        assert ledger.view.set_root == root
        ledger.close()
