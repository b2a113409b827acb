"""The scan over packed codes: what is near, in bounded time and memory."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node.test_similar_index import COPY, ESSAY, PICTURE, TEXT, asked, other

from byline_ledger.fingerprint_codes import bits_between
from byline_ledger.likeness import Question
from byline_ledger.log import Ledger
from byline_node import code_file, similar, similar_index
from byline_node.code_file import CodeFile, Hit, Wanted
from byline_node.similar_index import KEPT, SLOT_BITS, Nearest, SimilarIndex


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.init(tmp_path / "node")
    opened.append([other(1), PICTURE])
    opened.append([*(other(n) for n in range(2, 30)), ESSAY])
    yield opened
    opened.close()


def flipped(code: bytes, bits: list[int]) -> bytes:
    number = int.from_bytes(code, "big")
    for bit in bits:
        number ^= 1 << bit
    return number.to_bytes(len(code), "big")


@pytest.mark.parametrize("words", [1, 4])
def test_a_scan_finds_what_looking_at_each_code_finds(
    words: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over blocks, taken out records and two wishes, of which one is for whole ones."""
    monkeypatch.setattr(code_file, "BLOCK", 16)
    dice = random.Random(words)
    size, limit = 8 * words, 12
    codes = [dice.randbytes(size) for _ in range(3)]
    records: list[tuple[bytes, int]] = []
    for number in range(200):
        near = dice.sample(range(8 * size), dice.randrange(25))
        code = flipped(dice.choice(codes), near)
        records.append((code, number // 3 << SLOT_BITS | number % 3))
    file = CodeFile(tmp_path / "codes", words)
    file.append(records)
    file.erase([5, 6, 7, 8, 9, 10, 11], SLOT_BITS)
    wanted = [Wanted(codes[:1]), Wanted(codes[1:], (255, 0))]
    least: dict[int, int] = {}
    for code, of in records:
        index, slot = of >> SLOT_BITS, of & 255
        if not 5 <= index <= 11:
            asked_of = codes if slot == 0 else codes[:1]
            distance = min(bits_between(code, one) for one in asked_of)
            if distance <= limit:
                least[index] = min(least.get(index, 999), distance)
    found: dict[int, int] = {}
    before = -1
    for upto, hits in file.scan(wanted, limit, SLOT_BITS, 1000):
        assert all(before <= one.of <= upto for one in hits)
        before = upto
        assert hits == sorted(hits, key=lambda one: (one.distance, one.of))
        for one in hits:
            found[one.of] = min(found.get(one.of, 999), one.distance)
    assert found == least
    assert before == 199 // 3
    (first, *_) = file.scan(wanted, limit, SLOT_BITS, 1000)
    (few, *_) = file.scan(wanted, limit, SLOT_BITS, 2)
    assert few[1] == first[1][:2]


def test_a_search_without_time_says_up_to_where_it_came(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block of one file at least is looked at; what is found is told, and the rest is
    never passed off as searched."""
    monkeypatch.setattr(code_file, "BLOCK", 1)
    index = SimilarIndex(ledger._files.folder)
    answer = index.search(ledger.view, COPY.question, 0)
    assert (answer.searched, answer.size) == (0, ledger.view.size)
    assert answer.statements == ()
    index.catch_up(ledger.view)
    place = ledger.view.index_of(PICTURE.id)
    answer = index.search(ledger.view, COPY.question, 0)
    assert answer.searched in (0, place)
    answer = index.search(ledger.view, COPY.question)
    assert answer.statements[0] == PICTURE.to_envelope()
    assert answer.searched == answer.size == ledger.view.size


def test_no_file_is_left_behind_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what was searched is the same entries of all of them."""
    monkeypatch.setattr(code_file, "BLOCK", 1)
    order: list[str] = []
    scan = CodeFile.scan

    def seen(file: CodeFile, *rest: object) -> Iterator[tuple[int, list[Hit]]]:
        for step in scan(file, *rest):  # type: ignore[arg-type]
            order.append(file.path.name)
            yield step

    monkeypatch.setattr(CodeFile, "scan", seen)
    text, image = asked(TEXT).question, COPY.question
    both = Question(image.turned, image.parts, text.text, text.chunks, text.data)
    ledger = Ledger.init(tmp_path / "node")
    ledger.append([ESSAY, *(other(n) for n in range(9))])
    ledger.append([PICTURE])
    answer = SimilarIndex(tmp_path / "node").search(ledger.view, both)
    ledger.close()
    assert {PICTURE.to_envelope(), ESSAY.to_envelope()} <= set(answer.statements)
    first, second = [at for at, name in enumerate(order) if name == "images"][:2]
    assert second - first > 2
    assert order.count("chunks") == order[:second].count("chunks") > 1


def test_few_of_very_many_hits_are_remembered() -> None:
    """Somebody may publish a million codes, all near, and ask for them."""
    nearest = Nearest()
    for start in range(0, 100 * KEPT, KEPT):
        numbers = range(start, start + KEPT)
        nearest.take([Hit(one, 10 - one // (10 * KEPT)) for one in numbers], 64)
        assert len(nearest._least) <= 2 * KEPT
    best = nearest.best(KEPT)
    assert [one.index for one in best] == list(range(90 * KEPT, 91 * KEPT))
    nearest.take([Hit(7, 0)], 256)
    assert nearest.best(1)[0].index == 7


@pytest.mark.trio
async def test_a_question_of_a_stranger_has_little_time(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends, and the answer does not pass for a whole one."""
    monkeypatch.setattr(similar, "SEARCH_SECONDS", 0)
    node = similar.Similar(ledger._files.folder, lambda: ledger.view)
    answer = await node.search(COPY.question, "192.0.2.1")
    assert answer.searched == 0 < answer.size == ledger.view.size


@pytest.mark.trio
async def test_a_search_waits_for_one_step_of_reading_the_log(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large log that is minutes."""
    monkeypatch.setattr(similar_index, "STEP", 1)
    node = similar.Similar(ledger._files.folder, lambda: ledger.view)
    assert node._step()
    assert node._opened().size == 1
    steps = 1
    while node._step():
        steps += 1
    assert steps == ledger.view.size
