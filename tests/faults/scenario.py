"""The life of a ledger that faults are tried on, and what must be true after each.

A scenario runs in a child process: it makes a node, commits, keeps records, closes,
opens again and commits once more, and says at once what it lets out: receipts and
checkpoints.  `judge` looks at the folder that is left.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from byline_ledger.check import check_ledger
from byline_ledger.checkpoint import checkpoint_of, open_checkpoint
from byline_ledger.commit import LogState
from byline_ledger.cosignature import cosign
from byline_ledger.crypto import SigningKey
from byline_ledger.errors import BylineError, NotFoundError
from byline_ledger.ledger import Ledger
from byline_ledger.merkle import root_from
from byline_ledger.note import parse_note
from byline_ledger.statement import Statement
from byline_ledger.store import leveldb
from byline_ledger.store.interface import Pair

WITNESS = SigningKey.from_seed(b"w" * 32)
Say = Callable[[str], None]
"""Lets a line out of the process; it cannot be taken back."""


@dataclass(slots=True)
class Told:
    """Everything that was ever let out of a log's processes."""

    receipts: dict[bytes, int] = field(default_factory=dict)
    notes: list[bytes] = field(default_factory=list)

    def hear(self, lines: Sequence[str]) -> None:
        for line in lines:
            kind, _, rest = line.partition(" ")
            if kind == "R":
                name, _, index = rest.partition(" ")
                self.receipts[bytes.fromhex(name)] = int(index)
            elif kind == "N":
                self.notes.append(base64.b64decode(rest))


def append(ledger: Ledger, statements: Sequence[Statement], say: Say) -> None:
    for place in ledger.append(statements):
        say(f"R {place.id.hex()} {place.index}")
    say(f"N {base64.b64encode(ledger.view.checkpoint).decode()}")


def cosigned(ledger: Ledger) -> bytes:
    """The newest checkpoint with a witness's line."""
    note = parse_note(ledger.view.checkpoint)
    line = cosign(note.text, "witness.example/w", WITNESS, 1_790_000_000)
    return note.with_signature(line).to_bytes()


def live(folder: Path, works: Sequence[Statement], say: Say) -> None:
    """The scenario; whatever stops it, it closes the ledger as the node does."""
    ledger = Ledger.init(folder)
    try:
        say(f"N {base64.b64encode(ledger.view.checkpoint).decode()}")
        append(ledger, works[:3], say)
        ledger.put_record(b"cursor", b"x" * 200)
        ledger.keep_cosigned(cosigned(ledger))
        append(ledger, works[3:4], say)
        append(ledger, works[4:320], say)
    finally:
        close(ledger)
    ledger = Ledger.open(folder)
    try:
        append(ledger, works[320:323], say)
    finally:
        close(ledger)


def close(ledger: Ledger) -> None:
    with suppress(BylineError):
        ledger.close()


# Planted faults: what the harness must find


def plant(mutant: str, say: Say) -> None:
    """Changes this process's program for the worse."""
    if mutant == "nosync":
        leveldb.LevelStore.write = write_unsynced  # type: ignore[method-assign]
    elif mutant == "early":
        plant_early(say)
    elif mutant:
        raise SystemExit(f"no mutant is called {mutant}: nosync, early")


def write_unsynced(
    store: leveldb.LevelStore, puts: Sequence[Pair], deletes: Sequence[bytes] = ()
) -> None:
    """As LevelStore.write, but that nothing is synced."""
    with store._gate:
        batch = store._source.write_batch(sync=False)
        for key, value in puts:
            batch.put(key, value)
        for key in deletes:
            batch.delete(key)
        batch.write()


def plant_early(say: Say) -> None:
    """The new view, and with it the checkpoint, is let out before it is on disk."""
    from byline_ledger import ledger as module

    prepare = module.prepare_commit

    def prepare_and_tell(
        old: LogState, statements: Sequence[Statement], *rest: object
    ) -> tuple[LogState, list[Pair]]:
        state, puts = prepare(old, statements, *rest)  # type: ignore[arg-type]
        say(f"N {base64.b64encode(state.checkpoint).decode()}")
        for index, one in enumerate(statements, old.size):
            say(f"R {one.id.hex()} {index}")
        return state, puts

    module.prepare_commit = prepare_and_tell


# Judging what is left


@dataclass(slots=True)
class Verdict:
    """`lost` and `forks` are lines that say what; `refused` why it cannot go on."""

    lost: list[str] = field(default_factory=list)
    forks: list[str] = field(default_factory=list)
    refused: str = ""


def judge(folder: Path, told: Told, more: Sequence[Statement]) -> Verdict:
    """Opens what is left, compares, goes on with `more` statements, and looks again."""
    verdict = Verdict()
    try:
        report = check_ledger(folder)
        if report.problem is not None:
            verdict.lost.append(f"check: {report.problem}")
        ledger = Ledger.open(folder)
    except NotFoundError as error:
        # There is no node: it was never finished, so nothing can have been let out.
        verdict.refused = str(error)
        if told.receipts or told.notes:
            verdict.lost.append(f"everything: {error}")
        return verdict
    except BylineError as error:
        verdict.lost.append(f"cannot be opened: {error}")
        return verdict
    try:
        compare(ledger, told, verdict)
        if ledger.read_only is not None:
            verdict.refused = ledger.read_only
        else:
            heard: list[str] = []
            append(ledger, more, heard.append)
            told.hear(heard)
            compare(ledger, told, verdict)
    except BylineError as error:
        verdict.lost.append(f"cannot go on: {error}")
    finally:
        close(ledger)
    return verdict


def compare(ledger: Ledger, told: Told, verdict: Verdict) -> None:
    """Each receipt is true, and each checkpoint is of an earlier state of this log."""
    view = ledger.view
    for id_, index in told.receipts.items():
        if view.index_of(id_) != index or view.statement(id_) is None:
            verdict.lost.append(f"receipt for {id_.hex()[:16]} at {index}")
    roots: dict[int, bytes] = {}
    for note in told.notes:
        seen = open_checkpoint(note, view.vkey)
        if roots.setdefault(seen.size, seen.root) != seen.root:
            verdict.forks.append(f"two trees of {seen.size} entries were let out")
        elif seen.size > view.size:
            verdict.lost.append(f"a checkpoint of {seen.size}, of {view.size} entries")
        elif root_from(seen.size, view.node) != seen.root:
            verdict.forks.append(f"another tree of {seen.size} entries was let out")


def sizes(told: Told) -> list[int]:
    return [checkpoint_of(note).size for note in told.notes]


def say_to(descriptor: int) -> Say:
    """Lines go out by one system call each."""

    def say(line: str) -> None:
        os.write(descriptor, line.encode() + b"\n")

    return say
