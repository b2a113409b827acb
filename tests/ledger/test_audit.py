"""Auditing a log: what is sound is found sound, and what is not has a place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.support.audits import (
    WORKS,
    MemorySource,
    make_log,
    one_problem,
    rewritten,
    run,
)
from tests.support.logs import take_down, works
from tests.support.signed import forged, work
from tests.support.sources import ViewSource

from byline_ledger import commit
from byline_ledger.alarm import Alarm
from byline_ledger.audit import MAX_PROBLEMS
from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.entry import StatementEntry, commitment_entry, parse_entry
from byline_ledger.errors import (
    NotFoundError,
    StoreError,
    VerificationError,
)
from byline_ledger.log import Ledger, LogView
from byline_ledger.tiles import Tile
from byline_ledger.tombstone import Tombstone

SIZES = [1, 2, 254, 255, 256, 257, 600]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Ledger]:
    """Four commits, 1,503 entries."""
    ledger = make_log(tmp_path / "log", 1, 300, 1000, 197)
    yield ledger
    ledger.close()


@pytest.fixture
def source(log: Ledger) -> ViewSource:
    return ViewSource(log.view)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where audits keep their copies."""
    return tmp_path / "state"


def test_a_sound_log_is_found_sound(source: ViewSource, state: Path) -> None:
    report = run(source, state)
    view = source.view
    assert report.ok
    assert report.alarm is None
    assert report.checked == report.size == view.size
    assert (report.statements, report.bodies) == (view.statement_count,) * 2
    assert (report.set_root, report.strings) == (view.set_root, view.set_count)


@pytest.mark.parametrize("count", SIZES)
def test_logs_of_every_shape(count: int, tmp_path: Path, state: Path) -> None:
    ledger = make_log(tmp_path / "log", *([count - 1] if count > 1 else []))
    assert run(ViewSource(ledger.view), state).ok
    ledger.close()


def test_each_audit_reads_everything(
    log: Ledger, source: ViewSource, state: Path
) -> None:
    assert run(source, state).ok
    log.append([work("later")])
    again = ViewSource(log.view)
    report = run(again, state)
    assert report.ok
    assert report.read_before == 0
    assert report.bodies == report.statements == log.view.statement_count
    assert len([path for path in again.read if "entries" in path]) == 6


@pytest.mark.parametrize("place", ["here", "elsewhere"])
def test_what_another_copy_has_says_nothing_of_this_one(
    source: ViewSource, state: Path, place: str
) -> None:
    """And what was damaged once is found as often as it is looked for."""
    assert run(source, state, place="there").ok
    assert run(source, state, bodies=False, place=place).ok
    one = WORKS[700]
    source.changed[one.id] = forged(one).to_envelope()
    for _ in range(3):
        assert one.id.hex() in one_problem(run(source, state, place=place))
    source.changed.clear()
    source.flip(Tile(None, 2), 77)
    for _ in range(3):
        assert "tile/entries/002:" in one_problem(run(source, state, place=place))
    source.changed.clear()
    assert run(source, state, place=place).ok


# Damage, by whoever carries the log


@pytest.mark.parametrize(
    ("tile", "at"),
    [
        (Tile(0, 0), 0),
        (Tile(0, 3), 8191),
        (Tile(0, 5, 223), 40),
        (Tile(1, 0, 5), 100),
        (Tile(None, 2), 77),
        (Tile(None, 5, 223), 3000),
    ],
)
def test_a_flipped_bit_in_a_tile_is_named_by_its_path(
    source: ViewSource, tile: Tile, at: int, state: Path
) -> None:
    source.flip(tile, at)
    report = run(source, state)
    assert one_problem(report).startswith(tile.to_path() + ":")
    assert report.alarm is None


@pytest.mark.parametrize("data", [b"", b"x", bytes(8192), bytes(31)])
def test_a_tile_of_another_form_is_named(
    source: ViewSource, data: bytes, state: Path
) -> None:
    source.changed["tile/entries/001"] = data or b"\x00"
    assert one_problem(run(source, state)).startswith("tile/entries/001:")


def test_a_flipped_bit_in_a_commitment_is_named_by_its_entry(
    source: ViewSource, state: Path
) -> None:
    """Entry 1304 ends the third commit."""
    index = 1304
    entries = source.view.entries(1280, 1503, 1 << 30)
    assert entries[index - 1280][0] == 1
    at = sum(2 + len(one) for one in entries[: index - 1280]) + 2 + 12
    source.flip(Tile(None, 5, 223), at)
    assert f"entry {index}" in one_problem(run(source, state))


@pytest.mark.parametrize("at", [3, 60, -10])
def test_a_flipped_bit_in_the_checkpoint_is_named(
    source: ViewSource, at: int, state: Path
) -> None:
    note = bytearray(source.view.checkpoint)
    note[at] ^= 1
    source.changed["checkpoint"] = bytes(note)
    assert one_problem(run(source, state)).startswith("checkpoint:")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: forged(one).to_envelope(), "signature"),
        (lambda one: work("another").to_envelope(), "not the one that was logged"),
        (lambda one: one.to_envelope()[:-1], ""),
        (lambda one: b"\x93\x02" + one.to_envelope()[2:], ""),
    ],
)
def test_a_body_that_is_not_the_statement_is_named_by_its_id(
    log: Ledger,
    source: ViewSource,
    change: Callable[..., bytes],
    says: str,
    state: Path,
) -> None:
    one = WORKS[700]
    source.changed[one.id] = change(one)
    problem = one_problem(run(source, state))
    assert one.id.hex() in problem
    assert says in problem


def test_missing_bodies_are_counted_and_the_first_are_named(
    source: ViewSource, state: Path
) -> None:
    source.missing = {one.id for one in WORKS[:30]}
    report = run(source, state)
    assert len(report.problems) == MAX_PROBLEMS
    assert report.more_problems == 10
    assert report.bodies == 1498 - 30
    assert report.checked == report.size


# Lies, by the log itself


def lying_log(folder: Path, lie: Callable[[Ledger], None]) -> LogView:
    ledger = make_log(folder, 5, 300)
    lie(ledger)
    return ledger.view


def hide_strings(ledger: Ledger) -> None:
    """Leaves one statement of the next commit out of the set."""
    hidden = WORKS[500].id
    kept = StatementEntry.lookup_strings

    def strings(entry: StatementEntry) -> list[bytes]:
        return [] if entry.id == hidden else kept(entry)

    with patch.object(StatementEntry, "lookup_strings", strings):
        ledger.append(WORKS[400:600])
    ledger.append(WORKS[600:650])


def add_strings(ledger: Ledger) -> None:
    """Lists something under a key that it does not have."""
    kept = StatementEntry.lookup_strings

    def strings(entry: StatementEntry) -> list[bytes]:
        found = kept(entry)
        return [*found, b"\x07" * 32 + found[0][32:]]

    with patch.object(StatementEntry, "lookup_strings", strings):
        ledger.append(WORKS[400:401])


def repeat_statement(ledger: Ledger) -> None:
    """Logs a statement again, as if it were new."""
    with (
        patch.object(type(ledger.view), "indexes_of", lambda _view, _ids: {}),
        patch.object(StatementEntry, "lookup_strings", lambda _entry: []),
    ):
        ledger.append(WORKS[3:4])


@pytest.mark.parametrize(
    ("lie", "kind", "index"),
    [
        (hide_strings, "commitment", 508),
        (add_strings, "commitment", 309),
        (repeat_statement, "repeat", 308),
    ],
)
def test_a_log_that_lies_is_accused_by_itself(
    lie: Callable[[Ledger], None], kind: str, index: int, tmp_path: Path, state: Path
) -> None:
    view = lying_log(tmp_path / "log", lie)
    report = run(ViewSource(view), state)
    assert f"entry {index}" in report.problems[0]
    assert report.alarm is not None
    alarm = Alarm.from_bytes(report.alarm.to_bytes())
    finding = alarm.verify()
    assert (finding.kind, finding.origin) == (kind, view.origin)


def first_is_no_commitment(index: int, entry: bytes) -> bytes:
    return b"\x02the end" if index == 0 else entry


def malformed(index: int, entry: bytes) -> bytes:
    return b"\x09what" if index == 3 else entry


def ends_early(index: int, entry: bytes) -> bytes:
    return b"\x02the end" if index == 3 else entry


def last_is_no_commitment(index: int, entry: bytes) -> bytes:
    return b"\x02the end" if index == 307 else entry


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (first_is_no_commitment, "entry 0"),
        (malformed, "entry 3"),
        (ends_early, "entry 4"),
        (last_is_no_commitment, "entry 307"),
    ],
)
def test_entries_out_of_place_are_proven(
    change: Callable[[int, bytes], bytes], says: str, tmp_path: Path, state: Path
) -> None:
    ledger = make_log(tmp_path / "log", 5, 300)
    log = rewritten(ledger.view, ledger, change)
    report = run(MemorySource(log), state, bodies=False)
    assert says in report.problems[0]
    assert report.alarm is not None
    assert Alarm.from_bytes(report.alarm.to_bytes()).verify().kind == "entry"


def test_another_history_of_one_size_is_proven(tmp_path: Path, state: Path) -> None:
    """Equivocation, between two audits."""
    ledger = make_log(tmp_path / "log", 5, 300)
    assert run(ViewSource(ledger.view), state).ok

    def change(index: int, entry: bytes) -> bytes:
        return commitment_entry(0, b"x" * 32) if index == 307 else entry

    log = rewritten(ledger.view, ledger, change)
    report = run(MemorySource(log), state, bodies=False)
    assert report.alarm is not None
    assert report.alarm.verify().kind == "equivocation"
    assert "contradicts" in report.problems[0]


@pytest.mark.parametrize("grows", [True, False])
def test_a_tree_that_does_not_extend_the_last_is_proven(
    tmp_path: Path, grows: bool, state: Path
) -> None:
    """Forks: a longer tree with another past, and a shorter one."""
    ledger = make_log(tmp_path / "log", 5, 300)
    before = ledger.view
    ledger.append(WORKS[900:910])
    after = ledger.view
    first, second = (before, after) if grows else (after, before)
    assert run(ViewSource(first), state).ok

    def change(index: int, entry: bytes) -> bytes:
        is_one = index == 40 and isinstance(parse_entry(entry), StatementEntry)
        return entry[:1] + b"z" * 32 + entry[33:] if is_one else entry

    log = rewritten(second, ledger, change)
    report = run(MemorySource(log), state, bodies=False)
    assert report.alarm is not None
    assert Alarm.from_bytes(report.alarm.to_bytes()).verify().kind == "fork"


def test_a_place_that_went_back_is_no_alarm(
    log: Ledger, source: ViewSource, state: Path
) -> None:
    """It is read all the same: what else is wrong with it shows as well."""
    old = ViewSource(log.view)
    log.append([work("later")])
    assert run(ViewSource(log.view), state).ok
    for _ in range(2):
        report = run(old, state)
        assert "of 1503 entries, but 1505 were seen here" in one_problem(report)
        assert report.alarm is None
        assert report.bodies == report.statements
    old.missing = {WORKS[3].id}
    assert "missing" in run(old, state).problems[0]
    assert run(ViewSource(log.view), state).ok


def test_an_older_copy_elsewhere_is_sound(log: Ledger, state: Path) -> None:
    """That it is older is said each time, until it has caught up."""
    old = ViewSource(log.view)
    log.append([work("later")])
    assert run(ViewSource(log.view), state, place="there").ok
    for _ in range(2):
        report = run(old, state)
        assert report.ok
        (note,) = report.notes
        assert note.startswith("this copy is older: 1,505 entries")
    caught_up = run(ViewSource(log.view), state)
    assert (caught_up.ok, caught_up.notes) == (True, [])
    assert "were seen here" in one_problem(run(old, state))


def test_an_older_copy_of_another_tree_is_proven(tmp_path: Path, state: Path) -> None:
    ledger = make_log(tmp_path / "log", 5, 300)
    before = ledger.view
    ledger.append(WORKS[900:910])
    assert run(ViewSource(ledger.view), state, place="there").ok

    def change(index: int, entry: bytes) -> bytes:
        return entry[:1] + b"z" * 32 + entry[33:] if index == 40 else entry

    report = run(MemorySource(rewritten(before, ledger, change)), state)
    assert report.alarm is not None
    assert report.alarm.verify().kind == "fork"


def test_what_a_place_showed_counts_if_the_log_signed_it(
    log: Ledger, source: ViewSource, state: Path
) -> None:
    old = ViewSource(log.view)
    log.append([work("later")])
    assert run(ViewSource(log.view), state).ok
    (shown,) = state.glob("shown-*")
    shown.write_bytes(b"torn")
    assert run(old, state).ok


def test_a_checkpoint_of_another_root_is_named(
    log: Ledger, source: ViewSource, state: Path
) -> None:
    """Signed, and yet not what the tiles say: nobody can tell who is wrong."""
    checkpoint = Checkpoint(log.view.origin, log.view.size, b"r" * 32)
    source.changed["checkpoint"] = sign_checkpoint(checkpoint, log.keys.log)
    report = run(source, state)
    assert one_problem(report).startswith("checkpoint: it signs another root")
    assert report.alarm is None


def test_many_small_commits_are_all_compared(tmp_path: Path, state: Path) -> None:
    """Each commitment is looked at, also where hundreds are written together."""
    ledger = make_log(tmp_path / "log", *([1] * 300))

    def lie(ledger: Ledger) -> None:
        true = commit.commitment_entry
        with (
            patch.object(
                commit, "commitment_entry", lambda count, root: true(count + 1, root)
            ),
            patch.object(commit, "_read_commitment"),
        ):
            ledger.append(works(5000, 5001))

    assert run(ViewSource(ledger.view), state).ok
    lie(ledger)
    ledger.append(works(6000, 6001))
    report = run(ViewSource(ledger.view), state)
    assert report.alarm is not None
    assert report.alarm.kind == "commitment"
    assert "entry 602" in report.problems[0]


def test_a_log_without_end_of_its_entries_is_named_and_not_accused(
    source: ViewSource, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it publishes trees without commitments shows in no part of it."""
    monkeypatch.setattr("byline_ledger.mirror.MAX_WAITING", 100)
    report = run(source, state)
    assert "more than 100 entries without a commitment" in report.problems[0]
    assert report.alarm is None


def test_an_alarm_that_does_not_hold_is_not_made(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = lying_log(tmp_path / "log", hide_strings)

    def refuse(alarm: Alarm) -> None:
        raise VerificationError("the alarm proves nothing")

    monkeypatch.setattr(Alarm, "verify", refuse)
    report = run(ViewSource(view), state)
    assert report.alarm is None
    assert "no alarm can be made of it" in report.problems[1]


def test_a_tile_that_is_not_there_is_named(source: ViewSource, state: Path) -> None:
    class Gone(ViewSource):
        def tile(self, tile: Tile) -> bytes:
            raise NotFoundError("no such file")

    assert one_problem(run(Gone(source.view), state)).endswith(": no such file")


def test_a_body_that_was_taken_down_is_counted_and_no_problem(
    log: Ledger, state: Path
) -> None:
    take_down(log, WORKS[3])
    report = run(ViewSource(log.view), state)
    assert report.ok
    assert (report.redacted, report.bodies) == (1, report.statements - 1)


def test_an_entry_of_other_keys_than_its_statement_is_named(
    source: ViewSource, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byline_ledger.audit.statement_entry", lambda _one: b"other")
    report = run(source, state)
    assert "its log entry says something else" in report.problems[0]


def test_a_source_that_breaks_off_is_no_fault_of_the_log(
    source: ViewSource, state: Path
) -> None:
    class Broken(ViewSource):
        def body(self, statement_id: bytes) -> bytes | Tombstone | None:
            raise StoreError("the disk is gone")

    with pytest.raises(StoreError, match="the disk is gone"):
        run(Broken(source.view), state)
