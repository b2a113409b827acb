"""Backups, restores and takedowns, on a running node and on a stopped one."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from tests.node.test_fingerprint import picture
from tests.support.logs import require_sound, works
from tests.support.node_process import node_process
from tests.support.signed import work

from byline_ledger import codec
from byline_ledger.check import check_ledger
from byline_ledger.content_parts import fingerprint_fields
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import (
    BylineError,
    CorruptStoreError,
    NotFoundError,
    ReadOnlyError,
    RedactedError,
    StoreError,
    StoreLockedError,
    UsageError,
)
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement
from byline_ledger.store import backup as backup_module
from byline_ledger.store.draft import draft_of
from byline_ledger.store.guard import Guard, read_guard, write_guard
from byline_ledger.store.node_files import NodeFiles
from byline_ledger.store.restored import read_restored
from byline_node import Client, similar_index, upkeep
from byline_node.c2pa_shelf import Kept
from byline_node.control import MAX_SOCKET_PATH, NAME, ask_node
from byline_node.errors import BusyError, NodeUnavailableError
from byline_node.fingerprint import Asked, fingerprint, question_about
from byline_node.home import Home, shelf_of
from byline_node.local import LocalClient


def quiet(_done: int, _total: int = 0) -> None:
    """Progress that nobody watches."""


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A stopped node's folder, with 300 statements."""
    folder = Home(tmp_path / "home").node
    ledger = Ledger.init(folder)
    ledger.append(works(0, 300))
    ledger.put_record(b"cursor", b"somewhere")
    ledger.close()
    (folder / "node.toml").write_text("# mine\n")
    (folder / "alarms").mkdir()
    (folder / "alarms" / "one.alarm").write_bytes(b"proof")
    return folder


# Stopped


@pytest.mark.parametrize("batch", [1, 5_000, 1 << 30])
def test_a_backup_holds_the_node_of_one_moment(
    node: Path, tmp_path: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module, "BATCH_BYTES", 100 * batch)
    target = tmp_path / "deep" / "backup"
    told: list[tuple[int, int]] = []
    mark = upkeep.backup(node, target, lambda *now: told.append(now))
    assert told[-1][0] == told[-1][1] == 2 * 300 + 302 + 600
    assert mark == read_restored(target / "restored")
    for name in ("secret", "origin", "guard", "node.toml", "alarms/one.alarm"):
        assert (target / name).read_bytes() == (node / name).read_bytes()
    modes = {p.stat().st_mode & 0o777 for p in target.rglob("*") if p.is_file()}
    assert modes == {0o600}
    assert {p.stat().st_mode & 0o777 for p in (target, target / "database")} == {0o700}
    assert not target.with_name("backup.unfinished").exists()
    require_sound(target)
    ledger, copy = Ledger.open(node), Ledger.open(target)
    assert copy.view.checkpoint == ledger.view.checkpoint
    assert copy.get_record(b"cursor") == b"somewhere"
    assert "restored from the backup of 20" in (copy.read_only or "")
    assert ledger.read_only is None
    with pytest.raises(ReadOnlyError):
        copy.append(works(900, 901))
    ledger.close()
    copy.close()


def test_nothing_is_written_over(node: Path, tmp_path: Path) -> None:
    target = tmp_path / "there"
    target.write_text("a file")
    with pytest.raises(UsageError, match="not empty"):
        upkeep.backup(node, target, quiet)
    assert target.read_text() == "a file"
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "mine").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        upkeep.backup(node, folder, quiet)
    upkeep.backup(node, tmp_path / "backup", quiet)
    with pytest.raises(UsageError, match="not empty"):
        upkeep.backup(node, tmp_path / "backup", quiet)
    with pytest.raises(UsageError, match="not empty"):
        upkeep.restore(tmp_path / "backup", node, quiet)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError):
        upkeep.backup(node, link, quiet)
    require_sound(node)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, StoreError])
def test_a_backup_that_broke_off_leaves_nothing(
    node: Path, tmp_path: Path, kind: type[BaseException]
) -> None:
    target = tmp_path / "backup"

    def stop(_done: int, _total: int) -> None:
        raise kind("stopped")

    with pytest.raises(kind):
        upkeep.backup(node, target, stop)
    assert [p.name for p in tmp_path.iterdir()] == ["home"]


def test_what_a_crash_left_of_a_backup_goes_with_the_next_one(
    node: Path, tmp_path: Path
) -> None:
    left = tmp_path / "backup.unfinished"
    (left / "database").mkdir(parents=True)
    (left / "database" / "000001.log").write_bytes(b"half")
    (left / "secret").write_bytes(b"half")
    upkeep.backup(node, tmp_path / "backup", quiet)
    require_sound(tmp_path / "backup")
    assert not left.exists()


def test_a_backup_does_not_follow_what_was_put_in_its_way(
    node: Path, tmp_path: Path
) -> None:
    victim, left = tmp_path / "victim", tmp_path / "backup.unfinished"
    (victim / "sub").mkdir(parents=True)
    (victim / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    for in_the_way in (victim, tmp_path / "file", tmp_path / "nowhere"):
        left.symlink_to(in_the_way)
        with pytest.raises(StoreError, match=r"backup\.unfinished"):
            upkeep.backup(node, tmp_path / "backup", quiet)
        left.unlink()
    left.write_text("x")
    with pytest.raises(StoreError, match=r"backup\.unfinished"):
        upkeep.backup(node, tmp_path / "backup", quiet)
    assert left.read_text() == "x"
    assert sorted(one.name for one in victim.iterdir()) == ["sub", "thesis.txt"]
    assert not (tmp_path / "backup").exists()


def test_a_backup_is_its_owners_alone_whatever_was_there(
    node: Path, tmp_path: Path
) -> None:
    left = tmp_path / "backup.unfinished"
    left.mkdir()
    left.chmod(0o777)
    upkeep.backup(node, tmp_path / "backup", quiet)
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_not_written_into(
    node: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "backup.unfinished"
    left.mkdir()
    (left / "theirs").write_text("x")
    monkeypatch.setattr(os, "geteuid", lambda: left.stat().st_uid + 1)
    with pytest.raises(StoreError, match="belongs to another user"):
        upkeep.backup(node, tmp_path / "backup", quiet)
    assert (left / "theirs").read_text() == "x"


def test_two_backups_to_one_folder_are_refused(node: Path, tmp_path: Path) -> None:
    with (
        draft_of(tmp_path / "backup"),
        pytest.raises(StoreLockedError, match="another program"),
    ):
        upkeep.backup(node, tmp_path / "backup", quiet)


def test_a_backup_of_a_log_that_is_behind_keeps_the_later_guard(
    node: Path, tmp_path: Path
) -> None:
    guard = read_guard(node / "guard")
    assert guard is not None
    later = Guard(guard.origin, 999, bytes(32))
    write_guard(node / "guard", later)
    upkeep.backup(node, tmp_path / "backup", quiet)
    assert read_guard(tmp_path / "backup" / "guard") == later


def test_a_restored_node_is_read_only_with_one_message(
    node: Path, tmp_path: Path
) -> None:
    upkeep.backup(node, tmp_path / "backup", quiet)
    home = Home(tmp_path / "other")
    home.node.mkdir(parents=True)  # an empty folder is no node
    counts: list[int] = []
    mark = upkeep.restore(tmp_path / "backup", home.node, counts.append)
    assert sum(counts) == backup_module.size_of_backup(tmp_path / "backup")
    assert mark.size == 302
    with LocalClient(home) as client:
        reason = client.status()["read_only"]
        assert reason.startswith("this node was restored from the backup of 20")
        assert "302 log entries" in reason
        assert "byline node recover" in reason
        assert client.view.statement_count == 300
        with pytest.raises(ReadOnlyError):
            client.publish([work("one more")])
    report = check_ledger(home.node)
    assert report.problem is None
    assert any("backup" in note for note in report.notes)


@pytest.mark.parametrize(
    ("damage", "kind", "message"),
    [
        (lambda f: shutil.rmtree(f), NotFoundError, "no backup in"),
        (lambda f: (f / "restored").unlink(), UsageError, "no backup"),
        (lambda f: (f / "restored").write_bytes(b"x"), CorruptStoreError, "damaged"),
        (lambda f: (f / "secret").unlink(), StoreError, "secret is missing"),
        (lambda f: (f / "secret").write_text("0" * 64 + "\n"), StoreError, "belong"),
        (lambda f: shutil.rmtree(f / "database"), StoreError, "database"),
        (lambda f: (f / "database/CURRENT").write_text("x"), StoreError, "database"),
    ],
)
def test_a_damaged_backup_makes_no_node(
    node: Path,
    tmp_path: Path,
    damage: Callable[[Path], object],
    kind: type[BylineError],
    message: str,
) -> None:
    upkeep.backup(node, tmp_path / "backup", quiet)
    damage(tmp_path / "backup")
    target = tmp_path / "other" / "node"
    with pytest.raises(kind, match=message):
        upkeep.restore(tmp_path / "backup", target, quiet)
    assert not target.exists()
    assert not target.with_name("node.unfinished").exists()


def test_no_node_no_backup(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no node in"):
        upkeep.backup(tmp_path / "none", tmp_path / "backup", quiet)
    with pytest.raises(NotFoundError, match="no node in"):
        upkeep.redact(tmp_path / "none", bytes(32), "a reason")


def drawn() -> tuple[Statement, Asked, bytes]:
    """A statement with fingerprints, a question that finds it, and a code of it."""
    data = picture_bytes()
    found = fingerprint([data], data).fingerprints
    assert found is not None
    prints = fingerprint_fields(found)
    code = next(one for one in found.windows if one != bytes(8))
    return work("drawn", fingerprints=prints), question_about([data], data), code


def picture_bytes() -> bytes:
    out = BytesIO()
    picture(3).save(out, "PNG")
    return out.getvalue()


def beside(node: Path, statement: Statement) -> Path:
    """A manifest for a statement on the node's shelf."""
    shelf = shelf_of(node)
    shelf.mkdir(exist_ok=True)
    kept = shelf / Kept("urn:c2pa:one", statement.id, 1).name
    kept.write_bytes(b"a manifest")
    return kept


@pytest.mark.parametrize("extra", [True, False])
def test_what_lies_beside_the_store_goes_with_a_body(
    node: Path, monkeypatch: pytest.MonkeyPatch, extra: bool
) -> None:
    """Fingerprints tell what a picture looks like; a manifest may show it."""
    one, asked, code = drawn()
    with LocalClient(Home(node.parent)) as client:
        client.publish([one])
        assert client.similar(asked).found
    images = node / similar_index.FOLDER / "images"
    assert code in images.read_bytes()
    gone, kept = beside(node, one), beside(node, work("another"))
    if not extra:

        def lacks(_node: Path) -> None:
            raise UsageError("fingerprints need an extra")

        monkeypatch.setattr(similar_index, "SimilarIndex", lacks)
    upkeep.redact(node, one.id, "a court said so")
    assert not extra or code not in images.read_bytes()
    assert images.exists() == extra
    assert not gone.exists()
    assert kept.exists()


def test_a_damaged_index_keeps_nothing_of_what_is_gone(node: Path) -> None:
    one, asked, code = drawn()
    with LocalClient(Home(node.parent)) as client:
        client.publish([one])
        assert client.similar(asked).found
    (node / similar_index.FOLDER / similar_index.STATE).write_bytes(b"{}")
    upkeep.redact(node, one.id, "a court said so")
    found = (node / similar_index.FOLDER).iterdir()
    assert all(code not in path.read_bytes() for path in found)


def test_a_takedown_on_a_stopped_node(node: Path) -> None:
    ledger = Ledger.open(node)
    one = work("to go")
    ledger.append([one])
    ledger.close()
    found = upkeep.redact(node, one.id, "a court said so")
    assert (found.index, found.is_new) == (302, True)
    again = upkeep.redact(node, one.id, "another reason")
    assert (again.tombstone, again.is_new) == (found.tombstone, False)
    with pytest.raises(UsageError, match="in one line"):
        upkeep.redact(node, one.id, "two\nlines")
    with pytest.raises(NotFoundError, match="holds no statement"):
        upkeep.redact(node, bytes(32), "a reason")
    with LocalClient(Home(node.parent)) as client:
        with pytest.raises(RedactedError, match="a court said so"):
            client.statement(one.id)
        with pytest.raises(RedactedError, match=r"1 of 1: .* a court said so") as error:
            client.publish([one])
        assert error.value.http_status == 410
    require_sound(node)


# Running


Running = tuple[Path, Client]


def run(folder: Path) -> Iterator[Running]:
    """A node with 300 statements."""
    with node_process(folder) as process:
        client = process.wait_ready()
        client.publish(works(0, 300))
        yield process.home.node, client
        client.close()
        code, _seconds, written = process.stop()
        assert code == 0, written


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    yield from run(tmp_path / "home")


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One for all who leave it as it is."""
    yield from run(tmp_path_factory.mktemp("lasting") / "home")


def test_a_running_node_is_backed_up_while_it_takes_statements(
    running: Running, tmp_path: Path
) -> None:
    node, client = running
    stop = threading.Event()

    def publish() -> None:
        number = 1000
        while not stop.is_set():
            client.publish(works(number, number + 20))
            number += 20

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        for number in range(3):
            target = tmp_path / f"backup-{number}"
            mark = upkeep.backup(node, target, quiet)
            report = check_ledger(target)
            assert report.problem is None
            assert report.size == mark.size >= 302
    finally:
        stop.set()
        thread.join()
    with pytest.raises(UsageError, match="not empty"):
        upkeep.backup(node, tmp_path / "backup-0", quiet)


def test_a_takedown_on_a_running_node(running: Running) -> None:
    node, client = running
    (one, asked, code), two = drawn(), work("to stay")
    client.publish([one, two])
    assert client.similar(asked).found
    images, manifest = node / similar_index.FOLDER / "images", beside(node, one)
    assert code in images.read_bytes()
    found = upkeep.redact(node, one.id, "a court said so")
    assert found.is_new
    assert code not in images.read_bytes()
    assert not manifest.exists()
    assert not client.similar(asked).found
    with pytest.raises(RedactedError, match="a court said so"):
        client.statement(one.id)
    with pytest.raises(RedactedError, match=cid_of_statement(one.id)):
        client.publish([two, one])
    assert client.statement(two.id) == two
    with pytest.raises(NotFoundError, match="holds no statement"):
        upkeep.redact(node, bytes(32), "a reason")


def connect(node: Path) -> socket.socket:
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    one.settimeout(10)
    one.connect(str(node / NAME))
    return one


def frame(value: object) -> bytes:
    data = codec.pack(value)  # type: ignore[arg-type]
    return len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"", "malformed"),
        (b"\x00\x00", "malformed"),
        (b"\xff\xff\xff\xff", "malformed"),
        (b"\x00\x00\x00\x01\xc1", "malformed"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", "malformed"),
        (frame([]), "malformed"),
        (frame({}), "malformed"),
        (frame({"do": 7}), "malformed"),
        (frame({"do": "stop"}), "malformed"),
        (frame({"do": "redact"}), "malformed"),
        (frame({"do": "redact", "id": b"x", "reason": "y"}), "malformed"),
        (frame({"do": "redact", "id": bytes(32), "reason": 1}), "malformed"),
        (frame({"do": "redact", "id": bytes(32), "reason": ""}), "usage"),
        (frame({"do": "backup"}), "usage"),
        (frame({"do": "backup", "folder": "relative"}), "usage"),
    ],
)
def test_hostile_bytes_at_the_control_socket(
    lasting: Running, sent: bytes, kind: str
) -> None:
    node, client = lasting
    assert (node / NAME).stat().st_mode & 0o777 == 0o600
    with connect(node) as one:
        one.sendall(sent)
        one.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := one.recv(65536):
                answer += piece
        except ConnectionResetError:
            assert len(sent) > 8  # more was sent than anybody would read
            return
    value = codec.unpack(answer[4:], max_size=65536, max_depth=3, what="answer")
    assert isinstance(value, dict)
    assert value["error"]["kind"] == kind  # type: ignore[index,call-overload]
    assert client.status()["statements"] == 300


def test_callers_who_say_nothing_keep_nobody_out_for_long(
    lasting: Running,
) -> None:
    node, _client = lasting
    idle = [connect(node) for _ in range(8)]
    refused = 0
    for one in idle[4:]:
        refused += b"busy" in one.recv(4096)
    assert refused == 4
    for one in idle:
        one.close()
    said: type[BylineError] = BusyError
    while said is BusyError:
        try:
            upkeep.redact(node, bytes(32), "a reason")
        except BylineError as error:
            said = type(error)
    assert said is NotFoundError


def test_a_command_that_goes_away_ends_its_backup(
    running: Running, tmp_path: Path
) -> None:
    node, _client = running
    with connect(node) as one:
        one.sendall(frame({"do": "backup", "folder": str(tmp_path / "backup")}))
    # Small as it is, it may have been made before anybody saw that; never by half.
    upkeep.backup(node, tmp_path / "other", quiet)
    assert not (tmp_path / "other.unfinished").exists()
    if (tmp_path / "backup").exists():
        require_sound(tmp_path / "backup")


def test_a_dead_nodes_socket_is_in_nobodys_way(tmp_path: Path) -> None:
    with node_process(tmp_path / "home") as process:
        client = process.wait_ready()
        client.publish([one := work("one")])
        client.close()
        process.stop(9)
        node = process.home.node
        assert (node / NAME).is_socket()
    with pytest.raises(NodeUnavailableError):
        ask_node(node, {"do": "redact"}, quiet)
    assert upkeep.redact(node, one.id, "a reason").is_new
    with node_process(tmp_path / "home") as process:
        process.wait_ready().close()
        assert not upkeep.redact(node, one.id, "another").is_new
        code, _seconds, written = process.stop()
        assert code == 0, written
        assert not (node / NAME).exists()


def test_a_socket_deep_in_folders(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120) / "home"
    deep.mkdir(parents=True)
    assert len(os.fsencode(Home(deep).node / NAME)) > MAX_SOCKET_PATH
    with node_process(deep) as process:
        client = process.wait_ready()
        client.publish([one := work("one")])
        assert upkeep.redact(process.home.node, one.id, "a reason").is_new
        with pytest.raises(RedactedError):
            client.statement(one.id)
        client.close()
        code, _seconds, written = process.stop()
        assert code == 0, written


def test_a_store_in_use_by_something_else_is_refused(node: Path) -> None:
    ledger = Ledger.open(node)
    with pytest.raises(StoreLockedError, match="in use"):
        upkeep.redact(node, bytes(32), "a reason")
    ledger.close()
    assert NodeFiles(node).is_node()
