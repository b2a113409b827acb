"""What a follower does, and how it talks to its peer: bytes in, actions out.

Rule: a session is a generator: it yields an `Ask`, an `Admit` or a `Keep`, and is sent
the answer's bytes (after an `Ask`) or nothing (after the others, once they are done).
Every answer is parsed strictly, and every statement verified, before anybody sees it.
It computes between two yields, up to a few hundred milliseconds: run it in a thread.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from byline_ledger.cursor import Cursor
from byline_ledger.digest import cid_of_statement
from byline_ledger.entry import statement_entry
from byline_ledger.errors import (
    MalformedError,
    NotFoundError,
    UnsupportedError,
    VerificationError,
)
from byline_ledger.follow_messages import (
    AskStatements,
    Commitment,
    Entries,
    Envelopes,
    Refusal,
    Request,
    Response,
    parse_response,
)
from byline_ledger.set_messages import SetLeaves, SetNodes
from byline_ledger.set_places import SetReader
from byline_ledger.statement import Statement


class KnownLog(SetReader, Protocol):
    """What a follower needs of our own log's view (`log.LogView`)."""

    @property
    def set_root(self) -> bytes: ...
    @property
    def set_count(self) -> int: ...
    def index_of(self, statement_id: bytes, /) -> int | None: ...
    def entry(self, index: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """Send this request to the peer, and the session its response."""

    request: bytes
    bulk: bool = False
    """The first of many: better not read from two peers at the same time."""


@dataclass(frozen=True, slots=True)
class Admit:
    """Store these verified statements; go on once they are durable."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Keep:
    """All up to this cursor is durable; it may be stored now, or later."""

    cursor: Cursor


Action: TypeAlias = Ask | Admit | Keep
Session: TypeAlias = Generator[Action, bytes | None, None]

_Kind = TypeVar("_Kind", Commitment, Entries, Envelopes, SetNodes, SetLeaves)
_Result = TypeVar("_Result")
Steps: TypeAlias = Generator[Action, bytes | None, _Result]


class Talk:
    """One session's questions to the peer."""

    def __init__(self) -> None:
        self.received = 0
        """Bytes of all responses so far."""

    def exchange(self, request: Request, *, bulk: bool = False) -> Steps[Response]:
        """The peer's response; NotFoundError if it is a refusal."""
        data = yield Ask(request.to_bytes(), bulk)
        assert data is not None
        self.received += len(data)
        response = parse_response(data)
        if isinstance(response, Refusal):
            raise NotFoundError(f"the peer answers: {_printable(response.error)}")
        return response

    def ask(
        self, request: Request, kind: type[_Kind], *, bulk: bool = False
    ) -> Steps[_Kind]:
        """The peer's response, which must be of this kind."""
        response = yield from self.exchange(request, bulk=bulk)
        if not isinstance(response, kind):
            raise unexpected(response)
        return response

    def statements(self, ids: Sequence[bytes]) -> Steps[list[Statement | None]]:
        """Verified statements for the first ids, one or more; None where absent."""
        answer = yield from self.ask(AskStatements(tuple(ids)), Envelopes)
        if not 1 <= len(answer.envelopes) <= len(ids):
            expected = f"expected 1 to {len(ids)} envelopes"
            raise MalformedError(f"{expected}, got {len(answer.envelopes)}")
        pairs = zip(ids, answer.envelopes, strict=False)
        return [_open(envelope, id_) for id_, envelope in pairs]


def unexpected(response: Response) -> MalformedError:
    """For a response of another kind than was asked for."""
    return MalformedError(f"expected another response, got {type(response).__name__}")


def admit(statements: Sequence[Statement | None]) -> Steps[None]:
    """Has those that are there stored."""
    found = tuple(one for one in statements if one is not None)
    if found:
        yield Admit(found)


def wrong_keys(statement_id: bytes) -> VerificationError:
    """For a log whose entry or strings are not those of the statement."""
    name = cid_of_statement(statement_id)
    return VerificationError(f"the log lists statement {name} under wrong keys")


def require_entry(statement: Statement | None, entry: bytes) -> None:
    """VerificationError unless this is the entry that the statement has in a log."""
    if statement is not None and statement_entry(statement) != entry:
        raise wrong_keys(statement.id)


def _open(envelope: bytes, id_: bytes) -> Statement | None:
    """The statement in an envelope, with this id and a true signature."""
    if not envelope:
        return None
    try:
        statement = Statement.from_envelope(envelope)
    except UnsupportedError:
        return None
    if statement.id != id_:
        name = cid_of_statement(id_)
        raise VerificationError(f"expected statement {name}, got {statement.cid}")
    statement.verify()
    return statement


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
