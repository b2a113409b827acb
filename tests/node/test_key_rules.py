"""What would harm a key is refused before it is said, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.signed import key

from byline_ledger.content_keys import delegate_fields, profile_fields, rotate_fields
from byline_ledger.content_remarks import dispute_fields, withdraw_fields
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import BylineError, NotFoundError, UsageError
from byline_ledger.statement import Statement, sign_statement
from byline_node.home import Home
from byline_node.key_rules import (
    RECOVER,
    require_delegate,
    require_delegation_of,
    require_end,
    require_recovery,
    require_rotation,
)
from byline_node.key_story import read_story, successors
from byline_node.local import LocalClient

OLD, NEW, PAPER, OTHER, THIEF = (key(number) for number in range(1, 6))
FAR = 2**50


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LocalClient]:
    with LocalClient(Home(tmp_path / "home")) as client:
        yield client


def when() -> dict[str, Any]:
    return {"time": 1_790_000_000_000, "salt": random_bytes(16)}


def rotation(signer: SigningKey, of: SigningKey, to: SigningKey | None) -> Statement:
    successor = None if to is None else to.public
    reason = "compromised" if to is None else "routine"
    fields = rotate_fields(key=of.public, successor=successor, reason=reason, **when())
    return sign_statement(fields, signer)


def announce(node: LocalClient, recovery: SigningKey | None = PAPER) -> None:
    named = None if recovery is None else recovery.public
    fields = profile_fields(key=OLD.public, name="Mara", recovery=named, **when())
    node.publish([sign_statement(fields, OLD)])


def delegation(signer: SigningKey = OLD, to: SigningKey = OTHER) -> Statement:
    fields = delegate_fields(key=to.public, types=["work"], until=FAR, **when())
    return sign_statement(fields, signer)


def refused(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(BylineError) as caught:
        call(*arguments, **named)
    return str(caught.value)


def test_a_key_rotates_once_and_to_one_that_can_act(node: LocalClient) -> None:
    announce(node)
    first = rotation(OLD, OLD, NEW)
    require_rotation(node, first, NEW.public)
    to_paper = rotation(OLD, OLD, PAPER)
    assert "its recovery key" in refused(require_rotation, node, to_paper, PAPER.public)
    node.publish([first])
    assert "said already" in refused(require_rotation, node, first, NEW.public)
    second = rotation(OLD, OLD, OTHER)
    assert "leave it contested" in refused(require_rotation, node, second, OTHER.public)
    back = rotation(NEW, NEW, OLD)
    assert "follow each other" in refused(require_rotation, node, back, OLD.public)
    node.publish([rotation(NEW, NEW, OTHER)])
    late = rotation(THIEF, THIEF, NEW)
    assert "the successor itself ended" in refused(
        require_rotation, node, late, NEW.public
    )
    chain = successors(node, read_story(node, OLD.public))
    assert [one.key for one in chain] == [NEW.public, OTHER.public]


def test_a_circle_of_three_is_refused_at_its_end(node: LocalClient) -> None:
    """The key that it would lead back to has ended already."""
    node.publish([rotation(OLD, OLD, NEW), rotation(NEW, NEW, OTHER)])
    closing = rotation(OTHER, OTHER, OLD)
    assert "itself ended" in refused(require_rotation, node, closing, OLD.public)
    node.publish([closing])
    assert len(successors(node, read_story(node, OLD.public))) == 2


def test_only_the_announced_recovery_key_recovers(node: LocalClient) -> None:
    signed = rotation(PAPER, OLD, NEW)
    assert "never announced a recovery key" in refused(
        require_recovery, node, signed, OLD.public, NEW.public
    )
    announce(node)
    require_recovery(node, signed, OLD.public, NEW.public)
    assert "that is not the recovery key" in refused(
        require_recovery, node, rotation(THIEF, OLD, NEW), OLD.public, NEW.public
    )
    assert "cannot be the successor as well" in refused(
        require_recovery, node, rotation(PAPER, OLD, PAPER), OLD.public, PAPER.public
    )
    # A thief's rotation does not stand in the way; one by the recovery key does.
    node.publish([rotation(OLD, OLD, THIEF)])
    require_recovery(node, signed, OLD.public, NEW.public)
    node.publish([signed])
    assert read_story(node, OLD.public).state.successor == NEW.public
    assert "has named another successor already" in refused(
        require_recovery, node, rotation(PAPER, OLD, OTHER), OLD.public, OTHER.public
    )


def test_a_recovery_key_announced_after_the_theft_is_none(node: LocalClient) -> None:
    node.publish([rotation(OLD, OLD, THIEF)])
    announce(node)
    assert "never announced" in refused(
        require_recovery, node, rotation(PAPER, OLD, NEW), OLD.public, NEW.public
    )


def test_a_key_is_declared_compromised_once(node: LocalClient) -> None:
    announce(node)
    signed = rotation(OLD, OLD, None)
    require_end(node, signed, None)
    require_end(node, rotation(PAPER, OLD, None), OLD.public)
    assert "that is not the recovery key" in refused(
        require_end, node, rotation(THIEF, OLD, None), OLD.public
    )
    node.publish([signed])
    assert "was declared compromised" in refused(require_end, node, signed, None)
    assert "was declared compromised" in refused(
        require_rotation, node, rotation(OLD, OLD, NEW), NEW.public
    )
    # Its recovery key still decides.
    require_recovery(node, rotation(PAPER, OLD, NEW), OLD.public, NEW.public)


def test_a_contested_key_is_left_to_its_recovery_key(node: LocalClient) -> None:
    node.publish([rotation(OLD, OLD, NEW), rotation(OLD, OLD, OTHER)])
    story = read_story(node, OLD.public)
    assert story.state.is_contested
    assert successors(node, story) == []
    with pytest.raises(UsageError, match="contested since") as caught:
        require_rotation(node, rotation(OLD, OLD, THIEF), THIEF.public)
    assert caught.value.hint == RECOVER


def test_delegations_are_to_others_that_go_on(node: LocalClient) -> None:
    require_delegate(node, delegation(), other=OTHER.public)
    assert "for itself" in refused(
        require_delegate, node, delegation(to=OLD), other=OLD.public
    )
    node.publish([rotation(OTHER, OTHER, NEW)])
    assert "the other key ended" in refused(
        require_delegate, node, delegation(), other=OTHER.public
    )
    assert "the key ended" in refused(
        require_delegate, node, delegation(OTHER, OLD), other=OLD.public
    )


def test_only_whom_a_delegation_is_by_revokes_it(node: LocalClient) -> None:
    given = delegation()
    other = sign_statement(
        dispute_fields(about=digest_bytes(b"x"), reason="other", **when()), OLD
    )
    node.publish([given, other])

    def withdrawal(signer: SigningKey, of: Statement = given) -> Statement:
        fields = withdraw_fields(statement_id=of.id, reason="superseded", **when())
        return sign_statement(fields, signer)

    assert require_delegation_of(node, withdrawal(OLD)) == FAR
    assert "only that key" in refused(require_delegation_of, node, withdrawal(THIEF))
    assert "is no delegation: dispute" in refused(
        require_delegation_of, node, withdrawal(OLD, other)
    )
    node.publish([rotation(OLD, OLD, NEW)])
    require_delegation_of(node, withdrawal(NEW))
    node.publish([withdrawal(NEW)])
    assert "revoked already" in refused(require_delegation_of, node, withdrawal(NEW))
    lost = delegation(THIEF)
    with pytest.raises(NotFoundError, match="holds no statement"):
        require_delegation_of(node, withdrawal(THIEF, lost))
