"""Runs simulations: one seed that is to be looked at, or many on all cores.

    make sim SEED=7 NODES=20 HOURS=0.02       one, again
    make sim SEEDS=1000 NODES=20              the seeds 1 to 1000
    make sim SEED=3 MUTANT=gossip-alone       with a bug that must be found

HOURS are those of bad times, in the time of the nodes.  The exit code is 1 if anything
was found; each seed that found it is named with the command that plays it again.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from multiprocessing import get_context

from tests.sim.mutants import MUTANTS
from tests.sim.simulation import Outcome, Plan, simulate

from byline_cli.memory import GARBAGE

HOURS = 1 / 60
SHOWN = 40
"""Last lines of trace and logs of a run that found something."""


def main(arguments: Sequence[str] | None = None) -> int:
    args = parse(arguments)
    gc.set_threshold(*GARBAGE)  # as nodes do: a tenth less time
    if args.seeds is None:
        return show(play(plan_of(args, args.seed), args.mutant), args)
    return run_many(args)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make sim", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, help="as many, from --seed on")
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--hours", type=float, default=HOURS)
    parser.add_argument("--malicious", type=float, default=0.2, help="share of nodes")
    parser.add_argument("--kinds", default="", help="of liars, with commas")
    parser.add_argument("--mutant", choices=sorted(MUTANTS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--lines", type=int, default=SHOWN, help="shown of a failure")
    return parser.parse_args(arguments)


def plan_of(args: argparse.Namespace, seed: int) -> Plan:
    return Plan(
        seed,
        args.nodes,
        args.hours * 3600,
        args.malicious,
        kinds=tuple(filter(None, args.kinds.split(","))),
    )


def play(plan: Plan, mutant: str | None = None) -> Outcome:
    return simulate(plan, MUTANTS[mutant].plant if mutant else nullcontext)


def command(args: argparse.Namespace, plan: Plan) -> str:
    more = [f"--malicious {plan.malicious:g}"] if plan.malicious != 0.2 else []
    more += [f"--kinds {','.join(plan.kinds)}"] if plan.kinds else []
    words = [f"make sim SEED={plan.seed} NODES={plan.nodes} HOURS={args.hours:.6g}"]
    words += [f"MUTANT={args.mutant}"] if args.mutant else []
    words += [f'ARGS="{" ".join(more)}"'] if more else []
    return " ".join(words)


# One


def show(outcome: Outcome, args: argparse.Namespace) -> int:
    plan = outcome.plan
    print(f"seed {plan.seed}: {plan.nodes} nodes, {outcome.starts} starts")
    print(f"        {outcome.virtual:.0f} s of theirs in {outcome.wall:.1f} s of ours")
    print(f"        {outcome.events} events, trace {outcome.trace}")
    print(f"        small limits: {', '.join(outcome.knobs) or 'none'}")
    if outcome.settled is not None:
        print(
            f"        agreed on {outcome.strings} strings {outcome.settled:.0f} s",
            end="",
        )
        print(f" after healing; {outcome.alarms} alarms about liars")
    shown = outcome.last[-args.lines :] if args.lines else []
    for line in shown if outcome.problems else ():
        print(f"   {line}")
    for problem in outcome.problems:
        print(f"FOUND   {problem}")
    return 1 if outcome.problems else 0


# Many


def run_many(args: argparse.Namespace) -> int:
    plans = [plan_of(args, args.seed + n) for n in range(args.seeds)]
    started, failed, done = time.monotonic(), [], []
    for outcome in outcomes(plans, args):
        done.append(outcome)
        if outcome.problems:
            failed.append(outcome)
            print_over(f"FOUND   {command(args, outcome.plan)}\n")
            print_over(f"        {outcome.problems[0]}\n")
        report(len(done), len(plans), len(failed), time.monotonic() - started)
    summarize(done, failed, args, time.monotonic() - started)
    return 1 if failed else 0


def outcomes(plans: Sequence[Plan], args: argparse.Namespace) -> Iterator[Outcome]:
    # Forked, so that libraries are loaded once.
    with ProcessPoolExecutor(args.jobs, get_context("fork")) as pool:
        jobs = [pool.submit(play, plan, args.mutant) for plan in plans]
        for job in as_completed(jobs):
            yield job.result()


def report(done: int, total: int, failed: int, seconds: float) -> None:
    left = seconds / done * (total - done)
    line = f"{done}/{total} seeds, {failed} found something, {left:.0f} s left"
    if sys.stderr.isatty():
        print_over(line)
    elif done % max(1, total // 10) == 0:
        print(line, file=sys.stderr, flush=True)


def print_over(text: str) -> None:
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(start + text, end="", file=sys.stderr, flush=True)


def summarize(
    done: Sequence[Outcome],
    failed: Sequence[Outcome],
    args: argparse.Namespace,
    seconds: float,
) -> None:
    print_over("")
    hours = sum(one.virtual * one.plan.nodes for one in done) / 3600
    settled = sorted(one.settled for one in done if one.settled is not None)
    print(f"{len(done)} seeds of {args.nodes} nodes in {seconds:.0f} s")
    print(f"        {hours:.1f} node-hours, {sum(one.events for one in done):,} events")
    print(f"        {sum(one.starts for one in done):,} starts of nodes")
    if settled:
        middle, worst = settled[len(settled) // 2], settled[-1]
        print(f"        agreed {middle:.0f} s after healing, {worst:.0f} s at most")
    for outcome in failed:
        print(f"FOUND   {command(args, outcome.plan)}")
    print(f"{len(failed)} of {len(done)} seeds found something")


if __name__ == "__main__":
    sys.exit(main())
