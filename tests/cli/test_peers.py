"""`byline node peers`: a table for people, and everything for scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.program import Program
from tests.support.node_process import node_process
from tests.support.waiting import wait_until

from byline_cli.node import describe_standstill
from byline_cli.peers import HEADINGS, describe_peers, size_of

LISTEN = "/ip4/127.0.0.1/tcp/0"
PEER = {
    "peer_id": "12D3KooWHQhpnRbWQat7UBD8tXbrxuUJUcfzjx2jQQEW5qUaz6jD",
    "address": "/ip4/192.0.2.1/tcp/4737",
    "connected": True,
    "agrees": True,
    "size": 30,
    "cursor": 30,
    "error": None,
    "found": "configured",
    "direction": "out",
    "agent": "byline/0.1.0",
    "latency_ms": 1.2,
    "score": 0,
    "refused_for": 0,
    "bytes_in": 12_345,
    "bytes_out": 999,
}


def lines_of(*peers: dict[str, Any]) -> list[str]:
    return [
        line if isinstance(line, str) else line[0] for line in describe_peers(peers)
    ]


def test_the_table_says_what_is_known_of_each() -> None:
    absent = PEER | {
        "peer_id": "x" * 40 + "absent",
        "connected": False,
        "agrees": False,
        "size": None,
        "direction": None,
        "agent": None,
        "latency_ms": None,
        "error": "cannot connect: Connection refused",
        "bytes_in": 0,
        "bytes_out": 0,
    }
    behind = PEER | {"agrees": False, "cursor": 12}
    behind |= {"direction": "in", "found": "inbound"}
    refused = PEER | {"connected": False, "score": -50, "refused_for": 60}
    gone = PEER | {"connected": False}
    head, titles, *rows = lines_of(PEER, absent, behind, refused, gone)
    assert head == "5 peers, 2 connected"
    assert titles.split() == list(HEADINGS)
    # Two blanks at least are between columns, and one within a cell.
    cells = [[c for c in row.strip().split("  ") if c] for row in rows]
    cells = [[c.strip() for c in row] for row in cells]
    assert cells == [
        [
            *(str(PEER["peer_id"])[-12:], "connected", "configured", "out"),
            *("1.2 ms", "byline/0.1.0", "same", "0", "12.3 kB", "999 B"),
        ],
        ["/ip4/192.0.2.1/tcp/4737"],
        [
            *("xxxxxxabsent", "not reached", "configured", "-", "-", "-"),
            *("unknown", "0", "0 B", "0 B"),
        ],
        ["/ip4/192.0.2.1/tcp/4737"],
        ["cannot connect: Connection refused"],
        [
            *(str(PEER["peer_id"])[-12:], "connected", "inbound", "in", "1.2 ms"),
            *("byline/0.1.0", "12/30", "0", "12.3 kB", "999 B"),
        ],
        ["/ip4/192.0.2.1/tcp/4737"],
        [
            *(
                str(PEER["peer_id"])[-12:],
                "refused 60 s",
                "configured",
                "out",
                "1.2 ms",
            ),
            *("byline/0.1.0", "same", "-50", "12.3 kB", "999 B"),
        ],
        ["/ip4/192.0.2.1/tcp/4737"],
        [
            *(str(PEER["peer_id"])[-12:], "gone", "configured", "out", "1.2 ms"),
            *("byline/0.1.0", "same", "0", "12.3 kB", "999 B"),
        ],
        ["/ip4/192.0.2.1/tcp/4737"],
    ]
    assert lines_of() == ["0 peers, 0 connected"]


def test_what_a_peer_says_it_is_steers_no_terminal() -> None:
    for line in lines_of(PEER | {"agent": "\x1b[2J\u202eevil", "address": "\r\n"}):
        assert line.isprintable()


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (10**18, "1000000.0 TB")],
)
def test_sizes_have_units(count: int, text: str) -> None:
    assert size_of(count) == text


def test_a_log_that_is_held_is_not_called_read_only() -> None:
    """The one ends by itself; to the other there is something to do."""
    value = {"read_only": "not certain\n", "held": True}
    assert describe_standstill(value) == ("  HELD        not certain\\n", "doubt")
    value["held"] = False
    assert describe_standstill(value) == ("  READ-ONLY   not certain\\n", "bad")
    del value["held"]  # of a node of an earlier version
    assert describe_standstill(value) == ("  READ-ONLY   not certain\\n", "bad")


def test_two_nodes_show_each_other(tmp_path: Path) -> None:
    byline = Program(tmp_path)
    with node_process(tmp_path / "other", listen=LISTEN) as other:
        address = other.wait_ready().status()["listen"][0]
        with node_process(byline.home, listen=LISTEN, peers=address) as node:
            client = node.wait_ready()
            wait_until(lambda: any(p["agrees"] for p in client.status()["peers"]))
            wait_until(lambda: any(p["latency_ms"] for p in client.status()["peers"]))
            shown = byline("node", "peers")
            value = json.loads(byline("node", "peers", "--json").out)
    assert shown.out.startswith("1 peer, 1 connected\n")
    assert " out " in shown.out
    assert " same " in shown.out
    (peer,) = value["peers"]
    assert address.endswith(peer["peer_id"])
    assert peer["agent"].startswith("byline/")
    assert peer["bytes_in"] > 0 < peer["bytes_out"]
    assert (peer["score"], peer["refused_for"]) == (0, 0)
    absent = byline("node", "peers")
    assert (absent.code, "no node is running" in absent.complaint) == (69, True)
