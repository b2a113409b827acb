"""What stands beside a key: names, warnings, and what checks found, with dates."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.signed import key

from byline_cli.known_names import labels
from byline_ledger.did import did_key
from byline_ledger.name_check import Finding
from byline_ledger.name_proofs import NameProof
from byline_node.called import Called
from byline_node.home import find_home
from byline_node.name_book import NameBook
from byline_node.names import Checked

DAY = 86_400_000
ONE, TWO, THREE = (key(number).public for number in range(1, 4))
SITES = tuple(NameProof("domain-file", f"{name}.example") for name in "abcde")


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NameBook:
    monkeypatch.setenv("BYLINE_HOME", str(tmp_path))
    return NameBook(find_home().names)


def record(book: NameBook, proof: NameProof, day: int, outcome: str) -> None:
    book.record(ONE, proof, Checked(day * DAY, Finding(outcome, "why")))


def label(*proofs: NameProof, name: str = "") -> str:
    return labels({ONE: Called(name, proofs)}, {}).get(ONE, "")


def test_a_key_that_says_nothing_is_called_nothing(book: NameBook) -> None:
    assert label() == ""


def test_what_was_never_checked_is_said(book: NameBook) -> None:
    assert label(SITES[0]) == "1 name never checked"
    assert label(*SITES, name="Mara") == "calls itself “Mara”; 5 names never checked"


def test_results_have_their_dates(book: NameBook) -> None:
    record(book, SITES[0], 1, "confirmed")
    assert label(SITES[0]) == "a.example confirmed on 1970-01-02"
    record(book, SITES[0], 3, "refuted")
    assert label(SITES[0]) == (
        "a.example confirmed on 1970-01-02, NOT confirmed on 1970-01-04"
    )
    record(book, SITES[0], 5, "unreachable")
    assert label(SITES[0]) == (
        "a.example confirmed on 1970-01-02, not reached on 1970-01-06"
    )
    record(book, SITES[1], 2, "refuted")
    assert label(SITES[1]) == "b.example NOT confirmed on 1970-01-03"


def test_a_page_that_was_harmed_counts_as_never_checked(book: NameBook) -> None:
    record(book, SITES[0], 1, "confirmed")
    (page,) = find_home().names.iterdir()
    page.write_bytes(b"?")
    assert label(SITES[0]) == "1 name never checked"


def test_look_alikes_are_marked_unless_one_key_follows_the_other(
    book: NameBook,
) -> None:
    called = {ONE: Called("Mara Voss"), TWO: Called("Mara V0ss"), THREE: Called("Otto")}
    told = labels(called, {})
    assert told[ONE] == (
        f"calls itself “Mara Voss”; LOOKS LIKE “Mara V0ss” of {did_key(TWO)}"
    )
    assert told[THREE] == "calls itself “Otto”"
    for linked in ({ONE: TWO}, {TWO: THREE, THREE: ONE}, {ONE: THREE, THREE: TWO}):
        assert "LOOKS LIKE" not in labels(called, linked)[ONE]
    in_circles = {ONE: THREE, THREE: ONE}
    assert "LOOKS LIKE" in labels(called, in_circles)[ONE]


def test_names_of_the_readers_book_are_compared(book: NameBook) -> None:
    book.show(TWO, "Маrа Voss")  # with two Cyrillic letters
    assert label(name="Mara Voss") == (
        f"calls itself “Mara Voss”; LOOKS LIKE “Маrа Voss” of {did_key(TWO)}"
    )
