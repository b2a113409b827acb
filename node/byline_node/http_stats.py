"""How the archive divides: `GET /v1/stats`, and `/stats` as a page.

The counts are made as they are asked for and kept in memory: each question reads on for
a moment where the last one stopped, so a node that has just started says for a while
how far it got.  Counting: byline_ledger/archive_stats.py.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

import trio

from byline_ledger.archive_stats import ArchiveStats
from byline_ledger.stats_page import stats_page
from byline_node.http_replies import html_response, json_response

if TYPE_CHECKING:
    from byline_ledger.log import LogView

STEP = 8_192
STEP_SECONDS = 0.5
"""Entries that are read on for one question, and how long that may take: a withdrawal
may need much to be looked at."""


class HasView(Protocol):
    """What these routes need of the node."""

    @property
    def view(self) -> LogView: ...


class StatsRoutes:
    """Both routes, over one set of counts."""

    def __init__(self, backend: HasView) -> None:
        self._backend = backend
        self._stats = ArchiveStats()
        # A thread of their own: whoever counts keeps nobody from asking about works.
        self._one = trio.CapacityLimiter(1)

    async def stats(self) -> Any:
        """How the archive's claims divide, by year and by medium."""
        return json_response(await self._counted())

    async def page(self, _request: Any) -> Any:
        """The same for people: one page that fetches nothing."""
        return html_response(stats_page(await self._counted()))

    async def _counted(self) -> dict[str, object]:
        return await trio.to_thread.run_sync(self._count, limiter=self._one)

    def _count(self) -> dict[str, object]:
        view, end = self._backend.view, time.monotonic() + STEP_SECONDS
        self._stats.advance(view, STEP, lambda: time.monotonic() < end)
        return self._stats.to_json(view)
