"""How a running node is told to stop, or to look again at its settings."""

from __future__ import annotations

import trio

from byline_ledger.errors import BylineError


class Stop:
    """The wish that the node stops, and the failure that caused it, if one did; and,
    until then, that it reads its settings again."""

    def __init__(self) -> None:
        self._asked = trio.Event()
        self._hung_up = trio.Event()
        self.failure: BylineError | None = None

    def ask(self, failure: BylineError | None = None) -> None:
        """The first failure counts; asking again is harmless."""
        self.failure = self.failure or failure
        self._asked.set()

    async def wait(self) -> None:
        await self._asked.wait()

    def hang_up(self) -> None:
        self._hung_up.set()

    async def wait_hangup(self) -> None:
        await self._hung_up.wait()
        self._hung_up = trio.Event()
