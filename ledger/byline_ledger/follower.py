"""Following another node's log: what is new in it, and what was missed.

Rule: nothing a peer says is believed.  Its checkpoint must be signed and extend the
last one seen; its entries must hash to that checkpoint; its commitments must count what
its entries add; each statement must have the id, the signature and the very entry that
the log gives it.  So following a log is also witnessing it.  The first lie ends the
session with its name; what was learned before stays, for it was checked.
Specification: docs/spec/network.md, "Follow"; sessions: follow_session.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.cursor import MAX_GAPS, Cursor
from byline_ledger.digest import cid_of_statement
from byline_ledger.entry import CommitmentEntry, StatementEntry, parse_entry
from byline_ledger.errors import (
    BadSignatureError,
    ContradictionError,
    MalformedError,
    NotFoundError,
    ProofError,
    VerificationError,
)
from byline_ledger.follow_messages import (
    MAX_IDS,
    AskCommitment,
    AskEntries,
    AskHead,
    AskMeet,
    AskNext,
    AskStatements,
    Commitment,
    Entries,
    Equal,
    Head,
    Met,
    News,
    Same,
)
from byline_ledger.follow_session import (
    Action,
    Admit,
    Ask,
    Check,
    Keep,
    KnownLog,
    Session,
    Settle,
    Steps,
    Talk,
    admit,
    require_entry,
    unexpected,
    wrong_keys,
)
from byline_ledger.merkle import Frontier, leaf_hash, verify_consistency
from byline_ledger.reconcile import Reconciliation

__all__ = [
    "Action",
    "Admit",
    "Ask",
    "Check",
    "Follower",
    "Keep",
    "KnownLog",
    "Session",
    "Settle",
]

WORTH_A_JUMP = 64
"""Entries; with fewer to read, asking whether they can be skipped costs more."""
WORTH_A_DESCENT = 8_192
"""Entries; fewer come in one answer."""
CLOSE = 64
"""Finding one statement that is missing is as much work as reading so many entries,
more or less, if fewer bytes."""
BYTES_AN_ENTRY = 55
"""That comparing the sets may take for each entry that need not be read then.  Reading
it takes 110, and less work."""
FETCHED_IDS = 1_024
"""Statements asked for at once: most of them fit into one answer."""
AHEAD = 2
"""Such requests that may be sent ahead."""


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
        """Where the last session, finished or not, has come to: what is before it is
        durable."""
        self._at = cursor
        """Where this session reads: up to a page further."""
        self.is_equal = False
        """At first contact, the peer's set of statements was ours."""
        self._talk, self._tried = Talk(), False
        self._may_fetch = True

    def session(self, wanted: Sequence[bytes] = (), *, read_on: bool = True) -> Session:
        """Reads all that is new, then asks for `wanted` (ids that others lacked); where
        `read_on` is false, only for those, once it has seen what the log signed last.
        An `Admit` may admit fewer.

        Raises MalformedError, VerificationError or ContradictionError for a lie, and
        NotFoundError where the peer withholds what its log lists.
        """
        self._talk, self._tried, self._at = Talk(), False, self.cursor
        self._may_fetch = read_on
        if self.cursor is None:
            yield from self._meet(b"" if self.is_equal else self._view().set_root)
        elif read_on and self.cursor.size == self.cursor.seen.size:
            yield from self._hear_news(self.cursor)
        else:
            yield from self._see_head(self.cursor)
        if self.cursor is None:
            return  # all that the peer has is known, and nothing else of it
        if read_on:
            yield from self._read_on()
        yield from self._ask_for(wanted[:MAX_IDS])
        yield Settle()
        self._move(self._without_filled_gaps())
        yield Keep(self._cursor)

    @property
    def _cursor(self) -> Cursor:
        assert self._at is not None
        return self._at

    def _move(self, cursor: Cursor) -> None:
        """All before it is durable."""
        self.cursor = self._at = cursor

    # The checkpoint

    def _meet(self, root: bytes) -> Steps[None]:
        """First contact, where it is not enough that both sets are equal."""
        met = yield from self._talk.exchange(AskMeet(root))
        if isinstance(met, Equal) and root:
            self.is_equal = True
        elif isinstance(met, Met):
            yield from self._begin(met)
        else:
            raise unexpected(met)

    def _begin(self, met: Met) -> Steps[None]:
        """A cursor at the start or, if all is known, at the end."""
        checkpoint = open_checkpoint(met.note, met.vkey)
        if checkpoint.size < 1:
            raise VerificationError(f"log {checkpoint.origin} has no commitment")
        end = _End.of(checkpoint, met.entry, met.frontier)
        self._move(Cursor(met.vkey, met.note, Frontier.empty(), 0, b"", ()))
        yield from self._try_jump(end)

    def _hear_news(self, known: Cursor) -> Steps[None]:
        """What came after the end of the log as it was seen last."""
        news = yield from self._talk.exchange(AskNext(known.size))
        if isinstance(news, Same):
            return
        if not isinstance(news, News):
            raise unexpected(news)
        try:
            checkpoint = open_checkpoint(news.note, known.vkey)
        except BadSignatureError:
            yield from self._meet_another(known)
            return
        _require_growth(known, checkpoint)
        try:
            frontier = _extend(known, checkpoint, news.entries, news.proof)
        except ProofError:
            yield from self._see_head(known)  # who contradicts itself is shown to
            raise
        if not news.entries:
            raise MalformedError("expected what is new, got no entries")
        self._move(replace(known, note=news.note))
        yield from self._take(news.entries, frontier, checkpoint)

    def _meet_another(self, known: Cursor) -> Steps[None]:
        """The peer keeps another log than before, or one with another key: nothing
        binds the two."""
        met = yield from self._talk.exchange(AskMeet(b""))
        if not isinstance(met, Met):
            raise unexpected(met)
        if met.vkey == known.vkey:
            raise BadSignatureError("the peer signs its log with two keys")
        yield from self._begin(met)

    def _see_head(self, known: Cursor) -> Steps[None]:
        head = yield from self._talk.exchange(AskHead(known.seen.size))
        if isinstance(head, Same):
            return
        if not isinstance(head, Head):
            raise unexpected(head)
        if head.vkey != known.vkey:
            yield from self._meet_another(known)
            return
        checkpoint = open_checkpoint(head.note, head.vkey)
        _check_extends(known, head, checkpoint)
        self._move(replace(known, note=head.note))

    # All of it, where it is all known or nearly so

    def _try_jump(self, end: _End) -> Steps[None]:
        """Moves to the end once the log's statements are all here."""
        self._tried = True
        ours, unread = self._view(), end.size - self._cursor.size
        commitment = end.commitment
        if (commitment.count, commitment.root) == (ours.set_count, ours.set_root):
            self._jump(end, ())
        elif (
            self._may_fetch
            and unread >= WORTH_A_DESCENT
            and _is_close(ours.set_count, end, unread)
        ):
            found = Reconciliation(
                self._talk, self._view, end.size, commitment, self._is_refused
            )
            done = yield from found.run(unread * BYTES_AN_ENTRY)
            yield Settle()
            if done:
                self._jump(end, tuple(found.gaps))

    def _jump(self, end: _End, gaps: tuple[bytes, ...]) -> None:
        cursor = replace(
            self._cursor,
            frontier=end.frontier,
            count=end.commitment.count,
            commitment=end.entry,
            gaps=gaps,
        )
        self._move(cursor)

    # Entries

    def _read_on(self) -> Steps[None]:
        """From the cursor to the end of the tree that was seen last."""
        target = self._cursor.seen
        unread = target.size - self._cursor.size
        if unread > WORTH_A_JUMP and not self._tried:
            answer = yield from self._talk.ask(AskCommitment(target.size), Commitment)
            yield from self._try_jump(_End.of(target, answer.entry, answer.frontier))
        while self._cursor.size < target.size:
            yield from self._read_page(target)

    def _read_page(self, target: Checkpoint) -> Steps[None]:
        cursor = self._cursor
        request = AskEntries(cursor.size, target.size)
        bulk = target.size - cursor.size > WORTH_A_JUMP
        page = yield from self._talk.ask(request, Entries, bulk=bulk)
        frontier = _extend(cursor, target, page.entries, page.proof)
        yield from self._take(page.entries, frontier, target)

    def _take(
        self, entries: Sequence[bytes], frontier: Frontier, target: Checkpoint
    ) -> Steps[None]:
        """Reads entries that are proven to be the next ones, and fetches the bodies."""
        cursor = self._cursor
        found = _read_entries(entries, cursor, self._view())
        if frontier.size == target.size and entries[-1] != found.commitment:
            raise VerificationError("expected a commitment as the last leaf")
        onward = AskEntries(frontier.size, target.size)
        after = (onward,) if frontier.size < target.size else ()
        gaps = yield from self._fetch(found.unknown, after)
        # Of this page something may be on its way to the disk while the next is read.
        yield Settle(lag=1)
        if self.cursor is not cursor:
            self.cursor = cursor
            yield Keep(cursor)
        self._at = replace(
            cursor,
            frontier=frontier,
            count=found.count,
            commitment=found.commitment,
            gaps=cursor.gaps + gaps,
        )

    def _fetch(
        self, unknown: dict[bytes, bytes], after: Sequence[AskEntries]
    ) -> Steps[tuple[bytes, ...]]:
        """Admits the statements of these ids (-> entry); the ids that nobody had.
        `after` is asked next."""
        gaps: list[bytes] = []
        many = len(unknown) > FETCHED_IDS
        rest = self._portions(list(unknown))
        portions = deque(islice(rest, AHEAD + 1))
        while portions:
            asked = portions.popleft()
            soon = [AskStatements(tuple(one)) for one in portions]
            while asked:
                statements = yield from self._talk.statements(
                    asked, soon=[*soon, *after], anywhere=many
                )
                for id_, one in zip(asked, statements, strict=False):
                    require_entry(one, unknown[id_])
                    gaps += [id_] if one is None else []
                if len(gaps) + len(self._cursor.gaps) > MAX_GAPS:
                    raise NotFoundError(
                        f"the peer withholds more than {MAX_GAPS} statements of its log"
                    )
                yield from admit(statements)
                asked = asked[len(statements) :]
            portions += islice(rest, 1)
        return tuple(gaps)

    def _portions(self, unknown: Sequence[bytes]) -> Iterator[list[bytes]]:
        """What to ask for at a time."""
        for start in range(0, len(unknown), FETCHED_IDS):
            # Gossip may have brought some when their time comes.
            portion = self._wanted(unknown[start : start + FETCHED_IDS])
            if portion:
                yield portion

    # Gaps

    def _ask_for(self, wanted: Sequence[bytes]) -> Steps[None]:
        missing = self._wanted(wanted)
        while missing:
            statements = yield from self._talk.statements(missing)
            yield from admit(statements)
            missing = missing[len(statements) :]

    def _without_filled_gaps(self) -> Cursor:
        return replace(self._cursor, gaps=tuple(self._wanted(self._cursor.gaps)))

    def _wanted(self, ids: Sequence[bytes]) -> list[bytes]:
        """Those that are neither here nor refused."""
        known = self._view().indexes_of(ids)
        return [one for one in ids if one not in known and not self._is_refused(one)]


@dataclass(frozen=True, slots=True)
class _End:
    """A published tree: its last leaf, proven, and its frontier with that leaf."""

    entry: bytes
    commitment: CommitmentEntry
    frontier: Frontier

    @classmethod
    def of(cls, checkpoint: Checkpoint, entry: bytes, hashes: Sequence[bytes]) -> _End:
        """`hashes` are those of the frontier before the last leaf."""
        before = Frontier.from_hashes(checkpoint.size - 1, hashes)
        frontier = before.extend([leaf_hash(entry)])
        if frontier.root() != checkpoint.root:
            raise ProofError("the last leaf and the frontier do not lead to the root")
        commitment = parse_entry(entry)
        if not isinstance(commitment, CommitmentEntry):
            raise VerificationError("expected a commitment as the last leaf")
        return cls(entry, commitment, frontier)

    @property
    def size(self) -> int:
        return self.frontier.size


def _is_close(ours: int, end: _End, unread: int) -> bool:
    """Whether so few strings may differ that finding them costs less than reading: a
    smaller set may be all known, and still have as many differences as it lacks."""
    theirs = end.commitment.count
    return CLOSE * abs(ours - theirs) * end.size < theirs * unread


def _extend(
    cursor: Cursor,
    target: Checkpoint,
    entries: Sequence[bytes],
    proof: Sequence[bytes],
) -> Frontier:
    """The frontier behind the entries, which are proven to be the next ones."""
    unread = target.size - cursor.size
    if not min(1, unread) <= len(entries) <= unread:
        raise MalformedError(f"expected entries, got {len(entries)} of them")
    frontier = cursor.frontier.extend([leaf_hash(one) for one in entries])
    verify_consistency(frontier.size, target.size, frontier.root(), target.root, proof)
    return frontier


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
            found.unknown[entry.id] = data
        elif isinstance(entry, CommitmentEntry):
            if entry.count != found.count:
                wrong = f"the log commits to {entry.count} lookup strings"
                raise VerificationError(f"{wrong}, its entries have {found.count}")
            found.commitment = data
    for id_, known in ours.entries_of(found.unknown).items():
        # Its entry must be the one it has in our log.
        if found.unknown.pop(id_) != known:
            raise wrong_keys(id_)
    return found


def _check_extends(known: Cursor, head: Head, new: Checkpoint) -> None:
    """The log has only grown, else VerificationError or ContradictionError."""
    _require_growth(known, new)
    old = known.seen
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


def _require_growth(known: Cursor, new: Checkpoint) -> None:
    old = known.seen
    if new.size < old.size:
        raise VerificationError(
            f"log {new.origin} went back from {old.size} leaves to {new.size}",
            hint="has that node been restored from a backup?",
        )
