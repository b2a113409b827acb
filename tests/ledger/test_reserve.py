"""A full disk can still be opened and read; statements are refused before it hurts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.logs import works
from tests.support.stores import MemoryDisk

from byline_ledger.errors import DiskFullError, StoreError
from byline_ledger.log import Ledger
from byline_ledger.store import reserve
from byline_ledger.store.interface import Store
from byline_ledger.store.reserve import RESERVE_BYTES, keep_reserve, release_reserve

ROOT = Path(__file__).parent.parent.parent


def test_the_reserve_is_made_once_and_given_up_once(tmp_path: Path) -> None:
    path = tmp_path / "reserve"
    assert keep_reserve(path)
    found = path.stat()
    assert found.st_size == RESERVE_BYTES
    assert found.st_blocks * 512 >= RESERVE_BYTES
    assert found.st_mode & 0o777 == 0o600
    path.write_bytes(b"cut")
    assert keep_reserve(path)
    assert path.stat().st_size == RESERVE_BYTES
    assert release_reserve(path)
    assert not release_reserve(path)


def test_a_tiny_or_full_disk_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reserve"
    for name in ("SMALLEST_DISK", "FREE_BYTES"):
        with monkeypatch.context() as small:
            small.setattr(reserve, name, 1 << 62)
            assert not keep_reserve(path)
            assert not path.exists()
    assert not keep_reserve(tmp_path / "no such folder" / "reserve")


def test_a_reserve_that_cannot_be_made_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reserve, "_allocate", full)
    ledger = Ledger.init(tmp_path, open_store=MemoryDisk())
    ledger.keep_reserve()
    assert ledger.append(works(0, 1))[0].new
    assert not (tmp_path / "reserve").exists()
    monkeypatch.undo()
    ledger.append(works(1, 2))
    assert (tmp_path / "reserve").stat().st_size == RESERVE_BYTES


def test_only_a_full_disk_costs_the_reserve(tmp_path: Path) -> None:
    Ledger.init(tmp_path).close()
    disk = MemoryDisk()
    fails: list[StoreError] = []

    def open_store(path: Path, create: bool) -> Store:
        if fails:
            raise fails.pop()
        return disk(path, create)

    assert keep_reserve(tmp_path / "reserve")
    fails.append(StoreError("the disk failed"))
    with pytest.raises(StoreError, match="the disk failed"):
        Ledger.open(tmp_path, open_store=open_store)
    assert (tmp_path / "reserve").exists()
    fails += [DiskFullError("still full"), DiskFullError("full")]
    with pytest.raises(DiskFullError, match="still full"):
        Ledger.open(tmp_path, open_store=open_store)
    assert not (tmp_path / "reserve").exists()
    fails.append(DiskFullError("full"))
    with pytest.raises(DiskFullError, match="full"):
        Ledger.open(tmp_path, open_store=open_store)


FULL_DISK = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from byline_ledger.errors import DiskFullError
from byline_ledger.log import Ledger
from byline_ledger.store import reserve
from tests.support.signed import work

reserve.SMALLEST_DISK = 0
reserve.FREE_BYTES = 16 << 20
folder = Path(sys.argv[1]) / "node"
filler = Path(sys.argv[1]) / "filler"

def statements(start, end):
    return [work(f"{n}", title="x" * 8000) for n in range(start, end)]

def crash():
    pid = os.fork()
    if pid == 0:
        ledger = Ledger.init(folder)
        ledger.keep_reserve()
        # Some 12 MB that LevelDB has in its log alone.
        for start in range(0, 1500, 100):
            ledger.append(statements(start, start + 100))
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert (folder / "reserve").exists()

def fill():
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                pass

crash()
fill()
kept = (folder / "reserve").rename(folder / "elsewhere")
try:
    Ledger.open(folder).close()
except DiskFullError as error:
    print("without:", error.kind)
kept.rename(folder / "reserve")

ledger = Ledger.open(folder)
assert not (folder / "reserve").exists()
view = ledger.view
assert view.statement_count == 1500, view.statement_count
assert sum(1 for _ in view.strings_under(b"", limit=10**6)) == view.set_count
fill()
for _ in range(2):
    try:
        ledger.append(statements(2000, 2001))
    except DiskFullError as error:
        print("refused:", error)
assert ledger.failure is None
assert ledger.view.statement(statements(0, 1)[0].id) is None
ledger.keep_reserve()
assert not (folder / "reserve").exists()
filler.unlink()
assert ledger.append(statements(3000, 3001))[0].new
assert (folder / "reserve").exists()
ledger.close()
print("read and written")
"""


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """On a small disk of its own, in a mount namespace of its own."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no unshare(1) to make a small disk with")
    mount = f"mount -t tmpfs -o size=192m none {tmp_path} && "
    alone = [unshare, "--mount", "--map-root-user", "sh", "-ec"]
    made = subprocess.run([*alone, mount + "true"], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.strip()}")
    run = f'exec "{sys.executable}" -c "$0" "$@"'
    done = subprocess.run(
        [*alone, mount + run, FULL_DISK, str(tmp_path), str(ROOT)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "without: disk-full"
    assert [line.split(":")[0] for line in lines[1:3]] == ["refused", "refused"]
    assert "the disk is full" in lines[1]
    assert lines[3] == "read and written"
