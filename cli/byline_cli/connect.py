"""The node that a command talks to: a running one, else its store, said openly."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from byline_cli import output
from byline_node.errors import NodeUnavailableError
from byline_node.home import RunningNode, find_home
from byline_node.local import LocalClient, open_client, remote

PAUSE = 0.1
"""Seconds between two questions to a node that is starting."""

if TYPE_CHECKING:
    from byline_node.client import Client

AnyClient: TypeAlias = "Client | LocalClient"


@contextmanager
def connect() -> Iterator[AnyClient]:
    """The node of BYLINE_NODE, else the one running on this home, else its store."""
    home = find_home()
    with open_client(home) as client:
        if isinstance(client, LocalClient):
            made = ", made just now" if client.created else ""
            output.note(
                f"No node is running: working on the local store {home.node}{made}.",
                "quiet",
            )
        yield client


def connect_running() -> Client:
    """The node of BYLINE_NODE or of this home; NodeUnavailableError if none runs."""
    named = os.environ.get("BYLINE_NODE")
    if named:
        return remote(named)
    home = find_home()
    running = RunningNode.read(home.run_file)
    if running is None:
        raise NodeUnavailableError(
            f"no node is running on {home.folder}",
            hint="start it with: byline node run",
        )
    return remote(running.api)


def status_of_running(wait: float) -> dict[str, Any]:
    """The status of that node, asked again until it answers or the seconds are over."""
    end = time.monotonic() + wait
    while True:
        try:
            with connect_running() as client:
                return client.status()
        except NodeUnavailableError:
            if time.monotonic() >= end:
                raise
        time.sleep(PAUSE)


def now_ms() -> int:
    """The clock of this machine in Unix milliseconds."""
    return time.time_ns() // 1_000_000
