"""`recover` and `continue_as`: no log is lost that somebody has, and none forks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.support.logs import require_sound, works
from tests.support.web_server import Answer, web_server

from byline_ledger.check import check_ledger
from byline_ledger.cosignature import cosign
from byline_ledger.crypto import SigningKey
from byline_ledger.errors import (
    ContradictionError,
    InconsistentLogError,
    ReadOnlyError,
    StoreError,
    UsageError,
)
from byline_ledger.followed import Followed
from byline_ledger.log import Ledger
from byline_ledger.note import parse_note
from byline_ledger.statement import Statement
from byline_ledger.store.guard import read_guard
from byline_ledger.store.node_files import init_node
from byline_ledger.tombstone import Tombstone
from byline_ledger.witness import merge
from byline_node import successor, upkeep
from byline_node.folder_files import FolderTarget
from byline_node.log_copy import LogCopy
from byline_node.log_source import open_source
from byline_node.recover import Recovered, recover, why_stopped
from byline_node.successor import continue_as


def quiet(_done: int, _total: int = 0) -> None:
    """Progress that nobody watches."""


class Scene:
    """A node, a backup of it from earlier, and an export of all that came since."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.node, self.backup = folder / "home" / "node", folder / "backup"
        self.export_folder = folder / "export"
        ledger = Ledger.init(self.node)
        self.early = works(0, 20)
        ledger.append(self.early)
        ledger.close()
        upkeep.backup(self.node, self.backup, quiet)
        self.statements = works(20, 400)
        self.append(self.statements[:1], self.statements[1:])
        self.export()

    def append(self, *batches: list) -> None:  # type: ignore[type-arg]
        ledger = Ledger.open(self.node)
        for batch in batches:
            ledger.append(batch)
        self.view = ledger.view
        ledger.close()

    def export(self) -> None:
        target = FolderTarget(self.export_folder)
        with open_source(str(self.node)) as source:
            LogCopy(source, target).run()
        target.close()

    def lose(self) -> None:
        """The disk is gone, and the backup is put in its place."""
        self.node.rename(self.folder / "lost")
        upkeep.restore(self.backup, self.node, quiet)

    def recover(self, *places: str | Path, nothing_lost: bool = False) -> Recovered:
        names = [str(place) for place in places]
        return recover(self.node, names, nothing_lost=nothing_lost)

    def goes_on(self) -> None:
        """The log can be written again, and is one history with what it signed."""
        require_sound(self.node)
        ledger = Ledger.open(self.node)
        assert ledger.read_only is None
        assert ledger.view.size >= self.view.size
        for one in self.statements:
            assert ledger.view.statement(one.id) == one
        assert ledger.append(works(9000, 9001))[0].new
        ledger.close()
        with open_source(str(self.node)) as source:
            target = FolderTarget(self.export_folder)
            LogCopy(source, target).run()  # raises where the two contradict each other
            target.close()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def mirror_of(scene: Scene, **changed: Any) -> Answer:
    """What a node says that follows this log, or says falsely."""
    size = scene.view.size
    says = {"origin": scene.view.origin, "size": size, "seen": size}
    says |= {"time": int(time.time()) + 1} | changed
    return lambda nonce: Followed(**{"nonce": nonce} | says).to_bytes()


def test_a_restored_backup_is_brought_up_from_a_mirror(scene: Scene) -> None:
    scene.lose()
    with web_server(scene.export_folder, mirror_of(scene)) as url:
        found = scene.recover(url)
    assert (found.before, found.size) == (22, scene.view.size)
    assert (found.word, found.read_only, found.lost) == (url, None, 0)
    assert found.refused == ()
    assert not (scene.node / "restored").exists()
    scene.goes_on()


def test_an_export_behind_a_web_server_is_nobodys_word(scene: Scene) -> None:
    """Nor is what somebody put beside it."""
    scene.append(works(1000, 1010))
    scene.lose()
    for old in (b"", mirror_of(scene)(bytes(16))):
        (scene.export_folder / "followed").write_bytes(old)
        with web_server(scene.export_folder) as url:
            found = scene.recover(url)
            assert found.size < scene.view.size
            assert found.word is None
            assert found.read_only is not None
            ((name, reason),) = found.refused
            assert name == url
            assert "no mirror that a running node keeps" in reason


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"origin": "other.example/1"}, "mirror of other.example/1"),
        ({"seen": 10**6}, "it saw 1000000 entries, and has copied"),
        ({"size": 30, "seen": 30}, "entries, and now has 30"),
        ({"time": 0}, "not cosigned"),
        ({"time": 1_700_000_000}, "2023-11-14 22:13 UTC, before the backup"),
        ({"nonce": bytes(16)}, "not asked with"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_mirror_has_a_word_only_if_it_knows_the_end(
    scene: Scene, changed: dict[str, Any], reason: str
) -> None:
    scene.lose()
    with web_server(scene.export_folder, mirror_of(scene, **changed)) as url:
        found = scene.recover(url)
    assert found.size == scene.view.size
    assert (found.word, found.read_only is None) == (None, False)
    assert reason in found.refused[0][1]


def test_a_mirror_that_lags_behind_another_copy_has_no_word(scene: Scene) -> None:
    old, size = scene.folder / "old", scene.view.size
    shutil.copytree(scene.export_folder, old)
    scene.append(works(1000, 1010))
    scene.export()
    scene.lose()
    with web_server(old, mirror_of(scene, size=size, seen=size)) as url:
        found = scene.recover(url, scene.export_folder)
    assert (found.size, found.word) == (scene.view.size, None)
    assert found.read_only is not None
    reasons = dict(found.refused)
    assert f"it has {size} entries" in reasons[url]
    assert "last export" in reasons[str(scene.export_folder)]


def test_a_folder_brings_the_log_up_and_answers_for_nothing(scene: Scene) -> None:
    scene.lose()
    found = scene.recover(scene.export_folder)
    assert found.size == scene.view.size
    assert found.word is None
    assert "restored from the backup" in (found.read_only or "")
    found = scene.recover(scene.export_folder, nothing_lost=True)
    assert "the operator" in (found.word or "")
    assert found.read_only is None
    scene.goes_on()


def test_a_database_behind_its_guard_needs_nobodys_word(scene: Scene) -> None:
    guard = (scene.node / "guard").read_bytes()
    scene.lose()
    (scene.node / "restored").unlink()
    (scene.node / "guard").write_bytes(guard)
    with pytest.raises(ReadOnlyError, match="were signed"):
        scene.recover(nothing_lost=True)
    found = scene.recover(scene.export_folder)
    assert (found.word, found.read_only) == (None, None)
    scene.goes_on()


def test_a_guard_that_is_gone_is_nobodys_word(scene: Scene) -> None:
    """Neither the copy that helps nor the guard that is made of it answers for the end,
    now or at the next start."""
    scene.append(works(1000, 1010))
    scene.lose()
    for name in ("restored", "guard"):
        (scene.node / name).unlink()
    for _ in range(2):
        found = scene.recover(scene.export_folder)
        assert found.word is None
        assert "nobody has confirmed" in (found.read_only or "")
        assert why_stopped(scene.node) == found.read_only
    found = scene.recover(scene.folder / "lost", nothing_lost=True)
    assert found.read_only is None
    scene.goes_on()


def test_an_old_guard_is_nobodys_word(scene: Scene) -> None:
    """A disk image from earlier, guard and all."""
    scene.append(works(1000, 1010))
    scene.lose()
    (scene.node / "restored").unlink()
    assert why_stopped(scene.node) is None
    found = scene.recover(scene.export_folder)
    assert "were signed" in (found.read_only or "")
    assert why_stopped(scene.node) == found.read_only


def test_copies_that_end_before_the_guard_do_not_end_it(scene: Scene) -> None:
    scene.append(works(500, 510))
    guard = (scene.node / "guard").read_bytes()
    scene.lose()
    (scene.node / "restored").unlink()
    (scene.node / "guard").write_bytes(guard)
    found = scene.recover(scene.export_folder)
    assert found.size < scene.view.size
    assert f"{scene.view.size} were signed" in (found.read_only or "")
    with pytest.raises(ReadOnlyError):
        scene.recover(scene.export_folder, nothing_lost=True)
    found = scene.recover(scene.folder / "lost", scene.export_folder)
    assert (found.size, found.read_only) == (scene.view.size, None)
    scene.goes_on()


def test_the_furthest_of_several_copies_counts(scene: Scene) -> None:
    old = scene.folder / "old"
    shutil.copytree(scene.export_folder, old)
    scene.append(works(500, 510))
    scene.export()
    scene.lose()
    found = scene.recover(old, scene.export_folder, nothing_lost=True)
    assert (found.size, found.source) == (scene.view.size, str(scene.export_folder))
    scene.goes_on()


def test_two_histories_end_with_exit_code_4_and_nothing_touched(scene: Scene) -> None:
    """Somebody wrote on with the backup, against all warnings."""
    scene.lose()
    (scene.node / "restored").unlink()
    ledger = Ledger.open(scene.node)
    ledger.append(works(7000, 7003))
    ledger.close()
    before = {
        path: path.read_bytes()
        for path in (scene.node / "guard", *scene.node.glob("database/*.ldb"))
    }
    with pytest.raises(ContradictionError) as caught:
        scene.recover(scene.export_folder, nothing_lost=True)
    assert isinstance(caught.value, InconsistentLogError)
    assert caught.value.exit_code == 4
    assert {path: path.read_bytes() for path in before} == before
    # Two copies that contradict each other are found before anything is taken.
    shutil.copytree(scene.node, scene.folder / "fork")
    shutil.rmtree(scene.node)
    upkeep.restore(scene.backup, scene.node, quiet)
    with pytest.raises(ContradictionError):
        scene.recover(scene.folder / "fork", scene.export_folder)
    ledger = Ledger.open(scene.node)
    assert ledger.view.size == 22
    ledger.close()


def test_another_log_is_no_copy(scene: Scene) -> None:
    Ledger.init(scene.folder / "other").close()
    with pytest.raises(UsageError, match="no copy of this log"):
        scene.recover(scene.folder / "other")


def test_bodies_that_were_lost_come_back_from_another_copy(scene: Scene) -> None:
    one, two = scene.statements[3], scene.statements[100]
    full = scene.folder / "full"
    shutil.copytree(scene.export_folder, full)
    for gone in (one, two):
        name = gone.id.hex()
        (scene.export_folder / "statements" / name[:2] / name).unlink()
    scene.lose()
    found = scene.recover(scene.export_folder, nothing_lost=True)
    assert (found.lost, found.put_back, found.read_only) == (2, 0, None)
    assert check_ledger(scene.node).redacted == 2
    found = scene.recover(full)
    assert (found.lost, found.put_back) == (0, 2)
    scene.goes_on()


def take_down_in(export: Path, statements: Iterable[Statement]) -> None:
    """As if the copy were of somebody who took these down; nobody signed it."""
    for one in statements:
        body = export / "statements" / one.id.hex()[:2] / one.id.hex()
        body.unlink()
        gone = Tombstone("rights holder", 1).to_bytes()
        body.with_name(body.name + ".gone").write_bytes(gone)
    ids = sorted(one.id.hex() for one in statements)
    (export / "statements" / "gone").write_text("".join(f"{i}\n" for i in ids))


def reasons(node: Path, statements: Iterable[Statement]) -> set[str | None]:
    ledger = Ledger.open(node)
    found = [ledger.view.tombstone(one.id) for one in statements]
    ledger.close()
    return {one and one.reason for one in found}


@pytest.mark.parametrize("turned", [False, True])
def test_a_copy_that_took_everything_down_takes_nothing_from_this_log(
    scene: Scene, turned: bool
) -> None:
    full = scene.folder / "full"
    shutil.copytree(scene.export_folder, full)
    take_down_in(scene.export_folder, scene.statements)
    scene.lose()
    places = [scene.export_folder, full]
    found = scene.recover(*(places[::-1] if turned else places), nothing_lost=True)
    assert found.lost == 0
    assert dict(found.taken_down) == {str(scene.export_folder): len(scene.statements)}
    assert reasons(scene.node, scene.statements) == {None}
    scene.goes_on()


def test_what_only_a_strangers_takedown_is_left_of_can_come_back(scene: Scene) -> None:
    full, some = scene.folder / "full", scene.statements[:7]
    shutil.copytree(scene.export_folder, full)
    take_down_in(scene.export_folder, some)
    scene.lose()
    found = scene.recover(scene.export_folder, nothing_lost=True)
    assert found.lost == 7
    assert reasons(scene.node, some) == {"not recovered"}
    # Also in a new log: from a copy, or from whoever brings it.
    made = continue_as(scene.node, "new.example")
    assert made.missing == 7
    ledger = Ledger.open(scene.node)
    assert not ledger.append(some[:3])[0].new
    assert ledger.put_back(some[3:]) == 4
    ledger.close()
    assert reasons(scene.node, some) == {None}
    assert reasons(made.kept, some) == {"not recovered"}


def test_takedowns_of_this_log_are_kept_on_the_operators_word(scene: Scene) -> None:
    """Also of what was in the backup, and where another copy has the body."""
    full = scene.folder / "full"
    shutil.copytree(scene.export_folder, full)
    early, one = scene.early[7], scene.statements.pop(5)
    for taken in (early, one):
        upkeep.redact(scene.node, taken.id, "a court said so")
    scene.export()
    scene.lose()
    own = [str(scene.export_folder)]
    found = recover(scene.node, [str(full)], own=own, nothing_lost=True)
    assert (found.lost, found.taken_down) == (0, ())
    assert reasons(scene.node, [early, one]) == {"a court said so"}
    scene.goes_on()


def test_a_takedown_can_be_taken_over_afterwards(scene: Scene) -> None:
    one = scene.statements.pop(5)
    upkeep.redact(scene.node, one.id, "a court said so")
    scene.export()
    scene.lose()
    found = scene.recover(scene.export_folder, nothing_lost=True)
    assert (found.lost, found.taken_down) == (1, ((str(scene.export_folder), 1),))
    found = recover(scene.node, [], own=[str(scene.export_folder)])
    assert (found.lost, found.taken_down) == (0, ())
    assert reasons(scene.node, [one]) == {"a court said so"}
    scene.goes_on()


def test_why_a_log_stopped(scene: Scene) -> None:
    assert why_stopped(scene.node) is None
    scene.lose()
    assert "byline node recover" in (why_stopped(scene.node) or "")


# A new origin


def test_a_sound_log_is_ended_and_another_goes_on(scene: Scene) -> None:
    taken = scene.statements[0]
    upkeep.redact(scene.node, taken.id, "a court said so")
    (scene.node / "node.toml").write_text("# mine\n")
    peer = Ledger.open(scene.node)
    seed, view = peer.transport_seed, peer.view
    tombstone = view.tombstone(taken.id)
    peer.close()
    told: list[tuple[int, int]] = []
    made = continue_as(scene.node, "new.example", lambda *now: told.append(now))
    assert made.old == view.origin
    assert made.new.startswith("new.example/")
    assert (made.statements, made.missing, made.ended) == (400, 1, None)
    assert told[-1] == (400, 400)
    require_sound(scene.node)
    require_sound(made.kept)
    ledger, old = Ledger.open(scene.node), Ledger.open(made.kept)
    assert ledger.read_only is None
    assert ledger.transport_seed == seed
    assert ledger.view.vkey != view.vkey
    assert (old.read_only or "").endswith(f"operator: continued as {made.new}")
    indexes = [ledger.view.index_of(one.id) or 0 for one in scene.statements]
    assert indexes == sorted(indexes)
    assert ledger.view.set_root == view.set_root
    assert ledger.view.tombstone(taken.id) == tombstone
    assert not ledger.append([taken])[0].new
    assert ledger.view.tombstone(taken.id) is not None
    assert ledger.append(works(9000, 9001))[0].new
    ledger.close()
    old.close()
    assert (scene.node / "node.toml").read_text() == "# mine\n"
    # And once more: both old logs are kept, side by side.
    again = continue_as(scene.node, "new.example")
    assert made.kept.is_dir()
    assert again.kept.is_dir()
    assert len(list((scene.node / "retired").iterdir())) == 2


def test_a_log_that_may_be_behind_is_left_unsigned(scene: Scene) -> None:
    scene.lose()
    before = read_guard(scene.node / "guard")
    made = continue_as(scene.node, "new.example")
    assert "restored from the backup" in (made.ended or "")
    assert made.statements == 20
    assert read_guard(made.kept / "guard") == before
    old = Ledger.open(made.kept)
    assert old.view.size == 22
    assert "restored from the backup" in (old.read_only or "")
    old.close()


def cosigned(node: Path) -> None:
    """Somebody cosigns the newest tree."""
    ledger = Ledger.open(node)
    note = ledger.view.checkpoint
    key = SigningKey.from_seed(b"w" * 32)
    line = cosign(parse_note(note).text, "w.example/1", key, 1_790_000_000)
    ledger.keep_cosigned(merge(note, [line]))
    ledger.close()


def test_a_log_that_others_cosigned_is_not_ended_before_they_were_asked(
    scene: Scene,
) -> None:
    """A disk image is put back, guard and all: only its cosigners could know."""
    cosigned(scene.node)
    image = scene.folder / "image"
    shutil.copytree(scene.node, image)
    scene.append(works(1000, 1001))
    shutil.rmtree(scene.node)
    shutil.copytree(image, scene.node)
    made = continue_as(scene.node, "new.example")
    assert "cosigned" in (made.ended or "")
    old = Ledger.open(made.kept)
    assert old.view.size < scene.view.size
    assert old.read_only is None
    old.close()
    with open_source(str(made.kept)) as source:
        assert source.checkpoint() != scene.view.checkpoint


def test_a_log_that_others_cosigned_is_ended_on_its_operators_word(
    scene: Scene,
) -> None:
    cosigned(scene.node)
    made = continue_as(scene.node, "new.example", is_confirmed=True)
    assert made.ended is None
    assert "continued as" in (why_stopped(made.kept) or "")


def test_a_succession_that_broke_off_is_done_again_or_finished(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    # While the new log is filled: the old one is untouched.
    with pytest.raises(KeyboardInterrupt):
        continue_as(scene.node, "new.example", _interrupt)
    assert sorted(p.name for p in scene.node.parent.iterdir()) == ["node"]
    assert why_stopped(scene.node) is None
    # The old one has ended, and has to make room for the one that its notice names.
    with monkeypatch.context() as broken:
        broken.setattr(successor, "_swap", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            continue_as(scene.node, "new.example")
    assert "continued as" in (why_stopped(scene.node) or "")
    # Between the two renames: no new node is made in its place.
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name.endswith(".next"):
            raise OSError(5, "Input/output error")
        return real(self, target)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", rename)
        with pytest.raises(StoreError, match="Input/output"):
            continue_as(scene.node, "new.example")
    assert not scene.node.exists()
    with pytest.raises(StoreError, match="waits to take the place") as caught:
        init_node(scene.node)
    assert "recover" in (caught.value.hint or "")
    made = continue_as(scene.node, "new.example")
    assert (made.statements, made.missing, made.ended) == (400, 0, None)
    require_sound(scene.node)
    require_sound(made.kept)


def _interrupt(*_arguments: object) -> None:
    raise KeyboardInterrupt
