"""The index of fingerprints beside the store: which statements may be alike.

Rule: it holds what the log's statements say and nothing else, so it may be lost: a
missing, damaged or foreign one is made anew from the log.  It covers the log up to
`size` entries, and is brought up to the newest tree before each search and some time
after commits.  What was taken down leaves it.  A search ends with its time, and says up
to where it came.  Specification: docs/spec/similar.md, "The index".
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byline_ledger.content import read_work
from byline_ledger.entry import StatementEntry, parse_entry
from byline_ledger.errors import (
    BylineError,
    CorruptStoreError,
    StoreError,
    UsageError,
)
from byline_ledger.fingerprint_codes import Codes, codes_of
from byline_ledger.likeness import (
    NEAR_CHUNK,
    NEAR_DATA,
    NEAR_IMAGE,
    NEAR_TEXT,
    Question,
)
from byline_ledger.likeness_messages import MAX_CANDIDATES, Candidates
from byline_ledger.statement import Statement
from byline_ledger.store.durable import make_folder
from byline_ledger.windows import PARTS

if TYPE_CHECKING:
    from byline_ledger.log import LogView
    from byline_node.code_file import CodeFile, Hit, Wanted

FORMAT = "byline-similar/1"
FOLDER = "similar"
STATE = "state.json"
MAX_STATE = 4_096
STEP = 8_192
"""Log entries between two states that are written: what a stop may lose."""
KEPT = 2 * MAX_CANDIDATES
"""Statements that a search remembers: of some that it finds nothing is left."""
TO_THE_END = float("inf")
WORDS = {"images": 1, "texts": 4, "chunks": 1, "bytes": 4}
"""The files, and the 64-bit words of the codes in them."""
SLOT_BITS = 8
"""Of what an image's code is of, behind its statement's index: 0 for the whole, else 1
and the number of a part."""
MARK = b"fingerprints"
"""What the bytes of a statement have that has any."""

NEAR = {
    "images": (64, NEAR_IMAGE),
    "texts": (256, NEAR_TEXT),
    "chunks": (64, NEAR_CHUNK),
    "bytes": (256, NEAR_DATA),
}
"""The bits of a file's codes, and in how many of them two may differ."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A statement that may be about something alike, and by how much, as a share of the
    bits compared, before anybody looked closer."""

    index: int
    share: float


class Nearest:
    """The nearest statements so far; of any number, few are remembered."""

    def __init__(self) -> None:
        self._least: dict[int, float] = {}

    def take(self, hits: Iterable[Hit], bits: int) -> None:
        """Hits among codes of so many bits."""
        for one in hits:
            share = one.distance / bits
            if share < self._least.get(one.of, 1.0):
                self._least[one.of] = share
        if len(self._least) > 2 * KEPT:
            self._least = {one.index: one.share for one in self.best(KEPT)}

    def best(self, most: int) -> list[Candidate]:
        """The nearest first; of those as near, the earliest in the log."""
        rows = (Candidate(index, share) for index, share in self._least.items())
        return sorted(rows, key=lambda one: (one.share, one.index))[:most]


class SimilarIndex:
    """The index in a node's folder; for any number of threads, which take turns."""

    def __init__(self, node: Path) -> None:
        """UsageError where the extra is not installed."""
        from byline_node.code_file import CodeFile

        self._folder = node / FOLDER
        self._files: dict[str, CodeFile] = {
            name: CodeFile(self._folder / name, words) for name, words in WORDS.items()
        }
        self._turn = threading.Lock()
        self._state: dict[str, Any] | None = None
        self._gone = 0
        self.rebuilt: str | None = None
        """Why it was made anew, if it was."""

    @property
    def size(self) -> int:
        """Log entries that it covers."""
        return int(self._state["size"]) if self._state else 0

    def catch_up(self, view: LogView, progress: Progress | None = None) -> None:
        """Brings it up to the tree of a view; a damaged one is made anew first.

        `progress` is told entries done and in all.  StoreError.
        """
        self.take_out(view)
        while self.step(view):  # a turn each: a takedown waits for none but one
            if progress is not None:
                progress(self.size, view.size)

    def step(self, view: LogView) -> bool:
        """Reads some entries more; whether there were any."""
        with self._turn:
            if self._state is None:
                self._open(view)
            is_behind = self.size < view.size
            if is_behind:
                self._add(view, min(view.size, self.size + STEP))
            return is_behind

    def take_out(self, view: LogView) -> None:
        """Overwrites what was taken down, and does no more.  StoreError."""
        with self._turn:
            if self._state is None:
                self._open(view)
            self._take_out(view)

    def search(
        self, view: LogView, asked: Question, seconds: float = TO_THE_END
    ) -> Candidates:
        """The statements that may be alike, nearest first, of the entries that could be
        searched in that time; half of it may go into what is not in the index yet.
        StoreError."""
        start = time.monotonic()
        self.take_out(view)
        while time.monotonic() < start + seconds / 2 and self.step(view):
            pass
        with self._turn:
            try:
                found, searched = self._scan(asked, start + seconds)
            except CorruptStoreError as error:
                self._state = None
                raise StoreError(f"{error}: it is made anew, ask again") from None
        statements: list[bytes] = []
        for one in found:
            data = envelope_at(view, one.index)
            if data is not None:
                statements.append(data)
            if len(statements) == MAX_CANDIDATES:
                break
        return Candidates(tuple(statements), searched, view.size)

    # The state

    def _open(self, view: LogView) -> None:
        make_folder(self._folder)
        state = self._read_state()
        if state is not None:
            self.rebuilt = self._misfit(state, view)
            if self.rebuilt is None:
                self._state = state
                return
        elif any(self._folder.iterdir()):
            self.rebuilt = "it was damaged"
        for file in self._files.values():
            file.clear()
        self._state = {"size": 0}
        self._gone = 0

    def _read_state(self) -> dict[str, Any] | None:
        """What is on disk, set into the files; None if it is not sound."""
        try:
            data = (self._folder / STATE).read_bytes()
            state = json.loads(data[:MAX_STATE])
            for name, file in self._files.items():
                count, crc = state["files"][name]
                file.count, file.crc = int(count), int(crc)
            fits = state["format"] == FORMAT and type(state["size"]) is int
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return state if fits else None

    def _misfit(self, state: dict[str, Any], view: LogView) -> str | None:
        size = state["size"]
        if state.get("vkey") != view.vkey or size > view.size:
            return "it was that of another log"
        if size and state.get("last") != last_entry(view, size):
            return "it was that of another log"
        if not all(file.is_sound() for file in self._files.values()):
            return "it was damaged"
        return None

    def _keep(self, view: LogView, size: int) -> None:
        self._state = {
            "format": FORMAT,
            "vkey": view.vkey,
            "size": size,
            "last": last_entry(view, size),
            "files": {name: [f.count, f.crc] for name, f in self._files.items()},
        }
        path = self._folder / STATE
        aside = path.with_suffix(".new")
        try:
            aside.write_text(json.dumps(self._state))
            aside.replace(path)
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror or error}") from None

    # The records

    def _add(self, view: LogView, end: int) -> None:
        """The statements from where it ends to before `end`."""
        found: dict[str, list[tuple[bytes, int]]] = {name: [] for name in WORDS}
        for index, data in view.envelopes(self.size, end):
            if MARK in data:
                for name, code, of in records_of(codes_in(data), index):
                    found[name].append((code, of))
        for name, file in self._files.items():
            file.append(found[name])
        self._keep(view, end)

    def _take_out(self, view: LogView) -> None:
        """What was taken down since it was put in."""
        gone = list(view.taken_down(0, self.size))
        if len(gone) == self._gone:
            return
        erased = sum(
            file.erase(gone, SLOT_BITS if name == "images" else 0)
            for name, file in self._files.items()
        )
        self._gone = len(gone)
        if erased:
            self._keep(view, self.size)

    def _scan(self, asked: Question, end: float) -> tuple[list[Candidate], int]:
        """The nearest, and how many entries were searched until `end` of the clock: all
        files side by side, a block of the one that lags behind at a time."""
        wanted = wanted_by(asked)
        scans = {
            name: self._files[name].scan(
                wanted[name], limit, SLOT_BITS if name == "images" else 0, KEPT
            )
            for name, (_, limit) in NEAR.items()
            if wanted[name]
        }
        searched = dict.fromkeys(scans, 0)
        nearest = Nearest()
        while searched:
            name = min(searched, key=lambda one: searched[one])
            step = next(scans[name], None)
            if step is None:
                del searched[name]
                continue
            searched[name], hits = step
            nearest.take(hits, NEAR[name][0])
            if time.monotonic() >= end:
                break
        return nearest.best(KEPT), min(searched.values(), default=self.size)


def forget_taken_down(
    node: Path, view: LogView, opened: Callable[[], SimilarIndex] | None = None
) -> None:
    """Overwrites the codes of what was taken down in the index of a node, if it has
    one; `opened` gives it where it is open.  Without the extra, which would make it
    anew, the index goes.  StoreError."""
    folder = node / FOLDER
    if not folder.exists():
        return
    try:
        (opened() if opened is not None else SimilarIndex(node)).take_out(view)
    except UsageError:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror or error}") from None


def wanted_by(asked: Question) -> dict[str, list[Wanted]]:
    """What is looked for in each file; nothing where nothing is asked of it."""
    from byline_node.code_file import Wanted

    parts = [word_bytes(one) for row in asked.parts for one in row if one]
    found = {
        "images": [
            Wanted([code[:8] for code in asked.turned]),
            Wanted(parts, ((1 << SLOT_BITS) - 1, 0)),  # against whole images
        ],
        "texts": [Wanted(some(asked.text))],
        "chunks": [Wanted([word_bytes(one) for one in asked.chunks])],
        "bytes": [Wanted(some(asked.data))],
    }
    return {name: [one for one in rows if one.codes] for name, rows in found.items()}


def records_of(codes: Codes, index: int) -> Iterable[tuple[str, bytes, int]]:
    """(file, code, what it is of) for each code of a statement."""
    if codes.image:
        yield "images", codes.image[:8], index << SLOT_BITS
        for slot, word in enumerate(codes.windows[: len(PARTS)], 1):
            if word:
                yield "images", word_bytes(word), index << SLOT_BITS | slot
    if codes.text:
        yield "texts", codes.text, index
    for word in codes.chunks:
        yield "chunks", word_bytes(word), index
    if codes.data:
        yield "bytes", codes.data, index


def codes_in(envelope: bytes) -> Codes:
    """The codes of a stored statement; none of what is no work."""
    statement = Statement.from_envelope(envelope)
    if statement.type != "work":
        return Codes()
    fingerprints = read_work(statement).fingerprints
    return Codes() if fingerprints is None else codes_of(fingerprints)


def envelope_at(view: LogView, index: int) -> bytes | None:
    """The statement at a leaf, as bytes; None if it was taken down or lost."""
    entry = parse_entry(view.entry(index))
    if isinstance(entry, StatementEntry):
        with suppress(BylineError):
            return view.envelope(entry.id)
    return None


def last_entry(view: LogView, size: int) -> str:
    """What tells a tree of so many entries from those of other logs."""
    return sha256(view.entry(size - 1)).hexdigest()


def word_bytes(word: int) -> bytes:
    """64 bits as bytes."""
    return word.to_bytes(8, "big")


def some(code: bytes) -> list[bytes]:
    """The code, if there is one."""
    return [code] if code else []
