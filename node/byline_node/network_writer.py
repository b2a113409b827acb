"""Admission and the writer as the network sees them: a refusal means, try again later.

Rule: a failed write must not take the network down before its turn.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

from byline_ledger.errors import StoreError
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement
from byline_node.admission import Admission
from byline_node.errors import BusyError
from byline_node.writer import Committed, Listener, Writer


class NetworkWriter:
    """The writer as the network sees it, to which a refusal means: try again later.

    After a failed write `submit` does not return: the node is being stopped in order,
    and the network must not fall down before its turn.
    """

    def __init__(self, writer: Writer, ledger: Ledger, gate: Admission) -> None:
        self._writer = writer
        self._ledger = ledger
        self.gate = gate

    async def submit(
        self, statements: Sequence[Statement], source: str, peers: Sequence[str]
    ) -> Committed:
        try:
            return await self.gate.submit(
                statements, source, peers, self._writer.submit
            )
        except StoreError as error:
            if self._ledger.failure is not None:
                await trio.sleep_forever()
            raise BusyError(str(error), hint=error.hint) from None

    def listen(self, listener: Listener) -> None:
        self._writer.listen(listener)
