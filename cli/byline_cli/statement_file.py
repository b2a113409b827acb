"""Files of signed statements: one MessagePack array of envelopes.

It is the body of `POST /v1/statements` as well, so a file can be sent as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from byline_cli.files import read_file, write_new_file
from byline_ledger.codec import join_array, split_array
from byline_ledger.errors import BylineError, MalformedError
from byline_ledger.statement import Statement

MAX_FILE = 1 << 30
MAX_STATEMENTS = 1 << 22

ENVELOPE = b"\x93\x01"
"""How every envelope begins: an array of three, version 1."""


def write_statements(path: Path, statements: Sequence[Statement]) -> None:
    """Write a new file, whole or not at all; an existing one is never replaced."""
    data = join_array([one.to_envelope() for one in statements])
    write_new_file(path, data)


def read_statements(path: Path) -> list[Statement]:
    """All statements of a file, each verified; the first bad one is named."""
    data = read_file(path, MAX_FILE)
    try:
        items = split_array(data, max_size=MAX_FILE, max_items=MAX_STATEMENTS)
    except MalformedError as error:
        raise no_statements(path, data, error) from None
    return [parse_item(path, i, item) for i, item in enumerate(items, start=1)]


def no_statements(path: Path, data: bytes, error: MalformedError) -> MalformedError:
    """A file of statements that was harmed, or another file given in its place."""
    header = {0xDC: 3, 0xDD: 5}.get(data[0], 1) if data else 0
    if data[header:].startswith(ENVELOPE):
        return MalformedError(
            f"{path} is cut short or damaged ({error})", hint="copy it again"
        )
    return MalformedError(
        f"{path} holds no statements",
        hint="expected is what `byline attest --out` wrote",
    )


def parse_item(path: Path, number: int, item: bytes) -> Statement:
    """One statement, parsed and verified."""
    try:
        statement = Statement.from_envelope(item)
        statement.verify()
    except BylineError as error:
        message = f"{path}, statement {number}: {error}"
        raise type(error)(message, hint=error.hint) from None
    return statement
