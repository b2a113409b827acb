"""Clients of a node's HTTP API, for scripts and the command line.

    from byline_node import Client
    with Client("http://127.0.0.1:8737") as node:
        receipts = node.publish(statements)
        answer = node.query("9f86d081…")

`AsyncClient` has the same methods, to be awaited.  Everything is verified before it is
returned (calls.py).  The only file that imports httpx.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from byline_ledger.errors import MalformedError, NotFoundError, UsageError
from byline_ledger.policy import Policy
from byline_ledger.statement import Statement
from byline_node import calls
from byline_node.calls import Call, Operation, Progress, Reply
from byline_node.errors import NodeUnavailableError
from byline_node.many_works import ManyWorks, ManyWorksAsync, ask_shared
from byline_node.one_work import OneWork, OneWorkAsync
from byline_node.receipts import Receipt
from byline_node.shared_question import SharedQuestion
from byline_node.similar_calls import AsyncSimilar, SyncSimilar
from byline_node.stats_client import AsksStats, AsksStatsAsync
from byline_node.taken_down import Takedowns

DEFAULT_URL = "http://127.0.0.1:8737"
TIMEOUT = httpx.Timeout(60.0, connect=5.0)

MAX_REDIRECTS = 5
ATTEMPTS = 3
PAUSE = 0.3
"""Seconds before the second attempt for a file; each further one waits longer."""
MAX_SECONDS = 120.0
"""In which a file must have arrived, however steadily it trickles."""
SERVICE_SECONDS = 30.0
"""In which a service (a time-stamping authority, a calendar) must have answered."""
TRY_AGAIN = {429, 500, 502, 503, 504}
IDENTITY = {"accept-encoding": "identity"}

TROUBLE = (httpx.HTTPError, UnicodeError)
"""What a request can fail with; UnicodeError for host names that no resolver takes."""

MAX_POSTED = 65_536
"""Bytes of an answer to Poster.post."""
NOBODY = "check the address, or start the node there with `byline node run`"

T = TypeVar("T")


class Client(OneWork, ManyWorks, AsksStats, SyncSimilar):
    """A node's API, one call at a time.  Close it, or use it in a `with`.
    `policy`, if given, is held against every answer of `query` and `query_many`."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        policy: Policy | None = None,
        timeout: float | None = None,
    ) -> None:
        self.url = checked_url(url)
        self._policy = policy
        self._http = httpx.Client(**options(self.url, timeout))

    def publish(
        self, statements: Iterable[Statement], *, progress: Progress | None = None
    ) -> list[Receipt]:
        """Publishes statements; verified receipts in the same order.

        Chunks of up to 1,000 are taken all or nothing; publishing again is harmless.
        Raises RefusedError where the node's policy does not take one.
        """
        return self._run(calls.publish(statements, progress))

    def statement(self, id_: bytes) -> Statement:
        """One statement by its 32-byte id."""
        return self._run(calls.statement(id_))

    def authored(self, author: bytes, digests: Sequence[bytes]) -> list[Statement]:
        """What a 32-byte key says about works (34-byte multihashes)."""
        return self._run(calls.authored(author, digests))

    def taken_down(self, author: bytes, works: Sequence[bytes]) -> Takedowns:
        """What it said about works and the node took down, by work."""
        return self._run(calls.taken_down(author, works))

    def consistency(self, old: int, note: bytes) -> tuple[bytes, ...]:
        """Proof, unverified, that a checkpoint extends the tree of `old` entries."""
        return self._run(calls.consistency(old, note))

    def status(self) -> dict[str, Any]:
        """What the node says of itself."""
        return self._run(calls.status())

    def admission(self, author: bytes | None = None) -> dict[str, Any]:
        """What the node takes in, and what it asks of an author (32-byte key)."""
        return self._run(calls.admission(author))

    def health(self) -> str:
        """The origin of the node's log, if it answers."""
        return self._run(calls.health())

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def ask_shared(self, question: SharedQuestion) -> bytes:
        """See ManyWorks.ask_shared."""
        return self._run(ask_shared(question))

    def _run(self, operation: Operation[T]) -> T:
        try:
            call = next(operation)
            while True:
                call = operation.send(self._carry(call))
        except StopIteration as finished:
            result: T = finished.value
            return result

    def _carry(self, call: Call) -> Reply:
        try:
            with self._http.stream(**request(call)) as response:
                require_identity(response)
                body = bytearray()
                for piece in response.iter_raw():
                    extend(body, piece)
        except TROUBLE as error:
            raise unavailable(self.url, error) from None
        untie(response)
        return Reply(response.status_code, bytes(body))


class HttpFiles:
    """The files under an http or https prefix, as web servers and nodes serve them.

    For any number of threads; a node's URL alone means the log it serves.
    """

    def __init__(self, prefix: str, *, timeout: float | None = None) -> None:
        url = files_url(prefix)
        self.name = str(url.copy_with(username=None, password=None))
        redirects = {"follow_redirects": True, "max_redirects": MAX_REDIRECTS}
        self._http = httpx.Client(**options(str(url), timeout) | redirects)

    def get(self, path: str, limit: int) -> bytes:
        """The file, at most `limit` bytes.  NotFoundError, MalformedError, or
        NodeUnavailableError after a few attempts."""
        for attempt in range(ATTEMPTS):
            time.sleep(attempt * PAUSE)
            try:
                reply = self._fetch(path, limit)
            except TROUBLE as error:
                problem = unavailable(self.name, error)
                continue
            if reply.status == 200:
                return reply.body
            if reply.status in (404, 410):
                raise NotFoundError(f"{self.name} has no {path}")
            problem = NodeUnavailableError(
                f"{self.name} answers with HTTP status {reply.status} for {path}"
            )
            if reply.status not in TRY_AGAIN:
                break
        raise problem

    def _fetch(self, path: str, limit: int) -> Reply:
        end = time.monotonic() + MAX_SECONDS
        with self._http.stream("GET", path, headers=IDENTITY) as response:
            wanted = response.status_code == 200
            body = received(response, limit, end, path) if wanted else b""
            return Reply(response.status_code, body)

    def close(self) -> None:
        self._http.close()


def ask_service(url: str, body: bytes | None, media_type: str, *, limit: int) -> Reply:
    """One question to somebody's service: POST, or GET where there is no body.

    At most `limit` bytes, no redirects.  UsageError for what is no URL, MalformedError,
    NodeUnavailableError.
    """
    place = service_url(url)
    name = str(place.copy_with(username=None, password=None))
    headers = IDENTITY | ({} if body is None else {"content-type": media_type})
    method = "GET" if body is None else "POST"
    end = time.monotonic() + SERVICE_SECONDS
    try:
        with (
            httpx.Client(**options(str(place), SERVICE_SECONDS)) as http,
            http.stream(method, place, content=body, headers=headers) as response,
        ):
            return Reply(response.status_code, received(response, limit, end, name))
    except TROUBLE as error:
        late = isinstance(error, httpx.TimeoutException)
        reason = "no answer in time" if late else "it cannot be reached"
        raise NodeUnavailableError(f"{name}: {reason}") from None


def service_url(url: str) -> httpx.URL:
    """The URL of a service, scheme and all; UsageError for what is none."""
    try:
        place = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        place = httpx.URL("")
    if place.scheme not in ("http", "https") or not place.host:
        raise UsageError(f"expected a URL with http:// or https://, got {url[:200]!r}")
    return place


def received(response: httpx.Response, limit: int, end: float, what: str) -> bytes:
    """The body, at most `limit` bytes of it and until the time `end`."""
    require_identity(response)
    body = bytearray()
    for piece in response.iter_raw():
        body += piece
        if len(body) > limit:
            raise MalformedError(f"{what}: expected at most {limit} bytes")
        if time.monotonic() > end:
            raise httpx.ReadTimeout("too slow")
    return bytes(body)


def files_url(prefix: str) -> httpx.URL:
    """The prefix of a log's files; raises UsageError for what can be none."""
    url = httpx.URL(checked_url(prefix))
    if url.query or url.fragment:
        raise UsageError("expected the URL of a log without a query")
    return url if url.path.strip("/") else url.copy_with(path="/log")


class AsyncClient(OneWorkAsync, ManyWorksAsync, AsksStatsAsync, AsyncSimilar):
    """The same for programs with an event loop (trio or asyncio)."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        policy: Policy | None = None,
        timeout: float | None = None,
    ) -> None:
        self.url = checked_url(url)
        self._policy = policy
        self._http = httpx.AsyncClient(**options(self.url, timeout))

    async def publish(
        self, statements: Iterable[Statement], *, progress: Progress | None = None
    ) -> list[Receipt]:
        """See Client.publish."""
        return await self._run(calls.publish(statements, progress))

    async def statement(self, id_: bytes) -> Statement:
        """See Client.statement."""
        return await self._run(calls.statement(id_))

    async def authored(
        self, author: bytes, digests: Sequence[bytes]
    ) -> list[Statement]:
        """See Client.authored."""
        return await self._run(calls.authored(author, digests))

    async def taken_down(self, author: bytes, works: Sequence[bytes]) -> Takedowns:
        """See Client.taken_down."""
        return await self._run(calls.taken_down(author, works))

    async def consistency(self, old: int, note: bytes) -> tuple[bytes, ...]:
        """See Client.consistency."""
        return await self._run(calls.consistency(old, note))

    async def status(self) -> dict[str, Any]:
        """See Client.status."""
        return await self._run(calls.status())

    async def admission(self, author: bytes | None = None) -> dict[str, Any]:
        """See Client.admission."""
        return await self._run(calls.admission(author))

    async def health(self) -> str:
        """See Client.health."""
        return await self._run(calls.health())

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _run(self, operation: Operation[T]) -> T:
        try:
            call = next(operation)
            while True:
                call = operation.send(await self._carry(call))
        except StopIteration as finished:
            result: T = finished.value
            return result

    async def _carry(self, call: Call) -> Reply:
        try:
            async with self._http.stream(**request(call)) as response:
                require_identity(response)
                body = bytearray()
                async for piece in response.aiter_raw():
                    extend(body, piece)
        except TROUBLE as error:
            raise unavailable(self.url, error) from None
        untie(response)
        return Reply(response.status_code, bytes(body))


class Poster:
    """Sends one body to any URL: how C2SP witnesses are asked."""

    def __init__(self) -> None:
        self._outside = httpx.AsyncClient(**options("http://outside.invalid", None))
        self._loopback = httpx.AsyncClient(**options(DEFAULT_URL, None))

    async def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Status and body, at most MAX_POSTED bytes.  NodeUnavailableError."""
        near = is_loopback(httpx.URL(url).host)
        http = self._loopback if near else self._outside
        try:
            async with http.stream(
                "POST", url, content=body, headers=IDENTITY
            ) as response:
                require_identity(response)
                answer = bytearray()
                async for piece in response.aiter_raw():
                    answer += piece
                    if len(answer) > MAX_POSTED:
                        raise MalformedError(f"{url} answers with too many bytes")
                return response.status_code, bytes(answer)
        except TROUBLE as error:
            raise unavailable(url, error) from None

    async def close(self) -> None:
        await self._outside.aclose()
        await self._loopback.aclose()


def checked_url(url: str) -> str:
    """The URL of a node without a final slash; `host:port` alone means http."""
    text = url if "://" in url else f"http://{url}"
    try:
        parsed = httpx.URL(text)
        good = parsed.scheme in ("http", "https") and bool(parsed.host)
    except (httpx.InvalidURL, UnicodeError):
        good = False
    if not good:
        raise UsageError(f"expected a node's URL like {DEFAULT_URL}, got {url!r}")
    return text.rstrip("/")


def options(url: str, timeout: float | None) -> dict[str, Any]:
    """A proxy set for the world outside has no business with our own machine."""
    return {
        "base_url": url,
        "timeout": TIMEOUT if timeout is None else httpx.Timeout(timeout),
        "trust_env": not is_loopback(httpx.URL(url).host),
        "follow_redirects": False,
    }


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def request(call: Call) -> dict[str, Any]:
    headers = {"accept": call.accept, "accept-encoding": "identity"}
    if call.body is None:
        return {"method": "GET", "url": call.path, "headers": headers}
    headers["content-type"] = call.content_type
    return {
        "method": "POST",
        "url": call.path,
        "headers": headers,
        "content": call.body,
    }


def untie(response: httpx.Response) -> None:
    """Lets go of a response that was read to its end.

    httpx ties it to its stream and back, so it would stay, with 40 kB of digests that
    were asked for, until somebody looks for cycles, which `byline` seldom does.
    """
    del response.stream


def require_identity(response: httpx.Response) -> None:
    """Refuses a compressed answer: a few bytes of it could unpack to gigabytes."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise MalformedError("expected an answer that is not compressed")


def extend(body: bytearray, piece: bytes) -> None:
    body += piece
    if len(body) > calls.MAX_REPLY:
        raise MalformedError(f"the node's answer exceeds {calls.MAX_REPLY} bytes")


def unavailable(url: str, error: Exception) -> NodeUnavailableError:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | UnicodeError):
        message = f"no node answers at {url}"
    elif isinstance(error, httpx.TimeoutException):
        message = f"the node at {url} did not answer in time"
    else:
        message = f"the connection to the node at {url} broke: {type(error).__name__}"
    return NodeUnavailableError(message, hint=NOBODY)
