"""Being certain that the disk holds the newest tree there was, before it is signed on.

Rule: a database and its guard file can both come back from an older disk image; only
those who cosigned can tell.  So a log that was ever cosigned is held at start.  Whom
the operator named, peers and witnesses, decide when the hold ends; strangers can
neither end it nor make it last.  Whoever shows a tree that this log signed and this
disk does not have makes it read-only for good.  Specification: docs/spec/witness.md,
"Before a log is signed again".
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import structlog
import trio

from byline_ledger import codec
from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.errors import BylineError, MalformedError, VerificationError
from byline_ledger.log import LogView
from byline_ledger.merkle import root_from
from byline_ledger.note import parse_note
from byline_node.known_witness import KnownWitness, has_signed

RECORD = b"cosigned/by"
"""Side record, a line each: the size of the last note that one of the operator's
witnesses signed, who they were, and with which key."""
MAX_RECORD = 262_144
STRANGERS_SECONDS = 20.0
"""How long a log is held that only strangers cosigned: peers that are connected come
back within 10 s, and may show that they saw more."""

UNCERTAIN = "it is not certain yet that this disk holds the newest tree"
OVERRULE = (
    "if this disk was never put back to an earlier state and they do not come back:"
    " `byline node run --trust-disk`, which gives this node's witness new keys"
)
NEW_LOG = "go on with a new log: `byline node recover --new-origin NAME`"
RECOVER = (
    "stop the node and run `byline node recover --from PLACE`, PLACE being the URL of a"
    f" peer that follows this log, or a copy of it; or {NEW_LOG}"
)
MOST_NAMED = 3
"""Of those who are waited for; the status lists them all."""

log = structlog.get_logger("byline.cosigning")


class AheadError(VerificationError):
    """Somebody saw a tree of this log that our disk does not have."""


class HeldLog(Protocol):
    """What holding needs of the ledger."""

    @property
    def view(self) -> LogView: ...
    @property
    def latest_cosigned(self) -> bytes | None: ...
    @property
    def failure(self) -> str | None: ...
    def get_record(self, name: bytes, /) -> bytes | None: ...
    def hold(self, reason: str, /) -> None: ...
    def release(self) -> None: ...


class Hold:
    """Whether this log may be signed on, as far as others know."""

    def __init__(
        self, ledger: HeldLog, is_named: Callable[[str], bool], *, trust_disk: bool
    ) -> None:
        """`is_named(peer id or URL)`: the operator's configuration names it; with
        `trust_disk` the operator answers for the disk being the newest there was."""
        self._ledger = ledger
        self._is_named = is_named
        self._past = ledger.latest_cosigned
        self._signers = _parse_signers(ledger.get_record(RECORD))
        self._started: float | None = None
        self._deciding = threading.Lock()
        """An alarm may come in any thread, while others have just agreed."""
        self.ahead: str | None = None
        """Why the log is read-only for good, if somebody saw a newer tree."""
        self.is_on = False
        self.on_end: Callable[[], None] = lambda: None
        """Called when the log may be signed again; must not block."""
        if not trust_disk and self._past is not None:
            self._begin(f"{UNCERTAIN}: {self._what_ends_it()}")

    def _begin(self, reason: str) -> None:
        self.is_on = True
        self._ledger.hold(reason)
        log.warning("the log is held", reason=reason)

    def _what_ends_it(self) -> str:
        names = sorted({name for name, _key in self._owed()})
        if not names:
            seconds = int(STRANGERS_SECONDS)
            return f"those who cosigned it may object: try again in about {seconds} s"
        more = len(names) - MOST_NAMED
        named = ", ".join(names[:MOST_NAMED]) + (
            f" and {more} more" if more > 0 else ""
        )
        needed = (len(names) + 1) // 2
        return (
            f"asking {named}, and it ends by itself once {needed} of {len(names)}"
            f" agreed; {OVERRULE}"
        )

    @property
    def is_waiting(self) -> bool:
        """Whether the hold ends when others agree, not by the operator alone."""
        return self.is_on and self.ahead is None

    @property
    def seconds(self) -> float:
        """How long others have been asked."""
        started = self._started
        return 0.0 if started is None else trio.current_time() - started

    # Who shows more than is here

    def fall_behind(self, reason: str) -> None:
        """It is certain that this disk lacks something that was signed."""
        self._end_log(f"{reason}: this disk was put back to an earlier state", RECOVER)

    def convict(self, reason: str) -> None:
        """This very log is proven to have signed a falsehood: it signs no more."""
        self._end_log(f"this log {reason}", f"no recovery undoes that: {NEW_LOG}")

    def _end_log(self, reason: str, way_out: str) -> None:
        with self._deciding:
            if self.ahead is None:
                self.ahead = reason
                self._begin(f"{reason}; {way_out}")

    def see_own(self, note: bytes) -> None:
        """A checkpoint of this log that somebody else showed, by whatever way."""
        seen = self._signed_by_us(note)
        view = self._ledger.view
        if seen is not None and not is_ours(view, seen):
            self.fall_behind(
                f"a checkpoint of {seen.size} entries signed by this very log, of which"
                f" the {view.size} on this disk are no continuation"
            )

    async def compare_latest(self, one: KnownWitness) -> None:
        """What a witness that does not cosign now had cosigned before.

        It agrees by showing its own cosignature, under no smaller tree than it signed
        for us; and only if the operator named it, for what it shows is public.
        """
        note = await one.client.latest()
        seen = self._signed_by_us(note) if note is not None else None
        if note is None or seen is None:
            return
        # Compared with the newest tree of now, not with that of before the question.
        if not is_ours(self._ledger.view, seen):
            ours = self._ledger.view.size
            other = f"has {ours}" if seen.size > ours else "has others"
            raise AheadError(
                f"{one.client.name} cosigned {seen.size} entries of this log, and this"
                f" disk {other}"
            )
        name, shown = one.client.name, parse_note(note)
        if self._is_named(name) and seen.size >= self.owed_size(name):
            signed = [key for key in one.verifiers if has_signed(shown, key)]
            one.agreed |= {key.to_text() for key in signed}

    def _signed_by_us(self, note: bytes) -> Checkpoint | None:
        try:
            return open_checkpoint(note, self._ledger.view.vkey)
        except (MalformedError, VerificationError):
            return None

    # The end of the hold

    def confirm(self, known: Sequence[KnownWitness]) -> None:
        """Ends the hold once enough of the past cosigners have agreed."""
        if not self.is_waiting:
            return
        now = trio.current_time()
        self._started = now if self._started is None else self._started
        owed = self._owed()
        agreed = {name for name, key in owed if _has_agreed(known, name, key)}
        if owed:
            is_enough = 2 * len(agreed) >= len({name for name, _key in owed})
        else:
            is_enough = now - self._started >= STRANGERS_SECONDS
        if is_enough and self._end():
            log.info("the log is confirmed", by=len(agreed))
            self.on_end()

    def _end(self) -> bool:
        """Unless somebody has shown more just now."""
        with self._deciding:
            if self.is_waiting:
                self.is_on = False
                self._ledger.release()
        return not self.is_on

    def _owed(self) -> dict[tuple[str, str], int]:
        """Whose agreement counts, with which keys, and what they signed then."""
        signers = self._signers.items()
        return {pair: size for pair, size in signers if self._is_named(pair[0])}

    def owed_size(self, name: str) -> int:
        """Entries that this witness must remember to agree: it cosigned them for us.

        0 while nothing is owed.
        """
        if not self.is_on:
            return 0
        sizes = [size for (one, _key), size in self._owed().items() if one == name]
        return max(sizes, default=0)

    def record_of(
        self, size: int, signers: Iterable[tuple[KnownWitness, str]]
    ) -> dict[bytes, bytes]:
        """The side record to be kept with a note, of so many entries, that these have
        signed; none where the operator named nobody of them.

        None while the log is held either, for then new keys would be taken for those
        that agree at the next start.
        """
        pairs = {(one.client.name, key) for one, key in signers}
        rows = [f"{size} {name} {key}" for name, key in pairs if self._is_named(name)]
        if self.is_on or not rows:
            return {}
        return {RECORD: codec.pack("\n".join(sorted(rows)))}


def is_ours(view: LogView, seen: Checkpoint) -> bool:
    """Whether a checkpoint is of the tree in hand, or of an earlier state of it."""
    return seen.size <= view.size and root_from(seen.size, view.node) == seen.root


def _has_agreed(known: Iterable[KnownWitness], name: str, key: str) -> bool:
    """With the key that it had: one with a new key may have forgotten."""
    return any(one.client.name == name and key in one.agreed for one in known)


def _parse_signers(record: bytes | None) -> dict[tuple[str, str], int]:
    if record is None:
        return {}
    try:
        text = str(codec.unpack(record, max_size=MAX_RECORD, max_depth=0, what="names"))
    except BylineError:
        return {}
    rows = (line.split(" ") for line in text.splitlines())
    good = [row for row in rows if len(row) == 3 and row[0].isdecimal()]
    return {(name, key): int(size) for size, name, key in good}
