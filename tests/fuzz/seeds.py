"""The committed seeds: tests/fuzz/corpus/<target>.json, a list of base64 strings.

Inputs that once broke something stand in found.json and are kept for good.
"""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

from tests.fuzz.targets import Target

CORPUS = Path(__file__).parent / "corpus"


def seeds(target: Target) -> list[bytes]:
    """The committed seeds, and what was found for this target."""
    return read_list(CORPUS / f"{target.name}.json") + found(target)


def found(target: Target) -> list[bytes]:
    """Inputs that once broke this target."""
    listed = json.loads((Path(__file__).parent / "found.json").read_text("ascii"))
    return [b64decode(text, validate=True) for text in listed.get(target.name, [])]


def read_list(path: Path) -> list[bytes]:
    return [b64decode(text, validate=True) for text in json.loads(path.read_bytes())]
