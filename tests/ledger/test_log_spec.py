"""docs/spec/log.md and its vectors: reproducible, and what the program does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.vectors import VECTORS, load

from byline_ledger.checkpoint import Checkpoint, log_vkey, open_checkpoint
from byline_ledger.checkpoint import sign_checkpoint as sign
from byline_ledger.cosignature import cosign, cosigner_vkey, verify_cosignature
from byline_ledger.crypto import SigningKey
from byline_ledger.entry import (
    author_key,
    author_tag,
    commitment_entry,
    source_key,
    statement_entry,
    subject_key,
)
from byline_ledger.lookup_set import naive_root
from byline_ledger.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
)
from byline_ledger.note import Verifier, parse_note
from byline_ledger.statement import Statement
from byline_ledger.tiles import entry_bundle

PAGE = Path(__file__).parents[2] / "docs" / "spec" / "log.md"
EXAMPLE = load("log_example.json")


def raw(name: str) -> bytes:
    return bytes.fromhex(EXAMPLE[name])


def rows(name: str) -> list[bytes]:
    return [bytes.fromhex(value) for value in EXAMPLE[name]]


def test_the_vectors_are_what_the_naive_generator_writes() -> None:
    """The committed files are the generator's, to the byte."""
    command = [sys.executable, str(VECTORS / "generate_log.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_generator_imports_nothing_of_the_program() -> None:
    """Nor a library that could share a mistake with it."""
    script = (
        "import sys; before = set(sys.modules)\n"
        "import generate_log\n"
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=VECTORS
    )
    loaded = set(done.stdout.split())
    assert "naive_bundle" in loaded
    assert not loaded & {"byline_ledger", "nacl", "msgpack", "cryptography"}


def test_the_page_shows_the_example() -> None:
    """Every value of the worked example stands on the page, to the byte."""
    text = PAGE.read_text("utf-8")
    packed = "".join(text[text.index("## Worked example") :].split())
    assert EXAMPLE["note"] in text
    left_out = {"envelope", "first_note", "entry_bundle", "hash_tile"}
    for name, value in EXAMPLE.items():
        if name in left_out or name.endswith(("_seed", "_public")):
            continue
        for part in value if isinstance(value, list) else [value]:
            assert "".join(part.split()) in packed, name


def test_the_program_makes_the_example() -> None:
    """From the statement and the seeds come the example's very bytes."""
    statement = Statement.from_envelope(raw("envelope"))
    statement.verify()
    assert statement.id == raw("id")
    assert author_tag(statement.author) == raw("tag")
    assert author_key(raw("author")) == raw("author_key")
    assert subject_key(raw("about")) == raw("subject_key")
    assert source_key(raw("source")) == raw("source_key")
    strings = rows("strings")
    entries = [
        commitment_entry(0, naive_root([])),
        statement_entry(statement),
        commitment_entry(3, naive_root(strings)),
    ]
    assert entries == rows("entries")
    assert entry_bundle(entries) == raw("entry_bundle")
    leaves = [leaf_hash(entry) for entry in entries]
    assert leaves == rows("leaves")
    assert b"".join(leaves) == raw("hash_tile")


def test_the_program_signs_the_example() -> None:
    """Roots, proofs, notes and cosignature are the example's."""
    leaves = rows("leaves")
    whole, nodes = Frontier.empty().extend_with_nodes(leaves)
    assert rows("roots") == [leaves[0], whole.root()]

    def node(level: int, index: int) -> bytes:
        return nodes[level][index]

    assert list(inclusion_proof(1, 3, node)) == rows("inclusion_of_1_in_3")
    assert list(inclusion_proof(2, 3, node)) == rows("inclusion_of_2_in_3")
    assert list(consistency_proof(1, 3, node)) == rows("consistency_1_to_3")
    key = SigningKey.from_seed(raw("log_seed"))
    origin = EXAMPLE["log_vkey"].partition("+")[0]
    assert log_vkey(origin, key.public) == EXAMPLE["log_vkey"]
    first = sign(Checkpoint(origin, 1, leaves[0]), key)
    assert first.decode() == EXAMPLE["first_note"]
    note = parse_note(sign(Checkpoint(origin, 3, whole.root()), key))
    witness = SigningKey.from_seed(raw("witness_seed"))
    vkey = cosigner_vkey("witness.example/w1", witness.public)
    assert vkey == EXAMPLE["witness_vkey"]
    line = cosign(note.text, "witness.example/w1", witness, 1_790_000_060)
    cosigned = note.with_signature(line)
    assert cosigned.to_bytes().decode() == EXAMPLE["note"]
    assert verify_cosignature(cosigned, Verifier.from_text(vkey)) == 1_790_000_060
    checkpoint = open_checkpoint(cosigned.to_bytes(), EXAMPLE["log_vkey"])
    assert checkpoint == Checkpoint(origin, 3, whole.root())
