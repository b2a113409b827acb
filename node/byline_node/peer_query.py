"""Asks peers over libp2p without a node of one's own: a host for one question.

Rule: the host listens nowhere and has a key that nobody saw before.  All peers are
asked side by side; what one of them does, harms only its own answer.  Nothing is
believed here but what `query_reader` and `crowd_reader` verified; bundles are for the
caller to verify.  Specification: docs/spec/network.md, "Query".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from secrets import token_bytes

import trio

from byline_ledger.alarm import alarm_of_notes
from byline_ledger.bundle import DEFAULT_DEPTH, Bundle
from byline_ledger.bundle_rows import MAX_BUNDLE
from byline_ledger.crowd_reader import CrowdAnswer, CrowdReading, crowd_bits
from byline_ledger.digest import ParsedHash, cid_of_statement
from byline_ledger.errors import (
    BylineError,
    ContradictionError,
    MalformedError,
    NotFoundError,
    UsageError,
    VerificationError,
)
from byline_ledger.follow_messages import MAX_RESPONSE as MAX_FOLLOW
from byline_ledger.follow_messages import PROTOCOL as FOLLOW
from byline_ledger.follow_messages import AskStatements, Envelopes, parse_response
from byline_ledger.query_messages import (
    MAX_RESPONSE,
    MAX_ROOT,
    PROTOCOL,
    AskBundle,
    AskRoot,
    BundleAnswer,
    Busy,
    QueryRefusal,
    RootAnswer,
    parse_bundle_answer,
    parse_refusal,
    parse_root_answer,
)
from byline_ledger.query_reader import KnownRoot, open_root, require_same_log
from byline_ledger.statement import Statement
from byline_node.calls import MAX_HOPS, one_line, read_answer
from byline_node.errors import BusyError, PeerError
from byline_node.host import Host, open_host
from byline_node.peers import peer_id_of
from byline_node.reasons import one_error
from byline_node.requests import Requests

MAX_PEERS = 16
REQUEST_SECONDS = 45.0
PEER_SECONDS = 180.0
"""For all that one peer is asked, however often it wants to be asked again."""
PATIENCE = 30.0
"""Seconds that a busy peer is waited for, all in all."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; `crowd` is the number of works to hide among, or None."""

    asked: ParsedHash
    depth: int = DEFAULT_DEPTH
    crowd: int | None = None


@dataclass(slots=True)
class PeerReply:
    """What one peer said; `problem` where it said less than it was asked for."""

    address: str
    root: KnownRoot | None = None
    bundle: bytes | None = None
    """Verified, but for what the reader's policy says of the log."""
    is_claimed: bool = False
    """Whether somebody says in it how the work was made."""
    crowd: CrowdAnswer | None = None
    problem: BylineError | None = None

    @property
    def peer(self) -> str:
        """The peer id."""
        return peer_id_of(self.address)


@dataclass(slots=True)
class Replies:
    """All of them, in the order of the addresses."""

    digest: bytes
    """The multihash that the question turned out to mean."""
    peers: list[PeerReply]
    bits: int | None = None
    """Length of the prefix that was shown, where a crowd was asked for."""
    contradictions: list[ContradictionError] = field(default_factory=list)
    """Of logs that showed two peers, or two questions, what cannot both be true."""


def ask_peers(
    addresses: Sequence[str], question: Question, network_key: bytes | None = None
) -> Replies:
    """Asks all of them; every failure of a peer is in its reply.

    `network_key`, 32 bytes, where the peers are of a network of its own.

    ConfigError for an address that is none; NotFoundError for a statement that no peer
    has.
    """
    chosen = list({peer_id_of(one): one for one in reversed(addresses)}.values())[::-1]
    if not 1 <= len(chosen) <= MAX_PEERS:
        raise UsageError(f"expected 1 to {MAX_PEERS} peers, got {len(chosen)}")
    if question.crowd is not None and question.asked.kind == "statement":
        raise UsageError(
            "a statement cannot be asked for among a crowd: there is no lookup by id",
            hint="name the work that it is about",
        )
    try:
        return trio.run(inquire, chosen, question, network_key)
    except BaseExceptionGroup as group:
        if group.split(KeyboardInterrupt)[1] is not None:
            raise
        raise KeyboardInterrupt from None


async def inquire(
    addresses: Sequence[str], question: Question, network_key: bytes | None = None
) -> Replies:
    """The same within an event loop; the peers are distinct."""
    with one_error():
        async with open_host(token_bytes(32), [], [], network_key=network_key) as host:
            return await _Inquiry(host, addresses, question).run()
    raise AssertionError("one_error swallows nothing")


class _Inquiry:
    """One question to several peers."""

    def __init__(self, host: Host, addresses: Sequence[str], question: Question):
        self._host = host
        self._requests = Requests(host)
        self._question = question
        self._asked = question.asked
        peers = [PeerReply(address) for address in addresses]
        self._replies = Replies(question.asked.multihash, peers)
        self._patience = {one.peer: PATIENCE for one in peers}

    async def run(self) -> Replies:
        await self._each(self._meet)
        if self._question.crowd is not None:
            await self._ask_crowd(self._question.crowd)
        else:
            await self._ask_openly()
        await self._compare()
        return self._replies

    async def _each(self, ask: Callable[[PeerReply], Awaitable[None]]) -> None:
        """Asks all peers that have answered so far, side by side."""

        async def safely(reply: PeerReply) -> None:
            try:
                with trio.fail_after(PEER_SECONDS):
                    await ask(reply)
            except trio.TooSlowError:
                reply.problem = PeerError(f"not done within {PEER_SECONDS:g} s")
            except BylineError as error:
                reply.problem = error

        async with trio.open_nursery() as nursery:
            for reply in self._replies.peers:
                if reply.problem is None:
                    nursery.start_soon(safely, reply)

    async def _meet(self, reply: PeerReply) -> None:
        await self._host.connect(reply.address)
        reply.root = open_root(await self._root(reply.peer, 0))

    async def _root(self, peer: str, seen: int) -> RootAnswer:
        data = await self._ask(peer, AskRoot(seen).to_bytes(), MAX_ROOT)
        answer = parse_root_answer(data)
        assert isinstance(answer, RootAnswer)  # _ask raised what is none
        return answer

    # Openly

    async def _ask_openly(self) -> None:
        if self._asked.kind == "statement":
            self._replies.digest = await self._find_work()
        await self._each(self._fetch_bundle)
        claimed = any(one.is_claimed for one in self._replies.peers)
        if self._asked.kind == "either" and not claimed:
            try:
                self._replies.digest = await self._find_work()
            except NotFoundError:
                return  # the proof that nothing is known
            await self._each(self._fetch_bundle)

    async def _fetch_bundle(self, reply: PeerReply) -> None:
        reply.bundle = None
        request = AskBundle(self._replies.digest, self._question.depth).to_bytes()
        data = await self._ask(reply.peer, request, MAX_BUNDLE + 64)
        answer = parse_bundle_answer(data)
        assert isinstance(answer, BundleAnswer)  # as above
        await self._take_bundle(reply, answer.bundle)

    async def _take_bundle(self, reply: PeerReply, bundle: bytes) -> None:
        answer = await trio.to_thread.run_sync(
            read_answer, bundle, self._replies.digest, self._question.depth
        )
        if reply.root is not None and Bundle.from_bytes(bundle).log != reply.root.vkey:
            raise VerificationError("it answers for another log than it shows")
        reply.bundle, reply.is_claimed = bundle, bool(answer.works[0].claims)

    async def _find_work(self) -> bytes:
        """The digest that the statement, or one that it is about, is about."""
        id_, found = self._asked.sha256, None
        for reply in self._replies.peers:
            if reply.problem is None:
                found = await self._try_statement(reply, id_)
            for _ in range(MAX_HOPS if found else 0):
                assert found is not None
                inner = await self._try_statement(reply, found.about[2:])
                if inner is None:
                    return found.about
                found = inner
            if found is not None:
                return found.about
        if all(one.problem is not None for one in self._replies.peers):
            return self._replies.digest  # nobody could be asked
        raise NotFoundError(f"no peer has the statement {cid_of_statement(id_)}")

    async def _try_statement(self, reply: PeerReply, id_: bytes) -> Statement | None:
        """The statement, if this peer has it; its failure is its own."""
        try:
            with trio.fail_after(PEER_SECONDS):
                return await self._statement(reply.peer, id_)
        except trio.TooSlowError:
            reply.problem = PeerError(f"not done within {PEER_SECONDS:g} s")
        except BylineError as error:
            reply.problem = error
        return None

    async def _statement(self, peer: str, id_: bytes) -> Statement | None:
        request = AskStatements((id_,)).to_bytes()
        data = await self._requests.ask(
            peer, FOLLOW, request, most=MAX_FOLLOW, seconds=REQUEST_SECONDS
        )
        answer = parse_response(data)
        if not isinstance(answer, Envelopes) or len(answer.envelopes) != 1:
            raise MalformedError("expected one statement, or that there is none")
        if not answer.envelopes[0]:
            return None
        found = Statement.from_envelope(answer.envelopes[0])
        if found.id != id_:
            raise VerificationError("asked for one statement, got another")
        found.verify()
        return found

    # Among a crowd

    async def _ask_crowd(self, crowd: int) -> None:
        """Every peer the same prefix, the shortest that one of them needs: whoever is
        shown a longer one could tell the others."""
        roots = [one.root for one in self._replies.peers if one.root is not None]
        if not roots:
            return
        bits = min(crowd_bits(root.strings, crowd) for root in roots)
        self._replies.bits = bits

        async def read(reply: PeerReply) -> None:
            reading = CrowdReading(self._replies.digest, bits, self._question.depth)
            while not reading.is_done:
                page = await self._ask(reply.peer, reading.request(), MAX_RESPONSE)
                await trio.to_thread.run_sync(reading.take, page)
            reply.crowd = reading.answer()
            await self._take_bundle(reply, reply.crowd.bundle)

        await self._each(read)

    async def _ask(self, peer: str, request: bytes, most: int) -> bytes:
        """A response that is no refusal; a busy peer is asked again for a while."""
        while True:
            data = await self._requests.ask(
                peer, PROTOCOL, request, most=most, seconds=REQUEST_SECONDS
            )
            refused = parse_refusal(data)
            if refused is None:
                return data
            if isinstance(refused, QueryRefusal):
                raise PeerError(f"it does not answer: {one_line(refused.error)}")
            await self._wait(peer, refused)

    async def _wait(self, peer: str, busy: Busy) -> None:
        self._patience[peer] -= busy.seconds
        if self._patience[peer] < 0:
            raise BusyError(f"it is busy: try again in {busy.seconds} s")
        await trio.sleep(busy.seconds)

    # Do they contradict themselves?

    async def _compare(self) -> None:
        """Only two trees of one key can contradict each other."""
        by_log: dict[str, list[PeerReply]] = {}
        for reply in self._replies.peers:
            if reply.root is not None:
                by_log.setdefault(reply.root.vkey, []).append(reply)
        for vkey, replies in by_log.items():
            replies.sort(key=_size)
            for reply in replies[:-1]:
                await self._compare_two(vkey, reply, replies[-1])
            for reply in replies:
                self._compare_bundle(vkey, reply)

    async def _compare_two(self, vkey: str, small: PeerReply, large: PeerReply) -> None:
        assert small.root is not None
        assert large.root is not None
        try:
            if _size(small) < _size(large):
                answer = await self._root(large.peer, _size(small))
                require_same_log(
                    vkey, small.root.note, open_root(answer).note, answer.since
                )
            require_same_log(vkey, small.root.note, large.root.note, None)
        except ContradictionError as error:
            self._contradict(error, large)
        except BylineError as error:
            large.problem = large.problem or error

    def _compare_bundle(self, vkey: str, reply: PeerReply) -> None:
        """A bundle's tree with that of the root, where both have one size."""
        assert reply.root is not None
        if reply.bundle is None:
            return
        try:
            note = Bundle.from_bytes(reply.bundle).checkpoint
            require_same_log(vkey, reply.root.note, note, None)
        except ContradictionError as error:
            self._contradict(error, reply)
        except BylineError as error:
            reply.problem = reply.problem or error

    def _contradict(self, error: ContradictionError, reply: PeerReply) -> None:
        """Without proof for others it is nothing but the word of whoever answered so,
        and harms nobody else who shows this log."""
        if alarm_of_notes(error.vkey, error.notes, error.proof) is None:
            reply.problem = reply.problem or error
        else:
            self._replies.contradictions.append(error)


def _size(reply: PeerReply) -> int:
    assert reply.root is not None
    return reply.root.checkpoint.size
