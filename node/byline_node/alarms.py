"""Alarms: proof that a log lied, kept for ever and told to everybody who follows it.

Rule: an alarm is believed for what it proves and nothing else, so it may come from
anybody; and only alarms about logs that this node knows are kept.  Those about its own
log, and about logs that its operator names, have places of their own; of others it
keeps one each: nobody can fill a disk, or the places of others, with proofs against
logs of their own making.  A log that an alarm is about is not cosigned again by
this node.  Specification: docs/spec/alarm.md.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import trio

from byline_ledger.alarm import MAX_ALARM, Alarm, alarm_of_notes
from byline_ledger.errors import BylineError
from byline_ledger.store.durable import make_folder, read_small, write_durably
from byline_node.mistakes import note_mistake

SUFFIX = ".alarm"
MAX_PER_LOG = 4
"""Alarms kept of a log that the operator names, or of our own."""
MAX_EACH = 512
"""Alarms about all such logs together, and about all others; of those one each is
enough to convict them."""
EACH_BYTES = 256 << 20
MAX_ALARMS = 2 * MAX_EACH
LOOK_SECONDS = 60.0
"""Between two looks for what commands have proven."""

log = structlog.get_logger("byline.alarms")


@dataclass(frozen=True, slots=True)
class KnownAlarm:
    """An alarm that was verified, and the file it is kept in."""

    id: bytes
    """SHA-256 of the file's bytes."""
    origin: str
    vkey: str
    kind: str
    text: str
    path: Path
    size: int

    def to_json(self) -> dict[str, Any]:
        """For `/v1/status`."""
        return {
            "origin": self.origin,
            "vkey": self.vkey,
            "kind": self.kind,
            "text": self.text,
            "file": self.path.name,
        }


class Alarms:
    """The alarms in one folder; from any thread."""

    def __init__(
        self,
        folder: Path,
        is_known: Callable[[str], bool],
        is_named: Callable[[str], bool] = lambda _vkey: False,
    ) -> None:
        """`is_known(vkey)`: whether this node follows or witnesses that log;
        `is_named(vkey)`: whether it is our own, or one that the operator names."""
        self._folder = folder
        self._is_known = is_known
        self._is_named = is_named
        self._was_full = False
        self._alarms: Mapping[bytes, KnownAlarm] = {}
        """Replaced as a whole: it is read in other threads meanwhile."""
        self._listeners: list[Callable[[KnownAlarm], None]] = []
        self._adding = threading.Lock()
        self._load()

    @property
    def all(self) -> tuple[KnownAlarm, ...]:
        """What is kept, the oldest first."""
        return tuple(self._alarms.values())

    def listen(
        self, listener: Callable[[KnownAlarm], None], *, kept: bool = False
    ) -> None:
        """Calls `listener` for each alarm that is new here, and now for those that are
        `kept` from before; it must not block."""
        self._listeners.append(listener)
        for alarm in self.all if kept else ():
            listener(alarm)

    def is_alarmed(self, vkey: str) -> bool:
        """Whether the log with this key is known to have lied."""
        return any(one.vkey == vkey for one in self._alarms.values())

    def has(self, id_: bytes) -> bool:
        """Whether the alarm of this id is kept."""
        return id_ in self._alarms

    def has_place(self, vkey: str, size: int) -> bool:
        """Whether another alarm about this log, of so many bytes, would be kept."""
        is_named = self._is_named(vkey)
        if not is_named and not self._is_known(vkey):
            return False
        kept = tuple(self._alarms.values())
        same = sum(one.vkey == vkey for one in kept)
        if same >= (MAX_PER_LOG if is_named else 1):
            return False
        # A peer of our own may show one log after the other: those are bounded as well.
        sizes = [one.size for one in kept if self._is_named(one.vkey) == is_named]
        has_place = len(sizes) < MAX_EACH and sum(sizes) + size <= EACH_BYTES
        if not has_place and not self._was_full:
            self._was_full = True
            log.warning("no room for more alarms", kept=len(sizes), vkey=vkey)
        return has_place

    def read(self, id_: bytes) -> bytes | None:
        """The file; None if there is none of this id."""
        known = self._alarms.get(id_)
        return None if known is None else read_small(known.path, MAX_ALARM)

    def add(self, data: bytes, source: str) -> KnownAlarm | None:
        """Keeps an alarm if it is new and about a log that is known here.

        Raises MalformedError or VerificationError for one that proves nothing, and
        StoreError; `source` is whom it came from.
        """
        id_ = hashlib.sha256(data).digest()
        if id_ in self._alarms:
            return None
        alarm = Alarm.from_bytes(data)
        if not self.has_place(alarm.vkey, len(data)):
            return None  # it could take a second to verify
        finding = alarm.verify()
        make_folder(self._folder)
        path = self._folder / (id_.hex() + SUFFIX)
        write_durably(path, data)
        known = KnownAlarm(
            id_,
            finding.origin,
            finding.vkey,
            finding.kind,
            finding.text,
            path,
            len(data),
        )
        with self._adding:
            if id_ in self._alarms or not self.has_place(known.vkey, known.size):
                return None
            self._alarms = {**self._alarms, id_: known}
        log.error(
            "a log lied",
            origin=known.origin,
            kind=known.kind,
            text=known.text,
            source=source,
            file=str(path),
        )
        for listener in self._listeners:
            listener(known)
        return known

    def accuse(self, data: bytes, source: str) -> None:
        """The same, of what this node found itself: that it was wrong is logged."""
        try:
            self.add(data, source)
        except BylineError as error:
            log.warning("no alarm", source=source, reason=str(error))

    async def heed(self, folder: Path) -> None:
        """Keeps what commands prove on this machine, until cancelled.

        Each minute, for others may come, and logs are followed that were not before.
        """
        while True:
            try:
                await trio.to_thread.run_sync(self.take_from, folder)
            except Exception as error:  # noqa: BLE001
                note_mistake(error, "considering alarms", str(folder))
            await trio.sleep(LOOK_SECONDS)

    def take_from(self, folder: Path) -> None:
        """Adds the alarms in a folder, as those of anybody."""
        names = {id_.hex() for id_ in self._alarms}
        for path in sorted(folder.glob("*" + SUFFIX))[:MAX_ALARMS]:
            if path.stem in names:
                continue  # each file has the name of its bytes
            try:
                self.add(read_small(path, MAX_ALARM) or b"", "a command here")
            except BylineError as error:
                log.debug("alarm not kept", file=str(path), reason=str(error))

    def contradict(
        self, vkey: str, notes: tuple[bytes, bytes], proof: Sequence[bytes], source: str
    ) -> None:
        """Two notes of a log that cannot both be true: an alarm, if others can be
        shown."""
        try:
            alarm = alarm_of_notes(vkey, notes, proof)
            if alarm is not None:
                self.add(alarm.to_bytes(), source)
        except BylineError as error:
            log.warning("no alarm of two notes", source=source, reason=str(error))

    def _load(self) -> None:
        loaded: dict[bytes, KnownAlarm] = {}
        for path in sorted(self._folder.glob("*" + SUFFIX))[:MAX_ALARMS]:
            try:
                data = read_small(path, MAX_ALARM) or b""
                finding = Alarm.from_bytes(data).verify()
            except BylineError as error:
                log.warning("not an alarm", file=str(path), reason=str(error))
                continue
            id_ = hashlib.sha256(data).digest()
            loaded[id_] = KnownAlarm(
                id_,
                finding.origin,
                finding.vkey,
                finding.kind,
                finding.text,
                path,
                len(data),
            )
        self._alarms = loaded
