"""Manifests as files: CSV, Parquet and hash lists, folders, and what changed since."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.signed import key

from byline_ledger.content_sets import collection_fields
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import MalformedError, NotFoundError, UsageError
from byline_ledger.manifest import BadLine, Line, ManifestRow
from byline_ledger.statement import Statement, sign_statement
from byline_node import parquet_manifest
from byline_node.collections import (
    MAX_NAMED,
    compare,
    find_in_folder,
    folder_rows,
    words_said,
)
from byline_node.home import Home
from byline_node.local import LocalClient
from byline_node.manifests import (
    entries,
    manifest_digest,
    open_manifest,
    require_manifest,
    sum_up,
    write_manifest,
)

ONE, TWO = digest_bytes(b"one"), digest_bytes(b"two")
ROWS = [
    ManifestRow(
        2, ONE, "a/ä,%0A\n\udcff", 3, "text/plain", "MIT", "https://a.example/"
    ),
    ManifestRow(3, TWO),
]


def bare(line: Line) -> tuple[object, ...]:
    """A row without its number: Parquet files have no header."""
    assert isinstance(line, ManifestRow)
    row = line
    return row.digest, row.path, row.bytes, row.media_type, row.license, row.url


def read_back(path: Path, advance: Any = lambda _bytes: None) -> list[Line]:
    return list(open_manifest(path, advance))


@pytest.mark.parametrize("name", ["set.csv", "set.parquet"])
def test_what_is_written_is_read_and_has_the_same_root(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    total = write_manifest(path, ROWS)
    told: list[int] = []
    assert [bare(one) for one in read_back(path, told.append)] == [
        bare(one) for one in ROWS
    ]
    assert sum(told) == path.stat().st_size
    again = sum_up(path)
    assert (again.count, again.bytes, again.unsized) == (2, 3, 1)
    assert again.root() == total.root()
    assert list(entries(path)) == [ONE, TWO]
    digest = hashlib.sha256(path.read_bytes()).digest()
    assert manifest_digest(path) == b"\x12\x20" + digest
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_nothing_is_written_over_or_left_half(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"

    def broken() -> Any:
        yield ROWS[0]
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        write_manifest(path, broken())
    assert list(tmp_path.iterdir()) == []
    write_manifest(path, ROWS)
    with pytest.raises(UsageError, match="exists"):
        write_manifest(path, ROWS)


def parquet(path: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_a_parquet_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    """Digests as binary or text, other columns passed over, bad rows named."""
    columns = {
        "sha256": [ONE[2:], TWO, b"short", None],
        "Size": [1, 2, 3, 4],
        "colour": ["x", "y", "z", None],
    }
    lines = read_back(parquet(tmp_path / "set.data", columns))
    assert [one.bytes for one in lines if isinstance(one, ManifestRow)] == [1, 2]
    assert [one.number for one in lines if isinstance(one, BadLine)] == [3, 4]
    numbers = read_back(parquet(tmp_path / "numbers", {"digest": [1, 2]}))
    assert all(isinstance(one, BadLine) for one in numbers)


def test_parquet_files_that_are_none_are_malformed(tmp_path: Path) -> None:
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1 and nothing that could follow PAR1")
    with pytest.raises(MalformedError, match="not a Parquet file"):
        read_back(path)
    with pytest.raises(MalformedError, match="digest"):
        read_back(parquet(tmp_path / "other", {"path": ["a"]}))


def test_columns_of_other_types_say_nothing(tmp_path: Path) -> None:
    """Nor does a moment that Python cannot hold break the reading."""
    moments = pa.array([1 << 62], pa.timestamp("us"))
    columns = {"digest": [TWO], "bytes": moments, "url": [["https://a.example"]]}
    (line,) = read_back(parquet(tmp_path / "other", columns))
    assert line == ManifestRow(1, TWO)
    (line,) = read_back(parquet(tmp_path / "dates", {"digest": moments}))
    assert isinstance(line, BadLine)


def test_text_in_parquet_that_is_no_text_is_read_as_in_csv(tmp_path: Path) -> None:
    ends = pa.array([0, 2], pa.int32()).buffers()[1]
    broken = pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(b"\xffa")])
    (line,) = read_back(parquet(tmp_path / "path", {"digest": [TWO], "path": broken}))
    assert line == ManifestRow(1, TWO, "\udcffa")
    (line,) = read_back(parquet(tmp_path / "digest", {"digest": broken}))
    assert isinstance(line, BadLine)
    repeated = pa.array(["a", "a"]).dictionary_encode()
    columns = {"digest": [ONE, TWO], "path": repeated}
    lines = read_back(parquet(tmp_path / "repeated", columns))
    assert [one.path for one in lines if isinstance(one, ManifestRow)] == ["a", "a"]


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parquet(tmp_path / "set.parquet", {"digest": [ONE]})
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UsageError) as caught:
        read_back(path)
    assert caught.value.hint == parquet_manifest.HINT


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        read_back(tmp_path / "none")
    with pytest.raises(UsageError, match="folder"):
        read_back(tmp_path)
    with pytest.raises(NotFoundError, match="not a file"):
        read_back(Path("/dev/null"))
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(MalformedError, match="empty"):
        require_manifest(empty)


def test_entries_stop_at_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(f"{ONE[2:].hex()}\nnonsense\n")
    with pytest.raises(UsageError, match="line 2"):
        list(entries(path))


def test_a_folder_has_a_row_for_each_file_also_of_the_same_bytes(
    tmp_path: Path,
) -> None:
    for name in ("b.txt", "a.txt", "inner/c.txt", ".hidden"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"one")
    (tmp_path / "empty").touch()
    found, passed = find_in_folder(tmp_path)
    rows = list(folder_rows(tmp_path, found, passed, lambda _bytes: None))
    paths = ["a.txt", "b.txt", "inner/c.txt"]
    assert rows == [
        ManifestRow(at, ONE, path, 3, "text/plain") for at, path in enumerate(paths, 2)
    ]
    assert [one.path.name for one in passed] == [".hidden", "empty"]


def test_a_file_that_goes_while_it_is_hashed_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    found, passed = find_in_folder(tmp_path)
    (tmp_path / "a").unlink()
    assert list(folder_rows(tmp_path, found, passed, lambda _bytes: None)) == []
    assert "cannot be read" in passed[0].reason


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        find_in_folder(tmp_path)


def row(digest: bytes, path: str | None = None) -> ManifestRow:
    return ManifestRow(1, digest, path)


def test_changes_are_told_apart() -> None:
    earlier = [row(ONE, "a"), row(ONE, "b"), row(TWO, "c"), row(TWO, "gone")]
    now = [row(ONE, "a"), row(TWO, "b"), row(TWO, "moved"), row(ONE, "new")]
    changes = compare(earlier, now)
    assert changes.changed == ["b"]
    assert changes.moved == [("c", "moved")]
    assert changes.added == ["new"]
    assert changes.removed == ["gone"]
    assert not changes.none


def test_alike_files_that_moved_are_paired_in_their_order() -> None:
    earlier = [row(ONE, f"old/{n}") for n in range(3)]
    changes = compare(earlier, [row(ONE, "new/0"), row(ONE, "new/1")])
    assert changes.moved == [("old/0", "new/0"), ("old/1", "new/1")]
    assert changes.removed == ["old/2"]


def test_rows_without_paths_are_compared_by_their_bytes() -> None:
    with_paths = [row(ONE, "a"), row(ONE, "b"), row(TWO, "c")]
    without = [row(ONE), row(ONE), row(TWO)]
    assert compare(with_paths, without).none
    assert compare(without, with_paths).none
    changes = compare(without, with_paths[:1])
    assert changes.removed == [ONE[2:].hex(), TWO[2:].hex()]
    assert compare(without[:1], without).added == changes.removed


def test_bad_lines_are_noted_and_lists_are_cut() -> None:
    bad = [BadLine(at, "why") for at in range(MAX_NAMED + 5)]
    changes = compare(bad, [])
    assert len(changes.bad) == MAX_NAMED
    assert changes.counts["bad"] == MAX_NAMED + 5


def test_what_a_key_said_of_its_set_is_found(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    total = write_manifest(path, ROWS)
    manifest = manifest_digest(path)

    def said(title: str, author: int) -> Statement:
        fields = collection_fields(
            manifest=manifest,
            count=total.count,
            size=total.bytes,
            root=total.root(),
            title=title,
            license="MIT",
            url="sets.example",  # no address, so no label can carry it
            time=1,
            salt=title.encode().ljust(16),
        )
        return sign_statement(fields, key(author))

    with LocalClient(Home(tmp_path / "home")) as client:
        assert words_said(client, manifest, key(1).public) == {}
        first = said("First", 1)
        client.publish([first, said("Second", 1), said("Another", 2)])
        found = words_said(client, manifest, key(1).public)
        assert found == {"name": "Second", "license": "MIT"}


def test_texts_that_stand_in_all_rows_are_bounded(tmp_path: Path) -> None:
    """A file of a thousand bytes that would fill gigabytes."""
    rows, path = parquet_manifest.BATCH, tmp_path / "bomb.parquet"
    digests = pa.array(["ab" * 32] * rows)
    for texts in (
        pa.array(["x" * 16_384] * rows),
        pa.array(["x" * (1 << 20)]).take(pa.array([0] * 100)),
        pa.array(["x" * 16_384] * rows).dictionary_encode(),
    ):
        table = pa.table({"digest": digests[: len(texts)], "path": texts})
        pq.write_table(table, path, compression="zstd")
        with pytest.raises(MalformedError, match="texts of a column are too long"):
            list(open_manifest(path))
