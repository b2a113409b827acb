"""Runs a foreign service beside the caller, and stops it in order whatever happens.

Rule: the service lives in a shielded scope, so that a cancelled caller does not tear it
down half way; once told to stop it has so many seconds.  What it raises while it is
being stopped is logged and no more: nested groups of whatever was under way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import structlog
import trio

from byline_node.errors import ConfigError, PeerError
from byline_node.reasons import reason_of

Service: TypeAlias = Callable[[Callable[[], None], trio.Event], Awaitable[None]]
"""`await service(started, stop)`: calls `started` once, returns after `stop` is set."""

log = structlog.get_logger("byline.background")


@asynccontextmanager
async def in_background(
    service: Service, *, name: str, stop_seconds: float
) -> AsyncIterator[None]:
    """Enters once the service has started.

    A failure of it before it is to stop is raised: ConfigError as it is, anything else
    as one PeerError.
    """
    stop = trio.Event()
    scope = trio.CancelScope(shield=True)

    async def run(task_status: Any) -> None:
        try:
            with scope:
                await service(task_status.started, stop)
        except ConfigError:
            raise
        except Exception as error:
            if not stop.is_set():
                raise PeerError(f"{name} has stopped: {reason_of(error)}") from error
            log.debug("stopped untidily", service=name, reason=reason_of(error))

    async with trio.open_nursery() as nursery:
        await nursery.start(run)
        try:
            yield
        finally:
            stop.set()
            scope.deadline = trio.current_time() + stop_seconds
