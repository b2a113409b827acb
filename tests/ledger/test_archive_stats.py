"""How an archive divides: counted in step with the log, in whatever order it came."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.acting import delegation, rotation, withdraw_for
from tests.support.logs import take_down
from tests.support.signed import key, signed, withdraw, work
from tests.support.stores import MemoryDisk

from byline_ledger import archive_stats
from byline_ledger.archive_stats import MOST_WORDS, ArchiveStats, medium_of, year_of
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.errors import CorruptStoreError
from byline_ledger.ledger import Ledger
from byline_ledger.one_standing import OneStanding
from byline_ledger.statement import Statement
from byline_ledger.stats_page import MOST_ROWS, stats_page
from byline_ledger.store import layout
from byline_ledger.view import LogView
from byline_ledger.vocabulary import MADE_DEFAULT_TERM

YEAR_2023 = 1_700_000_000_000


def claim(name: str, made: str = "human", media: str = "image/png") -> Statement:
    term = MADE_DEFAULT_TERM[made]
    return work(name, key(1), **{"source-type": term, "media-type": media})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.init(tmp_path / "node", open_store=MemoryDisk())
    yield ledger
    ledger.close()


def counted(ledger: Ledger, step: int = 3) -> ArchiveStats:
    stats = ArchiveStats()
    while not stats.advance(ledger.view, step):
        pass
    return stats


def figures(stats: ArchiveStats) -> tuple[int, int]:
    return stats.standing.total(), stats.withdrawn.total()


def test_claims_are_counted_by_how_made_year_and_medium(ledger: Ledger) -> None:
    human, made = claim("a"), claim("b", "generated", "text/plain")
    ledger.append([human, made, work("c")])
    ledger.append([withdraw(made), signed(digest_bytes(b"a"), type="endorse")])
    ledger.append([signed(digest_bytes(b"a"), type="my-own-type")])
    found = counted(ledger).to_json(ledger.view)
    none = dict.fromkeys(("human", "assisted", "generated", "other", "unknown"), 0)
    assert found["claims"] == none | {"human": 1, "unknown": 1}
    assert found["withdrawn"] == none | {"generated": 1}
    assert found["by_medium"] == {
        "image": none | {"human": 1},
        "text": none,
        "unknown": none | {"unknown": 1},
    }
    assert set(found["by_year"]) == {"2023"}  # type: ignore[call-overload]
    assert found["other_statements"] == {"endorse": 1, "other": 1, "withdraw": 1}
    assert found["complete"] is True
    assert found["counted"] == found["entries"] == ledger.view.size


def test_what_is_new_is_read_and_nothing_twice(ledger: Ledger) -> None:
    ledger.append([claim("a"), claim("b")])
    stats = counted(ledger)
    assert stats.advance(ledger.view, 100)
    assert figures(stats) == (2, 0)
    ledger.append([claim("c")])
    assert not stats.advance(ledger.view, 1)
    assert stats.advance(ledger.view, 100)
    assert figures(stats) == (3, 0)
    assert figures(counted(ledger, 100)) == (3, 0)


def test_a_withdrawal_counts_once_and_only_the_authors(ledger: Ledger) -> None:
    said = claim("a")
    ledger.append([said, withdraw(said, key(2))])
    assert figures(counted(ledger)) == (1, 0)
    ledger.append([withdraw(said), withdraw(said)])
    assert figures(counted(ledger)) == (0, 1)


def test_who_may_act_for_the_author_withdraws_too(ledger: Ledger) -> None:
    """A successor, and a delegate; the old key may not any more."""
    first, second, third = claim("a"), claim("b"), claim("c")
    given = delegation(key(1), key(3), "withdraw")
    ledger.append([first, second, third, given])
    ledger.append([withdraw_for(first, key(1), given, key(3))])
    ledger.append([rotation(key(1), key(2))])
    assert figures(counted(ledger)) == (2, 1)
    ledger.append([withdraw(second, key(2)), withdraw(third, key(1))])
    assert figures(counted(ledger)) == (1, 2)
    late = claim("d")
    ledger.append([withdraw(late, key(2))])
    ledger.append([late])
    assert figures(counted(ledger)) == (1, 3)


def test_a_crowd_of_remarks_costs_little_and_hides_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Statement] = []

    class Counting(OneStanding):
        def __init__(self, view: LogView, statement: Statement) -> None:
            looked.append(statement)
            super().__init__(view, statement)

    monkeypatch.setattr(archive_stats, "OneStanding", Counting)
    said, crowded = claim("a"), claim("b")
    about = multihash(said.id)
    ledger.append([said])
    ledger.append([withdraw(said, key(number)) for number in range(2, 40)])
    ledger.append([signed(about, key(2), type="endorse", role="archive")])
    assert figures(counted(ledger)) == (1, 0)
    assert looked == []
    # More than is looked through: it came first, whatever else did.
    about = multihash(crowded.id)
    ledger.append([withdraw(crowded)])
    ledger.append([signed(about, key(2), type="note") for _ in range(MOST_WORDS)])
    ledger.append([crowded])
    assert figures(counted(ledger)) == (1, 1)


def test_counting_stops_when_it_is_told_to(ledger: Ledger) -> None:
    said = claim("a")
    ledger.append([said, claim("b"), withdraw(said)])
    take_down(ledger, said)
    ledger.append([claim("c")])
    stats, steps = ArchiveStats(), 0
    while not stats.advance(ledger.view, 100, lambda: False):
        steps += 1
    assert steps > 1
    assert stats == counted(ledger)


def test_a_withdrawal_that_came_first_counts(ledger: Ledger) -> None:
    said = claim("a")
    ledger.append([withdraw(said)])
    assert figures(counted(ledger)) == (0, 0)
    ledger.append([said])
    assert figures(counted(ledger)) == (0, 1)
    ledger.append([withdraw(said)])
    assert figures(counted(ledger)) == (0, 1)


def test_remarks_and_withdrawals_of_them_are_no_claims(ledger: Ledger) -> None:
    said = claim("a")
    about = multihash(said.id)
    remark = signed(about, key(1), type="endorse", role="archive")
    ledger.append([said, remark])
    ledger.append([withdraw(remark), signed(digest_bytes(b"x"), type="withdraw")])
    assert figures(counted(ledger)) == (1, 0)


def test_what_was_taken_down_is_counted_as_that(ledger: Ledger) -> None:
    gone, said = claim("a"), claim("b")
    ledger.append([gone, said, withdraw(gone)])
    take_down(ledger, gone)
    ledger.append([claim("c")])
    stats = counted(ledger)
    assert stats.taken_down == 1
    assert figures(stats) == (2, 0)


def test_a_body_that_is_none_is_damage(ledger: Ledger) -> None:
    said = claim("a")
    ledger.append([said])
    index = ledger.view.index_of(said.id)
    assert index is not None
    ledger._store.write([(layout.body(index), b"nonsense")], [])
    ledger.view = ledger._view_of(ledger.view.state)
    ledger.append([claim("b")])
    with pytest.raises(CorruptStoreError):
        counted(ledger)


@pytest.mark.parametrize(
    ("time", "year"),
    [
        (0, "before 1990"),
        (YEAR_2023, "2023"),
        (5_000_000_000_000, "after 2099"),
        (2**63 - 1, "after 2099"),
    ],
)
def test_claimed_times_beyond_reason_are_one_bucket(time: int, year: str) -> None:
    assert year_of(time) == year


@pytest.mark.parametrize(
    ("media_type", "medium"),
    [(None, "unknown"), ("Image/PNG", "image"), ("x-mine/thing", "other")],
)
def test_media_are_few(media_type: str | None, medium: str) -> None:
    assert medium_of(media_type) == medium


def test_the_page_shows_every_number_and_fetches_nothing(ledger: Ledger) -> None:
    ledger.append([claim("a"), claim("b", "generated", "text/plain"), work("c")])
    stats = counted(ledger)
    page = stats_page(stats.to_json(ledger.view))
    assert "3 claims that stand, 0 that were withdrawn" in page.replace("\n", " ")
    assert page.count("<svg") == 3
    assert "src=" not in page
    assert "href=" not in page
    fresh = ArchiveStats()
    early = stats_page(fresh.to_json(ledger.view))
    assert "Still being counted: 0 of" in early
    assert "Other statements" not in early


def test_the_page_is_bounded(ledger: Ledger) -> None:
    found = counted(ledger).to_json(ledger.view)
    rows = {str(n): dict.fromkeys(found["claims"], 1) for n in range(500)}  # type: ignore[call-overload]
    page = stats_page(found | {"by_year": rows})
    assert str(MOST_ROWS - 1) in page
    assert f">{MOST_ROWS}<" not in page
