"""Following another node's log: bytes in, actions out.

Rule: nothing a peer says is believed.  Its checkpoint must be signed and extend the
last one seen; its entries must hash to that checkpoint; its commitments must count what
its entries add; each statement must have the id, the signature and the very entry that
the log gives it.  So following a log is also witnessing it.  The first lie ends the
session with its name; what was learned before stays, for it was checked.
Specification: docs/spec/network.md, "Follow".

A session is a generator: it yields an `Ask`, an `Admit` or a `Keep`, and is sent the
answer's bytes (after an `Ask`) or nothing (after the others, once they are done).  It
computes between two yields, up to a few hundred milliseconds: run it in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, TypeVar

from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.cursor import MAX_GAPS, Cursor
from byline_ledger.digest import cid_of_statement
from byline_ledger.entry import (
    CommitmentEntry,
    StatementEntry,
    parse_entry,
    statement_entry,
)
from byline_ledger.errors import (
    ContradictionError,
    MalformedError,
    NotFoundError,
    ProofError,
    UnsupportedError,
    VerificationError,
)
from byline_ledger.follow_messages import (
    MAX_IDS,
    AskCommitment,
    AskEntries,
    AskHead,
    AskStatements,
    Commitment,
    Entries,
    Envelopes,
    Head,
    Refusal,
    Request,
    Response,
    Same,
    parse_response,
)
from byline_ledger.merkle import Frontier, leaf_hash, verify_consistency
from byline_ledger.statement import Statement

WORTH_A_JUMP = 64
"""Entries; with fewer to read, asking whether they can be skipped costs more."""


class KnownLog(Protocol):
    """What a follower needs of our own log's view (`log.LogView`)."""

    @property
    def set_root(self) -> bytes: ...
    @property
    def set_count(self) -> int: ...
    def index_of(self, statement_id: bytes, /) -> int | None: ...
    def entry(self, index: int, /) -> bytes: ...


# Actions


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

_Kind = TypeVar("_Kind", Commitment, Entries, Envelopes)
_Result = TypeVar("_Result")
_Steps: TypeAlias = Generator[Action, bytes | None, _Result]


class Follower:
    """One log of one peer; `session` is run again and again."""

    def __init__(
        self,
        view: Callable[[], KnownLog],
        cursor: Cursor | None = None,
        is_refused: Callable[[bytes], bool] = lambda _id: False,
    ) -> None:
        """`view` gives the present view of our own log, whenever it is called;
        `is_refused(id)` tells what our policy does not want (docs/spec/admission.md).
        """
        self._view = view
        self._is_refused = is_refused
        self.cursor = cursor
        """Where the last session, finished or not, has come to."""

    def session(self, wanted: Sequence[bytes] = (), *, read_on: bool = True) -> Session:
        """Reads all that is new, then asks for `wanted` (ids that others lacked); where
        `read_on` is false, only for those.  An `Admit` may admit fewer.

        Raises MalformedError, VerificationError or ContradictionError for a lie, and
        NotFoundError where the peer withholds what its log lists.
        """
        yield from self._see_head()
        target = self._cursor.seen
        if read_on and target.size - self._cursor.size > WORTH_A_JUMP:
            yield from self._try_jump(target)
        while read_on and self._cursor.size < target.size:
            yield from self._read_page(target)
        yield from self._ask_for(wanted[:MAX_IDS])
        self._forget_filled_gaps()
        yield Keep(self._cursor)

    @property
    def _cursor(self) -> Cursor:
        assert self.cursor is not None
        return self.cursor

    # The checkpoint

    def _see_head(self) -> _Steps[None]:
        known = self.cursor
        head = yield from _exchange(AskHead(known.seen.size if known else 0))
        if isinstance(head, Same) and known is not None:
            return
        if not isinstance(head, Head):
            raise _unexpected(head)
        checkpoint = open_checkpoint(head.note, head.vkey)
        if checkpoint.size < 1:
            raise VerificationError(f"log {checkpoint.origin} has no commitment")
        if known is None or known.vkey != head.vkey:
            # Another log than before, with another key: nothing binds the two.
            self.cursor = Cursor(head.vkey, head.note, Frontier.empty(), 0, b"", ())
            return
        _check_extends(known, head, checkpoint)
        self.cursor = replace(known, note=head.note)

    # All of it, where it is all known

    def _try_jump(self, target: Checkpoint) -> _Steps[None]:
        """Moves to the end if the log's set of statements is ours."""
        answer = yield from _ask(AskCommitment(target.size), Commitment)
        before = Frontier.from_hashes(target.size - 1, answer.frontier)
        frontier = before.extend([leaf_hash(answer.entry)])
        if frontier.root() != target.root:
            raise ProofError("the last leaf and the frontier do not lead to the root")
        commitment = parse_entry(answer.entry)
        if not isinstance(commitment, CommitmentEntry):
            raise VerificationError("expected a commitment as the last leaf")
        ours = self._view()
        if (commitment.count, commitment.root) == (ours.set_count, ours.set_root):
            self.cursor = Cursor(
                vkey=self._cursor.vkey,
                note=self._cursor.note,
                frontier=frontier,
                count=commitment.count,
                commitment=answer.entry,
                gaps=(),
            )

    # Entries

    def _read_page(self, target: Checkpoint) -> _Steps[None]:
        cursor = self._cursor
        request = AskEntries(cursor.size, target.size)
        bulk = target.size - cursor.size > WORTH_A_JUMP
        page = yield from _ask(request, Entries, bulk=bulk)
        if not 1 <= len(page.entries) <= target.size - cursor.size:
            raise MalformedError(f"expected entries, got {len(page.entries)} of them")
        frontier = cursor.frontier.extend([leaf_hash(one) for one in page.entries])
        verify_consistency(
            frontier.size, target.size, frontier.root(), target.root, page.proof
        )
        found = _read_entries(page.entries, cursor, self._view())
        if frontier.size == target.size and page.entries[-1] != found.commitment:
            raise VerificationError("expected a commitment as the last leaf")
        gaps = yield from self._fetch(found.unknown)
        self.cursor = replace(
            cursor,
            frontier=frontier,
            count=found.count,
            commitment=found.commitment,
            gaps=cursor.gaps + gaps,
        )
        yield Keep(self.cursor)

    def _fetch(self, unknown: dict[bytes, bytes]) -> _Steps[tuple[bytes, ...]]:
        """Admits the statements of these ids (-> entry); the ids that nobody had."""
        gaps: list[bytes] = []
        pending = list(unknown)
        while pending:
            # Gossip may have brought some of them since.
            pending = [one for one in pending if self._is_wanted(one)]
            if not pending:
                break
            asked = pending[:MAX_IDS]
            statements = yield from _ask_statements(asked, unknown)
            gaps += [
                i for i, one in zip(asked, statements, strict=False) if one is None
            ]
            if len(gaps) + len(self._cursor.gaps) > MAX_GAPS:
                raise NotFoundError(
                    f"the peer withholds more than {MAX_GAPS} statements of its log"
                )
            yield from _admit(statements)
            pending = pending[len(statements) :]
        return tuple(gaps)

    # Gaps

    def _ask_for(self, wanted: Sequence[bytes]) -> _Steps[None]:
        missing = [one for one in wanted if self._is_wanted(one)]
        while missing:
            statements = yield from _ask_statements(missing, {})
            yield from _admit(statements)
            missing = missing[len(statements) :]

    def _forget_filled_gaps(self) -> None:
        if self._cursor.gaps:
            gaps = (one for one in self._cursor.gaps if self._is_wanted(one))
            self.cursor = replace(self._cursor, gaps=tuple(gaps))

    def _is_wanted(self, statement_id: bytes) -> bool:
        """Neither here nor refused."""
        known = self._view().index_of(statement_id) is not None
        return not known and not self._is_refused(statement_id)


def _exchange(request: Request, *, bulk: bool = False) -> _Steps[Response]:
    """The peer's response; NotFoundError if it is a refusal."""
    data = yield Ask(request.to_bytes(), bulk)
    assert data is not None
    response = parse_response(data)
    if isinstance(response, Refusal):
        raise NotFoundError(f"the peer answers: {_printable(response.error)}")
    return response


def _ask(request: Request, kind: type[_Kind], *, bulk: bool = False) -> _Steps[_Kind]:
    """The peer's response, which must be of this kind."""
    response = yield from _exchange(request, bulk=bulk)
    if not isinstance(response, kind):
        raise _unexpected(response)
    return response


def _unexpected(response: Response) -> MalformedError:
    return MalformedError(f"expected another response, got {type(response).__name__}")


def _ask_statements(
    ids: Sequence[bytes], entries: dict[bytes, bytes]
) -> _Steps[list[Statement | None]]:
    """Verified statements for the first ids, one or more; None where absent."""
    answer = yield from _ask(AskStatements(tuple(ids)), Envelopes)
    if not 1 <= len(answer.envelopes) <= len(ids):
        expected = f"expected 1 to {len(ids)} envelopes"
        raise MalformedError(f"{expected}, got {len(answer.envelopes)}")
    pairs = zip(ids, answer.envelopes, strict=False)
    return [_open(envelope, id_, entries.get(id_)) for id_, envelope in pairs]


def _open(envelope: bytes, id_: bytes, entry: bytes | None) -> Statement | None:
    """The statement in an envelope, with this id, entry and a true signature."""
    if not envelope:
        return None
    try:
        statement = Statement.from_envelope(envelope)
    except UnsupportedError:
        return None
    name = cid_of_statement(id_)
    if statement.id != id_:
        raise VerificationError(f"expected statement {name}, got {statement.cid}")
    if entry is not None and statement_entry(statement) != entry:
        raise VerificationError(f"the log lists statement {name} under wrong keys")
    statement.verify()
    return statement


def _admit(statements: Sequence[Statement | None]) -> _Steps[None]:
    found = tuple(one for one in statements if one is not None)
    if found:
        yield Admit(found)


@dataclass(slots=True)
class _Found:
    """What a page of entries says."""

    count: int
    commitment: bytes
    unknown: dict[bytes, bytes]
    """Id -> entry of the statements that we do not have."""


def _read_entries(entries: Sequence[bytes], cursor: Cursor, ours: KnownLog) -> _Found:
    found = _Found(cursor.count, cursor.commitment, {})
    for data in entries:
        entry = parse_entry(data)
        if isinstance(entry, StatementEntry):
            found.count += len(entry.keys)
            if entry.id in found.unknown:
                name = cid_of_statement(entry.id)
                raise VerificationError(f"the log lists statement {name} twice")
            if not _is_known(entry.id, data, ours):
                found.unknown[entry.id] = data
        elif isinstance(entry, CommitmentEntry):
            if entry.count != found.count:
                wrong = f"the log commits to {entry.count} lookup strings"
                raise VerificationError(f"{wrong}, its entries have {found.count}")
            found.commitment = data
    return found


def _is_known(id_: bytes, entry: bytes, ours: KnownLog) -> bool:
    """We have the statement; then its entry must be the one it has in our log."""
    index = ours.index_of(id_)
    if index is None:
        return False
    if ours.entry(index) != entry:
        name = cid_of_statement(id_)
        raise VerificationError(f"the log lists statement {name} under wrong keys")
    return True


def _check_extends(known: Cursor, head: Head, new: Checkpoint) -> None:
    """The log has only grown, else VerificationError or ContradictionError."""
    old = known.seen
    if new.size < old.size:
        raise VerificationError(
            f"log {new.origin} went back from {old.size} leaves to {new.size}",
            hint="has that node been restored from a backup?",
        )
    try:
        verify_consistency(old.size, new.size, old.root, new.root, head.proof)
    except ProofError as error:
        raise ContradictionError(
            f"log {new.origin} of {new.size} leaves does not extend the tree of "
            f"{old.size} that it signed before: {error}",
            vkey=known.vkey,
            notes=(known.note, head.note),
            proof=head.proof,
        ) from error


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
