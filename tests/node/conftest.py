"""No test of the node may stumble over a mistake of ours that the node then bears."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from byline_node.mistakes import noted


@pytest.fixture(autouse=True)
def _no_mistakes() -> Iterator[None]:
    noted.clear()
    yield
    assert list(noted) == []
