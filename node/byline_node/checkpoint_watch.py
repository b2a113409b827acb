"""Checkpoints told to everybody, and compared: a log that shows two faces is seen.

Rule: a checkpoint that comes by gossip is held against what its own log told us: the
same size and another root is proof at once; another size is asked about, at the log's
own node.  What is said of our own log may show that our disk is behind.
Specification: docs/spec/network.md, "Checkpoints".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from typing import Any, Protocol

import structlog
import trio

from byline_ledger.alarm_messages import CHECKPOINT_TOPIC
from byline_ledger.checkpoint import Checkpoint, checkpoint_of, open_checkpoint
from byline_ledger.cursor import Cursor
from byline_ledger.errors import BylineError, ContradictionError, ProofError
from byline_ledger.follow_messages import AskHead, Head, parse_response
from byline_ledger.merkle import verify_consistency
from byline_ledger.note import Verifier, parse_note
from byline_node.mistakes import note_mistake
from byline_node.shared_pace import SharedPace

TELL_SECONDS = 5.0
"""Between two checkpoints of our own that are told, at least."""
TELL_EACH = 1.0
"""As many seconds for each node that tells, if that is more."""
MAX_TELL = 600.0
OTHERS = 2
"""For one checkpoint of another log we could have told so many of our own."""
ASK_SECONDS = 10.0
"""Between two questions to a log about checkpoints that others show of it."""
MAX_NOTE = 60_000

log = structlog.get_logger("byline.checkpoints")

Ask = Callable[[str, bytes], Awaitable[bytes]]
"""`await ask(peer, request)` of the follow protocol."""


class Mesh(Protocol):
    """What this file needs of the host."""

    async def publish(self, topic: str, data: bytes) -> None: ...
    def messages(self, topic: str) -> AsyncIterator[Any]: ...


class CheckpointWatch:
    """`run` in a task; `tell` from anywhere on the event loop."""

    def __init__(
        self,
        mesh: Mesh,
        origin: str,
        followed: Callable[[], Iterable[tuple[str, Cursor]]],
        ask: Ask,
        *,
        on_own: Callable[[bytes], None],
        on_contradiction: Callable[[ContradictionError], None],
    ) -> None:
        """`origin` is our own log; `followed()` gives the peers whose logs we read, and
        how far each was read; `on_own` gets what others show of our log."""
        self._mesh = mesh
        self._origin = origin
        self._followed = followed
        self._ask = ask
        self._on_own = on_own
        self._on_contradiction = on_contradiction
        self._next: bytes | None = None
        self._wanted = trio.Event()
        self._asked_at: dict[str, float] = {}
        self._asking: set[str] = set()
        self._pace = SharedPace(TELL_EACH, TELL_SECONDS, MAX_TELL, trio.current_time)

    def tell(self, note: bytes) -> None:
        """Tells everybody, soon; of several only the last."""
        if len(note) <= MAX_NOTE:
            self._next = note
            self._wanted.set()

    async def run(self) -> None:
        """Tells and compares until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_all)
            nursery.start_soon(self._tell_others)
            async for message in self._mesh.messages(CHECKPOINT_TOPIC):
                self._pace.hear(message.sender)
                try:
                    self._compare(message.data, nursery)
                except BylineError as error:
                    log.debug("checkpoint not compared", reason=str(error))
                except Exception as error:  # noqa: BLE001
                    note_mistake(error, "comparing a checkpoint", "")

    async def _tell_all(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            if self._next is not None:
                await self._mesh.publish(CHECKPOINT_TOPIC, self._next)
            await trio.sleep(self._pace.pause())

    async def _tell_others(self) -> None:
        """What we were shown of other logs, one after the other: nobody else would tell
        those to whom a log shows another face."""
        while True:
            for _peer, cursor in list(self._followed()):
                if len(cursor.note) <= MAX_NOTE:
                    await self._mesh.publish(CHECKPOINT_TOPIC, cursor.note)
                await trio.sleep(OTHERS * self._pace.pause())
            await trio.sleep(OTHERS * self._pace.pause())

    def _compare(self, note: bytes, nursery: trio.Nursery) -> None:
        shown, signers = checkpoint_of(note), signers_of(note)
        if shown.origin == self._origin:
            self._on_own(note)
            return
        for peer, cursor in self._followed():
            seen = cursor.seen
            is_named = seen.origin == shown.origin
            if not (is_named and _is_signed(note, cursor.vkey, signers)):
                continue
            if shown.size == seen.size and shown.root != seen.root:
                self._contradict(cursor, note, ())
            # Following reads up to what is larger, and compares with what it saw.
            if shown.size < seen.size and self._may_ask(peer):
                nursery.start_soon(self._ask_about, peer, cursor, shown, note)

    def _may_ask(self, peer: str) -> bool:
        """One question at a time, and not too often: a peer may be slow to answer."""
        now = trio.current_time()
        ago = now - self._asked_at.get(peer, -ASK_SECONDS)
        if ago < ASK_SECONDS or peer in self._asking:
            return False
        self._asked_at[peer] = now
        followed = {name for name, _cursor in self._followed()}
        self._asked_at = {p: at for p, at in self._asked_at.items() if p in followed}
        return True

    async def _ask_about(
        self, peer: str, cursor: Cursor, shown: Checkpoint, note: bytes
    ) -> None:
        self._asking.add(peer)
        try:
            head = parse_response(await self._ask(peer, AskHead(shown.size).to_bytes()))
            if isinstance(head, Head):
                self._require_extends(cursor, head, shown, note)
        except BylineError as error:
            log.debug("checkpoint not compared", peer=peer, reason=str(error))
        except Exception as error:  # noqa: BLE001
            note_mistake(error, "comparing a checkpoint", peer)
        finally:
            self._asking.discard(peer)

    def _require_extends(
        self, cursor: Cursor, head: Head, shown: Checkpoint, note: bytes
    ) -> None:
        """The log's own proof must lead from the tree that others were shown."""
        new = open_checkpoint(head.note, cursor.vkey)
        try:
            verify_consistency(shown.size, new.size, shown.root, new.root, head.proof)
        except ProofError:
            self._contradict(cursor, note, head.proof, head.note)

    def _contradict(
        self,
        cursor: Cursor,
        note: bytes,
        proof: tuple[bytes, ...],
        other: bytes | None = None,
    ) -> None:
        self._on_contradiction(
            ContradictionError(
                f"log {cursor.seen.origin} showed others another tree",
                vkey=cursor.vkey,
                notes=(note, other or cursor.note),
                proof=proof,
            )
        )


def signers_of(note: bytes) -> frozenset[tuple[str, bytes]]:
    """Names and key ids of its signatures: read once, for many may share its name."""
    return frozenset((one.name, one.id) for one in parse_note(note).signatures)


def _is_signed(note: bytes, vkey: str, signers: Collection[tuple[str, bytes]]) -> bool:
    """Whether it is this log's; another may have the same name."""
    verifier = Verifier.from_text(vkey)
    if (verifier.name, verifier.id) not in signers:
        return False
    try:
        open_checkpoint(note, vkey)
    except BylineError:
        return False
    return True
