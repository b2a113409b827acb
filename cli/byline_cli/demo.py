"""`byline demo`: the whole job with real files, real processes and real proofs.

Every claim that is printed is checked here first; whatever does not hold ends the
demonstration with the exit code of its error.  Nothing stays behind: the nodes are
stopped and the folder is removed, also after Ctrl-C and after a failure.
"""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from byline_cli import output
from byline_cli.connect import now_ms
from byline_cli.options import Json, make_app
from byline_cli.render import Reader, render_answer, render_level
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.did import did_key
from byline_ledger.digest import multihash
from byline_ledger.entry import StatementEntry, parse_entry, statement_entry
from byline_ledger.errors import MalformedError, VerificationError
from byline_ledger.lookup_set import naive_root
from byline_ledger.statement import Statement
from byline_ledger.verify import Verdict, verify_bundle
from byline_node.attest import Terms, find_files, hash_files, sign_works
from byline_node.demo_network import (
    DemoNetwork,
    DemoNode,
    ignored_interrupts,
    wait_for_equal_sets,
)
from byline_node.demo_works import ENOUGH, Library, Story, find_library, tell_story

app = make_app()

NODE = (sys.executable, "-m", "byline_cli", "node", "run")
LIBRARY_TERMS = Terms(made="human", license="PSF-2.0", tools=("byline demo",))


@app.command()
def demo(as_json: Json = False) -> None:
    """Start three nodes, attest over 1,000 real files, ask, verify offline, clean up.

    Takes about half a minute. Needs no network and touches nothing of yours.
    """
    with terminable(), temporary_folder() as folder:
        show = Demo(folder, quiet=as_json)
        show.run()
    require(not folder.exists(), f"{folder} is still there")
    last = f"\nEverything held, in {show.facts['seconds']} s. {folder} is gone."
    output.result(as_json, show.facts, [(last, "good")])


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demonstration in order, as Ctrl-C does."""

    def stop(number: int, _: object) -> NoReturn:
        raise SystemExit(128 + number)

    before = {one: signal.signal(one, stop) for one in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder of our own that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="byline-demo-"))
    try:
        yield folder
    finally:
        with ignored_interrupts():
            shutil.rmtree(folder)


class Demo:
    """The steps of the demonstration, in order; `facts` is what --json prints."""

    def __init__(self, folder: Path, *, quiet: bool) -> None:
        self._folder = folder
        self._works = folder / "works"
        self._quiet = quiet
        self._step = 0
        self.facts: dict[str, Any] = {"folder": str(folder)}
        self._author, self._witness, self._critic = (
            SigningKey.from_seed(random_bytes(32)) for _ in range(3)
        )

    def run(self) -> None:
        """All of it."""
        started = time.monotonic()
        self._say("Three nodes, over 1,000 real files, one answer checked offline.")
        self._works.mkdir()
        with DemoNetwork(self._folder, NODE) as network:
            nodes = self._timed("Start three nodes", lambda: self._start(network))
            statements = self._timed("Attest real files", lambda: self._attest(nodes))
            story = self._timed("Derive works from them", lambda: self._tell(nodes))
            statements += [*story.by_author, story.endorsement, story.dispute]
            self._timed("Compare the nodes", lambda: self._compare(nodes, statements))
            kept, absent = self._timed(
                "Ask node C", lambda: self._query(nodes[2], story)
            )
            self._timed("Stop all nodes", lambda: self._stop(nodes))
        self._timed("Verify offline", lambda: self._verify(kept, story))
        self._timed("Tamper", lambda: self._tamper(kept, story))
        self._timed("Ask for the unknown", lambda: self._absence(absent))
        self.facts["seconds"] = round(time.monotonic() - started, 2)

    def _say(self, text: str, style: str = "") -> None:
        if not self._quiet:
            output.line(text, style)
            output.flush()

    def _timed(self, title: str, work: Callable[[], Any]) -> Any:
        """One step, with its heading and the time it took."""
        self._step += 1
        self._say(f"\n{self._step}. {title}", "head")
        started = time.monotonic()
        value = work()
        seconds = time.monotonic() - started
        self.facts.setdefault("steps", {})[title] = round(seconds, 3)
        self._say(f"   {seconds:.2f} s", "quiet")
        return value

    def _start(self, network: DemoNetwork) -> list[DemoNode]:
        first = network.start(["a"])
        nodes = first + network.start(["b", "c"], peers=first[0].addresses[:1])
        for node in nodes:
            self._say(f"   node {node.name.upper()}  process {node.pid}")
            self._say(f"           peer    {node.peer_id}")
            self._say(f"           folder  {node.home.folder}")
        self.facts["nodes"] = [
            {
                "name": node.name,
                "pid": node.pid,
                "peer_id": node.peer_id,
                "folder": str(node.home.folder),
                "api": node.api,
            }
            for node in nodes
        ]
        return nodes

    def _attest(self, nodes: Sequence[DemoNode]) -> list[Statement]:
        """Hash, sign and publish the library through node A's client."""
        library = find_library()
        found, passed = find_files(library.files, recursive=False)
        hashed, equal = hash_files(found, lambda _: None)
        require(len(hashed) > ENOUGH, f"expected over {ENOUGH} files to attest")
        signed = sign_works(
            hashed, LIBRARY_TERMS, self._author, now=now_ms(), advance=lambda _: None
        )
        started = time.monotonic()
        with nodes[0].client() as client:
            receipts = client.publish(signed)
        seconds = time.monotonic() - started
        size = sum(file.size for file in hashed)
        self._say(f"   key       {did_key(self._author.public)}")
        self._say(f"   files     {len(hashed):,} of {where(library)}, {size:,} bytes")
        left = f"{len(passed)} empty and {len(equal)} equal to others"
        self._say(f"   left out  {left}")
        rate = f"published in {seconds:.2f} s"
        self._say(f"   receipts  {len(receipts):,}, each checked; {rate}")
        self.facts["attested"] = len(receipts)
        self.facts["publish_seconds"] = round(seconds, 3)
        return signed

    def _tell(self, nodes: Sequence[DemoNode]) -> Story:
        """Works with sources; what others say is handed to the other nodes."""
        story = tell_story(
            self._works, self._author, self._witness, self._critic, now_ms()
        )
        given = (story.by_author, [story.endorsement], [story.dispute])
        for node, statements in zip(nodes, given, strict=True):
            with node.client() as client:
                client.publish(statements)
        for text in (
            "poem.txt     written by hand, with this.py as input",
            "outline.txt  drawn by a program from calendar.py and datetime.py",
            "card.txt     poem and outline joined, with help of AI",
            "withdrawn    the first statement about poem.txt: it forgot the licence",
            "endorsed     the statement about card.txt, by another key, at node B",
            "disputed     the statement about outline.txt, by a third key, at node C",
        ):
            self._say(f"   {text}")
        return story

    def _compare(
        self, nodes: Sequence[DemoNode], statements: Sequence[Statement]
    ) -> None:
        """All three set roots, and the naive recursion over the same statements."""
        held = wait_for_equal_sets(nodes, len(statements))
        roots = {one["set_root"] for one in held}
        oracle = naive_set_root(statements).hex()
        for node, one in zip(nodes, held, strict=True):
            count = f"{one['statements']:,} statements"
            self._say(
                f"   node {node.name.upper()}  {count}  set root {one['set_root']}"
            )
        self._say(f"   naive   {len(statements):,} statements  set root {oracle}")
        require(len(roots) == 1, "the nodes' set roots differ")
        require(oracle in roots, "the naive recursion gives another set root")
        self._say("   all equal", "good")
        self.facts["set_roots"] = [one["set_root"] for one in held]
        self.facts["naive_root"] = oracle
        self.facts["statements"] = len(statements)

    def _query(self, node: DemoNode, story: Story) -> tuple[Path, Path]:
        """Ask by the hash that sha256sum prints; keep that proof and one of absence."""
        path = story.card.path
        digest = sha256sum(path)
        self._say(f"   $ sha256sum {path.name}\n   {digest}\n")
        unknown = hashlib.sha256(random_bytes(32)).hexdigest()
        kept, absent = self._works / "card.byline", self._works / "unknown.byline"
        with node.client() as client:
            started = time.monotonic()
            kept.write_bytes(client.query_bundle(digest))
            seconds = time.monotonic() - started
            absent.write_bytes(client.query_bundle(unknown))
        verdict = verify_bundle(kept.read_bytes(), digest=story.card.digest)
        self._show(verdict, path.name)
        size = kept.stat().st_size
        self._say(
            f"\n   kept the proof: {size:,} bytes, asked and checked in {seconds:.3f} s"
        )
        self.facts["bundle_bytes"] = size
        self.facts["query_seconds"] = round(seconds, 4)
        self.facts["unknown"] = unknown
        return kept, absent

    def _show(self, verdict: Verdict, name: str) -> None:
        require(verdict.ok, f"the proof does not hold: {verdict.failure()}")
        require(verdict.answer is not None, "there is no answer")
        assert verdict.answer is not None
        names = {
            self._author.public: "the author",
            self._witness.public: "the witness",
            self._critic.public: "the critic",
        }
        for row in render_answer(verdict.answer, Reader(name, names)):
            text, style = (row, "") if isinstance(row, str) else row
            self._say(f"   {text}" if text else "", style)

    def _stop(self, nodes: Sequence[DemoNode]) -> None:
        for node in nodes:
            seconds = node.stop()
            code, name = node.process.returncode, node.name.upper()
            self._say(f"   node {name}  process {node.pid} ended in {seconds:.2f} s")
            require(code == 0, f"node {node.name} ended with code {code}")

    def _verify(self, kept: Path, story: Story) -> None:
        """The saved file, the work's own bytes, and nothing else."""
        self._say(f"   $ byline verify {kept.name} {story.card.path.name}")
        started = time.perf_counter()
        verdict = verify_file(kept.read_bytes(), story.card.path.read_bytes())
        milliseconds = (time.perf_counter() - started) * 1000
        for level in verdict.levels:
            text, style = as_row(render_level(level))
            self._say(f" {text}", style)
        require(verdict.ok, f"the proof does not hold: {verdict.failure()}")
        self._say(f"   the proof holds, {milliseconds:.1f} ms, with all nodes stopped")
        self.facts["verify_ms"] = round(milliseconds, 2)

    def _tamper(self, kept: Path, story: Story) -> None:
        """One byte of the file, then one of the bundle."""
        bundle, work = kept.read_bytes(), story.card.path.read_bytes()
        cases = (
            ("file", bundle, flipped(work)),
            ("bundle", flipped(bundle), work),
        )
        for what, given, data in cases:
            reason = refusal(given, data)
            require(bool(reason), f"a flipped byte of the {what} went unnoticed")
            self._say(f"   one byte of the {what} flipped: rejected", "good")
            self._say(f"     {output.safe(reason)}", "quiet")

    def _absence(self, absent: Path) -> None:
        """An answer that shows no statement, verified offline too."""
        digest = multihash(bytes.fromhex(self.facts["unknown"]))
        verdict = verify_bundle(absent.read_bytes(), digest=digest, now=now_ms())
        require(verdict.ok, f"the proof of absence fails: {verdict.failure()}")
        require(
            verdict.answer is not None and not verdict.answer.known,
            "something is known about a hash that nobody attested",
        )
        self._say(f"   sha256 {self.facts['unknown']}")
        self._say("   the log has no statement about it, and has signed that", "good")
        self._say("   (if it hid one, whoever replays the log would find out)", "quiet")
        self._say("   (node C was asked before it stopped)", "quiet")


def require(holds: bool, complaint: str) -> None:
    """End with code 1 where the demonstration shows something that is not so."""
    if not holds:
        raise VerificationError(complaint)


def where(library: Library) -> str:
    """The folders of the files."""
    added = f" and {library.added}" if library.added else ""
    return f"{library.folder}{added}"


def naive_set_root(statements: Sequence[Statement]) -> bytes:
    """The set root by direct recursion over the statements' lookup strings."""
    strings: list[bytes] = []
    for statement in statements:
        entry = parse_entry(statement_entry(statement))
        assert isinstance(entry, StatementEntry)
        strings += entry.lookup_strings()
    return naive_root(strings)


def sha256sum(path: Path) -> str:
    """What the program of that name prints; computed here where it is missing."""
    program = shutil.which("sha256sum")
    if program is None:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    printed = subprocess.run(  # noqa: S603  # found on PATH, a path of ours
        [program, str(path)], check=True, capture_output=True, text=True
    )
    return printed.stdout.split()[0]


def verify_file(bundle: bytes, work: bytes) -> Verdict:
    """What `byline verify BUNDLE PATH` does."""
    digest = multihash(hashlib.sha256(work).digest())
    return verify_bundle(bundle, digest=digest, work=digest, now=now_ms())


def refusal(bundle: bytes, work: bytes) -> str:
    """Why a bundle is rejected for these bytes; empty if it is not."""
    try:
        return verify_file(bundle, work).failure()
    except MalformedError as error:
        return str(error)


def flipped(data: bytes) -> bytes:
    """The same with one bit of its middle byte changed."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def as_row(row: output.Line) -> tuple[str, str]:
    """A line with its style."""
    return (row, "") if isinstance(row, str) else row
