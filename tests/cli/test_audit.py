"""`byline audit`: what it says is about the place it was given, each time."""

from __future__ import annotations

import shutil
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.cli.program import Program
from tests.support.logs import works

from byline_ledger.bundle import build_bundle
from byline_ledger.entry import StatementEntry
from byline_ledger.log import Ledger
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


def test_a_log_that_an_audit_convicts_is_refused_from_then_on(tmp_path: Path) -> None:
    """By the same user, who has no node; the alarm is also in the folder."""
    liar, reader = Program(tmp_path), str(tmp_path / "reader")
    ledger = Ledger.init(liar.home / "node")
    with patch.object(StatementEntry, "lookup_strings", lambda _entry: []):
        ledger.append(works(0, 1))
    asked = b"\x12\x20" + b"n" * 32
    (tmp_path / "saved").write_bytes(build_bundle(ledger.view, asked))
    ledger.close()
    assert liar("log", "export", "copy").code == 0
    assert liar("verify", "saved", BYLINE_HOME=reader).code == 0
    done = liar("audit", "copy", BYLINE_HOME=reader)
    assert done.code == 4
    assert "Kept: from now on, query and verify refuse what this log says." in done.out
    assert done.out.splitlines()[-1].startswith(
        "The log signed something that is FALSE"
    )
    assert len(list(tmp_path.glob("*.alarm"))) == 1
    refused = liar("verify", "saved", BYLINE_HOME=reader)
    assert refused.code == 4
    assert "no proof by the log" in refused.complaint


def test_an_older_copy_is_sound_and_called_older(byline: Program) -> None:
    ledger = Ledger.open(byline.home / "node")
    ledger.append(works(40, 50))
    ledger.close()
    assert byline("log", "export", "newer").code == 0
    assert byline("audit", "newer").code == 0
    done = byline("audit", "good")
    assert done.code == 0
    assert "an older copy: 53 entries of this log were seen elsewhere" in done.out
    assert "The log is sound up to entry 41." in done.out
    shutil.rmtree(byline.folder / "newer")
    (byline.folder / "good").rename(byline.folder / "newer")
    gone_back = byline("audit", "newer")
    assert gone_back.code == 1
    assert "but 53 were seen here earlier" in gone_back.out
