"""Writes label.json, the vectors of docs/spec/label.md, from that page alone.

    python tests/vectors/generate_label.py            write the file
    python tests/vectors/generate_label.py --check    compare it with what is there

A case has the intended `use`, the `rows` of the manifest in their order, and `answers`
by digest: of the work that is asked for, the fields of "Answer in JSON" in
docs/spec/state.md that a label reads, with `keys` beside them; what is absent is null,
empty, or not read.  Expected are the `lines` of items.csv below its header, where every
proof is `p`, and the `figures`.  Imports nothing of the program.
"""

from __future__ import annotations

import json
import sys
from itertools import chain
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import label_cases as cases
from label_random import random_cases
from naive_label import figures, item, line

RANDOM_CASES = 25
SEED = 5


def expected(case: dict[str, Any]) -> dict[str, Any]:
    items = [item(row, case["answers"][row["digest"]]) for row in case["rows"]]
    return {
        "lines": [line(one, "p") for one in items],
        "figures": figures(case["use"], items),
    }


def check_by_hand(case: dict[str, Any], found: dict[str, Any]) -> None:
    """What the case says by hand has to be what the oracle says."""
    for path, wanted in case.pop("hand").items():
        value = found["figures"]
        for step in path.split("."):
            value = value[step]
        assert value == wanted, (case["name"], path, wanted, value)


def document() -> str:
    written = []
    for case in chain(
        cases.made_cases(),
        cases.column_cases(),
        cases.trust_cases(),
        cases.consent_cases(),
        cases.depth_cases(),
        cases.list_cases(),
        cases.size_cases(),
        cases.near_cases(),
        random_cases(SEED, RANDOM_CASES),
    ):
        found = expected(case)
        check_by_hand(case, found)
        written.append(json.dumps({**case, "expect": found}, sort_keys=True))
    return '{"cases": [\n' + ",\n".join(written) + "\n]}\n"


def main() -> None:
    path = Path(__file__).with_name("label.json")
    text = document()
    if "--check" not in sys.argv[1:]:
        path.write_text(text, "ascii")
        print(f"{path.name}: {len(text)} bytes")
    elif path.read_text("ascii") != text:
        sys.exit(f"{path.name} is not what {Path(__file__).name} writes")


if __name__ == "__main__":
    main()
