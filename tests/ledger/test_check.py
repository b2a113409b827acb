"""`check_ledger` finds any single change to what is stored, and names it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from tests.support.logs import require_sound, works
from tests.support.signed import forged, key, work
from tests.support.stores import MemoryDisk

from byline_ledger.check import CheckReport, check_ledger
from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.digest import digest_bytes
from byline_ledger.entry import (
    commitment_entry,
    entry_of,
    retirement_entry,
    statement_entry,
)
from byline_ledger.errors import CorruptStoreError, StoreError
from byline_ledger.log import Ledger
from byline_ledger.lookup_set import LookupSet
from byline_ledger.node_keys import NodeKeys
from byline_ledger.statement import Statement
from byline_ledger.store import layout
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.node_files import NodeFiles, init_node

# Three commits: leaves 1-3, 5 and 7-300; commitments at 0, 4, 6 and 301.
FIRST, SECOND, LAST, SIZE = 1, 5, 300, 302
FLIPS_PER_VALUE = 12


class Made:
    """A node whose database can be changed at will."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = MemoryDisk()
        ledger = Ledger.init(folder, open_store=self.disk)
        source = {"digest": digest_bytes(b"source"), "relationship": "inputTo"}
        self.statements = [work("first", sources=[source]), *works(1, 298)]
        for start, end in ((0, 3), (3, 4), (4, 298)):
            ledger.append(self.statements[start:end])
        self.view = ledger.view
        ledger.put_record(b"cursor", b"anything")
        ledger.close()
        self.good = self.disk.pairs()

    def check(self) -> CheckReport:
        return check_ledger(self.folder, open_store=self.disk)

    def problem(self, *puts: tuple[bytes, bytes], without: bytes | None = None) -> str:
        """What is found after this change alone."""
        pairs = {k: v for k, v in self.good.items() if k != without} | dict(puts)
        self.disk.replace(pairs)
        return self.check().problem or ""

    def string(self, at: int = 0) -> bytes:
        keys = [key for key in self.good if key.startswith(layout.STRINGS)]
        return sorted(keys)[at]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("check") / "node")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The same, of five statements, for the tests that check it a thousand times."""
    folder = tmp_path_factory.mktemp("small") / "node"
    one = object.__new__(Made)
    one.folder, one.disk = folder, MemoryDisk()
    ledger = Ledger.init(folder, open_store=one.disk)
    one.statements = works(0, 5)
    ledger.append(one.statements[:2])
    ledger.append(one.statements[2:])
    one.view = ledger.view
    ledger.close()
    one.good = one.disk.pairs()
    return one


def flipped(value: bytes, at: int) -> bytes:
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


def test_a_sound_log(made: Made) -> None:
    made.disk.replace(made.good)
    lines: list[str] = []
    report = check_ledger(made.folder, lines.append, open_store=made.disk)
    assert report.ok
    assert report.problem is None
    assert report.notes == ()
    assert report.origin == made.view.origin
    assert (report.size, report.statements) == (SIZE, 298)
    assert (report.strings, report.root) == (made.view.set_count, made.view.root)
    assert report.set_root == made.view.set_root
    assert made.good == made.disk.pairs()


def test_progress_is_told(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byline_ledger.check.REPORT_EVERY", 100)
    made.disk.replace(made.good)
    lines: list[str] = []
    check_ledger(made.folder, lines.append, open_store=made.disk)
    assert lines == [f"{n} of 302 log entries" for n in (100, 200, 300)]


def test_any_flipped_byte_is_found(small: Made) -> None:
    for key_, value in small.good.items():
        step = max(1, len(value) // FLIPS_PER_VALUE)
        for at in range(0, len(value), step):
            change = (key_, flipped(value, at))
            try:
                found = small.problem(change)
            except StoreError:
                # Of another version, or of another log: not even opened.
                assert key_ in (layout.VERSION, layout.LOG)
                continue
            assert found, f"byte {at} of {key_.hex()}"


def test_any_lost_key_is_found(small: Made) -> None:
    for key_ in small.good:
        try:
            assert small.problem(without=key_), key_.hex()
        except StoreError:
            assert key_ == layout.LOG


def test_any_value_in_place_of_another_is_found(small: Made) -> None:
    keys = sorted(small.good)
    for one, other in pairwise(keys):
        if one[:1] == other[:1] and small.good[one] != small.good[other]:
            assert small.problem((one, small.good[other])), one.hex()


Change = Callable[[Made], str]

CASES: dict[str, tuple[Change, str]] = {
    "a flip in a body": (
        lambda m: m.problem(
            (layout.body(FIRST), flipped(m.good[layout.body(FIRST)], 60))
        ),
        r"\(log entry 1\): ",
    ),
    "a flip in a signature": (
        lambda m: m.problem(
            (layout.body(FIRST), forged(m.statements[0]).to_envelope())
        ),
        r"\(log entry 1\): signature",
    ),
    "a body lost": (
        lambda m: m.problem(without=layout.body(SECOND)),
        r"\(log entry 5\): its body is missing",
    ),
    "the last body lost": (
        lambda m: m.problem(without=layout.body(LAST)),
        r"\(log entry 300\): its body is missing",
    ),
    "a body too many": (
        lambda m: m.problem((layout.body(4), m.good[layout.body(3)])),
        "a body without an entry: 6200000000000000" + "04",
    ),
    "a body behind all": (
        lambda m: m.problem((layout.body(999), m.good[layout.body(3)])),
        "a body without an entry",
    ),
    "the body of another statement": (
        lambda m: m.problem((layout.body(FIRST), m.good[layout.body(2)])),
        r"\(log entry 1\): its body is not the one that was logged",
    ),
    "another valid statement in body, entry, index and strings": (
        lambda m: m.problem(*_smuggled(m, work("smuggled", key(9)))),
        "log entry 6 commits to another lookup set than that of the 4 statements",
    ),
    "an entry lost": (
        lambda m: m.problem(without=layout.entry(2)),
        "log entry 2 is missing",
    ),
    "an entry beyond the end": (
        lambda m: m.problem((layout.entry(SIZE), m.good[layout.entry(FIRST)])),
        "a log entry beyond the checkpoint",
    ),
    "an entry that names another key": (
        lambda m: m.problem(
            (layout.entry(FIRST), flipped(m.good[layout.entry(FIRST)], 45))
        ),
        r"\(log entry 1\): its log entry says something else",
    ),
    "an entry of no known kind": (
        lambda m: m.problem((layout.entry(FIRST), b"\x07what")),
        "log entry 1: expected a log entry of kind 0, 1 or 2, got 7",
    ),
    "an index that leads elsewhere": (
        lambda m: m.problem((layout.id_key(m.statements[0].id), layout.u64(2))),
        r"\(log entry 1\): the index of ids leads elsewhere",
    ),
    "an index of wrong length": (
        lambda m: m.problem((layout.id_key(m.statements[0].id), b"1")),
        "has 1 bytes, not 8",
    ),
    "an id too many": (
        lambda m: m.problem((layout.id_key(bytes(32)), layout.u64(1))),
        "the index of ids has 299 ids for 298 statements",
    ),
    "a string lost": (
        lambda m: m.problem(without=m.string(7)),
        r"lookup string [0-9a-f]{144} is missing",
    ),
    "a string with a value": (
        lambda m: m.problem((m.string(7), b"x")),
        r"lookup string [0-9a-f]{144} is missing",
    ),
    "a string too many": (
        lambda m: m.problem((layout.string_key(bytes(72)), b"")),
        "a lookup string too many: 0000",
    ),
    "a string too many of a statement that is there": (
        lambda m: m.problem((layout.string_key(bytes(40) + m.statements[0].id), b"")),
        "a lookup string too many: 0000",
    ),
    "a string of wrong length": (
        lambda m: m.problem((layout.string_key(bytes(71)), b"")),
        "a lookup string too many",
    ),
    "a wrong count in a commitment": (
        lambda m: m.problem((layout.entry(4), commitment_entry(9, bytes(32)))),
        "log entry 4 commits to another lookup set than that of the 3 statements",
    ),
    "a flip in the last commitment": (
        lambda m: m.problem(
            (layout.entry(301), flipped(m.good[layout.entry(301)], 40))
        ),
        "log entry 301 commits to another lookup set",
    ),
    "no commitment at the start": (
        lambda m: m.problem((layout.entry(0), m.good[layout.entry(FIRST)])),
        "log entry 0 is not the commitment of a new log",
    ),
    "a notice in the middle": (
        lambda m: m.problem((layout.entry(4), retirement_entry("the end"))),
        "the log goes on after its end, log entry 4",
    ),
    "a tile lost": (
        lambda m: m.problem(without=layout.tile(0, 0)),
        "tile 0 of level 0 is missing or wrong",
    ),
    "a flip in a tile": (
        lambda m: m.problem(
            (layout.tile(0, 0), flipped(m.good[layout.tile(0, 0)], 8191))
        ),
        "tile 0 of level 0 is missing or wrong",
    ),
    "a partial tile": (
        lambda m: m.problem((layout.tile(0, 1), bytes(32))),
        "a tile too many: 000000000000000001",
    ),
    "a wrong number of statements": (
        lambda m: m.problem(_state(m, statements=297)),
        "the state counts 297 statements, the log has 298",
    ),
    "a wrong size before": (
        lambda m: m.problem(_state(m, previous=6)),
        "the state says that the tree before had 6 entries, it had 7",
    ),
    "a flip in the checkpoint": (
        lambda m: m.problem(
            _state(m, checkpoint=m.view.checkpoint.replace(b"\n302\n", b"\n301\n"))
        ),
        "the stored checkpoint does not verify",
    ),
    "a state cut off": (
        lambda m: m.problem((layout.STATE, b"1234")),
        "the state of the log has 4 bytes",
    ),
    "no state": (
        lambda m: m.problem(without=layout.STATE),
        "the state of the log is missing",
    ),
    "a key of no known kind": (
        lambda m: m.problem((b"zzz", b"")),
        "a key of no known kind: 7a7a7a",
    ),
    "a longer key that begins like a single one": (
        lambda m: m.problem((b"s2", b"")),
        "a key of no known kind: 7332",
    ),
    "no version": (
        lambda m: m.problem(without=layout.VERSION),
        "not that of a Byline node",
    ),
}


def _smuggled(made: Made, statement: Statement) -> list[tuple[bytes, bytes]]:
    """All that a careful forger can write without the log's key, at leaf 5."""
    strings = entry_of(statement).lookup_strings()
    return [
        (layout.body(SECOND), statement.to_envelope()),
        (layout.entry(SECOND), statement_entry(statement)),
        (layout.id_key(statement.id), layout.u64(SECOND)),
        *((layout.string_key(string), b"") for string in strings),
    ]


def _state(
    made: Made,
    previous: int = 7,
    statements: int = 298,
    checkpoint: bytes | None = None,
) -> tuple[bytes, bytes]:
    note = checkpoint or made.view.checkpoint
    return layout.STATE, layout.State(previous, statements, note).to_bytes()


@pytest.mark.parametrize("name", CASES)
def test_the_first_thing_that_does_not_fit_is_named(made: Made, name: str) -> None:
    change, expected = CASES[name]
    problem = change(made)
    made.disk.replace(made.good)
    assert problem
    assert "\n" not in problem
    with pytest.raises(AssertionError, match=expected):
        raise AssertionError(problem)


def test_a_checkpoint_of_other_entries(tmp_path: Path, made: Made) -> None:
    """Signed by the right key, but over a tree that these entries do not make."""
    secret = NodeFiles(made.folder).read_secret()
    checkpoint = Checkpoint(made.view.origin, SIZE, bytes(32))
    note = sign_checkpoint(checkpoint, NodeKeys.derive(secret, made.view.origin).log)
    assert "signs another root of 302 entries" in made.problem(
        _state(made, checkpoint=note)
    )
    checkpoint = Checkpoint(made.view.origin, SIZE - 1, bytes(32))
    note = sign_checkpoint(checkpoint, NodeKeys.derive(secret, made.view.origin).log)
    assert "last log entry is not a commitment" in made.problem(
        _state(made, checkpoint=note)
    )


def test_what_was_sound_is_counted_up_to_the_problem(made: Made) -> None:
    pairs = {k: v for k, v in made.good.items() if k != layout.body(SECOND)}
    made.disk.replace(pairs)
    report = made.check()
    assert not report.ok
    assert (report.size, report.statements) == (5, 3)


def test_many_strings_are_read_from_the_store(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no cache, each commitment is derived from what the store holds."""
    real = LookupSet.empty
    monkeypatch.setattr(LookupSet, "empty", lambda: real(0))
    made.disk.replace(made.good)
    assert made.check().problem is None
    extra = (layout.string_key(made.string()[1:41] + bytes(32)), b"")
    assert "a lookup string too many" in made.problem(extra)


# The files beside the database


def test_a_guard_one_commit_behind_is_only_noted(tmp_path: Path) -> None:
    ledger = Ledger.init(tmp_path)
    ledger.append(works(0, 3))
    guard = (tmp_path / "guard").read_bytes()
    ledger.append(works(3, 4))
    ledger.close()
    (tmp_path / "guard").write_bytes(guard)
    report = check_ledger(tmp_path)
    assert report.ok
    assert "one commit behind" in report.notes[0]
    Ledger.open(tmp_path).close()
    assert check_ledger(tmp_path).notes == ()


@pytest.mark.parametrize(
    ("damage", "note"),
    [
        (lambda path: path.write_bytes(b"nonsense"), "damaged"),
        (lambda path: shutil.copy(path.parent.parent / "b" / "lookup", path), "wrong"),
    ],
    ids=["damaged", "foreign"],
)
def test_a_bad_skeleton_is_only_noted(
    tmp_path: Path, damage: Callable[[Path], object], note: str
) -> None:
    for name, author in (("a", 1), ("b", 2)):
        ledger = Ledger.init(tmp_path / name)
        ledger.append(works(0, 20, author))
        ledger.close()
    damage(tmp_path / "a" / "lookup")
    report = check_ledger(tmp_path / "a")
    assert report.ok
    assert note in report.notes[0]


def test_a_node_that_was_never_started(tmp_path: Path) -> None:
    init_node(tmp_path)
    report = check_ledger(tmp_path)
    assert report.ok
    assert (report.size, report.notes) == (0, ("this node has not been started yet",))
    LevelStore.open(tmp_path / "database", create=True).close()
    assert check_ledger(tmp_path).ok
    (tmp_path / "guard").write_bytes(b"nonsense")
    assert "guard file is damaged" in (check_ledger(tmp_path).problem or "")
    (tmp_path / "guard").unlink()
    assert "begun before" in (check_ledger(tmp_path).problem or "")


# On LevelDB


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """The hint does not send people to the check that they have just made."""
    ledger = Ledger.init(tmp_path)
    ledger.append(works(0, 20))
    ledger.close()
    (manifest,) = (tmp_path / "database").glob("MANIFEST-*")
    manifest.write_bytes(flipped(manifest.read_bytes(), 10))
    with pytest.raises(CorruptStoreError) as caught:
        check_ledger(tmp_path)
    assert f"in {tmp_path / 'database'}, found while opening it" in str(caught.value)
    assert "node check" not in (caught.value.hint or "")
    assert "backup" in (caught.value.hint or "")
    (tmp_path / "database" / "CURRENT").unlink()
    with pytest.raises(StoreError, match="no database in"):
        check_ledger(tmp_path)


def test_a_flipped_byte_in_a_file_of_the_database(tmp_path: Path) -> None:
    ledger = Ledger.init(tmp_path)
    for start in range(0, 400, 100):
        ledger.append(works(start, start + 100))
    ledger.close()
    Ledger.open(tmp_path).close()
    database = tmp_path / "database"
    table = max(database.glob("*.ldb"), key=lambda path: path.stat().st_size)
    sound = table.read_bytes()
    for at in range(0, len(sound), len(sound) // 12):
        table.write_bytes(flipped(sound, at))
        try:
            problem = check_ledger(tmp_path).problem
        except CorruptStoreError as error:
            problem = str(error)
        if problem is not None and "checksum" in problem:
            assert "met at " in problem or "found while opening" in problem
        # LevelDB can do without its filter; every other byte is checked.
        assert problem is None or "damaged" in problem or "missing" in problem
        table.write_bytes(sound)
    table.write_bytes(flipped(sound, len(sound) // 3))
    assert "damaged" in (check_ledger(tmp_path).problem or "")
    table.write_bytes(sound)
    require_sound(tmp_path)


def test_the_check_changes_nothing_and_releases_the_lock(tmp_path: Path) -> None:
    ledger = Ledger.init(tmp_path)
    ledger.append(works(0, 10))
    view = ledger.view
    ledger.close()
    for _ in range(2):
        require_sound(tmp_path)
    ledger = Ledger.open(tmp_path)
    assert (ledger.view.root, ledger.view.checkpoint) == (view.root, view.checkpoint)
    ledger.close()
    assert (tmp_path / "guard").stat().st_mode & 0o777 == 0o600
