"""What admission asks of the log: who wrote what, and how much of it there is.

Rule: the log itself is the record, so nothing is kept beside it that could disagree;
what is counted is kept for the authors asked for lately.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from byline_ledger.admission import Held
from byline_ledger.admission_policy import AdmissionPolicy
from byline_ledger.digest import multihash
from byline_ledger.entry import (
    StatementEntry,
    author_key,
    author_tag,
    parse_entry,
    subject_key,
)
from byline_ledger.errors import RedactedError
from byline_ledger.statement import Statement

if TYPE_CHECKING:
    from byline_ledger.log import LogView

MAX_AUTHORS = 16_384
PAGE = 1_000
MAX_LEAVES = 1_024
"""Statements of one author about one voucher's key that are looked at."""
_ID_BYTES = 32
_SHORT = 4 + 255 + 66
"""An envelope whose body has a length of one byte."""


class LogFacts:
    """Reads the present view; `count` may take long for an author of much."""

    def __init__(self, view: Callable[[], LogView]) -> None:
        self._view = view
        self._held: OrderedDict[bytes, Held] = OrderedDict()

    def author_of(self, statement_id: bytes) -> bytes | None:
        """See vouching.KnownStatements."""
        statement = self._statement(statement_id)
        return None if statement is None else statement.author

    def left(self, author: bytes, voucher: bytes) -> int:
        """See vouching.KnownStatements."""
        about = multihash(sha256(voucher).digest())
        prefix = subject_key(about) + author_tag(author)
        strings = self._view().strings_under(prefix, limit=MAX_LEAVES)
        found = (self._statement(string[-_ID_BYTES:]) for string in strings)
        times = [
            one.time
            for one in found
            if one is not None and one.type == "leave" and one.author == author
        ]
        return max(times, default=-1)

    def said_by(self, author: bytes) -> Iterator[Statement]:
        """Everything an author said that can be read."""
        for statement_id in self._ids_of(author):
            statement = self._statement(statement_id)
            if statement is not None:
                yield statement

    def held(self, author: bytes, policy: AdmissionPolicy) -> Held:
        """What the log holds of an author, at least as far as the quotas go."""
        held = self._held.get(author)
        if held is None:
            held = self._count(author, policy)
            self._held[author] = held
            if len(self._held) > MAX_AUTHORS:
                self._held.popitem(last=False)
        else:
            self._held.move_to_end(author)
        return held

    def add(self, author: bytes, more: Held) -> None:
        """So much is about to be appended."""
        held = self._held.get(author)
        if held is not None:
            self._held[author] = Held(
                held.strings + more.strings, held.bytes + more.bytes
            )

    def forget(self) -> None:
        """Counts again where asked: what was to be appended may not have been."""
        self._held.clear()

    def _count(self, author: bytes, policy: AdmissionPolicy) -> Held:
        most_strings, most_bytes = policy.quota_strings, policy.quota_bytes
        view, strings, size = self._view(), 0, 0
        for statement_id in self._ids_of(author):
            if most_strings is not None:
                strings += _strings_of(view, statement_id)
            if most_bytes is not None:
                size += _body_bytes(view, statement_id)
            if _is_over(strings, most_strings) or _is_over(size, most_bytes):
                break
        return Held(strings, size)

    def _ids_of(self, author: bytes) -> Iterator[bytes]:
        view, prefix = self._view(), author_key(author)
        page = view.strings_under(prefix, limit=PAGE)
        while page:
            yield from (string[-_ID_BYTES:] for string in page)
            page = view.strings_under(prefix, limit=PAGE, after=page[-1])

    def _statement(self, statement_id: bytes) -> Statement | None:
        try:
            return self._view().statement(statement_id)
        except RedactedError:
            return None


def _is_over(count: int, most: int | None) -> bool:
    return most is not None and count > most


def _strings_of(view: LogView, statement_id: bytes) -> int:
    index = view.index_of(statement_id)
    assert index is not None
    entry = parse_entry(view.entry(index))
    assert isinstance(entry, StatementEntry)
    return len(entry.keys)


def _body_bytes(view: LogView, statement_id: bytes) -> int:
    """Bytes of a body; none where it was taken down."""
    try:
        envelope = view.envelope(statement_id) or b""
    except RedactedError:
        return 0
    return len(envelope) - (70 if len(envelope) <= _SHORT else 71)
