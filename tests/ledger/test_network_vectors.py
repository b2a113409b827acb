"""docs/spec/network.md and its vectors: reproducible, and what the program does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.memory_log import MemoryLog
from tests.support.vectors import VECTORS, as_expected, cases, load

from byline_ledger.follow_messages import Refusal, parse_request, parse_response
from byline_ledger.follow_server import answer
from byline_ledger.follower import Admit, Ask, Check, Follower, Session
from byline_ledger.gossip import sift_batch
from byline_ledger.statement import Statement

PAGE = Path(__file__).parents[2] / "docs" / "spec" / "network.md"


def test_the_vectors_are_what_the_naive_generator_writes() -> None:
    """The committed file is the generator's, to the byte."""
    command = [sys.executable, str(VECTORS / "generate_network.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_generator_imports_nothing_of_the_program() -> None:
    script = "import sys, generate_network\nprint(*sys.modules)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=VECTORS
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"byline_ledger", "nacl", "msgpack", "cryptography"}


def test_the_page_shows_the_example() -> None:
    """Every value of the worked example stands on the page, to the byte."""
    example = load("network.json")["example"]
    text = PAGE.read_text("utf-8")
    packed = "".join(text[text.index("## Worked example") :].split())
    assert example["note"] in text
    shown = [example["vkey"], *example["entries"], *example["meet_frames"]]
    for exchange in example["exchanges"] + example["same"]:
        shown += exchange.values()
    for value in [*shown, example["batch"]]:
        assert "".join(value.split()) in packed, value


@cases("network.json", "requests")
def test_requests(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes"])
    with as_expected(case):
        assert parse_request(data).to_bytes() == data


@cases("network.json", "responses")
def test_responses(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes"])
    with as_expected(case):
        assert parse_response(data).to_bytes() == data


@cases("network.json", "sets")
def test_sets(case: dict[str, Any]) -> None:
    """A log whose set has these strings answers so."""
    with as_expected(case):
        log = MemoryLog(1)
        log.strings = [bytes.fromhex(one) for one in case["strings"]]
        while log.size < case["size"]:
            log.add_entry(b"\x02x")
        response = answer(log, bytes.fromhex(case["request"]))
        if case["response"] is None:
            assert isinstance(response, Refusal)
        else:
            assert response.to_bytes().hex() == case["response"]


@cases("network.json", "batches")
def test_batches(case: dict[str, Any]) -> None:
    with as_expected(case):
        sifted = sift_batch(bytes.fromhex(case["bytes"]), lambda _: False)
        assert [one.id.hex() for one in sifted.fresh] == case["fresh"]
        counts = (sifted.known, sifted.unsupported, sifted.bad)
        assert counts == (case["known"], case["unsupported"], case["bad"])


@cases("network.json", "sessions")
def test_sessions(case: dict[str, Any]) -> None:
    """The follower asks just that, and thinks of the answers what it should."""
    mine = MemoryLog(1)
    mine.append(map(statement, case.get("known", [])))
    follower = Follower(lambda: mine)
    *earlier, last = case["sessions"]
    admitted: list[str] = []
    for exchanges in earlier:
        admitted += replay(follower.session(), exchanges, mine)
    with as_expected(case):
        admitted += replay(follower.session(), last, mine)
        assert follower.cursor is not None
        assert follower.cursor.size == follower.cursor.seen.size
        assert admitted == case["admitted"]
        assert mine.set_root.hex() == case["set_root"]
        gaps = [gap.hex() for gap in follower.cursor.gaps]
        assert gaps == case.get("gaps", [])


def statement(envelope: str) -> Statement:
    return Statement.from_envelope(bytes.fromhex(envelope))


def replay(
    session: Session, exchanges: list[dict[str, str]], mine: MemoryLog
) -> list[str]:
    """Runs a session against recorded answers; the ids it admitted."""
    left = list(exchanges)
    admitted = []
    action = next(session)
    while True:
        reply = None
        if isinstance(action, Ask):
            exchange = left.pop(0)
            assert action.request.hex() == exchange["request"]
            reply = bytes.fromhex(exchange["response"])
        elif isinstance(action, Check):
            action.run()
        elif isinstance(action, Admit):
            mine.append(action.statements)
            admitted += [one.id.hex() for one in action.statements]
        try:
            action = session.send(reply)
        except StopIteration:
            assert left == []
            return admitted
