"""The node's admission: what all statements pass that come into the log.

Rule: `byline_ledger.admission` decides; this file gives it a clock, what the log says,
and a memory of what was refused.  An API request is taken whole or not at all; of
gossip and of followed logs, what is refused is left out and remembered.
Specification: docs/spec/admission.md.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from byline_ledger.admission import (
    ADMITTED,
    AdmissionState,
    Admitted,
    Arrival,
    Held,
    Reason,
    Refused,
    Source,
    Trial,
    Verdict,
    decide,
    explain,
)
from byline_ledger.admission_policy import DAY, AdmissionPolicy
from byline_ledger.errors import BylineError, MalformedError
from byline_ledger.refusals import NOBODY, PLACES, Refusal, Refusals
from byline_ledger.statement import Statement
from byline_ledger.vouching import Vouching, hint_of
from byline_node.log_facts import LogFacts
from byline_node.refusing import refused_error

if TYPE_CHECKING:
    from byline_ledger.log import LogView

REREAD_MS = 600_000
"""Between two readings of all logs for the sake of newly vouched keys."""
_RECORD = b"admission/refused/%d"

Clock: TypeAlias = Callable[[], int]


class Records(Protocol):
    """What admission needs of the ledger."""

    @property
    def view(self) -> LogView: ...
    def get_record(self, name: bytes, /) -> bytes | None: ...
    def put_records(self, records: Mapping[bytes, bytes], /) -> None: ...


def wall_clock() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Admission:
    """The policy, and all that decisions depend on.  For any thread."""

    def __init__(
        self, ledger: Records, policy: AdmissionPolicy, clock: Clock = wall_clock
    ) -> None:
        """`load` must be called before anything is decided."""
        self._ledger = ledger
        self._clock = clock
        self._lock = threading.RLock()
        self._facts = LogFacts(lambda: ledger.view)
        self._state = AdmissionState(self._is_vouched, self._held)
        self._news: deque[Statement] = deque()
        self._on_its_way: set[bytes] = set()
        self._reread_at = 0
        self.rereads = 0
        """Grows whenever all logs must be read again under the same policy."""
        self.refused: Counter[tuple[str, str]] = Counter()
        """Source and reason of what was refused since the start."""
        self._use(policy)

    def load(self) -> None:
        """Reads what was remembered, and who is vouched for; may take a while."""
        with self._lock:
            self._learn_vouchers()
            for place in range(PLACES):
                data = self._ledger.get_record(_RECORD % place)
                try:
                    self._refusals.read_place(place, data or b"")
                except MalformedError:
                    continue  # none, or of another version: then it is fetched again
            # A crash may have come between taking one and writing that down.
            for one in self._here(self._refusals.ids()):
                self._refusals.forget(one)
            # What was vouched for while nobody looked may have been forgotten.
            self.rereads = int(self._refusals.is_full and bool(self.policy.vouchers))

    def _use(self, policy: AdmissionPolicy) -> None:
        self.policy = policy
        self.digest = policy.digest
        self._refusals = Refusals(self.digest)
        self._vouching = Vouching(policy.vouchers, self._facts)
        self._facts.forget()
        self._news_read = 0

    def _learn_vouchers(self) -> None:
        for voucher in self.policy.vouchers:
            self._vouching.learn(self._facts.said_by(voucher))
        self._news_read = self._vouching.news

    def change(self, policy: AdmissionPolicy) -> bool:
        """Goes by another policy from now on; whether it is another."""
        with self._lock:
            if policy.digest == self.digest:
                return False
            self._use(policy)
            self._learn_vouchers()
            return True

    # Decisions

    def take(self, arrivals: Sequence[Arrival]) -> tuple[list[Statement], bool]:
        """What is admitted, in order; and whether something was neither admitted nor
        could be remembered.  RefusedError for the API, where one is refused.

        `end` is to be called once what is admitted was appended, or was not.
        """
        with self._lock:
            self._catch_up()
            now = self._clock()
            trial = Trial(self._state, now)
            here = self._here([one.statement.id for one in arrivals])
            verdicts = [
                ADMITTED if one.statement.id in here else self._decide(one, trial, now)
                for one in arrivals
            ]
            self._require_all(arrivals, verdicts, now)
            for author, more in trial.settle().items():
                self._facts.add(author, more)
            admitted, is_full = [], False
            for arrival, verdict in zip(arrivals, verdicts, strict=True):
                if isinstance(verdict, Admitted):
                    self._refusals.forget(arrival.statement.id)
                    self._on_its_way.add(arrival.statement.id)
                    admitted.append(arrival.statement)
                else:
                    is_full |= not self._remember(arrival, verdict, now)
            return admitted, is_full

    def end(self, statements: Sequence[Statement], *, appended: bool = True) -> None:
        """They are in the log now, or will not be."""
        with self._lock:
            self._on_its_way.difference_update(one.id for one in statements)
            if not appended:
                self._facts.forget()

    def _here(self, ids: Collection[bytes]) -> set[bytes]:
        """Those that are in the log, or about to be: gossip and follow often bring the
        same at the same time."""
        return {*self._ledger.view.indexes_of(ids), *self._on_its_way.intersection(ids)}

    def _decide(self, arrival: Arrival, trial: Trial, now: int) -> Verdict:
        verdict = decide(self.policy, arrival, trial, now)
        if isinstance(verdict, Refused):
            self.refused[str(arrival.source), str(verdict.reason)] += 1
        else:
            trial.admit(self.policy, arrival)
        return verdict

    def _require_all(
        self, arrivals: Sequence[Arrival], verdicts: Sequence[Verdict], now: int
    ) -> None:
        pairs = enumerate(zip(arrivals, verdicts, strict=True), start=1)
        for number, (arrival, verdict) in pairs:
            if arrival.source == Source.API and isinstance(verdict, Refused):
                where = f"statement {number} of {len(arrivals)}: "
                raise refused_error(verdict, now, where if len(arrivals) > 1 else "")

    def _remember(self, arrival: Arrival, verdict: Refused, now: int) -> bool:
        """Whether that needs no more to be done now."""
        one, reason, until = arrival.statement, verdict.reason, verdict.until
        refusal = Refusal(reason, until, hint_of(one.author), NOBODY)
        if arrival.source != Source.FOLLOW:
            if until is None and reason.holds_everywhere:
                self._refusals.add(one.id, refusal)
            return True
        refusal = replace(refusal, peer=peer_hint(arrival.peer))
        if until is not None:
            is_rate = reason in (Reason.AUTHOR_RATE, Reason.PEER_RATE)
            if is_rate:
                until = self._book(arrival, reason, until)
            if is_rate or until - now < DAY:
                self._refusals.forget(one.id)
                if not self._refusals.may_defer(refusal.peer):
                    return False
                refusal = replace(refusal, until=until, deferred=True)
        self._refusals.add(one.id, refusal)
        return True

    def _book(self, arrival: Arrival, reason: Reason, until: int) -> int:
        """Those who wait for one bucket come one after the other, not all at once."""
        kind, key, rate = (
            ("author", arrival.statement.author, self.policy.author)
            if reason == Reason.AUTHOR_RATE
            else ("peer", arrival.peer.encode(), self.policy.peer)
        )
        assert rate is not None
        return self._state.buckets[kind].book(key, arrival.strings, until, rate)

    # What decisions depend on

    def heed(self, statements: Sequence[Statement], _source: str) -> None:
        """Told of what is new in the log (writer.Listener); never waits."""
        if self.policy.vouchers:
            self._news.extend(statements)

    def _catch_up(self) -> None:
        while self._news:
            self._vouching.learn([self._news.popleft()])
        behind = self._vouching.news != self._news_read and self._refusals.is_full
        if behind and self._clock() >= self._reread_at:
            self._news_read = self._vouching.news
            self._reread_at = self._clock() + REREAD_MS
            self.rereads += 1

    def _is_vouched(self, statement: Statement) -> bool:
        return bool(self.policy.vouchers) and self._vouching.is_vouched(statement)

    def _held(self, author: bytes) -> Held:
        return self._facts.held(author, self.policy)

    # What following asks

    def is_refused(self, statement_id: bytes, peer: str | None = None) -> bool:
        """Whether the statement is not wanted; `peer` is in whose log it was found."""
        with self._lock:
            if self._refusals.get(statement_id) is None:
                return False
            if peer is not None:
                self._refusals.found_in(statement_id, peer_hint(peer))
            vouched = self._vouching.is_vouched_hint
            return self._refusals.is_refused(statement_id, self._clock(), vouched)

    def due(self, peer: str, connected: Collection[str]) -> list[bytes]:
        """Ids that are wanted by now, to be asked of this peer."""
        with self._lock:
            self._catch_up()
            mine = peer_hint(peer)
            others = {peer_hint(one) for one in connected} - {mine}
            vouched = self._vouching.is_vouched_hint
            found = self._refusals.due(self._clock(), vouched)
            return [id_ for id_, hint in found if hint not in others]

    def is_full(self, peer: str) -> bool:
        """Whether nothing more of this peer can be deferred."""
        with self._lock:
            return not self._refusals.may_defer(peer_hint(peer))

    def save(self) -> None:
        """Makes durable what is remembered.  Raises StoreError."""
        with self._lock:
            changed = sorted(self._refusals.changed)
            places = {
                _RECORD % one: self._refusals.place_to_bytes(one) for one in changed
            }
            self._refusals.changed.clear()
        if not places:
            return
        try:
            self._ledger.put_records(places)
        except BylineError:
            with self._lock:
                self._refusals.changed.update(changed)
            raise

    # For people

    def explain(
        self, statement: Statement, source: Source, peer: str
    ) -> list[tuple[str, Refused | None]]:
        """What each rule says of a statement now; nothing is used up."""
        with self._lock:
            self._catch_up()
            arrival = Arrival(source, peer, statement)
            return list(explain(self.policy, arrival, self._state, self._clock()))

    def status(self) -> dict[str, Any]:
        """For `/v1/status`: what is remembered, and what was refused since it runs."""
        with self._lock:
            return {
                "policy": self.digest.hex(),
                "authors": self.policy.authors,
                "work_bits": self.policy.work_bits,
                "remembered": dict(self._refusals.counts()),
                "deferred": self._refusals.deferred,
                "refused": [
                    {"source": source, "reason": reason, "count": count}
                    for (source, reason), count in sorted(self.refused.items())
                ],
            }

    def describe(self, author: bytes | None = None) -> dict[str, Any]:
        """The policy for strangers, and what it asks of one author."""
        with self._lock:
            self._catch_up()
            said: dict[str, Any] = {
                name: len(value) if isinstance(value, list) else value
                for name, value in self.policy.to_settings().items()
            }
            found = {"policy": self.digest.hex(), "settings": said}
            if author is None:
                return found
            trusted = author in self.policy.trusted or self._vouching.is_vouched_hint(
                b"", hint_of(author)
            )
            bits = 0 if trusted else self.policy.work_bits
            return found | {"trusted": trusted, "work_bits": bits}


def peer_hint(peer: str) -> bytes:
    """By what a peer is found again, 8 bytes."""
    return sha256(peer.encode()).digest()[:8]
