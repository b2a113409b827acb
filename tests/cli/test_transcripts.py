"""Every transcript of golden/ comes out as it is written there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.cli.forker import shared
from tests.cli.transcript import GOLDEN, normalise, play, read_steps, write_steps

FILES = sorted(GOLDEN.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_transcript_is_reproduced(path: Path, tmp_path: Path) -> None:
    """Commands print what the file says and end with the codes it says."""
    played = play(path, tmp_path, shared())
    if os.environ.get("BYLINE_GOLDEN") == "write":
        path.write_text(played, "utf-8")
    assert played == path.read_text("utf-8")


def test_a_transcript_survives_reading_and_writing() -> None:
    """So that a difference is always one of behaviour."""
    for path in FILES:
        text = path.read_text("utf-8")
        assert write_steps(*read_steps(text)) == text


def test_placeholders_hide_only_what_varies(tmp_path: Path) -> None:
    """Keys, ids, times and log names; words and digests stay."""
    key = "did:key:z6Mkoko9ikZMr4EmkJmN7QmvNQ1AoBrGyKKW4Jkt7Ae3LVyb"
    text = f"{tmp_path}/a.txt by {key} on 2026-11-22 21:55 UTC, sha256 {'ab' * 32}\n\n"
    assert normalise(text, tmp_path) == [
        f"<here>/a.txt by did:key:<key> on <time>, sha256 {'ab' * 32}"
    ]
