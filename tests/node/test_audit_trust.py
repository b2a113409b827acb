"""By whose key a log is audited, and whose cosignatures of it hold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from tests.support.memory_log import MemoryLog
from tests.support.signed import key

from byline_ledger.audit import AuditReport
from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.cosignature import cosign, cosigner_vkey
from byline_ledger.errors import (
    BylineError,
    MalformedError,
    NotFoundError,
    UsageError,
    VerificationError,
)
from byline_ledger.note import parse_note
from byline_ledger.policy import Policy
from byline_node.audit_trust import AuditKey, Cosigned, check_cosigners, choose_key

LOG, OTHER = MemoryLog(1), MemoryLog(2)
NOTE = sign_checkpoint(Checkpoint(LOG.origin, 1, bytes(32)), LOG.key)
POLICY = Policy.from_bytes(f"log {LOG.vkey}\nquorum none\n".encode())
ELSEWHERE = Policy.from_bytes(f"log {OTHER.vkey}\nquorum none\n".encode())


@dataclass(frozen=True)
class Place:
    """What a place shows of a log."""

    note: bytes | BylineError = NOTE
    said: str | BylineError | None = LOG.vkey
    name: str = "a place"

    def checkpoint(self) -> bytes:
        if isinstance(self.note, BylineError):
            raise self.note
        return self.note

    def vkey(self) -> str | None:
        if isinstance(self.said, BylineError):
            raise self.said
        return self.said


def test_the_reader_s_word_goes_before_the_place_s() -> None:
    """The key that was given, then that of the policy, then nobody's."""
    given = choose_key(Place(), LOG.vkey, ELSEWHERE)
    assert given == AuditKey(LOG.vkey, "given", "")
    assert choose_key(Place(), None, POLICY) == AuditKey(LOG.vkey, "policy", "")
    for rules in (None, ELSEWHERE):
        assert choose_key(Place(), None, rules) == AuditKey(LOG.vkey, "log", "")


def test_a_place_that_names_another_key_has_a_fault() -> None:
    """It is named, whoever says which key is right; so is one that is damaged."""
    other = choose_key(Place(said=OTHER.vkey), LOG.vkey, None)
    assert other.vkey == LOG.vkey
    assert "it names another key" in other.fault
    for said in ("zzz", MalformedError("vkey: expected a line")):
        damaged = choose_key(Place(said=said), None, POLICY)
        assert (damaged.vkey, damaged.vouched) == (LOG.vkey, "policy")
        assert damaged.fault.startswith("vkey: expected")


def test_a_log_is_known_by_its_checkpoint_or_by_its_key() -> None:
    """The policy finds it where one of the two is damaged."""
    damaged = MalformedError("checkpoint: expected a note")
    assert choose_key(Place(note=damaged), None, POLICY).vouched == "policy"
    assert choose_key(Place(said=None), None, POLICY).vouched == "policy"


def test_a_policy_that_was_named_must_name_the_log() -> None:
    """Not the reader's own; and not where a key was given beside it."""
    with pytest.raises(UsageError, match=f"rules does not name the log {LOG.origin}"):
        choose_key(Place(), None, ELSEWHERE, "rules")
    assert choose_key(Place(), LOG.vkey, ELSEWHERE, "rules").vouched == "given"


def test_where_nobody_says_which_key_there_is_no_audit() -> None:
    with pytest.raises(UsageError, match="a place does not say which key signs it"):
        choose_key(Place(said=None), None, None)
    with pytest.raises(VerificationError, match="a place: vkey: "):
        choose_key(Place(said="zzz"), None, None)
    with pytest.raises(NotFoundError, match="there is no log at a place"):
        choose_key(Place(note=NotFoundError("no such file")), LOG.vkey, None)


def test_cosignatures_are_checked_for_witnesses_that_are_known() -> None:
    """A false one of theirs is a fault of the log; of others nobody can tell."""
    names = [f"w{number}.example/w" for number in range(3)]
    note = parse_note(NOTE)
    for number, name in enumerate(names):
        line = cosign(note.text, name, key(number + 3), 1_790_000_000)
        if number == 1:
            broken = line.signature[:-1] + bytes([line.signature[-1] ^ 1])
            line = replace(line, signature=broken)
        note = note.with_signature(line)
    vkeys = [cosigner_vkey(one, key(i + 3).public) for i, one in enumerate(names)]
    absent = cosigner_vkey("w9.example/w", key(9).public)
    rows = [f"log {LOG.vkey}", f"witness a {vkeys[0]}", f"witness b {vkeys[1]}"]
    rows += [f"witness c {absent}", "quorum a", ""]
    rules = Policy.from_bytes("\n".join(rows).encode())
    report = AuditReport(LOG.origin, LOG.vkey, 1, bytes(32), note.to_bytes())
    found = check_cosigners(rules, report)
    assert found == Cosigned(3, ("a",), 1)
    assert found.others == 1
    assert len(report.problems) == 1
    assert "the cosignature by w1.example/w is false" in report.problems[0]
    assert check_cosigners(None, report) == Cosigned(3)
    assert check_cosigners(rules, replace(report, note=b"")) == Cosigned(0)
