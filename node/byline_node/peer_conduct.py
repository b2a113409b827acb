"""What comes of a peer's fault: points, one log line, and in the end the door.

Rule: one line for each kind of fault of a peer and minute, however often it happens;
the rest is counted.  Strangers that never got as far as a peer id are counted together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

import structlog
import trio

from byline_node.peer_score import Fault, PeerScores

QUIET_SECONDS = 60.0
MAX_SAID = 1_024
MAX_LINES = 60
"""In a minute, of all subjects together."""
STRANGERS = "strangers"

log = structlog.get_logger("byline.peers")


class Conduct:
    """Charges peers; `drop` is called with each that is refused from now on."""

    def __init__(self, own: Iterable[str], drop: Callable[[str], None]) -> None:
        self._own = frozenset(own)
        self._scores = PeerScores(self._own)
        self._drop = drop
        self._lines = _QuietLines()

    def charge(self, peer: str, fault: Fault, reason: str) -> None:
        """Counts a fault of a peer; on the event loop."""
        now = trio.current_time()
        self._lines.say("peer misbehaves", peer, fault.text, reason)
        if self._scores.charge(peer, fault, now):
            seconds = round(self._scores.refused_for(peer, now))
            log.warning("peer refused", peer=peer, seconds=seconds, last=reason)
            self._drop(peer)

    def turn_away(self, address: str, reason: str) -> None:
        """A connection that ended before it was known whose it is."""
        self._lines.say("stranger turned away", STRANGERS, address, reason)

    def tell(self, event: str, peer: str, **more: str) -> None:
        """An everyday line; of strangers so many in a minute, and no more."""
        if self.may_tell(peer):
            log.info(event, peer=peer, **more)

    def may_tell(self, peer: str) -> bool:
        """Whether there is room for one more line about this peer."""
        return peer in self._own or self._lines.has_room()

    def refused_for(self, peer: str) -> float:
        """Seconds for which a peer is refused; 0 if it is welcome."""
        return self._scores.refused_for(peer, trio.current_time())

    def why_refused(self, peer: str) -> str | None:
        """The last fault of a peer that is refused now."""
        fault = self._scores.last_fault(peer)
        return fault.text if fault and self.refused_for(peer) else None

    def score(self, peer: str) -> int:
        """0 for a peer that never did wrong, less for others."""
        return self._scores.score(peer, trio.current_time())


class _QuietLines:
    """Log lines that come once a minute for each subject, with a count."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], tuple[float, int]] = {}
        self._minute = -QUIET_SECONDS
        self._lines = 0

    def say(self, event: str, who: str, what: str, reason: str) -> None:
        key = (who, what if who != STRANGERS else "")
        now = trio.current_time()
        at, since = self._said.get(key, (-inf, 0))
        if now - at < QUIET_SECONDS or not self.has_room():
            if key in self._said:
                self._said[key] = (at, since + 1)
            return
        if key not in self._said and len(self._said) >= MAX_SAID:
            self._said.clear()
        self._said[key] = (now, 0)
        more = {"times": since + 1} if since else {}
        log.warning(event, who=who, what=what, reason=reason, **more)

    def has_room(self) -> bool:
        """Whether one more line may be written: strangers have a new name each time."""
        now = trio.current_time()
        if now - self._minute >= QUIET_SECONDS:
            self._minute, self._lines = now, 0
        self._lines += 1
        return self._lines <= MAX_LINES
