"""A bundle's limits: every honest answer fits, and nothing much larger is read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.support.stores import MemoryDisk

from byline_ledger.bundle import (
    MAX_REDACTED,
    MAX_STATEMENTS,
    MAX_STATEMENTS_SIZE,
    Bundle,
    build_bundle,
)
from byline_ledger.bundle_rows import MAX_INDEX
from byline_ledger.chain import MAX_EVIDENCE, WORK_PAGE
from byline_ledger.codec import pack, split_map
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.entry import entry_of
from byline_ledger.errors import MalformedError
from byline_ledger.log import Ledger
from byline_ledger.lookup_set import LEAF_MAX
from byline_ledger.statement import MAX_BODY, SIGNATURE_SIZE, sign_statement

PAGE = WORK_PAGE + LEAF_MAX - 1
"""Statements that the last lookup can still bring."""


def test_every_answer_fits() -> None:
    """512 claimants with 64 statements each about their own keys made a bundle of
    33,280 statements, which its verifier took for malformed."""
    fields = {"type": "a", "time": 0, "about": digest_bytes(b""), "salt": bytes(16)}
    small = sign_statement(fields, SigningKey.from_seed(bytes(32)))
    least, most = len(small.body) + SIGNATURE_SIZE, MAX_BODY + SIGNATURE_SIZE
    assert MAX_EVIDENCE // least + PAGE <= MAX_STATEMENTS
    around = len(pack([MAX_INDEX, bytes(most)])) - most + 8
    size = MAX_EVIDENCE + PAGE * most + MAX_STATEMENTS * around
    assert size <= MAX_STATEMENTS_SIZE
    assert MAX_EVIDENCE // len(entry_of(small).to_bytes()) + PAGE <= MAX_REDACTED


def test_more_bytes_of_statements_are_malformed(tmp_path: Path) -> None:
    """32 MiB of statements that are full of empty maps took 2 GB to read."""
    with closing(Ledger.init(tmp_path, open_store=MemoryDisk())) as ledger:
        good = build_bundle(ledger.view, digest_bytes(b""))
    fields = split_map(good, max_size=1 << 20, max_items=16)
    for size, reason in ((0, "at most 65568 bytes"), (1, "at most 16777216 bytes")):
        rows = {"statements": pack([bytes(MAX_STATEMENTS_SIZE + size - 6)])}
        changed = (pack(key) + value for key, value in (fields | rows).items())
        with pytest.raises(MalformedError, match=reason):
            Bundle.from_bytes(good[:1] + b"".join(changed))
