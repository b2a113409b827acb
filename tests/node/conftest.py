"""No test of the node may stumble over a mistake of ours that the node then bears; and
what attacked nodes weighed is told by `make hostile`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.support.hostile import weighed

from byline_node.mistakes import noted


@pytest.fixture(autouse=True)
def _no_mistakes() -> Iterator[None]:
    noted.clear()
    yield
    assert list(noted) == []


@pytest.fixture(params=[True, False], ids=["patched", "as-it-comes"])
def patched(request: pytest.FixtureRequest) -> bool:
    """Whether the patch of libp2p that a test is about is in force."""
    return bool(request.param)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if weighed and os.environ.get("BYLINE_HOSTILE"):
        terminalreporter.write_line("   node  before   after  MiB resident, by attack")
        for line in weighed:
            terminalreporter.write_line(line)
