"""What is told of works that a file resembles."""

from __future__ import annotations

from pathlib import Path

import pytest

from byline_cli import similar
from byline_node.similar_calls import Resemblances


def test_a_search_that_broke_off_is_told_where_nothing_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would pass for one of the whole log, in `query` as in `similar`."""
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"a photo")
    told = ("Searched 7 of 1,000 entries for what resembles it.", "doubt")
    broke_off, whole = Resemblances((), 7, 1000), Resemblances((), 1000, 1000)
    monkeypatch.setattr(similar, "ask_again", lambda _file: broke_off)
    more, rows = similar.look_for_altered(file)
    assert more["searched"] == 7
    assert rows == ["", told]
    assert similar.describe(file, bytes(34), broke_off)[-1] == told
    monkeypatch.setattr(similar, "ask_again", lambda _file: whole)
    assert similar.look_for_altered(file)[1] == []
    assert told not in similar.describe(file, bytes(34), whole)
