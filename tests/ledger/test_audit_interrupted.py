"""Audits that were interrupted: they go on, and leave nothing out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.audits import (
    WORKS,
    MemorySource,
    make_log,
    one_problem,
    rewritten,
    run,
)
from tests.support.logs import works
from tests.support.memory_log import MemoryLog
from tests.support.signed import work
from tests.support.sources import ViewSource

from byline_ledger import codec
from byline_ledger.audit import _Audit, audit
from byline_ledger.audit_progress import AuditProgress
from byline_ledger.entry import StatementEntry, parse_entry
from byline_ledger.errors import (
    MalformedError,
    StoreError,
)
from byline_ledger.log import Ledger
from byline_ledger.mirror import Mirror
from byline_ledger.tiles import Tile
from byline_ledger.tombstone import Tombstone


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


class BreaksOff(ViewSource):
    """A place that cannot be read any more after so many files."""

    left = 0

    def tile(self, tile: Tile) -> bytes:
        self._use()
        return super().tile(tile)

    def body(self, statement_id: bytes) -> bytes | Tombstone | None:
        self._use()
        return super().body(statement_id)

    def _use(self) -> None:
        if not self.left:
            raise StoreError("the disk is gone")
        self.left -= 1


def interrupt(source: ViewSource, state: Path, after: int, **how: Any) -> None:
    """Audits until that many files were read."""
    broken = BreaksOff(source.view)
    broken.changed, broken.left = source.changed, after
    with pytest.raises(StoreError, match="the disk is gone"):
        run(broken, state, **how)


def test_an_audit_that_was_interrupted_goes_on(source: ViewSource, state: Path) -> None:
    """Nothing that was read is read again, and nothing of it is left out."""
    missing, taken = WORKS[2], WORKS[1400]
    source.changed[missing.id] = source.changed[taken.id] = b"broken"
    interrupt(source, state, 400)
    interrupt(source, state, 20)
    report = run(source, state)
    assert report.read_before == 256
    assert [problem[:74] for problem in report.problems] == [
        f"statement {one.id.hex()}" for one in (missing, taken)
    ]
    assert report.bodies == report.statements - 2 == 1496
    assert report.checked == report.size
    assert run(source, state).read_before == 0


@pytest.mark.parametrize("after", [0, 10, 20, 300, 600, 1200, 1510])
def test_wherever_it_was_interrupted(
    log: Ledger, source: ViewSource, state: Path, after: int
) -> None:
    """Also where the log has grown meanwhile."""
    interrupt(source, state, after)
    log.append([work("later")])
    report = run(ViewSource(log.view), state)
    assert report.ok
    assert report.bodies == report.statements == log.view.statement_count


def test_what_was_read_is_written_at_intervals(
    source: ViewSource, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash costs what was read after the last."""
    monkeypatch.setattr("byline_ledger.audit.KEEP_EVERY", 500)
    monkeypatch.setattr("byline_ledger.audit._Audit._copy", _Audit._read_entries)
    interrupt(source, state, 1450)
    assert run(source, state).read_before == 1024


@pytest.mark.parametrize("how", [{"place": "elsewhere"}, {"bodies": False}])
def test_an_audit_of_another_place_or_kind_does_not_go_on_from_it(
    source: ViewSource, state: Path, tmp_path: Path, how: dict[str, Any]
) -> None:
    interrupt(source, state, 12, **how)
    one = WORKS[3]
    source.changed[one.id] = b"broken"
    report = run(source, state)
    assert report.read_before == 0
    assert one.id.hex() in one_problem(report)


def test_a_copy_of_another_place_is_read_as_if_it_were_none(
    source: ViewSource, tmp_path: Path
) -> None:
    """Whoever calls the ledger itself may hand it any copy."""
    one = WORKS[3]
    for place in ("here", "there"):
        with Mirror.open(tmp_path / "copy", source.view.vkey) as mirror:
            report = audit(source, mirror, place=place)
            assert report.ok == (place == "here")
            assert report.checked == report.size
        source.changed[one.id] = b"broken"
    source.changed = {Tile(None, 0).to_path(): b"broken"}
    with Mirror.open(tmp_path / "copy", source.view.vkey) as mirror:
        assert audit(source, mirror).checked == 0


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"bodies": True}, {"problems": [b"x"]}, {"more": b""}, {"x": 1}],
)
def test_progress_of_another_form_is_refused(change: dict[str, Any]) -> None:
    progress = AuditProgress("here", True, b"note", 3, 2, 1, ("wrong",), 4)
    data = progress.to_bytes()
    assert AuditProgress.from_bytes(data) == progress
    fields: Any = codec.unpack(data, max_size=1000, max_depth=2, what="progress")
    with pytest.raises(MalformedError, match="audit progress: expected"):
        AuditProgress.from_bytes(codec.pack(fields | change))


def test_what_cannot_be_read_back_is_read_again(
    source: ViewSource, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(source, state, 700)
    monkeypatch.setattr("byline_ledger.audit_progress.VERSION", 2)
    report = run(source, state)
    assert report.ok
    assert report.read_before == 0


def test_what_an_interrupted_audit_copied_must_be_of_this_log(
    log: Ledger, source: ViewSource, tmp_path: Path
) -> None:
    """Also where what it was signed with is lost."""
    for more in (1, 1600):
        with Mirror.open(tmp_path / f"{more}", source.view.vkey) as mirror:
            other = MemoryLog(1)
            other.append([work(f"of another log {n}") for n in range(more)])
            mirror.feed(other.log)
            problem = one_problem(audit(source, mirror))
            assert "has changed since this audit" in problem


@pytest.mark.parametrize(
    ("sizes", "kind"),
    [((308, 308), "equivocation"), ((308, 319), "fork"), ((319, 308), None)],
)
def test_an_interrupted_audit_is_evidence_as_well(
    tmp_path: Path, state: Path, sizes: tuple[int, int], kind: str | None
) -> None:
    """What the place showed it was signed."""
    ledger = make_log(tmp_path / "log", 5, 300)
    views = {ledger.view.size: ledger.view}
    ledger.append(WORKS[900:910])
    views[ledger.view.size] = ledger.view
    first, second = (views[size] for size in sizes)
    interrupt(ViewSource(first), state, 280)

    def change(index: int, entry: bytes) -> bytes:
        is_one = index == 40 and isinstance(parse_entry(entry), StatementEntry)
        return entry[:1] + b"z" * 32 + entry[33:] if is_one else entry

    report = run(MemorySource(rewritten(second, ledger, change)), state)
    assert not report.ok
    assert (report.alarm.verify().kind if report.alarm else None) == kind
    assert run(ViewSource(first), state).ok


def test_a_place_that_went_back_while_it_was_audited_is_read_from_the_start(
    log: Ledger, source: ViewSource, state: Path
) -> None:
    old = ViewSource(log.view)
    log.append(works(5000, 5300))
    interrupt(ViewSource(log.view), state, 700)
    report = run(old, state)
    assert "of 1503 entries, but 1804 were seen" in one_problem(report)
    assert (report.read_before, report.bodies) == (0, report.statements)
    assert run(old, state).ok  # it was interrupted: no audit ended with those 1804
