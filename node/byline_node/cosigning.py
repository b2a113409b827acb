"""Has this log's checkpoints cosigned, and decides under which tree it answers.

Rule: commits never wait for witnesses.  After a commit the newest tree is offered to
all of them at once; what comes back and verifies is stored, and from then on queries
are answered under that note.  Whoever shows a tree of this log that is larger than
ours, or another one, makes the log read-only: our disk is not the newest there was.
Specification: docs/spec/witness.md, "What a log does".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
import trio

from byline_ledger.checkpoint import Checkpoint, checkpoint_of, open_checkpoint
from byline_ledger.cosignature import verify_cosignature
from byline_ledger.errors import BylineError, MalformedError, VerificationError
from byline_ledger.log import LogView
from byline_ledger.merkle import root_from
from byline_ledger.node_keys import operator_of
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
from byline_node.known_witness import (
    KnownWitness,
    WitnessClient,
    has_signed,
    operators_of,
    parse_cosigners,
)

ROUND_SECONDS = 1.0
"""Between the beginnings of two rounds, at least, if nobody is in a hurry."""
HURRY_SECONDS = 0.2
"""The same while a query waits for the newest tree to be cosigned."""
REFRESH_SECONDS = 900.0
"""After which an idle log has its last checkpoint cosigned again."""
RETRY_SECONDS = 5.0
"""Between two rounds while the log is held."""
FAILED_SECONDS = 60.0
"""After which an idle log is offered again if somebody did not cosign it."""
ANSWER_SECONDS = 1.0
"""Longest wait of a query for the newest tree to be cosigned."""
STALE_SECONDS = 60.0
"""How long an older tree is answered with because nobody has cosigned the newest."""
MAX_TRIES = 3
FUTURE_SECONDS = 300

UNCERTAIN = (
    "it is not certain yet that this disk holds the newest tree: asking those who"
    " cosigned the last one"
)
RECOVER = "stop the node and run `byline node recover`"

log = structlog.get_logger("byline.cosigning")


class OwnLog(Protocol):
    """What cosigning needs of the ledger."""

    @property
    def view(self) -> LogView: ...
    @property
    def latest_cosigned(self) -> bytes | None: ...
    def keep_cosigned(self, note: bytes, /) -> None: ...
    def hold(self, reason: str, /) -> None: ...
    def release(self) -> None: ...


class AheadError(VerificationError):
    """Somebody saw a tree of this log that our disk does not have."""


@dataclass(slots=True)
class _Round:
    """What one round brought."""

    lines: list[NoteSignature] = field(default_factory=list)


class Cosigner:
    """`run` in a task; `answer_view` from any."""

    def __init__(
        self,
        ledger: OwnLog,
        *,
        clock: Callable[[], float],
        peers: Callable[[], Sequence[WitnessClient]] = tuple,
        witnesses: Sequence[WitnessClient] = (),
        trust_disk: bool = False,
    ) -> None:
        """`peers()` are those connected now; `witnesses` the configured ones; with
        `trust_disk` the operator answers for the disk being the newest there was."""
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
        self._past = ledger.latest_cosigned
        self.ahead: str | None = None
        """Why the log is read-only for good, if somebody saw a newer tree."""
        self._is_held = False
        if not trust_disk and self._past is not None:
            self._hold(UNCERTAIN)

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
                await trio.sleep_until(started + HURRY_SECONDS)
                with trio.move_on_at(started + ROUND_SECONDS):
                    await self._hurry.wait()
            with trio.move_on_after(self._pause()):
                await self._wake.wait()

    def _pause(self) -> float:
        """Seconds to the next round if nothing happens."""
        if self._is_held:
            return RETRY_SECONDS
        failed = any(one.error is not None for one in self.known)
        return FAILED_SECONDS if failed else REFRESH_SECONDS

    async def _round(self, view: LogView) -> None:
        """Offers one tree to everybody; publishes what comes back."""
        found = _Round()
        async with trio.open_nursery() as nursery:
            for one in self._all():
                nursery.start_soon(self._ask, one, view, found)
        self._is_failing = not found.lines
        if found.lines and self.ahead is None:
            await self._publish(view, found.lines)
        self._confirm()
        self._changed.set()
        self._changed = trio.Event()

    def _all(self) -> list[KnownWitness]:
        """Everybody who can be asked now; peers are known as long as they come back."""
        for client in self._peers():
            if client.name not in self._by_peer:
                self._by_peer[client.name] = KnownWitness(client)
            self._by_peer[client.name].client = client
        return self.known

    async def _ask(self, one: KnownWitness, view: LogView, found: _Round) -> None:
        try:
            if not one.verifiers:
                one.verifiers = parse_cosigners(await one.client.vkeys())
            lines = await self._cosignatures(one, view)
        except AheadError as error:
            self._fall_behind(str(error))
            one.error = str(error)
        except BylineError as error:
            if one.error != str(error):
                write = log.debug if isinstance(error, UnspokenError) else log.info
                write("not cosigned", witness=one.client.name, reason=str(error))
            one.error = str(error)
        else:
            one.error, one.size, one.confirmed = None, view.size, True
            found.lines += lines

    async def _cosignatures(
        self, one: KnownWitness, view: LogView
    ) -> list[NoteSignature]:
        """Its verified lines on this tree."""
        old = min(one.size, view.size)
        for _ in range(MAX_TRIES):
            proof = tuple(view.consistency_proof(old))
            request = AddCheckpoint(old, proof, view.state.checkpoint)
            status, body = await one.client.add(request.to_bytes())
            if status == OK:
                return await self._verified(one, parse_lines(body), view)
            if status == CONFLICT:
                old = parse_size(body)
                if old > view.size:
                    await self._require_ours(one, view, f"{old} entries of this log")
                    raise VerificationError(f"it claims to have seen {old} entries")
                continue
            if status == UNPROVEN:
                await self._require_ours(one, view, "another tree of this log")
            if status == BUSY:
                await self._compare_latest(one, view)
            raise VerificationError(f"status {status}: {_line(body)}")
        raise VerificationError("it changes its mind about what it saw last")

    async def _require_ours(self, one: KnownWitness, view: LogView, saw: str) -> None:
        """AheadError if it saw a tree of this log that is not on this disk.

        The operator's own witnesses are believed; a peer must show what we signed, for
        else any peer could stop this log with a word.
        """
        await self._compare_latest(one, view)
        if one.client.kind == "url":
            raise AheadError(
                f"{one.client.name} cosigned {saw}, but this disk has {view.size}"
                " entries that do not include it"
            )

    async def _verified(
        self, one: KnownWitness, lines: Sequence[NoteSignature], view: LogView
    ) -> list[NoteSignature]:
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
    ) -> list[NoteSignature]:
        text = parse_note(view.state.checkpoint).text
        note = Note(text, tuple(lines))
        good = []
        for verifier in one.verifiers:
            line = note.signature_by(verifier)
            if line is not None:
                time = verify_cosignature(note, verifier)
                if time > self._clock() + FUTURE_SECONDS:
                    raise VerificationError("it dates its cosignature into the future")
                good.append(line)
        return good

    async def _publish(self, view: LogView, lines: Sequence[NoteSignature]) -> None:
        note = merge(view.state.checkpoint, lines)
        await trio.to_thread.run_sync(self._ledger.keep_cosigned, note)
        self._published = view.cosigned(note)
        newer = self._ledger.view.size > view.size
        self._late_since = trio.current_time() if newer else None
        self.on_published(self._published)

    # Being certain that the disk is the newest there was

    def _hold(self, reason: str) -> None:
        self._is_held = True
        self._ledger.hold(reason)
        log.warning("the log is held", reason=reason)

    def _fall_behind(self, reason: str) -> None:
        if self.ahead is None:
            self.ahead = f"{reason}: this disk was put back to an earlier state"
            self._hold(f"{self.ahead}; {RECOVER}")

    def convict(self, reason: str) -> None:
        """This very log is proven to have signed a falsehood: it signs no more."""
        self._fall_behind(f"this log {reason}")

    def see_own(self, note: bytes) -> None:
        """A checkpoint of this log that somebody else showed, by whatever way."""
        view = self._ledger.view
        try:
            seen = open_checkpoint(note, view.vkey)
        except (MalformedError, VerificationError):
            return
        if not is_ours(view, seen):
            self._fall_behind(
                f"a checkpoint of {seen.size} entries signed by this very log, of which"
                f" the {view.size} on this disk are no continuation"
            )

    async def _compare_latest(self, one: KnownWitness, view: LogView) -> None:
        """What a witness that cosigns nothing now had cosigned before."""
        note = await one.client.latest(view.origin)
        if note is None:
            return
        try:
            seen = open_checkpoint(note, view.vkey)
        except (MalformedError, VerificationError):
            return
        if not is_ours(view, seen):
            raise AheadError(
                f"{one.client.name} cosigned {seen.size} entries of this log that are"
                " not those of this disk"
            )
        one.confirmed = True

    def _confirm(self) -> None:
        """Ends the hold once enough of the past cosigners have agreed."""
        if not self._is_held or self.ahead is not None:
            return
        past = parse_note(self._past) if self._past is not None else None
        agreed = {
            operator_of(verifier.name)
            for one in self.known
            if one.confirmed
            for verifier in one.verifiers
            if past is not None and has_signed(past, verifier)
        }
        if 2 * len(agreed) >= len(operators_of(past)):
            self._is_held = False
            self._ledger.release()
            log.info("the log is confirmed", by=len(agreed))

    def _first_view(self) -> LogView:
        """The tree on disk, under its cosigned note if that is of the same size."""
        view, note = self._ledger.view, self._ledger.latest_cosigned
        if note is not None and checkpoint_of(note).size == view.size:
            return view.cosigned(note)
        return view

    def _times(self, note: Note) -> dict[str, int]:
        """Unix seconds of the cosignatures of known witnesses."""
        return {
            verifier.name: verify_cosignature(note, verifier)
            for one in self.known
            for verifier in one.verifiers
            if note.signature_by(verifier) is not None
        }


def is_ours(view: LogView, seen: Checkpoint) -> bool:
    """Whether a checkpoint is of the tree in hand, or of an earlier state of it."""
    return seen.size <= view.size and root_from(seen.size, view.node) == seen.root


def _line(body: bytes) -> str:
    text = body[:200].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text).strip()
