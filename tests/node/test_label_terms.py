"""Labels of works whose terms run out, and of makers who sign something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.signed import key

from byline_ledger.content import work_fields
from byline_ledger.content_group import admit_fields
from byline_ledger.content_sets import label_fields
from byline_ledger.content_terms import Price, offer_fields
from byline_ledger.crypto import random_bytes
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import UsageError
from byline_ledger.label_document import Head, headline
from byline_ledger.label_words import Words
from byline_ledger.manifest import ManifestRow
from byline_ledger.statement import Source, sign_statement
from byline_node import label_checking, label_making
from byline_node.home import Home
from byline_node.label_checking import check_label
from byline_node.label_making import ITEMS, LABEL, STATEMENT, make_label
from byline_node.local import LocalClient
from byline_node.manifests import write_manifest

KEY, GROUP = key(1), key(3)
TRAINING = "cawg.ai_generative_training"
WORK = digest_bytes(b"a member's work")
NOW = 1_767_225_600_000


def nothing(_count: int) -> None:
    pass


def made(tmp_path: Path, time: int = NOW) -> Path:
    """The label, at a time, of a member's work under an offer, both until NOW + 1."""
    said: dict[str, Any] = {"time": 1, "until": NOW + 1}
    admit = admit_fields(member=KEY.public, salt=random_bytes(16), **said)
    offer = offer_fields(
        about=digest_bytes(GROUP.public),
        uses={"ai_generative_training": "allowed"},
        price=Price(5, "EUR", "item"),
        salt=random_bytes(16),
        **said,
    )
    claim = work_fields(
        about=WORK, made="human", group=GROUP.public, time=2, salt=random_bytes(16)
    )
    signed = [sign_statement(one, GROUP) for one in (admit, offer)]
    manifest, folder = tmp_path / "set.csv", tmp_path / "label"
    write_manifest(manifest, [ManifestRow(2, WORK, "w.txt", 9)])
    head = Head(TRAINING, KEY.public, time, b"", "", Words())
    with LocalClient(Home(tmp_path / "home")) as client:
        client.publish([*signed, sign_statement(claim, KEY)])
        make_label(folder, manifest, head, client, KEY, nothing)
    return folder


def found(folder: Path) -> list[str]:
    check = check_label(folder, None, nothing)
    return [f"{one.where}: {one.what}" for one in check.findings]


@pytest.mark.parametrize(("time", "word"), [(NOW, "constrained"), (NOW + 1, "unknown")])
def test_terms_are_judged_at_the_labels_time(
    tmp_path: Path, time: int, word: str
) -> None:
    folder = made(tmp_path, time)
    label = json.loads((folder / LABEL).read_text("utf-8"))
    assert label["consent"][TRAINING][word]["items"] == 1
    assert found(folder) == []


def test_a_proof_of_less_depth_than_a_label_has_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalClient(Home(tmp_path / "home")) as client:
        source = Source(digest_bytes(b"its source"), "parentOf", {})
        fields = work_fields(
            about=WORK, made="generated", sources=[source], time=1, salt=bytes(16)
        )
        client.publish([sign_statement(fields, key(4))])
    monkeypatch.setattr(label_making, "DEPTH", 0)
    first, *_ = found(made(tmp_path))
    assert "asked for depth 4, proven is 0" in first


def test_figures_of_the_statement_alone_are_compared_too(tmp_path: Path) -> None:
    folder = made(tmp_path)
    data = (folder / LABEL).read_bytes()
    told = headline(json.loads(data)) | {"violations": 7, "origin": "other.example"}
    fields = label_fields(
        manifest=digest_bytes((folder / "manifest.csv").read_bytes()),
        label=digest_bytes(data),
        time=NOW,
        salt=random_bytes(16),
        **told,
    )
    signed = sign_statement(fields, KEY)
    (folder / STATEMENT).write_bytes(b"\x91" + signed.to_envelope())
    first, second = found(folder)
    assert first == f"{STATEMENT}: violations: 7, the proofs give 0"
    assert second.startswith(f"{STATEMENT}: origin: 'other.example', the proofs give")


def test_a_file_of_proofs_is_read_a_bounded_number_of_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path)
    monkeypatch.setattr(label_checking, "MAX_READ", 1)
    assert found(folder)[0].endswith(f"its lines are scattered over {ITEMS}")


def test_somebody_elses_folder_is_not_taken_for_ours(tmp_path: Path) -> None:
    theirs = tmp_path / "label.part"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="is in the way"):
        made(tmp_path)
    assert (theirs / "thesis.txt").exists()
