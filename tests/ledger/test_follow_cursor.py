"""The cursor of a follower, and what is durable when it moves."""

from __future__ import annotations

import pytest
from tests.support.following import logs

from byline_ledger import follow_server
from byline_ledger.entry import StatementEntry, parse_entry
from byline_ledger.follow_server import answer
from byline_ledger.follower import Admit, Ask, Keep, Settle
from byline_ledger.statement import Statement


def test_the_cursor_is_never_before_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """However late what is admitted gets there: by `Settle`, and not a page sooner."""
    monkeypatch.setattr(follow_server, "MAX_ENTRIES", 8)
    mine, theirs, one = logs(30, 1, 40)
    late: list[Statement] = []
    begun: list[Statement] = []
    kept: list[int] = []
    session = one.session()
    action = next(session)
    while True:
        reply = None
        match action:
            case Ask(request):
                reply = answer(theirs, request).to_bytes()
            case Admit(statements):
                begun += statements
            case Settle(lag):
                mine.append(late)
                if not lag:
                    mine.append(begun)
                late, begun = begun, []
            case Keep(cursor):
                kept.append(cursor.size)
                assert one.cursor == cursor
                for data in theirs.log[: cursor.size]:
                    entry = parse_entry(data)
                    is_statement = isinstance(entry, StatementEntry)
                    assert not is_statement or mine.index_of(entry.id) is not None
        try:
            action = session.send(reply)
        except StopIteration:
            break
    assert kept == [8, 16, 24, 32, 40, 48, 56, 64, 72, theirs.size]
    assert mine.set_root == theirs.set_root
