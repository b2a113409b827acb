"""A witness that may have forgotten what it signed never signs with that key again
(docs/spec/witness.md, "Keys")."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.logs import works
from tests.support.memory_log import MemoryLog
from tests.support.signed import work
from tests.support.sources import ViewSource

from byline_ledger.catch_up import Copy
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.errors import ReadOnlyError
from byline_ledger.log import Ledger
from byline_ledger.merkle import consistency_proof
from byline_ledger.node_keys import NodeKeys
from byline_ledger.note import Verifier, parse_note
from byline_ledger.store.restored import Restored, write_restored
from byline_ledger.witness import AddCheckpoint, Memory, decide, last_time

NOW = 1_790_000_000
ONE, OTHER = b"1" * 16, b"2" * 16
SECRET, ORIGIN = bytes(range(32)), "witness.example/1"


def vkeys(ledger: Ledger) -> tuple[str, str]:
    return ledger.keys.witness_vkey, ledger.keys.replay_vkey


@pytest.fixture
def restored(tmp_path: Path) -> Iterator[Ledger]:
    """A log that came out of a backup, opened."""
    ledger = Ledger.init(tmp_path / "node")
    ledger.append(works(0, 10))
    ledger.close()
    mark = Restored(ledger.view.origin, ledger.view.size, NOW)
    write_restored(tmp_path / "node" / "restored", mark)
    ledger = Ledger.open(tmp_path / "node")
    yield ledger
    ledger.close()


def test_a_renewal_changes_the_witness_and_nothing_else() -> None:
    old, new = NodeKeys.derive(SECRET, ORIGIN), NodeKeys.derive(SECRET, ORIGIN, ONE)
    assert old.transport_seed == new.transport_seed
    assert old.log_vkey == new.log_vkey
    seen = {old.log.public, new.witness.public, new.replay.public}
    seen |= {old.witness.public, old.replay.public}
    seen.add(NodeKeys.derive(SECRET, ORIGIN, OTHER).witness.public)
    assert len(seen) == 6
    assert (old.witness_name, old.replay_name) == (new.witness_name, new.replay_name)


def test_whoever_vouches_for_a_restored_log_renews_its_witness(
    restored: Ledger, tmp_path: Path
) -> None:
    before = vkeys(restored)
    restored.vouch(ONE)
    first = vkeys(restored)
    assert not set(before) & set(first)
    restored.close()
    again = Ledger.open(tmp_path / "node")
    assert vkeys(again) == first
    again.vouch(OTHER)
    assert not {*before, *first} & set(vkeys(again))
    again.close()


def test_a_log_that_takes_back_what_it_lost_renews_its_witness(tmp_path: Path) -> None:
    whole = Ledger.init(tmp_path / "whole")
    whole.append(works(0, 10))
    shutil.copytree(tmp_path / "whole", tmp_path / "node")
    behind = Ledger.open(tmp_path / "node")
    before = vkeys(behind)
    copy = Copy.of(ViewSource(whole.view), whole.view.vkey)
    behind.catch_up(copy, NOW * 1000, ONE)
    assert vkeys(behind) == before  # nothing was lost
    whole.append(works(10, 20))
    copy = Copy.of(ViewSource(whole.view), whole.view.vkey)
    behind.catch_up(copy, NOW * 1000, ONE)
    assert not set(before) & set(vkeys(behind))
    behind.close()
    whole.close()


def test_where_nobody_can_vouch_the_keys_stay(restored: Ledger, tmp_path: Path) -> None:
    before = vkeys(restored)
    restored.close()
    shutil.copytree(tmp_path / "node", tmp_path / "whole")
    whole = Ledger.open(tmp_path / "whole")
    whole.vouch(ONE)
    whole.append(works(10, 20))
    whole.close()
    shutil.copy(tmp_path / "whole" / "guard", tmp_path / "node" / "guard")
    behind = Ledger.open(tmp_path / "node")
    with pytest.raises(ReadOnlyError):
        behind.vouch(OTHER)
    assert vkeys(behind) == before
    behind.close()


def add(log: MemoryLog, memory: Memory, keys: NodeKeys, now: int = NOW) -> Memory:
    old = memory.checkpoint.size if memory.checkpoint else 0
    proof = tuple(consistency_proof(old, log.size, log.node))
    request = AddCheckpoint(old, proof, log.checkpoint).to_bytes()
    answer = decide(request, lambda _origin: [memory], keys, now)
    assert answer.status == 200, answer.body
    assert answer.keep is not None
    return answer.keep


def test_no_key_signs_both_histories_that_a_restored_witness_can_be_shown() -> None:
    """The witness is put back to its memory of the common part of two histories."""
    old, new = NodeKeys.derive(SECRET, ORIGIN), NodeKeys.derive(SECRET, ORIGIN, ONE)
    one, other = MemoryLog(7), MemoryLog(7)
    for log in (one, other):
        log.append([work("common", salt=bytes(16))])
    in_backup = add(one, Memory(one.vkey), old)
    one.append([work("one")])
    other.append([work("other")])
    signed = add(one, in_backup, old)
    contrary = add(other, in_backup, new)
    notes = [parse_note(memory.note or b"") for memory in (signed, contrary)]
    first, second = (checkpoint_of(memory.note or b"") for memory in (signed, contrary))
    assert first.size == second.size
    assert first.root != second.root
    for vkey in (old.witness_vkey, old.replay_vkey, new.witness_vkey, new.replay_vkey):
        verifier = Verifier.from_text(vkey)
        assert sum(note.signature_by(verifier) is not None for note in notes) < 2


def test_the_time_of_a_renewed_key_begins_anew() -> None:
    old, new = NodeKeys.derive(SECRET, ORIGIN), NodeKeys.derive(SECRET, ORIGIN, ONE)
    log = MemoryLog(7)
    memory = add(log, Memory(log.vkey), old)
    assert (last_time(memory, old), last_time(memory, new)) == (NOW, 0)
    memory = add(log, memory, new, NOW - 5)
    assert last_time(memory, new) == NOW - 5


def test_whoever_knows_that_the_memory_is_old_can_renew_at_any_time(
    restored: Ledger,
) -> None:
    """Also while the log is read-only; its own key stays."""
    before, log = vkeys(restored), restored.keys.log_vkey
    restored.renew_witness(ONE)
    assert not set(before) & set(vkeys(restored))
    assert restored.keys.log_vkey == log
    assert restored.read_only is not None
