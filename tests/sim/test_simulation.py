"""Whole nodes through bad times, and the bugs that a simulation has to find.

A seed that fails is played again by `make sim SEED=... NODES=... HOURS=...`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from tests.sim.malice import BACKDATING, KINDS
from tests.sim.mutants import MUTANTS, Mutant
from tests.sim.run import main
from tests.sim.simulation import Outcome, Plan, simulate

SMALL = Plan(1, nodes=6, seconds=10)


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_the_honest_agree_and_nothing_is_lost(seed: int) -> None:
    """Seed 5 keeps mirrors as well."""
    outcome = simulate(Plan(seed, nodes=10, seconds=25))
    assert outcome.problems == []
    assert outcome.settled is not None
    assert outcome.starts > 8, "nobody came back from a crash"


def test_ten_kinds_of_liars_change_nothing_for_the_honest() -> None:
    """As many liars as honest nodes, one of each kind."""
    assert len(KINDS) == 9, "and the one that is a whole node with a wrong clock"
    kinds = (BACKDATING, *(one.kind for one in KINDS))
    plan = Plan(1, nodes=20, seconds=20, malicious=0.5, faults=False, kinds=kinds)
    outcome = simulate(plan)
    assert outcome.problems == []
    assert outcome.settled is not None
    assert outcome.alarms > 0, "nobody noticed the log with two faces"


def test_one_seed_is_one_run() -> None:
    """Also in another process, where sets have another order."""
    code = f"from tests.sim.simulation import *\nprint(simulate({SMALL!r}).trace)"
    again = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    first = simulate(SMALL)
    assert first.events > 300
    assert first.trace == again.stdout.strip()
    assert first.trace != simulate(replace(SMALL, seed=2)).trace


@pytest.mark.parametrize("name", MUTANTS)
def test_each_invariant_finds_its_bug(name: str) -> None:
    """In one of a few seeds: which, depends on every line of production code."""
    mutant = MUTANTS[name]
    assert any(finds(mutant, seed) for seed in range(1, 6))


def finds(mutant: Mutant, seed: int) -> Outcome | None:
    outcome = simulate(replace(mutant.plan, seed=seed), mutant.plant)
    return outcome if any(mutant.finds in one for one in outcome.problems) else None


def test_what_was_found_can_be_played_again(capfd: pytest.CaptureFixture[str]) -> None:
    options = ["--nodes", "8", "--hours", "0.005", "--mutant", "no-proofs"]
    assert main(["--seeds", "12", "--jobs", "1", *options]) == 1
    found = re.search(
        r"FOUND   make sim SEED=(\d+) NODES=8 HOURS=0.005 MUTANT=no-proofs\n",
        capfd.readouterr().out,
    )
    assert found is not None
    assert main(["--seed", found[1], *options]) == 1
    assert "FOUND   " in capfd.readouterr().out
