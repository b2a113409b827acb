"""What clients have to ask about one work: the answer, or the proof of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import TypeVar

from byline_ledger.answer import Answer
from byline_ledger.bundle import DEFAULT_DEPTH
from byline_ledger.policy import Policy
from byline_node import calls
from byline_node.calls import Operation

T = TypeVar("T")


class OneWork(ABC):
    """`query` and `query_bundle` for clients that wait."""

    _policy: Policy | None

    def query(
        self,
        asked: str | bytes,
        *,
        depth: int = DEFAULT_DEPTH,
        keys: Collection[bytes] = (),
        now: int | None = None,
    ) -> Answer:
        """The verified answer for a HASH in any form, or a 34-byte multihash.

        `keys` are up to 16 32-byte keys that the reader trusts: what they say comes
        first, so nobody can crowd it out.  Raises VerificationError if anything in it
        does not hold.
        """
        return self._run(calls.query(asked, depth, self._policy, now, keys))

    def query_bundle(
        self,
        asked: str | bytes,
        *,
        depth: int = DEFAULT_DEPTH,
        keys: Collection[bytes] = (),
    ) -> bytes:
        """The same as a proof bundle, to keep and to verify anywhere."""
        return self._run(calls.query_bundle(asked, depth, keys))

    @abstractmethod
    def _run(self, operation: Operation[T]) -> T: ...


class OneWorkAsync(ABC):
    """The same for clients that are awaited."""

    _policy: Policy | None

    async def query(
        self,
        asked: str | bytes,
        *,
        depth: int = DEFAULT_DEPTH,
        keys: Collection[bytes] = (),
        now: int | None = None,
    ) -> Answer:
        """See OneWork.query."""
        return await self._run(calls.query(asked, depth, self._policy, now, keys))

    async def query_bundle(
        self,
        asked: str | bytes,
        *,
        depth: int = DEFAULT_DEPTH,
        keys: Collection[bytes] = (),
    ) -> bytes:
        """See OneWork.query_bundle."""
        return await self._run(calls.query_bundle(asked, depth, keys))

    @abstractmethod
    async def _run(self, operation: Operation[T]) -> T: ...
