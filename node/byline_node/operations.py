"""What the node does for whoever asks, apart from how the question arrives.

The HTTP API and the local client share these; each works on one `LogView`, so an
answer never mixes two trees and never waits for a commit.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from byline_ledger.bundle import DEFAULT_DEPTH, build_bundle, build_shared
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.codec import split_array
from byline_ledger.content_json import content_to_json
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement, is_multihash, multihash, parse_hash
from byline_ledger.entry import author_tag, subject_key
from byline_ledger.errors import (
    BylineError,
    MalformedError,
    NotFoundError,
    RedactedError,
    UsageError,
)
from byline_ledger.merkle import consistency_proof
from byline_ledger.note import parse_note
from byline_ledger.statement import Statement
from byline_node.errors import TooLargeError

if TYPE_CHECKING:
    from byline_ledger.log import Ledger, LogView
    from byline_node.shared_question import SharedQuestion

MAX_BATCH = 4096
"""Statements in one request, and digests in one question about an author."""
MAX_BATCH_BYTES = 8 << 20
MAX_SAID = 64
"""Statements about one digest that are looked at, of all or of one author."""
MAX_HOPS = 8
"""Statements about statements about ... that `resolve` goes through."""

_ID_BYTES = 32


def parse_batch(data: bytes) -> list[Statement]:
    """A MessagePack array of envelopes, each parsed and its signature verified.

    All or nothing: the first that fails is named by its number, counted from 1.
    Raises MalformedError, UnsupportedError or BadSignatureError.
    """
    items = split_array(data, max_size=MAX_BATCH_BYTES, max_items=MAX_BATCH)
    statements = []
    for number, item in enumerate(items, start=1):
        try:
            statement = Statement.from_envelope(item)
            statement.verify()
        except BylineError as error:
            message = f"statement {number} of {len(items)}: {error}"
            raise type(error)(message, hint=error.hint) from None
        statements.append(statement)
    return statements


def take_in(view: LogView, data: bytes) -> list[Statement]:
    """`parse_batch`, and none of them was taken down here (RedactedError)."""
    statements = parse_batch(data)
    require_wanted(view, statements)
    return statements


def require_wanted(view: LogView, statements: Sequence[Statement]) -> None:
    """RedactedError if one of them was taken down here: its receipt would be true, and
    nobody could read what it is for.  What was merely lost is taken in again."""
    for number, statement in enumerate(statements, start=1):
        tombstone = view.tombstone(statement.id)
        if tombstone is not None and not tombstone.is_lost:
            error = tombstone.error(statement.id)
            raise RedactedError(
                f"statement {number} of {len(statements)}: {error}",
                hint="nothing of this request was taken in: leave that one out",
            )


def resolve(view: LogView, text: str) -> bytes:
    """The digest (34-byte multihash) of the work that a HASH means.

    64 hex digits are a work's digest first, a statement id second.  A statement means
    the work it is about.  Raises MalformedError, or NotFoundError for a statement id
    that the log does not hold.
    """
    asked = parse_hash(text)
    if asked.kind == "digest":
        return asked.multihash
    if asked.kind == "either" and has_claims(view, asked.multihash):
        return asked.multihash
    statement = view.statement(asked.sha256)
    if statement is not None:
        return work_of(view, statement)
    if asked.kind == "either":
        return asked.multihash
    raise NotFoundError(f"this log holds no statement {cid_of_statement(asked.sha256)}")


def has_claims(view: LogView, digest: bytes) -> bool:
    """Whether anybody says how a work of this digest was made.

    Not whether anything is said at all: what endorses a statement is about its id.
    """
    strings = view.strings_under(subject_key(digest), limit=MAX_SAID)
    found = (statement_if_kept(view, string[-_ID_BYTES:]) for string in strings)
    return any(one is not None and one.type == "work" for one in found)


def work_of(view: LogView, statement: Statement) -> bytes:
    """What a statement is about; through statements about statements, the work."""
    for _ in range(MAX_HOPS):
        inner = view.statement(statement.about[2:])
        if inner is None:
            break
        statement = inner
    return statement.about


def query(view: LogView, text: str, depth: int = DEFAULT_DEPTH) -> bytes:
    """The proof bundle for a HASH in any of its forms."""
    return build_bundle(view, resolve(view, text), depth=depth)


def query_shared(view: LogView, question: SharedQuestion) -> bytes:
    """One proof bundle for many works."""
    asked, depth, keys = question.digests, question.depth, question.keys
    return build_shared(view, asked, depth=depth, keys=keys)


def consistency(view: LogView, old: int, new: int) -> list[str]:
    """The proof in base64.  Raises UsageError for trees that there are not."""
    if not 0 <= old <= new <= view.size:
        raise UsageError(f"expected 0 <= old <= new <= {view.size}, got {old}, {new}")
    proof = consistency_proof(old, new, view.node)
    return [base64.b64encode(one).decode() for one in proof]


def find_statement(view: LogView, id_: bytes) -> Statement:
    """Raises NotFoundError if the log does not hold it."""
    statement = view.statement(id_)
    if statement is None:
        raise NotFoundError(f"this log holds no statement {cid_of_statement(id_)}")
    return statement


def authored(view: LogView, author: bytes, digests: Sequence[bytes]) -> list[Statement]:
    """What a key (32 bytes) says about these digests, and its withdrawals of that, but
    for what was taken down (taken_down.py).

    Raises TooLargeError where the answer would not fit one response: ask for fewer.
    """
    found: dict[bytes, Statement] = {}
    size = 0
    for digest in dict.fromkeys(digests):  # each once: a repeated one costs as much
        for statement in said_by(view, author, digest):
            if statement.id not in found:
                found[statement.id] = statement
                size += len(statement.body) + 128
            if size > MAX_BATCH_BYTES:
                raise TooLargeError(
                    f"the author's statements about {len(digests)} digests exceed "
                    f"{MAX_BATCH_BYTES} bytes",
                    hint="ask for fewer digests at once",
                )
    return list(found.values())


def said_by(view: LogView, author: bytes, digest: bytes) -> Iterator[Statement]:
    """The author's statements about a digest, each followed by its withdrawals."""
    for statement in said_directly(view, author, digest):
        yield statement
        for remark in said_directly(view, author, multihash(statement.id)):
            if remark.type == "withdraw":
                yield remark


def said_directly(view: LogView, author: bytes, digest: bytes) -> Iterator[Statement]:
    for id_ in ids_said(view, author, digest):
        statement = statement_if_kept(view, id_)
        # The tag is 8 bytes of a hash, so another key may share it.
        if statement is not None and statement.author == author:
            yield statement


def ids_said(view: LogView, author: bytes, digest: bytes) -> list[bytes]:
    """Ids of what the author's tag is on, whether the bodies are kept or not."""
    prefix = subject_key(digest) + author_tag(author)
    return [s[-_ID_BYTES:] for s in view.strings_under(prefix, limit=MAX_SAID)]


def statement_if_kept(view: LogView, id_: bytes) -> Statement | None:
    """None also where the body was taken down: of others it must not keep us."""
    try:
        return view.statement(id_)
    except RedactedError:
        return None


def parse_authored(value: object) -> tuple[bytes, list[bytes]]:
    """Author key and digests of a question; raises MalformedError for anything else."""
    if not isinstance(value, dict) or value.keys() != {"author", "digests"}:
        raise MalformedError("expected a map of author and digests")
    author, digests = value["author"], value["digests"]
    if not isinstance(author, bytes) or len(author) != 32:
        raise MalformedError("author: expected a key of 32 bytes")
    if not isinstance(digests, list) or len(digests) > MAX_BATCH:
        raise MalformedError(f"digests: expected an array of at most {MAX_BATCH}")
    if not all(is_multihash(d) for d in digests):
        raise MalformedError("digests: expected SHA-256 multihashes of 34 bytes")
    return author, digests


def statement_to_json(statement: Statement, index: int | None) -> dict[str, Any]:
    """A statement for people: ids as CID, key as did:key, other bytes in hex.

    `fields` is what stands there, `content` what a reader makes of it."""
    return {
        "id": cid_of_statement(statement.id),
        "index": index,
        "type": statement.type,
        "author": did_key(statement.author),
        "time": statement.time,
        "about": f"sha256:{statement.about[2:].hex()}",
        "fields": plain_json(statement.fields),
        "content": content_to_json(statement),
        "body": statement.body.hex(),
        "signature": statement.signature.hex(),
    }


@cache
def installed_version() -> str:
    return version("byline-ledger")


def describe_log(view: LogView, read_only: str | None) -> dict[str, Any]:
    """The part of a status that the log knows."""
    return {
        "version": installed_version(),
        "origin": view.origin,
        "vkey": view.vkey,
        "size": view.size,
        "root": view.root.hex(),
        "statements": view.statement_count,
        "set_count": view.set_count,
        "set_root": view.set_root.hex(),
        "read_only": read_only,
        "held": False,
    }


def describe_cosigned(ledger: Ledger) -> dict[str, Any]:
    """The same of a stopped node's cosigned checkpoint, whose signers are not known."""
    note = ledger.latest_cosigned
    if note is None:
        return {"size": ledger.view.size, "count": 0, "time": None}
    count = len(parse_note(note).signatures) - 1
    return {"size": checkpoint_of(note).size, "count": count, "time": None}


def plain_json(value: Any) -> Any:
    """The same value with bytes in hex; bodies are at most 6 levels deep."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    if hasattr(value, "items"):
        return {key: plain_json(item) for key, item in value.items()}
    return value
