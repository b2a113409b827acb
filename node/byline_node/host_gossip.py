"""GossipSub of libp2p, made safe: what a stranger's packets may cost us.

Rule: everything that a packet can make longer has a limit here (messages, control
entries, ids, topics, sequence numbers), and what breaks a limit is charged to whoever
sent it.  A message is refused for its form and size alone, never for what is in it:
verdicts are remembered for minutes.  Specification: docs/spec/network.md, "Gossip".
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

import structlog
import trio
from google.protobuf.message import DecodeError
from libp2p.custom_types import TProtocol
from libp2p.exceptions import ParseError
from libp2p.io.exceptions import MessageTooLarge
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import PriorityQueue, RpcQueue
from libp2p.tools.anyio_service.trio_manager import TrioManager
from libp2p.tools.anyio_service.trio_tasks import FunctionTask

from byline_node.errors import PeerError
from byline_node.peer_score import Fault
from byline_node.reasons import reason_of
from byline_node.streams import READ_AT_ONCE, Pieces

MAX_MESSAGE = 60_000
"""Bytes of one published message."""
MAX_PACKET_OUT = 65_000
"""Bytes of one packet: one frame of Yamux has room for 65,524."""
MAX_PACKET_IN = 1 << 17
QUEUE_PACKETS = 512
QUEUE_BYTES = 4 << 20
"""Of packets that wait for a slow peer."""

SEEN_SECONDS = 120.0
MAX_SEEN = 100_000
MAX_SENDER = 64
SEQNO_BYTES = 8
MESSAGES_PER_SECOND = 200.0
MESSAGES_BURST = 4_000.0
"""Messages that one peer may pass to us; a message costs 4 ms, whatever its size."""
MESSAGES_A_FAULT = 2_000
"""Messages beyond that are one fault: a peer may pass on what a busy mesh brings."""
MAX_MESSAGES = 512
"""In one packet.  libp2p starts a task for each, all in one go."""
MAX_CONTROL = 64
"""Entries of one kind (graft, prune, ihave, iwant) in a packet."""
MAX_CONTROL_IDS = 5_000
MAX_WANTED = 64
"""Messages that one request for missed ones is answered with."""

Charge: TypeAlias = Callable[[str, Fault, str], None]
"""`charge(peer, fault, reason)` (peer_conduct.Conduct.charge)."""

log = structlog.get_logger("byline.host")


class BadPacketError(Exception):
    """What came on a gossip stream is no packet, or holds what no honest peer sends."""


def strict_reading(read: Any) -> Any:
    """Reads a packet; libp2p itself would hide from us that it was bad."""

    async def read_packet(stream: Any, most: int) -> bytes:
        if not hasattr(stream, "byline_packets"):
            stream.byline_packets = _Packets(stream)
        try:
            data: bytes = await read(stream.byline_packets, most)
        except (MessageTooLarge, ParseError) as error:
            raise BadPacketError(str(error)) from error
        return data

    return read_packet


class _Packets:
    """The pieces of packets: libp2p reads the length of each byte by byte."""

    def __init__(self, stream: Any) -> None:
        self._pieces = Pieces(partial(stream.read, READ_AT_ONCE))

    async def read(self, most: int) -> bytes:
        if self._pieces.is_ready and most > 1:
            # Many packets may have come: others must have their turns between them.
            await trio.lowlevel.checkpoint()
        return await self._pieces.take(most)


def require_few(rpc: Any, _host: Any, _peer: Any) -> bool:
    """Refuses a packet of too many messages, before any of them is looked at.

    It stands where libp2p reads the signed addresses in each packet.  These are not
    read, for nobody dials them.
    """
    if len(rpc.publish) > MAX_MESSAGES:
        raise BadPacketError(f"{len(rpc.publish)} messages, at most {MAX_MESSAGES}")
    return True


def strict_signatures(is_valid: Any) -> Any:
    """Refuses a message without a valid signature; libp2p itself would pass over it."""

    def require_signed(message: Any) -> bool:
        if not is_valid(message):
            raise BadPacketError("a message without a valid signature")
        return True

    return require_signed


class BoundedQueue(RpcQueue):  # type: ignore[misc]  # untyped base
    """Packets for one peer: more of them than libp2p's 32, but bounded in bytes."""

    def __init__(self) -> None:
        super().__init__(max_size=QUEUE_PACKETS, max_message_size=MAX_PACKET_OUT)
        self._queue = _BytesQueue()


class _BytesQueue(PriorityQueue):  # type: ignore[misc]  # untyped base
    def __init__(self) -> None:
        super().__init__(QUEUE_PACKETS)
        self.bytes = 0

    def push(self, rpc: Any, priority: bool = False) -> bool:
        size = rpc.ByteSize()
        if self.bytes + size > QUEUE_BYTES or not super().push(rpc, priority):
            return False
        self.bytes += size
        return True

    def pop(self) -> Any:
        rpc = super().pop()
        if rpc is not None:
            self.bytes -= rpc.ByteSize()
        return rpc


class QuickManager(TrioManager):  # type: ignore[misc]  # untyped base
    """Starts libp2p's tasks; which of them starts another is in a table."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._running: dict[trio.lowlevel.Task, FunctionTask] = {}

    def _find_parent_task(self, trio_task: trio.lowlevel.Task) -> Any:
        return self._running.get(trio_task)

    async def _run_and_manage_task(self, task: Any) -> None:
        own = trio.lowlevel.current_task()
        if isinstance(task, FunctionTask):
            self._running[own] = task
        try:
            await super()._run_and_manage_task(task)
        finally:
            self._running.pop(own, None)


class SeenMessages:
    """Which message ids came lately: for two minutes, or until there are too many."""

    def __init__(self) -> None:
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def add(self, key: bytes) -> bool:
        """Whether it is new."""
        now = trio.current_time()
        is_new = key not in self._until
        self._until[key] = now + SEEN_SECONDS
        self._until.move_to_end(key)
        while len(self._until) > MAX_SEEN or next(iter(self._until.values())) < now:
            self._until.popitem(last=False)
        return is_new

    def has(self, key: bytes) -> bool:
        return self._until.get(key, 0.0) > trio.current_time()

    def length(self) -> int:
        return len(self._until)

    def stop(self) -> None:
        """Unlike libp2p's it has no thread to stop."""


class Allowance:
    """A token bucket for each peer."""

    def __init__(self) -> None:
        self._left: dict[Any, tuple[float, float]] = {}
        self._missed: Counter[Any] = Counter()

    def take(self, peer: Any) -> bool:
        """Whether the peer may have one more."""
        now = trio.current_time()
        left, at = self._left.get(peer, (MESSAGES_BURST, now))
        left = min(left + (now - at) * MESSAGES_PER_SECOND, MESSAGES_BURST)
        self._left[peer] = (max(left - 1, 0.0), now)
        self._missed[peer] += left < 1
        return left >= 1

    def is_fault(self, peer: Any) -> bool:
        """Whether the message that was just refused completes a fault."""
        return self._missed[peer] % MESSAGES_A_FAULT == 1

    def forget(self, peer: Any) -> None:
        self._left.pop(peer, None)
        self._missed.pop(peer, None)


class SafePubsub(Pubsub):  # type: ignore[misc]  # untyped base
    """A bad packet or message costs its stream and its sender, not the process."""

    def __init__(self, host: Any, router: Any, topics: Sequence[str]) -> None:
        super().__init__(
            host,
            router,
            strict_signing=True,
            max_inbound_rpc_size=MAX_PACKET_IN,
            allowed_topics=set(topics),
        )
        self.seen_messages.stop()  # its thread
        self.seen_messages: Any = SeenMessages()
        self._allowance = Allowance()
        self.charge: Charge = lambda _peer, _fault, _reason: None
        for topic in topics:
            self.set_topic_validator(topic, is_small, is_async_validator=False)

    async def push_msg(self, msg_forwarder: Any, msg: Any) -> None:
        if msg_forwarder != self.my_id:
            if not self._allowance.take(msg_forwarder):
                if self._allowance.is_fault(msg_forwarder):
                    self.charge(str(msg_forwarder), Fault.FLOOD, "too many messages")
                return
            if not is_well_formed(msg):
                self.charge(str(msg_forwarder), Fault.MALFORMED, "not a message")
                return
        try:
            await super().push_msg(msg_forwarder, msg)
        except Exception as error:  # noqa: BLE001  # whatever strangers send
            reason = reason_of(error)
            log.debug("bad message", peer=str(msg_forwarder), reason=reason)
            self.charge(str(msg_forwarder), Fault.MALFORMED, "not a message")

    async def stream_handler(self, stream: Any) -> None:
        peer = stream.muxed_conn.peer_id
        try:
            await super().stream_handler(stream)
        except Exception as error:  # noqa: BLE001  # as above
            log.debug("bad gossip stream", peer=str(peer), reason=reason_of(error))
            if isinstance(error, DecodeError | BadPacketError):
                self.charge(str(peer), Fault.MALFORMED, "not a gossip packet")
            with suppress(Exception):
                await stream.reset()
            self._handle_dead_peer(peer)

    def get_hello_packet(self) -> Any:
        return without_record(super().get_hello_packet())

    async def write_msg(self, stream: Any, rpc_msg: Any) -> bool:
        written: bool = await super().write_msg(stream, without_record(rpc_msg))
        return written

    def _handle_dead_peer(self, peer_id: Any) -> None:
        if not self._peer_is_connected(peer_id):
            self._allowance.forget(peer_id)
        super()._handle_dead_peer(peer_id)


class BoundedGossip(GossipSub):  # type: ignore[misc]  # untyped base
    """The router: which control messages are heeded, and how many."""

    def __init__(self, degree_high: int) -> None:
        super().__init__(
            # 1.2 sends an IDONTWANT for each message, whatever its size: twice the cost
            protocols=[TProtocol("/meshsub/1.1.0")],
            degree=8,
            degree_low=6,
            # Above the number of connections: with fewer, a node can be pruned by all
            # of its peers at once and stay alone.
            degree_high=degree_high,
            heartbeat_interval=1,
            gossip_window=5,
            gossip_history=10,
            # It slows the heartbeat of a small network to 30 s.
            adaptive_gossip_enabled=False,
            # It counts our own messages: 10 a second, and no more.
            spam_protection_enabled=False,
            eclipse_protection_enabled=False,
        )

    def _check_equivocation(self, _msg: Any) -> bool:
        # It would keep 1,000 whole messages in memory for a check that means nothing
        # here: a message is a batch of statements, each signed by its author.
        return True

    async def _do_px(self, _peers: Any) -> None:
        # It would dial whatever addresses a stranger names.
        return

    async def handle_rpc(self, rpc: Any, sender_peer_id: Any) -> None:
        if is_too_much(rpc.control):
            reason = "too many control messages"
            self.pubsub.charge(str(sender_peer_id), Fault.FLOOD, reason)
            raise PeerError(reason)
        await super().handle_rpc(self._about_our_topics(rpc), sender_peer_id)

    def _about_our_topics(self, rpc: Any) -> Any:
        """Entries about other topics would be remembered for ever."""
        control = rpc_pb2.ControlMessage()
        for name in ("graft", "prune", "ihave"):
            entries = getattr(rpc.control, name)
            getattr(control, name).extend(e for e in entries if e.topicID in self.mesh)
        control.iwant.extend(rpc.control.iwant)
        return rpc_pb2.RPC(control=control)

    async def handle_iwant(self, iwant_msg: Any, sender_peer_id: Any) -> None:
        # One id may be asked for a thousand times, and each is answered.
        wanted = list(dict.fromkeys(iwant_msg.messageIDs))[:MAX_WANTED]
        request = rpc_pb2.ControlIWant(messageIDs=wanted)
        await super().handle_iwant(request, sender_peer_id)

    def tidy(self) -> None:
        """Drops what libp2p itself would keep for ever where adaptive gossip is off."""
        self.recent_message_deliveries.clear()
        for topic, peers in self.back_off.items():
            here = [peer for peer in peers if peer in self.peer_protocol]
            self.back_off[topic] = {peer: peers[peer] for peer in here}


def is_well_formed(message: Any) -> bool:
    """Whether a message has the form that ours have, else it costs more than it may."""
    return (
        len(message.seqno) == SEQNO_BYTES
        and len(message.from_id) <= MAX_SENDER
        and len(message.topicIDs) == 1
    )


def without_record(packet: Any) -> Any:
    """Peers on another libp2p would take an empty record for a false one."""
    if not packet.senderRecord:
        packet.ClearField("senderRecord")
    return packet


def is_small(_forwarder: Any, message: Any) -> bool:
    # Size is the one thing a message is refused for before it is passed on: verdicts
    # are remembered for minutes, so they must not depend on anything that changes.
    return len(message.data) <= MAX_MESSAGE


def is_too_much(control: Any) -> bool:
    """Whether a packet holds more control messages than one heartbeat explains."""
    kinds = (control.graft, control.prune, control.ihave, control.iwant)
    if any(len(kind) > MAX_CONTROL for kind in kinds):
        return True
    ids = sum(len(one.messageIDs) for kind in kinds[2:] for one in kind)
    return ids > MAX_CONTROL_IDS


OUTSIDE_NAMES = (
    *((Pubsub, name) for name in ("push_msg", "stream_handler", "_handle_dead_peer")),
    *((Pubsub, name) for name in ("_peer_is_connected", "get_hello_packet")),
    (Pubsub, "write_msg"),
    *((GossipSub, name) for name in ("_check_equivocation", "_do_px", "handle_rpc")),
    (GossipSub, "handle_iwant"),
    *((RpcQueue, name) for name in ("push", "pop", "split_rpc")),
    *((PriorityQueue, name) for name in ("push", "pop")),
    *((TrioManager, name) for name in ("_find_parent_task", "_run_and_manage_task")),
)
"""What is overridden here; host_patches.py checks that it is there."""
