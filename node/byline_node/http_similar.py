"""POST /v1/similar: which statements may be about something alike.

The question is MessagePack, and so is the answer: statements as envelopes, which the
reader compares and verifies (docs/spec/similar.md, "Asking").  To whoever accepts JSON
alone it is told which works they are about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import trio
from starlette.requests import Request
from starlette.responses import Response

from byline_ledger.likeness_messages import (
    MAX_QUESTION,
    Candidates,
    parse_question,
)
from byline_ledger.statement import Statement
from byline_node.http_bodies import Bodies, client_of
from byline_node.http_replies import MSGPACK_TYPE, binary, json_response
from byline_node.operations import statement_to_json
from byline_node.similar import Similar


class SimilarBackend(Protocol):
    """What the route needs of the node."""

    @property
    def similar(self) -> Similar: ...


class SimilarRoute:
    """The route; `require` checks the type of the body, `wants` the Accept header."""

    def __init__(
        self,
        backend: SimilarBackend,
        bodies: Bodies,
        require: Callable[[Request], None],
        wants: Callable[[Request, str], bool],
    ) -> None:
        self._backend = backend
        self._bodies = bodies
        self._require = require
        self._wants = wants
        self._readers = trio.CapacityLimiter(1)

    async def similar(self, request: Request) -> Response:
        """Statements whose fingerprints may be near those in the question."""
        self._require(request)
        async with self._bodies.read(request, MAX_QUESTION) as body:
            asked = parse_question(body)
        client = client_of(request)
        found = await self._backend.similar.search(asked, client)
        if self._wants(request, MSGPACK_TYPE):
            return binary(found.to_bytes(), MSGPACK_TYPE)
        return await trio.to_thread.run_sync(
            lambda: json_response(candidates_to_json(found)), limiter=self._readers
        )


def candidates_to_json(found: Candidates) -> dict[str, Any]:
    """The same for those who do not compare."""
    read = map(Statement.from_envelope, found.statements)
    return {
        "searched": found.searched,
        "size": found.size,
        "candidates": [statement_to_json(one, None) for one in read],
    }
