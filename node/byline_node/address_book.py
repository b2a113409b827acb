"""Where peers may be reached: what was heard, what was found true, whom to try next.

Rule: sans-IO and bounded.  Time and dice are passed in, nothing is dialled here.  Peers
that were met and peers only heard of are kept apart, so that hearsay never pushes out
what is known; and hearsay is counted by its source, so that a flood pushes out itself.
Specification: docs/spec/network.md, "Address book".
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from byline_ledger.peer_address import PeerAddress, Reach, ip_in, passing, reach_of_ip
from byline_ledger.peer_record import PeerRecord

MAX_MET = 256
MAX_MET_OF_NETWORK = 16
MAX_HEARD = 1_024
MAX_HEARD_OF_NETWORK = 64
MAX_HINTS = 4
MAX_FAILURES = 8
MET_LATELY = 3 * 3600.0
"""Seconds for which a peer that was reached is told to others."""
MET_AT_ALL = 7 * 24 * 3600.0
FIRST_PAUSE = 10.0
MAX_PAUSE = 3600.0
MAX_PAUSES = 2_048


class Found(StrEnum):
    """How a peer was found."""

    CONFIGURED = "configured"
    BOOTSTRAP = "bootstrap"
    EXCHANGE = "exchange"
    DHT = "dht"
    MDNS = "mdns"
    INBOUND = "inbound"


@dataclass(slots=True)
class Entry:
    """What is known of a peer."""

    peer: str
    found: Found
    source: str
    """Who told it first: a network, or more exactly where that is of no use."""
    heard: float
    """When that was, Unix seconds."""
    records: dict[Reach, PeerRecord] = field(default_factory=dict)
    hints: tuple[PeerAddress, ...] = ()
    """Addresses that it did not sign."""
    met: float = 0.0
    """When it was last reached by dialling it."""
    met_at: str = ""
    failures: int = 0
    """Dials since then that failed."""
    networks: frozenset[str] = field(default=frozenset(), init=False, compare=False)
    """What limits count it by, as of `count_networks`."""

    def addresses(self) -> list[PeerAddress]:
        """Signed ones first; each once."""
        signed = [one for record in self.records.values() for one in record.addresses]
        return list(dict.fromkeys([*signed, *self.hints]))

    def count_networks(self) -> None:
        """Anew: that where it was reached, else all that it claims to be in."""
        # None where it was reached by a name of the operator's.
        places = passing([self.met_at], Reach.LOOPBACK) or self.addresses()
        self.networks = frozenset(one.network for one in places)

    def is_spent(self, now: float) -> bool:
        """Whether there is no use in it any more."""
        if self.met:
            return now - self.met > MET_AT_ALL
        ends = [record.expires / 1000 for record in self.records.values()]
        if self.hints:
            ends.append(self.heard + MET_AT_ALL)
        return self.failures >= MAX_FAILURES or now >= max(ends, default=0.0)


@dataclass(slots=True)
class Pauses:
    """When an address may be dialled again, whoever claims it; and a machine in the
    world, whatever port of it is claimed: it may be somebody's victim.
    """

    _due: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def is_due(self, address: PeerAddress, now: float, *, is_met: bool) -> bool:
        """Where a peer was met, only the address's own pause counts: else strangers who
        name other ports of its machine could have it never dialled again."""
        names = (address.text,) if is_met else (address.text, address.ip)
        return all(self._due.get(name, (0.0, 0.0))[0] <= now for name in names)

    def fail(self, address: str, now: float) -> None:
        for name in paused_with(address):
            _, pause = self._due.pop(name, (0.0, FIRST_PAUSE / 2))
            pause = min(pause * 2, MAX_PAUSE)
            self._due[name] = now + pause, pause
        while len(self._due) > MAX_PAUSES:
            self._due.popitem(last=False)

    def clear(self, address: str) -> None:
        for name in paused_with(address):
            self._due.pop(name, None)

    def __len__(self) -> int:
        return len(self._due)


@dataclass(frozen=True, slots=True)
class Pick:
    """Whom to dial, and where."""

    peer: str
    address: str


class AddressBook:
    """The peers that were met, those that were heard of, and pauses of addresses."""

    def __init__(self, own: str, random: Random) -> None:
        """`own` is this node's peer id: it is never in its book."""
        self._own = own
        self._random = random
        self._met: dict[str, Entry] = {}
        self._heard: dict[str, Entry] = {}
        self.pauses = Pauses()

    def __len__(self) -> int:
        return len(self._met) + len(self._heard)

    @property
    def entries(self) -> list[Entry]:
        """All of them, those that were met first."""
        return [*self._met.values(), *self._heard.values()]

    def get(self, peer: str) -> Entry | None:
        """What is known of a peer."""
        return self._met.get(peer) or self._heard.get(peer)

    def restore(self, entry: Entry) -> None:
        """Takes in what was written down, as far as there is room."""
        if entry.peer == self._own or self.get(entry.peer):
            return
        if entry.met and len(self._met) < MAX_MET:
            self._met[entry.peer] = entry
        elif not entry.met and len(self._heard) < MAX_HEARD:
            self._heard[entry.peer] = entry
        entry.count_networks()

    # What is heard

    def hear(self, record: PeerRecord, found: Found, source: str, now: float) -> bool:
        """Takes in a record that was judged good.  Whether it told anything new."""
        entry = self._entry(record.peer_id, found, source, now)
        if entry is None:
            return False
        known = entry.records.get(record.reach)
        if known is not None and known.time >= record.time:
            return False
        entry.records[record.reach] = record
        if known is None or known.addresses != record.addresses:
            entry.failures = 0
        self._keep(entry)
        return True

    def hint(
        self,
        peer: str,
        addresses: Iterable[PeerAddress],
        found: Found,
        source: str,
        now: float,
    ) -> bool:
        """Takes in addresses that nobody signed.  Whether they told anything new."""
        entry = self._entry(peer, found, source, now)
        if entry is None:
            return False
        known = {one.text for one in entry.addresses()}
        fresh = [one for one in addresses if one.text not in known]
        hints = (*entry.hints, *fresh)[-MAX_HINTS:]
        if not fresh or not hints:
            return False
        entry.hints, entry.failures = hints, 0
        self._keep(entry)
        return True

    def _entry(self, peer: str, found: Found, source: str, now: float) -> Entry | None:
        if peer == self._own:
            return None
        return self.get(peer) or Entry(peer, found, source, now)

    def _keep(self, entry: Entry) -> None:
        """Counted again each time: a later record may name other networks."""
        entry.count_networks()
        if entry.peer in self._met:
            return
        self._heard[entry.peer] = entry
        for network in sorted(entry.networks):
            alike = _alike_in(self._heard, network)
            if len(alike) > MAX_HEARD_OF_NETWORK:
                self._push_out(alike)
        if len(self._heard) > MAX_HEARD:
            self._push_out(list(self._heard.values()))

    def _push_out(self, among: Sequence[Entry]) -> None:
        """One that came from the source with most, and failed most often."""
        mine = largest_source(among)
        worst = max(entry.failures for entry in mine)
        victims = [entry for entry in mine if entry.failures == worst]
        del self._heard[self._random.choice(victims).peer]

    # What is tried

    def succeed(
        self, peer: str, address: str, now: float, found: Found, source: str
    ) -> None:
        """The peer was dialled at this address, and proved its key there."""
        entry = self._entry(peer, found, source, now)
        if entry is None:
            return
        entry.met, entry.met_at, entry.failures = now, address, 0
        entry.count_networks()
        self.pauses.clear(address)
        self._heard.pop(peer, None)
        self._met[peer] = entry
        for network in sorted(entry.networks):
            alike = _alike_in(self._met, network)
            if len(alike) > MAX_MET_OF_NETWORK:
                self._forget_one(alike)
        if len(self._met) > MAX_MET:
            self._forget_one(list(self._met.values()))

    def _forget_one(self, among: Sequence[Entry]) -> None:
        oldest = min(largest_source(among), key=lambda entry: entry.met)
        del self._met[oldest.peer]

    def fail(self, peer: str, address: str, now: float) -> None:
        """Nobody answered at this address, or somebody else."""
        self.pauses.fail(address, now)
        entry = self.get(peer)
        if entry is not None:
            entry.failures = min(entry.failures + 1, MAX_FAILURES)
            if entry.is_spent(now):
                self.forget(peer)

    def forget(self, peer: str) -> None:
        """As if it had never been heard of."""
        self._met.pop(peer, None)
        self._heard.pop(peer, None)

    def tidy(self, now: float) -> None:
        """Forgets what is of no use any more."""
        for entry in self.entries:
            if entry.is_spent(now):
                self.forget(entry.peer)

    def pick(
        self, now: float, may: Callable[[Entry, PeerAddress], bool]
    ) -> Pick | None:
        """Whom to dial next, of those that `may` be, and where.

        Of the met and the only heard of alike, and of each source alike: neither an
        old acquaintance nor a loud newcomer is dialled all the time.
        """
        tables = [self._met, self._heard]
        self._random.shuffle(tables)
        for table in tables:
            by_source: defaultdict[str, list[Entry]] = defaultdict(list)
            for entry in table.values():
                by_source[entry.source].append(entry)
            for source in self._random.sample([*by_source], len(by_source)):
                entries = by_source[source]
                for entry in self._random.sample(entries, len(entries)):
                    due = [one for one in self._due(entry, now) if may(entry, one)]
                    if due:
                        return Pick(entry.peer, self._random.choice(due).text)
        return None

    def _due(self, entry: Entry, now: float) -> list[PeerAddress]:
        return [
            one
            for one in entry.addresses()
            if self.pauses.is_due(one, now, is_met=one.text == entry.met_at)
        ]

    def unproven(self, peer: str, now: float) -> list[str]:
        """Addresses of a peer to try, if it was not reached lately where it says."""
        entry = self.get(peer)
        if entry is None:
            return []
        is_proven = now - entry.met < MET_LATELY / 2 and _is_signed(entry)
        return [] if is_proven else [one.text for one in self._due(entry, now)]

    # What is told

    def reached(self, peer: str, now: float) -> list[str]:
        """Where this very node reached a peer lately."""
        entry = self._met.get(peer)
        return [entry.met_at] if entry and now - entry.met <= MET_LATELY else []

    def told(
        self, reach: Reach, now: float, count: int, without: Iterable[str] = ()
    ) -> list[PeerRecord]:
        """Records for a peer on a connection of this reach: reached lately, by us."""
        left_out = set(without)
        found = [
            record
            for entry in self._met.values()
            if entry.peer not in left_out and now - entry.met <= MET_LATELY
            for record in entry.records.values()
            if record.reach >= reach
            and record.is_current(int(now * 1000))
            and _names(record, entry.met_at)
        ]
        return self._random.sample(found, min(count, len(found)))


def paused_with(address: str) -> tuple[str, ...]:
    """What waits when nobody is found there: it, and in the world its whole machine."""
    ip = ip_in(address)
    return (address, ip) if reach_of_ip(ip) is Reach.PUBLIC else (address,)


def _alike_in(table: Mapping[str, Entry], network: str) -> list[Entry]:
    """Those that count to this network."""
    return [one for one in table.values() if network in one.networks]


def largest_source(entries: Iterable[Entry]) -> list[Entry]:
    """Those that came from the source with most of them."""
    entries = list(entries)
    counts = Counter(entry.source for entry in entries)
    most = max(counts, key=lambda source: counts[source])
    return [entry for entry in entries if entry.source == most]


def _names(record: PeerRecord, address: str) -> bool:
    return any(one.text == address for one in record.addresses)


def _is_signed(entry: Entry) -> bool:
    return any(_names(record, entry.met_at) for record in entry.records.values())
