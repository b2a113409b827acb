"""`byline audit`: what it says is about the place it was given, each time."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest
from tests.cli.program import Program
from tests.support.logs import works
from tests.support.memory_log import MemoryLog

from byline_ledger.log import Ledger
from byline_ledger.node_keys import NodeKeys
from byline_ledger.note import Verifier
from byline_node.audit_copies import place_name


@pytest.fixture
def byline(tmp_path: Path) -> Program:
    """With a log in `good`, and one byte of a statement changed in `bad`."""
    program = Program(tmp_path)
    ledger = Ledger.init(program.home / "node")
    ledger.append(works(0, 40))
    ledger.close()
    assert program("log", "export", "good").code == 0
    shutil.copytree(tmp_path / "good", tmp_path / "bad")
    body = next((tmp_path / "bad/statements").glob("??/*"))
    data = bytearray(body.read_bytes())
    data[90] ^= 1
    body.write_bytes(data)
    return program


def test_damage_is_found_as_often_as_it_is_looked_for(byline: Program) -> None:
    """Whatever was audited before: this folder, another copy, or not all of it."""
    for arguments in (["bad"], ["bad"], ["bad", "--no-bodies"], ["good"], ["bad"]):
        done = byline("audit", *arguments)
        is_found = arguments == ["bad"]
        assert done.code == (1 if is_found else 0), done.out
        assert ("NOT sound. statement" in done.out) is is_found
    assert not list((byline.home / "audit").glob("*/run-*"))


def test_a_folder_is_one_place_by_whatever_name(byline: Program) -> None:
    names = {place_name(str(byline.folder / name)) for name in ("good", "bad/../good")}
    assert len(names) == 1
    assert place_name("https://log.example") == "https://log.example"


def key_in(byline: Program, folder: str) -> str:
    return (byline.folder / folder / "vkey").read_text().strip()


def test_an_older_copy_is_sound(byline: Program) -> None:
    byline.new_key()
    byline.write("photo.jpg", "a picture")
    shutil.copytree(byline.folder / "good", byline.folder / "old")
    assert byline("attest", "photo.jpg", "--made", "human").code == 0
    assert byline("log", "export", "good").code == 0
    assert byline("audit", "good").code == 0
    done = byline("audit", "old")
    assert done.code == 0, done.out
    assert "this copy is older" in done.out
    shutil.rmtree(byline.folder / "good")
    shutil.copytree(byline.folder / "old", byline.folder / "good")
    done = byline("audit", "good")
    assert done.code == 1
    assert "were seen earlier" in done.out


def test_the_key_is_that_of_the_policy_if_it_names_the_log(byline: Program) -> None:
    assert "nobody vouches" in byline("audit", "good").out
    made = byline("policy", "init", "--log", key_in(byline, "good"))
    assert made.code == 0, made.err
    assert "the key is that of your policy" in byline("audit", "good").out


def test_what_is_asked_wrongly_is_no_damage(byline: Program) -> None:
    done = byline("audit", "good", "--vkey", "zzz")
    assert (done.code, "--vkey: expected" in done.err) == (2, True)
    assert byline("log", "export", "other").code == 0
    other = "other.example+" + key_in(byline, "good").partition("+")[2]
    made = byline("policy", "init", "--log", MemoryLog(1).vkey, "--out", "of another")
    assert made.code == 0, made.err
    done = byline("audit", "good", "--policy", "of another")
    assert (done.code, "does not name the log" in done.err) == (2, True)
    (byline.folder / "nothing").mkdir()
    assert byline("audit", "nothing").code == 3
    (byline.folder / "other" / "vkey").write_text(other + "\n")
    done = byline("audit", "other")
    assert "vkey: " in done.err


def test_false_cosignatures_are_a_fault_of_the_copy(byline: Program) -> None:
    """If somebody knows the witness; else they are said to be unchecked."""
    witness = Verifier.from_text(NodeKeys.derive(bytes(32), "w.example/1").witness_vkey)
    line = base64.b64encode(witness.id + bytes(72)).decode()
    with (byline.folder / "good" / "checkpoint").open("a") as file:
        file.write(f"— {witness.name} {line}\n")
    assert "1, not checked" in byline("audit", "good").out
    key, cosigner = key_in(byline, "good"), witness.to_text()
    made = byline("policy", "init", "--log", key, "--witness", cosigner)
    assert made.code == 0, made.err
    done = byline("audit", "good")
    assert done.code == 1
    assert "NOT sound. checkpoint: " in done.out
