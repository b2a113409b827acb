"""docs/spec/network.md, "Query", and its vectors: reproducible, and what we do."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from typing import Any

from tests.support.vectors import VECTORS, as_expected, cases

from byline_ledger.bundle import Bundle
from byline_ledger.crowd_page import parse_crowd_page
from byline_ledger.crowd_reader import CrowdReading
from byline_ledger.query_messages import (
    RootAnswer,
    parse_bundle_answer,
    parse_query_request,
    parse_root_answer,
)
from byline_ledger.query_reader import open_root
from byline_ledger.verify import verify_bundle


def test_the_vectors_are_what_the_naive_generator_writes() -> None:
    """The committed file is the generator's, to the byte."""
    command = [sys.executable, str(VECTORS / "generate_query.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@cases("query.json", "requests")
def test_requests(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes"])
    with as_expected(case):
        assert parse_query_request(data).to_bytes() == data


@cases("query.json", "bundle_answers")
def test_bundle_answers(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes"])
    with as_expected(case):
        assert parse_bundle_answer(data).to_bytes() == data


@cases("query.json", "root_answers")
def test_root_answers(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes"])
    with as_expected(case):
        answer = parse_root_answer(data)
        assert isinstance(answer, RootAnswer)
        assert answer.to_bytes() == data
        root = open_root(answer)
        assert (root.strings, root.set_root.hex()) == (
            case["strings"],
            case["set_root"],
        )


@cases("query.json", "pages")
def test_pages(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes"])
    with as_expected(case):
        assert parse_crowd_page(data).to_bytes() == data


@cases("query.json", "readings")
def test_readings(case: dict[str, Any]) -> None:
    """The reader asks just that, and has the answer that an open query gives."""
    digest = bytes.fromhex(case["digest"])
    reading = CrowdReading(digest, case["bits"], case["depth"])
    with as_expected(case):
        for page in case["pages"]:
            assert reading.request().hex() == page["request"]
            reading.take(bytes.fromhex(page["response"]))
        answer = reading.answer()
        assert sha256(answer.bundle).hexdigest() == case["bundle"]
        assert answer.works == case["works"]
        assert verify_bundle(answer.bundle, digest=digest).ok
        assert Bundle.from_bytes(answer.bundle).asked == (digest,)
