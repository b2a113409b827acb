"""Altered copies of an author's works: by the author's own fingerprints, or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node.test_fingerprint import WORK, WORK_BYTES, essay, saved

from byline_ledger.content import withdraw_fields, work_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.manifest import ManifestRow
from byline_ledger.statement import Statement, sign_statement
from byline_node import altered
from byline_node.altered import Look, look_for_altered
from byline_node.errors import BusyError
from byline_node.finding import asking_for
from byline_node.fingerprint import Asked, fingerprint
from byline_node.home import Home
from byline_node.local import LocalClient
from byline_node.similar_calls import Resemblances

KEY, OTHER = SigningKey.from_seed(bytes(32)), SigningKey.from_seed(bytes([1] * 32))
SMALL = saved(WORK.resize((240, 180)))


def claim(data: bytes, key: SigningKey, like: bytes | None) -> Statement:
    """About `data`, with the fingerprints of `like`."""
    found = None if like is None else fingerprint([like], like).fingerprints
    fields = work_fields(
        about=digest_bytes(data),
        made="human",
        time=1,
        salt=bytes(16),
        fingerprints=found,
    )
    return sign_statement(fields, key)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[LocalClient]:
    with LocalClient(Home(tmp_path / "home")) as client:
        yield client


def look(
    client: LocalClient, folder: Path, *files: bytes, key: SigningKey = KEY
) -> Look:
    """What is found in a folder with these files; every one of them is counted."""
    rows = []
    for number, data in enumerate(files):
        path = folder / f"{number}.bin"
        path.write_bytes(data)
        rows.append((ManifestRow(number, digest_bytes(data), path.name), path))
    steps: list[int] = []
    author = key.public
    found = look_for_altered(
        rows, client, asking_for(author, None, 0), author, steps.append
    )
    assert sum(steps) == len(files)
    return found


def test_copies_are_listed_with_the_distance_and_the_authors_claims(
    client: LocalClient, tmp_path: Path
) -> None:
    mine = claim(WORK_BYTES, KEY, WORK_BYTES)
    client.publish([mine, claim(WORK_BYTES, OTHER, WORK_BYTES)])
    found = look(client, tmp_path, essay(3).encode(), SMALL)
    assert found.problems == []
    assert found.behind == 0
    (one,) = found.similar
    assert (one.row.number, one.work) == (1, digest_bytes(WORK_BYTES))
    assert (one.likeness.kind, one.likeness.of) == ("image", 64)
    assert [each.id for each in one.claims] == [mine.id]
    assert one.to_json()["distance"] == one.likeness.distance


def test_what_others_claim_about_the_authors_work_is_not_the_authors_word(
    client: LocalClient, tmp_path: Path
) -> None:
    """Anybody can say of any work that it looks like anything."""
    text = b"a work of the author's"
    client.publish([claim(text, KEY, None), claim(text, OTHER, WORK_BYTES)])
    assert look(client, tmp_path, SMALL).similar == []
    assert look(client, tmp_path, SMALL, key=OTHER).similar != []


def test_a_file_that_is_the_work_itself_is_no_copy_of_it(
    client: LocalClient, tmp_path: Path
) -> None:
    client.publish([claim(WORK_BYTES, KEY, WORK_BYTES)])
    assert look(client, tmp_path, WORK_BYTES).similar == []


def test_a_withdrawn_claim_is_told_as_such(client: LocalClient, tmp_path: Path) -> None:
    mine = claim(WORK_BYTES, KEY, WORK_BYTES)
    fields = withdraw_fields(
        statement_id=mine.id, reason="mistaken", time=2, salt=bytes(16)
    )
    client.publish([mine, sign_statement(fields, KEY)])
    (one,) = look(client, tmp_path, SMALL).similar
    assert [each.status for each in one.claims] == ["withdrawn"]


def test_more_files_than_are_asked_for_together(
    client: LocalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(altered, "BATCH", 2)
    client.publish([claim(WORK_BYTES, KEY, WORK_BYTES)])
    files = [saved(WORK.resize((240 + n, 180 + n))) for n in range(5)]
    found = look(client, tmp_path, *files)
    assert [one.row.number for one in found.similar] == [0, 1, 2, 3, 4]


def test_what_cannot_be_compared_is_said_and_stops_nothing(
    client: LocalClient, tmp_path: Path
) -> None:
    client.publish([claim(WORK_BYTES, KEY, WORK_BYTES)])
    gone = ManifestRow(7, digest_bytes(b"gone"), "gone")
    here = ManifestRow(8, digest_bytes(SMALL), "here")
    short = ManifestRow(9, digest_bytes(b"short"), "short")
    (tmp_path / "here").write_bytes(SMALL)
    (tmp_path / "short").write_bytes(b"short")
    rows = [(row, tmp_path / str(row.path)) for row in (gone, here, short)]
    asking = asking_for(KEY.public, None, 0)
    found = look_for_altered(rows, client, asking, KEY.public, lambda _: None)
    assert [one.row for one in found.similar] == [here]
    assert [row for row, _ in found.problems] == [gone, short]
    assert "cannot be read" in found.problems[0][1]
    assert "too short" in found.problems[1][1]


class Slow:
    """A client whose node is busy a few times, and has not searched all."""

    def __init__(self, client: LocalClient, busy: int, after: int | None) -> None:
        self.ask_shared = client.ask_shared
        self._client = client
        self._busy = busy
        self._after = after

    def similar(self, asked: Asked) -> Resemblances:
        self._busy -= 1
        if self._busy >= 0:
            after = self._after
            raise BusyError("this address has searched too much", retry_after=after)
        found = self._client.similar(asked)
        return Resemblances(found.found, found.size - 1, found.size)


def test_a_busy_node_is_waited_for_within_bounds(
    client: LocalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(altered.time, "sleep", slept.append)
    client.publish([claim(WORK_BYTES, KEY, WORK_BYTES)])
    path = tmp_path / "small.png"
    path.write_bytes(SMALL)
    rows = [(ManifestRow(1, digest_bytes(SMALL), path.name), path)]
    asking = asking_for(KEY.public, None, 0)

    def run(busy: int, after: int | None = None) -> Look:
        slow = Slow(client, busy, after)
        return look_for_altered(rows, slow, asking, KEY.public, lambda _: None)

    found = run(3)
    assert len(found.similar) == 1
    assert found.behind == 1
    assert slept == [altered.PAUSE] * 3
    slept.clear()
    run(1, 7)
    run(1, 10**9)  # a node may say anything
    assert slept == [7, altered.LONGEST_PAUSE]
    for after in (None, 25):
        slept.clear()
        with pytest.raises(BusyError):
            run(altered.PATIENCE + 1, after)
        assert sum(slept) == altered.PATIENCE
