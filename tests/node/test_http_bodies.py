"""Bodies that trickle in, and those that came while the node itself stood still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
import trio.testing

from byline_node.errors import SlowRequestError
from byline_node.http_bodies import GRACE_SECONDS, LEAST_RATE, read_body

pytestmark = pytest.mark.trio


class Upload:
    """A request, as far as its body is read."""

    def __init__(self) -> None:
        self.headers = {"content-length": "10"}
        self.send, self._chunks = trio.open_memory_channel[bytes](10)

    async def stream(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            yield chunk


class Reading:
    """Somebody reads it, while the clock is moved by hand."""

    def __init__(self) -> None:
        self.upload = Upload()
        self.body: bytes | None = None
        self.error: SlowRequestError | None = None

    async def run(self) -> None:
        upload: Any = self.upload
        try:
            self.body = await read_body(upload, 1_000)
        except SlowRequestError as error:
            self.error = error


@pytest.fixture
async def reading(nursery: trio.Nursery) -> Reading:
    found = Reading()
    nursery.start_soon(found.run)
    found.upload.send.send_nowait(b"first")
    await trio.testing.wait_all_tasks_blocked()
    return found


async def test_a_body_that_trickles_in_is_refused(
    mock_clock: trio.testing.MockClock, reading: Reading
) -> None:
    mock_clock.jump(GRACE_SECONDS + 5 / LEAST_RATE + 0.1)
    await trio.testing.wait_all_tasks_blocked()
    assert "65536 bytes of body a second, got 5 in 5 s" in str(reading.error)


async def test_a_node_that_was_frozen_reads_what_came_meanwhile(
    mock_clock: trio.testing.MockClock, reading: Reading
) -> None:
    mock_clock.jump(60)
    await trio.testing.wait_all_tasks_blocked()
    assert reading.error is None
    reading.upload.send.send_nowait(b" and last")
    reading.upload.send.close()
    await trio.testing.wait_all_tasks_blocked()
    assert reading.body == b"first and last"


async def test_after_it_was_frozen_a_client_is_not_waited_for_for_ever(
    mock_clock: trio.testing.MockClock, reading: Reading
) -> None:
    mock_clock.jump(60)
    await trio.testing.wait_all_tasks_blocked()
    mock_clock.jump(GRACE_SECONDS + 0.1)
    await trio.testing.wait_all_tasks_blocked()
    assert reading.error is not None
