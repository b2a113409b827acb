"""What many works at once cost: bundles of 512, built and verified, and their size.

    python -m benchmarks.consent [--statements N] [--works M] [--folder DIR] [--profile]

The log gets N statements, one `work` about each of N digests, by 100 authors; with
--folder it is kept there, and used again.  Then M of its works are asked for, in the
order in which they were published and in one that is shuffled, and M works of which
nothing is known.  One process, one thread: CPU seconds.  Shared machines change their
speed all the same, so each line ends with what a bare signature took meanwhile.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import TypeVar

from nacl.bindings import crypto_sign_open

from byline_ledger.bundle import build_shared
from byline_ledger.chain import MAX_ASKED
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement, sign_statement
from byline_ledger.verify import verify_bundle

AUTHORS = 100
BATCH = 4096
NODE = "node"
"""Where the log is in the folder, so that it is the home of a node."""
PICTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"

T = TypeVar("T")


def work(number: int) -> bytes:
    """The digest of work `number`."""
    return digest_bytes(b"work %d" % number)


def statements(count: int) -> Iterator[Statement]:
    """One work each, as a photographer's folder would be attested."""
    random = Random(1)
    keys = [SigningKey.from_seed(random.randbytes(32)) for _ in range(AUTHORS)]
    use = ("allowed", "notAllowed")
    for number in range(count):
        fields = {
            "type": "work",
            "time": 1_790_000_000_000 + number,
            "about": work(number),
            "salt": random.randbytes(16),
            "title": f"Photograph number {number} of a long series",
            "source-type": PICTURE,
            "license": "CC-BY-4.0",
            "media-type": "image/jpeg",
            "size": random.randrange(10_000_000),
            "uses": {"cawg.ai_generative_training": {"use": use[number % 2]}},
        }
        yield sign_statement(fields, keys[number * AUTHORS // count])


def fill(folder: Path, count: int) -> Ledger:
    """A log of so many statements, made or found in the folder."""
    if (folder / NODE).exists():
        return Ledger.open(folder / NODE)
    started = time.perf_counter()
    ledger = Ledger.init(folder / NODE)
    batch: list[Statement] = []
    for one in statements(count):
        batch.append(one)
        if len(batch) == BATCH:
            ledger.append(batch)
            batch = []
    if batch:
        ledger.append(batch)
    print(f"log        {count:,} statements in {time.perf_counter() - started:.0f} s")
    return ledger


def timed(action: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds of this thread that it took, and what it returned."""
    started = time.thread_time()
    result = action()
    return time.thread_time() - started, result


def bare() -> float:
    """CPU seconds of one verification by PyNaCl alone, of 400 bytes."""
    key = SigningKey.from_seed(bytes(32))
    signed = key.sign(bytes(400)) + bytes(400)
    rounds = 500
    took, _ = timed(
        lambda: [crypto_sign_open(signed, key.public) for _ in range(rounds)]
    )
    return took / rounds


def measure(ledger: Ledger, name: str, digests: list[bytes]) -> None:
    view, built, verified, size = ledger.view, 0.0, 0.0, 0
    alone = [bare()]
    for start in range(0, len(digests), MAX_ASKED):
        asked = digests[start : start + MAX_ASKED]
        took, bundle = timed(lambda asked=asked: build_shared(view, asked, depth=0))
        built, size = built + took, size + len(bundle)
        took, verdict = timed(
            lambda asked=asked, bundle=bundle: verify_bundle(bundle, digests=asked)
        )
        verified += took
        assert verdict.ok, verdict.failure()
        assert len(verdict.answers) == len(asked)
        assert not verdict.capped
        alone.append(bare())
    count = len(digests)
    print(
        f"{name:10} built {1e3 * built / count:.3f} ms, verified"
        f" {1e3 * verified / count:.3f} ms, {size / count:,.0f} bytes a work; bare"
        f" {1e3 * sum(alone) / len(alone):.3f} ms"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--statements", type=int, default=100_000)
    arguments.add_argument("--works", type=int, default=5_120)
    arguments.add_argument("--folder", type=Path)
    arguments.add_argument("--profile", action="store_true")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ledger = fill(given.folder or Path(folder), given.statements)
        first = Random(2).randrange(max(1, given.statements - given.works))
        ordered = [work(first + number) for number in range(given.works)]
        random = Random(3)
        numbers = [random.randrange(given.statements) for _ in range(given.works)]
        shuffled = [work(number) for number in dict.fromkeys(numbers)]
        unknown = [work(-1 - number) for number in range(given.works)]
        profile = cProfile.Profile() if given.profile else None
        if profile is not None:
            profile.enable()
        measure(ledger, "in order", ordered)
        measure(ledger, "shuffled", shuffled)
        measure(ledger, "unknown", unknown)
        if profile is not None:
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        ledger.close()


if __name__ == "__main__":
    main()
