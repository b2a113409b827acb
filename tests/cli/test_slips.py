"""What people type by mistake, or a script of theirs with a variable that is unset."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.program import Program


@pytest.fixture
def byline(tmp_path: Path) -> Program:
    """The program with a key, no node, and a file `photo.jpg`."""
    program = Program(tmp_path)
    program.new_key()
    program.write("photo.jpg", "a picture")
    return program


@pytest.mark.parametrize(
    "arguments",
    [
        ("attest", "", "-r", "--made", "human"),
        ("attest", "photo.jpg", "", "-r", "--made", "human"),
        ("attest", "photo.jpg", "--from", "", "--made", "human"),
        ("attest", "photo.jpg", "--from", ":inputTo", "--made", "human"),
        ("query", ""),
    ],
    ids=" ".join,
)
def test_an_empty_path_is_not_the_current_folder(
    byline: Program, arguments: tuple[str, ...]
) -> None:
    """Nothing is attested or asked, not even what was named rightly."""
    ended = byline(*arguments)
    assert ended.code == 2
    assert ended.complaint == "an empty path; is a variable of your shell unset?"
    assert not (byline.home / "node").exists()
