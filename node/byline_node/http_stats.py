"""How the archive divides: `GET /v1/stats`, and `/stats` as a page.

The counts are made as they are asked for and kept in memory: each question reads on for
a moment where the last one stopped, so a node that has just started says for a while
how far it got.  Counting: byline_ledger/archive_stats.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from byline_ledger.archive_stats import ArchiveStats
from byline_ledger.stats_page import stats_page
from byline_node.http_replies import html_response, json_response

if TYPE_CHECKING:
    from byline_ledger.log import LogView

STEP = 8_192
"""Entries that are read on for one question: about half a second."""


class HasView(Protocol):
    """What these routes need of the node."""

    @property
    def view(self) -> LogView: ...


class Work(Protocol):
    """Runs work in the API's reading threads."""

    async def __call__(self, work: Callable[[], Any], /) -> Any: ...


class StatsRoutes:
    """Both routes, over one set of counts."""

    def __init__(self, backend: HasView, read: Work) -> None:
        self._backend = backend
        self._read = read
        self._stats = ArchiveStats()
        self._lock = threading.Lock()

    async def stats(self) -> Any:
        """How the archive's claims divide, by year and by medium."""
        return json_response(await self._read(self._counted))

    async def page(self, _request: Any) -> Any:
        """The same for people: one page that fetches nothing."""
        found = await self._read(self._counted)
        return html_response(stats_page(found))

    def _counted(self) -> dict[str, object]:
        view = self._backend.view
        with self._lock:
            self._stats.advance(view, STEP)
            return self._stats.to_json(view)
