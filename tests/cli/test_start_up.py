"""What commands cost to start, and what they must not load."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.program import Program

HEAVY = {"libp2p", "trio", "fastapi", "hypercorn", "plyvel", "httpx", "rich", "nacl"}
HELP_SECONDS = 0.3

LOADED = """
import sys
from byline_cli.main import run
code = run(sys.argv[1:])
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


def cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    """CPU of one child process, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_help_costs_under_three_tenths_of_a_second(tmp_path: Path) -> None:
    """The best of three: a machine busy with other things only adds."""
    byline = Program(tmp_path)
    command = byline.command("--help")
    costs = [cpu_seconds(command, byline.environment) for _ in range(3)]
    assert min(costs) < HELP_SECONDS


def loaded(byline: Program, *arguments: str) -> set[str]:
    """Top-level packages that a command loads."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=byline.folder,
        env=byline.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.splitlines()[-1]
    assert last.startswith("loaded: "), done.stderr
    return set(last.split()[1:])


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    """Not even the modules of the commands it lists."""
    assert not loaded(Program(tmp_path), "--help") & HEAVY


def test_verify_loads_no_network_and_no_database(tmp_path: Path) -> None:
    """It is offline by construction."""
    byline = Program(tmp_path)
    byline.write("photo.jpg", "a picture")
    byline.new_key()
    assert byline("attest", "photo.jpg", "--made", "human").code == 0
    assert byline("query", "photo.jpg", "--save", "photo.byline").code == 0
    needed = {"nacl"}
    found = loaded(byline, "verify", "photo.byline", "photo.jpg")
    assert not found & (HEAVY - needed)


def test_query_of_the_local_store_loads_no_network(tmp_path: Path) -> None:
    """libp2p is two seconds of CPU that only a running node has to spend."""
    byline = Program(tmp_path)
    network = {"libp2p", "trio", "httpx", "fastapi", "hypercorn"}
    assert not loaded(byline, "query", "00" * 32) & network


@pytest.mark.parametrize(
    "code", ["import byline_ledger", "from byline_node import Client"]
)
def test_scripts_load_no_libp2p(code: str) -> None:
    """As -X importtime lists it."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        env=os.environ | {"PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        check=True,
    )
    names = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
    assert "byline_ledger" in names
    assert not {"libp2p", "trio", "fastapi", "plyvel"} & names
