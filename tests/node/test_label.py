"""A label's folder: made from a store, checked, tampered with, asked about again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.signed import key

from byline_ledger.content import dispute_fields, withdraw_fields, work_fields
from byline_ledger.crypto import random_bytes
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import MalformedError, NotFoundError, StoreError
from byline_ledger.label_document import Head, label_bytes
from byline_ledger.label_words import Words
from byline_ledger.manifest import ManifestRow
from byline_ledger.statement import Statement, sign_statement
from byline_node import label_checking, label_making
from byline_node.home import Home
from byline_node.label_checking import MAX_FINDINGS, Check, check_label
from byline_node.label_making import ITEMS, LABEL, MadeLabel, make_label
from byline_node.label_register import Register
from byline_node.label_staleness import find_stale
from byline_node.local import LocalClient
from byline_node.manifests import write_manifest

KEY = key(1)
TRAINING = "cawg.ai_generative_training"
WORKS = [digest_bytes(f"work {number}".encode()) for number in range(6)]
NOW = 1_790_000_000_000
HEAD = Head(TRAINING, KEY.public, 1_767_225_600_000, b"", "", Words({"name": "Six"}))


def work(number: int, made: str = "human", use: str = "allowed") -> Statement:
    fields = work_fields(
        about=WORKS[number],
        made=made,
        uses={"ai_generative_training": use},
        time=1,
        salt=random_bytes(16),
    )
    return sign_statement(fields, KEY)


def withdraw(statement: Statement) -> Statement:
    fields = withdraw_fields(
        statement_id=statement.id, reason="mistaken", time=2, salt=random_bytes(16)
    )
    return sign_statement(fields, KEY)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[LocalClient]:
    with LocalClient(Home(tmp_path / "home")) as client:
        yield client


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "set.csv"
    rows = [ManifestRow(n, one, f"w{n}.txt", 10 + n) for n, one in enumerate(WORKS)]
    write_manifest(path, [*rows, rows[0]])
    return path


def nothing(_count: int) -> None:
    pass


def make(client: LocalClient, manifest: Path, folder: Path) -> MadeLabel:
    return make_label(folder, manifest, HEAD, client, KEY, nothing)


@pytest.fixture
def label(client: LocalClient, manifest: Path, tmp_path: Path) -> Path:
    """Two allowed, one generated and forbidden, one withdrawn, one objected to."""
    first, gone = work(0), work(3)
    said = [first, work(1), work(2, "generated", "notAllowed"), gone]
    client.publish([*said, withdraw(gone)])
    objection = dispute_fields(
        about=WORKS[1], reason="consent", time=3, salt=random_bytes(16)
    )
    client.publish([sign_statement(objection, key(2))])
    folder = tmp_path / "label"
    make(client, manifest, folder)
    return folder


def check(folder: Path) -> Check:
    return check_label(folder, None, nothing)


def found(folder: Path) -> list[str]:
    return [f"{one.where}: {one.what}" for one in check(folder).findings]


def test_a_pipe_in_a_strangers_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "label.json")
    with pytest.raises(MalformedError, match="expected a file"):
        check_label(tmp_path, None, lambda _: None)


def test_a_label_that_was_made_holds(label: Path) -> None:
    result = check(label)
    assert result.findings == []
    assert result.holds
    assert result.author == KEY.public
    document = json.loads((label / LABEL).read_text("utf-8"))
    made = {word: one["items"] for word, one in document["ingredients"].items()}
    # The first work is there twice: rows are counted.
    assert made == {
        "human": 3,
        "assisted": 0,
        "generated": 1,
        "other": 0,
        "unknown": 0,
        "unattested": 3,
    }
    assert document["violations"]["items"] == 1
    assert document["objections"]["items"] == 1
    assert document["trust"]["withdrawn"] == 1
    assert not label.with_name("label.part").exists()


def test_parquet_and_hash_lists_are_labelled_too(
    client: LocalClient, tmp_path: Path
) -> None:
    parquet, hashes = tmp_path / "set.parquet", tmp_path / "sums"
    write_manifest(parquet, [ManifestRow(1, one) for one in WORKS])
    hashes.write_text("".join(f"{one[2:].hex()}\n" for one in WORKS))
    for number, path in enumerate((parquet, hashes)):
        folder = tmp_path / f"label{number}"
        make(client, path, folder)
        assert check(folder).holds
        kept = [one.name for one in folder.glob("manifest.*")]
        assert kept == [("manifest.parquet", "manifest.txt")[number]]


def test_what_breaks_off_leaves_nothing(
    client: LocalClient, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(label_making, "write_documents", fail)
    before = set(tmp_path.iterdir())
    with pytest.raises(RuntimeError):
        make(client, manifest, tmp_path / "label")
    assert set(tmp_path.iterdir()) == before


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(
    "name", ["README.md", "croissant.json", "label.svg", "label.png", "label.html"]
)
def test_one_changed_byte_in_a_file_is_named(label: Path, name: str) -> None:
    data = bytearray((label / name).read_bytes())
    data[len(data) // 2] ^= 1
    (label / name).write_bytes(data)
    assert found(label) == [f"{name}: it was changed since the label was made"]


def test_a_missing_and_a_foreign_file_are_named(label: Path) -> None:
    (label / "README.md").unlink()
    (label / "extra.txt").write_text("x")
    assert found(label) == [
        "README.md: it is missing",
        "extra.txt: it is not a part of the label",
    ]


def test_a_changed_figure_is_named(label: Path) -> None:
    edit(label / LABEL, '"human": {\n   "items": 3', '"human": {\n   "items": 4')
    assert "label.json: it is not what was signed: it was changed since" in found(label)
    assert "label.json: ingredients.human.items: 4, the proofs give 3" in found(label)


def resign(label: Path) -> None:
    """Sign again what a dishonest maker changed, digests and all."""
    document = json.loads((label / LABEL).read_text("utf-8"))
    for name in document["files"]:
        document["files"][name] = label_making.digest_hex(label / name)
    data = label_bytes(document)
    (label / LABEL).write_bytes(data)
    fields = {
        "type": "label",
        "about": b"\x12\x20" + bytes.fromhex(document["manifest"]["digest"][7:]),
        "label": digest_bytes(data),
        "use": TRAINING,
        "count": document["manifest"]["count"],
        "bytes": document["manifest"]["bytes"],
        "violations": document["violations"]["items"],
        "items": {w: one["items"] for w, one in document["ingredients"].items()},
        "time": 1,
        "salt": bytes(16),
    }
    signed = sign_statement(fields, KEY)
    statement = label / label_making.STATEMENT
    statement.write_bytes(b"\x91" + signed.to_envelope())


def test_a_maker_who_signs_false_figures_is_found_out(label: Path) -> None:
    edit(
        label / LABEL, '"violations": {\n  "items": 1', '"violations": {\n  "items": 0'
    )
    edit(label / ITEMS, "notAllowed", "allowed")
    resign(label)
    lines = found(label)
    name = "w2.txt: ai_generative_training"
    assert f"items.csv line 4: {name}: 'allowed', its proof gives 'notAllowed'" in lines
    assert "label.json: violations.items: 0, the proofs give 1" in lines


def test_a_maker_who_signs_a_false_picture_is_found_out(label: Path) -> None:
    edit(label / "label.svg", "1 work may not", "0 work may not")
    resign(label)
    assert found(label) == ["label.svg: it does not show what the proofs give"]


def test_a_hidden_withdrawal_is_named(
    client: LocalClient, manifest: Path, tmp_path: Path
) -> None:
    """A proof from before the withdrawal, put in the place of the one from after."""
    said = work(0)
    client.publish([said])
    ((before, _),) = client.prove_many(WORKS, depth=4)
    client.publish([withdraw(said), work(1)])
    folder = tmp_path / "label"
    make(client, manifest, folder)
    (folder / "proofs" / "000000.byline").write_bytes(before)
    resign(folder)
    lines = found(folder)
    assert lines[0].startswith("proofs/000000.byline: it is of the log up to entry")
    assert "such as a withdrawal, is hidden" in lines[0]
    assert lines[1:] == ["proofs/000000.byline: 7 works cannot be checked without it"]
    asked = find_stale(folder, client, NOW, nothing, ["proofs/000000.byline"])
    assert asked.is_current  # the lines are honest, and only the proof is old
    assert find_stale(folder, client, NOW, nothing, []).log_size == 0


def test_a_swapped_proof_is_named(
    client: LocalClient, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_making, "BATCH", 1)
    client.publish([work(0), work(1)])
    label = tmp_path / "label"
    make(client, manifest, label)
    one, two = label / "proofs/000000.byline", label / "proofs/000001.byline"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    lines = found(label)
    assert "proofs/000000.byline: it was changed since the label was made" in lines
    what = "proofs/000000.byline is the proof of another work"
    assert f"items.csv line 2: w0.txt: {what}" in lines
    monkeypatch.setattr(label_checking, "MAX_KEPT", 2)
    assert found(label) == lines


def test_a_broken_proof_is_named_once(label: Path) -> None:
    path = label / "proofs/000000.byline"
    path.write_bytes(path.read_bytes()[:-5])
    resign(label)
    lines = found(label)
    assert [line.partition(": ")[0] for line in lines] == ["proofs/000000.byline"] * 2


def test_lines_that_are_missing_or_too_many_are_named(label: Path) -> None:
    lines = (label / ITEMS).read_text("utf-8").splitlines(keepends=True)
    (label / ITEMS).write_text("".join([*lines, lines[-1]]), "utf-8")
    assert "items.csv: it has more lines than the manifest has works" in found(label)
    (label / ITEMS).write_text("".join(lines[:-1]), "utf-8")
    wanted = "items.csv line 8: w0.txt: expected a line for this work"
    assert wanted in found(label)
    (label / ITEMS).write_text("other\n" + "".join(lines[1:]), "utf-8")
    assert "items.csv: line 1: it has other columns" in found(label)
    (label / ITEMS).write_bytes(b"\xff\xfe")
    assert any("items.csv: it cannot be compared" in line for line in found(label))


def test_another_manifest_is_named(label: Path) -> None:
    edit(label / "manifest.csv", WORKS[0][2:].hex(), WORKS[5][2:].hex())
    resign(label)
    lines = found(label)
    assert "label.json: the manifest that it lists is another than it is about" in lines
    (label / "manifest.csv").write_text("")
    assert "manifest.csv: it names no works" in found(label)


def test_a_statement_of_somebody_else_is_named(label: Path, tmp_path: Path) -> None:
    statement = label / label_making.STATEMENT
    other = key(2)
    fields = {"type": "work", "about": WORKS[0], "time": 1, "salt": bytes(16)}
    statement.write_bytes(b"\x91" + sign_statement(fields, other).to_envelope())
    lines = found(label)
    assert "label.statement: it is no label" in lines
    assert "label.statement: it is about another manifest" in lines
    assert "label.statement: it is by another key than the label says" in lines
    statement.write_bytes(b"\x90")
    assert any(line.startswith("label.statement: ") for line in found(label))
    statement.unlink()
    assert any("does not exist" in line for line in found(label))


def test_a_folder_that_is_no_label_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        check(tmp_path)
    (tmp_path / LABEL).write_text("{}")
    with pytest.raises(MalformedError, match="format"):
        check(tmp_path)


def test_findings_are_bounded(label: Path) -> None:
    result = check(label)
    for number in range(MAX_FINDINGS + 3):
        result.found("x", str(number))
    assert len(result.findings) == MAX_FINDINGS
    assert result.more == 3
    assert not result.holds


def test_later_withdrawals_and_consent_make_a_label_stale(
    client: LocalClient, manifest: Path, tmp_path: Path
) -> None:
    said = work(0)
    client.publish([said, work(1)])
    folder = tmp_path / "label"
    make(client, manifest, folder)
    told: list[int] = []
    assert find_stale(folder, client, NOW, told.append).is_current
    assert sum(told) == 7
    client.publish([withdraw(said), work(1, "human", "notAllowed")])
    stale = find_stale(folder, client, NOW, nothing)
    # The first work is twice in the manifest.
    assert [one.name for one in stale.works] == ["w0.txt", "w1.txt", "w0.txt"]
    assert stale.works[0].changes == {
        "made": ("human", "unattested"),
        "ai_generative_training": ("allowed", "unknown"),
        "withdrawn": ("0", "1"),
    }
    assert stale.works[1].changes == {
        "ai_generative_training": ("allowed", "notAllowed")
    }
    as_json = stale.to_json()
    assert as_json["outdated"] == 3
    assert as_json["current"] is False


def test_a_label_without_its_lines_cannot_be_asked_about(
    client: LocalClient, manifest: Path, tmp_path: Path
) -> None:
    client.publish([work(0)])
    folder = tmp_path / "label"
    make(client, manifest, folder)
    items = folder / "items.csv"
    lines = items.read_bytes()
    items.write_bytes(lines.replace(b"w0.txt", b"w\xff.txt"))
    with pytest.raises(MalformedError, match="UTF-8"):
        find_stale(folder, client, NOW, nothing)
    items.write_bytes(lines[: lines.index(b"w1.txt")])
    with pytest.raises(MalformedError, match="a line for each work"):
        find_stale(folder, client, NOW, nothing)
    items.unlink()
    with pytest.raises(NotFoundError, match=r"items\.csv does not exist"):
        find_stale(folder, client, NOW, nothing)
    items.mkdir()
    with pytest.raises(StoreError, match="cannot read"):
        find_stale(folder, client, NOW, nothing)


def test_labels_that_were_made_here_are_remembered(tmp_path: Path) -> None:
    register = Register(tmp_path / "home" / "labels")
    assert register.folders() == []
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    for folder in (one, two, one):
        register.add(folder)
    assert register.folders() == [two, one]
    shutil.rmtree(two)
    with register.path.open("a") as file:
        file.write('nonsense\n[1]\n{"folder": 7}\n')
    assert register.folders() == [one]
