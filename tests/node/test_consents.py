"""Verdicts over lists: in their order, bad lines named, a broken run goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from byline_ledger.consent import Consent
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.manifest import BadLine, Line, ManifestRow
from byline_ledger.use_word import ALLOWED, UNKNOWN, Term
from byline_node.consents import BAD, COLUMNS, Checked, Counts, Question, Results, check

USE = "cawg.ai_training"
QUESTION = Question(USE, None, None, bytes(32))


def work(number: int) -> bytes:
    return digest_bytes(b"%d" % number)


def lines(count: int = 6) -> list[Line]:
    """Every third line is bad."""
    return [
        BadLine(n, "no digest") if n % 3 == 0 else ManifestRow(n, work(n), f"{n}.jpg")
        for n in range(1, count + 1)
    ]


def ask(digests: Iterable[bytes]) -> Iterator[Consent]:
    for digest in digests:
        verdict = ALLOWED if digest == work(1) else UNKNOWN
        deciding = (bytes(32),) if verdict == ALLOWED else ()
        yield Consent(digest, USE, None, verdict, deciding, (), (), True)


def ahead(digests: Iterable[bytes]) -> Iterator[Consent]:
    """As a client does: it reads on before it answers."""
    yield from ask(list(digests))


@pytest.mark.parametrize("how", [ask, ahead])
def test_verdicts_and_bad_lines_come_in_the_order_of_the_list(how: object) -> None:
    found = list(check(lines(), how))  # type: ignore[arg-type]
    numbers = [x.number if isinstance(x, BadLine) else x.row.number for x in found]
    assert numbers == [1, 2, 3, 4, 5, 6]


def test_counts_tell_who_is_claimed_by_nobody() -> None:
    counts = Counts()
    for one in check(lines(), ask):
        counts.add(one)
    assert counts.to_json() == {
        "verdicts": {ALLOWED: 1, UNKNOWN: 3},
        "unattested": 3,
        "bad_lines": 2,
    }
    assert not counts.all_allowed


def test_an_empty_list_forbids_nothing() -> None:
    assert list(check([], ask)) == []
    assert Counts().all_allowed


def run(path: Path, stop: int | None = None) -> Results:
    results = Results(path, QUESTION)
    results.open()
    for number, _one in enumerate(results.write(check(results.left(lines()), ask)), 1):
        if number == stop:
            raise KeyboardInterrupt
    results.finish()
    return results


def test_a_run_that_was_broken_off_goes_on(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.csv", tmp_path / "broken.csv"
    counts = run(whole).counts
    with pytest.raises(KeyboardInterrupt):
        run(broken, stop=3)
    assert not broken.exists()
    with (tmp_path / "broken.csv.part").open("ab") as file:
        file.write(b"4,torn")
    again = run(broken)
    assert again.done == 3
    assert again.counts == counts
    assert broken.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "broken.csv.part").exists()


def test_the_file_names_every_line(tmp_path: Path) -> None:
    run(tmp_path / "r.csv")
    rows = (tmp_path / "r.csv").read_text().splitlines()
    assert rows[0] == ",".join(COLUMNS)
    assert rows[1].startswith(f"1,{work(1)[2:].hex()},1.jpg,{ALLOWED},")
    assert rows[3] == f"3,,,{BAD},no digest,,"


def test_the_rest_of_another_question_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "r.csv", stop=2)
    other = Results(tmp_path / "r.csv", Question(USE, bytes(32), None, bytes(32)))
    with pytest.raises(UsageError, match="another question"):
        other.open()


def test_a_damaged_rest_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "r.csv", stop=2)
    with (tmp_path / "r.csv.part").open("ab") as file:
        file.write(b"not a row\n")
    with pytest.raises(MalformedError, match="damaged"):
        Results(tmp_path / "r.csv", QUESTION).open()


def test_terms_are_in_json_without_what_they_do_not_say() -> None:
    term = Term(bytes(32), "name me")
    consent = Consent(work(1), USE, None, "constrained", (), (term,), (), True)
    told = Checked(ManifestRow(1, work(1)), consent).to_json()
    assert isinstance(told["terms"], list)
    assert set(told["terms"][0]) == {"statement", "text"}
