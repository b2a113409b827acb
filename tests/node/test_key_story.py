"""What is proven about a key, whatever others say about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from byline_ledger.content_keys import profile_fields, rotate_fields
from byline_ledger.content_remarks import dispute_fields, withdraw_fields
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import VerificationError
from byline_ledger.statement import Statement, sign_statement
from byline_node.home import Home
from byline_node.key_story import ended_before, read_story, story_of
from byline_node.local import LocalClient


def named(name: str) -> SigningKey:
    return SigningKey.from_seed(hashlib.sha256(name.encode()).digest())


MARA, PAPER, NEW = named("mara"), named("paper"), named("new")


def when() -> dict[str, Any]:
    return {"time": 1_790_000_000_000, "salt": random_bytes(16)}


def profile(name: str, **more: Any) -> Statement:
    return sign_statement(
        profile_fields(key=MARA.public, name=name, **more, **when()), MARA
    )


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LocalClient]:
    with LocalClient(Home(tmp_path / "home")) as client:
        yield client


def test_nothing_was_said(node: LocalClient) -> None:
    story = read_story(node, MARA.public)
    assert (story.told, story.complete, story.profile) == ((), True, None)
    assert story.recovery_profile is None
    assert story.state.settled


def test_the_last_profile_counts_unless_it_was_withdrawn(node: LocalClient) -> None:
    first, second = profile("Mara", recovery=PAPER.public), profile("Mara V.")
    node.publish([first])
    node.publish([second])
    story = read_story(node, MARA.public)
    assert story.profile is not None
    assert story.profile.content.name == "Mara V."
    assert story.recovery_profile is not None
    assert story.recovery_profile.statement.id == first.id
    sorry = withdraw_fields(statement_id=second.id, reason="mistaken", **when())
    node.publish([sign_statement(sorry, MARA)])
    after = read_story(node, MARA.public).profile
    assert after is not None
    assert after.content.name == "Mara"


def test_others_cannot_keep_a_key_from_being_heard(node: LocalClient) -> None:
    """Hundreds of strangers fill the page about it; its own word is there."""
    about = digest_bytes(MARA.public)
    flood = [
        sign_statement(
            dispute_fields(about=about, reason="other", **when()), named(f"{number}")
        )
        for number in range(300)
    ]
    node.publish([profile("Mara", recovery=PAPER.public)])
    node.publish(flood)
    rotation = rotate_fields(key=MARA.public, successor=NEW.public, **when())
    node.publish([sign_statement(rotation, PAPER)])
    story = read_story(node, MARA.public)
    assert not story.complete
    assert story.profile is not None
    assert story.profile.content.name == "Mara"
    assert story.state.recovery == PAPER.public
    assert story.state.successor == NEW.public
    assert story.state.settled


def test_another_keys_bundle_is_refused(node: LocalClient) -> None:
    node.publish([profile("Mara")])
    bundle = read_story(node, MARA.public).bundle
    with pytest.raises(VerificationError):
        story_of(bundle, NEW.public)


def test_who_had_ended_before_what_came_in_is_told(node: LocalClient) -> None:
    """By the last place of each key."""
    rotate = rotate_fields(
        key=MARA.public, successor=NEW.public, reason="routine", **when()
    )
    (ended,) = node.publish([sign_statement(rotate, MARA)])
    places = [(MARA.public, ended.index + 2), (NEW.public, ended.index + 3)]
    assert [one.key for one in ended_before(node, places)] == [MARA.public]
    assert not list(ended_before(node, [(MARA.public, ended.index)]))
    later = [*places, (MARA.public, ended.index - 1)]
    assert [one.key for one in ended_before(node, later)] == [MARA.public]
