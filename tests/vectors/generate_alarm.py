"""Writes alarm.json, the vectors of docs/spec/alarm.md, from the page alone.

    python tests/vectors/generate_alarm.py            write the file
    python tests/vectors/generate_alarm.py --check    compare it with what is there

`alarm` is a file, in hex; where it is long, an array of pieces of hex and how often
each is repeated.  `expect` is "ok" (it proves this `kind` of the log `origin`),
"verification" (it is well-formed and proves nothing), "malformed" or "unsupported".  An
invalid case differs from a valid one in one thing.  Imports nothing of the program and
no signature library.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from alarm_cases_leaves import entry_cases, repeat_cases
from alarm_cases_malformed import malformed_cases
from alarm_cases_notes import equivocation_cases, fork_cases
from alarm_cases_sets import commitment_cases, omission_cases

GROUPS = {
    "equivocation": equivocation_cases,
    "fork": fork_cases,
    "entry": entry_cases,
    "repeat": repeat_cases,
    "commitment": commitment_cases,
    "omission": omission_cases,
    "form": malformed_cases,
}


def main() -> None:
    path = Path(__file__).with_name("alarm.json")
    vectors = {name: make() for name, make in GROUPS.items()}
    text = json.dumps(vectors, indent=1, sort_keys=True) + "\n"
    if "--check" not in sys.argv[1:]:
        path.write_text(text, "ascii")
        print(f"{path.name}: {len(text)} bytes")
    elif path.read_text("ascii") != text:
        sys.exit(f"{path.name} is not what {Path(__file__).name} writes")


if __name__ == "__main__":
    main()
