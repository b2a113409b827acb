"""What must be true after a soak, and the table of how it went."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.soak.load import Load
from tests.soak.network import SoakNetwork
from tests.soak.nodes import Node

from byline_ledger.ledger import Ledger
from byline_node.demo_network import environment
from byline_node.home import Home

LEAST_ACKNOWLEDGED = 0.95
KILLS_A_MINUTE = 5
FREEZES_A_MINUTE = 2
HEAD = (
    "node requests  p50 ms  p99 ms kills stops restarts   gossip   follow"
    "  dropped    cpu s  rss MB"
)


class Findings:
    """Printed as they come."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def require(self, holds: bool, what: str) -> None:
        print(f"{'ok  ' if holds else 'FAIL'} {what}", flush=True)
        if not holds:
            self.failed.append(what)


def judge_run(
    findings: Findings, network: SoakNetwork, load: Load, minutes: float
) -> None:
    """Load and troubles were what they had to be, and nothing else happened."""
    tallies = [node.tally for node in network.nodes]
    acknowledged, offered = len(load.acknowledged), load.offered
    findings.require(
        acknowledged >= offered * LEAST_ACKNOWLEDGED,
        f"{acknowledged:,} of {offered:,} offered statements acknowledged"
        f" ({acknowledged / offered:.1%})",
    )
    kills = sum(one.kills for one in tallies)
    freezes = sum(one.freezes for one in tallies)
    findings.require(kills >= int(KILLS_A_MINUTE * minutes), f"{kills} kills")
    findings.require(freezes >= int(FREEZES_A_MINUTE * minutes), f"{freezes} SIGSTOPs")
    lasted = ", ".join(f"{seconds:.1f} s" for seconds in network.partitions)
    findings.require(len(network.partitions) == 1, f"parted for {lasted}")
    findings.require(not load.wrong, f"false answers: {load.wrong[:3] or 'none'}")
    unexpected = network.unexpected
    findings.require(not unexpected, f"ended unasked: {unexpected[:3] or 'none'}")


def judge_nodes(
    findings: Findings, nodes: Sequence[Node], ids: Sequence[bytes]
) -> None:
    """Every acknowledged statement is in every log, and every log is sound."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = list(pool.map(lambda node: check(node.home), nodes))
    for node, problem in zip(nodes, problems, strict=True):
        if problem:
            findings.require(False, f"byline node check, node {node.number}: {problem}")
    sound = sum(not one for one in problems)
    findings.require(
        sound == len(nodes), f"byline node check: {sound} of {len(nodes)} sound"
    )
    missing = [missing_in(node.home.node, ids) for node in nodes]
    findings.require(
        not any(missing),
        f"acknowledged and missing, by node: {missing if any(missing) else 'none'}",
    )


def check(home: Home) -> str:
    """The problem that `byline node check` names, or nothing."""
    result = subprocess.run(
        [sys.executable, "-m", "byline_cli", "node", "check", "--json"],
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode == 0:
        return ""
    try:
        return str(json.loads(result.stdout)["problem"])
    except (ValueError, KeyError):  # an error before anything was checked
        return (result.stderr or result.stdout).strip() or f"code {result.returncode}"


def missing_in(folder: Path, ids: Sequence[bytes]) -> int:
    """How many of these statements a stopped node's log does not hold."""
    ledger = Ledger.open(folder)
    try:
        return sum(ledger.view.statement(one) is None for one in ids)
    finally:
        ledger.close()


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def table(nodes: Sequence[Node]) -> str:
    """One line a node.

    `gossip` and `follow` are the new statements that came these ways, the second being
    the repairs of the first; `dropped` what gossip had no room for.
    """
    return "\n".join([HEAD, *(row(node) for node in nodes)])


def row(node: Node) -> str:
    tally, totals = node.tally, node.totals()
    dropped = totals["dropped_in"] + totals["dropped_out"]
    return (
        f"{node.number:>4} {len(tally.latencies):>8}"
        f" {percentile(tally.latencies, 0.5) * 1000:>7.0f}"
        f" {percentile(tally.latencies, 0.99) * 1000:>7.0f}"
        f" {tally.kills:>5} {tally.freezes:>5} {tally.restarts:>8}"
        f" {totals['by gossip']:>8,} {totals['by follow']:>8,} {dropped:>8,}"
        f" {tally.cpu:>8.1f} {tally.rss / 2**20:>7.0f}"
    )
