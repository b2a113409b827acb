"""What a follower does, and how it talks to its peer: bytes in, actions out.

Rule: a session is a generator: it yields actions, and is sent the answer's bytes (after
an `Ask`) or nothing (after the others).  `Check` and the `Admit` after it need only be
begun, for it yields `Settle` before its cursor moves.  Every answer is parsed strictly,
and every statement checked, before it is admitted.  It computes between two
yields, up to a hundred milliseconds: run it in a thread.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
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
    def indexes_of(self, ids: Iterable[bytes], /) -> dict[bytes, int]: ...
    def entries_of(self, ids: Iterable[bytes], /) -> dict[bytes, bytes]: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """Send this request to the peer, and the session its response."""

    request: bytes
    bulk: bool = False
    """The first of many: better not read from two peers at the same time."""
    soon: tuple[bytes, ...] = ()
    """Requests that will follow, most probably: the answers may be fetched ahead."""
    anywhere: bool = False
    """Anybody else who has these statements will do as well."""


@dataclass(frozen=True, slots=True)
class Check:
    """Verify the signatures of these statements; unless all hold, admit none of them
    and end the session, now or at the next `Settle`."""

    statements: tuple[Statement, ...]

    def run(self) -> None:
        """One after the other; BadSignatureError for the first that does not hold."""
        for statement in self.statements:
            statement.verify()


@dataclass(frozen=True, slots=True)
class Admit:
    """Store these statements, once the last `Check` has found that they hold."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Settle:
    """Go on once all that was to be admitted is durable; with a `lag` of 1, all that
    was to be admitted before the last `Settle`."""

    lag: int = 0


@dataclass(frozen=True, slots=True)
class Keep:
    """All up to this cursor is durable; it may be stored now, or later."""

    cursor: Cursor


Action: TypeAlias = Ask | Check | Admit | Settle | Keep
Session: TypeAlias = Generator[Action, bytes | None, None]

_Kind = TypeVar("_Kind", Commitment, Entries, Envelopes, SetNodes, SetLeaves)
_Result = TypeVar("_Result")
Steps: TypeAlias = Generator[Action, bytes | None, _Result]


class Talk:
    """One session's questions to the peer."""

    def __init__(self) -> None:
        self.received = 0
        """Bytes of all responses so far."""

    def exchange(
        self,
        request: Request,
        *,
        bulk: bool = False,
        soon: Sequence[Request] = (),
        anywhere: bool = False,
    ) -> Steps[Response]:
        """The peer's response; NotFoundError if it is a refusal."""
        ahead = tuple(one.to_bytes() for one in soon)
        data = yield Ask(request.to_bytes(), bulk, ahead, anywhere)
        assert data is not None
        self.received += len(data)
        response = parse_response(data)
        if isinstance(response, Refusal):
            raise NotFoundError(f"the peer answers: {_printable(response.error)}")
        return response

    def ask(
        self,
        request: Request,
        kind: type[_Kind],
        *,
        bulk: bool = False,
    ) -> Steps[_Kind]:
        """The peer's response, which must be of this kind."""
        response = yield from self.exchange(request, bulk=bulk)
        return _require_kind(response, kind)

    def statements(
        self,
        ids: Sequence[bytes],
        *,
        soon: Sequence[Request] = (),
        anywhere: bool = False,
    ) -> Steps[list[Statement | None]]:
        """Checked statements for the first ids, one or more; None where absent."""
        request = AskStatements(tuple(ids))
        response = yield from self.exchange(request, soon=soon, anywhere=anywhere)
        answer = _require_kind(response, Envelopes)
        if not 1 <= len(answer.envelopes) <= len(ids):
            expected = f"expected 1 to {len(ids)} envelopes"
            raise MalformedError(f"{expected}, got {len(answer.envelopes)}")
        pairs = zip(ids, answer.envelopes, strict=False)
        found = [_open(envelope, id_) for id_, envelope in pairs]
        if any(found):
            yield Check(tuple(one for one in found if one is not None))
        return found


def _require_kind(response: Response, kind: type[_Kind]) -> _Kind:
    if not isinstance(response, kind):
        raise unexpected(response)
    return response


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
    """The statement in an envelope, with this id."""
    if not envelope:
        return None
    try:
        statement = Statement.from_envelope(envelope)
    except UnsupportedError:
        return None
    if statement.id != id_:
        name = cid_of_statement(id_)
        raise VerificationError(f"expected statement {name}, got {statement.cid}")
    return statement


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
