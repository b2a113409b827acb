"""The ids of statements that were refused, so that they are not fetched again.

Rule: bounded, whatever strangers send: 256 places by the last byte of the id (work
makes the first ones zero), where the oldest goes; but what is only deferred is never
forgotten, and has a bound of its own.  Another policy forgets everything.
Specification: docs/spec/admission.md, "What is refused is remembered".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from byline_ledger.admission import Reason
from byline_ledger.errors import MalformedError

PLACES = 256
MAX_IN_PLACE = 256
"""Of those that are not deferred."""
MAX_DEFERRED = 16_384
MAX_DEFERRED_OF_PEER = 1_024
NOBODY = bytes(8)

_REASONS = tuple(Reason)
_DEFERRED = 0x80
_HEAD, _RECORD = 1 + 32, 32 + 1 + 8 + 8 + 8
MAX_PLACE_BYTES = _HEAD + (MAX_IN_PLACE + MAX_DEFERRED) * _RECORD


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an id is not wanted, and until when."""

    reason: Reason
    until: int | None
    """Unix milliseconds."""
    author: bytes
    """Hint of the author (vouching.hint_of), 8 bytes."""
    peer: bytes
    """The same of the peer in whose log it was found, or NOBODY."""
    deferred: bool = False
    """It is to be had at that time for certain: not to be forgotten."""


IsVouched: TypeAlias = Callable[[bytes, bytes], bool]
"""`is_vouched(id, author's hint)`: whether it may have been vouched for since."""


class Refusals:
    """All that is remembered under one policy."""

    def __init__(self, policy: bytes) -> None:
        """`policy` is the policy's digest."""
        self.policy = policy
        self._places: list[dict[bytes, Refusal]] = [{} for _ in range(PLACES)]
        self._deferred: Counter[bytes] = Counter()
        self.changed: set[int] = set()
        """Places that are not as they were last written."""

    def __len__(self) -> int:
        return sum(map(len, self._places))

    def ids(self) -> list[bytes]:
        """All that are remembered."""
        return [one for place in self._places for one in place]

    @property
    def is_full(self) -> bool:
        """Whether something may have been forgotten."""
        return any(self._plain(place) >= MAX_IN_PLACE for place in self._places)

    def may_defer(self, peer: bytes) -> bool:
        """Whether there is room for one more deferred id of this peer."""
        return (
            self._deferred[peer] < MAX_DEFERRED_OF_PEER
            and self._deferred.total() < MAX_DEFERRED
        )

    def get(self, id_: bytes) -> Refusal | None:
        """What is remembered of an id."""
        return self._places[id_[-1]].get(id_)

    def add(self, id_: bytes, refusal: Refusal) -> None:
        """Remembers it, in the place of what was remembered of it."""
        self.forget(id_)
        place = self._places[id_[-1]]
        if refusal.deferred:
            self._deferred[refusal.peer] += 1
        elif self._plain(place) >= MAX_IN_PLACE:
            del place[next(one for one, kept in place.items() if not kept.deferred)]
        place[id_] = refusal
        self.changed.add(id_[-1])

    def forget(self, id_: bytes) -> None:
        """It is here now, or it is to be judged anew."""
        refusal = self._places[id_[-1]].pop(id_, None)
        if refusal is not None:
            self.changed.add(id_[-1])
            if refusal.deferred:
                self._deferred[refusal.peer] -= 1

    def found_in(self, id_: bytes, peer: bytes) -> None:
        """A peer's log holds it: the first such peer is asked when its time comes."""
        refusal = self.get(id_)
        if refusal is not None and refusal.peer == NOBODY:
            self._places[id_[-1]][id_] = replace(refusal, peer=peer)
            self.changed.add(id_[-1])

    def is_refused(self, id_: bytes, now: int, is_vouched: IsVouched) -> bool:
        """Whether the id is still not wanted."""
        refusal = self.get(id_)
        return refusal is not None and not _is_over(id_, refusal, now, is_vouched)

    def due(self, now: int, is_vouched: IsVouched) -> Iterator[tuple[bytes, bytes]]:
        """Ids that are wanted by now and lie in a followed log; with its peer."""
        for place in self._places:
            for id_, refusal in place.items():
                listed = refusal.peer != NOBODY
                if listed and _is_over(id_, refusal, now, is_vouched):
                    yield id_, refusal.peer

    def counts(self) -> Counter[str]:
        """How many are remembered, by reason."""
        return Counter(
            str(one.reason) for place in self._places for one in place.values()
        )

    @property
    def deferred(self) -> int:
        """How many are deferred."""
        return self._deferred.total()

    def _plain(self, place: dict[bytes, Refusal]) -> int:
        if len(place) < MAX_IN_PLACE:
            return 0
        return sum(not one.deferred for one in place.values())

    # On disk

    def place_to_bytes(self, number: int) -> bytes:
        """One of the 256 places."""
        records = [_to_record(*item) for item in self._places[number].items()]
        return b"".join((b"\x01", self.policy, *records))

    def read_place(self, number: int, data: bytes) -> None:
        """Takes in what was written; nothing of another policy.  MalformedError."""
        policy, records = parse_place(data)
        if policy == self.policy:
            for id_, refusal in records:
                if id_[-1] == number:
                    self.add(id_, refusal)
        self.changed.discard(number)


def _is_over(id_: bytes, refusal: Refusal, now: int, is_vouched: IsVouched) -> bool:
    if refusal.until is not None:
        return refusal.until <= now
    # Who is vouched for needs no work either.
    by_voucher = refusal.reason in (Reason.NOT_VOUCHED, Reason.TOO_LITTLE_WORK)
    return by_voucher and is_vouched(id_, refusal.author)


def _to_record(id_: bytes, one: Refusal) -> bytes:
    code = _REASONS.index(one.reason) + 1 + (_DEFERRED if one.deferred else 0)
    until = (one.until or 0).to_bytes(8, "big")
    return b"".join((id_, bytes([code]), until, one.author, one.peer))


def parse_place(data: bytes) -> tuple[bytes, list[tuple[bytes, Refusal]]]:
    """Policy digest and records of a place, else MalformedError."""
    if data[:1] != b"\x01" or not _HEAD <= len(data) <= MAX_PLACE_BYTES:
        raise MalformedError("refusals: expected a place of version 1")
    if (len(data) - _HEAD) % _RECORD:
        raise MalformedError("refusals: expected records of 57 bytes")
    starts = range(_HEAD, len(data), _RECORD)
    return data[1:_HEAD], [_from_record(data[at : at + _RECORD]) for at in starts]


def _from_record(data: bytes) -> tuple[bytes, Refusal]:
    code, until = data[32] & ~_DEFERRED, int.from_bytes(data[33:41], "big")
    deferred = bool(data[32] & _DEFERRED)
    if not 1 <= code <= len(_REASONS) or (deferred and not until):
        raise MalformedError(f"refusals: no reason has the number {data[32]}")
    refusal = Refusal(
        _REASONS[code - 1], until or None, data[41:49], data[49:57], deferred
    )
    return data[:32], refusal
