"""A settlement's folder: made from a store, checked, tampered with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.signed import key

from byline_ledger.content import dispute_fields, work_fields
from byline_ledger.content_group import admit_fields
from byline_ledger.content_parts import Share
from byline_ledger.content_terms import Price, offer_fields
from byline_ledger.crypto import random_bytes
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import NotFoundError, UsageError
from byline_ledger.manifest import ManifestRow
from byline_ledger.statement import Statement, sign_statement
from byline_node.home import Home
from byline_node.local import LocalClient
from byline_node.manifests import write_manifest
from byline_node.settle import (
    MEMBERS,
    ROWS,
    Check,
    Settlement,
    Terms,
    check_settlement,
    settle,
)
from byline_node.shared_proofs import bundles_of, reader_of

ANN, BEN, GROUP = key(1), key(2), key(3)
USE = "cawg.ai_training"
NOW = 1_767_225_600_000
WORKS = [digest_bytes(f"work {number}".encode()) for number in range(4)]


def nothing(_count: int) -> None:
    pass


def said() -> list[Statement]:
    """Two works of Ann's, one shared; one of Ben's, contested; one of nobody's."""
    salt = random_bytes(16)
    shares = [Share(ANN.public, 2), Share(BEN.public, 1)]
    offer = offer_fields(
        about=digest_bytes(GROUP.public),
        uses={"ai_training": "allowed"},
        price=Price(100, "EUR", "item"),
        time=1,
        salt=salt,
    )
    admits = [admit_fields(member=one.public, time=1, salt=salt) for one in (ANN, BEN)]
    contest = dispute_fields(about=WORKS[2], reason="authorship", time=3, salt=salt)
    plain = {"made": "human", "group": GROUP.public, "time": 2, "salt": salt}
    claims = [
        (work_fields(about=WORKS[0], **plain), ANN),
        (work_fields(about=WORKS[1], shares=shares, **plain), ANN),
        (work_fields(about=WORKS[2], **plain), BEN),
    ]
    signed = [sign_statement(one, GROUP) for one in (offer, *admits)]
    signed += [sign_statement(fields, who) for fields, who in claims]
    return [*signed, sign_statement(contest, key(9))]


def made(folder: Path, home: Path, *more: ManifestRow) -> Settlement:
    manifest = folder.with_suffix(".csv")
    rows = [ManifestRow(n, one, f"w{n}", 10 + n) for n, one in enumerate(WORKS)]
    write_manifest(manifest, [*rows, ManifestRow(9, WORKS[0], "again", 999), *more])
    terms = Terms(GROUP.public, USE, NOW)
    with LocalClient(Home(home)) as client:
        client.publish(said())
        found, _ = settle(
            folder, manifest, terms, bundles_of(client, None), key(8), nothing
        )
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "settled"
    made(path, tmp_path / "home")
    return path


def check(folder: Path) -> Check:
    return check_settlement(folder, reader_of(None), nothing)


def test_what_was_made_holds(folder: Path) -> None:
    found = check(folder)
    assert found.findings == []
    owed = {
        one.member: (one.works, one.contested, one.due.get("EUR"))
        for one in found.members
    }
    assert owed == {ANN.public: (2, 0, 167), BEN.public: (1, 1, 33)}
    assert found.log is not None
    assert found.log.size == 9


@pytest.mark.parametrize(
    ("name", "change", "wanted"),
    [
        (ROWS, lambda text: text.replace(",no,", ",yes,"), "expected the row"),
        (ROWS, lambda text: text[: text[:-1].rindex("\n") + 1], "is left out"),
        (ROWS, lambda text: text + "x\n", "line 6"),
        (MEMBERS, lambda text: text.replace("167", "168"), f"{MEMBERS} is not what"),
    ],
)
def test_what_differs_is_named(
    folder: Path, name: str, change: Callable[[str], str], wanted: str
) -> None:
    path = folder / name
    path.write_text(change(path.read_text("ascii")), "ascii")
    assert any(wanted in one for one in check(folder).findings)


def test_a_proof_that_is_broken_missing_or_of_another_log_is_named(
    folder: Path, tmp_path: Path
) -> None:
    proof = folder / "proofs" / "000000.byline"
    honest = proof.read_bytes()
    proof.write_bytes(honest[:-1])
    (finding,) = check(folder).findings
    assert finding.startswith("proofs/000000.byline: ")
    proof.unlink()
    (finding,) = check(folder).findings
    assert finding.startswith("4 works have no proof, such as ")
    proof.write_bytes(honest)
    new = digest_bytes(b"one more")
    other = tmp_path / "other"
    made(other, tmp_path / "home2", ManifestRow(10, new))
    shutil.copyfile(other / "proofs" / "000000.byline", folder / "proofs" / "1.byline")
    shutil.copyfile(other / "manifest.csv", folder / "manifest.csv")
    assert any("proofs of two logs" in one for one in check(folder).findings)


def test_a_folder_that_is_none_says_so(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no settlement"):
        check(tmp_path / "nowhere")
    (folder / ROWS).unlink()
    with pytest.raises(NotFoundError, match="does not exist"):
        check(folder)


def test_a_bad_line_of_the_manifest_ends_it_before_any_work(tmp_path: Path) -> None:
    manifest = tmp_path / "set.csv"
    manifest.write_text("digest\nnonsense\n")
    terms = Terms(GROUP.public, USE, NOW)
    with LocalClient(Home(tmp_path / "home")) as client:
        ask = bundles_of(client, None)
        with pytest.raises(UsageError, match="line 2"):
            settle(tmp_path / "out", manifest, terms, ask, key(8), nothing)
    assert not (tmp_path / "out.part").exists()
