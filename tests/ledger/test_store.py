"""Every store behaves alike; LevelDB's own troubles come as our errors."""

from __future__ import annotations

import errno
import gc
import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_ledger.errors import CorruptStoreError, StoreError, StoreLockedError
from byline_ledger.store import layout, leveldb
from byline_ledger.store.gate import Gate
from byline_ledger.store.interface import Reader, Store
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.memory import MemoryStore

PAIRS = [(b"a%03d" % n, b"value %d" % n) for n in range(200)]


@pytest.fixture(params=["memory", "leveldb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = (
        MemoryStore()
        if request.param == "memory"
        else LevelStore.open(tmp_path / "database", create=True)
    )
    yield made
    made.close()


def test_reads_what_was_written(store: Store) -> None:
    store.write([(b"k", b"v"), (b"empty", b"")])
    assert store.get(b"k") == b"v"
    assert store.get(b"empty") == b""
    assert store.get(b"other") is None


def test_a_later_write_wins_and_within_one_the_last(store: Store) -> None:
    store.write([(b"k", b"1")])
    store.write([(b"k", b"2"), (b"k", b"3")])
    assert store.get(b"k") == b"3"


def test_ranges_are_ordered_and_half_open(store: Store) -> None:
    store.write(list(reversed(PAIRS)))
    assert list(store.iterate(b"a", b"b")) == PAIRS
    assert list(store.keys(b"a010", b"a012")) == [b"a010", b"a011"]
    assert list(store.keys(b"a012", b"a010")) == []
    assert list(store.iterate(b"b", b"c")) == []


def test_ranges_longer_than_a_chunk(store: Store) -> None:
    pairs = [(n.to_bytes(4, "big"), b"") for n in range(2 * leveldb.CHUNK + 5)]
    store.write(pairs)
    assert list(store.iterate(b"\x00", b"\x01")) == pairs
    first = leveldb.FIRST_CHUNK
    for end in (first - 1, first, first + 1, 5 * first, leveldb.CHUNK):
        assert list(store.iterate(b"\x00", pairs[end][0])) == pairs[:end]


def test_many_are_found_in_any_order(store: Store) -> None:
    before = store.snapshot()
    store.write([(b"b", b"2"), (b"a", b"1"), (b"c\x00", b""), (b"d", b"4")])
    wanted = [b"d", b"c", b"a", b"zz", b"c\x00", b"", b"a"]
    found = {b"a": b"1", b"c\x00": b"", b"d": b"4"}
    assert store.get_many(wanted) == found
    assert store.snapshot().get_many(iter(wanted)) == found
    assert before.get_many(wanted) == store.get_many([]) == {}


def test_key_reader_includes_both_ends_in_any_order(store: Store) -> None:
    store.write(PAIRS)
    read = store.snapshot().key_reader()
    assert read(b"a001", b"a003") == [b"a001", b"a002", b"a003"]
    assert read(b"a199", b"b") == [b"a199"]
    assert read(b"b", b"c") == []
    assert read(b"a0005", b"a001") == [b"a001"]
    assert read(b"", b"a000") == [b"a000"]


def test_a_snapshot_stays_as_it_was(store: Store) -> None:
    store.write([(b"k", b"old")])
    before = store.snapshot()
    read = before.key_reader()
    store.write([(b"k", b"new"), (b"l", b"")])
    assert before.get(b"k") == b"old"
    assert list(before.iterate(b"a", b"z")) == [(b"k", b"old")]
    assert read(b"a", b"z") == [b"k"]
    assert list(store.snapshot().keys(b"a", b"z")) == [b"k", b"l"]


def test_everything_refuses_after_close(store: Store) -> None:
    store.write([(b"a%06d" % n, b"") for n in range(2 * leveldb.CHUNK)])
    snapshot = store.snapshot()
    halfway = snapshot.iterate(b"a", b"b")
    next(halfway)
    read = snapshot.key_reader()
    store.close()
    store.close()
    uses: list[Callable[[], object]] = [
        lambda: store.get(b"k"),
        lambda: snapshot.get(b"k"),
        lambda: list(snapshot.keys(b"a", b"b")),
        lambda: read(b"a", b"b"),
        lambda: store.write([]),
        store.snapshot,
    ]
    for use in uses:
        with pytest.raises(StoreError, match="closed"):
            use()
    # What is left of a chunk may still come; no more than that, and no crash.
    with pytest.raises(StoreError, match="closed"):
        list(halfway)


@given(
    st.lists(
        st.lists(st.tuples(st.binary(max_size=4), st.binary(max_size=4)), max_size=5)
    ),
    st.binary(max_size=4),
    st.binary(max_size=4),
)
def test_leveldb_agrees_with_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[tuple[bytes, bytes]]],
    start: bytes,
    stop: bytes,
) -> None:
    path = tmp_path_factory.mktemp("store") / "database"
    level, memory = LevelStore.open(path, create=True), MemoryStore()
    for batch in batches:
        level.write(batch)
        memory.write(batch)
        assert list(level.iterate(start, stop)) == list(memory.iterate(start, stop))
    level.close()
    level = LevelStore.open(path)
    assert list(level.iterate(b"", b"\xff" * 5)) == list(
        memory.iterate(b"", b"\xff" * 5)
    )
    level.close()
    shutil.rmtree(path)


# LevelDB alone


@pytest.mark.parametrize("_again", range(5))
def test_closing_waits_for_readers_in_other_threads(
    tmp_path: Path, _again: int
) -> None:
    store = LevelStore.open(tmp_path / "database", create=True)
    store.write([(n.to_bytes(4, "big"), bytes(100)) for n in range(5000)])
    views = [store.snapshot() for _ in range(8)]
    reading = threading.Barrier(9)
    refused: list[StoreError] = []

    def read(view: Reader) -> None:
        reading.wait()
        try:
            while True:
                list(view.iterate(b"", b"\xff"))
                view.get(b"\x00\x00\x00\x01")
        except StoreError as error:
            refused.append(error)

    threads = [threading.Thread(target=read, args=(view,)) for view in views]
    for thread in threads:
        thread.start()
    reading.wait()
    store.close()
    for thread in threads:
        thread.join()
    assert len(refused) == 8
    # Nor may it matter that the database goes before its snapshots.
    del store
    gc.collect()


def test_dropped_snapshots_are_given_back(tmp_path: Path) -> None:
    store = LevelStore.open(tmp_path / "database", create=True)
    kept = store.snapshot()
    for _ in range(10):
        store.snapshot()
    store.snapshot()
    assert len(store._live) <= 2
    assert kept.get(b"k") is None
    store.close()
    del kept


def test_gate_turns_away_after_shutting() -> None:
    gate = Gate()
    with gate, gate:
        pass
    assert gate.shut()
    assert not gate.shut()
    with pytest.raises(StoreError, match="closed"), gate:
        pytest.fail("let in")


def test_no_database_is_made_by_accident(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database"):
        LevelStore.open(tmp_path / "database")
    assert not (tmp_path / "database").exists()


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    store = LevelStore.open(tmp_path / "database", create=True)
    with pytest.raises(StoreLockedError, match="another process"):
        LevelStore.open(tmp_path / "database")
    store.close()
    LevelStore.open(tmp_path / "database").close()


def test_a_flipped_byte_in_a_table_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "database"
    store = LevelStore.open(path, create=True)
    for n in range(40):
        store.write([(b"k%06d" % (n * 1000 + i), os.urandom(300)) for i in range(1000)])
    store.close()
    LevelStore.open(path).close()
    table = max(path.glob("*.ldb"))
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 1
    table.write_bytes(data)
    store = LevelStore.open(path)
    with pytest.raises(CorruptStoreError, match="damaged"):
        list(store.iterate(b"", b"\xff"))
    store.close()


def test_a_damaged_write_log_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "database"
    store = LevelStore.open(path, create=True)
    for n in range(50):
        store.write([(b"k%d" % n, bytes(200))])
    store.close()
    log = max(path.glob("*.log"))
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 1
    log.write_bytes(data)
    with pytest.raises(CorruptStoreError) as caught:
        LevelStore.open(path)
    assert caught.value.hint is not None
    assert log.read_bytes() == data


def test_a_write_log_cut_anywhere_keeps_whole_batches(tmp_path: Path) -> None:
    """What `kill -9` or a power cut leaves: a write that is there in part."""
    whole = tmp_path / "whole"
    store = LevelStore.open(whole, create=True)
    for n in range(8):
        store.write([(b"%d-%d" % (n, i), bytes(40)) for i in range(3)])
    store.close()
    log = max(whole.glob("*.log"))
    seen = set()
    for size in range(log.stat().st_size + 1):
        if size % 7 and size < log.stat().st_size:
            continue
        cut = tmp_path / "cut"
        shutil.copytree(whole, cut)
        os.truncate(cut / log.name, size)
        store = LevelStore.open(cut)
        keys = list(store.keys(b"", b"\xff"))
        store.close()
        assert keys == [
            b"%d-%d" % (n, i) for n in range(len(keys) // 3) for i in range(3)
        ]
        seen.add(len(keys) // 3)
        shutil.rmtree(cut)
    assert seen == set(range(9))


FILL = """
import sys
from pathlib import Path
from byline_ledger.errors import StoreError
from byline_ledger.store.leveldb import LevelStore
store = LevelStore.open(Path(sys.argv[1]), create=True)
for n in range(1000):
    try:
        store.write([(b"%04d" % n, bytes(range(256)) * 16)])
    except StoreError as error:
        print(n, error)
        break
assert store.get(b"0000") is not None
store.close()
"""


def test_a_full_disk_keeps_what_was_written(tmp_path: Path) -> None:
    """No file may grow beyond 256 KiB: for LevelDB the same as a full disk."""
    path = tmp_path / "database"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 10, 256 << 10))

    ran = subprocess.run(
        [sys.executable, "-c", FILL, str(path)],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=True,
    )
    written, message = ran.stdout.split(" ", 1)
    assert "the disk is full" in message
    assert int(written) > 10
    store = LevelStore.open(path)
    keys = list(store.keys(b"", b"\xff"))
    store.close()
    assert keys == [b"%04d" % n for n in range(int(written))]


def test_a_folder_that_cannot_be_synced_fails_the_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LevelStore.open(tmp_path / "database", create=True)

    def broken(_folder: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(leveldb, "sync_folder", broken)
    with pytest.raises(StoreError, match="Input/output error"):
        store.write([(b"k", b"v")])
    store.close()


def test_other_refusals_of_the_database(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match=r"the database cannot be used: .*file"):
        LevelStore.open(tmp_path / "file", create=True)


def test_no_write_where_there_is_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LevelStore.open(tmp_path / "database", create=True)
    store.require_room()
    disk = os.statvfs(tmp_path)

    class Full:
        f_bavail = 10
        f_blocks = disk.f_blocks
        f_frsize = disk.f_frsize

    monkeypatch.setattr(leveldb.os, "statvfs", lambda _path: Full)
    with pytest.raises(StoreError, match="the disk is full") as caught:
        store.require_room()
    assert "free some space" in (caught.value.hint or "")

    def unreadable(_path: object) -> object:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(leveldb.os, "statvfs", unreadable)
    with pytest.raises(StoreError, match=os.strerror(errno.EIO)):
        store.require_room()
    store.close()


# Keys


@given(st.integers(0, 2**64 - 2))
def test_keys_order_like_their_numbers(number: int) -> None:
    for key in (layout.entry, layout.body):
        assert key(number) < key(number + 1)
    assert layout.tile(3, number) < layout.tile(3, number + 1) < layout.tile(4, 0)


@given(st.binary(min_size=1, max_size=6), st.binary(max_size=3))
def test_after_is_above_all_that_begin_with_a_prefix(
    prefix: bytes, more: bytes
) -> None:
    prefix = b"k" + prefix
    assert prefix + more + b"\xff" * 3 < layout.after(prefix)
    assert not layout.after(prefix).startswith(prefix)


def test_state_is_refused_when_cut() -> None:
    state = layout.State(3, 2, b"note")
    assert layout.State.from_bytes(state.to_bytes()) == state
    with pytest.raises(CorruptStoreError, match="16 bytes"):
        layout.State.from_bytes(state.to_bytes()[:16])
    with pytest.raises(CorruptStoreError, match="7 bytes"):
        layout.parse_index(bytes(7))


def test_record_names_are_bounded() -> None:
    assert layout.record(b"n") == b"rn"
    for name in (b"", bytes(256)):
        with pytest.raises(ValueError, match="record name"):
            layout.record(name)
