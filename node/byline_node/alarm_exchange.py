"""Alarms between nodes: each new one is told to all, and peers compare what they have.

Rule: gossip is fast and may lose anything, so every peer is also asked at connection
and each minute after.  Whatever comes is verified in a thread before it counts; what
proves nothing is charged to nobody and forgotten.  Specification: docs/spec/network.md,
"Alarms".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeAlias, cast

import structlog
import trio

from byline_ledger.alarm import Alarm
from byline_ledger.alarm_messages import (
    ALARM_TOPIC,
    MAX_REQUEST,
    MAX_RESPONSE,
    MAX_SHARED,
    PROTOCOL,
    AskAlarm,
    AskAlarms,
    alarm_answer,
    alarm_ids_answer,
    parse_alarm_answer,
    parse_alarm_ids,
    parse_alarm_request,
)
from byline_ledger.errors import BylineError
from byline_node.alarms import Alarms, KnownAlarm
from byline_node.mistakes import note_mistake

ASK_SECONDS = 60.0
MAX_MESSAGE = 60_000
MAX_FETCHED = 16
"""Alarms fetched from one peer in one round."""
MAX_WAITING = 64
"""Alarms of our own that wait to be told."""
MAX_REFUSED = 4_096
"""Ids of what proved nothing or had no place here, so that it is fetched once, or once
more when it has."""

log = structlog.get_logger("byline.alarms")


_About: TypeAlias = tuple[str, int]
"""The key of an alarm's log, and the alarm's bytes."""


class Mesh(Protocol):
    """What this file needs of the host."""

    async def publish(self, topic: str, data: bytes) -> None: ...
    def messages(self, topic: str) -> AsyncIterator[Any]: ...


class AskPeer(Protocol):
    """`requests.Requests.ask`."""

    def __call__(
        self, peer: str, protocol: str, body: bytes, /, *, most: int
    ) -> Awaitable[bytes]: ...


class AlarmExchange:
    """`run` in a task; `exchange` in one for each connected peer."""

    def __init__(self, mesh: Mesh, ask: AskPeer, alarms: Alarms) -> None:
        self._mesh = mesh
        self._ask = ask
        self._alarms = alarms
        self._refused: dict[bytes, _About | None] = {}
        """By id, what had no place here then; None for what proved nothing."""
        self._send, self._outgoing = trio.open_memory_channel[KnownAlarm](MAX_WAITING)
        # One at a time: an alarm can cost a second of verification.
        self._thread = trio.CapacityLimiter(1)
        self._loop = trio.lowlevel.current_trio_token()
        alarms.listen(self._tell)

    def _tell(self, alarm: KnownAlarm) -> None:
        """Hands on what is new here: it may have been found in any thread."""
        with suppress(trio.RunFinishedError):
            self._loop.run_sync_soon(self._queue, alarm)

    def _queue(self, alarm: KnownAlarm) -> None:
        if alarm.size <= MAX_MESSAGE:
            try:
                self._send.send_nowait(alarm)
            except trio.WouldBlock:
                log.debug("alarm not told, peers will ask", file=alarm.path.name)

    async def run(self) -> None:
        """Tells and hears until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._publish)
            nursery.start_soon(self._receive)

    async def _publish(self) -> None:
        async for alarm in self._outgoing:
            data = await self._in_thread(partial(self._alarms.read, alarm.id))
            if data:
                await self._mesh.publish(ALARM_TOPIC, data)

    async def _receive(self) -> None:
        async for message in self._mesh.messages(ALARM_TOPIC):
            await self._consider(message.data, f"gossip by {message.sender}")

    async def _consider(self, data: bytes, source: str) -> _About | None:
        """What it is about, if it has no place here now."""
        try:
            return cast(
                "_About | None", await self._in_thread(lambda: self._add(data, source))
            )
        except BylineError as error:
            log.debug("alarm not kept", source=source, reason=str(error))
        except Exception as error:  # noqa: BLE001
            note_mistake(error, "considering an alarm", source)
        return None

    def _add(self, data: bytes, source: str) -> _About | None:
        if self._alarms.add(data, source) is not None:
            return None
        about = Alarm.from_bytes(data).vkey, len(data)
        return None if self._alarms.has_place(*about) else about

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await trio.to_thread.run_sync(work, limiter=self._thread)

    # One peer

    async def exchange(self, peer: str) -> None:
        """Fetches what a connected peer has and we lack, until cancelled."""
        while True:
            try:
                await self._fetch_from(peer)
            except BylineError as error:
                log.debug("no alarms from", peer=peer, reason=str(error))
            await trio.sleep(ASK_SECONDS)

    async def _fetch_from(self, peer: str) -> None:
        answer = await self._ask(
            peer, PROTOCOL, AskAlarms().to_bytes(), most=MAX_RESPONSE
        )
        told = parse_alarm_ids(answer)
        # In a thread: whether there is a place takes a while where many are kept.
        ids = await self._in_thread(lambda: list(filter(self._is_wanted, told)))
        for id_ in ids[:MAX_FETCHED]:
            request = AskAlarm(id_).to_bytes()
            answer = await self._ask(peer, PROTOCOL, request, most=MAX_RESPONSE)
            data = parse_alarm_answer(answer)
            about = await self._consider(data, f"peer {peer}") if data else None
            self._refuse(id_, about)

    def _is_wanted(self, id_: bytes) -> bool:
        if self._alarms.has(id_):
            return False
        about = self._refused.get(id_)
        if about is None:
            return id_ not in self._refused
        return self._alarms.has_place(*about)  # its log may be known by now

    def _refuse(self, id_: bytes, about: _About | None) -> None:
        if len(self._refused) >= MAX_REFUSED:
            self._refused.clear()
        if not self._alarms.has(id_):
            self._refused[id_] = about

    async def answer(self, _peer: str, request: bytes) -> bytes:
        """A peer's request (requests.Handler)."""
        asked = parse_alarm_request(request)
        if isinstance(asked, AskAlarms):
            shared = [one.id for one in self._alarms.all if one.size <= MAX_SHARED]
            return alarm_ids_answer(shared)
        data = await self._in_thread(lambda: self._alarms.read(asked.id))
        return alarm_answer(data if data and len(data) <= MAX_SHARED else None)


__all__ = ["MAX_REQUEST", "PROTOCOL", "AlarmExchange"]
