"""Finding nodes on the local network: multicast DNS, by zeroconf, here alone.

Rule: whoever is on the network may say anything, and what it says is a hint for the
address book.  zeroconf has threads of its own: what they report is queued up to
MAX_WAITING names, and looked up one at a time.  Specification: docs/spec/network.md,
"Local network".
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
import trio
from zeroconf import ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

from byline_ledger.errors import MalformedError
from byline_ledger.peer_address import Reach, ip_in, passing

SERVICE = "_byline._tcp.local."
MAX_WAITING = 64
MAX_ADDRESSES = 8
LOOKUP_MILLISECONDS = 3_000
LOOK_PAUSE = 0.2
STOP_SECONDS = 1.5
PEER_ID = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,128}")

log = structlog.get_logger("byline.peers")


class LocalNetwork:
    """This node on the local network, and the others there."""

    def __init__(
        self,
        peer_id: str,
        own: Callable[[], Iterable[str]],
        heard: Callable[[str, list[str]], None],
    ) -> None:
        """`own` gives this node's addresses; `heard(peer, addresses)` those of others.

        They are called on the event loop.
        """
        self._peer_id = peer_id
        self._own = own
        self._heard = heard

    async def run(self) -> None:
        """Until cancelled; a network without multicast costs a line in the log."""
        try:
            engine = await trio.to_thread.run_sync(Zeroconf)
        except OSError as error:
            log.warning("no multicast DNS", reason=str(error))
            return
        try:
            await self._browse(engine)
        except Exception as error:  # noqa: BLE001
            # Whatever others on this network answer, the node does without.
            reason = str(error) or type(error).__name__
            log.warning("no multicast DNS", reason=reason)
        finally:
            with trio.move_on_after(STOP_SECONDS) as scope:
                scope.shield = True
                await abandonable(engine.close)

    async def _browse(self, engine: Zeroconf) -> None:
        send, receive = trio.open_memory_channel[str](MAX_WAITING)
        token = trio.lowlevel.current_trio_token()

        def enqueue(name: str) -> None:
            with suppress(trio.WouldBlock):  # it will be announced again
                send.send_nowait(name)

        def changed(
            zeroconf: Any, service_type: str, name: str, state_change: Any
        ) -> None:
            if state_change is not ServiceStateChange.Removed:
                with suppress(trio.RunFinishedError):
                    token.run_sync_soon(enqueue, name)

        info = self._announcement()
        if info is not None:
            await trio.to_thread.run_sync(engine.register_service, info)
        await trio.to_thread.run_sync(
            lambda: ServiceBrowser(engine, SERVICE, handlers=[changed])
        )
        async for name in receive:
            await self._look_up(engine, name)
            await trio.sleep(LOOK_PAUSE)

    def _announcement(self) -> ServiceInfo | None:
        """What this node says of itself; nothing where it has no address to say."""
        addresses = announced(self._own())
        if not addresses:
            log.warning("not announced on the local network: no address to be told")
            return None
        said = {str(number): one for number, one in enumerate(addresses, 1)}
        return ServiceInfo(
            SERVICE,
            # Not the peer id: a name that may be no longer than a label of DNS.
            f"{secrets.token_hex(16)}.{SERVICE}",
            port=int(addresses[0].split("/")[4]),
            properties={"peer": self._peer_id, **said},
            server=f"{secrets.token_hex(16)}.local.",
            # Without them zeroconf waits for more, and takes it for nothing.
            parsed_addresses=[ip_in(one) for one in addresses],
        )

    async def _look_up(self, engine: Zeroconf, name: str) -> None:
        try:
            look_up = partial(engine.get_service_info, SERVICE, name)
            info = await abandonable(partial(look_up, LOOKUP_MILLISECONDS))
            peer, addresses = parse_announcement(info.properties if info else {})
        except Exception as error:  # noqa: BLE001  # whatever strangers announce
            log.debug("no announcement", name=name, reason=str(error))
            return
        if peer != self._peer_id and addresses:
            self._heard(peer, addresses)


async def abandonable(call: Callable[[], Any]) -> Any:
    """What a call in a thread gives; who is cancelled does not wait for its end."""
    run: Any = trio.to_thread.run_sync  # mypy loses keywords behind Unpack
    return await run(call, abandon_on_cancel=True)


def parse_announcement(
    properties: Mapping[bytes, bytes | None],
) -> tuple[str, list[str]]:
    """Peer id and addresses of a TXT record, else MalformedError."""
    peer = text_of(properties.get(b"peer"))
    if not PEER_ID.fullmatch(peer):
        raise MalformedError("expected the peer id of a node")
    places = [properties.get(b"%d" % number) for number in range(1, MAX_ADDRESSES + 1)]
    return peer, announced(map(text_of, places))


def text_of(value: bytes | None) -> str:
    return (value or b"").decode("ascii", "replace")


def announced(addresses: Iterable[str]) -> list[str]:
    """Those that mean the same to everybody on the network."""
    found = passing(addresses, Reach.PRIVATE)[:MAX_ADDRESSES]
    return [one.text for one in found]
