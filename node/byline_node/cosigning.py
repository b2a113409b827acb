"""Has this log's checkpoints cosigned, and decides under which tree it answers.

Rule: commits never wait for witnesses.  After a commit the newest tree is offered to
all of them at once; what comes back and verifies is stored, and from then on queries
are answered under that note.  Whoever shows a tree of this log that is larger than
ours, or another one, makes the log read-only: our disk is not the newest there was.
Specification: docs/spec/witness.md, "What a log does".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, NoReturn, Protocol, TypeAlias

import structlog
import trio

from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.cosignature import verify_cosignature
from byline_ledger.errors import BylineError, VerificationError
from byline_ledger.log import LogView
from byline_ledger.note import Note, NoteSignature, parse_note
from byline_ledger.witness import (
    BUSY,
    CONFLICT,
    OK,
    UNPROVEN,
    AddCheckpoint,
    merge,
    parse_lines,
    parse_size,
)
from byline_node.errors import UnspokenError
from byline_node.holding import AheadError, HeldLog, Hold
from byline_node.known_witness import (
    KnownWitness,
    WitnessClient,
    parse_cosigners,
    time_of,
)
from byline_node.pauses import seconds_between

ROUND_SECONDS = 2.0
"""Between the beginnings of two rounds, at least, if nobody is in a hurry."""
MAX_ROUND_SECONDS = 5.0
"""The same where rounds take long (pauses.py): then we, or the witnesses, are busy with
other things."""
HURRY_SECONDS = 0.2
"""The same while a query waits for the newest tree to be cosigned."""
REFRESH_SECONDS = 900.0
"""After which an idle log has its last checkpoint cosigned again."""
RETRY_SECONDS, MAX_RETRY_SECONDS = 1.0, 5.0
"""Between two rounds while the log is held, at first; and what is added in time."""
FAILED_SECONDS = 60.0
"""After which an idle log is offered again if somebody did not cosign it."""
ANSWER_SECONDS = 1.0
"""Longest wait of a query for the newest tree to be cosigned."""
STALE_SECONDS = 60.0
"""How long an older tree is answered with because nobody has cosigned the newest."""
STRANGER_SECONDS = 5.0
"""For all that a peer is asked in one round whom the operator did not name: it has the
others wait no longer."""
MAX_TRIES = 3
MAX_LINES = 90
"""Cosignatures in one note: readers take no note with more than 100 signatures."""
FUTURE_SECONDS = 300

log = structlog.get_logger("byline.cosigning")


class OwnLog(HeldLog, Protocol):
    """What cosigning needs of the ledger."""

    def keep_cosigned(self, note: bytes, /, records: Mapping[bytes, bytes]) -> None: ...


Lines: TypeAlias = dict[str, NoteSignature]
"""Verified cosignatures by the keys that made them."""


@dataclass(slots=True)
class _Signed:
    """One tree, and who cosigned it in this round."""

    view: LogView
    by: list[tuple[KnownWitness, Lines]] = field(default_factory=list)


@dataclass(slots=True)
class _Round:
    """What one round brought: mostly on the tree that it began with, but on a newer one
    from those who were shown that first."""

    trees: dict[int, _Signed] = field(default_factory=dict)

    def add(self, one: KnownWitness, view: LogView, lines: Lines) -> None:
        self.trees.setdefault(view.size, _Signed(view)).by.append((one, lines))

    def best(self, named: Collection[str]) -> _Signed | None:
        """The tree that most of the operator's witnesses signed; then, most of all;
        then, the newest."""

        def rank(signed: _Signed) -> tuple[int, int, int]:
            mine = sum(one.client.name in named for one, _lines in signed.by)
            return mine, len(signed.by), signed.view.size

        return max(self.trees.values(), key=rank, default=None)


class Cosigner:
    """`run` in a task; `answer_view` from any."""

    def __init__(
        self,
        ledger: OwnLog,
        *,
        clock: Callable[[], float],
        peers: Callable[[], Sequence[WitnessClient]] = tuple,
        witnesses: Sequence[WitnessClient] = (),
        named_peers: Collection[str] = (),
        trust_disk: bool = False,
    ) -> None:
        """`peers()` are those connected now; `witnesses` and `named_peers` (peer ids)
        those of the configuration; with `trust_disk` the operator answers for the disk
        being the newest there was."""
        self._ledger = ledger
        self._clock = clock
        self._peers = peers
        self._fixed = [KnownWitness(one) for one in witnesses]
        self._by_peer: dict[str, KnownWitness] = {}
        self._wake = trio.Event()
        self._changed = trio.Event()
        self._hurry = trio.Event()
        self._published = self._first_view()
        self._late_since: float | None = None
        self.on_published: Callable[[LogView], None] = lambda _view: None
        """Called with each tree that was cosigned; must not block."""
        self._is_failing = False
        self._named = {*named_peers, *(one.name for one in witnesses)}
        self.hold = Hold(ledger, self._named.__contains__, trust_disk=trust_disk)
        """Whether the log may be signed on."""

    # For the rest of the node

    def commit_made(self, *_what: object) -> None:
        """A newer tree is there (writer.Listener)."""
        if self._late_since is None:
            self._late_since = trio.current_time()
        self.wake()

    def wake(self) -> None:
        """Begins a round as soon as one may: also for a new peer."""
        self._wake.set()

    @property
    def known(self) -> list[KnownWitness]:
        """Configured witnesses, and peers that are connected."""
        connected = {one.name for one in self._peers()}
        peers = [one for name, one in self._by_peer.items() if name in connected]
        return [*self._fixed, *peers]

    def status(self) -> dict[str, Any]:
        """For `/v1/status`."""
        note = self._published.checkpoint
        times = self._times(parse_note(note))
        return {
            "cosigned": {
                "size": self._published.size,
                "count": len(times),
                "time": max(times.values(), default=None),
            },
            "witnesses": [row for one in self.known for row in one.to_json()],
        }

    async def answer_view(self) -> LogView:
        """The view that queries are answered with: the newest, under the note that it
        was cosigned with; if that is on its way, it is waited for a little."""
        newest = self._ledger.view
        if self._has_witnesses() and not self._is_failing:
            with trio.move_on_after(ANSWER_SECONDS):
                while self._published.size < newest.size and not self._is_failing:
                    self._hurry.set()
                    await self._changed.wait()
        return self.published()

    def published(self) -> LogView:
        """The same without waiting: what is served as the log's checkpoint.

        Where nobody has cosigned the newest tree, an older one for a little while, and
        then the newest as it is: readers see that nobody signed it.
        """
        newest, cosigned = self._ledger.view, self._published
        if cosigned.size >= newest.size:
            return cosigned
        is_signed = len(parse_note(cosigned.checkpoint).signatures) > 1
        since = self._late_since
        is_late = since is None or trio.current_time() - since > STALE_SECONDS
        return cosigned if is_signed and not is_late else newest

    def _has_witnesses(self) -> bool:
        return bool(self._fixed) or bool(self._peers())

    # Rounds

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake = trio.Event()
            if self._has_witnesses():
                started, self._hurry = trio.current_time(), trio.Event()
                await self._round(self._ledger.view)
                await self._rest(started)
            else:
                self.hold.confirm(())
                await trio.sleep(HURRY_SECONDS)
            with trio.move_on_after(self._pause()):
                await self._wake.wait()

    async def _rest(self, started: float) -> None:
        """Until the next round may begin, of which the last did at `started`."""
        took = trio.current_time() - started
        pause = seconds_between(took, ROUND_SECONDS, MAX_ROUND_SECONDS)
        if self.hold.is_waiting:
            pause = RETRY_SECONDS
        await trio.sleep_until(started + HURRY_SECONDS)
        with trio.move_on_at(started + pause):
            await self._hurry.wait()

    def _pause(self) -> float:
        """Seconds to the next round if nothing happens."""
        if self.hold.is_waiting:
            # Nothing is admitted before they agree, and those asked may be busy too.
            return min(self.hold.seconds / 8, MAX_RETRY_SECONDS)
        failed = any(one.error is not None for one in self.known)
        return FAILED_SECONDS if failed else REFRESH_SECONDS

    async def _round(self, view: LogView) -> None:
        """Offers one tree to everybody; publishes what comes back."""
        found = _Round()
        async with trio.open_nursery() as nursery:
            for one in self._all():
                nursery.start_soon(self._ask_in_time, one, view, found)
        signed = found.best(self._named)
        self._is_failing = signed is None
        if signed is not None and self.hold.ahead is None:
            await self._publish(signed)
        self.hold.confirm(self.known)
        self._changed.set()
        self._changed = trio.Event()

    def _all(self) -> list[KnownWitness]:
        """Everybody who can be asked now; strangers are forgotten when they go."""
        connected = {one.name for one in self._peers()}
        for name in list(self._by_peer):
            if name not in connected and name not in self._named:
                del self._by_peer[name]
        for client in self._peers():
            if client.name not in self._by_peer:
                self._by_peer[client.name] = KnownWitness(client)
            self._by_peer[client.name].client = client
        return self.known

    async def _ask_in_time(
        self, one: KnownWitness, view: LogView, found: _Round
    ) -> None:
        is_named = one.client.name in self._named
        with trio.move_on_after(inf if is_named else STRANGER_SECONDS) as limit:
            await self._ask(one, view, found)
        if limit.cancelled_caught:
            one.error = f"no cosignature within {STRANGER_SECONDS:g} s"

    async def _ask(self, one: KnownWitness, view: LogView, found: _Round) -> None:
        try:
            if not one.verifiers or self.hold.is_on:  # they may be new ones by now
                one.verifiers = parse_cosigners(await one.client.vkeys())
            view, lines = await self._cosignatures(one, view)
        except AheadError as error:
            self.hold.fall_behind(str(error))
            one.error = str(error)
        except BylineError as error:
            if one.error != str(error):
                write = log.debug if isinstance(error, UnspokenError) else log.info
                write("not cosigned", witness=one.client.name, reason=str(error))
            one.error = str(error)
        else:
            one.error, one.size = None, view.size
            one.agreed |= lines.keys()
            one.signed |= dict.fromkeys(lines, view.size)
            found.add(one, view, lines)

    async def _cosignatures(
        self, one: KnownWitness, view: LogView
    ) -> tuple[LogView, Lines]:
        """Its verified lines on this tree, or on the newest if it saw more by now."""
        owed = self.hold.owed_size(one.client.name)
        old = min(max(one.size, owed), view.size)
        for _ in range(MAX_TRIES):
            proof = tuple(view.consistency_proof(old))
            request = AddCheckpoint(old, proof, view.state.checkpoint)
            status, body = await one.client.add(request.to_bytes())
            if status == OK:
                return view, await self._verified(one, parse_lines(body), view)
            if status != CONFLICT:
                return await self._refused(one, status, body)
            old = parse_size(body)
            if old < owed:
                text = f"it cosigned {owed} entries, and remembers only {old}"
                raise VerificationError(text)
            # Anybody may have shown it a tree that was committed since the round began.
            view = self._ledger.view if old > view.size else view
            if old > view.size:
                await self._require_ours(one, f"{old} entries of this log")
                raise VerificationError(f"it claims to have seen {old} entries")
        raise VerificationError("it changes its mind about what it saw last")

    async def _refused(self, one: KnownWitness, status: int, body: bytes) -> NoReturn:
        if status == UNPROVEN:
            await self._require_ours(one, "another tree of this log")
        if status == BUSY:
            await self.hold.compare_latest(one)
        raise VerificationError(f"status {status}: {_line(body)}")

    async def _require_ours(self, one: KnownWitness, saw: str) -> None:
        """AheadError if it saw a tree of this log that is not on this disk.

        Nothing is let out before it is in the ledger's view, so what it can have seen
        is judged by the view of now.  The operator's own witnesses are believed; a peer
        must show what we signed, for else any peer could stop this log with a word.
        """
        newest = self._ledger.view.size
        await self.hold.compare_latest(one)
        if one.client.kind == "url":
            raise AheadError(
                f"{one.client.name} cosigned {saw}, but this disk has {newest} entries"
                " that do not include it"
            )

    async def _verified(
        self, one: KnownWitness, lines: Sequence[NoteSignature], view: LogView
    ) -> Lines:
        """Those lines that are by its keys; one that does not hold is an error."""
        good = self._lines_of(one, lines, view)
        if not good:  # after a recovery it signs with new keys
            one.verifiers = parse_cosigners(await one.client.vkeys())
            good = self._lines_of(one, lines, view)
        if not good:
            raise VerificationError("it answers with no cosignature of its own")
        return good

    def _lines_of(
        self, one: KnownWitness, lines: Sequence[NoteSignature], view: LogView
    ) -> Lines:
        text = parse_note(view.state.checkpoint).text
        note = Note(text, tuple(lines))
        good: Lines = {}
        for verifier in one.verifiers:
            line = note.signature_by(verifier)
            if line is not None:
                time = verify_cosignature(note, verifier)
                # Whatever its clock or ours says, it agrees that this tree is whole.
                one.agreed.add(verifier.to_text())
                if time > self._clock() + FUTURE_SECONDS:
                    raise VerificationError("it dates its cosignature into the future")
                good[verifier.to_text()] = line
        return good

    async def _publish(self, signed: _Signed) -> None:
        view = signed.view
        # A note has room for some lines: those of the operator's witnesses go first.
        signed.by.sort(key=lambda pair: pair[0].client.name not in self._named)
        lines = [line for _one, several in signed.by for line in several.values()]
        note = merge(view.state.checkpoint, lines[:MAX_LINES])
        await self._keep(note, signed)
        self._published = view.cosigned(note)
        newer = self._ledger.view.size > view.size
        self._late_since = trio.current_time() if newer else None
        self.on_published(self._published)

    async def _keep(self, note: bytes, signed: _Signed) -> None:
        """On disk, unless the log is read-only for good or the disk is full: then it is
        served as long as we run."""
        signers = [(one, key) for one, lines in signed.by for key in lines]
        records = self.hold.record_of(signed.view.size, signers)
        try:
            await trio.to_thread.run_sync(self._ledger.keep_cosigned, note, records)
        except BylineError as error:
            if self._ledger.failure is not None:
                raise
            log.debug("cosigned and not kept", reason=str(error))

    def _first_view(self) -> LogView:
        """The tree on disk, under its cosigned note if that is of the same size."""
        view, note = self._ledger.view, self._ledger.latest_cosigned
        if note is not None and checkpoint_of(note).size == view.size:
            return view.cosigned(note)
        return view

    def _times(self, note: Note) -> dict[str, int]:
        """Unix seconds of the cosignatures of known witnesses."""
        keys = [verifier for one in self.known for verifier in one.verifiers]
        times = [(verifier.name, time_of(note, verifier)) for verifier in keys]
        return {name: time for name, time in times if time is not None}


def _line(body: bytes) -> str:
    text = body[:200].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text).strip()
