"""Sealed works: what is kept reveals them, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.signed import TIME, key

from byline_ledger import codec
from byline_ledger.content import read_work, seal_commitment, work_fields
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import BylineError, CorruptStoreError, MalformedError
from byline_ledger.proof_of_work import zero_bits
from byline_ledger.statement import sign_statement
from byline_node.attest import HashedFile
from byline_node.seals import SealRecord, SealStore, leave_out_sealed, seal_work

POEM, SONG = digest_bytes(b"poem"), digest_bytes(b"song")


def record(work: bytes = POEM, by: int = 1, path: str = "poem.txt") -> SealRecord:
    fields = work_fields(
        about=work,
        time=TIME,
        salt=bytes(16),
        title="Poem",
        uses={"ai_training": "constrained: ask"},
    )
    return seal_work(fields, Path(path), key(by), time=TIME)


def test_a_revealed_work_names_its_seal_and_opens_it() -> None:
    """With what was to be said when it was sealed, at the time when it is revealed."""
    found = record()
    statement = sign_statement(found.revealed(time=TIME + 9, salt=bytes(16)), key())
    content = read_work(statement)
    assert content.problems == ()
    assert (content.title, content.seal) == ("Poem", found.seal.id)
    assert content.seal_nonce is not None
    assert statement.time == TIME + 9
    commitment = seal_commitment(content.seal_nonce, POEM, key().public)
    assert commitment == found.seal.about
    found.seal.verify()


def test_the_seal_tells_nothing_of_the_work() -> None:
    """Neither digest nor title is in it, and two seals of one work are not alike."""
    one, other = record(), record()
    assert POEM[2:] not in one.seal.body
    assert b"Poem" not in one.seal.body
    assert one.seal.about != other.seal.about


def test_a_seal_can_have_work_done_for_it() -> None:
    """As much as a node asks of strangers."""
    tried: list[int] = []
    fields = work_fields(about=POEM, time=TIME, salt=bytes(16))
    found = seal_work(
        fields, Path("x"), key(), time=TIME, work_bits=6, advance=tried.append
    )
    assert zero_bits(found.seal.id) >= 6
    assert sum(tried) > 0


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    """By work and author, by work, by path; in a folder for the owner alone."""
    store = SealStore(tmp_path / "seals")
    assert store.find(POEM, key().public) is None
    assert (store.of_work(POEM), store.at(Path("poem.txt"))) == ([], None)
    mine, theirs = record(), record(by=2)
    song = record(SONG, path=str(tmp_path / "song.mp3"))
    for one in (mine, theirs, song):
        store.save(one)
    assert store.find(POEM, key().public) == mine
    assert {one.author for one in store.of_work(POEM)} == {
        mine.author,
        theirs.author,
    }
    assert store.at(tmp_path / "song.mp3") == song
    assert store.at(tmp_path / "other.mp3") is None
    assert store.folder.stat().st_mode & 0o77 == 0
    assert all(one.stat().st_mode & 0o77 == 0 for one in store.folder.iterdir())


def test_what_is_sealed_is_not_attested_by_the_way(tmp_path: Path) -> None:
    """Files that this key sealed are passed over; those of others are not."""
    store = SealStore(tmp_path)
    poem, song = (
        HashedFile(Path(name), work, 4)
        for name, work in (("poem.txt", POEM), ("song.mp3", SONG))
    )
    assert leave_out_sealed(store, key().public, [poem, song]) == ([poem, song], [])
    store.save(record())
    kept, passed = leave_out_sealed(store, key().public, [poem, song])
    assert (kept, [one.path for one in passed]) == ([song], [poem.path])
    assert leave_out_sealed(store, key(2).public, [poem])[0] == [poem]


def test_kept_again_it_replaces_what_was_kept(tmp_path: Path) -> None:
    """What is to be said may change until it is revealed."""
    store = SealStore(tmp_path)
    first = record()
    store.save(first)
    store.save(replace(first, fields={**first.fields, "title": "Ode"}))
    found = store.find(POEM, key().public)
    assert found is not None
    assert (found.seal, found.fields["title"]) == (first.seal, "Ode")


def test_a_damaged_file_is_named_and_does_not_hide_others(tmp_path: Path) -> None:
    """Whoever asks for that work is told; whoever asks for another finds it."""
    store = SealStore(tmp_path)
    song = record(SONG, path="song.mp3")
    store.save(song)
    store.save(record())
    (path,) = tmp_path.glob(f"{POEM[2:].hex()}*")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptStoreError, match="is damaged"):
        store.find(POEM, key().public)
    assert store.at(Path("song.mp3")) == song


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": bytes(32)},
        {"nonce": b"short"},
        {"work": SONG},
        {"work": SONG[2:]},
        {"path": b"poem.txt"},
        {"fields": []},
        {"version": 2},
        {"version": True},
        {"seal": b""},
        {"more": 1},
    ],
)
def test_parts_that_do_not_belong_together_are_refused(change: dict[str, Any]) -> None:
    """Another nonce, another work, another version, or no parts at all."""
    data = record().to_bytes()
    found = codec.unpack(data, max_size=1 << 16, max_depth=7, what="x")
    assert isinstance(found, dict)
    with pytest.raises(BylineError):
        SealRecord.from_bytes(codec.pack({**found, **change}))
    assert SealRecord.from_bytes(data).to_bytes() == data


def test_the_seal_of_another_type_is_none() -> None:
    """A statement about the commitment that is not a seal."""
    found = record()
    other = sign_statement(
        {**found.seal.fields, "type": "work", "author": key().public}, key()
    )
    with pytest.raises(MalformedError, match="does not open"):
        SealRecord.from_bytes(replace(found, seal=other).to_bytes())
