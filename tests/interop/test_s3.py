"""A log in real S3-compatible storage and back: the same files, only new ones sent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interop.s3_server import KEY, SECRET, find_weed, s3_server
from tests.support.logs import LongLog, take_down, works

from byline_cli import main
from byline_ledger.errors import ContradictionError
from byline_ledger.log import Ledger, LogView
from byline_ledger.log_files import StatementName
from byline_node.http_log import ASK_AGAIN, FOR_EVER
from byline_node.log_copy import PROGRESS, LogCopy
from byline_node.log_source import FileSource, ViewFiles, open_source
from byline_node.s3_files import S3Files

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    for what, found in (
        ("weed (SeaweedFS)", find_weed()),
        ("obstore", has_obstore()),
    ):
        if not found:
            reason = f"{what} is not installed: run make interop"
            if os.environ.get("BYLINE_INTEROP"):
                pytest.fail(reason)
            pytest.skip(reason)
    with s3_server(tmp_path_factory.mktemp("s3")) as url:
        yield url


def has_obstore() -> bool:
    try:
        import obstore  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


@pytest.fixture
def endpoint(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server's URL, with credentials where AWS programs look for them."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BYLINE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BYLINE_NODE", raising=False)
    Ledger.init(tmp_path / "home" / "node").close()
    return tmp_path / "home" / "node"


def byline(*arguments: str) -> int:
    return main.run(["log", *arguments])


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_export_push_and_pull_give_identical_files_also_after_growth(
    tmp_path: Path, home: Path, endpoint: str
) -> None:
    place = "s3://logs/round/trip"
    at = ("--endpoint", endpoint)
    statements = works(0, 600)
    for grown, end in enumerate((200, 600)):
        ledger = Ledger.open(home)
        ledger.append(statements[:end])
        take_down(ledger, statements[grown])
        ledger.close()
        assert byline("export", str(tmp_path / "exported")) == 0
        assert byline("push", place, *at, "--from", str(tmp_path / "exported")) == 0
        assert byline("pull", place, str(tmp_path / "pulled"), *at) == 0
        assert byline("pull", place, str(tmp_path / f"fresh{grown}"), *at) == 0
        expected = files_in(tmp_path / "exported")
        assert files_in(tmp_path / "pulled") == expected
        # The partial tiles of earlier trees stay where they were, and only there.
        fresh = files_in(tmp_path / f"fresh{grown}")
        left = {path for path in expected if path not in fresh}
        assert fresh.items() <= expected.items()
        assert all(".p/" in path for path in left)


def test_what_comes_back_from_storage_and_what_lies_there_pass_an_audit(
    tmp_path: Path, home: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And neither does after one bit of it was flipped."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    statements = works(0, 400)
    ledger = Ledger.open(home)
    ledger.append(statements)
    take_down(ledger, statements[9])
    ledger.close()
    place, pulled = "s3://logs/audited", tmp_path / "pulled"
    assert byline("push", place) == 0
    assert byline("pull", place, str(pulled)) == 0
    assert audit(place, tmp_path / "one") == audit(pulled, tmp_path / "two") == 0
    tile = (pulled / "tile" / "0" / "000").read_bytes()
    flipped = bytes([tile[0] ^ 1]) + tile[1:]
    (pulled / "tile" / "0" / "000").write_bytes(flipped)
    S3Files(place).put("tile/0/000", flipped)
    assert audit(place, tmp_path / "three") == audit(pulled, tmp_path / "four") == 1


def audit(place: str | Path, state: Path) -> int:
    return main.run(["audit", str(place), "--state", str(state)])


def test_a_node_is_pushed_straight_from_its_store(
    tmp_path: Path, home: Path, endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger.open(home)
    ledger.append(works(0, 50))
    ledger.close()
    place = ("s3://logs/straight", "--endpoint", endpoint)
    assert byline("push", *place, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["size"], told["new"], told["place"]) == (52, 52, "s3://logs/straight")
    assert byline("push", *place, "--json") == 0
    assert json.loads(capsys.readouterr().out)["new"] == 0
    with open_source("s3://logs/straight/", endpoint=endpoint) as source:
        assert len(source.taken_down()) == 0
        assert source.body(works(0, 1)[0].id) is None


def test_objects_have_the_headers_they_shall_be_served_with(endpoint: str) -> None:
    files = S3Files("s3://logs/headers", endpoint=endpoint)
    for path, kind, keep in (
        ("checkpoint", "text/plain; charset=utf-8", ASK_AGAIN),
        ("tile/0/000", "application/octet-stream", FOR_EVER),
        (StatementName(bytes(32)).to_path(), "application/octet-stream", ASK_AGAIN),
    ):
        files.put(path, b"x")
        found = files._engine.get(files._store, path).attributes
        assert (found["Content-Type"], found["Cache-Control"]) == (kind, keep)


def test_an_interrupted_push_goes_on_where_it_stopped(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = LongLog().grow(9_000)
    target = S3Files("s3://logs/interrupted", endpoint=endpoint)
    put = S3Files.put

    def stopping(files: S3Files, path: str, data: bytes) -> None:
        if path.startswith("tile/entries/020"):
            raise KeyboardInterrupt
        put(files, path, data)

    monkeypatch.setattr(S3Files, "put", stopping)
    with pytest.raises(KeyboardInterrupt):
        push(view, target)
    monkeypatch.setattr(S3Files, "put", put)
    assert target.get(PROGRESS, 1_000).startswith(b"long.example/1\n4096\n")
    run = LogCopy(source_of(view), target)
    assert (run.old_size, run.start) == (0, 4_096)
    run.run()
    with open_source("s3://logs/interrupted", endpoint=endpoint) as source:
        assert source.checkpoint() == view.checkpoint


def source_of(view: LogView) -> FileSource:
    return FileSource(ViewFiles(view, "the log", lambda: None))


def push(view: LogView, target: S3Files) -> None:
    LogCopy(source_of(view), target).run()


def test_a_contradicting_tree_in_storage_is_kept_and_reported(endpoint: str) -> None:
    target = S3Files("s3://logs/forked", endpoint=endpoint)
    push(LongLog().grow(300), target)
    other = LongLog()
    other.tree, _ = other.tree.grow([bytes(32)])
    with pytest.raises(ContradictionError):
        push(other.grow(400), target)


def test_wrong_credentials_are_one_line_without_the_secret(
    tmp_path: Path,
    endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-that-secret")
    code = byline(
        "pull", "s3://logs/round/trip", str(tmp_path / "x"), "--endpoint", endpoint
    )
    said = capsys.readouterr().err
    assert code == 69
    assert "access is denied" in said
    assert said.count("\n") == 1
    assert "secret" not in said.lower().replace("aws_ variables", "")


def test_storage_that_does_not_answer_is_unavailable(
    tmp_path: Path, endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--endpoint", "http://127.0.0.1:1")
    assert byline("pull", "s3://logs/round/trip", str(tmp_path / "x"), *at) == 69
    assert capsys.readouterr().err.count("\n") == 1
