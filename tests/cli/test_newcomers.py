"""What newcomers ran into: each is told what they could not have known."""

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


def test_whoever_attests_what_somebody_else_claims_is_told(byline: Program) -> None:
    """But not of claims by another key of their own."""
    byline.new_key("ada")
    attest = ("attest", "photo.jpg", "--made", "human", "--key")
    assert byline(*attest, "ada").code == 0
    text = "photo.jpg: somebody else claims this file too: byline query photo.jpg"
    byline.new_key("own")
    assert text not in byline(*attest, "own").err
    (byline.home / "keys" / "ada.key").unlink()
    assert text in byline(*attest, "default").err
    byline.new_key("eve")
    told = byline(*attest, "eve", "--json")
    assert told.json["claimed_too"] == ["photo.jpg"]
