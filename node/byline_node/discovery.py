"""Finding peers beside those that the operator named: asking, telling, dialling.

Rule: what peers say of addresses is tried, never trusted.  One dial at a time, paced
and paused by the address book; no source fills all places; whoever sends records that
are forged or not for here is charged.  Specification: docs/spec/network.md,
"Discovery"; reasons: docs/adr/0026-discovery.md.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any, Protocol

import structlog
import trio

from byline_ledger.crypto import SigningKey
from byline_ledger.errors import (
    BadSignatureError,
    BylineError,
    MalformedError,
)
from byline_ledger.peer_address import (
    PeerAddress,
    Reach,
    ip_in,
    network_of_ip,
    passing,
    reach_of_ip,
)
from byline_ledger.peer_messages import (
    MAX_PEERS,
    MAX_REQUEST,
    MAX_RESPONSE,
    PROTOCOL,
    AskPeers,
    KnownPeers,
    MisplacedRecordError,
    UntimelyRecordError,
    judge,
    parse_peers_answer,
    parse_peers_request,
)
from byline_ledger.peer_record import MAX_ADDRESSES, PeerRecord, sign_peer_record
from byline_node.address_book import AddressBook, Entry, Found
from byline_node.address_file import read_book, write_book
from byline_node.budgets import Budget
from byline_node.errors import PeerError, UnspokenError
from byline_node.peer_score import Fault
from byline_node.peers import peer_id_of
from byline_node.requests import Requests
from byline_node.streams import Link

OUTBOUND = 8
"""Connections that are dialled beside those to configured peers."""
OUTBOUND_OF_SOURCE = 4
OUTBOUND_OF_NETWORK = 2
DIAL_SECONDS = 5.0
DIAL_PAUSE = 1.0
LOOK_SECONDS = 5.0
ASK_FIRST_SECONDS = 5.0
ASK_SECONDS = 60.0
"""Between two questions to one peer while more are wanted: at first, and later on."""
ASK_SELDOM_SECONDS = 600.0
ANSWERS = 1 / 20, 6.0
"""A second, and at once, to one peer."""
SIGN_SECONDS = 3600.0
RECORD_MILLISECONDS = 12 * 3_600_000
SAVE_SECONDS = 300.0
ADDRESS_FILE = "addresses"
"""In the node's folder."""

log = structlog.get_logger("byline.peers")


class DiscoveryHost(Protocol):
    """What this file needs of the host (`host.Host`)."""

    @property
    def peer_id(self) -> str: ...
    def links(self) -> Mapping[str, Link]: ...
    def link(self, peer: str, /) -> Link | None: ...
    async def connect(self, address: str, /) -> str: ...
    async def probe(self, address: str, /) -> None: ...
    async def wait_change(self) -> None: ...


class Charger(Protocol):
    """What this file needs of peer_conduct.Conduct."""

    def charge(self, peer: str, fault: Fault, reason: str, /) -> None: ...
    def refused_for(self, peer: str, /) -> float: ...


class Announcer:
    """This node's own records: one for each reach, signed anew each hour."""

    def __init__(self, key: SigningKey, addresses: Callable[[], Iterable[str]]) -> None:
        self._key = key
        self._addresses = addresses
        self._signed: tuple[float, list[str], list[PeerRecord]] = (0.0, [], [])

    def records(self, now: float) -> list[PeerRecord]:
        """Current ones; a change of addresses shows at once."""
        signed_at, addresses, records = self._signed
        current = list(dict.fromkeys(self._addresses()))
        if not 0 <= now - signed_at < SIGN_SECONDS or current != addresses:
            records = self._sign(current, int(now * 1000))
            self._signed = now, current, records
        return records

    def _sign(self, addresses: list[str], now: int) -> list[PeerRecord]:
        parsed = passing(map(without_peer, addresses), Reach.LOOPBACK)
        return [
            sign_peer_record(self._key, texts[:MAX_ADDRESSES], now, RECORD_MILLISECONDS)
            for reach in Reach
            if (texts := [one.text for one in parsed if one.reach is reach])
        ]


def without_peer(address: str) -> str:
    """What comes before `/p2p/PEER-ID`."""
    return address.partition("/p2p/")[0]


class Discovery:
    """One node's part in it; `run` dials, `exchange` asks one peer."""

    def __init__(
        self,
        host: DiscoveryHost,
        requests: Requests,
        conduct: Charger,
        announcer: Announcer,
        file: Path | None,
        named: Mapping[str, Found],
        *,
        clock: Callable[[], float] = time.time,
        dice: Random | None = None,
    ) -> None:
        self._host = host
        self._requests = requests
        self._conduct = conduct
        self._announcer = announcer
        self._file = file
        self._named = dict(named)
        self._clock = clock
        dice = dice or random.SystemRandom()
        own = host.peer_id
        self.book = read_book(file, own, dice) if file else AddressBook(own, dice)
        """Where peers may be."""
        self._limit = Budget(*ANSWERS, trio.current_time)
        self._news = trio.Event()
        self._turns = 0
        self._probed: dict[str, int] = {}
        """Inbound peers, and the turn in which one was probed last."""
        requests.answer(PROTOCOL, MAX_REQUEST, self.answer)

    # For the DHT

    def reached(self, peer: str) -> list[str]:
        """Where a peer was reached lately."""
        return self.book.reached(peer, self._clock())

    def reach_of_peer(self, peer: str) -> Reach:
        """What a peer may be told; the least if it is not connected."""
        link = self._host.link(peer)
        return reach_on(link) if link else Reach.PUBLIC

    def own_addresses(self) -> list[str]:
        """Where this node is, as its records say."""
        records = self._announcer.records(self._clock())
        return [one.text for record in records for one in record.addresses]

    def charge(self, peer: str, fault: Fault, reason: str) -> None:
        """Counts a fault of a peer."""
        self._conduct.charge(peer, fault, reason)

    # Telling

    async def answer(self, peer: str, request: bytes) -> bytes:
        """Takes in where the peer is, and tells it whom we reached."""
        await trio.lowlevel.checkpoint()
        asked = parse_peers_request(request)
        if not self._limit.takes(peer):
            self._conduct.charge(peer, Fault.FLOOD, "asks for peers too often")
            return KnownPeers().to_bytes()
        link = self._host.link(peer)
        if link is None:
            return KnownPeers().to_bytes()
        self._take(peer, link, asked.own, owner=peer)
        told = self.book.told(reach_on(link), self._clock(), MAX_PEERS, [peer])
        return KnownPeers(
            self._own_records(link), tuple(one.to_bytes() for one in told)
        ).to_bytes()

    def _own_records(self, link: Link) -> tuple[bytes, ...]:
        records = self._announcer.records(self._clock())
        return tuple(one.to_bytes() for one in records if one.reach >= reach_on(link))

    # Asking

    async def exchange(self, peer: str) -> None:
        """Asks a connected peer again and again, until it goes or does not speak it."""
        soon = ASK_FIRST_SECONDS
        while True:
            self._note_reached(peer)
            try:
                await self._ask(peer)
            except UnspokenError:
                return
            except PeerError:
                pass  # it has gone, or is about to be found out by the ping
            except MalformedError as error:
                self._conduct.charge(peer, Fault.MALFORMED, str(error))
            pause = soon if self._wanted() > 0 else ASK_SELDOM_SECONDS
            soon = min(2 * soon, ASK_SECONDS)
            await trio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311

    async def _ask(self, peer: str) -> None:
        link = self._host.link(peer)
        if link is None:
            raise PeerError("not connected")
        request = AskPeers(self._own_records(link)).to_bytes()
        response = await self._requests.ask(peer, PROTOCOL, request, most=MAX_RESPONSE)
        said = parse_peers_answer(response)
        if self._take(peer, link, said.own, owner=peer):
            self._take(peer, link, said.peers, owner=None)
        self._note_reached(peer)

    def _take(
        self, peer: str, link: Link, records: Iterable[bytes], owner: str | None
    ) -> bool:
        """Hears what a peer sent, up to the first that is wrong, which is charged."""
        now, reach = self._clock(), reach_on(link)
        found = Found.INBOUND if owner and not link.is_outbound else Found.EXCHANGE
        source = source_of(peer, link)
        for data in records:
            try:
                record = judge(data, now=int(now * 1000), reach=reach, owner=owner)
            except UntimelyRecordError as error:
                log.debug("record left unread", peer=peer, reason=str(error))
                continue
            except MisplacedRecordError as error:
                self._conduct.charge(peer, Fault.MISPLACED, str(error))
                return False
            except BadSignatureError as error:
                self._conduct.charge(peer, Fault.LIE, str(error))
                return False
            except MalformedError as error:
                self._conduct.charge(peer, Fault.MALFORMED, str(error))
                return False
            if self.book.hear(record, found, source, now):
                self._wake()
        return True

    def hint(self, peer: str, addresses: Iterable[str], found: Found) -> None:
        """What the DHT or the local network says: signed by nobody."""
        parsed = passing(map(without_peer, addresses), Reach.LOOPBACK)
        if self.book.hint(peer, parsed, found, found.value, self._clock()):
            self._wake()

    def _note_reached(self, peer: str) -> None:
        """Whom we dialled is met, as long as the connection lasts."""
        link = self._host.link(peer)
        if link is not None and link.is_outbound and link.dialled:
            found = self._named.get(peer, Found.EXCHANGE)
            self.book.succeed(
                peer, link.dialled, self._clock(), found, source_of(peer, link)
            )

    # Dialling

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch_links)
                nursery.start_soon(self._save_often)
                await self._dial_on()
        finally:
            with trio.CancelScope(shield=True):
                await self._save()

    async def _watch_links(self) -> None:
        while True:
            await self._host.wait_change()
            self._wake()

    def _wake(self) -> None:
        self._news.set()

    async def _dial_on(self) -> None:
        while True:
            self._news = trio.Event()
            if not await self._dial_next():
                with trio.move_on_after(LOOK_SECONDS):
                    await self._news.wait()
            await trio.sleep(DIAL_PAUSE * random.uniform(0.75, 1.25))  # noqa: S311

    async def _dial_next(self) -> bool:
        """Dials one peer, or probes one, in turn; whether there was any."""
        self._turns += 1
        ways = [self._dial_picked, self._probe_one]
        for way in ways if self._turns % 2 else ways[::-1]:
            if await way():
                return True
        return False

    async def _dial_picked(self) -> bool:
        """Fills a place, if one is free."""
        if self._wanted() <= 0:
            return False
        pick = self.book.pick(self._clock(), self._may_dial())
        if pick is None:
            return False
        await self._dial(pick.peer, pick.address, self._host.connect)
        return True

    async def _probe_one(self) -> bool:
        """Finds out whether a peer that came by itself can be reached."""
        now, links = self._clock(), self._host.links()
        waiting = [peer for peer, link in links.items() if not link.is_outbound]
        self._probed = {peer: self._probed.get(peer, 0) for peer in waiting}
        # In turn: who claims addresses without end takes nobody else's.
        for peer in sorted(waiting, key=self._probed.__getitem__):
            for address in self.book.unproven(peer, now)[:1]:
                self._probed[peer] = self._turns
                await self._dial(peer, address, self._host.probe)
                return True
        return False

    async def _dial(self, peer: str, address: str, dial: Callable[[str], Any]) -> None:
        """Where the peer proves its key there, it was met."""
        try:
            with trio.fail_after(DIAL_SECONDS):
                await dial(f"{address}/p2p/{peer}")
        except (BylineError, trio.TooSlowError) as error:
            log.debug("peer not found", peer=peer, address=address, reason=str(error))
            self.book.fail(peer, address, self._clock())
        else:
            self.book.succeed(peer, address, self._clock(), Found.EXCHANGE, "")

    def _dialled(self) -> list[str]:
        """The peers that fill places: dialled, and not configured."""
        return [
            peer
            for peer, link in self._host.links().items()
            if link.is_outbound and not self._is_configured(peer)
        ]

    def _is_configured(self, peer: str) -> bool:
        return self._named.get(peer) is Found.CONFIGURED

    def _wanted(self) -> int:
        return OUTBOUND - len(self._dialled())

    def _may_dial(self) -> Callable[[Entry, PeerAddress], bool]:
        """Who may fill a place now, and where it is dialled: no source and no network
        has too many."""
        links = self._host.links()
        filled = self._dialled()
        sources = Counter(
            entry.source for peer in filled if (entry := self.book.get(peer))
        )
        networks = Counter(network_of_ip(ip_in(links[peer].dialled)) for peer in filled)

        def may(entry: Entry, address: PeerAddress) -> bool:
            return (
                entry.peer not in links
                and not self._is_configured(entry.peer)
                and sources[entry.source] < OUTBOUND_OF_SOURCE
                and networks[address.network] < most_of_network(address)
                and not self._conduct.refused_for(entry.peer)
            )

        return may

    # Keeping

    async def _save_often(self) -> None:
        while True:
            await trio.sleep(SAVE_SECONDS)
            self.book.tidy(self._clock())
            await self._save()

    async def _save(self) -> None:
        if self._file is not None:
            entries = self.book.entries
            await trio.to_thread.run_sync(write_book, self._file, entries)


def named(configured: Iterable[str], bootstrap: Iterable[str]) -> dict[str, Found]:
    """How those were found that the operator named."""
    found = {peer_id_of(address): Found.BOOTSTRAP for address in bootstrap}
    return found | dict.fromkeys(configured, Found.CONFIGURED)


def how_found(
    peer: str, link: Link | None, names: Mapping[str, Found], book: AddressBook | None
) -> Found:
    """For the status: who came by itself is inbound, whatever else is known of it."""
    if peer in names:
        return names[peer]
    entry = book.get(peer) if book else None
    if entry is None or (link is not None and not link.is_outbound):
        return Found.INBOUND
    return entry.found


def reach_on(link: Link) -> Reach:
    """What may be told on a connection; of an unknown kind, the least."""
    found = reach_of_ip(ip_in(link.address))
    return Reach.PUBLIC if found is None else found


def source_of(peer: str, link: Link) -> str:
    """Whom what is heard on a connection counts to."""
    if reach_on(link) is Reach.LOOPBACK:
        return peer
    return network_of_ip(ip_in(link.address))


def most_of_network(address: PeerAddress) -> int:
    """Connections to peers of its network: few in the world, any number on a LAN."""
    return OUTBOUND_OF_NETWORK if address.reach is Reach.PUBLIC else OUTBOUND
