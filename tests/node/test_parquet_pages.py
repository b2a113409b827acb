"""Pages of Parquet files, looked at before an engine makes room for them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.fuzz.mutate import mutants

from byline_ledger.errors import MalformedError
from byline_node import parquet_pages
from byline_node.manifests import open_manifest
from byline_node.parquet_pages import Thrift, chunks, footer, require_small_pages

BOTH = {0, 1}


def file_of(paths: list[Any], **how: Any) -> BytesIO:
    out = BytesIO()
    table = pa.table({"digest": ["ab" * 32] * len(paths), "path": paths})
    pq.write_table(table, out, **{"compression": "zstd", **how})
    return out


NAMES = [f"photos/{number}.jpg" for number in range(20_000)]


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"use_dictionary": False},
        {"data_page_version": "2.0"},
        {"row_group_size": 1_000, "data_page_size": 100},
        {"compression": "none", "write_page_index": True},
        {"compression": "snappy", "use_dictionary": False, "data_page_size": 1 << 20},
        {"version": "1.0", "write_statistics": False},
    ],
)
def test_what_people_write_is_let_through(how: dict[str, Any], tmp_path: Path) -> None:
    file = file_of(NAMES, **how)
    require_small_pages(file, BOTH)
    found = list(chunks(footer(file), BOTH))
    assert len(found) == 2 * pq.ParquetFile(file).num_row_groups
    path = tmp_path / "set.parquet"
    path.write_bytes(file.getvalue())
    assert len(list(open_manifest(path))) == len(NAMES)


def test_a_page_that_becomes_large_is_not_unpacked(tmp_path: Path) -> None:
    """Some kilobytes that ask for a gigabyte: plain values, which no dictionary tells
    of."""
    before = pa.total_allocated_bytes()
    one = "x" * (64 << 20)
    path = tmp_path / "bomb.parquet"
    path.write_bytes(file_of([one], use_dictionary=False).getvalue())
    assert path.stat().st_size < 10_000
    pool = pa.default_memory_pool()
    highest = pool.max_memory()
    with pytest.raises(MalformedError, match="texts of a column are too long"):
        list(open_manifest(path))
    assert pool.max_memory() == highest
    assert pa.total_allocated_bytes() <= before + (1 << 20)


def test_nor_are_many_pages_that_each_become_so_much() -> None:
    texts = pa.array(["x" * 70_000]).take(pa.array([0] * 500))
    how = {"use_dictionary": False, "data_page_size": 1, "write_batch_size": 1}
    with pytest.raises(MalformedError, match="too long"):
        require_small_pages(file_of(texts, **how), BOTH)


def test_columns_that_are_not_read_may_be_as_large_as_they_like(
    tmp_path: Path,
) -> None:
    """Data sets hold their works in the same file."""
    path = tmp_path / "set.parquet"
    table = pa.table({"image": [b"x" * (40 << 20)], "digest": ["ab" * 32]})
    pq.write_table(table, path, compression="zstd")
    assert len(list(open_manifest(path))) == 1


def test_broken_files_are_malformed() -> None:
    whole = file_of(NAMES[:50], row_group_size=10).getvalue()
    for data in mutants([whole], 3_000, Random(7)):
        try:
            require_small_pages(BytesIO(data), BOTH)
        except MalformedError:
            continue


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"", EOFError),
        (b"\x15\x02\x05", EOFError),  # a field by its own number, cut off
        (b"\x2c" * 40 + b"\0" * 41, MalformedError),  # structs in structs
        (b"\x1b\0", MalformedError),  # a map
        (b"\x15" + b"\xff" * 11, MalformedError),  # a number without an end
        (b"\x25\x02\x05\x04\x02\0", MalformedError),  # the same field again
        (b"\x28\x01x\0", MalformedError),  # a text where a number is wanted
        (b"\x19\xf8" + b"\xff" * 9 + b"\x01\0", EOFError),  # a list of 2^63
    ],
)
def test_heads_that_are_none(head: bytes, why: type[Exception]) -> None:
    with pytest.raises(why):
        Thrift(head).struct(parquet_pages.HEAD)


def test_files_of_endless_pages_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    file = file_of(NAMES, row_group_size=1_000)
    monkeypatch.setattr(parquet_pages, "MAX_PAGES", 10)
    with pytest.raises(MalformedError):
        require_small_pages(file, BOTH)
    monkeypatch.undo()
    monkeypatch.setattr(parquet_pages, "MAX_CHUNKS", 10)
    with pytest.raises(MalformedError):
        require_small_pages(file, BOTH)
