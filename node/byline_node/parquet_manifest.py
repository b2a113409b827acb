"""Manifests as Parquet, read and written a batch of rows at a time.

The only file that imports pyarrow, and only when it is called: it is the extra
`parquet`.  Columns and values: docs/spec/collection.md, "Parquet".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.manifest import (
    COLUMNS,
    Line,
    ManifestRow,
    known_columns,
    row_from_values,
)
from byline_ledger.manifest_path import quote_path, unquote_path
from byline_node.parquet_pages import require_small_pages

BATCH = 8_192
WRITTEN_BATCH = 65_536
MAX_BATCH = 64 << 20
"""Bytes of one column of a batch: a text that is stored once may stand in all rows."""
HINT = "pip install 'byline-ledger[parquet]'"


def engine() -> tuple[Any, Any]:
    """pyarrow and its Parquet module; UsageError where they are not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise UsageError("Parquet files need pyarrow", hint=HINT) from None
    return pa, pq


def read_parquet(path: Path, advance: Callable[[int], None]) -> Iterator[Line]:
    """The rows of a Parquet file, numbered from 1; MalformedError if it is broken."""
    arrow, parquet = engine()
    try:
        with parquet.ParquetFile(path) as file, path.open("rb") as bytes_:
            schema = file.schema_arrow
            texts = [one.name for one in schema if is_text(arrow.types, one.type)]
            held = known_columns(list(schema.names))
            ours = {name for name, what in zip(schema.names, held, strict=True) if what}
            leaves = (file.schema.column(at).path for at in range(len(file.schema)))
            places = {
                n for n, one in enumerate(leaves) if one.partition(".")[0] in ours
            }
            require_small_pages(bytes_, places)
        # As they are stored, each text once: how large they become is seen before.
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            yield from read_batches(arrow, file, path.stat().st_size, advance)
    except (arrow.ArrowException, OSError, ValueError) as error:
        first = str(error).partition("\n")[0][:200] or "broken"
        said = "".join(c if c.isprintable() else "?" for c in first)
        raise MalformedError(
            f"{path}: not a Parquet file that can be read: {said}"
        ) from None


def is_text(types: Any, kind: Any) -> bool:
    """Whether values of this type are texts or bytes of any length."""
    narrow = types.is_string(kind) or types.is_binary(kind)
    return bool(narrow or types.is_large_string(kind) or types.is_large_binary(kind))


def require_bounded(column: Any) -> None:
    """MalformedError where the values of a column are too much, each in its row."""
    from pyarrow import compute

    lengths = compute.binary_length(column.dictionary).take(column.indices)
    if (compute.sum(lengths).as_py() or 0) > MAX_BATCH:
        raise MalformedError("not a manifest: the texts of a column are too long")


def read_batches(
    arrow: Any, file: Any, size: int, advance: Callable[[int], None]
) -> Iterator[Line]:
    """The rows of an open file; progress in proportion to rows."""
    names = list(file.schema_arrow.names)
    held = known_columns(names)
    if "digest" not in held:
        raise MalformedError(
            "not a manifest: no column of the Parquet file is called digest",
            hint="columns are named as in a CSV manifest",
        )
    columns = {what: name for what, name in zip(held, names, strict=True) if what}
    total, number, told = file.metadata.num_rows or 1, 0, 0
    for batch in file.iter_batches(BATCH, columns=list(columns.values())):
        found = {
            what: values_of(arrow.types, batch.column(name))
            for what, name in columns.items()
        }
        for place in range(batch.num_rows):
            number += 1
            yield table_row(number, {what: one[place] for what, one in found.items()})
        now = size * number // total
        advance(now - told)
        told = now


def values_of(types: Any, column: Any) -> list[Any]:
    """The values of a column as text, bytes or integers; None for all of one of another
    type, such as dates, which Python may not be able to hold."""
    if types.is_dictionary(column.type):
        if is_text(types, column.type.value_type):
            require_bounded(column)
        column = column.dictionary_decode()
    if types.is_string(column.type) or types.is_large_string(column.type):
        # As in CSV: what says that it is UTF-8 need not be.
        raw = column.cast("large_binary").to_pylist()
        return [
            None if one is None else one.decode("utf-8", "surrogateescape")
            for one in raw
        ]
    binary = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary)
    if any(is_one(column.type) for is_one in (*binary, types.is_integer)):
        return list(column.to_pylist())
    return [None] * len(column)


def table_row(number: int, values: dict[str, object]) -> Line:
    """One row: a digest of another type than text or binary is none."""
    digest = values.pop("digest")
    path = values.get("path")
    if isinstance(path, str):
        values["path"] = unquote_path(path)
    known = digest if isinstance(digest, (bytes, str)) else None
    return row_from_values(number, known, values)


def write_parquet(path: Path, rows: Iterable[ManifestRow]) -> None:
    """All rows, in groups; compressed."""
    arrow, parquet = engine()
    types = {name: arrow.string() for name in COLUMNS} | {"bytes": arrow.int64()}
    schema = arrow.schema(list(types.items()))
    stream = iter(rows)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while some := list(islice(stream, WRITTEN_BATCH)):
            lists = {
                "digest": [row.digest[2:].hex() for row in some],
                "path": [
                    None if (p := row.path) is None else quote_path(p) for row in some
                ],
                "bytes": [row.bytes for row in some],
                "media-type": [row.media_type for row in some],
                "license": [row.license for row in some],
                "url": [row.url for row in some],
            }
            writer.write_table(arrow.table(lists, schema=schema))
