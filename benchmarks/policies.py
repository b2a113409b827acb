"""An open node and one with an allow-list, side by side: what they send each other.

    make bench-policies       or: python -m benchmarks.policies [--minutes 10]

Two real node processes on loopback.  Half of the statements are by authors whom the
second node does not take.  Every minute as many more come; beside those, traffic must
not grow: neither node asks in vain for the same thing again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from benchmarks.sync import COMMAND
from byline_ledger.content import work_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.did import did_key
from byline_ledger.digest import digest_bytes
from byline_ledger.statement import Statement, sign_statement
from byline_node.demo_network import DemoNetwork, DemoNode, wait_for
from byline_node.home import Home, make_node

AT_FIRST = 1_000
A_MINUTE = 10
"""Statements of each kind of author."""
FLAT = 1.1
"""The later half of the minutes may have so many times the bytes of the earlier."""


def made(key: SigningKey, start: int, count: int) -> list[Statement]:
    random = Random(f"{key.public.hex()} {start}")
    return [
        sign_statement(
            work_fields(
                about=digest_bytes(f"{key.public.hex()} {number}".encode()),
                made="human",
                title=f"Photograph number {number} of a long series",
                time=1_790_000_000_000 + number,
                salt=random.randbytes(16),
            ),
            key,
        )
        for number in range(start, start + count)
    ]


def traffic(node: DemoNode, peer: DemoNode) -> int:
    """Bytes on the connection so far, both ways."""
    (row,) = [one for one in node.status()["peers"] if one["peer_id"] == peer.peer_id]
    return int(row["bytes_in"] + row["bytes_out"])


def held(node: DemoNode) -> int:
    return int(node.status()["statements"])


def refused(node: DemoNode, peer: DemoNode) -> int:
    """Statements of the peer's log that the node passed over."""
    (row,) = [one for one in node.status()["peers"] if one["peer_id"] == peer.peer_id]
    return int(row["refused"])


def settle(node: DemoNode, count: int) -> None:
    """Waits until the node holds so many statements."""
    wait_for(
        lambda: held(node) == count or None, 30, lambda: f"not {count:,} after 30 s"
    )


def run(folder: Path, minutes: int) -> Sequence[int]:
    keys = [SigningKey.from_seed(bytes([number]) * 32) for number in (1, 2)]
    home = Home(folder / "listed")
    home.folder.mkdir()
    make_node(home.node)
    listed_key = did_key(keys[0].public)
    home.config_file.write_text(
        f'[admission]\nauthors = "listed"\nlisted = ["{listed_key}"]\n', "utf-8"
    )
    with DemoNetwork(folder, COMMAND) as network:
        (open_node,) = network.start(["open"])
        (listed,) = network.start(["listed"], open_node.addresses)
        count = 0
        per_minute: list[int] = []
        print("minute   open holds   listed holds   passed over      bytes", flush=True)
        for minute in range(minutes + 1):
            more = A_MINUTE if minute else AT_FIRST
            before = traffic(open_node, listed) if minute else 0
            ends = time.monotonic() + 60
            with open_node.client() as client:
                for key in keys:
                    client.publish(made(key, count, more))
            count += more
            settle(listed, count)
            time.sleep(max(0.0, ends - time.monotonic()))
            per_minute.append(traffic(open_node, listed) - before)
            print(
                f"{minute:6} {held(open_node):12,} {held(listed):14,}"
                f" {refused(listed, open_node):13,} {per_minute[-1]:10,}",
                flush=True,
            )
    return per_minute[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as name:
        found = run(Path(name), asked.minutes)
    middle = len(found) // 2
    earlier, later = sum(found[:middle]), sum(found[-middle:])
    print(f"later     {later / earlier:.2f} of the earlier minutes' bytes")
    if later > FLAT * earlier:
        raise SystemExit("the traffic grows")


if __name__ == "__main__":
    main()
