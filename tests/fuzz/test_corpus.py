"""Every parser of a stranger's bytes keeps its word on its seeds and mutants of them.

What it must keep: tests/fuzz/targets.py.  `make fuzz` does the same for longer.
"""

from __future__ import annotations

from random import Random

import pytest
from tests.fuzz.mutate import mutants
from tests.fuzz.seeds import CORPUS, seeds
from tests.fuzz.targets import (
    BY_NAME,
    GROUPS,
    TARGETS,
    Target,
    check_selected,
    selected,
)

from byline_ledger.errors import MalformedError

MUTANTS = 2_000
MAX_CORPUS = 450_000

every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.name)


@every_target
def test_each_target_accepts_one_of_its_seeds_and_refuses_another(
    target: Target,
) -> None:
    accepted = [target.accepts(data) for data in seeds(target)]
    assert any(accepted)
    assert not all(accepted) or target.name in ALWAYS_PARSE


@every_target
def test_each_target_keeps_its_word_on_mutants_of_its_seeds(target: Target) -> None:
    for data in mutants(seeds(target), MUTANTS, Random(target.name)):
        target.accepts(data)


ALWAYS_PARSE = {"source-type"}
"""An unknown source type is unknown, not malformed."""


def test_a_parser_that_raises_something_else_is_found() -> None:
    def broken(data: bytes) -> bytes:
        return bytes([data[10]])

    with pytest.raises(IndexError):
        Target("none", "broken", broken).accepts(b"short")


def test_a_second_spelling_is_found() -> None:
    target = Target("none", "lenient", int, lambda number: b"%d" % number)
    assert target.accepts(b"12")
    with pytest.raises(AssertionError, match="written again as b'12'"):
        target.accepts(b" 12")


@pytest.mark.parametrize(
    "message", ["", "two\nlines", "\x1b[31m", "x" * 1001, "\udcff"]
)
def test_a_message_that_cannot_be_shown_in_one_line_is_found(message: str) -> None:
    def refuse(data: bytes) -> None:
        raise MalformedError(message)

    with pytest.raises((AssertionError, UnicodeEncodeError)):
        Target("none", "talking", refuse).accepts(b"")


def test_the_fuzzer_reaches_each_target_by_a_first_byte() -> None:
    for target in TARGETS:
        for data in seeds(target)[:1]:
            check_selected(target.group, selected(target, data))
            picked = GROUPS[target.group][selected(target, data)[0]]
            assert picked is target


def test_the_corpus_is_small_and_belongs_to_the_targets() -> None:
    files = list(CORPUS.glob("*"))
    assert {path.name for path in files} == {f"{name}.json" for name in BY_NAME}
    assert sum(path.stat().st_size for path in files) <= MAX_CORPUS
    assert len(BY_NAME) == len(TARGETS)
