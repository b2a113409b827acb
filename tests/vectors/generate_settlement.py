"""Writes settlement.json, the vectors of docs/spec/settlement.md, from that page alone.

    python tests/vectors/generate_settlement.py            write the file
    python tests/vectors/generate_settlement.py --check    compare it with what is there

A case has the rows of a manifest as `works`, and `statements` and `missing` as in
state.json, whose names stand for bytes in the same way.  The cooperative is `group`,
the moment `now`.  Expected are the files rows.csv and members.csv, and the root of the
rows.  Imports nothing of the program.
"""

from __future__ import annotations

import json
import sys
from itertools import chain
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import settlement_cases as cases
from naive_settlement import members_csv, members_of, root, rows_csv, rows_of
from naive_state import World

GROUP, NOW = "g", 2_000
RANDOM_CASES = 30
SEED = 5


def expected(case: dict[str, Any]) -> dict[str, Any]:
    world = World({**case, "as_of": {"now": NOW}})
    sizes: dict[str, int] = {}
    for one in case["works"]:
        sizes.setdefault(one["work"], one["bytes"] or 0)
    rows = rows_of(world, sizes, GROUP, cases.TRAIN)
    prices = {one["id"]: one["price"] for one in case["statements"] if "price" in one}
    members = members_of(rows, prices)
    check_by_hand(case, {one[0]: (one[1], one[2], one[5]) for one in members})
    csv = rows_csv(rows)
    return {"rows": csv, "members": members_csv(members), "root": root(csv)}


def check_by_hand(case: dict[str, Any], found: dict[str, Any]) -> None:
    """What the case says by hand has to be what the oracle says."""
    wanted = case.pop("hand")
    assert wanted in (None, found), (case["name"], wanted, found)


def document() -> str:
    written = []
    for case in chain(
        cases.claim_cases(),
        cases.share_cases(),
        cases.contest_cases(),
        cases.offer_cases(),
        cases.due_cases(),
        cases.random_cases(SEED, RANDOM_CASES),
    ):
        found = expected(case)
        written.append(json.dumps({**case, "expect": found}, sort_keys=True))
    head = f'{{"group": "{GROUP}", "use": "{cases.TRAIN}", "now": {NOW}, "cases": [\n'
    return head + ",\n".join(written) + "\n]}\n"


def main() -> None:
    path = Path(__file__).with_name("settlement.json")
    text = document()
    if "--check" not in sys.argv[1:]:
        path.write_text(text, "ascii")
        print(f"{path.name}: {len(text)} bytes")
    elif path.read_text("ascii") != text:
        sys.exit(f"{path.name} is not what {Path(__file__).name} writes")


if __name__ == "__main__":
    main()
