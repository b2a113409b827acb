"""Builds the committed seeds again from tests/vectors: python -m tests.fuzz.corpus, or
of some targets alone: python -m tests.fuzz.corpus NAME...

Candidates are all strings of the vectors, as text and as what they are in hex and
base64, and the examples below.  Of these a target keeps, shortest first, each that
takes a way through our code which no shorter one took.
"""

from __future__ import annotations

import binascii
import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.examples import examples
from tests.fuzz.seeds import CORPUS
from tests.fuzz.targets import TARGETS, Target

VECTORS = Path(__file__).parent.parent / "vectors"
MAX_SEED = 16_384
MAX_TARGET = 24_000
"""Bytes of all seeds of one target."""
MIN_VALID = 8

Arc = tuple[str, int, int]


def strings_in(value: Any) -> Iterator[str]:
    """Every string of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings_in(item)


def readings(text: str) -> Iterator[bytes]:
    """What a string of a vector file may stand for."""
    yield text.encode("utf-8", "surrogateescape")
    try:
        yield bytes.fromhex(text)
    except ValueError:
        pass
    try:
        yield b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        pass


def candidates() -> list[bytes]:
    """Shortest first."""
    found = set()
    for path in sorted(VECTORS.glob("*.json")):
        for text in strings_in(json.loads(path.read_text("ascii"))):
            found.update(readings(text))
    return sorted(found, key=lambda data: (len(data), data))


def ways(target: Target, data: bytes) -> tuple[set[Arc], bool]:
    """The steps from line to line that the target takes in our packages; whether the
    data parsed."""
    arcs: set[Arc] = set()

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        name = frame.f_code.co_filename
        if "byline_" not in name:
            return None
        last = 0

        def step(frame: FrameType, event: str, arg: object) -> Any:
            nonlocal last
            arcs.add((name, last, frame.f_lineno))
            last = frame.f_lineno
            return step

        return step

    sys.settrace(trace)
    try:
        valid = target.accepts(data)
    finally:
        sys.settrace(None)
    return arcs, valid


def chosen(target: Target, inputs: list[bytes]) -> list[bytes]:
    """The shortest inputs that together go all the ways of all of them, and a few more
    valid ones of other lengths."""
    seen: set[Arc] = set()
    kept: list[bytes] = []
    lengths: set[int] = set()
    room = MAX_TARGET
    for data in inputs:
        if len(data) > min(MAX_SEED, room):
            continue
        arcs, valid = ways(target, data)
        other = valid and len(lengths) < MIN_VALID and len(data) not in lengths
        if arcs - seen or other:
            seen |= arcs
            kept.append(data)
            room -= len(data)
            lengths |= {len(data)} if valid else set()
    return kept


def main() -> None:
    everything = candidates()
    made = examples()
    CORPUS.mkdir(exist_ok=True)
    wanted = set(sys.argv[1:]) or {target.name for target in TARGETS}
    for target in (one for one in TARGETS if one.name in wanted):
        own = sorted(made.get(target.name, []), key=len)
        kept = chosen(target, [*own, *everything])
        texts = [b64encode(data).decode("ascii") for data in kept]
        path = CORPUS / f"{target.name}.json"
        path.write_text(json.dumps(texts, indent=0) + "\n", "ascii")
        valid = sum(target.accepts(data) for data in kept)
        size = path.stat().st_size
        print(f"{target.name}: {len(kept)} seeds, {valid} valid, {size} bytes")


if __name__ == "__main__":
    main()
