"""The client's side of the HTTP API without any I/O: what to send, how to read it.

An operation is a generator: it yields a `Call`, is sent the `Reply`, and returns its
result.  `Client` and `AsyncClient` differ only in how they carry a call out.  Nothing a
node says is returned before it is verified.
"""

from __future__ import annotations

import base64
import json
from collections.abc import (
    Callable,
    Collection,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from byline_ledger.answer import Answer
from byline_ledger.bundle import DEFAULT_DEPTH
from byline_ledger.chain import MAX_TRUSTED
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.codec import join_array, pack, split_array
from byline_ledger.did import did_key
from byline_ledger.digest import ParsedHash, cid_of_statement, parse_hash
from byline_ledger.errors import (
    BylineError,
    MalformedError,
    NotFoundError,
    UsageError,
    VerificationError,
)
from byline_ledger.policy import Policy
from byline_ledger.statement import Statement
from byline_ledger.verify import verify_bundle
from byline_node.errors import (
    BusyError,
    NodeUnavailableError,
    RefusedError,
    RefusedForNowError,
    TooLargeError,
)
from byline_node.receipts import Receipt, receipts_from_json, verify_receipts
from byline_node.shared_question import SharedQuestion
from byline_node.taken_down import Takedowns
from byline_node.taken_down import from_json as taken_down_from_json

BUNDLE_TYPE = "application/vnd.byline.bundle"
STATEMENT_MEDIA_TYPE = "application/vnd.byline.statement"
MSGPACK_TYPE = "application/vnd.msgpack"
JSON_TYPE = "application/json"

CHUNK = 1000
"""Statements in one request: enough to share a commit, and receipts soon."""
CHUNK_BYTES = 4 << 20
QUESTION_CHUNK = 1024
MAX_REPLY = 48 << 20
MAX_JSON = 8 << 20
"""A byte of JSON can become 30 in memory; receipts of a whole chunk need 3 MiB."""
MAX_AUTHORED = 16384
MAX_HOPS = 8

T = TypeVar("T")
Progress: TypeAlias = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request; `path` is quoted and begins with a slash."""

    path: str
    accept: str = JSON_TYPE
    body: bytes | None = None
    """MessagePack, or a JSON object, to POST; a GET without it."""

    @property
    def content_type(self) -> str:
        """Of the body: no array or map in MessagePack begins like an object in JSON."""
        return JSON_TYPE if (self.body or b"").startswith(b"{") else MSGPACK_TYPE


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: any status, with the body as received."""

    status: int
    body: bytes


Operation: TypeAlias = Generator[Call, Reply, T]


# Operations


def publish(
    statements: Iterable[Statement], progress: Progress | None = None
) -> Operation[list[Receipt]]:
    """Publishes in chunks, each all or nothing; the receipts are verified.

    `progress` is told the number of statements of each chunk that was taken.  Of a
    chunk that is too much at a time, the part in front that is not is taken before
    RefusedForNowError is raised.
    """
    receipts: list[Receipt] = []
    for chunk in chunks(statements):
        waiting = [chunk]
        while waiting:
            part = waiting.pop()
            body = join_array([one.to_envelope() for one in part])
            reply = yield Call("/v1/statements", body=body)
            try:
                given = receipts_from_json(read_json(reply))
            except RefusedForNowError:
                if len(part) == 1:
                    raise
                waiting += halves(part)
                continue
            verify_receipts(given, part)
            receipts += given
            if progress is not None:
                progress(len(part))
    return receipts


def halves(part: list[Statement]) -> list[list[Statement]]:
    """The second half and the first, as they are put on a stack."""
    middle = len(part) // 2
    return [part[middle:], part[:middle]]


def query(
    asked: str | bytes,
    depth: int = DEFAULT_DEPTH,
    policy: Policy | None = None,
    now: int | None = None,
    keys: Collection[bytes] = (),
) -> Operation[Answer]:
    """The verified answer for a HASH, or for a 34-byte multihash."""
    bundle, digest = yield from query_any(asked, depth, keys)
    return read_answer(bundle, digest, depth, policy, now, keys)


def query_bundle(
    asked: str | bytes, depth: int = DEFAULT_DEPTH, keys: Collection[bytes] = ()
) -> Operation[bytes]:
    """The bundle itself, verified without a policy."""
    bundle, digest = yield from query_any(asked, depth, keys)
    read_answer(bundle, digest, depth, keys=keys)
    return bundle


def query_any(
    asked: str | bytes, depth: int, keys: Collection[bytes] = ()
) -> Operation[tuple[bytes, bytes]]:
    """Bundle, and the digest that the HASH turned out to mean."""
    parsed = parse_asked(asked)
    if parsed.kind == "statement":
        digest = yield from find_work(parsed.sha256)
        return (yield from ask_bundle(digest, depth, keys)), digest
    bundle = yield from ask_bundle(parsed.multihash, depth, keys)
    if parsed.kind == "digest":
        return bundle, parsed.multihash
    answer = read_answer(bundle, parsed.multihash, depth, keys=keys)
    if answer.works[0].claims:
        return bundle, parsed.multihash
    try:
        digest = yield from find_work(parsed.sha256)
    except NotFoundError:
        return bundle, parsed.multihash  # the proof that nothing is known
    return (yield from ask_bundle(digest, depth, keys)), digest


def ask_bundle(
    digest: bytes, depth: int, keys: Collection[bytes] = ()
) -> Operation[bytes]:
    """The bundle, not verified; for a question that names keys, asked as one for many
    works."""
    if keys:
        require_few_keys(keys)
        question = SharedQuestion.of([digest], depth, keys).to_bytes()
        call = Call("/v1/query", accept=BUNDLE_TYPE, body=question)
    else:
        path = f"/v1/query/sha256:{digest[2:].hex()}?depth={depth}"
        call = Call(path, accept=BUNDLE_TYPE)
    reply = yield call
    return read_body(reply)


def require_few_keys(keys: Collection[bytes]) -> None:
    """UsageError for more keys than a question may name, or what is none."""
    if len(set(keys)) > MAX_TRUSTED:
        raise UsageError(f"{len(set(keys))} keys: expected at most {MAX_TRUSTED}")
    wrong = next((one for one in keys if len(one) != 32), None)
    if wrong is not None:
        raise UsageError(f"expected keys of 32 bytes, got {len(wrong)} bytes")


def find_work(id_: bytes) -> Operation[bytes]:
    """The digest that a statement, or one it is about, is about in the end."""
    found = yield from statement(id_)
    for _ in range(MAX_HOPS):
        try:
            found = yield from statement(found.about[2:])
        except NotFoundError:
            break
    return found.about


def statement(id_: bytes) -> Operation[Statement]:
    """One statement by its 32-byte id; NotFoundError if the node does not hold it."""
    cid = cid_of_statement(id_)
    reply = yield Call(f"/v1/statements/{quote(cid)}", accept=STATEMENT_MEDIA_TYPE)
    found = Statement.from_envelope(read_body(reply))
    if found.id != id_:
        raise VerificationError(
            f"asked for statement {cid}, got {cid_of_statement(found.id)}"
        )
    found.verify()
    return found


def authored(author: bytes, digests: Sequence[bytes]) -> Operation[list[Statement]]:
    """What a key (32 bytes) says about works, with its withdrawals of that.

    `digests` are 34-byte multihashes.  A node can leave statements out here; where that
    matters, ask for each work's bundle.
    """
    found: dict[bytes, Statement] = {}
    waiting = [
        digests[i : i + QUESTION_CHUNK] for i in range(0, len(digests), QUESTION_CHUNK)
    ]
    while waiting:
        part = waiting.pop()
        try:
            answer = yield from ask_authored(author, part)
        except TooLargeError:
            if len(part) == 1:
                raise
            middle = len(part) // 2
            waiting += [part[:middle], part[middle:]]
            continue
        found |= {one.id: one for one in answer}
    return list(found.values())


def ask_authored(author: bytes, digests: Sequence[bytes]) -> Operation[list[Statement]]:
    question = pack({"author": author, "digests": list(digests)})
    reply = yield Call("/v1/authored", accept=MSGPACK_TYPE, body=question)
    items = split_array(read_body(reply), max_size=MAX_REPLY, max_items=MAX_AUTHORED)
    answer = [Statement.from_envelope(item) for item in items]
    for one in answer:
        if one.author != author:
            raise VerificationError("asked for one author's statements, got another's")
        one.verify()
    return answer


def taken_down(author: bytes, digests: Sequence[bytes]) -> Operation[Takedowns]:
    """By work: what a key (32 bytes) said of it that the node took down; unproven."""
    found: Takedowns = {}
    for start in range(0, len(digests), QUESTION_CHUNK):
        part = list(digests[start : start + QUESTION_CHUNK])
        question = pack({"author": author, "digests": part})
        reply = yield Call("/v1/taken-down", body=question)
        found |= taken_down_from_json(read_json(reply))
    return found


def consistency(old: int, note: bytes) -> Operation[tuple[bytes, ...]]:
    """Hashes of the proof that the tree of a checkpoint extends that of `old` entries;
    unverified."""
    new = checkpoint_of(note).size
    if new < old:
        return ()
    value: Any = read_json((yield Call(f"/v1/consistency?old={old}&new={new}")))
    try:
        return tuple(base64.b64decode(one, validate=True) for one in value["proof"])
    except (LookupError, TypeError, ValueError):
        raise MalformedError("expected a consistency proof from the node") from None


def status() -> Operation[dict[str, Any]]:
    """What the node says of itself; nothing of it is proven."""
    value = read_json((yield Call("/v1/status")))
    if not isinstance(value, dict):
        raise MalformedError("status: expected a JSON object")
    return value


def admission(author: bytes | None = None) -> Operation[dict[str, Any]]:
    """What the node takes in, and what it asks of an author (32-byte key)."""
    asked = "" if author is None else f"?author={quote(did_key(author))}"
    value = read_json((yield Call(f"/v1/admission{asked}")))
    if not isinstance(value, dict):
        raise MalformedError("admission: expected a JSON object")
    return value


def health() -> Operation[str]:
    """The origin of the log of the node that answers."""
    value = read_json((yield Call("/healthz")))
    if not isinstance(value, dict) or not isinstance(value.get("origin"), str):
        raise MalformedError("health: expected a JSON object with an origin")
    return str(value["origin"])


# Reading


def read_answer(
    bundle: bytes,
    digest: bytes,
    depth: int,
    policy: Policy | None = None,
    now: int | None = None,
    keys: Collection[bytes] = (),
) -> Answer:
    """The answer of a bundle in which everything holds, else VerificationError."""
    verdict = verify_bundle(
        bundle, digest=digest, keys=keys, policy=policy, now=now, depth=depth
    )
    if not verdict.ok or verdict.answer is None:
        raise VerificationError(f"the node's answer does not hold: {verdict.failure()}")
    return verdict.answer


def read_body(reply: Reply) -> bytes:
    """The body of a good reply; else the error that the node reports."""
    if reply.status == 200:
        return reply.body
    raise read_error(reply)


def read_json(reply: Reply) -> object:
    try:
        value = parse_json(read_body(reply))
    except (ValueError, RecursionError):
        raise MalformedError(
            "expected JSON from the node, got something else"
        ) from None
    return value


def parse_json(body: bytes) -> object:
    """Raises ValueError or RecursionError for what no node sends."""
    if len(body) > MAX_JSON:
        raise ValueError
    value: object = json.loads(body)
    return value


def read_error(reply: Reply) -> BylineError:
    """The error a node reports, as the class that its `kind` names."""
    try:
        problem: Any = parse_json(reply.body)
        problem = problem["error"]
        kind, message, hint = problem["kind"], problem["message"], problem["hint"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return NodeUnavailableError(
            f"HTTP status {reply.status}: is this a Byline node at all?"
        )
    error = error_classes().get(str(kind), NodeUnavailableError)
    made = error(one_line(message), hint=None if hint is None else one_line(hint))
    if isinstance(made, RefusedError):
        reason, until = problem.get("reason"), problem.get("until")
        made.reason = one_line(reason)
        made.until = until if type(until) is int else None
    if isinstance(made, BusyError):
        wait = problem.get("retry_after")
        made.retry_after = wait if type(wait) is int and wait >= 0 else None
    return made


def one_line(text: object) -> str:
    """A stranger's text fit for a terminal: printable, one line, 500 characters."""
    return "".join(c if c.isprintable() else " " for c in str(text)[:500])


def error_classes() -> dict[str, type[BylineError]]:
    """Every error class by its kind."""
    found: dict[str, type[BylineError]] = {}
    waiting: list[type[BylineError]] = [BylineError]
    while waiting:
        one = waiting.pop()
        found[one.kind] = one
        waiting += one.__subclasses__()
    return found


def parse_asked(asked: str | bytes) -> ParsedHash:
    """A HASH in text, or a 34-byte multihash."""
    if isinstance(asked, str):
        return parse_hash(asked)
    if len(asked) != 34 or asked[:2] != b"\x12\x20":
        raise UsageError(f"expected a SHA-256 multihash of 34 bytes, got {len(asked)}")
    return parse_hash(f"sha256:{asked[2:].hex()}")


def chunks(statements: Iterable[Statement]) -> Iterator[list[Statement]]:
    """Statements in portions that one request may hold."""
    chunk: list[Statement] = []
    size = 0
    for one in statements:
        weight = len(one.body) + 128
        if chunk and (len(chunk) == CHUNK or size + weight > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(one)
        size += weight
    if chunk:
        yield chunk
