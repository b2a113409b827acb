"""`byline node peers`: who the running node talks to, and how they behave.

Everything here is what the node says of itself, and what peers say of themselves (the
agent) is nothing but that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from byline_cli import output
from byline_cli.options import Json
from byline_cli.wording import amount

NAME_LENGTH = 12
"""Of a peer id; the last part of it is the one that differs."""
HEADINGS = (
    *("peer", "state", "found", "dir", "ping", "agent", "set", "score", "in", "out"),
)
UNITS = ("B", "kB", "MB", "GB", "TB")


def peers(as_json: Json = False) -> None:
    """Show whom the running node talks to, and how they behave.

    State, how it was found (configured, bootstrap, exchange, dht, mdns; inbound if it
    came by itself), direction, ping, program and version, whether the peer holds the
    same set of statements, its score (less than 0 after faults), and the bytes in and
    out since it connected. --json has the full names.
    """
    from byline_cli.connect import status_of_running

    status = status_of_running(0.0)
    found = list(status.get("peers") or [])
    value = {"peer_id": status.get("peer_id"), "peers": found}
    output.result(as_json, value, describe_peers(found))


def describe_peers(found: Sequence[Mapping[str, Any]]) -> list[output.Line]:
    """A table, with what is wrong and where they are under each peer."""
    connected = sum(bool(peer.get("connected")) for peer in found)
    head = f"{amount(len(found), 'peer')}, {connected} connected"
    table = [HEADINGS, *map(columns_of, found)]
    widths = [max(len(row[i]) for row in table) for i in range(len(HEADINGS))]
    lines: list[output.Line] = [(head, "head")]
    if not found:
        return lines
    lines.append((aligned(HEADINGS, widths), "quiet"))
    for peer, row in zip(found, table[1:], strict=True):
        lines.append((aligned(row, widths), style_of(peer)))
        lines.append(("    " + output.safe(str(peer.get("address") or "?")), "quiet"))
        if peer.get("error"):
            lines.append(("    " + output.safe(str(peer["error"])), "bad"))
    return lines


def aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return ("  " + "  ".join(cells)).rstrip()


def columns_of(peer: Mapping[str, Any]) -> tuple[str, ...]:
    """One row; nothing of it can steer a terminal."""
    ping = peer.get("latency_ms")
    row = (
        str(peer.get("peer_id"))[-NAME_LENGTH:],
        state_of(peer),
        str(peer.get("found") or "-"),
        str(peer.get("direction") or "-"),
        f"{ping} ms" if ping is not None else "-",
        str(peer.get("agent") or "-"),
        agreement_of(peer),
        str(peer.get("score", 0)),
        size_of(int(peer.get("bytes_in") or 0)),
        size_of(int(peer.get("bytes_out") or 0)),
    )
    return tuple(output.safe(cell) for cell in row)


def state_of(peer: Mapping[str, Any]) -> str:
    """In one word, or with the seconds for which it is refused."""
    if peer.get("refused_for"):
        return f"refused {peer['refused_for']} s"
    if peer.get("connected"):
        return "connected"
    return "not reached" if peer.get("error") else "gone"


def agreement_of(peer: Mapping[str, Any]) -> str:
    """Whether it holds the same set of statements, as far as that is known."""
    if peer.get("agrees"):
        return "same"
    if peer.get("size") is None:
        return "unknown"
    return f"{peer.get('cursor') or 0}/{peer['size']}"


def style_of(peer: Mapping[str, Any]) -> str:
    if peer.get("refused_for") or peer.get("error"):
        return "bad"
    return "good" if peer.get("connected") else "doubt"


def size_of(count: int) -> str:
    """`512 B`, `1.2 kB`."""
    size, unit = float(count), 0
    while size >= 1_000 and unit < len(UNITS) - 1:
        size, unit = size / 1_000, unit + 1
    return f"{size:.1f} {UNITS[unit]}" if unit else f"{count} B"
