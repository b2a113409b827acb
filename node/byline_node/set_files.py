"""Folders about a data set, such as labels and settlements: written whole or not at
all, and read with bounds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from byline_ledger.codec import split_array
from byline_ledger.errors import (
    MalformedError,
    NotFoundError,
    StoreError,
    UsageError,
)
from byline_ledger.statement import MAX_ENVELOPE, Statement

PROOFS = "proofs"
"""Where the bundles are."""


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """A place beside `folder` to write to, with an empty folder for proofs; moved there
    in one step at the end.  StoreError where that cannot be.

    What a run that was stopped left there goes; UsageError for anything else.
    """
    part = folder.with_name(folder.name + ".part")
    if part.exists() and not (part / PROOFS).is_dir():
        raise UsageError(
            f"{part} is in the way", hint="move it, or name another folder"
        )
    shutil.rmtree(part, ignore_errors=True)
    try:
        (part / PROOFS).mkdir(parents=True)
        yield part
        part.rename(folder)
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def read_bounded(path: Path, limit: int) -> bytes:
    """A file of at most so many bytes; no pipe, which would be waited for."""
    if path.exists() and not path.is_file():
        raise MalformedError(f"{path.name}: expected a file")
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise NotFoundError(f"{path} does not exist") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > limit:
        raise MalformedError(f"{path.name}: expected at most {limit:,} bytes")
    return data


def read_statement(path: Path) -> Statement:
    """The one statement of a file; VerificationError if its signature does not hold."""
    data = read_bounded(path, MAX_ENVELOPE + 16)
    rows = split_array(data, max_size=len(data), max_items=1)
    if len(rows) != 1:
        raise MalformedError(f"{path.name}: expected one statement")
    statement = Statement.from_envelope(rows[0])
    statement.verify()
    return statement
