"""The mistakes that people make with keys are refused, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node.test_key_rules import (
    NEW,
    OLD,
    OTHER,
    PAPER,
    announce,
    refused,
    rotation,
)

from byline_cli import key_life, profile
from byline_ledger.errors import KeyAccessError, UsageError
from byline_node.home import Home
from byline_node.key_story import read_story
from byline_node.local import LocalClient


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LocalClient]:
    with LocalClient(Home(tmp_path / "home")) as client:
        yield client


def test_a_profile_of_a_key_that_ended_is_refused(node: LocalClient) -> None:
    announce(node)
    story = read_story(node, OLD.public)
    profile.require_recovery(story, None)
    profile.require_recovery(story, PAPER.public)
    assert "stays it" in refused(profile.require_recovery, story, OTHER.public)
    node.publish([rotation(OLD, OLD, NEW)])
    ended = read_story(node, OLD.public)
    assert "ended in entry" in refused(profile.require_recovery, ended, None)
    assert ended.profile is not None
    assert ended.profile.content.name == "Mara"


def test_what_cannot_be_asked_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal: neither a code nor a yes."""
    monkeypatch.delenv(key_life.RECOVERY_VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(KeyAccessError, match="recovery code is needed"):
        key_life.recovery_key()
    with pytest.raises(UsageError, match="cannot be undone"):
        key_life.confirm(yes=False)
    key_life.confirm(yes=True)
