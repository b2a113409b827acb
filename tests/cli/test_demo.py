"""`byline demo`: it holds, and it leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.cli.program import Program

LIMIT = 150


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder for the demonstration's temporary files."""
    place = tmp_path / "tmp"
    place.mkdir()
    return place


@pytest.mark.slow
def test_the_demonstration_holds(tmp_path: Path, place: Path) -> None:
    """Three processes, over 1,000 files, equal roots, and nothing left."""
    ended = Program(tmp_path)("demo", "--json", timeout=LIMIT, TMPDIR=str(place))
    assert ended.code == 0, ended.err
    facts = ended.json
    assert len({node["pid"] for node in facts["nodes"]}) == 3
    assert len({node["peer_id"] for node in facts["nodes"]}) == 3
    assert len({node["folder"] for node in facts["nodes"]}) == 3
    assert facts["attested"] > 1000
    assert facts["statements"] == facts["attested"] + 7
    assert set(facts["set_roots"]) == {facts["naive_root"]}
    assert not any(is_alive(node["pid"]) for node in facts["nodes"])
    assert list(place.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_stopped_demonstration_leaves_nothing(
    tmp_path: Path, place: Path, number: int, code: int
) -> None:
    """Ctrl-C, and what a service manager sends, while its nodes run."""
    program = Program(tmp_path)
    process = subprocess.Popen(
        program.command("demo"),
        env=program.environment | {"TMPDIR": str(place)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        children = wait_for_children(process)
        process.send_signal(number)
        printed, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == code, printed
    assert "Traceback" not in printed
    assert not any(map(is_alive, children))
    assert list(place.iterdir()) == []


def wait_for_children(process: subprocess.Popen[str]) -> list[int]:
    """The nodes, once all three run."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        found = [int(pid) for pid in children.read_text().split()]
        if len(found) == 3:
            return found
        time.sleep(0.02)
    raise AssertionError("the nodes did not start")
