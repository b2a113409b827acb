"""A set is parted into two files, which are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.node.test_consents import USE, ask, lines, work

from byline_ledger.consent import Consent
from byline_ledger.manifest import BadLine, ManifestRow
from byline_ledger.use_word import ALLOWED, CONSTRAINED
from byline_node.consents import Checked, check
from byline_node.sieve import Sieve


def put_all(sieve: Sieve) -> None:
    for one in check(lines(), ask):
        sieve.put(one)


def test_what_is_not_taken_by_name_is_denied(tmp_path: Path) -> None:
    """Unknown, and lines that name no work."""
    out, denied = tmp_path / "may.txt", tmp_path / "maynot.csv"
    with Sieve(out, denied, {ALLOWED}) as sieve:
        put_all(sieve)
        assert not out.exists()
    assert out.read_text() == "1.jpg\n"
    header, *rest = denied.read_text().splitlines()
    assert header.startswith("line,digest,path,verdict")
    assert [row.partition(",")[0] for row in rest] == ["2", "3", "4", "5", "6"]
    assert (sieve.taken, sieve.denied) == (1, 5)
    assert sorted(tmp_path.iterdir()) == [out, denied]


def test_a_work_without_a_path_is_its_hash(tmp_path: Path) -> None:
    out, denied = tmp_path / "may.txt", tmp_path / "maynot.csv"
    verdict = Consent(work(1), USE, None, CONSTRAINED, (), (), (), True)
    with Sieve(out, denied, {ALLOWED, CONSTRAINED}) as sieve:
        sieve.put(Checked(ManifestRow(1, work(1)), verdict))
        sieve.put(BadLine(2, "no digest"))
    assert out.read_text() == f"{work(1)[2:].hex()}\n"


def test_a_run_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """Nor one whose second file cannot be opened."""
    out, denied = tmp_path / "may.txt", tmp_path / "maynot.csv"

    def stopped() -> None:
        with Sieve(out, denied, {ALLOWED}) as sieve:
            put_all(sieve)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert list(tmp_path.iterdir()) == []
    with (
        pytest.raises(FileNotFoundError),
        Sieve(out, tmp_path / "nowhere" / "maynot.csv", {ALLOWED}),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rows", [1, 10_000])
def test_a_disk_that_is_full_is_told_and_nothing_is_left(
    tmp_path: Path, rows: int
) -> None:
    """Whether it shows while the files are written, or at their end."""

    def filled() -> None:
        full = os.open("/dev/full", os.O_WRONLY)
        try:
            with Sieve(tmp_path / "may.txt", tmp_path / "no.csv", {ALLOWED}) as sieve:
                os.dup2(full, sieve._denied.fileno())
                for _ in range(rows):
                    sieve.put(BadLine(2, "no digest"))
        finally:
            os.close(full)

    with pytest.raises(OSError, match="No space left"):
        filled()
    assert list(tmp_path.iterdir()) == []
