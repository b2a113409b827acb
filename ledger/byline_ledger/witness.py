"""A witness's decision on one checkpoint: bytes in, answer and new memory out.

Rule: a checkpoint is cosigned only if it extends the one cosigned before, and whoever
calls this has stored the new memory durably before the answer leaves.  Nothing that was
not verified is remembered.  Specification: docs/spec/witness.md (C2SP tlog-witness).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from byline_ledger.ascii import format_base64, parse_decimal, parse_hash
from byline_ledger.checkpoint import Checkpoint, checkpoint_of, open_checkpoint
from byline_ledger.cosignature import cosign, verify_cosignature
from byline_ledger.errors import (
    BadSignatureError,
    MalformedError,
    ProofError,
    UnsupportedError,
)
from byline_ledger.merkle import EMPTY_ROOT, verify_consistency
from byline_ledger.node_keys import NodeKeys
from byline_ledger.note import (
    MAX_SIGNATURES,
    Note,
    NoteSignature,
    Verifier,
    parse_note,
)

MAX_BODY = 65_536
MAX_PROOF = 63
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"

OK, MALFORMED, FORBIDDEN, UNKNOWN, CONFLICT = 200, 400, 403, 404, 409
UNPROVEN, BUSY = 422, 503


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request: the size cosigned last, the proof from there, and the checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def to_bytes(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old}", *map(format_base64, self.proof), "", ""]
        return "\n".join(lines).encode() + self.note

    @classmethod
    def from_bytes(cls, data: bytes) -> AddCheckpoint:
        """Strict, else MalformedError; the note is not parsed."""
        if len(data) > MAX_BODY:
            raise MalformedError(
                f"expected a request of at most {MAX_BODY} bytes, got {len(data)}"
            )
        head, separator, note = data.partition(b"\n\n")
        first, *rest = head.split(b"\n")
        if not separator or not first.startswith(b"old "):
            raise MalformedError(
                "expected `old <size>`, proof lines, an empty line and a checkpoint"
            )
        if len(rest) > MAX_PROOF:
            raise MalformedError(
                f"expected at most {MAX_PROOF} proof lines, got {len(rest)}"
            )
        old = parse_decimal(first[4:], "the old size")
        return cls(old, tuple(parse_hash(line, "a proof line") for line in rest), note)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a witness knows of one log.

    `note` is the checkpoint cosigned last, with the signatures of the log and of this
    witness alone; None before the first.
    """

    vkey: str
    note: bytes | None = None

    @property
    def checkpoint(self) -> Checkpoint | None:
        """What `note` says."""
        return None if self.note is None else checkpoint_of(self.note)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two notes signed by the log `vkey`, and the proof that came between them."""

    vkey: str
    notes: tuple[bytes, bytes]
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, and what must be durable before it is."""

    status: int
    body: bytes
    media_type: str = TEXT_TYPE
    keep: Memory | None = None
    """The new memory of this log; stored before the answer leaves."""
    origin: str | None = None
    """The log that was asked about, as far as that is known."""
    contradiction: Contradiction | None = None


class _RefusedError(Exception):
    """Carries an answer out of the checks."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def decide(
    request: bytes,
    recall: Callable[[str], Sequence[Memory]],
    keys: NodeKeys,
    now: int,
    is_replayed: Callable[[Checkpoint], bool] = lambda _checkpoint: False,
    is_alarmed: Callable[[str], bool] = lambda _vkey: False,
) -> Answer:
    """The answer to add-checkpoint at `now` (Unix seconds).

    `recall(origin)` is the log of this name that the witness knows, or one that it may
    come to know; never two that were cosigned, for a cosignature names no key.
    `is_replayed(checkpoint)`: this very tree was replayed here.  `is_alarmed(vkey)`: it
    is proven that this log lied.
    """
    try:
        asked, note, checkpoint = _parse(request)
        memory = _known(asked, checkpoint.origin, recall, keys)
        if is_alarmed(memory.vkey):
            text = f"log {checkpoint.origin} lied"
            return refuse(FORBIDDEN, text, checkpoint.origin)
        _require_old(asked, checkpoint, memory)
        _require_extends(asked, checkpoint, memory)
        return _cosign(note, checkpoint, memory, keys, now, is_replayed)
    except _RefusedError as refused:
        return refused.answer


def refuse(status: int, text: str, origin: str | None = None) -> Answer:
    """An answer of one line."""
    return Answer(status, text.encode() + b"\n", origin=origin)


def _parse(request: bytes) -> tuple[AddCheckpoint, Note, Checkpoint]:
    try:
        asked = AddCheckpoint.from_bytes(request)
        note = parse_note(asked.note)
        return asked, note, Checkpoint.from_text(note.text)
    except MalformedError as error:
        raise _RefusedError(refuse(MALFORMED, str(error))) from error


def _known(
    asked: AddCheckpoint,
    origin: str,
    recall: Callable[[str], Sequence[Memory]],
    keys: NodeKeys,
) -> Memory:
    memories = recall(origin)
    if not memories or origin in (keys.witness_name, keys.replay_name):
        raise _RefusedError(refuse(UNKNOWN, f"unknown log {origin}"))
    return _signer(asked.note, memories, origin)


def _signer(note: bytes, memories: Sequence[Memory], origin: str) -> Memory:
    """What is known of the log that signed this."""
    reason = ""
    for memory in memories:
        try:
            open_checkpoint(note, memory.vkey)
        except (BadSignatureError, MalformedError, UnsupportedError) as error:
            reason = reason or str(error)
        else:
            return memory
    raise _RefusedError(refuse(FORBIDDEN, reason, origin))


def _require_old(asked: AddCheckpoint, new: Checkpoint, memory: Memory) -> None:
    if asked.old > new.size:
        text = f"expected an old size of at most {new.size}, got {asked.old}"
        raise _RefusedError(refuse(MALFORMED, text, new.origin))
    seen = memory.checkpoint
    size = seen.size if seen else 0
    if asked.old != size:
        body = f"{size}\n".encode()
        raise _RefusedError(Answer(CONFLICT, body, SIZE_TYPE, origin=new.origin))


def _require_extends(asked: AddCheckpoint, new: Checkpoint, memory: Memory) -> None:
    old_root = memory.checkpoint.root if memory.checkpoint else EMPTY_ROOT
    try:
        verify_consistency(asked.old, new.size, old_root, new.root, asked.proof)
    except ProofError as error:
        contradiction = None
        if memory.note is not None:
            notes = memory.note, asked.note
            contradiction = Contradiction(memory.vkey, notes, asked.proof)
        body = f"{error}\n".encode()
        answer = Answer(UNPROVEN, body, origin=new.origin, contradiction=contradiction)
        raise _RefusedError(answer) from error


def _cosign(
    note: Note,
    checkpoint: Checkpoint,
    memory: Memory,
    keys: NodeKeys,
    now: int,
    is_replayed: Callable[[Checkpoint], bool],
) -> Answer:
    time = max(now, 1, last_time(memory, keys))
    lines = [cosign(note.text, keys.witness_name, keys.witness, time)]
    if is_replayed(checkpoint):
        lines.append(cosign(note.text, keys.replay_name, keys.replay, time))
    own = note.signature_by(Verifier.from_text(memory.vkey))
    assert own is not None
    kept = Note(note.text, (own, *lines)).to_bytes()
    body = b"".join(line.to_line() for line in lines)
    keep = Memory(memory.vkey, kept)
    return Answer(OK, body, keep=keep, origin=checkpoint.origin)


def last_time(memory: Memory, keys: NodeKeys) -> int:
    """Unix seconds of the last cosignature with this key for the log; 0 if none."""
    if memory.note is None:
        return 0
    note, verifier = parse_note(memory.note), Verifier.from_text(keys.witness_vkey)
    if note.signature_by(verifier) is None:
        return 0  # the key was renewed since
    return verify_cosignature(note, verifier)


# What a log does with answers


def parse_lines(body: bytes) -> tuple[NoteSignature, ...]:
    """The cosignature lines of a good answer, else MalformedError; unverified."""
    if not body.endswith(b"\n") or body.count(b"\n") > 16:
        raise MalformedError("expected 1 to 16 cosignature lines")
    return tuple(NoteSignature.from_line(line) for line in body[:-1].split(b"\n"))


def parse_size(body: bytes) -> int:
    """The size in an answer of 409, else MalformedError."""
    if not body.endswith(b"\n"):
        raise MalformedError("expected a tree size and a newline")
    return parse_decimal(body[:-1], "a tree size")


def merge(note: bytes, lines: Sequence[NoteSignature]) -> bytes:
    """The note with these lines, the most important first.

    Of one key the first counts, and any before what the note had; an id has 4 bytes, so
    a key of somebody else may look the same.  Lines for which there is no room are left
    out.
    """
    merged = parse_note(note)
    new: dict[tuple[str, bytes], NoteSignature] = {}
    for line in lines:
        new.setdefault((line.name, line.id), line)
    kept = [one for one in merged.signatures if (one.name, one.id) not in new]
    added = list(new.values())[: MAX_SIGNATURES - len(kept)]
    return Note(merged.text, (*kept, *added)).to_bytes()
