"""The node that a command talks to: a running one, else its store, said openly."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeAlias

from byline_cli import output
from byline_ledger.errors import (
    BylineError,
    MalformedError,
    NotFoundError,
    ReadOnlyError,
    UsageError,
)
from byline_ledger.proof_of_work import MAX_BITS
from byline_ledger.statement import Statement
from byline_node.errors import NodeUnavailableError, RefusedError
from byline_node.home import RunningNode, find_home
from byline_node.local import LocalClient, blaming_variable, open_client, remote
from byline_node.receipts import Receipt

MOST_WORK = 24
"""Bits of work that are done without asking: some 10 seconds for each statement."""
PAUSE = 0.1
"""Seconds between two questions to a node that is starting."""

if TYPE_CHECKING:
    from byline_node.client import Client

AnyClient: TypeAlias = "Client | LocalClient"


class StoppedError(BylineError):
    """Ctrl-C, and what had been done by then."""

    exit_code = 130
    kind = "interrupted"


@contextmanager
def connect(*, make: bool = True, tell: bool = True) -> Iterator[AnyClient]:
    """The node of BYLINE_NODE, else the one running on this home, else its store, which
    is made unless `make` says that whoever only asks needs none.  That no node runs is
    told unless the command asks once more, and `tell` is false."""
    home = find_home()
    with open_client(home, make=make) as client:
        if tell and isinstance(client, LocalClient):
            made = ", made just now" if client.created else ""
            output.note(
                f"No node is running: working on the local store {home.node}{made}.",
                "quiet",
            )
        yield client


@contextmanager
def unpublished() -> Iterator[None]:
    """Work before publishing: Ctrl-C says that nothing was."""
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError("stopped before anything was published") from None


def publish(
    client: AnyClient, statements: Sequence[Statement], unit: str
) -> list[Receipt]:
    """Publish with a bar; Ctrl-C says how much the log has for certain."""
    done = 0
    total = len(statements)
    with output.progress("Publishing", total, unit=unit) as advance:

        def taken(count: int) -> None:
            nonlocal done
            done += count
            advance(count)

        try:
            return client.publish(statements, progress=taken)
        except RefusedError as error:
            raise with_progress(error, done, total, unit) from None
        except ReadOnlyError as error:
            far = f"{done:,} of {total:,} {unit} are in the log"
            text = f"{far if done else 'nothing was published'}: {error}"
            raise ReadOnlyError(text, hint=error.hint) from None
        except KeyboardInterrupt:
            raise StoppedError(
                f"stopped; at least {done:,} of {total:,} {unit} are in the log",
                hint="run it again for the rest",
            ) from None


def with_progress(
    error: RefusedError, done: int, total: int, unit: str
) -> RefusedError:
    """The same refusal; if something was taken before it, how much that was."""
    if not done:
        return error
    text = f"{error} ({done:,} of {total:,} {unit} are in the log)"
    return type(error)(text, hint=error.hint, reason=error.reason, until=error.until)


def work_asked(client: AnyClient, author: bytes, *, has_option: bool = True) -> int:
    """Bits of work that the node asks of an author, unless that is unreasonable;
    `has_option`: whether the command takes --work-bits."""
    try:
        bits = client.admission(author).get("work_bits")
    except NotFoundError:
        return 0  # of a version that asks for none
    if type(bits) is not int or not 0 <= bits <= MAX_BITS:
        raise MalformedError("admission: expected bits of work from the node")
    if bits > MOST_WORK:
        other = "publish to another node"
        raise UsageError(
            f"this node asks for {bits} bits of work: some {2**bits:,} hashes for each"
            " statement",
            hint=f"say --work-bits {bits} if you mean it, or {other}"
            if has_option
            else other,
        )
    return bits


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
    named = os.environ.get("BYLINE_NODE")
    while True:
        try:
            with (
                blaming_variable(named) if named else nullcontext(),
                connect_running() as client,
            ):
                return client.status()
        except NodeUnavailableError:
            if time.monotonic() >= end:
                raise
        time.sleep(PAUSE)


def now_ms() -> int:
    """The clock of this machine in Unix milliseconds."""
    return time.time_ns() // 1_000_000
