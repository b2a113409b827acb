"""Writes log_*.json, the vectors of docs/spec/log.md, from the specification alone.

    python tests/vectors/generate_log.py            write the files
    python tests/vectors/generate_log.py --check    compare them with what is there

Every case has a `name`, an input, and `expect`: "ok", or the kind of error that a
reader owes it; an invalid case differs from a valid one in one thing.  Bytes are in
hex; where they are many, an array of pieces of hex and how often each is repeated.
Imports nothing of the program and no signature library: naive_bundle.py has slow and
straight ones.  The same files each time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from log_cases_checkpoints import checkpoint_vectors, cosignature_vectors
from log_cases_entries import (
    entry_vectors,
    example_vectors,
    lookup_vectors,
)
from log_cases_files import restored_vectors, tombstone_vectors
from log_cases_notes import note_vectors
from log_cases_policies import policy_vectors
from log_cases_proofs import proof_vectors
from log_cases_tiles import tile_vectors
from log_cases_tree import tree_vectors

FILES: dict[str, Callable[[], dict[str, Any]]] = {
    "log_tree.json": tree_vectors,
    "log_entry.json": entry_vectors,
    "log_lookup.json": lookup_vectors,
    "log_tiles.json": tile_vectors,
    "log_note.json": note_vectors,
    "log_checkpoint.json": checkpoint_vectors,
    "log_cosignature.json": cosignature_vectors,
    "log_policy.json": policy_vectors,
    "log_proof.json": proof_vectors,
    "log_tombstone.json": tombstone_vectors,
    "log_restored.json": restored_vectors,
    "log_example.json": example_vectors,
}


def main() -> None:
    check = "--check" in sys.argv[1:]
    for name, make in FILES.items():
        path = Path(__file__).with_name(name)
        text = json.dumps(make(), indent=1, sort_keys=True) + "\n"
        if not check:
            path.write_text(text, "ascii")
            print(f"{name}: {len(text)} bytes")
        elif path.read_text("ascii") != text:
            sys.exit(f"{name} is not what {Path(__file__).name} writes")


if __name__ == "__main__":
    main()
