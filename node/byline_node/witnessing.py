"""This node as a witness: what it remembers of other logs, and how it answers.

Rule: one request at a time, and the new memory is on disk before the answer leaves.
A log that was cosigned is never forgotten, for a witness that forgets would cosign two
histories.  While it is not certain that our own disk is the newest there was (the
ledger is read-only or held), nothing is cosigned: our memory may be as old.
Specification: docs/spec/witness.md.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
import trio

from byline_ledger import codec
from byline_ledger.checkpoint import Checkpoint, checkpoint_of
from byline_ledger.errors import BylineError, MalformedError
from byline_ledger.node_keys import NodeKeys
from byline_ledger.note import ED25519, Verifier, parse_note
from byline_ledger.witness import (
    BUSY,
    OK,
    UNKNOWN,
    AddCheckpoint,
    Answer,
    Contradiction,
    Memory,
    decide,
    last_time,
    refuse,
)
from byline_ledger.witness_messages import (
    AskAdd,
    AskLatest,
    added,
    latest,
    parse_witness_request,
    vkeys,
)
from byline_node.budgets import Budget

MAX_LOGS = 10_000
"""Logs that a witness knows: none of them may be forgotten."""
MAX_PER_PEER = 4
"""Logs of which one peer may have this witness know."""
PEER_RATE, PEER_BURST = 20.0, 100.0
"""Checkpoints a second, and at once, from one peer."""
MAX_RECORD = 80_000
TOO_MANY = "too many requests from this peer"
NOTHING_YET = "unknown log; it becomes known with its first entry"
HELD = "this witness cosigns nothing now: its own log is held"
_MEMORY = b"witness/log/"
_KEYS = b"witness/keys/"
_COUNT = b"witness/count"
_HASH = re.compile("[0-9a-f]{64}", re.ASCII)

log = structlog.get_logger("byline.witness")


class Records(Protocol):
    """What a witness needs of the ledger."""

    @property
    def keys(self) -> NodeKeys: ...
    @property
    def read_only(self) -> str | None: ...
    def get_record(self, name: bytes, /) -> bytes | None: ...
    def put_record(self, name: bytes, value: bytes, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Presented:
    """A connected peer says that this is the key of its log."""

    peer: str
    vkey: str


class Witness:
    """Answers, in any number of tasks; decides one by one."""

    def __init__(
        self,
        ledger: Records,
        *,
        clock: Callable[[], float],
        configured: Iterable[str] = (),
        own_peers: Collection[str] = (),
        is_alarmed: Callable[[str], bool] = lambda _vkey: False,
        is_replayed: Callable[[Checkpoint], bool] = lambda _checkpoint: False,
        on_contradiction: Callable[[Contradiction], None] = lambda _found: None,
    ) -> None:
        """`configured` are verifier keys of logs that the operator names, `own_peers`
        ids of peers whose logs always have a place; `clock` gives Unix seconds."""
        self._ledger = ledger
        self._clock = clock
        self._configured = {_name_hash(_origin_of(vkey)): vkey for vkey in configured}
        self._own_peers = frozenset(own_peers)
        self._is_alarmed = is_alarmed
        self._is_replayed = is_replayed
        self._on_contradiction = on_contradiction
        self.before: Callable[[str, str, bytes], Awaitable[None]] | None = None
        """Awaited with peer, key and note before a peer's checkpoint is decided on."""
        self._turn = trio.Lock()
        self._thread = trio.CapacityLimiter(1)
        self._registered: Counter[str] = Counter()
        """By peer: logs that are known because it presented them."""
        self._budget = Budget(PEER_RATE, PEER_BURST, trio.current_time)
        self._said: set[str] = set()
        self._warn()

    def _warn(self) -> None:
        """Of logs that the operator names, and that this witness cannot cosign."""
        for name_hash, vkey in self._configured.items():
            holder = self._holder(name_hash)
            if holder != vkey:
                log.warning("another log of this name was cosigned", vkey=holder)

    @property
    def vkeys(self) -> tuple[str, str]:
        """Verifier keys of the witness and of the replay witness."""
        return self._ledger.keys.witness_vkey, self._ledger.keys.replay_vkey

    async def add_checkpoint(
        self, request: bytes, presented: Presented | None = None
    ) -> Answer:
        """The answer to a request of add-checkpoint, over whatever it came."""
        async with self._turn:
            # Asked when its turn has come, and again before anything is let out: the
            # log may be held by now.
            if self._is_held():
                return refuse(BUSY, HELD)
            answer = await trio.to_thread.run_sync(
                self._decide, request, presented, limiter=self._thread
            )
            if answer.status == OK and self._is_held():
                return refuse(BUSY, HELD)
        if answer.contradiction is not None:
            self._on_contradiction(answer.contradiction)
        if answer.status != OK:
            self._note_refusal(answer)
        return answer

    def _is_held(self) -> bool:
        return self._ledger.read_only is not None

    def _decide(self, request: bytes, presented: Presented | None) -> Answer:
        now = int(self._clock())
        answer = decide(
            request,
            lambda origin: self._candidates(origin, presented),
            self._ledger.keys,
            now,
            self._is_replayed,
            self._is_alarmed,
        )
        if answer.keep is not None:
            try:
                if presented and not self.knows(answer.keep.vkey):
                    tree = answer.keep.checkpoint
                    if tree is None or not tree.size:
                        return refuse(UNKNOWN, NOTHING_YET)
                    self._register(presented.peer)
                self._remember(answer.keep)
            except BylineError as error:
                return refuse(BUSY, f"this witness cannot store it: {error}")
        return answer

    def _note_refusal(self, answer: Answer) -> None:
        """Says each kind of refusal once for each log, not once for each request."""
        name = f"{answer.status} {answer.origin}"
        if name not in self._said and len(self._said) < MAX_LOGS:
            self._said.add(name)
            reason = answer.body.decode("utf-8", "replace").strip()[:200]
            log.info("not cosigned", status=answer.status, reason=reason)

    # Memory

    def recall(self, origin: str) -> tuple[Memory, ...]:
        """What is known of the log of this name: one memory, or none."""
        vkey = self._holder(_name_hash(origin))
        return () if vkey is None else (self._recall(vkey),)

    def _holder(self, name_hash: bytes) -> str | None:
        """The key of the one log that has this name here.

        What is cosigned is a name and a tree, without the log's key: a witness that
        went by the keys could be had to sign two histories of one name.  So whoever was
        cosigned with our present keys keeps the name, whatever is configured later.
        """
        ours, configured = self.vkeys[0], self._configured.get(name_hash)
        notes = {one: self._recall(one).note for one in self._vkeys_of(name_hash)}
        known = [one for one, note in notes.items() if note]
        signed = [one for one in known if _has_signed(ours, notes[one])]
        if configured and (configured in signed or not signed):
            return configured
        return next(iter(signed or known), None)

    def knows(self, vkey: str) -> bool:
        """Whether the log with this key is one that this witness cosigns."""
        return any(one.vkey == vkey for one in self.recall(_origin_of(vkey)))

    def _recall(self, vkey: str) -> Memory:
        data = self._ledger.get_record(_MEMORY + _name_hash(vkey))
        if data is None:
            return Memory(vkey)
        fields: Any = codec.unpack(data, max_size=MAX_RECORD, max_depth=1, what="log")
        return Memory(fields["vkey"], fields["note"] or None)

    def _vkeys_of(self, name_hash: bytes) -> list[str]:
        data = self._ledger.get_record(_KEYS + name_hash)
        if data is None:
            return []
        return str(
            codec.unpack(data, max_size=MAX_RECORD, max_depth=0, what="keys")
        ).split()

    def _remember(self, memory: Memory) -> None:
        self._list(memory.vkey)
        value = codec.pack({"note": memory.note or b"", "vkey": memory.vkey})
        self._ledger.put_record(_MEMORY + _name_hash(memory.vkey), value)

    def _list(self, vkey: str) -> None:
        """From now on this key is found by the name of its log."""
        name_hash = _name_hash(_origin_of(vkey))
        vkeys = self._vkeys_of(name_hash)
        if vkey not in vkeys:
            value = codec.pack(" ".join([*vkeys, vkey]))
            self._ledger.put_record(_KEYS + name_hash, value)

    def last_cosigned(self, vkey: str) -> tuple[Checkpoint | None, int]:
        """The tree of the log with this key that was cosigned last, and when (Unix
        seconds; 0 if not with the present keys)."""
        memory = self._recall(vkey)
        if memory.note is None:
            return None, 0
        return checkpoint_of(memory.note), last_time(memory, self._ledger.keys)

    def by_hash(self, hex_hash: str) -> bytes | None:
        """The note cosigned last for the log whose origin has this SHA-256, in hex."""
        if not _HASH.fullmatch(hex_hash):
            return None
        vkey = self._holder(bytes.fromhex(hex_hash))
        return None if vkey is None else self._recall(vkey).note

    # Newcomers

    def _has_place(self, presented: Presented) -> bool:
        """Whether this log may become known; nothing is kept of it before a checkpoint
        of it was cosigned, or names without a log behind them would use up all places.
        """
        if self._registered[presented.peer] >= MAX_PER_PEER:
            return False
        return presented.peer in self._own_peers or self._count() < MAX_LOGS

    def _candidates(
        self, origin: str, presented: Presented | None
    ) -> tuple[Memory, ...]:
        """Whose a checkpoint of this name may be: of the log that has the name, or of
        the one that is presented and may have it."""
        known = self.recall(origin)
        if known or presented is None or origin == self._ledger.keys.origin:
            return known
        is_named_so = _origin_of(presented.vkey) == origin
        is_newcomer = is_named_so and self._has_place(presented)
        return (Memory(presented.vkey),) if is_newcomer else ()

    def _count(self) -> int:
        return int.from_bytes(self._ledger.get_record(_COUNT) or b"\0", "big")

    def _register(self, peer: str) -> None:
        self._registered[peer] += 1
        self._ledger.put_record(_COUNT, (self._count() + 1).to_bytes(8, "big"))

    # Between nodes

    async def answer(self, peer: str, request: bytes) -> bytes:
        """A peer's request over libp2p (requests.Handler)."""
        asked = parse_witness_request(request)
        if isinstance(asked, AskAdd):
            answer = await self._add(Presented(peer, asked.vkey), asked)
            return added(answer.status, answer.body)
        if isinstance(asked, AskLatest):
            memory = await self._in_turn(lambda: self._recall(asked.vkey))
            return latest(memory.note)
        return vkeys(*self.vkeys)

    async def _add(self, presented: Presented, asked: AskAdd) -> Answer:
        _origin_of(asked.vkey)  # MalformedError
        if not self._budget.takes(presented.peer):
            return refuse(BUSY, TOO_MANY)
        if not self._is_held():
            await self._prepare(presented.peer, asked)
        return await self.add_checkpoint(asked.body, presented)

    async def _prepare(self, peer: str, asked: AskAdd) -> None:
        if self.before is not None:
            try:
                note = AddCheckpoint.from_bytes(asked.body).note
            except MalformedError:
                return  # the decision will say so
            await self.before(peer, asked.vkey, note)

    async def _in_turn(self, work: Callable[[], Any]) -> Any:
        async with self._turn:
            return await trio.to_thread.run_sync(work, limiter=self._thread)


def _origin_of(vkey: str) -> str:
    verifier = Verifier.from_text(vkey)
    if verifier.type != ED25519:
        raise MalformedError(f"expected the key of a log, got one of {verifier.type}")
    return verifier.name


def _has_signed(vkey: str, note: bytes | None) -> bool:
    """Whether a note of our own memory has a line of this key."""
    return bool(note and parse_note(note).signature_by(Verifier.from_text(vkey)))


def _name_hash(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
