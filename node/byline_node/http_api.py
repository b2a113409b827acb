"""The node's HTTP API (docs/adr/0009-http-stack.md): routes, limits, error form.

Every answer that is not 200 is `{"error": {"kind", "message", "hint"}}` with the
`http_status` of the error.  Only this file imports FastAPI and Starlette.

The API trusts whoever reaches its port, so two things keep web pages out: a Host name
must be loopback or configured (DNS rebinding), and a POST must have a type that no
browser sends across origins without asking first; the node never answers such asking.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import trio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from byline_ledger.bundle import DEFAULT_DEPTH
from byline_ledger.codec import join_array, unpack
from byline_ledger.did import parse_did_key
from byline_ledger.digest import parse_statement_id
from byline_ledger.errors import (
    BylineError,
    NotFoundError,
    RedactedError,
    UsageError,
)
from byline_ledger.statement import Statement
from byline_ledger.verify import verify_bundle
from byline_node import http_models, operations, taken_down
from byline_node.c2pa_shelf import Shelf
from byline_node.errors import (
    MediaTypeError,
)
from byline_node.http_bindings import BindingRoutes
from byline_node.http_bodies import Bodies, client_of
from byline_node.http_gate import Gate
from byline_node.http_public import PublicBackend, PublicRoutes
from byline_node.http_replies import (
    BUNDLE_TYPE,
    JSON_TYPE,
    MSGPACK_TYPE,
    BundleResponse,
    MsgpackResponse,
    binary,
    error_response,
    json_response,
    tombstone_response,
)
from byline_node.http_similar import SimilarBackend, SimilarRoute
from byline_node.http_stats import StatsRoutes
from byline_node.receipts import receipts_to_json
from byline_node.shared_question import MAX_BYTES, SharedQuestion

if TYPE_CHECKING:
    from byline_ledger.log import LogView
    from byline_node.admission import Admission
    from byline_node.writer import Committed

STATEMENT_MEDIA_TYPE = "application/vnd.byline.statement"
MSGPACK_TYPES = {MSGPACK_TYPE, "application/msgpack", "application/x-msgpack"}

MAX_QUESTION = 256 * 1024
WAIT_SECONDS = 15.0
"""How long a request waits for one of the places for bodies."""

T = TypeVar("T")
Responses: TypeAlias = dict[int | str, dict[str, Any]]


class Backend(PublicBackend, SimilarBackend, Protocol):
    """What the API needs of the node."""

    async def answer_view(self) -> LogView: ...
    async def submit(self, statements: list[Statement], peer: str) -> Committed: ...
    @property
    def admission(self) -> Admission: ...
    def status(self) -> dict[str, Any]: ...


def make_app(
    backend: Backend, hosts: tuple[str, ...] = (), shelf: Path | None = None
) -> ASGIApp:
    """The whole application; `hosts` are names it answers to beside loopback, `shelf`
    the folder for manifests that are left with the node."""
    app = FastAPI(
        title="Byline node",
        version=operations.installed_version(),
        description="Statements in, proofs out. Formats: docs/spec.",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
    )
    Routes(backend).add_to(app)
    BindingRoutes(Shelf(shelf, lambda: backend.view)).add_to(app)
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
        self._bodies = Bodies(WAIT_SECONDS)

    def add_to(self, app: FastAPI) -> None:
        get, post = app.get, app.post
        failures: Responses = {
            code: {"model": http_models.Failure} for code in (400, 404, 413, 503)
        }
        post(
            "/v1/statements",
            response_model=http_models.Receipts,
            responses=failures
            | {422: {"model": http_models.Failure}}
            | {code: {"model": http_models.Refusal} for code in (403, 429)},
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
        post(
            "/v1/query",
            response_class=BundleResponse,
            responses=failures,
            openapi_extra=body_of(
                "JSON object: digests (1 to 512), depth (0), keys (did:key)", JSON_TYPE
            ),
        )(self.query_many)
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
        post(
            "/v1/taken-down",
            response_model=http_models.TakenDown,
            responses=failures,
            openapi_extra=body_of("MessagePack map: author (32 bytes), digests"),
        )(self.taken_down)
        route = SimilarRoute(self._backend, self._bodies, require_msgpack, wants)
        post(
            "/v1/similar",
            response_class=MsgpackResponse,
            responses=failures,
            openapi_extra=body_of("MessagePack map: docs/spec/similar.md, Asking"),
        )(route.similar)
        get(
            "/v1/admission",
            response_model=http_models.Admission,
            responses=failures,
        )(self.admission)
        PublicRoutes(self._backend, self._read).add_to(app)
        counts = StatsRoutes(self._backend)
        get("/v1/stats", response_model=http_models.Stats)(counts.stats)
        app.router.add_route("/stats", counts.page, ["GET"], include_in_schema=False)
        get("/v1/status", response_model=http_models.Status)(self.status)
        get("/healthz", response_model=http_models.Health)(self.health)

    async def publish(self, request: Request) -> Response:
        """Takes statements into the log; answers once they are on disk, all or none."""
        require_msgpack(request)
        async with self._bodies.read(request, operations.MAX_BATCH_BYTES) as body:
            view = self._backend.view
            statements = await self._check(partial(operations.take_in, view), body)
        peer = client_of(request)
        committed = await self._backend.submit(statements, peer)
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

    async def query_many(self, request: Request) -> Response:
        """The answers for up to 512 works, with proofs, in one bundle."""
        require_type(request, {JSON_TYPE})
        async with self._bodies.read(request, MAX_BYTES) as body:
            question = SharedQuestion.from_bytes(body)
        view = await self._backend.answer_view()
        bundle = await self._read(lambda: operations.query_shared(view, question))
        return binary(bundle, BUNDLE_TYPE)

    async def consistency(self, old: int, new: int) -> Response:
        """Proof that the tree of `old` entries is a prefix of that of `new`."""
        view = self._backend.view
        proof = await self._read(lambda: operations.consistency(view, old, new))
        return json_response({"old": old, "new": new, "proof": proof})

    async def authored(self, request: Request) -> Response:
        """What one author says about some digests, with that author's withdrawals."""
        author, digests = await self._read_question(request)
        view = self._backend.view

        def answer() -> Response:
            found = operations.authored(view, author, digests)
            return binary(join_array([s.to_envelope() for s in found]), MSGPACK_TYPE)

        return await self._read(answer)

    async def taken_down(self, request: Request) -> Response:
        """Of what one author said about some digests, what was taken down here."""
        author, digests = await self._read_question(request)
        view = self._backend.view
        found = await self._read(lambda: taken_down.find(view, author, digests))
        return json_response({"taken_down": [one.to_json() for one in found]})

    async def _read_question(self, request: Request) -> tuple[bytes, list[bytes]]:
        require_msgpack(request)
        async with self._bodies.read(request, MAX_QUESTION) as body:
            question = unpack(body, max_size=MAX_QUESTION, max_depth=2, what="question")
        return operations.parse_authored(question)

    async def admission(self, author: str | None = None) -> Response:
        """What the node takes in, and what it asks of one author (did:key)."""
        key = None if author is None else parse_did_key(author)
        admission = self._backend.admission
        return await self._read(lambda: json_response(admission.describe(key)))

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
    require_type(request, MSGPACK_TYPES)


def require_type(request: Request, types: set[str]) -> None:
    """Of the body; the first in order is the one to name."""
    given = request.headers.get("content-type", "").lower().partition(";")[0].strip()
    if given not in types:
        expected = MSGPACK_TYPE if MSGPACK_TYPE in types else JSON_TYPE
        raise MediaTypeError(
            f"expected Content-Type {expected}, got {given[:64] or 'none'}"
        )


# Errors


def on_byline_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BylineError)
    return error_response(error)


def on_http_error(request: Request, error: Exception) -> Response:
    """No such path, or a method that the path does not have."""
    assert isinstance(error, HTTPException)
    asked = f"{request.method} {request.url.path[:100]}"
    if error.status_code == 404:
        hint = "see /openapi.json, and /v1/status for the node's state"
        return error_response(NotFoundError(f"nothing answers to {asked}", hint=hint))
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


def body_of(description: str, media_type: str = MSGPACK_TYPE) -> dict[str, Any]:
    schema = {"type": "string", "format": "binary", "description": description}
    return {
        "requestBody": {"required": True, "content": {media_type: {"schema": schema}}}
    }


def also_binary(media_type: str) -> Responses:
    schema = {"type": "string", "format": "binary"}
    return {200: {"content": {media_type: {"schema": schema}}}}
