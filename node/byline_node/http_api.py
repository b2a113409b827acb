"""The node's HTTP API (docs/adr/0009-http-stack.md): routes, limits, error form.

Every answer that is not 200 is `{"error": {"kind", "message", "hint"}}` with the
`http_status` of the error.  Only this file imports FastAPI and Starlette.

The API trusts whoever reaches its port, so two things keep web pages out: a Host name
must be loopback or configured (DNS rebinding), and a POST must have a type that no
browser sends across origins without asking first; the node never answers such asking.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeAlias, TypeVar

import trio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp

from byline_ledger.bundle import DEFAULT_DEPTH
from byline_ledger.codec import join_array, unpack
from byline_ledger.digest import parse_statement_id
from byline_ledger.errors import (
    BylineError,
    MalformedError,
    NotFoundError,
    RedactedError,
    UsageError,
)
from byline_ledger.log_files import log_file
from byline_ledger.statement import Statement
from byline_ledger.tombstone import Tombstone
from byline_ledger.verify import verify_bundle
from byline_ledger.witness import MAX_BODY, TEXT_TYPE
from byline_node import http_models, operations
from byline_node.errors import (
    BusyError,
    MediaTypeError,
    SlowRequestError,
    TooLargeError,
)
from byline_node.http_gate import Gate
from byline_node.http_log import NOT_AT_ALL, answer_file
from byline_node.rate_limit import RateLimit
from byline_node.receipts import receipts_to_json

if TYPE_CHECKING:
    from byline_ledger.log import LogView
    from byline_node.witnessing import Witness
    from byline_node.writer import Committed

BUNDLE_TYPE = "application/vnd.byline.bundle"
STATEMENT_MEDIA_TYPE = "application/vnd.byline.statement"
MSGPACK_TYPE = "application/vnd.msgpack"
MSGPACK_TYPES = {MSGPACK_TYPE, "application/msgpack", "application/x-msgpack"}
JSON_TYPE = "application/json"

MAX_QUESTION = 256 * 1024
BODY_TIMEOUT = 60.0
"""Seconds in which a request body must have arrived."""
BODIES_AT_ONCE = 8
"""Request bodies held in memory; further requests wait."""
WAIT_TIMEOUT = 15.0
WITNESS_RATE = 20.0
WITNESS_BURST = 100.0
"""Requests of add-checkpoint a second, and at once, from one address."""
REFUSAL_TIMEOUT = 5.0
REFUSAL_BYTES = 64 << 20

T = TypeVar("T")
Responses: TypeAlias = dict[int | str, dict[str, Any]]


class Backend(Protocol):
    """What the API needs of the node."""

    @property
    def view(self) -> LogView: ...
    @property
    def witness(self) -> Witness: ...
    def published(self) -> LogView: ...
    def mirrored(self, hex_hash: str, /) -> LogView | None: ...
    async def answer_view(self) -> LogView: ...
    async def submit(self, statements: list[Statement], source: str) -> Committed: ...
    def status(self) -> dict[str, Any]: ...


def make_app(backend: Backend, hosts: tuple[str, ...] = ()) -> ASGIApp:
    """The whole application; `hosts` are names it answers to beside loopback."""
    app = FastAPI(
        title="Byline node",
        version=operations.installed_version(),
        description="Statements in, proofs out. Formats: docs/spec.",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
    )
    Routes(backend).add_to(app)
    app.add_exception_handler(BylineError, on_byline_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_bad_parameter)
    app.add_exception_handler(Exception, on_bug)
    return Gate(app, hosts, error_response)


class Routes:
    """One method per route."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        # Two workers each: a third gains nothing under one interpreter lock, and
        # questions never queue behind floods of statements.
        self._readers = trio.CapacityLimiter(2)
        self._checkers = trio.CapacityLimiter(2)
        self._bodies = trio.Semaphore(BODIES_AT_ONCE)
        self._witnessing = RateLimit(WITNESS_RATE, WITNESS_BURST, trio.current_time)

    def add_to(self, app: FastAPI) -> None:
        get, post = app.get, app.post
        failures: Responses = {
            code: {"model": http_models.Failure} for code in (400, 404, 413, 503)
        }
        post(
            "/v1/statements",
            response_model=http_models.Receipts,
            responses=failures | {422: {"model": http_models.Failure}},
            openapi_extra=body_of("MessagePack array of at most 4,096 envelopes"),
        )(self.publish)
        get(
            "/v1/statements/{id}",
            response_model=http_models.StatementJson,
            responses=failures
            | {410: {"model": http_models.Redacted}}
            | also_binary(STATEMENT_MEDIA_TYPE),
        )(self.statement)
        get(
            "/v1/query/{hash:path}",
            response_model=http_models.QueryAnswer,
            responses=failures | also_binary(BUNDLE_TYPE),
        )(self.query)
        get(
            "/v1/consistency",
            response_model=http_models.Consistency,
            responses=failures,
        )(self.consistency)
        post(
            "/v1/authored",
            response_class=MsgpackResponse,
            responses=failures,
            openapi_extra=body_of("MessagePack map: author (32 bytes), digests"),
        )(self.authored)
        # No parameters to convert: the plain route costs half of one of FastAPI.
        app.add_route("/log/{path:path}", self.file, ["GET"], include_in_schema=False)
        app.add_route(
            "/witness/add-checkpoint",
            self.add_checkpoint,
            ["POST"],
            include_in_schema=False,
        )
        app.add_route(
            "/witness/vkey", self.witness_keys, ["GET"], include_in_schema=False
        )
        app.add_route(
            "/witness/{hash}/checkpoint",
            self.witnessed,
            ["GET"],
            include_in_schema=False,
        )
        app.add_route(
            "/mirror/{hash}/{path:path}", self.mirror, ["GET"], include_in_schema=False
        )
        get("/v1/status", response_model=http_models.Status)(self.status)
        get("/healthz", response_model=http_models.Health)(self.health)

    async def publish(self, request: Request) -> Response:
        """Takes statements into the log; answers once they are on disk, all or none."""
        require_msgpack(request)
        async with self._body(request, operations.MAX_BATCH_BYTES) as body:
            view = self._backend.view
            statements = await self._check(partial(operations.take_in, view), body)
        committed = await self._backend.submit(statements, "api")
        return await self._read(
            lambda: json_response(
                receipts_to_json(committed.receipts(), committed.view)
            )
        )

    async def statement(self, request: Request, id: str) -> Response:
        """One statement by its id (CID or 64 hex digits)."""
        view, name = self._backend.view, parse_statement_id(id)
        try:
            statement = await self._read(lambda: operations.find_statement(view, name))
        except RedactedError as error:
            tombstone = await self._read(lambda: view.tombstone(name))
            return tombstone_response(error, tombstone)
        if wants(request, STATEMENT_MEDIA_TYPE):
            return binary(statement.to_envelope(), STATEMENT_MEDIA_TYPE)
        shown = operations.statement_to_json(statement, view.index_of(name))
        return json_response(shown)

    async def query(
        self,
        request: Request,
        hash: str,
        depth: int = DEFAULT_DEPTH,
    ) -> Response:
        """Everything about a work, with proofs; as a bundle if that is accepted."""
        view = await self._backend.answer_view()
        bundle = await self._read(lambda: operations.query(view, hash, depth))
        if wants(request, BUNDLE_TYPE):
            return binary(bundle, BUNDLE_TYPE)
        return await self._read(lambda: json_response(explain(bundle)))

    async def consistency(self, old: int, new: int) -> Response:
        """Proof that the tree of `old` entries is a prefix of that of `new`."""
        view = self._backend.view
        proof = await self._read(lambda: operations.consistency(view, old, new))
        return json_response({"old": old, "new": new, "proof": proof})

    async def authored(self, request: Request) -> Response:
        """What one author says about some digests, with that author's withdrawals."""
        require_msgpack(request)
        async with self._body(request, MAX_QUESTION) as body:
            question = unpack(body, max_size=MAX_QUESTION, max_depth=2, what="question")
        author, digests = operations.parse_authored(question)
        view = self._backend.view
        found = await self._read(lambda: operations.authored(view, author, digests))
        return binary(join_array([s.to_envelope() for s in found]), MSGPACK_TYPE)

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
            return error_response(NotFoundError("no log of this name is copied here"))
        view = self._backend.view if path.startswith("statements/") else copy
        try:
            found = await self._read(lambda: log_file(view, path))
        except BylineError as error:
            return error_response(error)
        headers = {"cache-control": NOT_AT_ALL}
        return Response(found.data, 200, headers, media_type=found.media_type)

    async def add_checkpoint(self, request: Request) -> Response:
        """C2SP tlog-witness (docs/spec/witness.md)."""
        client = request.client.host if request.client else ""
        if not self._witnessing.takes(client):
            return text_response(429, b"too many requests from this address\n")
        try:
            async with self._body(request, MAX_BODY) as body:
                answer = await self._backend.witness.add_checkpoint(body)
        except BylineError as error:
            return text_response(error.http_status, f"{error}\n".encode())
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

    async def status(self) -> Response:
        """Who this node is, what its log holds, whom it is connected to."""
        return json_response(self._backend.status())

    async def health(self) -> Response:
        """200 while the node answers."""
        return json_response({"ok": True, "origin": self._backend.view.origin})

    async def _read(self, work: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(work, limiter=self._readers)

    async def _check(self, work: Callable[[bytes], T], body: bytes) -> T:
        return await trio.to_thread.run_sync(work, body, limiter=self._checkers)

    @asynccontextmanager
    async def _body(self, request: Request, limit: int) -> AsyncIterator[bytes]:
        """The request's body while one of the few places for bodies is held."""
        with trio.move_on_after(WAIT_TIMEOUT) as waiting:
            await self._bodies.acquire()
        if waiting.cancelled_caught:
            raise BusyError("too many requests at once: try again")
        try:
            yield await read_body(request, limit)
        finally:
            self._bodies.release()


def explain(bundle: bytes) -> dict[str, Any]:
    """The answer of a bundle as JSON, with the levels at which it was verified."""
    verdict = verify_bundle(bundle)
    levels = [
        {"name": one.name, "status": one.status, "detail": one.detail}
        for one in verdict.levels
    ]
    answer = verdict.answer.to_json() if verdict.answer else None
    return {"answer": answer, "levels": levels, "ok": verdict.ok}


# Requests


def wants(request: Request, media_type: str) -> bool:
    """Whether the Accept header names this very type."""
    accepted = request.headers.get("accept", "").lower().split(",")
    return media_type in (one.partition(";")[0].strip() for one in accepted)


def require_msgpack(request: Request) -> None:
    given = request.headers.get("content-type", "").lower().partition(";")[0].strip()
    if given not in MSGPACK_TYPES:
        raise MediaTypeError(
            f"expected Content-Type {MSGPACK_TYPE}, got {given[:64] or 'none'}"
        )


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body; raises TooLargeError or SlowRequestError."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        await refuse_body(request, limit)
    body = bytearray()
    with trio.move_on_after(BODY_TIMEOUT) as reading:
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    await refuse_body(request, limit)
        except ClientDisconnect:
            raise MalformedError("the request body ended early") from None
    if reading.cancelled_caught:
        raise SlowRequestError(f"the body did not arrive within {BODY_TIMEOUT:.0f} s")
    return bytes(body)


async def refuse_body(request: Request, limit: int) -> NoReturn:
    """Reads on for a little: a client that is still sending would miss the answer."""
    with trio.move_on_after(REFUSAL_TIMEOUT), suppress(ClientDisconnect):
        left = REFUSAL_BYTES
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                break
    raise TooLargeError(f"expected a body of at most {limit} bytes, got more")


# Responses


class MsgpackResponse(Response):
    media_type = MSGPACK_TYPE


def json_response(value: object, status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # The same address answers in several types.
    return Response(text, status, media_type=JSON_TYPE, headers={"vary": "accept"})


def text_response(status: int, body: bytes) -> Response:
    return Response(body, status, media_type=TEXT_TYPE)


def binary(data: bytes, media_type: str) -> Response:
    return Response(data, media_type=media_type, headers={"vary": "accept"})


def error_response(error: BylineError, status: int | None = None) -> Response:
    return json_response(error_json(error), status or error.http_status)


def error_json(error: BylineError) -> dict[str, Any]:
    return {"error": {"kind": error.kind, "message": str(error), "hint": error.hint}}


def tombstone_response(error: RedactedError, tombstone: Tombstone | None) -> Response:
    """Beside the error, why and when the body was taken down."""
    answer = error_json(error)
    if tombstone is not None:
        answer["tombstone"] = {"reason": tombstone.reason, "time": tombstone.time}
    return json_response(answer, error.http_status)


def on_byline_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BylineError)
    return error_response(error)


def on_http_error(request: Request, error: Exception) -> Response:
    """No such path, or a method that the path does not have."""
    assert isinstance(error, HTTPException)
    asked = f"{request.method} {request.url.path[:100]}"
    if error.status_code == 404:
        return error_response(NotFoundError(f"nothing answers to {asked}"))
    problem = UsageError(f"{asked}: {error.detail}")
    response = error_response(problem, error.status_code)
    response.headers.update(error.headers or {})
    return response


def on_bad_parameter(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    return error_response(UsageError(f"{name}: {first['msg']}"))


def on_bug(request: Request, error: Exception) -> Response:
    """A fault of our own: the server logs it with its traceback."""
    problem = BylineError("the node failed inside; its log says where")
    return error_response(problem, 500)


# OpenAPI


def body_of(description: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "binary", "description": description}
    return {
        "requestBody": {"required": True, "content": {MSGPACK_TYPE: {"schema": schema}}}
    }


def also_binary(media_type: str) -> Responses:
    schema = {"type": "string", "format": "binary"}
    return {200: {"content": {media_type: {"schema": schema}}}}
