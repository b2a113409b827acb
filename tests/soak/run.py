"""Real nodes under load for a long time, while they are killed, frozen and parted.

    make soak                             16 nodes, 100 statements a second, 10 minutes
    make soak NODES=4 RATE=20 MINUTES=1 SEED=7

Holds if: all set roots are equal within 30 s after the last statement; at least 95 % of
the offered statements were acknowledged, and none of those is missing at any node; all
stores are sound; no node ended that was not killed; and enough went wrong.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from random import Random

from tests.soak.halves import Halves
from tests.soak.load import Load, make_statements
from tests.soak.network import SoakNetwork
from tests.soak.verdict import Findings, judge_nodes, judge_run, percentile, table
from tests.soak.weather import plan

EQUAL_WITHIN = 30.0
WAIT_ON = 300.0
"""Looks for longer, to tell a slow network from one that is stuck."""
TOLD_SECONDS = 20.0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--nodes", type=int, default=16)
    parser.add_argument("--rate", type=float, default=100.0, help="statements a second")
    parser.add_argument("--batch", type=int, default=10, help="statements a request")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--no-namespaces", action="store_true", help="part by proxies")
    parser.add_argument("--keep", action="store_true", help="the folders, in any case")
    return parser.parse_args()


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    args = parse()
    if args.seed is None:
        args.seed = int.from_bytes(os.urandom(4))
    print(
        f"     {args.nodes} nodes, {args.rate:g} statements/s, {args.batch} a request,"
        f" {args.minutes:g} minutes, SEED={args.seed}",
        flush=True,
    )
    folder = Path(tempfile.mkdtemp(prefix="byline-soak-"))
    findings = Findings()
    halves = Halves(namespaces=not args.no_namespaces)
    try:
        soak(folder, halves, findings, args)
    except KeyboardInterrupt:
        print(f"     interrupted: {folder} is left", flush=True)
        halves.close()
        os._exit(130)  # threads would go on for minutes
    except BaseException as error:
        findings.failed.append(repr(error))
        raise
    finally:
        halves.close()
        if findings.failed or args.keep:
            print(f"     kept: {folder}, SEED={args.seed}", flush=True)
        else:
            shutil.rmtree(folder)
    sys.exit(1 if findings.failed else 0)


def soak(
    folder: Path, halves: Halves, findings: Findings, args: argparse.Namespace
) -> None:
    seconds = args.minutes * 60
    network = SoakNetwork(folder, args.nodes, halves, args.seed)
    describe(network, halves)
    count = int(args.rate * seconds)
    statements = make_statements(count, Random(f"statements {args.seed}"))
    load = Load(
        network.nodes,
        halves,
        statements,
        args.rate,
        args.batch,
        Random(f"load {args.seed}"),
    )
    with network:
        put_through(network, load, args)
        equal_after = wait_equal(network, load)
        findings.require(
            equal_after is not None and equal_after <= EQUAL_WITHIN,
            f"equal set roots {equal_after or WAIT_ON:.1f} s after the last statement"
            if equal_after is not None
            else f"no equal set roots within {WAIT_ON:.0f} s: {counts(network)}",
        )
        network.stop()
    print("\n".join(sorted(network.journal)), flush=True)
    judge_run(findings, network, load, args.minutes)
    judge_nodes(findings, network.nodes, list(load.acknowledged))
    print(table(network.nodes))
    tell_latency(load)


def describe(network: SoakNetwork, halves: Halves) -> None:
    how = "a veth pair between two network namespaces, set down"
    if not halves.are_apart:
        how = f"proxies between the halves ({halves.why_not})"
    slow = [link for half in network.links for link in half if link.delay]
    print(f"     parted by {how}; {len(slow)} links are slow and stall", flush=True)


def put_through(network: SoakNetwork, load: Load, args: argparse.Namespace) -> None:
    """Load and weather, until both are over."""
    over = threading.Event()
    started = time.monotonic()
    events = plan(args.seed, args.nodes, args.minutes * 60)
    with ThreadPoolExecutor(3) as pool:
        watching = pool.submit(network.watch, over)
        both = [pool.submit(load.run), pool.submit(network.suffer, events, started)]
        while wait(both, TOLD_SECONDS).not_done:
            print(
                f"     {time.monotonic() - started:5.0f} s: {load.offered:,} offered,"
                f" {len(load.acknowledged):,} acknowledged,"
                f" {len(network.journal)} of {len(events)} troubles over",
                flush=True,
            )
        over.set()
        for one in [*both, watching]:
            one.result()


def wait_equal(network: SoakNetwork, load: Load) -> float | None:
    """Seconds until all nodes held the same, with all that was acknowledged."""
    started = time.monotonic()
    while time.monotonic() - started < WAIT_ON:
        found = network.ask()
        roots = {one["set_root"] if one else None for one in found}
        held = [int(str(one["statements"])) for one in found if one]
        is_equal = len(roots) == 1 and None not in roots
        if is_equal and min(held) >= len(load.acknowledged):
            return time.monotonic() - started
        time.sleep(0.25)
    return None


def counts(network: SoakNetwork) -> list[object]:
    """How many statements each node holds."""
    return [one and one["statements"] for one in network.ask()]


def tell_latency(load: Load) -> None:
    late = load.latencies
    print(
        f"     from due to receipt: p50 {percentile(late, 0.5) * 1000:.0f} ms,"
        f" p99 {percentile(late, 0.99) * 1000:.0f} ms; failed attempts:"
        f" {dict(load.failures) or 'none'}"
    )


if __name__ == "__main__":
    main()
