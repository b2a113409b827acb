"""`byline log`: the copy it writes, whatever ends it, and what it refuses."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from tests.cli.program import Program
from tests.support.logs import take_down, works
from tests.support.node_process import node_process
from tests.support.waiting import wait_until

from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.log import Ledger
from byline_ledger.merkle import leaf_hash
from byline_ledger.statement import Statement
from byline_node.folder_files import FolderTarget


@pytest.fixture
def byline(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    Ledger.init(program.home / "node").close()
    return program


def append(byline: Program, statements: list[Statement]) -> None:
    ledger = Ledger.open(byline.home / "node")
    ledger.append(statements)
    ledger.close()


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_stopped_and_a_running_node_are_exported_alike(byline: Program) -> None:
    statements = works(0, 300)
    append(byline, statements)
    ledger = Ledger.open(byline.home / "node")
    take_down(ledger, statements[7])
    origin = ledger.view.origin
    ledger.close()
    done = byline("log", "export", "stopped")
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "stopped holds the log, 302 entries.",
        f"  log   {origin}",
        "  new   302 entries",
        "  gone  1 body taken down",
    ]
    with node_process(byline.home) as node:
        done = byline("log", "export", "running", BYLINE_NODE=node.wait_ready().url)
        assert done.code == 0, done.err
    assert files_in(byline.folder / "running") == files_in(byline.folder / "stopped")


def test_exported_again_it_tells_what_is_new_and_what_is_gone(byline: Program) -> None:
    statements = works(0, 5)
    append(byline, statements)
    assert byline("log", "export", "copy").code == 0
    ledger = Ledger.open(byline.home / "node")
    ledger.append(works(5, 8))
    take_down(ledger, statements[0])
    root = ledger.view.root.hex()
    ledger.close()
    told = byline("log", "export", "copy", "--json").json
    assert (told["size"], told["new"], told["taken_down"]) == (11, 4, 1)
    assert told["root"] == root
    assert "  gone  1 body" not in byline("log", "export", "copy").out


def test_killed_at_any_moment_it_goes_on_and_completes_the_copy(
    byline: Program,
) -> None:
    append(byline, works(0, 100))
    copy = byline.folder / "copy"
    assert byline("log", "export", copy).code == 0
    before = (copy / "checkpoint").read_bytes()
    append(byline, works(100, 6_000))
    for wanted in (150, 1_000, 5_000):
        running = subprocess.Popen(
            byline.command("log", "export", copy), env=byline.environment
        )
        wait_until(
            lambda: sum(1 for _ in (copy / "statements").glob("??/*")) >= wanted  # noqa: B023
        )
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert (copy / "checkpoint").read_bytes() == before
    assert byline("log", "export", copy).code == 0
    assert byline("log", "export", "other").code == 0
    left, other = files_in(copy), files_in(byline.folder / "other")
    assert other.items() <= left.items()
    assert all(".p/" in path for path in set(left) - set(other))


def test_stopped_by_ctrl_c_it_says_so(byline: Program) -> None:
    append(byline, works(0, 3_000))
    copy = byline.folder / "copy"
    running = subprocess.Popen(
        byline.command("log", "export", copy),
        env=byline.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: (copy / "statements").is_dir())
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert said.startswith("byline: stopped; ")
    assert said.endswith("run it again to go on\n")


# What is refused


def test_a_copy_that_contradicts_the_log_exits_with_4(byline: Program) -> None:
    append(byline, works(0, 3))
    assert byline("log", "export", "copy").code == 0
    ledger = Ledger.open(byline.home / "node")
    other = Checkpoint(ledger.view.origin, 1, leaf_hash(b"another beginning"))
    note = sign_checkpoint(other, ledger.keys.log)
    ledger.close()
    (byline.folder / "copy" / "checkpoint").write_bytes(note)
    done = byline("log", "export", "copy")
    assert done.code == 4
    assert "contradict each other: 1 and 5 entries" in done.complaint
    assert (byline.folder / "copy" / "checkpoint").read_bytes() == note


def test_another_log_and_another_folder_are_left_alone(byline: Program) -> None:
    assert byline("log", "export", "copy").code == 0
    before = files_in(byline.folder / "copy")
    (byline.folder / "stranger").mkdir()
    stranger = Program(byline.folder / "stranger")
    Ledger.init(stranger.home / "node").close()
    done = stranger("log", "export", byline.folder / "copy")
    assert (done.code, "another log" in done.complaint) == (2, True)
    assert files_in(byline.folder / "copy") == before
    done = byline("log", "export", byline.home)
    assert (done.code, "not empty" in done.complaint) == (2, True)


def test_two_exports_into_one_folder_do_not_meet(byline: Program) -> None:
    target = FolderTarget(byline.folder / "copy")
    done = byline("log", "export", "copy")
    assert (done.code, "another program" in done.complaint) == (74, True)
    target.close()


def test_a_place_that_cannot_be_a_folder_is_one_line(byline: Program) -> None:
    byline.write("file", "x")
    assert byline("log", "export", "file").code == 74
    assert byline("log", "export", "file/below").code == 74
    assert byline("log", "pull", "nowhere", "copy").code == 3
    assert byline("log", "pull", "http://127.0.0.1:1", "copy").code == 69
    assert not (byline.folder / "copy").exists()


def test_without_a_node_nothing_is_made(tmp_path: Path) -> None:
    program = Program(tmp_path)
    assert program("log", "export", "copy").code == 3
    assert not program.home.exists()
    assert not (tmp_path / "copy").exists()


def test_without_the_extra_the_pip_command_is_named(byline: Program) -> None:
    byline.write("obstore.py", "raise ModuleNotFoundError('none', name='obstore')\n")
    done = byline.start("log", "push", "s3://bucket/log", PYTHONPATH=str(byline.folder))
    assert done.code == 2
    assert 'pip install "byline-ledger[s3]"' in done.complaint


@pytest.mark.parametrize(
    "arguments",
    [
        ("s3://UPPER/x",),
        ("http://127.0.0.1:1/x",),
        ("s3://bucket/log", "--endpoint", "nonsense"),
        ("s3://bucket/log", "--endpoint", "http://127.0.0.1:1", "--region", "a b"),
    ],
)
def test_a_wrong_place_in_storage_is_usage(
    byline: Program, arguments: tuple[str, ...]
) -> None:
    pytest.importorskip("obstore", reason="the extra s3 is not installed")
    done = byline("log", "push", *arguments)
    assert done.code == 2
    assert "expected" in done.complaint
