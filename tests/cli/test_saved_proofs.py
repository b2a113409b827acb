"""Saved proofs as people use them: the right file, no older than wanted, renewed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.program import Ended, Program
from tests.support.signed import key

from byline_ledger.alarm import alarm_of_notes
from byline_ledger.bundle import Bundle
from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.cosignature import cosign, cosigner_vkey
from byline_ledger.node_keys import NodeKeys
from byline_ledger.note import parse_note
from byline_ledger.store.node_files import NodeFiles
from byline_ledger.tlog_proof import TlogProof
from byline_ledger.verify import OTHER_FILE

NAMES = ("b.example/1/witness", "b.example/1/replay")


class Reader:
    """A home with a store of its own, a photo that is claimed in it, and its proof."""

    def __init__(self, folder: Path) -> None:
        self.byline = Program(folder)
        self.byline.new_key()
        self.photo = self.byline.write("photo.jpg", b"a photo")
        self.other = self.byline.write("other.jpg", b"another")
        attested = self.byline("attest", self.photo, "--made", "human", "--json")
        self.claim = str(attested.json["attested"][0]["id"])
        assert self.byline("query", self.photo, "--save", "saved").code == 0
        self.saved = folder / "saved"
        self.log = NodeKeys.derive(
            NodeFiles(self.byline.home / "node").read_secret(), self.bundle.log_name
        )

    @property
    def bundle(self) -> Saved:
        return Saved(Bundle.from_bytes(self.saved.read_bytes()))

    def trust(self, quorum: str = "all", *, own: bool = True) -> Path:
        """A policy that names the log and one operator's two keys."""
        lines = [f"log {self.log.log_vkey}"]
        if quorum != "none":
            vkeys = (cosigner_vkey(n, key(i).public) for i, n in enumerate(NAMES, 1))
            lines += [f"witness w{i} {vkey}" for i, vkey in enumerate(vkeys, 1)]
            lines.append(f"group b {quorum} w1 w2")
        lines += [f"quorum {'none' if quorum == 'none' else 'b'}", ""]
        where = self.byline.home / "policy" if own else self.byline.folder / "rules"
        where.write_text("\n".join(lines))
        return where

    def cosign(self, time: int) -> None:
        """The saved proof under lines of both keys."""
        old = self.bundle.bundle
        note = parse_note(old.checkpoint)
        for number, name in enumerate(NAMES, 1):
            note = note.with_signature(cosign(note.text, name, key(number), time))
        changed = replace(old, checkpoint=note.to_bytes())
        self.saved.write_bytes(changed.to_bytes())

    def accuse(self, path: Path) -> None:
        """Writes an alarm about the log."""
        notes = [
            sign_checkpoint(Checkpoint(self.log.origin, 9, root * 32), self.log.log)
            for root in (b"a", b"b")
        ]
        alarm = alarm_of_notes(self.log.log_vkey, (notes[0], notes[1]), ())
        assert alarm is not None
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(alarm.to_bytes())


class Saved:
    """A saved bundle and the name of its log."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.log_name = bundle.log.partition("+")[0]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def level(ended: Ended, name: str) -> tuple[str, str]:
    """Status and detail."""
    (found,) = [one for one in ended.json["levels"] if one["name"] == name]
    return found["status"], found["detail"]


# Another file


def test_another_file_may_be_this_one_edited(reader: Reader) -> None:
    """Where a digest differs, and where nothing is known of it."""
    ended = reader.byline("verify", reader.saved, reader.other)
    assert ended.code == 1
    assert ended.out.splitlines()[-1].endswith(OTHER_FILE)
    asked = reader.byline("query", reader.other)
    assert asked.code == 3
    assert OTHER_FILE in asked.out


# Witnesses


def test_an_operator_with_two_keys_is_one_witness(reader: Reader) -> None:
    reader.trust()
    reader.cosign(1_790_000_000)
    ended = reader.byline("verify", reader.saved, "--json")
    assert level(ended, "witnesses") == (
        "ok",
        "1 trusted witness signed, with 2 keys",
    )


# Age


def test_an_age_needs_somebody_who_can_tell_it(reader: Reader) -> None:
    """Without a policy, and by one that asks for no witness."""
    for command in ("verify", reader.saved), ("query", reader.photo):
        ended = reader.byline(*command, "--max-age", "1")
        assert ended.code == 2
        assert "--max-age needs a policy" in ended.complaint
    rules = reader.trust("none", own=False)
    ended = reader.byline("verify", reader.saved, "--policy", rules, "--max-age", "1")
    assert ended.code == 2
    assert "--max-age needs a policy that asks for witnesses" in ended.complaint


# Places in the log, for other tools


@pytest.fixture
def place(reader: Reader) -> Path:
    """A .tlog-proof of the claim, and a policy to check it by."""
    asked = reader.byline("query", reader.photo, "--tlog-proof", "a.tlog-proof")
    assert asked.code == 0, asked.err
    reader.trust("none")
    return reader.byline.folder / "a.tlog-proof"


def test_a_place_in_the_log_is_of_one_file(reader: Reader, place: Path) -> None:
    """The file's own bytes are compared; a hash is too; neither is said."""
    alone = reader.byline("verify", place)
    assert alone.code == 0, alone.err
    assert "the work's own bytes were not compared" in alone.out
    assert "not checked: your policy asks for no witness\n" in alone.out
    right = reader.byline("verify", place, reader.photo, "--json")
    assert right.code == 0
    assert right.json["right_file"] is True
    assert reader.byline("verify", place, reader.claim).code == 0
    for wrong in (reader.other, "00" * 32):
        ended = reader.byline("verify", place, wrong)
        assert ended.code == 1
        assert OTHER_FILE in ended.complaint


def test_a_place_in_the_log_is_not_renewed(reader: Reader, place: Path) -> None:
    ended = reader.byline("verify", place, "--refresh")
    assert ended.code == 2
    assert "cannot be renewed" in ended.complaint


def test_a_place_in_the_log_is_only_as_old_as_wanted(
    reader: Reader, place: Path
) -> None:
    """By the same rule as saved proofs."""
    assert reader.byline("verify", place, "--max-age", "1").code == 2
    reader.trust()
    proof = TlogProof.from_bytes(place.read_bytes())
    note = parse_note(proof.checkpoint)
    for number, name in enumerate(NAMES, 1):
        line = cosign(note.text, name, key(number), 1_790_000_000)
        note = note.with_signature(line)
    place.write_bytes(replace(proof, checkpoint=note.to_bytes()).to_bytes())
    held = reader.byline("verify", place)
    assert held.code == 0, held.err
    assert "1 trusted witness signed, with 2 keys" in held.out
    old = reader.byline("verify", place, "--max-age", "60")
    assert old.code == 1
    assert "expected at most 1 minute" in old.complaint


# Logs that lied


@pytest.mark.parametrize("where", ["node/alarms", "alarms"])
def test_nothing_counts_by_a_log_that_lied(
    reader: Reader, place: Path, where: str
) -> None:
    """Whether asked, verified, renewed or placed; nothing is saved without a word."""
    reader.accuse(reader.byline.home / where / "found.alarm")
    before = reader.saved.read_bytes()
    new = reader.byline.folder / "new"
    for command in (
        ("verify", reader.saved),
        ("verify", reader.saved, "--refresh"),
        ("verify", place),
        ("query", reader.photo),
        ("query", reader.photo, "--save", new, "--tlog-proof", "new.tlog-proof"),
    ):
        ended = reader.byline(*command)
        assert ended.code == 4, command
        assert "signed two different trees of 9 entries" in ended.complaint
        assert "stands" not in ended.out
    assert "nothing was saved" in ended.complaint
    assert not list(reader.byline.folder.glob("new*"))
    assert reader.saved.read_bytes() == before


def test_an_alarm_that_was_verified_is_heeded_without_a_node(
    reader: Reader, tmp_path: Path
) -> None:
    """And kept once; one that does not hold is neither kept nor heeded."""
    byline, home = reader.byline, tmp_path / "reader"
    found = tmp_path / "found.alarm"
    reader.accuse(found)
    broken = tmp_path / "broken.alarm"
    data = found.read_bytes()
    at = data.index(b"9\n")
    broken.write_bytes(data[:at] + b"8" + data[at + 1 :])
    ended = byline("alarm", "verify", broken, BYLINE_HOME=str(home))
    assert ended.code == 1
    assert byline("verify", reader.saved, BYLINE_HOME=str(home)).code == 0
    for _ in range(2):
        shown = byline("alarm", "verify", found, "--json", BYLINE_HOME=str(home))
        assert shown.code == 4
        (kept,) = (home / "alarms").iterdir()
        assert shown.json["kept"] == str(kept)
        assert kept.read_bytes() == data
    assert byline("verify", reader.saved, BYLINE_HOME=str(home)).code == 4
    assert [one.name for one in home.iterdir()] == ["alarms"]


def test_an_alarm_that_cannot_be_kept_counts_all_the_same(
    reader: Reader, tmp_path: Path
) -> None:
    found, home = tmp_path / "found.alarm", tmp_path / "reader"
    reader.accuse(found)
    home.write_bytes(b"no folder")
    shown = reader.byline("alarm", "verify", found, BYLINE_HOME=str(home))
    assert shown.code == 4
    assert "query and verify will not know of this alarm" in shown.err
    assert "Kept" not in shown.out


# Renewing


def test_renewing_checks_the_file_first(reader: Reader) -> None:
    before = reader.saved.read_bytes()
    wrong = reader.byline("verify", reader.saved, reader.other, "--refresh")
    assert wrong.code == 1
    assert "Renewed" not in wrong.out
    assert reader.saved.read_bytes() == before
    right = reader.byline("verify", reader.saved, reader.photo, "--refresh")
    assert right.code == 0, right.err
    assert "the file is the one that the bundle answers for" in right.out
    assert "no news" in right.out
    assert right.out.endswith("is today's answer already.\n")
    assert reader.saved.read_bytes() == before
    told = reader.byline("verify", reader.saved, "--refresh", "--json")
    assert (told.code, told.json["renewed"]) == (0, False)


def test_renewing_goes_by_the_policy_before_and_after(reader: Reader) -> None:
    """The store has no cosignatures to give, so today's answer does not hold."""
    rules = reader.trust(own=False)
    ask = ("verify", reader.saved, "--refresh", "--json", "--policy", rules)
    before = reader.saved.read_bytes()
    ended = reader.byline(*ask)
    assert (ended.code, ended.json["renewed"]) == (1, False)
    assert level(ended, "witnesses")[0] == "failed"
    assert "since" not in ended.json
    assert reader.saved.read_bytes() == before
    reader.cosign(1_790_000_000)
    before = reader.saved.read_bytes()
    ended = reader.byline(*ask, "--max-age", "60")
    assert (ended.code, ended.json["renewed"]) == (1, False)
    assert level(ended, "freshness")[0] == "failed"
    assert "since" in ended.json
    assert reader.saved.read_bytes() == before
    told = reader.byline(*[one for one in ask if one != "--json"])
    assert "NOT renewed: today's answer does not hold." in told.out


def test_renewing_says_what_was_added_and_withdrawn(reader: Reader) -> None:
    byline = reader.byline
    reader.saved.chmod(0o664)
    byline.new_key("critic")
    why = ("--reason", "consent", "--key", "critic")
    assert byline("dispute", reader.claim, *why).code == 0
    assert (
        byline("attest", reader.photo, "--made", "human", "--key", "critic").code == 0
    )
    assert byline("withdraw", reader.claim, "--reason", "mistaken").code == 0
    old = reader.saved.read_bytes()
    ended = byline("verify", reader.saved, "--refresh")
    assert ended.code == 0, ended.err
    assert "  added         the claim by did:key:" in ended.out
    assert "  added         the dispute by did:key:" in ended.out
    assert "  withdrawn     the claim by did:key:" in ended.out
    assert "6 entries more" in ended.out
    assert "Renewed" in ended.out
    assert reader.saved.stat().st_mode & 0o777 == 0o664, "who may read it stays so"
    reader.saved.write_bytes(old)
    since = byline("verify", reader.saved, "--refresh", "--json").json["since"]
    assert len(since["added"]) == 2
    assert since["withdrawn"] == [reader.claim]
    assert since["taken_down"] == []


def test_renewing_keeps_what_was_taken_down_since(reader: Reader) -> None:
    """Unless it is given up in so many words."""
    byline = reader.byline
    assert byline("node", "redact", reader.claim, "--reason", "court order").code == 0
    before = reader.saved.read_bytes()
    ended = byline("verify", reader.saved, "--refresh")
    assert ended.code == 1
    assert "the claim by did:key:" in ended.complaint
    assert "was taken down" in ended.complaint
    assert "--accept-loss" in ended.complaint
    assert reader.saved.read_bytes() == before
    assert byline("verify", reader.saved, "--accept-loss").code == 2
    given = byline("verify", reader.saved, "--refresh", "--accept-loss")
    assert given.code == 0, given.err
    assert "  taken down    the claim by did:key:" in given.out
    assert reader.saved.read_bytes() != before


def test_asking_makes_no_node(reader: Reader, tmp_path: Path) -> None:
    """Whoever only asks gets no secret to keep."""
    home = tmp_path / "stranger"
    for command in (
        ("query", reader.photo),
        ("verify", reader.saved),
        ("verify", reader.saved, "--refresh"),
    ):
        ended = reader.byline(*command, BYLINE_HOME=str(home))
        if command == ("verify", reader.saved):
            assert ended.code == 0, ended.err
        else:
            assert ended.code == 69
            assert "there is no node" in ended.complaint
    assert not home.exists()
