"""What the process does with memory that it no longer needs."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator

import pytest

from byline_cli import memory


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_both_settings_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []

    class Library:
        @staticmethod
        def mallopt(option: int, value: int) -> int:
            told.append((option, value))
            return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda _name: Library)
    memory.set_up_memory()
    assert gc.get_threshold() == memory.GARBAGE
    assert told == list(memory.HEAP)


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    memory.set_up_memory()
    assert gc.get_threshold() == memory.GARBAGE


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_glibc_takes_them() -> None:
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        pytest.skip("not glibc")
    assert [library.mallopt(*one) for one in memory.HEAP] == [1, 1, 1]
