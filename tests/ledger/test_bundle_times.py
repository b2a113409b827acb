"""Bundles from a real ledger: how fresh they are, when things existed, what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.logs import take_down
from tests.support.signed import key, withdraw, work

from byline_ledger import verify
from byline_ledger.answer import UNKNOWN, WITHDRAWN
from byline_ledger.bundle import Bundle, build_bundle
from byline_ledger.cosignature import cosign, cosigner_vkey
from byline_ledger.digest import digest_bytes
from byline_ledger.entry import StatementEntry, commitment_entry
from byline_ledger.errors import CorruptStoreError
from byline_ledger.log import Ledger, LogView
from byline_ledger.note import parse_note
from byline_ledger.policy import Policy
from byline_ledger.verify import verify_bundle

WORK = digest_bytes(b"the work")
NOW = 1_790_000_000
WITNESS = key(9)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger.init(tmp_path / "node")
    yield made
    made.close()


def cosigned(ledger: Ledger, time: int) -> LogView:
    """The present view under a checkpoint that a witness cosigned at this time."""
    note = parse_note(ledger.view.checkpoint)
    line = cosign(note.text, "witness.example/1", WITNESS, time)
    richer = note.with_signature(line).to_bytes()
    ledger.keep_cosigned(richer)
    return ledger.view.cosigned(richer)


def policy(ledger: Ledger) -> Policy:
    vkey = cosigner_vkey("witness.example/1", WITNESS.public)
    text = f"log {ledger.view.vkey}\nwitness w {vkey}\nquorum w\n"
    return Policy.from_bytes(text.encode())


def level(bundle: bytes, name: str, **known: Any) -> tuple[str, str]:
    found = verify_bundle(bundle, **known)
    return next((one.status, one.detail) for one in found.levels if one.name == name)


def test_earlier_checkpoints_are_in_a_bundle_up_to_a_number(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        ledger.append([work("the work", title=f"{number}")])
        view = cosigned(ledger, NOW + number)
    assert len(Bundle.from_bytes(build_bundle(view, WORK)).earlier) == 2
    monkeypatch.setattr("byline_ledger.bundle.MAX_EARLIER", 1)
    bundle = build_bundle(view, WORK)
    assert len(Bundle.from_bytes(bundle).earlier) == 1
    assert verify_bundle(bundle, policy=policy(ledger)).ok


def test_what_is_said_of_the_age_depends_on_the_clock(ledger: Ledger) -> None:
    ledger.append([work("the work")])
    bundle = build_bundle(cosigned(ledger, NOW), WORK)
    rules = policy(ledger)
    status, detail = level(bundle, "freshness", policy=rules)
    assert (status, "no clock" in detail) == ("ok", True)
    status, detail = level(bundle, "freshness", policy=rules, now=NOW * 1000 + 5000)
    assert (status, "ago" in detail) == ("ok", True)
    late = (NOW + verify.MAX_AGE + 1) * 1000
    status, detail = level(bundle, "freshness", policy=rules, now=late)
    assert status == "warning"
    assert "there may be more by now" in detail
    week = 7 * verify.MAX_AGE
    status, _ = level(bundle, "freshness", policy=rules, now=late, max_age=week)
    assert status == "ok", "the reader said that so old will do"


def test_where_nothing_is_known_there_is_nothing_to_date(ledger: Ledger) -> None:
    ledger.append([work("another")])
    bundle = build_bundle(cosigned(ledger, NOW), WORK)
    status, detail = level(bundle, "time", policy=policy(ledger))
    assert (status, detail) == ("ok", "no statement that a quorum could have dated")


def test_a_claim_that_was_withdrawn_stays_so_beside_what_is_gone(
    ledger: Ledger,
) -> None:
    """What nobody can read leaves the others in doubt, and this one as it is."""
    taken_back, standing, gone = (work("the work", key(n)) for n in (1, 2, 3))
    ledger.append([taken_back, withdraw(taken_back), standing, gone])
    take_down(ledger, gone)
    answer = verify_bundle(build_bundle(ledger.view, WORK)).answer
    assert answer is not None
    found = {one.id: one.status for one in answer.works[0].claims}
    assert found == {taken_back.id: WITHDRAWN, standing.id: UNKNOWN}


def test_a_gone_statement_beyond_the_tree_is_refused(ledger: Ledger) -> None:
    gone = work("the work")
    ledger.append([gone])
    take_down(ledger, gone)
    bundle = Bundle.from_bytes(build_bundle(ledger.view, WORK))
    beyond = replace(bundle.redacted[0], index=ledger.view.size)
    changed = replace(bundle, redacted=(beyond,)).to_bytes()
    status, detail = level(changed, "inclusion")
    assert (status, detail.startswith("index ")) == ("failed", True)


def test_a_store_that_lost_a_tombstone_or_an_entry_is_damaged(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = work("the work")
    ledger.append([gone])
    take_down(ledger, gone)
    view = ledger.view
    monkeypatch.setattr(LogView, "tombstone", lambda _view, _id: None)
    with pytest.raises(CorruptStoreError, match="the tombstone of statement"):
        build_bundle(view, WORK)
    for entry in (b"", commitment_entry(0, bytes(32))):
        monkeypatch.setattr(LogView, "entry", lambda _view, _at, entry=entry: entry)
        with pytest.raises(CorruptStoreError, match="log entry 1: "):
            build_bundle(view, WORK)


def test_an_age_that_nobody_can_tell_is_not_young_enough(ledger: Ledger) -> None:
    """Whoever names an age is not answered by silence, with a policy or without."""
    ledger.append([work("the work")])
    bundle = build_bundle(cosigned(ledger, NOW), WORK)
    status, detail = level(bundle, "freshness", max_age=60)
    assert status == "failed"
    assert "expected at most 1 minute" in detail
    rules = Policy.from_bytes(f"log {ledger.view.vkey}\nquorum none\n".encode())
    status, detail = level(bundle, "freshness", policy=rules, max_age=60)
    assert status == "failed"
    assert "no quorum says how old the answer is" in detail
    clockless = level(bundle, "freshness", policy=policy(ledger), max_age=60)
    assert clockless[0] == "failed"
    assert "no clock" in clockless[1]


def test_what_a_log_hides_is_not_called_complete(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It logs a statement and commits to a set without: no bundle can tell."""
    monkeypatch.setattr(StatementEntry, "lookup_strings", lambda _entry: [])
    ledger.append([work("the work")])
    verdict = verify_bundle(build_bundle(cosigned(ledger, NOW), WORK))
    assert verdict.ok
    assert verdict.answer is not None
    assert not verdict.answer.known
    assert not verdict.is_complete


def test_two_keys_of_one_operator_are_one_witness_in_words(ledger: Ledger) -> None:
    ledger.append([work("the work")])
    note = parse_note(ledger.view.checkpoint)
    lines = ["log " + ledger.view.vkey]
    for number, role in enumerate(("witness", "replay"), start=1):
        name = f"b.example/1/{role}"
        lines.append(f"witness w{number} {cosigner_vkey(name, key(number).public)}")
        note = note.with_signature(cosign(note.text, name, key(number), NOW))
    rules = Policy.from_bytes(
        "\n".join([*lines, "group all all w1 w2", "quorum all", ""]).encode()
    )
    view = ledger.view.cosigned(note.to_bytes())
    bundle = build_bundle(view, WORK)
    status, detail = level(bundle, "witnesses", policy=rules)
    assert (status, detail) == ("ok", "1 trusted witness signed, with 2 keys")
    detail = level(bundle, "freshness", policy=rules)[1]
    assert detail.startswith("1 witness knew of nothing newer")
    status, detail = level(bundle, "completeness", policy=rules)
    assert status == "ok"
    assert detail.endswith(", replayed by b.example/1")
    assert verify_bundle(bundle, policy=rules).is_complete


def test_that_nothing_was_left_out_is_the_log_s_word_without_a_replay(
    ledger: Ledger,
) -> None:
    """With no policy, and with one whose witness did not compute the commitment."""
    ledger.append([work("the work")])
    bundle = build_bundle(cosigned(ledger, NOW), WORK)
    for rules in (None, policy(ledger)):
        status, detail = level(bundle, "completeness", policy=rules)
        assert status == "warning"
        assert detail.startswith("so the log itself claims, up to ")
        verdict = verify_bundle(bundle, policy=rules)
        assert verdict.ok
        assert not verdict.is_complete


def test_no_witness_that_was_asked_for_is_no_check(ledger: Ledger) -> None:
    """Not a good sign, whether or not one signed all the same."""
    ledger.append([work("the work")])
    bundle = build_bundle(cosigned(ledger, NOW), WORK)
    bare = f"log {ledger.view.vkey}\n"
    vkey = cosigner_vkey("witness.example/1", WITNESS.public)
    nobody = "your policy asks for no witness"
    for witnesses, said in (
        ("", nobody),
        (f"witness w {vkey}\n", f"{nobody}; 1 trusted witness signed"),
    ):
        rules = Policy.from_bytes(f"{bare}{witnesses}quorum none\n".encode())
        assert level(bundle, "witnesses", policy=rules) == ("absent", said)


def test_a_single_statement_that_is_gone_was_taken_down(ledger: Ledger) -> None:
    one = work("the work")
    ledger.append([one])
    take_down(ledger, one)
    status, detail = level(build_bundle(ledger.view, WORK), "redactions")
    assert status == "warning"
    assert detail.startswith("1 statement was taken down by this node")


def test_another_digest_may_be_the_same_file_edited(ledger: Ledger) -> None:
    """Asked for and at hand: both say what may have happened."""
    ledger.append([work("the work")])
    bundle = build_bundle(ledger.view, WORK)
    other = digest_bytes(b"the work, edited")
    hint = "another file, or this one was edited or saved again since"
    for known in ({"digest": other}, {"work": other}, {"digest": other, "work": other}):
        status, detail = level(bundle, "asked", **known)
        assert status == "failed"
        assert detail.endswith(hint)
