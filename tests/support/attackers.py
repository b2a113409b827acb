"""Peers that keep to no rule, on libp2p as it comes: raw frames, floods, silence."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import PUBSUB_SIGNING_PREFIX
from libp2p.stream_muxer.yamux.yamux import YAMUX_HEADER_FORMAT
from libp2p.utils import encode_varint_prefixed
from multiaddr import Multiaddr

from byline_node.streams import socket_of

GOSSIP = "/meshsub/1.1.0"
DATA, WINDOW_UPDATE, PING, GO_AWAY = range(4)
SYN = 1


@dataclass
class Attacker:
    """A connection to `target`, and the means to abuse it."""

    host: Any
    target: ID

    @property
    def peer_id(self) -> str:
        return str(self.host.get_id())

    @property
    def is_connected(self) -> bool:
        return bool(self.host.get_network().get_connections(self.target))

    @property
    def muxed(self) -> Any:
        """The Yamux connection; IndexError once the other side has cut it."""
        return self.host.get_network().get_connections(self.target)[0].muxed_conn

    async def frame(
        self, kind: int, flags: int, stream: int, length: int, body: bytes = b""
    ) -> None:
        """Writes a frame of Yamux, whatever it says."""
        head = struct.pack(YAMUX_HEADER_FORMAT, 0, kind, flags, stream, length)
        await self.muxed._write_frame(head + body)

    async def open_streams(self, count: int) -> None:
        """Or as many as there are until it is cut off."""
        with suppress(Exception):  # libp2p has many for a connection that is gone
            for number in range(count):
                await self.frame(WINDOW_UPDATE, SYN, 100_001 + 2 * number, 0)

    async def stream(self, protocol: str) -> Any:
        return await self.host.new_stream(self.target, [TProtocol(protocol)])

    async def packets(self, *packets: Any) -> None:
        """Sends gossip packets on a stream of their own."""
        stream = await self.stream(GOSSIP)
        for packet in packets:
            await stream.write(encode_varint_prefixed(packet.SerializeToString()))

    def message(
        self,
        topics: Sequence[str],
        data: bytes,
        number: int = 1,
        seqno: bytes | None = None,
    ) -> Any:
        """A message of this peer's own, rightly signed."""
        keys = self.host.get_private_key(), self.host.get_public_key()
        message = rpc_pb2.Message(
            from_id=self.host.get_id().to_bytes(),
            seqno=number.to_bytes(8, "big") if seqno is None else seqno,
            topicIDs=topics,
            data=data,
        )
        signed = PUBSUB_SIGNING_PREFIX.encode() + message.SerializeToString()
        message.signature = keys[0].sign(signed)
        message.key = keys[1].serialize()
        return message


@asynccontextmanager
async def attacker_of(
    address: str, seed: bytes = b"\x66" * 32
) -> AsyncIterator[Attacker]:
    """A plain libp2p host that is connected to a node."""
    info = info_from_p2p_addr(Multiaddr(address))
    listen = [Multiaddr("/ip4/127.0.0.1/tcp/0")]
    host = new_host(key_pair=create_new_key_pair(seed), listen_addrs=listen)
    async with host.run(listen_addrs=[]):
        await host.connect(info)
        try:
            yield Attacker(host, info.peer_id)
        finally:
            # libp2p would leave them open, and its peers waiting.
            for connection in host.get_network().get_connections():
                if sock := socket_of(connection):
                    sock.close()


async def flood_stream(attacker: Attacker, protocol: str, size: int) -> None:
    """Sends on a stream without asking whether there is room."""
    stream = await attacker.stream(protocol)
    number = stream.muxed_stream.stream_id
    block = bytes(60_000)
    with suppress(Exception):  # the other side may cut it off
        for _ in range(size // len(block)):
            await attacker.frame(DATA, 0, number, len(block), block)
