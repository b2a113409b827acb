"""What the tests of the ledger share."""

from __future__ import annotations

from pathlib import Path

from tests.support.signed import key, work

from byline_ledger.check import check_ledger
from byline_ledger.entry import entry_of
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement
from byline_ledger.store.interface import OpenStore
from byline_ledger.store.leveldb import LevelStore


def works(start: int, end: int, author: int = 1) -> list[Statement]:
    return [work(f"work {number}", key(author)) for number in range(start, end)]


def require_sound(folder: Path, open_store: OpenStore = LevelStore.open) -> None:
    assert check_ledger(folder, open_store=open_store).problem is None


def strings_of(statements: list[Statement]) -> list[bytes]:
    return [string for one in statements for string in entry_of(one).lookup_strings()]


def after_a_fault(
    folder: Path, open_store: OpenStore, before: int, statements: list[Statement]
) -> None:
    """Reopens: the commit is there whole or not at all, and the log goes on."""
    require_sound(folder, open_store)
    ledger = Ledger.open(folder, open_store=open_store)
    assert ledger.read_only is None
    count = ledger.view.statement_count
    assert count in (before, before + len(statements))
    found = [ledger.view.statement(one.id) for one in statements]
    assert found == (statements if count > before else [None] * len(statements))
    assert all(place.new == (count == before) for place in ledger.append(statements))
    ledger.append(works(9000, 9010))
    ledger.close()
    require_sound(folder, open_store)
