"""docs/tutorial/first_claim.py runs as it is printed, against a real node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.node_process import node_process

SCRIPT = Path(__file__).parents[2] / "docs" / "tutorial" / "first_claim.py"


def test_the_tutorial_runs(tmp_path: Path) -> None:
    """From the first signature to the verdict without a node."""
    with node_process(tmp_path / "home") as node:
        url = node.wait_ready().url
        done = subprocess.run(
            [sys.executable, str(SCRIPT), url, str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    assert printed[0].startswith("I am did:key:z6Mk")
    assert "level 1 human CC-BY-4.0 {'cawg.ai_generative_training': 'notAllowed'}" in (
        printed
    )
    assert printed[-3:] == [
        "level 0 is effective",
        "level 1 is withdrawn",
        "another file: rejected",
    ]


def test_the_tutorial_on_generating_runs(tmp_path: Path) -> None:
    """A program signs under a delegation, and is refused beyond it."""
    script = SCRIPT.with_name("generating.py")
    with node_process(tmp_path / "home") as node:
        url = node.wait_ready().url
        done = subprocess.run(
            [sys.executable, str(script), url, str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    model = "{'identifier': 'example.org/models/painter-2', 'name': 'painter'}"
    assert done.stdout.splitlines()[2:] == [
        "next run begins with number 4",
        "attested 3",
        f"generated {model} prompt_guided",
        "signed by the program: True",
        "for the studio: True",
        "refused: the delegation does not let this key speak on data_mining",
    ]


def test_without_arguments_it_says_which_it_needs() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"expected two arguments: {SCRIPT} NODE-URL FOLDER"
    ]
