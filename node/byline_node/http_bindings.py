"""C2PA's Soft Binding Resolution API: a manifest for a work that lost its own.

Plain routes, like those of http_public.py, for tools of others.  Under /v1, which that
API leaves to the server: matches/byBinding, matches/byContent, manifests/{id},
services/supportedAlgorithms; and POST manifests, which is ours.  Form:
docs/spec/content-credentials.md, "Soft bindings".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import ceil
from typing import Any, TypeVar

import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from byline_ledger.digest import cid_of_statement, parse_statement_id
from byline_ledger.errors import BylineError, MalformedError, UsageError
from byline_node.budgets import Budget
from byline_node.c2pa_deposit import MAX_DEPOSIT, MAX_VALUE, alone, unit_codes
from byline_node.c2pa_lookup import Match, by_content, by_units, require_content_type
from byline_node.c2pa_manifest import SOFT_BINDING
from byline_node.c2pa_shelf import BETWEEN, Shelf
from byline_node.errors import BusyError, MediaTypeError
from byline_node.http_bodies import Bodies, client_of
from byline_node.http_replies import error_response, json_response
from byline_node.places import Places

MANIFEST_TYPE = "application/c2pa"
MAX_CONTENT = 16 << 20
"""Bytes of a file that is looked for by its content."""
MAX_RESULTS = 100
DEFAULT_RESULTS = 10
LOOKUP_RATE, LOOKUP_BURST = 5.0, 50.0
"""Questions by binding a second, and at once, from one address."""
CONTENT_RATE, CONTENT_BURST = 0.2, 4.0
"""Seconds of looking into files, for one address: a second, and at once."""
LEAST_SECONDS = 1.0
"""What a file counts as, however quick."""
TURN_SECONDS = 15.0
"""How long a file waits for those before it."""
DEPOSIT_RATE, DEPOSIT_BURST = 0.1, 256.0
BYTES_RATE, BYTES_BURST = 4_096.0, float(64 << 20)
"""Manifests that one address may leave, and bytes of them: what fills a whole shelf
takes it more than a day."""
WAIT_SECONDS = 5.0
BOOLEANS = {"true": True, "false": False}

T = TypeVar("T")


class BindingRoutes:
    """One method per route."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        # A thread each: whoever asks waits for others who do, and for no picture.
        self._limiter = trio.CapacityLimiter(1)
        self._content_limiter = trio.CapacityLimiter(1)
        self._turn = Places(1, 1, TURN_SECONDS)
        self._bodies = Bodies(WAIT_SECONDS)
        self._lookups = Budget(LOOKUP_RATE, LOOKUP_BURST, trio.current_time)
        self._contents = Budget(CONTENT_RATE, CONTENT_BURST, trio.current_time)
        self._deposits = Budget(DEPOSIT_RATE, DEPOSIT_BURST, trio.current_time)
        self._deposited = Budget(BYTES_RATE, BYTES_BURST, trio.current_time)

    def add_to(self, app: Starlette) -> None:
        """Adds the routes; they stand in no OpenAPI, for they have one of their own."""
        for path, answer, method in (
            ("matches/byBinding", self.by_binding, "GET"),
            ("matches/byBinding", self.by_large_binding, "POST"),
            ("matches/byContent", self.by_content, "POST"),
            ("manifests", self.deposit, "POST"),
            ("manifests/{name}", self.manifest, "GET"),
            ("services/supportedAlgorithms", self.algorithms, "GET"),
        ):
            app.router.add_route(
                f"/v1/{path}", told(answer), [method], include_in_schema=False
            )

    async def algorithms(self, request: Request) -> Response:
        """What can be asked for."""
        return json_response(
            {"fingerprints": [{"alg": SOFT_BINDING}], "watermarks": []}
        )

    async def by_binding(self, request: Request) -> Response:
        """Manifests of works with a code like this one."""
        asked = request.query_params
        return await self._by_value(request, asked.get("alg"), asked.get("value"))

    async def by_large_binding(self, request: Request) -> Response:
        """The same, asked for in a body of JSON."""
        require_type(request, "application/json")
        async with self._bodies.read(request, 2 * MAX_VALUE) as body:
            alg, value = read_binding(body)
        return await self._by_value(request, alg, value)

    async def _by_value(
        self, request: Request, alg: str | None, value: str | None
    ) -> Response:
        require_algorithm(alg)
        if value is None:
            raise UsageError("value: expected ISCC units in base64")
        most = results_asked(request)
        self._charge(self._lookups, request)
        units = unit_codes(value)
        return await self._answer(
            lambda: (by_units(self._shelf, units, most), 0), self._limiter
        )

    async def by_content(self, request: Request) -> Response:
        """Manifests of works that a file looks like, in part or as a whole."""
        if "alg" in request.query_params:
            require_algorithm(request.query_params["alg"])
        most = results_asked(request)
        require_content_type(given_type(request))
        client = client_of(request)
        require_left(self._contents, client)
        async with (
            self._bodies.read(request, MAX_CONTENT) as body,
            self._turn.one(client),
        ):
            # Again: many at once would all pass before one is paid for.
            require_left(self._contents, client)
            started = trio.current_time()
            try:
                return await self._answer(
                    lambda: by_content(self._shelf, body, most), self._content_limiter
                )
            finally:
                took = trio.current_time() - started
                self._contents.charge(client, max(took, LEAST_SECONDS))

    async def _answer(
        self, look: Callable[[], tuple[list[Match], int]], limiter: trio.CapacityLimiter
    ) -> Response:
        def told() -> dict[str, object]:
            found, left = look()
            rows = [match_json(one, self._shelf.name_of(one.kept)) for one in found]
            return {"matches": rows} | ({"notCompared": left} if left else {})

        answer = await trio.to_thread.run_sync(told, limiter=limiter)
        return json_response(answer)

    async def manifest(self, request: Request) -> Response:
        """A manifest store by the id of its active manifest."""
        name = request.path_params["name"]
        self._charge(self._lookups, request)
        text = request.query_params.get("returnActiveManifest", "false").lower()
        if text not in BOOLEANS:
            raise UsageError("returnActiveManifest: expected true or false")
        data = await self._run(lambda: self._shelf.get(name))
        if BOOLEANS[text]:
            data = alone(data, label_in(name))
        return Response(data, media_type=MANIFEST_TYPE)

    async def deposit(self, request: Request) -> Response:
        """Keeps a manifest, of which a statement of the log answers for every byte."""
        require_type(request, MANIFEST_TYPE)
        named = request.query_params.get("statement")
        relay = None if named is None else parse_statement_id(named)
        self._charge(self._deposits, request)
        client = client_of(request)
        require_left(self._deposited, client)
        async with self._bodies.read(request, MAX_DEPOSIT) as body:
            self._deposited.charge(client, len(body))
            found = await self._run(lambda: self._shelf.put(body, relay))
        kept = {"manifestId": found.label, "statement": found.statement.cid}
        return json_response(kept)

    async def _run(self, work: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(work, limiter=self._limiter)

    def _charge(self, budget: Budget, request: Request) -> None:
        client = client_of(request)
        if not budget.takes(client):
            raise BusyError("too many requests from this address: try again")


def require_left(budget: Budget, client: str) -> None:
    """BusyError where this client has nothing left."""
    wait = budget.wait(client)
    if wait > 0:
        raise BusyError("too much was asked from this address", retry_after=ceil(wait))


def label_in(name: str) -> str:
    """The label in the id of a manifest."""
    return name.partition(BETWEEN)[0]


Answer = Callable[[Request], Any]


def told(answer: Answer) -> Answer:
    """The same with errors in the form that all routes have.

    The connection ends with one: it may have come before the body was read.
    """

    async def safe(request: Request) -> Response:
        try:
            response: Response = await answer(request)
        except BylineError as error:
            response = error_response(error)
            response.headers["connection"] = "close"
        return response

    return safe


def match_json(match: Match, name: str) -> dict[str, object]:
    """As the API has it, and which statement answers for the manifest."""
    return {
        "manifestId": name,
        "similarityScore": match.score,
        "statement": cid_of_statement(match.kept.statement),
    }


def read_binding(body: bytes) -> tuple[str, str]:
    """Algorithm and value of a question in JSON; MalformedError."""
    try:
        asked: Any = json.loads(body)
        alg, value = asked["alg"], asked["value"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise MalformedError("expected a JSON object with alg and value") from None
    if not isinstance(alg, str) or not isinstance(value, str):
        raise MalformedError("expected texts as alg and value")
    return alg, value


def require_algorithm(alg: str | None) -> None:
    """UsageError for any but ours."""
    if alg != SOFT_BINDING:
        shown = "" if alg is None else f", got {alg[:64]!a}"
        raise UsageError(f"alg: expected {SOFT_BINDING}{shown}")


def results_asked(request: Request) -> int:
    """`maxResults`: 10 if nothing is said; more than 100 are never given."""
    text = request.query_params.get("maxResults", str(DEFAULT_RESULTS))
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise UsageError("maxResults: expected a number from 1")
    return min(int(text), MAX_RESULTS)


def given_type(request: Request) -> str:
    """The body's media type, in lower case and without parameters."""
    given = request.headers.get("content-type", "").lower()
    return given.partition(";")[0].strip()


def require_type(request: Request, media_type: str) -> None:
    """MediaTypeError for any other type."""
    given = given_type(request)
    if given != media_type:
        raise MediaTypeError(
            f"expected Content-Type {media_type}, got {given[:64] or 'none'}"
        )
