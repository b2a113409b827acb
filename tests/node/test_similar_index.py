"""The index of fingerprints: in step with the log, rebuilt when it does not fit."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from PIL import Image
from tests.node.test_fingerprint import WORK, WORK_BYTES, essay, picture, saved
from tests.support.api import Backend, api
from tests.support.waiting import until

from byline_ledger.content import work_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import StoreError
from byline_ledger.likeness_messages import (
    Candidates,
    parse_candidates,
    question_to_bytes,
)
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement, sign_statement
from byline_ledger.tombstone import Tombstone
from byline_node import code_file, http_similar, similar, similar_index
from byline_node.calls import Reply, read_error
from byline_node.errors import BusyError
from byline_node.fingerprint import Asked, fingerprint, question_about
from byline_node.similar_calls import Resemblances, nearest_of_works, read_candidates
from byline_node.similar_index import SimilarIndex

KEY = SigningKey.from_seed(bytes(32))


def work(data: bytes, time_: int = 1) -> Statement:
    """A statement about these bytes, with their fingerprints."""
    fields = work_fields(
        about=digest_bytes(data),
        made="human",
        time=time_,
        salt=digest_bytes(data)[2:18],
        fingerprints=fingerprint([data], data).fingerprints,
    )
    return sign_statement(fields, KEY)


def other(number: int) -> Statement:
    """A statement without fingerprints."""
    fields = work_fields(
        about=digest_bytes(b"%d" % number), made="human", time=1, salt=bytes(16)
    )
    return sign_statement(fields, KEY)


def asked(data: bytes) -> Asked:
    return question_about([data], data)


TEXT = essay(7).encode()
PICTURE = work(WORK_BYTES)
ESSAY = work(TEXT)
COPY = asked(saved(WORK.resize((200, 150)), "JPEG"))
CROP = asked(saved(WORK.crop((0, 0, 360, 360))))
EXCERPT = asked(TEXT[:2500])


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.init(tmp_path / "node")
    yield opened
    opened.close()


def folder(ledger: Ledger) -> Path:
    return ledger._files.folder


def found(index: SimilarIndex, ledger: Ledger, about: Asked) -> Resemblances:
    return read_candidates(about, index.search(ledger.view, about.question))


def kinds(index: SimilarIndex, ledger: Ledger, about: Asked) -> list[str]:
    return [one.likeness.kind for one in found(index, ledger, about).found]


def test_copies_crops_and_excerpts_are_found(ledger: Ledger) -> None:
    ledger.append([other(1), PICTURE, ESSAY, work(saved(picture(9)))])
    index = SimilarIndex(folder(ledger))
    assert kinds(index, ledger, COPY) == ["image"]
    assert kinds(index, ledger, CROP) == ["part"]
    assert kinds(index, ledger, EXCERPT) == ["excerpt"]
    assert kinds(index, ledger, asked(TEXT)) == ["bytes"]
    assert kinds(index, ledger, asked(essay(99).encode())) == []
    answer = found(index, ledger, COPY)
    assert answer.found[0].statement == PICTURE
    assert answer.searched == answer.size == ledger.view.size


def test_the_larger_image_finds_the_work_that_is_a_part_of_it(ledger: Ledger) -> None:
    ledger.append([work(saved(WORK.crop((0, 0, 360, 360))))])
    index = SimilarIndex(folder(ledger))
    assert kinds(index, ledger, asked(WORK_BYTES)) == ["larger"]


def test_several_claims_about_one_work_stand_together(ledger: Ledger) -> None:
    mirrored = saved(WORK.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    ledger.append([PICTURE, work(WORK_BYTES, 2), work(mirrored)])
    answer = found(SimilarIndex(folder(ledger)), ledger, COPY)
    groups = nearest_of_works(answer.found)
    assert [len(group) for group in groups] in ([2, 1], [1, 2])


def test_the_index_follows_the_log_and_lives_through_a_restart(tmp_path: Path) -> None:
    node = tmp_path / "node"
    with_picture = Ledger.init(node)
    index = SimilarIndex(node)
    assert kinds(index, with_picture, COPY) == []
    with_picture.append([PICTURE])
    assert kinds(index, with_picture, COPY) == ["image"]
    with_picture.append([other(n) for n in range(40)])
    with_picture.append([ESSAY])
    assert kinds(index, with_picture, EXCERPT) == ["excerpt"]
    with_picture.close()
    again = Ledger.open(node)
    index = SimilarIndex(node)
    assert kinds(index, again, COPY) == ["image"]
    assert index.rebuilt is None
    again.append([work(saved(picture(9)))])
    assert kinds(index, again, asked(saved(picture(9).convert("L")))) == ["image"]
    again.close()


def test_a_long_log_is_taken_in_steps(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar_index, "STEP", 10)
    ledger.append([*(other(n) for n in range(35)), PICTURE])
    index = SimilarIndex(folder(ledger))
    steps: list[tuple[int, int]] = []
    index.catch_up(ledger.view, lambda done, total: steps.append((done, total)))
    assert [done for done, _ in steps] == [10, 20, 30, 38]
    assert kinds(index, ledger, COPY) == ["image"]


def test_what_is_taken_down_leaves_the_answers_and_the_disk(ledger: Ledger) -> None:
    ledger.append([PICTURE, ESSAY])
    index = SimilarIndex(folder(ledger))
    assert kinds(index, ledger, COPY) == ["image"]
    images = folder(ledger) / "similar" / "images"
    code = fingerprint([WORK_BYTES], WORK_BYTES)
    assert code.fingerprints is not None
    secret = next(one for one in code.fingerprints.windows if one != bytes(8))
    assert secret in images.read_bytes()
    ledger.redact(PICTURE.id, Tombstone("legal", 1000))
    assert kinds(index, ledger, COPY) == []
    assert secret not in images.read_bytes()
    assert kinds(index, ledger, EXCERPT) == ["excerpt"]
    again = SimilarIndex(folder(ledger))
    assert kinds(again, ledger, COPY) == []
    assert again.rebuilt is None


def test_a_takedown_does_not_wait_until_all_is_read(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large log that is minutes, in which nobody answers the operator."""
    monkeypatch.setattr(similar_index, "STEP", 1)
    ledger.append([PICTURE, *map(other, range(20))])
    index = SimilarIndex(folder(ledger))
    taken: list[int] = []

    def progress(done: int, _total: int) -> None:
        if done == 5:
            ledger.redact(PICTURE.id, Tombstone("legal", 1000))
            thread = threading.Thread(target=lambda: index.take_out(ledger.view))
            thread.start()
            thread.join(5)
            taken.append(thread.is_alive())

    index.catch_up(ledger.view, progress)
    assert taken == [False]
    assert index.size == ledger.view.size
    assert kinds(index, ledger, COPY) == []


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda at: (at / "images").unlink(), "it was damaged"),
        (lambda at: (at / "images").write_bytes(b"short"), "it was damaged"),
        (lambda at: damaged(at / "images"), "it was damaged"),
        (lambda at: damaged(at / "texts"), "it was damaged"),
        (lambda at: (at / "state.json").unlink(), "it was damaged"),
        (lambda at: (at / "state.json").write_bytes(b"\xff{"), "it was damaged"),
        (lambda at: (at / "state.json").write_text("[]"), "it was damaged"),
        (
            lambda at: (at / "state.json").write_text(
                (at / "state.json").read_text().replace('"vkey": "', '"vkey": "x')
            ),
            "it was that of another log",
        ),
    ],
)
def test_a_damaged_or_missing_index_is_made_anew(
    ledger: Ledger, spoil: object, reason: str
) -> None:
    ledger.append([PICTURE, ESSAY])
    SimilarIndex(folder(ledger)).catch_up(ledger.view)
    spoil(folder(ledger) / "similar")  # type: ignore[operator]
    index = SimilarIndex(folder(ledger))
    assert kinds(index, ledger, COPY) == ["image"]
    assert kinds(index, ledger, EXCERPT) == ["excerpt"]
    assert index.rebuilt == reason
    assert SimilarIndex(folder(ledger)).search(ledger.view, COPY.question).statements


def test_the_index_of_another_log_or_of_a_longer_one_is_made_anew(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.append([PICTURE])
    SimilarIndex(folder(ledger)).catch_up(ledger.view)
    path = folder(ledger) / "similar" / "state.json"
    state = json.loads(path.read_text())
    for change in ({"size": 999}, {"last": "00" * 32}):
        path.write_text(json.dumps(state | change))
        index = SimilarIndex(folder(ledger))
        assert kinds(index, ledger, COPY) == ["image"]
        assert index.rebuilt == "it was that of another log"


def test_what_a_crash_left_behind_the_records_is_not_looked_at(ledger: Ledger) -> None:
    ledger.append([PICTURE])
    SimilarIndex(folder(ledger)).catch_up(ledger.view)
    with (folder(ledger) / "similar" / "images").open("ab") as file:
        file.write(bytes(777))
    index = SimilarIndex(folder(ledger))
    assert kinds(index, ledger, COPY) == ["image"]
    assert index.rebuilt is None
    ledger.append([work(saved(picture(9)))])
    assert kinds(index, ledger, asked(saved(picture(9)))) == ["bytes"]


def test_a_file_that_goes_while_the_node_runs_is_made_anew(ledger: Ledger) -> None:
    ledger.append([PICTURE])
    index = SimilarIndex(folder(ledger))
    index.catch_up(ledger.view)
    (folder(ledger) / "similar" / "images").write_bytes(b"")
    with pytest.raises(StoreError, match="ask again"):
        index.search(ledger.view, COPY.question)
    assert kinds(index, ledger, COPY) == ["image"]


def test_a_scan_takes_blocks(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_file, "BLOCK", 7)
    ledger.append([work(saved(picture(9))), PICTURE, ESSAY])
    index = SimilarIndex(folder(ledger))
    assert kinds(index, ledger, COPY) == ["image"]
    ledger.redact(PICTURE.id, Tombstone("legal", 1000))
    assert kinds(index, ledger, COPY) == []
    assert kinds(SimilarIndex(folder(ledger)), ledger, EXCERPT) == ["excerpt"]


def test_answers_are_bounded(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar_index, "MAX_CANDIDATES", 2)
    ledger.append([work(WORK_BYTES, n) for n in range(5)])
    answer = SimilarIndex(folder(ledger)).search(ledger.view, COPY.question)
    assert len(answer.statements) == 2


def test_candidates_that_are_not_alike_are_left_out() -> None:
    answer = Candidates((ESSAY.to_envelope(), other(1).to_envelope()), 3, 3)
    assert read_candidates(COPY, answer).found == ()


@pytest.mark.trio
async def test_the_node_answers_over_http(ledger: Ledger) -> None:
    backend = Backend(ledger)
    async with api(backend) as http, trio.open_nursery() as nursery:
        nursery.start_soon(backend.writer.run)
        nursery.start_soon(backend.similar.run)
        backend.writer.listen(backend.similar.heed)
        await backend.submit([PICTURE, ESSAY], "")
        kind = {"content-type": "application/vnd.msgpack"}
        body = question_to_bytes(COPY.question)
        packed = {"accept": "application/vnd.msgpack"}
        reply = await http.post("/v1/similar", content=body, headers=kind | packed)
        assert reply.status_code == 200
        answer = read_candidates(COPY, parse_candidates(reply.content))
        assert [one.statement for one in answer.found] == [PICTURE]
        reply = await http.post("/v1/similar", content=body, headers=kind)
        assert [one["about"] for one in reply.json()["candidates"]] == [
            f"sha256:{PICTURE.about[2:].hex()}"
        ]
        reply = await http.post("/v1/similar", content=b"\x80", headers=kind)
        assert reply.json()["error"]["kind"] == "malformed"
        reply = await http.post("/v1/similar", content=body)
        assert reply.status_code == 415
        backend.similar._budget.charge("127.0.0.1", 1000)
        reply = await http.post("/v1/similar", content=body, headers=kind)
        assert reply.json()["error"]["kind"] == "busy"
        wait = reply.json()["error"]["retry_after"]
        assert reply.headers["retry-after"] == str(wait)
        told = read_error(Reply(reply.status_code, reply.content))
        assert isinstance(told, BusyError)
        assert told.retry_after == wait > 0
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_candidates_are_put_into_words_beside_the_event_loop(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def told(_found: Candidates) -> dict[str, str]:
        threads.append(threading.current_thread())
        return {}

    monkeypatch.setattr(http_similar, "candidates_to_json", told)
    body = question_to_bytes(COPY.question)
    kind = {"content-type": "application/vnd.msgpack"}
    async with api(Backend(ledger)) as http:
        assert (await http.post("/v1/similar", content=body, headers=kind)).is_success
    assert threads != [threading.current_thread()]
    assert len(threads) == 1


@pytest.mark.trio
async def test_nobody_waits_for_ever_behind_the_search_of_another(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "TURN_SECONDS", 0.05)
    found = similar.Similar(ledger.folder, lambda: ledger.view)
    end = threading.Event()

    class Slow:
        def search(self, *_asked: object) -> Candidates:
            end.wait(5)
            return Candidates((), 0, 0)

    monkeypatch.setattr(found, "_opened", Slow)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(found.search, COPY.question, "192.0.2.1")
        await trio.sleep(0.05)
        with pytest.raises(BusyError):
            await found.search(COPY.question, "192.0.2.2")
        end.set()


@pytest.mark.trio
async def test_questions_at_once_are_paid_one_by_one(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "LEAST_SECONDS", similar.SECONDS_BURST / 3 + 1)
    found = similar.Similar(ledger._files.folder, lambda: ledger.view)
    told: list[str] = []

    async def ask() -> None:
        try:
            await found.search(COPY.question, "192.0.2.1")
            told.append("answered")
        except BusyError:
            told.append("busy")

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(ask)
    assert told.count("answered") == 3


@pytest.mark.trio
@pytest.mark.parametrize("patience", [0.05, 600])
async def test_a_busy_node_reads_what_came_later_but_not_never(
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    nursery: trio.Nursery,
    patience: float,
) -> None:
    monkeypatch.setattr(similar, "GATHER_SECONDS", 0.01)
    monkeypatch.setattr(similar, "PATIENCE_SECONDS", patience)
    found = similar.Similar(ledger._files.folder, lambda: ledger.view)
    index = found._opened()
    busy = True
    asked = 0

    def is_busy() -> bool:
        nonlocal asked
        asked += 1
        return busy

    found.is_busy = is_busy
    nursery.start_soon(found.run)
    await until(lambda: found._changed.statistics().tasks_waiting)
    assert index.size == ledger.view.size
    ledger.append([work(b"later")])
    found.heed((), "follow")
    await until(lambda: asked > 3)
    if patience == 600:
        assert index.size < ledger.view.size
        busy = False
    await until(lambda: index.size == ledger.view.size)
