"""A log that is behind what it signed takes its own entries back, and never forks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.support.logs import require_sound, works
from tests.support.signed import forged
from tests.support.sources import ViewSource
from tests.support.stores import Faults, MemoryDisk, fail

from byline_ledger import catch_up, commit
from byline_ledger.catch_up import Copy
from byline_ledger.check import check_ledger
from byline_ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from byline_ledger.errors import (
    BadSignatureError,
    ContradictionError,
    MalformedError,
    ReadOnlyError,
    RedactedError,
    StoreError,
    VerificationError,
)
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement
from byline_ledger.store.guard import Guard, read_guard, write_guard
from byline_ledger.store.interface import OpenStore
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.restored import Restored, read_restored, write_restored
from byline_ledger.takedown import lost_statements
from byline_ledger.tiles import Tile, entry_bundle, parse_entry_bundle
from byline_ledger.tombstone import NOT_RECOVERED, Tombstone

NOW = 1_790_000_000_000
RENEWAL = bytes(range(16))


class Lost:
    """A log's folder as it was, and a source with all that came since."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.whole = folder / "node", folder / "whole"
        ledger = Ledger.init(self.whole)
        ledger.append(works(0, 10))
        ledger.close()
        shutil.copytree(self.whole, self.folder)
        self.ledger = Ledger.open(self.whole)
        self.later: list[Statement] = []
        for start, end in ((10, 13), (13, 300), (300, 301), (301, 640)):
            statements = works(start, end)
            self.ledger.append(statements)
            self.later += statements
        self.source = ViewSource(self.ledger.view)

    def open(self, open_store: OpenStore = LevelStore.open) -> Ledger:
        return Ledger.open(self.folder, open_store=open_store)

    def copy(self) -> Copy:
        return Copy.of(self.source, self.ledger.view.vkey)

    def take_guard(self) -> None:
        """As if only the database had been put back."""
        shutil.copy(self.whole / "guard", self.folder / "guard")


@pytest.fixture
def lost(tmp_path: Path) -> Lost:
    return Lost(tmp_path)


def is_caught_up(ledger: Ledger, lost: Lost) -> None:
    view, other = ledger.view, lost.ledger.view
    assert ledger.read_only is None
    assert (view.size, view.root, view.set_root) == (
        other.size,
        other.root,
        other.set_root,
    )
    assert view.checkpoint == other.checkpoint
    assert [view.statement(one.id) for one in lost.later] == lost.later
    assert read_guard(lost.folder / "guard") == Guard(
        other.origin, other.size, other.root
    )
    # It goes on where the lost log would have gone on.
    new = works(9000, 9001)
    ledger.append(new)
    lost.ledger.append(new)
    assert ledger.view.checkpoint == lost.ledger.view.checkpoint
    ledger.close()
    require_sound(lost.folder)


def behind_the_guard(lost: Lost) -> None:
    lost.take_guard()


def behind_others_alone(_lost: Lost) -> None:
    """The guard was put back as well."""


def without_a_guard(lost: Lost) -> None:
    (lost.folder / "guard").unlink()


def with_a_torn_guard(lost: Lost) -> None:
    (lost.folder / "guard").write_bytes(b"byline-")


def with_the_guard_of_another(lost: Lost) -> None:
    write_guard(lost.folder / "guard", Guard("other.example/1", 99, bytes(32)))


CASES = [
    behind_the_guard,
    behind_others_alone,
    without_a_guard,
    with_a_torn_guard,
    with_the_guard_of_another,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("batch", [1, 200, 4096])
def test_what_was_lost_comes_back(
    lost: Lost,
    case: Callable[[Lost], None],
    batch: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catch_up, "BATCH", batch)
    case(lost)
    ledger = lost.open()
    told: list[tuple[int, int]] = []
    missing = ledger.catch_up(lost.copy(), NOW, RENEWAL, lambda *now: told.append(now))
    assert missing == 0
    size = lost.ledger.view.size
    assert told[-1] == (size, size)
    assert len(told) == {1: 4, 200: 2, 4096: 1}[batch]
    assert (ledger.read_only is None) == (case is behind_the_guard)
    ledger = signed_on_after_a_word(ledger, lost)
    is_caught_up(ledger, lost)


def signed_on_after_a_word(ledger: Ledger, lost: Lost) -> Ledger:
    """Whatever is said now is said at the next start too, until somebody vouches."""
    reason = ledger.read_only
    ledger.close()
    ledger = lost.open()
    assert ledger.read_only == reason
    if reason is not None:
        assert "nobody has confirmed the end of this log" in reason
        with pytest.raises(ReadOnlyError):
            ledger.append(works(9000, 9001))
        ledger.vouch(RENEWAL)
    return ledger


@pytest.mark.parametrize("case", CASES[2:], ids=lambda case: case.__name__)
def test_a_copy_as_long_as_the_disk_does_not_end_the_log(
    lost: Lost, case: Callable[[Lost], None]
) -> None:
    ledger = lost.open()
    source, vkey = ViewSource(ledger.view), ledger.view.vkey
    case(lost)
    again = lost.folder.with_name("again")
    shutil.copytree(lost.folder, again)
    again_ledger = Ledger.open(again)
    again_ledger.catch_up(Copy.of(source, vkey), NOW, RENEWAL)
    again_ledger.close()
    again_ledger = Ledger.open(again)
    assert "guard file was missing" in (again_ledger.read_only or "")
    again_ledger.close()
    ledger.close()


def test_a_guard_that_is_shown_to_be_old_confirms_nothing(lost: Lost) -> None:
    """Not even where the copy that shows it is damaged otherwise."""
    lost.source.flip(Tile(0, 0, 256), 7)
    ledger = lost.open()
    assert ledger.read_only is None
    with pytest.raises((VerificationError, MalformedError)):
        ledger.catch_up(lost.copy(), NOW, RENEWAL)
    ledger.close()
    ledger = lost.open()
    assert "ended at 12 entries, but 646 were signed" in (ledger.read_only or "")
    ledger.close()


def test_a_mark_says_what_was_found_first(lost: Lost) -> None:
    ledger = lost.open()
    end = lost.copy().end
    ledger.heed(end, NOW)
    mark = read_restored(lost.folder / "restored")
    assert mark is not None
    assert (mark.size, mark.time) == (12, NOW // 1000)
    ledger.heed(end, NOW + 5_000)
    assert read_restored(lost.folder / "restored") == mark
    ledger.close()


def test_doing_it_twice_changes_nothing(lost: Lost) -> None:
    ledger = lost.open()
    for _ in range(2):
        assert ledger.catch_up(lost.copy(), NOW, RENEWAL) == 0
    is_caught_up(signed_on_after_a_word(ledger, lost), lost)


def test_broken_off_it_stays_read_only_and_goes_on_later(
    lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the guard of then says that all is well."""
    monkeypatch.setattr(catch_up, "BATCH", 1)
    for failing in range(4):
        faults = Faults()
        ledger = lost.open(faults)
        before = ledger.view.size
        faults.store.after_write = fail if failing % 2 else None
        faults.store.before_write = None if failing % 2 else fail
        with pytest.raises(StoreError, match="the disk failed"):
            ledger.catch_up(lost.copy(), NOW, RENEWAL)
        ledger.close()
        ledger = lost.open()
        assert ledger.view.size >= before
        if ledger.view.size < lost.ledger.view.size:
            assert "were signed" in (ledger.read_only or "")
            assert "byline node recover" in (ledger.read_only or "")
            with pytest.raises(ReadOnlyError):
                ledger.append(works(9000, 9001))
        ledger.close()
        report = check_ledger(lost.folder)
        assert "were signed" in (report.problem or "were signed")
    ledger = lost.open()
    ledger.catch_up(lost.copy(), NOW, RENEWAL)
    is_caught_up(signed_on_after_a_word(ledger, lost), lost)


def test_trees_on_the_way_are_those_that_were_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up, "BATCH", 1)
    disk, old = MemoryDisk(), MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    old.replace(disk.pairs())
    notes = {1: ledger.view.checkpoint}
    for number in range(20):
        ledger.append(works(number, number + 1 + number % 3))
        notes[ledger.view.size] = ledger.view.checkpoint
    source, vkey = ViewSource(ledger.view), ledger.view.vkey
    ledger.close()
    source.view = Ledger.open(tmp_path, open_store=disk).view
    shutil.copytree(tmp_path, tmp_path / "again")
    again = Ledger.open(tmp_path / "again", open_store=old)
    seen = []

    def look(size: int, _total: int) -> None:
        assert again.view.checkpoint == notes[size]
        seen.append(size)

    again.catch_up(Copy.of(source, vkey), NOW, RENEWAL, look)
    assert [1, *seen] == list(notes)


# Bodies


def test_a_body_that_nobody_has_is_said_to_be_lost_and_can_come_back(
    lost: Lost,
) -> None:
    one, two, three, *_ = lost.later
    lost.source.missing.add(one.id)
    lost.source.changed[two.id] = three.to_envelope()
    lost.ledger.redact(three.id, Tombstone("a court said so", 1))
    lost.source.view = lost.ledger.view
    ledger = lost.open()
    court = {three.id: Tombstone("a court said so", 1)}
    assert ledger.catch_up(lost.copy(), NOW, RENEWAL, takedowns=court) == 2
    assert ledger.view.tombstone(one.id) == Tombstone(NOT_RECOVERED, NOW)
    assert ledger.view.tombstone(two.id) == Tombstone(NOT_RECOVERED, NOW)
    assert ledger.view.tombstone(three.id) == Tombstone("a court said so", 1)
    held = ledger.view
    ledger.vouch(RENEWAL)
    assert not ledger.append([one])[0].new
    assert ledger.put_back([two, three, two]) >= 1
    assert ledger.view.statement(one.id) == one
    assert ledger.view.statement(two.id) == two
    assert ledger.view.tombstone(three.id) is not None
    with pytest.raises(RedactedError, match="lost"):
        held.statement(one.id)
    ledger.close()
    report = check_ledger(lost.folder)
    assert (report.problem, report.redacted) == (None, 1)


def test_a_takedown_of_a_copy_is_none_of_this_log(lost: Lost) -> None:
    """One copy says of every statement that it was taken down; another has a few."""
    liar, honest = ViewSource(lost.source.view), ViewSource(lost.source.view)
    mine, other, third = lost.later[:3]
    liar.gone = Tombstone("rights holder", 1)
    liar.broken.add(third.id)
    honest.missing |= {one.id for one in lost.later[1:]} - {third.id}
    vkey = lost.source.view.vkey
    copies = [Copy.of(source, vkey) for source in (liar, honest)]
    ledger = lost.open()
    count = len(lost.later) - 2
    assert ledger.catch_up(copies[0], NOW, RENEWAL, others=copies[1:]) == count
    assert ledger.view.statement(mine.id) == mine
    assert ledger.view.statement(third.id) == third
    assert ledger.view.tombstone(other.id) == Tombstone(NOT_RECOVERED, NOW)
    assert ledger.put_back(lost.later) == count
    is_caught_up(signed_on_after_a_word(ledger, lost), lost)


@pytest.mark.parametrize("damage", [b"", b"\x93", b"\xc0" * 99])
def test_a_body_that_is_none_is_lost(lost: Lost, damage: bytes) -> None:
    one = lost.later[3]
    lost.source.changed[one.id] = damage or forged(one).to_envelope()
    ledger = lost.open()
    assert ledger.catch_up(lost.copy(), NOW, RENEWAL) == 1
    # It may be taken down for good all the same.
    gone = Tombstone("a court said so", NOW)
    assert ledger.redact(one.id, gone) == gone
    assert ledger.put_back([one]) == 0
    assert list(lost_statements(ledger.view)) == []
    ledger.close()
    require_sound(lost.folder)


# Copies that lie


def test_a_copy_must_end_with_a_commitment(
    lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = Tile(None, 2, 134)
    entries = parse_entry_bundle(lost.source.true_tile(tile), 134)
    lost.source.changed[tile.to_path()] = entry_bundle([*entries[:-1], entries[-2]])
    ledger = lost.open()
    with pytest.raises(VerificationError, match="does not end with a commitment"):
        ledger.catch_up(lost.copy(), NOW, RENEWAL)
    ledger.close()
    monkeypatch.setattr(catch_up, "MAX_PIECE", 200)
    ledger = lost.open()
    with pytest.raises(MalformedError, match="more than 200 entries"):
        ledger.catch_up(lost.copy(), NOW, RENEWAL)
    ledger.close()


def test_a_false_commitment_is_not_taken_even_from_our_own_hand(
    tmp_path: Path,
) -> None:
    """Signed by a log of this very key that computed wrongly."""
    disk, old = MemoryDisk(), MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    old.replace(disk.pairs())
    true = commit.commitment_entry
    with (
        patch.object(commit, "commitment_entry", lambda n, r: true(n + 1, r)),
        patch.object(commit, "_read_commitment"),
    ):
        ledger.append(works(0, 3))
    source, vkey = ViewSource(ledger.view), ledger.view.vkey
    shutil.copytree(tmp_path, tmp_path / "again")
    again = Ledger.open(tmp_path / "again", open_store=old)
    with pytest.raises(VerificationError, match="although this log signed it"):
        again.catch_up(Copy.of(source, vkey), NOW, RENEWAL)
    assert again.view.size == 1


def test_another_history_is_a_contradiction_and_is_not_gone_on(lost: Lost) -> None:
    """Two histories that this log's own key signed; nothing is touched but the mark."""
    fork = Ledger.open(lost.folder)
    fork.append(works(7000, 7002))
    before = (lost.folder / "guard").read_bytes()
    with pytest.raises(ContradictionError) as caught:
        fork.catch_up(lost.copy(), NOW, RENEWAL)
    assert caught.value.exit_code == 4
    assert caught.value.notes == (fork.view.checkpoint, lost.source.view.checkpoint)
    assert (lost.folder / "guard").read_bytes() == before
    assert "646 were signed" in (fork.read_only or "")
    # The longer of the two finds it as well.
    source = ViewSource(fork.view)
    view = lost.ledger.view
    with pytest.raises(ContradictionError):
        lost.ledger.catch_up(Copy.of(source, view.vkey), NOW, RENEWAL)
    assert lost.ledger.view is view
    fork.close()
    # And so does a guard that is not of the copy's history.
    shutil.rmtree(lost.folder / "database")


def test_a_guard_of_another_history_is_a_contradiction(lost: Lost) -> None:
    ledger = lost.open()
    state = ledger.view.state
    write_guard(lost.folder / "guard", Guard(state.origin, 20, bytes(32)))
    with pytest.raises(ContradictionError):
        ledger.catch_up(lost.copy(), NOW, RENEWAL)
    assert ledger.view.state is state
    write_guard(
        lost.folder / "guard", Guard(state.origin, lost.ledger.view.size, bytes(32))
    )
    with pytest.raises(ContradictionError):
        ledger.catch_up(lost.copy(), NOW, RENEWAL)
    assert ledger.view.state is state


def test_a_checkpoint_of_another_key_is_refused(lost: Lost, tmp_path: Path) -> None:
    other = Ledger.init(tmp_path / "other", open_store=MemoryDisk())
    lost.source.changed["checkpoint"] = other.view.checkpoint
    with pytest.raises(BadSignatureError):
        lost.copy()
    view = lost.ledger.view
    forged = Checkpoint(view.origin, view.size + 1, bytes(32))
    lost.source.changed["checkpoint"] = sign_checkpoint(forged, other.keys.log)
    with pytest.raises(BadSignatureError):
        lost.copy()


@pytest.mark.parametrize(
    ("tile", "at"),
    [
        (Tile(None, 0), 3000),
        (Tile(None, 1), 3000),
        (Tile(None, 2, 134), 5000),
        (Tile(0, 0), 400),
        (Tile(0, 2, 134), 4000),
        (Tile(1, 0, 2), 40),
    ],
    ids=lambda value: value.to_path() if isinstance(value, Tile) else "",
)
def test_a_damaged_copy_writes_no_tree_that_was_not_signed(
    lost: Lost, tile: Tile, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up, "BATCH", 1)
    lost.source.flip(tile, at)
    ledger = lost.open()
    with pytest.raises((VerificationError, MalformedError)) as caught:
        ledger.catch_up(lost.copy(), NOW, RENEWAL)
    assert not isinstance(caught.value, ContradictionError)
    view, whole = ledger.view, lost.ledger.view
    assert ledger.failure is None
    assert whole.consistency_proof(view.size) is not None
    copy = Copy.of(ViewSource(whole), whole.vkey)
    copy.require_extends(view.size, view.root)
    ledger.close()
    lost.source.changed.clear()
    ledger = lost.open()
    ledger.catch_up(lost.copy(), NOW, RENEWAL)
    is_caught_up(signed_on_after_a_word(ledger, lost), lost)


def test_an_older_copy_of_the_same_history_changes_nothing(lost: Lost) -> None:
    ledger = lost.open()
    old = Copy.of(ViewSource(ledger.view), ledger.view.vkey)
    before = lost.ledger.view
    assert lost.ledger.catch_up(old, NOW, RENEWAL) == 0
    assert lost.ledger.view is before
    assert lost.ledger.read_only is None


def test_a_copy_that_is_behind_the_guard_helps_and_does_not_end_it(lost: Lost) -> None:
    lost.take_guard()
    guard = read_guard(lost.folder / "guard")
    other = Ledger.open(lost.folder)
    full = lost.source.view
    note = open_checkpoint(full.checkpoint, full.vkey)
    assert guard is not None
    assert guard.size == note.size
    write_guard(lost.folder / "guard", Guard(guard.origin, guard.size + 9, bytes(32)))
    assert other.catch_up(lost.copy(), NOW, RENEWAL) == 0
    assert other.view.size == full.size
    assert f"{full.size} entries, but {full.size + 9}" in (other.read_only or "")
    with pytest.raises(ReadOnlyError, match="must be found"):
        other.vouch(RENEWAL)


# Word that nothing is missing


def test_a_folder_from_a_backup_is_served_until_somebody_vouches(lost: Lost) -> None:
    ledger = lost.open()
    size = ledger.view.size
    ledger.close()
    marker = lost.folder / "restored"
    write_restored(marker, Restored(ledger.view.origin, size, 1_764_000_000))
    for damaged in (False, True):
        if damaged:
            marker.write_bytes(b"what")
        ledger = lost.open()
        assert "restored from" in (ledger.read_only or "")
        assert "byline node recover" in (ledger.read_only or "")
        with pytest.raises(ReadOnlyError):
            ledger.append(works(9000, 9001))
        ledger.close()
    ledger = lost.open()
    assert "2025-11-24 16:00 UTC" not in (ledger.read_only or "")
    ledger.catch_up(lost.copy(), NOW, RENEWAL)
    assert "restored from" in (ledger.read_only or "")
    ledger.vouch(RENEWAL)
    assert not marker.exists()
    is_caught_up(ledger, lost)


@pytest.mark.parametrize("case", [without_a_guard, with_a_torn_guard])
def test_a_lost_guard_can_be_vouched_for(
    lost: Lost, case: Callable[[Lost], None]
) -> None:
    case(lost)
    ledger = lost.open()
    assert ledger.read_only is not None
    ledger.vouch(RENEWAL)
    assert ledger.read_only is None
    assert ledger.append(works(9000, 9001))[0].new
    ledger.close()
    require_sound(lost.folder)


def test_nobody_can_vouch_against_the_guard(lost: Lost) -> None:
    lost.take_guard()
    ledger = lost.open()
    with pytest.raises(ReadOnlyError, match="646 entries were signed, and 12 are here"):
        ledger.vouch(RENEWAL)
    assert ledger.read_only is not None
