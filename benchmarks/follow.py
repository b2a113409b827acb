"""Figures of following: bytes and round trips of first contact, and of a steady peer.

    make bench-follow     or: python -m benchmarks.follow [--log N] [--steady N]

Two real ledgers on LevelDB in one process; between them the very messages that travel
between nodes, counted with their frames.  What libp2p adds is not in them.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.run import bare_verify, statements
from byline_ledger.follow_messages import AskStatements, parse_request
from byline_ledger.follow_server import FollowServer
from byline_ledger.follower import Admit, Ask, Check, Follower
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement

BATCH = 4_000
FRAME = 4
MISSING = (100_000, 1_000, 10, 1, 0)
PER_SECOND = 10
ROUND_SECONDS = 2


@dataclass
class Cost:
    """What sessions took."""

    trips: int = 0
    sent: int = 0
    received: int = 0
    bodies: int = 0
    """Of that, envelopes and the ids they were asked by."""
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return self.sent + self.received


def follow(follower: Follower, ours: Ledger, server: FollowServer) -> Cost:
    """One session, as a node runs it."""
    cost, session, reply = Cost(), follower.session(), None
    started = time.perf_counter()
    while True:
        try:
            action = session.send(reply)
        except StopIteration:
            cost.seconds = time.perf_counter() - started
            return cost
        reply = None
        if isinstance(action, Ask):
            reply = server.serve(action.request, 0.0)
            cost.trips += 1
            cost.sent += FRAME + len(action.request)
            cost.received += FRAME + len(reply)
            if isinstance(parse_request(action.request), AskStatements):
                cost.bodies += 2 * FRAME + len(action.request) + len(reply)
        elif isinstance(action, Check):
            action.run()
        elif isinstance(action, Admit):
            ours.append(action.statements)


def append(ledger: Ledger, made: Sequence[Statement]) -> None:
    for start in range(0, len(made), BATCH):
        ledger.append(made[start : start + BATCH])


def first_contact(name: str, folder: Path, theirs: Ledger) -> None:
    """In a copy of the folder, which stays as it is."""
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    ours = Ledger.open(copy)
    cost = follow(Follower(lambda: ours.view), ours, FollowServer(lambda: theirs.view))
    is_complete = ours.view.set_root == theirs.view.set_root
    print(
        f"{name:>9} {cost.trips:6,} {cost.total:13,} {cost.bodies:13,}"
        f" {cost.seconds:9.1f} s   {'equal sets' if is_complete else 'NOT EQUAL'}",
        flush=True,
    )
    ours.close()
    shutil.rmtree(copy)


def first_contacts(folder: Path, made: Sequence[Statement], theirs: Ledger) -> None:
    print("  missing  trips         bytes     of bodies      time")
    missing = [count for count in MISSING if count < len(made)]
    ours = Ledger.init(folder / "ours")
    ours.close()
    have = 0
    for count in missing:
        ours = Ledger.open(folder / "ours")
        append(ours, made[have : len(made) - count])
        ours.close()
        have = len(made) - count
        first_contact(f"{count:,}", folder / "ours", theirs)
    Ledger.init(folder / "empty").close()
    first_contact("all", folder / "empty", theirs)


def steady(folder: Path, seconds: int) -> None:
    """A peer that publishes 10 statements a second, each in a commit of its own, which
    gossip brings as well; asked every two seconds."""
    theirs, ours = Ledger.init(folder / "one"), Ledger.init(folder / "other")
    made = list(statements(seconds * PER_SECOND, seed=3))
    follower, server = Follower(lambda: ours.view), FollowServer(lambda: theirs.view)
    theirs.append(made[:1])
    for _ in range(2):
        follow(follower, ours, server)
    total = Cost()
    each = PER_SECOND * ROUND_SECONDS
    for start in range(1, len(made) - each, each):
        for one in made[start : start + each]:
            theirs.append([one])
            ours.append([one])
        cost = follow(follower, ours, server)
        total.trips += cost.trips
        total.sent += cost.sent
        total.received += cost.received
        total.bodies += cost.bodies
    count = theirs.view.statement_count - 1
    print(
        f"steady    {total.total / count:6.1f} bytes per statement beside its body,"
        f" {total.trips} round trips for {count:,} statements in {seconds:,} s",
        flush=True,
    )
    assert total.bodies == 0
    ours.close()
    theirs.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=int, default=1_000_000)
    parser.add_argument("--steady", type=int, default=3_600)
    asked = parser.parse_args()
    print(f"bare      {bare_verify():7,.0f} verifications/s by PyNaCl alone")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = list(statements(asked.log, seed=1))
        theirs = Ledger.init(folder / "theirs")
        append(theirs, made)
        print(f"log       {asked.log:,} statements, {theirs.view.set_count:,} strings")
        first_contacts(folder, made, theirs)
        theirs.close()
        steady(folder, asked.steady)
    print(f"bare      {bare_verify():7,.0f} verifications/s by PyNaCl alone")


if __name__ == "__main__":
    main()
