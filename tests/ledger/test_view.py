"""What a log shows beside its entries: who cosigned it, and what was taken down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.logs import require_sound, works
from tests.support.stores import MemoryDisk

from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.crypto import SigningKey
from byline_ledger.entry import commitment_entry, entry_of, retirement_entry
from byline_ledger.errors import (
    BadSignatureError,
    CorruptStoreError,
    ReadOnlyError,
    RedactedError,
    UsageError,
)
from byline_ledger.follow_messages import AskStatements, Envelopes
from byline_ledger.follow_server import answer, serve
from byline_ledger.ledger import Ledger
from byline_ledger.merkle import leaf_hash
from byline_ledger.store import layout
from byline_ledger.store.guard import Guard, write_guard
from byline_ledger.tombstone import Tombstone

STATEMENTS = works(0, 3)
GONE = Tombstone("asked by the subject", 1_700_000_000_000)


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


@pytest.fixture
def ledger(tmp_path: Path, disk: MemoryDisk) -> Iterator[Ledger]:
    with_statements = Ledger.init(tmp_path / "node", open_store=disk)
    with_statements.append(STATEMENTS)
    yield with_statements
    with_statements.close()


def test_nothing_is_appended_while_it_is_held(ledger: Ledger) -> None:
    assert not ledger.is_held
    ledger.hold("asking the witnesses")
    assert ledger.is_held
    assert ledger.read_only == "asking the witnesses"
    with pytest.raises(ReadOnlyError, match="asking the witnesses"):
        ledger.append(works(3, 4))
    ledger.release()
    assert ledger.read_only is None
    assert not ledger.is_held
    ledger.append(works(3, 4))


def test_the_keys_of_a_ledger_are_those_of_its_origin(ledger: Ledger) -> None:
    assert ledger.keys.transport_seed == ledger.transport_seed
    assert ledger.keys.log_vkey == ledger.view.vkey


def test_the_first_cosigned_checkpoint_of_an_entry_is_kept(ledger: Ledger) -> None:
    assert ledger.latest_cosigned is None
    assert ledger.view.earliest_cosigned(0) is None
    first = ledger.view.checkpoint
    size = ledger.view.size
    ledger.keep_cosigned(first)
    ledger.append(works(3, 4))
    second = ledger.view.checkpoint
    ledger.keep_cosigned(second)
    ledger.keep_cosigned(second, {b"cosigned/by": b"who"})
    assert ledger.latest_cosigned == second
    assert ledger.get_record(b"cosigned/by") == b"who"
    assert ledger.view.earliest_cosigned(size - 1) == first
    assert ledger.view.earliest_cosigned(size) == second
    assert ledger.view.earliest_cosigned(ledger.view.size) is None


def test_a_checkpoint_of_another_tree_is_not_kept(ledger: Ledger) -> None:
    """Not even one that this log's key signed."""
    for size in (ledger.view.size, ledger.view.size + 1):
        other = Checkpoint(ledger.view.origin, size, bytes(32))
        with pytest.raises(UsageError, match="of this very log"):
            ledger.keep_cosigned(sign_checkpoint(other, ledger.keys.log))
    stranger = SigningKey.from_seed(bytes(32))
    own = Checkpoint(ledger.view.origin, ledger.view.size, ledger.view.root)
    with pytest.raises(BadSignatureError):
        ledger.keep_cosigned(sign_checkpoint(own, stranger))
    assert ledger.latest_cosigned is None


def test_a_view_under_a_richer_checkpoint_is_the_same_tree(ledger: Ledger) -> None:
    view = ledger.view
    richer = view.cosigned(view.checkpoint + b"more")
    assert (richer.size, richer.root) == (view.size, view.root)
    assert richer.checkpoint == view.checkpoint + b"more"
    assert ledger.view.checkpoint == view.checkpoint


def take_down(ledger: Ledger, disk: MemoryDisk, value: bytes) -> bytes:
    """The id of a statement whose body went, with this in place of the tombstone."""
    statement_id = STATEMENTS[0].id
    index = ledger.view.index_of(statement_id)
    assert index is not None
    disk.store.write([(layout.tombstone(index), value)], [layout.body(index)])
    return statement_id


def test_what_was_taken_down_says_so(ledger: Ledger, disk: MemoryDisk) -> None:
    taken = take_down(ledger, disk, GONE.to_bytes())
    ledger.append(works(3, 4))
    view = ledger.view
    assert view.tombstone(taken) == GONE
    assert view.tombstone(STATEMENTS[1].id) is None
    assert view.tombstone(bytes(32)) is None
    for read in (view.statement, view.envelope):
        with pytest.raises(RedactedError, match="asked by the subject"):
            read(taken)


def test_a_follower_gets_nothing_in_place_of_what_was_taken_down(
    ledger: Ledger, disk: MemoryDisk
) -> None:
    taken = take_down(ledger, disk, GONE.to_bytes())
    ledger.append(works(3, 4))
    other = STATEMENTS[1]
    asked = AskStatements((taken, other.id)).to_bytes()
    expected = Envelopes((b"", other.to_envelope()))
    assert answer(ledger.view, asked) == expected
    assert serve(ledger.view, asked) == expected.to_bytes()


def test_a_tombstone_that_is_none_is_damage(ledger: Ledger, disk: MemoryDisk) -> None:
    taken = take_down(ledger, disk, b"no tombstone")
    ledger.append(works(3, 4))
    with pytest.raises(CorruptStoreError, match="tombstone"):
        ledger.view.envelope(taken)


def end_log(ledger: Ledger, disk: MemoryDisk, notice: str) -> None:
    """What an operator's last words leave on disk: the notice, and a commitment."""
    old = ledger.view.state
    entries = [
        retirement_entry(notice),
        commitment_entry(old.lookup_set.count, old.lookup_set.root),
    ]
    tree, _filled = old.tree.grow([leaf_hash(entry) for entry in entries])
    root = tree.frontier.root()
    checkpoint = Checkpoint(old.origin, tree.size, root)
    note = sign_checkpoint(checkpoint, ledger.keys.log)
    state = layout.State(old.size, old.statements, note).to_bytes()
    puts = [(layout.entry(i), one) for i, one in enumerate(entries, old.size)]
    disk.store.write([*puts, (layout.STATE, state)])
    write_guard(ledger._files.guard, Guard(old.origin, tree.size, root))


def test_a_log_that_was_ended_is_sound_and_stays_as_it_is(
    tmp_path: Path, disk: MemoryDisk
) -> None:
    ledger = Ledger.init(tmp_path / "node", open_store=disk)
    ledger.append(STATEMENTS)
    ledger.close()
    ledger = Ledger.open(tmp_path / "node", open_store=disk)
    end_log(ledger, disk, "moved to b.example")
    ledger.close()
    require_sound(tmp_path / "node", disk)
    ledger = Ledger.open(tmp_path / "node", open_store=disk)
    assert ledger.read_only == "this log was ended by its operator: moved to b.example"
    with pytest.raises(ReadOnlyError, match="ended by its operator"):
        ledger.append(works(3, 4))
    assert ledger.view.statement(STATEMENTS[0].id) == STATEMENTS[0]
    ledger.close()


def test_many_statements_are_found_at_once(ledger: Ledger, disk: MemoryDisk) -> None:
    view = ledger.view
    ids = [*(one.id for one in STATEMENTS), bytes(32)]
    indexes = {one.id: view.index_of(one.id) for one in STATEMENTS}
    assert view.indexes_of(iter(ids)) == indexes
    assert view.entries_of(iter(ids)) == {
        one.id: entry_of(one).to_bytes() for one in STATEMENTS
    }
    assert view.indexes_of([]) == view.entries_of([]) == {}
    disk.store.write((), [layout.entry(indexes[ids[0]] or 0)])
    with pytest.raises(CorruptStoreError, match=f"log entry {indexes[ids[0]]} is miss"):
        replace(view, reader=view.now).entries_of(ids)
