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
    assert (status, "ago" in detail) == ("ok", False)
    status, detail = level(bundle, "freshness", policy=rules, now=NOW * 1000 + 5000)
    assert (status, "ago" in detail) == ("ok", True)
    late = (NOW + verify.MAX_AGE + 1) * 1000
    status, detail = level(bundle, "freshness", policy=rules, now=late)
    assert status == "warning"
    assert "there may be more by now" in detail


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


def test_a_store_that_lost_a_tombstone_is_our_fault(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = work("the work")
    ledger.append([gone])
    take_down(ledger, gone)
    view = ledger.view
    monkeypatch.setattr(LogView, "tombstone", lambda _view, _id: None)
    with pytest.raises(RuntimeError, match="lacks the tombstone"):
        build_bundle(view, WORK)
