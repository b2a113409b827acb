"""Content Credentials from the command line, against a node that keeps manifests."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.program import Program
from tests.support.credentials import picture
from tests.support.node_process import NodeProcess

from byline_node.c2pa_deposit import active_label


@pytest.fixture(scope="module")
def byline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A program whose home has a key and a running node."""
    program = Program(tmp_path_factory.mktemp("credentials"))
    assert program("key", "new", "--no-passphrase").code == 0
    node = NodeProcess(program.home, settings="manifests = true\n")
    node.wait_ready()
    (program.folder / "photo.jpg").write_bytes(picture())
    done = program("attest", "photo.jpg", "--made", "human", "--title", "Dawn")
    assert done.code == 0, done.err
    yield program
    node.process.terminate()
    node.process.wait(20)


def ask(byline: Program, path: str) -> bytes:
    """The answer of the node to a program of somebody else."""
    api = json.loads((byline.home / "node" / "run.json").read_text())["api"]
    with urllib.request.urlopen(f"{api}/v1/{path}", timeout=20) as reply:
        data: bytes = reply.read()
    return data


def kept_by(byline: Program) -> list[Path]:
    return sorted((byline.home / "node" / "credentials").glob("*.c2pa"))


def test_a_manifest_can_be_left_with_the_node(byline: Program) -> None:
    done = byline(
        *("export", "--c2pa", "photo.jpg", "--out", "photo.c2pa.jpg"),
        *("--deposit", "--json"),
    )
    assert done.code == 0, done.err
    said: dict[str, Any] = done.json
    assert said["deposited"]
    assert said["attested"]["new"]
    (kept,) = kept_by(byline)
    assert kept.read_bytes() in (byline.folder / "photo.c2pa.jpg").read_bytes()
    known = byline("query", "photo.c2pa.jpg", "--json")
    assert known.code == 0


def test_so_can_the_one_of_somebody_else(byline: Program) -> None:
    shutil.copy(byline.folder / "photo.c2pa.jpg", byline.folder / "found.jpg")
    assert byline("key", "new", "finder", "--no-passphrase").code == 0
    arguments = ("import", "--c2pa", "found.jpg", "--key", "finder", "--deposit")
    done = byline(*arguments)
    assert done.code == 0, done.err
    assert "Left with the node" in done.err
    # Each statement has its own: neither goes with the other's.
    first, second = kept_by(byline)
    assert first.read_bytes() == second.read_bytes()
    dry = byline(*arguments, "--dry-run")
    assert dry.code == 2
    assert "published" in dry.complaint


def test_what_is_left_is_given_to_programs_of_others(byline: Program) -> None:
    kept = kept_by(byline)[0]
    label = active_label(kept.read_bytes())
    assert ask(byline, f"manifests/{label}") == kept.read_bytes()
