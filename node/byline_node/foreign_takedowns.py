"""What copies of a log show as taken down, and whether it is this log's own doing.

Rule: nobody signs a tombstone, and who keeps a mirror of a log serves what it took down
itself.  So takedowns are believed only of copies that the operator calls their own.
Specification: docs/spec/log.md, "Recovery".
"""

from __future__ import annotations

from collections.abc import Sequence

from byline_ledger.errors import MalformedError
from byline_ledger.log import LogView
from byline_ledger.tombstone import Tombstone
from byline_node.log_source import FileSource


def takedowns_of(sources: Sequence[FileSource]) -> dict[bytes, Tombstone]:
    """All takedowns of these copies, by id; of several the first.  Raises what reading
    them does."""
    found: dict[bytes, Tombstone] = {}
    for source in sources:
        for id_ in source.taken_down():
            tombstone = source.tombstone(id_)
            if tombstone is not None and not tombstone.is_lost:
                found.setdefault(id_, tombstone)
    return found


def is_wanted(view: LogView, id_: bytes) -> bool:
    """Whether the log has the statement and has not taken it down itself."""
    if view.index_of(id_) is None:
        return False
    tombstone = view.tombstone(id_)
    return tombstone is None or tombstone.is_lost


def count_foreign(view: LogView, source: FileSource) -> int:
    """Statements that the copy shows as taken down, and this log wants."""
    try:
        ids = [id_ for id_ in source.taken_down() if is_wanted(view, id_)]
        marks = [source.tombstone(id_) for id_ in ids]
    except MalformedError:
        return 0
    return sum(mark is not None and not mark.is_lost for mark in marks)
