"""What a node shows to tools of others: its log as files, its witness, its copies.

Plain routes without FastAPI's conversions, which cost as much again: auditors fetch
thousands of tiles.  Forms: docs/spec/log.md, "As files"; docs/spec/witness.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from byline_ledger.errors import BylineError, NotFoundError
from byline_ledger.followed import Followed, parse_nonce
from byline_ledger.log_files import mirror_file
from byline_ledger.witness import MAX_BODY
from byline_node.budgets import Budget
from byline_node.http_bodies import Bodies, client_of
from byline_node.http_log import NOT_AT_ALL, answer_file
from byline_node.http_replies import error_response, text_response

if TYPE_CHECKING:
    from byline_ledger.log import LogView
    from byline_node.witnessing import Witness

NOT_COPIED = NotFoundError("no log of this name is copied here")
WITNESS_RATE = 20.0
WITNESS_BURST = 100.0
"""Requests of add-checkpoint a second, and at once, from one address."""
WITNESS_WAIT = 1.0
"""How long one waits for a place; logs ask again."""


class PublicBackend(Protocol):
    """What these routes need of the node."""

    @property
    def view(self) -> LogView: ...
    @property
    def witness(self) -> Witness: ...
    def published(self) -> LogView: ...
    def mirrored(self, hex_hash: str, /) -> LogView | None: ...
    async def followed(self, hex_hash: str, nonce: bytes, /) -> Followed | None: ...


class Work(Protocol):
    """Runs work in the API's reading threads."""

    async def __call__(self, work: Callable[[], Any], /) -> Any: ...


class PublicRoutes:
    """One method per route."""

    def __init__(self, backend: PublicBackend, read: Work) -> None:
        self._backend = backend
        self._read = read
        self._bodies = Bodies(WITNESS_WAIT)
        self._witnessing = Budget(WITNESS_RATE, WITNESS_BURST, trio.current_time)

    def add_to(self, app: Starlette) -> None:
        """Adds the routes; they stand in no OpenAPI, for they are others' standards."""
        app.router.add_route(
            "/log/{path:path}", self.file, ["GET"], include_in_schema=False
        )
        app.router.add_route(
            "/mirror/{hash}/followed", self.followed, ["GET"], include_in_schema=False
        )
        app.router.add_route(
            "/mirror/{hash}/{path:path}", self.mirror, ["GET"], include_in_schema=False
        )
        app.router.add_route(
            "/witness/add-checkpoint",
            self.add_checkpoint,
            ["POST"],
            include_in_schema=False,
        )
        app.router.add_route(
            "/witness/vkey", self.witness_keys, ["GET"], include_in_schema=False
        )
        app.router.add_route(
            "/witness/{hash}/checkpoint",
            self.witnessed,
            ["GET"],
            include_in_schema=False,
        )

    async def file(self, request: Request) -> Response:
        """A file of the log: checkpoint, tile, entries, statement (http_log.py)."""
        view, raw = self._backend.published(), request.scope["raw_path"]
        condition = request.headers.get("if-none-match", "")
        try:
            found = await self._read(lambda: answer_file(view, raw, condition))
        except BylineError as error:
            response = error_response(error)
            response.headers["cache-control"] = NOT_AT_ALL
            return response
        return Response(
            found.body, found.status, found.headers, media_type=found.media_type
        )

    async def mirror(self, request: Request) -> Response:
        """A file of the copy of a peer's log; bodies are our own."""
        name, path = request.path_params["hash"], request.path_params["path"]
        copy = self._backend.mirrored(name)
        if copy is None:
            return error_response(NOT_COPIED)
        own = self._backend.view
        try:
            found = await self._read(lambda: mirror_file(copy, own, path))
        except BylineError as error:
            return error_response(error)
        headers = {"cache-control": NOT_AT_ALL}
        return Response(found.data, 200, headers, media_type=found.media_type)

    async def followed(self, request: Request) -> Response:
        """How far that copy was followed: the answer to a number drawn just now."""
        asked = request.query_params.get("nonce", "")
        try:
            nonce = parse_nonce(asked.encode("utf-8", "surrogateescape"))
        except BylineError as error:
            return error_response(error)
        found = await self._backend.followed(request.path_params["hash"], nonce)
        if found is None:
            return error_response(NOT_COPIED)
        response = text_response(200, found.to_bytes())
        response.headers["cache-control"] = NOT_AT_ALL
        return response

    async def add_checkpoint(self, request: Request) -> Response:
        """C2SP tlog-witness (docs/spec/witness.md)."""
        client = client_of(request)
        if not self._witnessing.takes(client):
            return unread(text_response(429, b"too many requests from this address\n"))
        try:
            async with self._bodies.read(request, MAX_BODY) as body:
                answer = await self._backend.witness.add_checkpoint(body)
        except BylineError as error:
            return unread(text_response(error.http_status, f"{error}\n".encode()))
        # As it stands: the framework would add a charset to the size's own type.
        headers = {"content-type": answer.media_type}
        return Response(answer.body, answer.status, headers)

    async def witness_keys(self, request: Request) -> Response:
        """The verifier keys of the witness and of the replay witness."""
        keys = "".join(f"{vkey}\n" for vkey in self._backend.witness.vkeys)
        return text_response(200, keys.encode())

    async def witnessed(self, request: Request) -> Response:
        """The checkpoint of somebody's log that was cosigned last."""
        name = request.path_params["hash"]
        note = await self._read(lambda: self._backend.witness.by_hash(name))
        if note is None:
            return text_response(404, b"no log of this name was cosigned here\n")
        return text_response(200, note)


def unread(response: Response) -> Response:
    """For an answer before the whole body was read: the connection cannot go on, and
    the client should not find that out with its next request."""
    response.headers["connection"] = "close"
    return response
