"""Whom a reader trusts: policies, cosigned answers, proofs that are renewed."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.cli.program import Program
from tests.support.memory_log import MemoryLog
from tests.support.node_process import node_process
from tests.support.signed import work

from byline_ledger.alarm import alarm_of_notes
from byline_ledger.bundle import Bundle
from byline_ledger.checkpoint import Checkpoint, checkpoint_of, sign_checkpoint
from byline_ledger.node_keys import NodeKeys
from byline_ledger.store.node_files import NodeFiles
from byline_node.client import Client

LISTEN = "/ip4/127.0.0.1/tcp/0"


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found


@dataclass
class Two:
    """A node of this home, cosigned by another."""

    byline: Program
    client: Client
    other: Client

    def level(self, value: Any, name: str) -> tuple[str, str]:
        """Status and detail."""
        (found,) = [one for one in value["levels"] if one["name"] == name]
        return found["status"], found["detail"]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    byline = Program(tmp_path)
    with node_process(tmp_path / "other", listen=LISTEN) as other:
        second = other.wait_ready()
        peers = second.status()["listen"][0]
        with node_process(byline.home, listen=LISTEN, peers=peers) as node:
            first = node.wait_ready()
            until(lambda: first.status()["cosigned"]["count"])
            yield Two(byline, first, second)


def test_a_policy_of_one_s_own_is_gone_by(two: Two) -> None:
    """Made from the node, used by query and verify, ignored on request."""
    byline = two.byline
    byline.new_key()
    photo = byline.write("photo.jpg", b"a photo")
    assert byline("attest", photo, "--made", "human").code == 0
    made = byline("policy", "init", "--from-node", "--json")
    assert made.code == 0, made.err
    assert made.json["quorum"] == "all-witnesses"
    assert len(made.json["witnesses"]) == 2
    told = byline("policy", "check").out
    assert "one witness alone, " in told
    assert told.endswith("It can be used, with 1 weakness.\n")
    shown = byline("policy", "show").out
    assert two.other.status()["origin"] + "/witness" in shown
    asked = byline("query", photo, "--save", "saved", "--json")
    assert asked.code == 0, asked.err
    for name in ("trust", "witnesses", "freshness", "time"):
        assert two.level(asked.json, name)[0] == "ok", name
    claim = asked.json["answer"]["works"][0]["claims"][0]
    assert abs(claim["existed_by"] - time.time()) < 60
    checked = byline("verify", "saved", photo, "--json")
    assert checked.code == 0
    assert " up to 20" in two.level(checked.json, "completeness")[1]
    ignored = byline("verify", "saved", "--no-policy", "--json").json
    status, detail = two.level(ignored, "witnesses")
    assert status == "absent"
    assert two.other.status()["origin"] in detail
    time.sleep(1.1)  # the clock of cosignatures has whole seconds
    assert byline("verify", "saved", "--max-age", "0").code == 1
    other = byline.write(
        "other-policy", f"log {two.other.status()['vkey']}\nquorum none\n"
    )
    refused = byline("verify", "saved", "--policy", other, "--json")
    assert refused.code == 1
    assert two.level(refused.json, "trust")[0] == "failed"


def test_a_saved_proof_is_renewed(two: Two) -> None:
    """It says what came since; a log that does not continue is refused, and the old
    file is kept."""
    byline = two.byline
    byline.new_key()
    photo = byline.write("photo.jpg", b"a photo")
    byline("attest", photo, "--made", "human")
    assert byline("query", photo, "--save", "saved").code == 0
    path = byline.folder / "saved"
    before = path.read_bytes()
    same = byline("verify", path, "--refresh", "--json")
    assert same.code == 0, same.err
    assert same.json["added"] == 0
    claim = same.json["answer"]["works"][0]["claims"][0]["id"]
    assert byline("withdraw", claim, "--reason", "mistaken").code == 0
    renewed = byline("verify", path, "--refresh")
    assert renewed.code == 0, renewed.err
    assert "withdrawn     the claim by did:key:" in renewed.out
    assert "2 entries more" in renewed.out
    assert checkpoint_of(Bundle.from_bytes(path.read_bytes()).checkpoint).size == 5
    # A checkpoint that the log signed and its tree does not continue.
    keys = NodeKeys.derive(
        NodeFiles(byline.home / "node").read_secret(), two.client.status()["origin"]
    )
    old = Bundle.from_bytes(before)
    assert old.statements
    shutil.copy(path, byline.folder / "kept")
    forked = forge(old, keys)
    path.write_bytes(forked)
    ended = byline("verify", path, "--refresh")
    assert ended.code in (1, 4)
    assert path.read_bytes() == forked


def test_a_proof_that_is_too_old_is_renewed_if_today_s_is_not(two: Two) -> None:
    """The age that is wanted is of the answer that is kept."""
    byline = two.byline
    byline.new_key()
    photo = byline.write("photo.jpg", b"a photo")
    byline("attest", photo, "--made", "human")
    made = byline("policy", "init", "--from-node")
    assert made.code == 0
    assert "What came from the node is its own word" in made.out
    assert byline("query", photo, "--save", "saved").code == 0
    before = (byline.folder / "saved").read_bytes()
    time.sleep(2.1)  # the clock of cosignatures has whole seconds
    wanted = ("verify", "saved", photo, "--max-age", "1")
    assert byline(*wanted).code == 1
    stale = byline(*wanted, "--refresh")
    assert stale.code == 1, "nothing was cosigned since"
    assert "NOT renewed" in stale.out
    assert (byline.folder / "saved").read_bytes() == before
    byline.new_key("friend")
    byline("attest", photo, "--made", "assisted", "--key", "friend")
    fresh = byline("verify", "saved", photo, "--max-age", "3600", "--refresh")
    assert fresh.code == 0, fresh.err
    assert "added         the claim by did:key:" in fresh.out


def forge(bundle: Bundle, keys: NodeKeys) -> bytes:
    """The same under another root that the log signed too."""
    from dataclasses import replace

    size = checkpoint_of(bundle.checkpoint).size
    note = sign_checkpoint(Checkpoint(keys.origin, size, b"x" * 32), keys.log)
    return replace(bundle, checkpoint=note).to_bytes()


def test_a_place_in_the_log_for_other_tools(two: Two) -> None:
    byline = two.byline
    byline.new_key()
    photo = byline.write("photo.jpg", b"a photo")
    byline("attest", photo, "--made", "human")
    asked = byline("query", photo, "--tlog-proof", "photo.tlog-proof")
    assert asked.code == 0, asked.err
    proof = byline.folder / "photo.tlog-proof"
    assert proof.read_bytes().startswith(b"c2sp.org/tlog-proof@v1\nextra ")
    assert "needs a policy" in byline("verify", proof).complaint
    assert byline("policy", "init", "--from-node").code == 0
    checked = byline("verify", proof)
    assert checked.code == 0, checked.err
    assert "the statement is in this log" in checked.out
    proof.write_bytes(proof.read_bytes().replace(b"index 1", b"index 0"))
    assert byline("verify", proof).code == 1


def test_no_proof_counts_by_a_log_that_lied(two: Two) -> None:
    """An alarm that the node keeps is seen by whoever reads proofs on this home."""
    byline = two.byline
    byline.new_key()
    photo = byline.write("photo.jpg", b"a photo")
    byline("attest", photo, "--made", "human")
    byline("query", photo, "--save", "saved")
    assert byline("verify", "saved").code == 0
    status = two.client.status()
    keys = NodeKeys.derive(
        NodeFiles(byline.home / "node").read_secret(), status["origin"]
    )
    notes = tuple(
        sign_checkpoint(Checkpoint(keys.origin, 9, root * 32), keys.log)
        for root in (b"a", b"b")
    )
    alarm = alarm_of_notes(keys.log_vkey, (notes[0], notes[1]), ())
    assert alarm is not None
    path = byline.home / "node" / "alarms" / "found.alarm"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(alarm.to_bytes())
    ended = byline("verify", "saved")
    assert ended.code == 4
    assert "signed two different trees of 9 entries" in ended.complaint
    shown = byline("alarm", "verify", path)
    assert shown.code == 4
    assert "It is proven: this log signed two different trees" in shown.out
    told = byline("alarm", "show", path).out
    path.unlink()
    assert byline("verify", "saved").code == 4, "kept by whoever verified the alarm"
    assert byline("query", photo).code == 4
    assert "and, against it:" in told
    for note in notes:
        assert note.decode().splitlines()[2] in told


# Policies alone


def test_policies_are_judged(tmp_path: Path) -> None:
    byline = Program(tmp_path)
    log = MemoryLog(1)
    assert "no policy yet" in byline("policy", "show").complaint
    assert byline("policy", "init").code == 2
    made = byline("policy", "init", "--log", log.vkey)
    assert made.code == 0
    assert "asks for no witness" in made.out
    assert byline("policy", "init", "--log", log.vkey).code == 2
    keys = NodeKeys.derive(bytes(32), "w.example/1")
    cosigners = "--witness", keys.witness_vkey, "--witness", keys.replay_vkey
    ended = byline("policy", "init", "--log", log.vkey, *cosigners, "--quorum", "2")
    assert ended.code == 2
    assert (
        "--quorum 2: expected at most the number of witnesses, 1 witness;"
        in ended.complaint
    )
    weak = byline.write("weak", f"log {log.vkey}\nquorum none # no\n")
    ended = byline("policy", "check", weak)
    assert ended.code == 65
    assert "line 2" in ended.complaint
    assert byline("policy", "check", "missing").code == 3
    assert json.loads(byline("policy", "show", "--json").out)["quorum"] == "none"
    assert work("unused")


def test_the_two_lines_of_a_node_s_witness_are_one_operator(tmp_path: Path) -> None:
    """As `curl http://…/witness/vkey` gives them."""
    byline, log = Program(tmp_path), MemoryLog(1)
    keys = NodeKeys.derive(bytes(32), "w.example/1")
    both = f"{keys.witness_vkey}\n{keys.replay_vkey}\n"
    made = byline("policy", "init", "--log", log.vkey, "--witness", both, "--json")
    assert made.code == 0, made.err
    assert made.json["witnesses"] == {"w1": keys.witness_vkey, "w2": keys.replay_vkey}
    assert made.json["groups"]["operator1"] == {"threshold": 1, "members": ["w1", "w2"]}


def test_a_key_of_a_policy_is_a_key_and_nothing_else(tmp_path: Path) -> None:
    """No line of a policy comes in with it; the option is named."""
    byline, log = Program(tmp_path), MemoryLog(1)
    keys, other = (NodeKeys.derive(bytes(32), f"{name}.example/1") for name in "wx")
    cases = {
        ("--log", "zzz"): "--log: expected a verifier key",
        ("--log", f"{log.vkey}\nquorum none"): "--log: expected a public key in",
        ("--log", ""): "--log: expected a verifier key",
        ("--log", keys.witness_vkey): "--log: expected the key of a log",
        ("--witness", log.vkey): "--witness: expected the key of a witness",
        ("--witness", f"{keys.witness_vkey}\nquorum none"): "--witness: expected a",
        ("--witness", f"{keys.witness_vkey} https://w.example"): "--witness: expected",
        (
            "--witness",
            f"{keys.witness_vkey}\n{other.replay_vkey}",
        ): "--witness: expected the keys of one operator, got 2",
    }
    for (option, value), complaint in cases.items():
        ended = byline("policy", "init", "--log", log.vkey, option, value)
        assert ended.code == 2, (option, value)
        assert complaint in ended.complaint
    assert not (byline.home / "policy").exists()


def test_a_sound_form_says_nothing_of_people(tmp_path: Path) -> None:
    byline, log = Program(tmp_path), MemoryLog(1)
    vkeys = [
        NodeKeys.derive(bytes([number] * 32), f"w{number}.example/1").witness_vkey
        for number in range(4)
    ]
    init = "policy", "init", "--log", log.vkey
    alone = byline(*init, "--witness", vkeys[0], "--out", "one").out
    assert "one witness alone, w0.example/1, decides" in alone
    options = [word for vkey in vkeys for word in ("--witness", vkey)]
    made = byline(*init, *options)
    assert "Its form is sound" in made.out
    assert "only you can know" in made.out
    assert "own word" not in made.out
