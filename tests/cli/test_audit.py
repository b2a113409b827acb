"""`byline audit`: what it says is about the place it was given, each time."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread
from unittest.mock import patch

import pytest
from tests.cli.program import Program
from tests.support.logs import works
from tests.support.memory_log import MemoryLog
from tests.support.web_server import Server

from byline_ledger.bundle import build_bundle
from byline_ledger.cosignature import cosign
from byline_ledger.entry import StatementEntry
from byline_ledger.log import Ledger
from byline_ledger.node_keys import NodeKeys
from byline_ledger.note import Verifier, parse_note
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


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The files of a folder, by HTTP."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with Server(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


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
    assert "were seen here earlier" in done.out


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


@pytest.mark.parametrize(
    "key",
    ["zzz", "", NodeKeys.derive(bytes(32), "w.example/1").witness_vkey, "a+00+/w=="],
)
def test_a_key_that_is_none_is_asked_wrongly(byline: Program, key: str) -> None:
    done = byline("audit", "good", "--vkey", key)
    assert done.code == 2
    assert "--vkey: " in done.complaint


def test_a_damaged_vkey_is_named_as_such(byline: Program) -> None:
    """Whether or not somebody else says which key it is."""
    key, path = key_in(byline, "good"), byline.folder / "good" / "vkey"
    path.write_text(("B" if key[0] != "B" else "C") + key[1:] + "\n")
    alone = byline("audit", "good")
    assert alone.code == 1
    assert "vkey: " in alone.complaint
    for text in (path.read_text(), "no newline", MemoryLog(1).vkey + "\n"):
        path.write_text(text)
        given = byline("audit", "good", "--vkey", key)
        assert given.code == 1
        assert "NOT sound. vkey: " in given.out
    assert byline("policy", "init", "--log", key).code == 0
    assert "NOT sound. vkey: " in byline("audit", "good").out
    path.unlink()
    assert "the key is that of your policy" in byline("audit", "good").out


def test_where_no_log_is_nothing_is_found(byline: Program) -> None:
    (byline.folder / "vkeyless").mkdir()
    note = (byline.folder / "good" / "checkpoint").read_bytes()
    (byline.folder / "vkeyless" / "checkpoint").write_bytes(note)
    unsaid = byline("audit", "vkeyless")
    assert unsaid.code == 2
    assert "does not say which key signs it" in unsaid.complaint
    with served(byline.folder) as url:
        assert byline("audit", f"{url}/good").code == 0
        nothing = byline("audit", f"{url}/nothing")
    assert nothing.code == 3
    assert "there is no log at" in nothing.complaint


def test_lines_of_witnesses_are_checked_or_said_not_to_be(byline: Program) -> None:
    path, key = byline.folder / "good" / "checkpoint", key_in(byline, "good")
    note = parse_note(path.read_bytes())
    witnesses = [NodeKeys.derive(bytes(32), f"{one}.example/1") for one in "abc"]
    for one in witnesses[:2]:
        line = cosign(note.text, one.origin + "/witness", one.witness, 1_790_000_000)
        note = note.with_signature(line)
    path.write_bytes(note.to_bytes())
    assert (
        "cosigned     2, not checked: you have no policy" in byline("audit", "good").out
    )
    known = [word for one in witnesses for word in ("--witness", one.witness_vkey)]
    assert byline("policy", "init", "--log", key, *known[:2]).code == 0
    one_of_two = byline("audit", "good")
    assert one_of_two.code == 0
    assert "2, of them 1 by witnesses of your policy, 1 by others" in one_of_two.out
    made = byline("policy", "init", "--log", key, *known, "--quorum", "3", "--out", "3")
    assert made.code == 0
    done = byline("audit", "good", "--policy", "3", "--json")
    assert done.code == 0
    assert (done.json["cosignatures"], done.json["cosigned_by"]) == (2, ["w1", "w2"])
    assert "which is not its quorum" in byline("audit", "good", "--policy", "3").out
