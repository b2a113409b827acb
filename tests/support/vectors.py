"""Reads tests/vectors/*.json and holds code to what a case expects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from byline_ledger.errors import BylineError

VECTORS = Path(__file__).parent.parent / "vectors"


@cache
def load(name: str) -> dict[str, Any]:
    """The whole file."""
    content: dict[str, Any] = json.loads((VECTORS / name).read_text("ascii"))
    return content


def raw(value: str | list[tuple[str, int]]) -> bytes:
    """Bytes of a vector: hex, or pieces of hex and how often each is repeated."""
    if isinstance(value, str):
        return bytes.fromhex(value)
    return b"".join(bytes.fromhex(piece) * times for piece, times in value)


def cases(name: str, group: str) -> pytest.MarkDecorator:
    """Parametrises a test over `case`, one for each of a group, valid and invalid."""
    params = [pytest.param(case, id=case["name"]) for case in load(name)[group]]
    return pytest.mark.parametrize("case", params)


@contextmanager
def as_expected(case: dict[str, Any]) -> Iterator[None]:
    """The block passes, or raises the very kind of error that the case expects."""
    if case["expect"] == "ok":
        yield
        return
    with pytest.raises(BylineError) as caught:
        yield
    assert caught.value.kind == case["expect"]
