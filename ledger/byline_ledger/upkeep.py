"""What keeps a log in order beside appending: takedowns, recovery, its end.

Rule: whatever must not be signed twice is decided by `standing.py`; whatever is written
goes through the ledger's one synced write.  Takedowns and recovery sign nothing new, so
a log that is read-only has them too.  Specification: docs/spec/log.md, "Takedown",
"Recovery".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType

from byline_ledger.catch_up import Bodies, Copy, batches
from byline_ledger.checkpoint import Checkpoint
from byline_ledger.commit import LogState, Vacancy
from byline_ledger.crypto import SigningKey
from byline_ledger.entry import retirement_entry
from byline_ledger.errors import CorruptStoreError, ReadOnlyError
from byline_ledger.lookup_set import StringReader
from byline_ledger.node_keys import NodeKeys
from byline_ledger.recovery import root_at, string_reader
from byline_ledger.standing import doubt, guard_of
from byline_ledger.statement import Statement
from byline_ledger.store import layout
from byline_ledger.store.backup import Moment, write_backup
from byline_ledger.store.durable import remove_durably
from byline_ledger.store.guard import Guard, read_guard, write_guard
from byline_ledger.store.interface import Store
from byline_ledger.store.node_files import NodeFiles
from byline_ledger.store.restored import Restored, write_restored
from byline_ledger.takedown import UNERASED, plan_takedown
from byline_ledger.tombstone import Tombstone
from byline_ledger.tree import TileRows
from byline_ledger.view import LogView

Progress = Callable[[int, int], None]
"""`progress(done, total)`."""

NOTHING: Mapping[bytes, Tombstone] = MappingProxyType({})

RENEWAL = b"witness/renewal"
"""Side record: what the present keys of the witness are derived with, if renewed."""


class Upkeep(ABC):
    """The part of `Ledger` that is here; what it needs of the other comes first."""

    view: LogView
    keys: NodeKeys
    _files: NodeFiles
    _store: Store
    _rows: TileRows
    _key: SigningKey
    _writing: AbstractContextManager[object]
    _held: str | None

    @abstractmethod
    def _require_writable(self, held: str | None) -> None: ...
    @abstractmethod
    def _require_sound(self) -> None: ...
    @abstractmethod
    def _one_write(self) -> AbstractContextManager[None]: ...
    @abstractmethod
    def _commit(
        self, statements: Sequence[Statement | Vacancy], notice: str | None = None
    ) -> None: ...
    @abstractmethod
    def _judge(self, state: LogState, previous: int) -> None: ...
    @abstractmethod
    def _finish_takedowns(self) -> None: ...
    @abstractmethod
    def _view_of(self, state: LogState) -> LogView: ...

    def retire(self, text: str) -> None:
        """Ends the log for good: a notice of 1 to 1,024 bytes, a last commitment.

        It is served from then on, and never signed again.  Raises UsageError for a text
        that cannot be a notice, else what `append` raises.
        """
        retirement_entry(text)
        with self._writing:
            self._require_writable(self._held)
            with self._one_write():
                self._commit((), text)
            self._judge(self.view.state, self.view.size)

    def redact(self, statement_id: bytes, tombstone: Tombstone) -> Tombstone:
        """Takes the statement's body down, also from a log that is read-only; durable
        when it returns, and for readers of every view.  Returns what stands there now:
        the earlier tombstone if there was one.

        Its bytes leave the disk before it returns, or, where a reader still uses an
        older view, at `close`.  Raises NotFoundError, UsageError; StoreError as
        `append`.
        """
        with self._writing:
            self._require_sound()
            takedown = plan_takedown(self.view, statement_id, tombstone)
            if takedown.earlier is not None:
                return takedown.earlier
            with self._one_write():
                self._store.write(*takedown.writes(self._store))
                self.view = self._view_of(self.view.state)
                if self._store.erase([takedown.body]):
                    self._store.write((), [layout.record(UNERASED)])
            return tombstone

    def finish_takedowns(self) -> None:
        """Bytes that a reader kept on the disk leave it, as soon as no reader does."""
        with self._writing:
            self._require_sound()
            self._finish_takedowns()

    def catch_up(
        self,
        copy: Copy,
        now: int,
        renewal: bytes,
        progress: Progress = lambda _done, _total: None,
        *,
        others: Sequence[Copy] = (),
        takedowns: Mapping[bytes, Tombstone] = NOTHING,
    ) -> int:
        """Takes back what this log signed and lost, also while it is read-only; then it
        is signed on if its own guard file said that it ends here.  Returns the number
        of bodies that are missing still.

        `now`: Unix milliseconds.  `renewal`: 16 random bytes for new keys of the
        witness, if anything was lost.  `others` are asked for bodies that the copy does
        not have; `takedowns` are this log's own, by id, on its operator's word.

        May be broken off and done again.  Raises ContradictionError before anything but
        the mark of `heed` is written; VerificationError, MalformedError and what the
        copies' sources raise, which leave a log that has taken back a part, read-only;
        StoreError as `append`.
        """
        with self._writing:
            self._require_sound()
            self._heed(copy.end, now)
            self._raise_guard(copy, renewal)
            lost, total = 0, copy.end.size
            bodies = Bodies((copy, *others), takedowns, now)
            for batch in batches(copy, self.view.state, self._strings_now, bodies):
                state = batch.state.signed(self._key)
                record = (layout.STATE, state.record(batch.previous))
                with self._one_write():
                    self._store.write([*batch.puts, record])
                    self.view = self._view_of(state)
                    self._judge(state, batch.previous)
                lost += batch.lost
                progress(state.size, total)
            return lost

    def heed(self, end: Checkpoint, now: int) -> None:
        """A checkpoint that this log signed was seen: if it shows that the guard file
        does not answer for the end of the log, nothing is signed until somebody does.

        `now`: Unix milliseconds.  Raises StoreError as `append`.
        """
        with self._writing:
            self._require_sound()
            self._heed(end, now)

    def _heed(self, end: Checkpoint, now: int) -> None:
        # What is not ahead of us leaves the guard as it is, and so what it says.
        state, mark = self.view.state, self._files.restored
        guard = _own_guard(self._files.guard, end.origin)
        reason = doubt(guard, end) if end.size >= state.size else None
        if reason is None or mark.exists():
            return
        with self._one_write():
            found = Restored(end.origin, state.size, now // 1000, reason)
            write_restored(mark, found)
        self._judge(state, state.size)

    def _strings_now(self) -> StringReader:
        return string_reader(self.view.reader)

    def _raise_guard(self, copy: Copy, renewal: bytes) -> None:
        """What the copy's checkpoint proves to be signed is guarded from now on."""
        state, end = self.view.state, copy.end
        if end.size < state.size:
            ours = root_at(state, self._rows, end.size)
            return copy.require_within(ours, state.checkpoint)
        copy.require_extends(state.size, state.root, state.checkpoint)
        guard = _own_guard(self._files.guard, end.origin)
        if guard is None or guard.size <= end.size:
            if guard is not None:
                copy.require_extends(guard.size, guard.root)
            with self._one_write():
                write_guard(self._files.guard, Guard(end.origin, end.size, end.root))
        if end.size > state.size:
            self._renew_witness(renewal)
        return None

    def vouch(self, renewal: bytes) -> None:
        """Somebody answers for it that nothing newer than this tree was ever signed:
        the log is signed on from here, and others are cosigned with new keys, derived
        with `renewal` (16 random bytes).

        ReadOnlyError where the guard file proves the contrary.
        """
        with self._writing:
            self._require_sound()
            state = self.view.state
            guard = _own_guard(self._files.guard, state.origin)
            if guard is not None and guard.size > state.size:
                raise ReadOnlyError(
                    f"{guard.size} entries were signed, and {state.size} are here: what"
                    " is missing must be found in a copy",
                    hint="name a place that has them with --from",
                )
            self._renew_witness(renewal)
            with self._one_write():
                write_guard(self._files.guard, guard_of(state))
                remove_durably(self._files.restored)
            self._judge(state, state.size)

    def renew_witness(self, renewal: bytes) -> None:
        """Others are cosigned with new keys, derived with `renewal` (16 random bytes):
        what the witness remembers may be older than what it signed.

        Raises StoreError as `append`.
        """
        with self._writing:
            self._require_sound()
            self._renew_witness(renewal)

    def _renew_witness(self, renewal: bytes) -> None:
        """What was cosigned after the moment that this log was put back to is not known
        here: those keys never sign again."""
        with self._one_write():
            self._store.write([(layout.record(RENEWAL), renewal)])
            secret, origin = self._files.read_secret(), self._files.read_origin()
            self.keys = NodeKeys.derive(secret, origin, renewal)

    # Bodies that were lost

    def put_back(self, statements: Sequence[Statement]) -> int:
        """Gives lost bodies back to the log; returns how many were.

        The signatures must have been verified.  Raises StoreError as `append`.
        """
        with self._writing:
            self._require_sound()
            lost = [one for one in statements if self._is_lost(one.id)]
            with self._one_write():
                self._put_back(lost)
            return len(lost)

    def _put_back(self, lost: Sequence[Statement | Vacancy]) -> None:
        places = [
            (self.view.index_of(one.id) or 0, one)
            for one in lost
            if isinstance(one, Statement)
        ]
        if not places:
            return
        puts = [(layout.body(index), one.to_envelope()) for index, one in places]
        deletes = {layout.tombstone(index) for index, _one in places}
        self._store.write(puts, list(deletes))
        self.view = self._view_of(self.view.state)

    def _is_lost(self, statement_id: bytes) -> bool:
        tombstone = self.view.tombstone(statement_id)
        return tombstone is not None and tombstone.is_lost

    # Backups

    def backup(
        self, target: Path, time: int, progress: Progress = lambda _done, _total: None
    ) -> Restored:
        """Copies the node of one moment to the folder `target`, which is made, while
        this one goes on.  `time`: Unix seconds; `progress` counts database records.

        Whoever has the copy has the node's secret.  Raises UsageError if there is
        something at `target`, StoreError; then there is no copy.
        """
        with self._writing:
            self._require_sound()
            view = self._view_of(self.view.state)
            guard = _own_guard(self._files.guard, view.origin)
        if guard is None or guard.size < view.size:
            guard = guard_of(view.state)
        mark = Restored(view.origin, view.size, time)
        total = 2 * view.statement_count + view.size + view.set_count
        done = 0

        def step(count: int) -> None:
            nonlocal done
            done += count
            progress(min(done, total), total)

        write_backup(Moment(self._files, view.reader, guard, mark), target, step)
        return mark


def _own_guard(path: Path, origin: str) -> Guard | None:
    """What the guard file says of this log, if it says anything."""
    try:
        guard = read_guard(path)
    except CorruptStoreError:
        return None
    return guard if guard is not None and guard.origin == origin else None
