"""Programs that generate: each output is attested, within what was delegated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.signed import key

from byline_ledger.codec import split_array
from byline_ledger.content import (
    Model,
    delegate_fields,
    read_delegated,
    read_work,
    withdraw_fields,
)
from byline_ledger.crypto import random_bytes
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import NotFoundError, StoreError, UsageError
from byline_ledger.manifest_tree import manifest_root, tree_name
from byline_ledger.statement import Source, Statement, sign_statement
from byline_node import manifest_proofs
from byline_node.errors import NodeUnavailableError
from byline_node.generated import Attester, now_ms
from byline_node.home import Home
from byline_node.local import LocalClient
from byline_node.manifest_proofs import ManifestProofs

STUDIO, PROGRAM = key(1), key(2)
HOUR = 3_600_000
MODEL: dict[str, Any] = {"model": Model("painter"), "oversight": "prompt_guided"}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LocalClient]:
    with LocalClient(Home(tmp_path / "home")) as client:
        yield client


def delegated(node: LocalClient, **limits: Any) -> bytes:
    """The id of a delegation by the studio to the program."""
    terms: dict[str, Any] = {
        "key": PROGRAM.public,
        "types": ["work"],
        "until": now_ms() + HOUR,
        "time": now_ms(),
        "salt": random_bytes(16),
    }
    signed = sign_statement(delegate_fields(**terms | limits), STUDIO)
    node.publish([signed])
    return signed.id


def test_outputs_are_attested_as_they_come(node: LocalClient, tmp_path: Path) -> None:
    id_ = delegated(node, uses=["ai_training"])
    uses = {"ai_training": "notAllowed"}
    source = Source(digest_bytes(b"a photo"), "inputTo", {})
    with Attester(node, PROGRAM, delegation=id_, uses=uses, **MODEL) as attester:

        @attester.attests
        def paint(name: str) -> Path:
            path = tmp_path / name
            path.write_bytes(name.encode())
            return path

        assert paint("a.png") == tmp_path / "a.png"
        attester.file(str(tmp_path / "a.png"), sources=[source])
        attester.data(b"words", media_type="text/plain")
    assert len(attester.receipts) == 3
    assert (attester.unpublished, attester.next_number) == ([], None)
    about = digest_bytes(b"a.png")
    claims = node.query(about).works[0].claims
    assert len(claims) == 2
    said = node.authored(PROGRAM.public, [about, digest_bytes(b"words")])
    assert len(said) == 3
    for one in said:
        work, behalf = read_work(one), read_delegated(one)
        assert (work.made, work.oversight) == ("generated", "prompt_guided")
        assert work.model == Model("painter")
        assert dict(work.uses) == {"cawg.ai_training": "notAllowed"}
        assert (behalf.for_, behalf.delegation) == (STUDIO.public, id_)
        assert (work.problems, behalf.problems) == ((), ())
    assert {read_work(one).media_type for one in said} == {"image/png", "text/plain"}


def test_a_key_may_sign_for_itself(node: LocalClient) -> None:
    with Attester(node, PROGRAM, made="assisted", **MODEL) as attester:
        signed = attester.data(b"words")
    assert read_work(signed).made == "assisted"
    assert read_delegated(signed).for_ is None


def test_numbers_are_used_once_and_end(node: LocalClient) -> None:
    id_ = delegated(node, count=3)
    for wrong in (None, 0, 4):
        with pytest.raises(UsageError, match="numbered"):
            Attester(node, PROGRAM, delegation=id_, first_number=wrong, **MODEL)
    with Attester(node, PROGRAM, delegation=id_, first_number=2, **MODEL) as attester:
        numbers = [read_delegated(attester.data(b"%d" % i)).number for i in range(2)]
        with pytest.raises(UsageError, match="all are used"):
            attester.data(b"one too many")
    assert numbers == [2, 3]
    assert attester.next_number == 4
    assert len(attester.receipts) == 2


def test_works_of_a_manifest_prove_that_they_are_in_it(
    node: LocalClient, tmp_path: Path
) -> None:
    digests = sorted(digest_bytes(b"%d" % number) for number in range(7))
    manifest = tmp_path / "set.txt"
    manifest.write_text("".join(f"{one[2:].hex()}\n" for one in digests))
    proofs = ManifestProofs.of(manifest)
    assert proofs.name == tree_name(manifest_root(digests))
    id_ = delegated(node, manifests=[proofs.name])
    with Attester(
        node, PROGRAM, delegation=id_, manifest=manifest, **MODEL
    ) as attester:
        for number in range(7):
            said = read_delegated(attester.data(b"%d" % number))
            assert said.in_manifest is not None
            about = digest_bytes(b"%d" % number)
            said.in_manifest.verify(about, manifest_root(digests))
        with pytest.raises(NotFoundError, match="is not in the manifest"):
            attester.data(b"something else")
    assert len(attester.receipts) == 7


def test_a_tree_is_held_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_proofs, "MAX_ENTRIES", 3)
    assert ManifestProofs([digest_bytes(b"")] * 3).place(digest_bytes(b"")).index == 0
    with pytest.raises(UsageError, match="more than 3"):
        ManifestProofs([digest_bytes(b"")] * 4)
    assert ManifestProofs([]).count == 0


def test_batches_are_published_as_they_fill(node: LocalClient) -> None:
    attester = Attester(node, PROGRAM, batch=2, **MODEL)
    attester.data(b"1")
    assert (len(attester.receipts), len(attester.unpublished)) == (0, 1)
    attester.data(b"2")
    assert (len(attester.receipts), len(attester.unpublished)) == (2, 0)
    assert attester.flush() == []


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"key": key(3).public}, "is not to did:key:"),
        ({"types": ["endorse"]}, "does not cover works"),
        ({"manifests": [digest_bytes(b"")]}, "works of certain manifests alone"),
        ({"until": 1, "from_": 0}, "is over, or has not begun"),
        ({"from_": 2**60, "until": 2**61}, "is over, or has not begun"),
        ({"uses": ["data_mining"]}, "does not let this key speak on ai_training"),
    ],
)
def test_what_is_not_delegated_is_refused_at_once(
    node: LocalClient, limits: dict[str, Any], reason: str
) -> None:
    id_ = delegated(node, **limits)
    with pytest.raises(UsageError, match=reason):
        Attester(
            node, PROGRAM, delegation=id_, uses={"ai_training": "allowed"}, **MODEL
        )


def test_a_delegation_must_be_there_and_be_one(node: LocalClient) -> None:
    with pytest.raises(NotFoundError, match="does not hold the delegation"):
        Attester(node, PROGRAM, delegation=bytes(32), **MODEL)
    fields = withdraw_fields(
        statement_id=bytes(32), reason="legal", time=1, salt=bytes(16)
    )
    other = sign_statement(fields, STUDIO)
    node.publish([other])
    with pytest.raises(UsageError, match="is no delegation"):
        Attester(node, PROGRAM, delegation=other.id, **MODEL)
    with pytest.raises(UsageError, match="oversight"):
        Attester(node, PROGRAM, model=Model("painter"), oversight="none")


def test_a_delegation_that_ends_meanwhile_ends_the_signing(
    node: LocalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = delegated(node)
    attester = Attester(node, PROGRAM, delegation=id_, **MODEL)
    monkeypatch.setattr("byline_node.generated.now_ms", lambda: 2**60)
    with pytest.raises(UsageError, match="is over"):
        attester.data(b"words")


def test_a_file_that_is_not_there(node: LocalClient, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot read"):
        Attester(node, PROGRAM, **MODEL).file(tmp_path / "nothing")


class Away:
    """A node that cannot be reached."""

    def publish(self, statements: Any) -> list[Any]:
        raise NodeUnavailableError("no node answers")

    def statement(self, id_: bytes) -> Statement:
        raise NodeUnavailableError("no node answers")


def test_what_cannot_be_published_is_kept(tmp_path: Path) -> None:
    attester = Attester(Away(), PROGRAM, **MODEL)
    with pytest.raises(NodeUnavailableError), attester:
        attester.data(b"words")
    assert len(attester.unpublished) == 1
    attester.save(tmp_path / "later.statements")
    assert attester.unpublished == []
    data = (tmp_path / "later.statements").read_bytes()
    (item,) = split_array(data, max_size=1 << 20, max_items=9)
    Statement.from_envelope(item).verify()


def test_the_programs_own_failure_comes_first() -> None:
    def fail() -> None:
        with Attester(Away(), PROGRAM, **MODEL) as attester:
            attester.data(b"words")
            raise RuntimeError("out of paint")

    with pytest.raises(RuntimeError, match="out of paint") as caught:
        fail()
    assert "its outputs are not published" in caught.value.__notes__[0]


def test_what_was_made_before_a_failure_is_published(node: LocalClient) -> None:
    attester = Attester(node, PROGRAM, **MODEL)

    def fail() -> None:
        with attester:
            attester.data(b"words")
            raise RuntimeError("out of paint")

    with pytest.raises(RuntimeError):
        fail()
    assert len(attester.receipts) == 1
