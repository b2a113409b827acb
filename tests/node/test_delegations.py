"""What a delegation does not cover is refused before it is signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.node.test_key_rules import refused, rotation, when
from tests.support.signed import key, signed

from byline_ledger.content import delegated_fields
from byline_ledger.content_keys import delegate_fields
from byline_ledger.content_remarks import withdraw_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import NotFoundError
from byline_ledger.statement import Statement, sign_statement
from byline_node.attest import Behalf
from byline_node.delegations import require_delegated, require_delegation, speaker
from byline_node.home import Home
from byline_node.local import LocalClient
from byline_node.manifest_proofs import ManifestProofs

ADA, CAMERA, EVE, NEW = (key(number) for number in range(1, 5))
NOW, BEGIN, END = 1_790_000_000_000, 1_780_000_000_000, 1_800_000_000_000
MINING, TRAINING = "cawg.data_mining", "cawg.ai_training"
PHOTO = digest_bytes(b"a photo")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LocalClient]:
    with LocalClient(Home(tmp_path / "home")) as client:
        yield client


def given(node: LocalClient, by: SigningKey = ADA, **more: Any) -> Statement:
    """A delegation to the camera that the log has."""
    fields = delegate_fields(
        key=CAMERA.public, types=["work"], from_=BEGIN, until=END, **more, **when()
    )
    found = sign_statement(fields, by)
    node.publish([found])
    return found


def behalf(of: Statement, key_: SigningKey = ADA, **more: Any) -> Behalf:
    return Behalf(key_.public, of.id, **more)


def ask(node: LocalClient, of: Behalf | None, **more: Any) -> None:
    """May the camera sign a work under it now?"""
    asked = {"now": NOW, "kind": "work", "uses": (), "author": CAMERA.public} | more
    require_delegation(node, of, asked.pop("author"), **asked)


def test_who_signs_for_nobody_needs_none(node: LocalClient) -> None:
    ask(node, None)
    assert speaker(signed(PHOTO, CAMERA)) == CAMERA.public


def test_it_covers_its_types_and_its_time(node: LocalClient) -> None:
    of = behalf(given(node))
    ask(node, of, now=BEGIN)
    ask(node, of, now=END - 1)
    assert "does not cover grant" in refused(ask, node, of, kind="grant")
    for moment in (BEGIN - 1, END):
        assert "is over, or has not begun" in refused(ask, node, of, now=moment)


def test_it_is_one_to_the_key_that_signs_by_the_key_signed_for(
    node: LocalClient,
) -> None:
    """Or by one that the key signed for has since become."""
    said = given(node)
    not_to = refused(ask, node, behalf(said), author=EVE.public)
    assert "is not to the key" in not_to
    assert "is by did:key" in refused(ask, node, behalf(said, EVE))
    other = signed(PHOTO)
    node.publish([other])
    assert "its type is work" in refused(ask, node, behalf(other))
    with pytest.raises(NotFoundError, match="holds no statement"):
        ask(node, behalf(signed(PHOTO)))
    node.publish([rotation(ADA, ADA, NEW)])
    later = given(node, NEW)
    ask(node, behalf(later))
    ask(node, behalf(later, NEW))


def test_it_ends_with_its_revocation(node: LocalClient) -> None:
    """By the key signed for; a stranger's counts for nothing."""
    said = given(node)
    sorry = withdraw_fields(statement_id=said.id, reason="superseded", **when())
    node.publish([sign_statement(sorry, EVE)])
    ask(node, behalf(said))
    node.publish([sign_statement(sorry | when(), ADA)])
    assert "was revoked" in refused(ask, node, behalf(said))


def test_it_has_limits(node: LocalClient) -> None:
    of = given(node, uses=[MINING], count=3)
    ask(node, behalf(of, number=2), uses=[MINING], count=2)
    assert "does not let you speak about ai_training" in refused(
        ask, node, behalf(of, number=1), uses=[MINING, TRAINING]
    )
    assert "which are numbered" in refused(ask, node, behalf(of))
    assert "are more than the 3" in refused(ask, node, behalf(of, number=3), count=2)


def test_works_of_a_manifest_are_proven(node: LocalClient, tmp_path: Path) -> None:
    path, another = tmp_path / "works.txt", tmp_path / "others.txt"
    path.write_text(f"{PHOTO[2:].hex()}\n")
    another.write_text(f"{digest_bytes(b'x')[2:].hex()}\n")
    proofs, others = ManifestProofs.of(path), ManifestProofs.of(another)
    of = given(node, manifests=[proofs.name])
    ask(node, behalf(of, manifest=proofs))
    assert "must be proven" in refused(ask, node, behalf(of))
    wrong = refused(ask, node, behalf(of, manifest=others))
    assert "not for the works of that manifest" in wrong


def test_a_statement_is_asked_about_by_what_it_says(node: LocalClient) -> None:
    """Its type, its uses, and who signed it; it is the word of the key signed for."""
    of = given(node, uses=[MINING])
    fields = dict(signed(PHOTO, CAMERA, uses={MINING: {"use": "allowed"}}).fields)
    more = delegated_fields(fields, for_=ADA.public, delegation=of.id)
    draft = sign_statement(more, CAMERA)
    require_delegated(node, behalf(of), draft, NOW)
    assert speaker(draft) == ADA.public
    wider = sign_statement(more | {"uses": {TRAINING: {"use": "allowed"}}}, CAMERA)
    assert "speak about ai_training" in refused(
        require_delegated, node, behalf(of), wider, NOW
    )
