"""First figures: verify, append, commit, query, verify a bundle; beside bare Ed25519.

    make bench        or: python benchmarks/run.py [--log N] [--batches N] [--queries N]

One process, one thread, one run.  Machines are noisy, so each rate stands beside that
of PyNaCl's bare verification of 400-byte messages, measured right before and after.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeVar

from nacl.bindings import crypto_sign_open

from byline_ledger.bundle import build_bundle
from byline_ledger.content import work_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.log import Ledger
from byline_ledger.statement import Source, Statement, sign_statement
from byline_ledger.verify import verify_bundle

BATCH = 1000
AUTHORS = 100

T = TypeVar("T")


def statements(count: int, seed: int) -> Iterator[Statement]:
    """Works by 100 authors, every tenth made from an earlier one; deterministic."""
    random = Random(seed)
    keys = [SigningKey.from_seed(random.randbytes(32)) for _ in range(AUTHORS)]
    for number in range(count):
        sources: tuple[Source, ...] = ()
        if number % 10 == 9:
            earlier = digest_bytes(f"{seed} {random.randrange(number)}".encode())
            sources = (Source(earlier, "componentOf"),)
        fields = work_fields(
            about=digest_bytes(f"{seed} {number}".encode()),
            made="human",
            title=f"Photograph number {number} of a long series",
            license="CC-BY-4.0",
            uses={"ai_generative_training": "notAllowed"},
            sources=sources,
            media_type="image/jpeg",
            size=random.randrange(10_000_000),
            time=1_790_000_000_000 + number,
            salt=random.randbytes(16),
        )
        yield sign_statement(fields, random.choice(keys))


def timed(action: Callable[[], T]) -> tuple[float, T]:
    """Seconds that the action took, and what it returned."""
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def quantiles(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
    return f"p50 {1e3 * p50:6.2f} ms   p99 {1e3 * p99:6.2f} ms"


def bare_verify() -> float:
    """Verifications per second of PyNaCl alone: 400-byte messages."""
    key = SigningKey.from_seed(bytes(32))
    message = bytes(400)
    signed = key.sign(message) + message
    rounds = 5_000
    seconds, _ = timed(
        lambda: [crypto_sign_open(signed, key.public) for _ in range(rounds)]
    )
    return rounds / seconds


def envelopes(count: int, seed: int) -> list[bytes]:
    return [one.to_envelope() for one in statements(count, seed)]


def check(batch: Sequence[bytes]) -> list[Statement]:
    """What a node does with bytes from outside: parse strictly, verify."""
    parsed = [Statement.from_envelope(one) for one in batch]
    for one in parsed:
        one.verify()
    return parsed


def bench_append(ledger: Ledger, count: int) -> None:
    batches = [envelopes(BATCH, 10_000 + number) for number in range(count)]
    verify, commit = [], []
    before = bare_verify()
    for batch in batches:
        seconds, parsed = timed(partial(check, batch))
        verify.append(seconds)
        commit.append(timed(partial(ledger.append, parsed))[0])
    bare = (before + bare_verify()) / 2
    print(f"{'bare':8} {bare:9,.0f} verifications/s by PyNaCl alone")
    both = [a + b for a, b in zip(verify, commit, strict=True)]
    for name, times in (("verify", verify), ("commit", commit), ("both", both)):
        rate = BATCH / statistics.median(times)
        print(f"{name:8} {rate:9,.0f} statements/s, {rate / bare:.2f} of bare")


def bench_single(ledger: Ledger, count: int) -> None:
    singles = list(statements(count, 77))
    times = [timed(partial(ledger.append, [one]))[0] for one in singles]
    print(f"single   {quantiles(times)}  (one statement, one durable commit)")


def bench_queries(ledger: Ledger, count: int, size: int) -> None:
    random = Random(5)
    view = ledger.view
    known = [digest_bytes(f"1 {random.randrange(size)}".encode()) for _ in range(count)]
    for name, digests in (
        ("query", known),
        ("absent", [digest_bytes(random.randbytes(8)) for _ in range(count)]),
    ):
        built = [timed(partial(build_bundle, view, one)) for one in digests]
        bundles = [bundle for _, bundle in built]
        build = [seconds for seconds, _ in built]
        proof = [timed(partial(verify_bundle, one))[0] for one in bundles]
        assert all(verify_bundle(one).ok for one in bundles[:20])
        sizes = sorted(map(len, bundles))
        print(f"{name:8} {quantiles(build)}  (bundle built)")
        print(f"{'':8} {quantiles(proof)}  (bundle verified)")
        print(f"{'':8} p50 {sizes[len(sizes) // 2]:,} bytes, largest {sizes[-1]:,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--queries", type=int, default=1_000)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="byline-bench-"))
    try:
        run(folder / "node", options)
    finally:
        shutil.rmtree(folder)


def run(folder: Path, options: argparse.Namespace) -> None:
    ledger = Ledger.init(folder)
    batch: list[Statement] = []
    for one in statements(options.log, 1):
        batch.append(one)
        if len(batch) == BATCH:
            ledger.append(batch)
            batch = []
    print(f"log      {ledger.view.statement_count:9,} statements to begin with")
    bench_append(ledger, options.batches)
    bench_single(ledger, 200)
    bench_queries(ledger, options.queries, options.log)
    bare = 1e3 / bare_verify()
    print(f"{'bare':8} one verification by PyNaCl alone takes {bare:.3f} ms")
    count = ledger.view.statement_count
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    closing, _ = timed(ledger.close)
    opening, ledger = timed(partial(Ledger.open, folder))
    ledger.close()
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"disk     {disk / count:9,.0f} bytes per statement, {count:,} statements")
    print(
        f"memory   {rss:9,.0f} MiB peak (this process, statements made here included)"
    )
    print(f"reopen   {closing:9.2f} s to close, {opening:.2f} s to open again")


if __name__ == "__main__":
    main()
