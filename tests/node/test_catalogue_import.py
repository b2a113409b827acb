"""From a catalogue's entries to statements: which file, which digest, what stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from byline_ledger.catalogue import Entry
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.errors import NotFoundError
from byline_ledger.statement import Statement
from byline_ledger.tombstone import Tombstone
from byline_node.catalogue_import import (
    NEW,
    OTHER,
    REFUSED,
    SAME,
    Importer,
    Outcome,
    sign_new,
)
from byline_node.taken_down import Takedowns, TakenDown

KEY = SigningKey.from_seed(bytes(32))
ONE = multihash(b"1" * 32)


class Memory:
    """A node that has these statements, and took these works down."""

    def __init__(self, *said: Statement, gone: Takedowns | None = None) -> None:
        self.said = said
        self.gone = gone

    def authored(self, author: bytes, digests: Sequence[bytes]) -> list[Statement]:
        return [one for one in self.said if one.about in digests]

    def taken_down(self, author: bytes, works: Sequence[bytes]) -> Takedowns:
        if self.gone is None:
            raise NotFoundError("unknown route")
        return self.gone


def importer(folder: Path | None = None, **defaults: Any) -> Importer:
    return Importer(KEY.public, defaults, folder)


def says(**fields: Any) -> Entry:
    return Entry(2, ONE, (), fields)


def look(entry: Entry, folder: Path | None = None, **defaults: Any) -> Outcome:
    (outcome,) = importer(folder, **defaults).look_at([entry], None)
    return outcome


def test_what_a_line_does_not_say_the_defaults_say() -> None:
    uses = {"ai_training": "allowed", "data_mining": "allowed"}
    entry = says(title="a", uses={"ai_training": "notAllowed"})
    fields = look(entry, made="human", license="MIT", uses=uses).fields
    assert fields is not None
    assert fields["title"] == "a"
    assert fields["license"] == "MIT"
    assert str(fields["source-type"]).endswith("/digitalCreation")
    assert fields["uses"] == {
        "cawg.ai_training": {"use": "notAllowed"},
        "cawg.data_mining": {"use": "allowed"},
    }


def test_how_a_line_says_it_was_made_is_not_mixed_with_the_defaults() -> None:
    fields = look(says(made="generated"), source_type="print").fields
    assert fields is not None
    assert str(fields["source-type"]).endswith("/trainedAlgorithmicMedia")
    fields = look(says(source_type="print"), made="generated").fields
    assert fields is not None
    assert str(fields["source-type"]).endswith("/print")


def test_a_file_in_the_folder_is_hashed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"picture")
    entry = Entry(2, None, ("no such", "in\\a.png"), {})
    fields = look(entry, tmp_path).fields
    assert fields is not None
    assert fields["about"] == digest_bytes(b"picture")
    assert (fields["size"], fields["media-type"]) == (7, "image/png")


NOT_THERE = ["../x", "/etc/hosts", "a/../../x", "gone", "in", "x\0y", "y" * 5_000]


@pytest.mark.parametrize("name", [*NOT_THERE, "link", "up/x", "loop"])
def test_names_that_lead_to_no_file_in_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "x").write_bytes(b"secret")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "x")
    (tmp_path / "in" / "up").symlink_to("..")
    (tmp_path / "in" / "loop").symlink_to("loop")
    outcome = look(Entry(2, None, (name,), {}), tmp_path / "in")
    assert (outcome.status, outcome.why) == (
        REFUSED,
        f"no digest, and no such file in {tmp_path / 'in'}",
    )
    noted = look(Entry(2, ONE, (name,), {}), tmp_path / "in")
    assert noted.status == NEW
    assert noted.notes == ("no such file in the folder; the digest is the catalogue's",)


def test_a_file_that_changed_or_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"changed")
    assert look(Entry(2, ONE, ("a",), {}), tmp_path).why == (
        "the file is not the one that the catalogue's digest names"
    )
    (tmp_path / "b").write_bytes(b"x")
    (tmp_path / "b").chmod(0)
    outcome = look(Entry(2, None, ("b",), {}), tmp_path)
    # Whoever runs the tests as root may read everything.
    assert outcome.status == NEW or outcome.why.startswith("b: cannot be read")


def test_without_a_folder_a_name_is_no_work() -> None:
    assert look(Entry(2, None, ("a",), {})).why == (
        "no digest, and no such file without --files"
    )


def test_what_only_the_digest_shows_to_be_unsound() -> None:
    from byline_ledger.statement import Source

    entry = says(sources=(Source(ONE, "parentOf", {}),))
    assert "cannot be its own source" in look(entry).why


def test_a_work_that_comes_twice_is_taken_once() -> None:
    first, second = importer().look_at([says(), Entry(7, ONE, (), {})], None)
    assert (first.status, second.status) == (NEW, REFUSED)
    assert second.why == "the same work as line 2"


def test_what_stands_already_is_left_out() -> None:
    told, signed = sign_new(
        importer().look_at([says(title="a"), Entry(3, refused="x")], None), KEY, now=5
    )
    assert [one.id for one in told] == [signed[0].id, None]
    assert (signed[0].time, signed[0].author) == (5, KEY.public)
    memory = Memory(*signed)
    (same,) = importer().look_at([says(title="a")], memory)
    (other,) = importer().look_at([says(title="b")], memory)
    assert (same.status, same.id, same.fields) == (SAME, signed[0].id, None)
    assert (other.status, other.id) == (OTHER, signed[0].id)


def test_what_was_taken_down_is_not_said_again() -> None:
    gone = TakenDown(ONE, bytes(32), Tombstone("legal", 1))
    (outcome,) = importer().look_at([says()], Memory(gone={ONE: gone}))
    assert (outcome.status, outcome.why) == (REFUSED, str(gone))
    (outcome,) = importer().look_at([says()], Memory(gone={}))
    assert outcome.status == NEW


def test_work_is_done_where_the_node_asks_for_it() -> None:
    _told, (signed,) = sign_new(
        importer().look_at([says()], None), KEY, now=5, work_bits=4
    )
    assert "proof-of-work" in signed.fields
