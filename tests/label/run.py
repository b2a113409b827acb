"""The label of a folder of mixed files, made, validated, loaded, checked, and caught.

    make label N=300           or: python tests/label/run.py [--files N] [--seed S]

Holds if: the figures are those of the plan (works.py); mlcroissant validates and loads
croissant.json; `label verify` passes; then one changed byte in one file is named, so
is a withdrawal that the maker hides, signing anew; and a later withdrawal makes the
label stale.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.label.works import Plan, write_all

from byline_ledger.bundle import Bundle
from byline_ledger.content import withdraw_fields
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.digest import digest_bytes
from byline_ledger.label_document import label_bytes
from byline_ledger.statement import sign_statement
from byline_ledger.store.keystore import KeyStore
from byline_node import label_making
from byline_node.home import Home
from byline_node.label_proofs import DEPTH
from byline_node.local import LocalClient

BYLINE = (sys.executable, "-m", "byline_cli")
USE = "ai_generative_training"


def require(holds: bool, what: str) -> None:
    print(f"{'ok  ' if holds else 'FAIL'} {what}", flush=True)
    if not holds:
        sys.exit(1)


@contextmanager
def timed(what: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    print(f"     {what}: {time.monotonic() - start:.1f} s", flush=True)


class Bench:
    """One temporary place with a home, a folder of works and its label."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.home = Home(place / "home")
        self.works, self.label = place / "works", place / "label"

    def byline(self, *arguments: object, home: Path | None = None) -> tuple[int, str]:
        """Exit code and output of a command."""
        environ = os.environ | {"BYLINE_HOME": str(home or self.home.folder)}
        done = subprocess.run(
            [*BYLINE, *map(str, arguments)],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def document(self) -> dict[str, Any]:
        return json.loads((self.label / "label.json").read_text("utf-8"))  # type: ignore[no-any-return]


def make(bench: Bench, count: int, seed: int) -> Plan:
    """Files, statements, and a copy of the store from before the withdrawals."""
    with timed(f"{count:,} files and what is said of them"):
        plan = write_all(bench.works, count, seed)
    bench.byline("key", "new", "--no-passphrase")
    with (
        timed(f"{len(plan.first):,} statements published"),
        LocalClient(bench.home) as client,
    ):
        client.publish(plan.first)
    shutil.copytree(bench.home.folder, bench.place / "before")
    with LocalClient(bench.home) as client:
        client.publish(plan.later)
    with timed("label"):
        code, said = bench.byline(
            "label",
            bench.works,
            "--for",
            USE,
            "--out",
            bench.label,
            "--title",
            "Mixed files",
        )
    print(said)
    require(code == 0, "byline label")
    return plan


def check_figures(bench: Bench, plan: Plan, count: int) -> None:
    label = bench.document
    made = {word: one["items"] for word, one in label["ingredients"].items()}
    require(sum(made.values()) == count, "every file is in one slice")
    require(made == {word: plan.made[word] for word in made}, f"how made: {made}")
    verdicts = label["consent"][f"cawg.{USE}"]
    found = {word: one["items"] for word, one in verdicts.items()}
    require(found == {w: plan.consent[w] for w in found}, f"consent: {found}")
    trust = {**label["trust"], "objected": label["objections"]["items"]}
    require(trust == {w: plan.trust[w] for w in trust}, f"trust: {trust}")
    near = label["near_duplicates"]
    require(
        (near["clusters"], near["items"]) == (plan.near, 2 * plan.near),
        f"{near['clusters']:,} groups of near-duplicates",
    )


def check_croissant(bench: Bench, count: int) -> None:
    """mlcroissant's own command, and its loader."""
    try:
        import mlcroissant
    except ImportError:
        print("skip mlcroissant is not installed: make label installs it")
        return
    path = bench.label / "croissant.json"
    program = Path(sys.executable).with_name("mlcroissant")
    done = subprocess.run(
        [str(program), "validate", "--jsonld", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    require(done.returncode == 0 and "error(s)" not in said, "mlcroissant validates it")
    rows = list(mlcroissant.Dataset(jsonld=str(path)).records("works"))
    require(len(rows) == count, f"mlcroissant loads {len(rows):,} works")
    with (bench.label / "items.csv").open(newline="") as file:
        digests = [row["digest"] for row in csv.DictReader(file)]
    loaded = [row["works/digest"].decode() for row in rows]
    require(loaded == digests, "the works loaded are those of items.csv")


def check_changed_byte(bench: Bench, plan: Plan) -> None:
    path = bench.works / plan.paths[len(plan.paths) // 3]
    name, data = path.relative_to(bench.works).as_posix(), path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    code, said = bench.byline("label", "verify", bench.label, "--files", bench.works)
    print(said)
    require(
        code == 1 and f"changed  {name}" in said, f"one changed byte in {name} is named"
    )
    path.write_bytes(data)


def check_hidden_withdrawal(bench: Bench, plan: Plan) -> None:
    """The maker takes a proof from before the withdrawal, corrects the line, counts
    anew and signs: as good a forgery as can be made without the log's key."""
    forged = bench.place / "forged"
    shutil.copytree(bench.label, forged)
    with (forged / "items.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    target = next(row for row in rows if row["path"] == plan.withdrawn_path)
    with_it = [row for row in rows if row["proof"] == target["proof"]]
    digests = list(
        dict.fromkeys(b"\x12\x20" + bytes.fromhex(row["digest"]) for row in with_it)
    )
    with LocalClient(Home(bench.place / "before")) as client:
        ((old, _),) = client.prove_many(digests, depth=DEPTH)
    (forged / target["proof"]).write_bytes(old)
    text = (forged / "items.csv").read_text("utf-8")
    line = next(one for one in text.splitlines() if plan.withdrawn_path in one)
    lie = line.replace("unattested", "human").replace(",1,#", ",0,#")
    (forged / "items.csv").write_text(text.replace(line, lie), "utf-8")
    sign_again(bench, forged)
    code, said = bench.byline("label", "verify", forged, "--ask")
    print(said)
    named = "such as a withdrawal, is hidden" in said and plan.withdrawn_path in said
    what = f"the withdrawal of {plan.withdrawn_path}"
    require(code == 1 and named, f"{what}, hidden by an older proof, is named")
    shutil.copyfile(bench.label / target["proof"], forged / target["proof"])
    cut_out(forged / target["proof"], plan.later[0].id)
    sign_again(bench, forged)
    code, said = bench.byline("label", "verify", forged, "--ask")
    print(said)
    named = plan.later[0].id.hex() in said and plan.withdrawn_path in said
    require(code == 1 and named, f"{what}, cut out of the proof, is named")


def cut_out(path: Path, id_: bytes) -> None:
    """A bundle without one of its statements."""
    bundle = Bundle.from_bytes(path.read_bytes())
    kept = tuple(one for one in bundle.statements if one.statement.id != id_)
    path.write_bytes(replace(bundle, statements=kept).to_bytes())


def sign_again(bench: Bench, folder: Path) -> None:
    """New digests, new figures, a new signature by the label's own key."""
    label = json.loads((folder / "label.json").read_text("utf-8"))
    honest = bench.document
    label["ingredients"]["human"]["items"] = honest["ingredients"]["human"]["items"] + 1
    unattested = honest["ingredients"]["unattested"]["items"] - 1
    label["ingredients"]["unattested"]["items"] = unattested
    label["trust"]["withdrawn"] = honest["trust"]["withdrawn"] - 1
    for name, text in label_making.rendered(folder, label).items():
        (folder / name).write_text(text, "utf-8", newline="")
    label["files"] = {
        name: label_making.digest_hex(folder / name) for name in label["files"]
    }
    data = label_bytes(label)
    (folder / "label.json").write_bytes(data)
    key: SigningKey = KeyStore(bench.home.keys).load("default", None)
    fields: dict[str, Any] = {
        "type": "label",
        "about": b"\x12\x20" + bytes.fromhex(label["manifest"]["digest"][7:]),
        "label": digest_bytes(data),
        "use": label["use"],
        "count": label["manifest"]["count"],
        "bytes": label["manifest"]["bytes"],
        "violations": label["violations"]["items"],
        "items": {word: one["items"] for word, one in label["ingredients"].items()},
        "time": label["time"],
        "salt": random_bytes(16),
    }
    signed = sign_statement(fields, key)
    (folder / "label.statement").write_bytes(b"\x91" + signed.to_envelope())


def check_stale(bench: Bench, plan: Plan) -> None:
    code, said = bench.byline("label", "stale")
    require(code == 0, "nothing changed since the label was made")
    signed = next(one for one in plan.first if one.type == "work")
    sayer_key = plan_key(plan, signed.author)
    fields = withdraw_fields(
        statement_id=signed.id,
        reason="consent-changed",
        time=signed.time + 1,
        salt=random_bytes(16),
    )
    with LocalClient(bench.home) as client:
        client.publish([sign_statement(fields, sayer_key)])
    code, said = bench.byline("label", "stale")
    print(said)
    require(code == 1 and plan.paths[0] in said, "a later withdrawal makes it stale")


def plan_key(plan: Plan, public: bytes) -> SigningKey:
    return next(one for one in plan.keys.values() if one.public == public)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="Copy the label there.")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="byline-label-") as folder:
        bench = Bench(Path(folder))
        plan = make(bench, wanted.files, wanted.seed)
        check_figures(bench, plan, wanted.files)
        with timed("mlcroissant"):
            check_croissant(bench, wanted.files)
        with timed("verify"):
            code, said = bench.byline(
                "label", "verify", bench.label, "--files", bench.works
            )
        print(said)
        require(code == 0, "byline label verify, with the files")
        check_changed_byte(bench, plan)
        check_hidden_withdrawal(bench, plan)
        check_stale(bench, plan)
        if wanted.keep:
            shutil.copytree(bench.label, wanted.keep)
        size = sum(
            one.stat().st_size for one in bench.label.rglob("*") if one.is_file()
        )
        print(f"     the label's folder: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
