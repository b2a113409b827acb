"""A statement that the lookup set names, or what is left of it in a log.

Rule: the set, the index of ids, the bodies and the tombstones of a store belong
together; where one of them lacks something the store is damaged, and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from byline_ledger.bundle_rows import RedactedStatement, gone_entry
from byline_ledger.chain import Gone
from byline_ledger.entry import StatementEntry
from byline_ledger.errors import MalformedError, RedactedError
from byline_ledger.statement import Statement
from byline_ledger.store.damage import damaged

if TYPE_CHECKING:
    from byline_ledger.log import LogView


def recalled(
    view: LogView, index: int, id_: bytes, stored: bytes | None = None
) -> Statement | Gone:
    """The statement of this id, whose leaf this is, or what is left of it; `stored` as
    in LogView.statement_at."""
    try:
        return view.statement_at(index, id_, stored)
    except RedactedError:
        return Gone(_entry_at(view, index))


def place_of(view: LogView, id_: bytes) -> int:
    """The leaf index of a statement that the lookup set names."""
    index = view.index_of(id_)
    if index is None:
        raise damaged(f"the index of statement {id_.hex()} is missing")
    return index


def redacted(view: LogView, id_: bytes) -> RedactedStatement:
    """What is left of a statement of the log whose body was taken down."""
    index = place_of(view, id_)
    tombstone = view.tombstone(id_)
    if tombstone is None:
        raise damaged(f"the tombstone of statement {id_.hex()} is missing")
    return RedactedStatement(index, _entry_at(view, index), tombstone)


def _entry_at(view: LogView, index: int) -> StatementEntry:
    try:
        return gone_entry(view.entry(index))
    except MalformedError as error:
        raise damaged(f"log entry {index}: {error}") from error
