"""Fuzzes one group of targets with atheris: what tests/fuzz/run.py starts.

python -m tests.fuzz.one_group GROUP FOLDER LIBFUZZER-OPTION...
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["byline_ledger", "byline_node", "opentimestamps"]
):
    from tests.fuzz.seeds import seeds
    from tests.fuzz.targets import GROUPS, check_selected, selected


def main(group: str, folder: Path, options: list[str]) -> None:
    """Seeds the folder, then goes on until an option or a finding ends it."""
    folder.mkdir(parents=True, exist_ok=True)
    for target in GROUPS[group]:
        for number, data in enumerate(seeds(target)):
            (folder / f"{target.name}-{number}").write_bytes(selected(target, data))

    def one(data: bytes) -> None:
        check_selected(group, data)

    atheris.Setup([sys.argv[0], str(folder), *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
