"""The one way into the log: through admission to the writer.

Rule: what is decided is decided in a thread, and nobody else calls the writer with
statements that came from outside.  The network sees a refusal as "try again later"; a
failed write must not take it down before its turn.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import trio

from byline_ledger.admission import Arrival, Source
from byline_ledger.errors import StoreError
from byline_ledger.statement import Statement
from byline_node.admission import Admission
from byline_node.errors import BusyError

if TYPE_CHECKING:
    from byline_ledger.log import Ledger
    from byline_node.writer import Committed, Listener, Writer

Submit: TypeAlias = Callable[[Sequence[Statement], str], Awaitable["Committed"]]


class Entrance:
    """Appends what is admitted."""

    def __init__(self, admission: Admission, submit: Submit) -> None:
        """`submit` is Writer.submit."""
        self.admission = admission
        self._submit = submit
        self._limiter = trio.CapacityLimiter(1)

    async def submit(
        self, statements: Sequence[Statement], source: str, peers: Sequence[str]
    ) -> Committed:
        """Returns once those that are admitted are durable; `peers` says who brought
        each.

        From the API, raises RefusedError for the first that is not.  From a followed
        log, raises BusyError where no more can be deferred.
        """
        if self.admission.policy.is_open:
            return await self._submit(statements, source)
        arrivals = [
            Arrival(Source(source), peer, one)
            for one, peer in zip(statements, peers, strict=True)
        ]
        admitted, is_full = await trio.to_thread.run_sync(
            self.admission.take, arrivals, limiter=self._limiter
        )
        try:
            committed = await self._submit(admitted, source)
        except BaseException:
            self.admission.end(admitted, appended=False)
            raise
        self.admission.end(admitted)
        if is_full:
            raise BusyError("as many statements as may wait are waiting to be admitted")
        return committed


class NetworkEntrance:
    """The same as the network sees it (network.StatementWriter).

    After a failed write `submit` does not return: the node is being stopped in order.
    """

    def __init__(self, entrance: Entrance, writer: Writer, ledger: Ledger) -> None:
        self._entrance = entrance
        self._writer = writer
        self._ledger = ledger
        self.gate = entrance.admission

    async def submit(
        self, statements: Sequence[Statement], source: str, peers: Sequence[str]
    ) -> Committed:
        try:
            return await self._entrance.submit(statements, source, peers)
        except StoreError as error:
            if self._ledger.failure is not None:
                await trio.sleep_forever()
            raise BusyError(str(error), hint=error.hint) from None

    def listen(self, listener: Listener) -> None:
        self._writer.listen(listener)
