"""Tessera's fsck, unmodified, audits a node; and finds one flipped bit.

Version 1.0.4 ends with 0 whatever it found and says it in its log; with one worker it
never ends after an error.  So its words are read, and it gets eight.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.audit.run import fill
from tests.interop.go_tools import program
from tests.support.node_process import node_process

from byline_cli import main
from byline_ledger.log import Ledger
from byline_ledger.tiles import Tile

pytestmark = pytest.mark.interop

ENTRIES = 100_000
FSCK_SECONDS = 300


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program("fsck")
    folder = tmp_path_factory.mktemp("fsck") / "home"
    # With the commitments, the log has this many entries.
    batches = ENTRIES // 1_001
    fill(folder / "node", batches * 1_000 + ENTRIES - batches * 1_001 - 2, 1)
    ledger = Ledger.open(folder / "node")
    assert ledger.view.size == ENTRIES
    (folder / "vkey").write_text(ledger.view.vkey + "\n")
    ledger.close()
    return folder


def fsck(url: str, home: Path) -> str:
    """What it says in the end."""
    done = subprocess.run(
        [
            program("fsck"),
            *("--storage_url", url),
            *("--public_key", str(home / "vkey")),
            *("--ui=false", "-N", "8"),
        ],
        capture_output=True,
        text=True,
        timeout=FSCK_SECONDS,
        check=True,
    )
    return done.stderr[:4000]


def test_a_node_passes(home: Path) -> None:
    with node_process(home) as node:
        client = node.wait_ready()
        assert f"Successfully fsck'd log with size {ENTRIES}" in fsck(
            client.url + "/log/", home
        )


@pytest.fixture(scope="module")
def export(home: Path) -> Path:
    """The log as files."""
    folder = home.parent / "export"
    os.environ["BYLINE_HOME"] = str(home)
    try:
        assert main.run(["log", "export", str(folder)]) == 0
    finally:
        del os.environ["BYLINE_HOME"]
    return folder


def test_an_export_passes(home: Path, export: Path) -> None:
    assert "Successfully fsck'd" in fsck(f"file://{export}/", home)


@pytest.mark.parametrize("path", [Tile(0, 200).to_path(), Tile(None, 77).to_path()])
def test_one_flipped_bit_fails(home: Path, export: Path, path: str) -> None:
    file = export / path
    whole = file.read_bytes()
    damaged = bytearray(whole)
    damaged[1234] ^= 0x20
    file.write_bytes(damaged)
    try:
        said = fsck(f"file://{export}/", home)
    finally:
        file.write_bytes(whole)
    assert "fsck failed" in said
    assert "Successfully" not in said
