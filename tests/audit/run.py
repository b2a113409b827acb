"""Audit a node of 100,000 statements, then damaged copies, then a node that hides one.

    make audit                 or: python tests/audit/run.py [--statements N] [--seed S]

Holds if: the audit of the running node is clean; after one flipped bit in a copied
body, hash tile, commitment or checkpoint it names the place; a node that left one
statement out of its lookup set is caught, and the alarm file says so to somebody who
has nothing else and no network.  All audits of the honest log share what they keep.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from unittest.mock import patch

from byline_ledger.content import work_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.entry import StatementEntry
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement, sign_statement
from byline_ledger.tiles import Tile
from byline_node.demo_network import DemoNetwork

BYLINE = (sys.executable, "-m", "byline_cli")
BATCH = 1_000


def require(holds: bool, what: str) -> None:
    print(f"{'ok  ' if holds else 'FAIL'} {what}", flush=True)
    if not holds:
        sys.exit(1)


def statements(count: int, seed: int) -> Iterator[Statement]:
    random = Random(seed)
    keys = [SigningKey.from_seed(random.randbytes(32)) for _ in range(20)]
    for number in range(count):
        about = digest_bytes(f"{seed} {number}".encode())
        fields = work_fields(
            about=about,
            made="human",
            time=1_790_000_000_000 + number,
            salt=random.randbytes(16),
        )
        yield sign_statement(fields, random.choice(keys))


def fill(folder: Path, count: int, seed: int) -> None:
    """A node whose log holds so many statements, in commits of 1,000."""
    ledger = Ledger.init(folder)
    batch: list[Statement] = []
    for statement in statements(count, seed):
        batch.append(statement)
        if len(batch) == BATCH:
            ledger.append(batch)
            batch = []
    if batch:
        ledger.append(batch)
    ledger.close()


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    code: int
    text: str
    seconds: float


def byline(home: Path, *arguments: str, before: tuple[str, ...] = ()) -> Ran:
    started = time.monotonic()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("BYLINE_")}
    done = subprocess.run(
        [*before, *BYLINE, *arguments],
        env=clean | {"BYLINE_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout + done.stderr, time.monotonic() - started)


def flip(path: Path, at: int) -> None:
    """One bit of a file, anew: the original may be a hard link's other name."""
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.unlink()
    path.write_bytes(data)


def damage(copy: Path, count: int) -> dict[str, tuple[Path, int, str]]:
    """What is damaged: the file, the byte, and what the audit must say."""
    batches = count // BATCH
    body = sorted((copy / "statements").rglob("*"))
    some = next(one for one in body[len(body) // 2 :] if one.is_file())
    # The commitment that ends the second commit: the last entry of its bundle's part.
    index = 1 + 2 * (BATCH + 1) - 1
    assert batches >= 2
    bundle = copy / Tile(None, index // 256).to_path()
    data = bundle.read_bytes()
    above = next(one for one in (copy / "tile/1").rglob("*") if one.is_file())
    at = 0
    for _ in range(index % 256):
        at += 2 + int.from_bytes(data[at : at + 2], "big")
    return {
        "a body": (some, 150, some.name),
        "a hash tile": (copy / Tile(0, 3).to_path(), 77, Tile(0, 3).to_path()),
        "a tile above": (above, 77, str(above.relative_to(copy))),
        "a commitment": (bundle, at + 20, "entr"),
        "the checkpoint": (copy / "checkpoint", -20, "checkpoint"),
    }


def audit_damaged(home: Path, export: Path, work: Path, count: int) -> None:
    for name in damage(export, count):
        copy = work / "copy"
        shutil.copytree(export, copy, copy_function=os.link)
        path, at, says = damage(copy, count)[name]
        flip(path, at)
        ran = byline(home, "audit", str(copy), "--state", str(work / "state"))
        line = ran.text.strip().splitlines()[-1]
        require(ran.code == 1 and says in ran.text, f"one bit of {name}: {line}")
        shutil.rmtree(copy)


def hide(folder: Path, count: int, seed: int, hidden: int) -> None:
    """A node that logs a statement and leaves it out of what it commits to."""
    kept = StatementEntry.lookup_strings
    secret = list(statements(hidden + 1, seed))[hidden].id

    def strings(entry: StatementEntry) -> list[bytes]:
        return [] if entry.id == secret else list(kept(entry))

    with patch.object(StatementEntry, "lookup_strings", strings):
        fill(folder, count, seed)


def run(work: Path, count: int, seed: int) -> None:
    reader = work / "reader"
    honest = work / "honest"
    started = time.monotonic()
    fill(honest / "node", count, seed)
    print(f"     filled a log of {count:,} in {time.monotonic() - started:.0f} s")
    with DemoNetwork(work, [*BYLINE, "node", "run"]) as network:
        (node,) = network.start(["honest"])
        ran = byline(reader, "audit", node.api, "--state", str(work / "state"))
        rate = count / ran.seconds
        print(ran.text)
        require(
            ran.code == 0,
            f"the running node is clean: {ran.seconds:.0f} s, {rate:,.0f} entries/s",
        )
    export = work / "export"
    ran = byline(honest, "log", "export", str(export))
    require(ran.code == 0, f"exported in {ran.seconds:.0f} s")
    audit_damaged(reader, export, work, count)
    shutil.rmtree(work / "state")
    hide(work / "hiding" / "node", count, seed + 1, count // 3)
    with DemoNetwork(work, [*BYLINE, "node", "run"]) as network:
        (node,) = network.start(["hiding"])
        alarm = work / "the.alarm"
        ran = byline(
            reader,
            *("audit", node.api, "--state", str(work / "state")),
            *("--alarm-out", str(alarm)),
        )
    line = ran.text.strip().splitlines()[-1]
    require(ran.code == 4 and alarm.is_file(), f"the node that hides one: {line}")
    ran = byline(
        work / "nobody",
        *("alarm", "verify", str(alarm)),
        before=("unshare", "--net", "--map-root-user"),
    )
    print(ran.text)
    size = alarm.stat().st_size
    require(ran.code == 4, f"the alarm ({size:,} bytes) convinces a stranger, offline")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="byline-audit-") as folder:
        run(Path(folder), options.statements, options.seed)


if __name__ == "__main__":
    main()
