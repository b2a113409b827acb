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


USUAL_LENGTH = 4096


def main(group: str, folder: Path, options: list[str]) -> None:
    """Goes on from the seeds, and from what is in the folder, until an option or a
    finding ends it."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = write_seeds(group, folder)
    longest = max(path.stat().st_size for path in paths)
    begin = [f"-seed_inputs={','.join(map(str, paths))}"]
    begin.append(f"-max_len={max(longest, USUAL_LENGTH)}")

    def one(data: bytes) -> None:
        check_selected(group, data)

    atheris.Setup([sys.argv[0], str(folder), *begin, *options], one)
    atheris.Fuzz()


def write_seeds(group: str, folder: Path) -> list[Path]:
    """Beside the folder and in an order of ours: a folder's own differs by machine."""
    beside = folder.with_name(f"{folder.name}-seeds")
    beside.mkdir(exist_ok=True)
    paths = []
    for target in GROUPS[group]:
        for number, data in enumerate(seeds(target)):
            paths.append(beside / f"{target.name}-{number}")
            paths[-1].write_bytes(selected(target, data))
    return paths


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
