"""docs/spec/statement.md says what the code and the vectors say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.vectors import VECTORS, load

from byline_ledger import statement, vocabulary

SPEC = (VECTORS.parent.parent / "docs" / "spec" / "statement.md").read_text()


def hex_lines(text: str) -> str:
    """The hex digits that begin the lines of a block, comments left out."""
    return "".join(re.findall(r"^ *([0-9a-f]+)(?: .*)?$", text, re.MULTILINE))


def test_example_is_the_vector() -> None:
    """Body, signature and names as printed are those that were generated."""
    example = load("statement.json")["example"]
    blocks = SPEC.split("```")
    assert hex_lines(blocks[1]) == example["body"]
    printed = re.sub(r"\s", "", blocks[3])
    for name in ("signature", "id", "cid", "author"):
        assert example[name] in printed
    assert example["seed"] in SPEC
    envelope = bytes.fromhex(example["envelope"])
    assert f"{len(envelope)} bytes" in SPEC
    assert envelope.startswith(bytes.fromhex("9301c50184"))


@pytest.mark.parametrize(
    "word",
    [
        *vocabulary.USES,
        *vocabulary.USE_VALUES,
        *vocabulary.RELATIONSHIPS,
        *vocabulary.ENDORSE_ROLES,
        *vocabulary.DISPUTE_REASONS,
        *vocabulary.WITHDRAW_REASONS,
        *vocabulary.OVERSIGHT,
        *vocabulary.NAME_METHODS,
        *vocabulary.ROTATE_REASONS,
        *vocabulary.PRICE_UNITS,
        *vocabulary.VALIDATIONS,
        *vocabulary.LABEL_ITEMS,
        *vocabulary.STATEMENT_TYPES,
        statement.STATEMENT_TYPE,
        vocabulary.IPTC_VERSION,
    ],
)
def test_word_is_specified(word: str) -> None:
    """Every word of the program stands in the specification."""
    assert word in SPEC


def test_table_of_plain_answers() -> None:
    """Each term stands in the row of its plain answer."""
    rows = dict(re.findall(r"^\| (\w+) \| (`.*) \|$", SPEC, re.MULTILINE))
    for uri, plain in vocabulary.SOURCE_TYPES.items():
        if uri not in vocabulary.RETIRED:
            prefix = "c2pa:" if uri.startswith(vocabulary.C2PA_SCHEME) else ""
            assert f"`{prefix}{uri.rpartition('/')[2]}`" in rows[plain]


def test_numbers() -> None:
    """Limits and counts that the page names are those of the code."""
    assert f"{statement.MAX_BODY:,} bytes" in SPEC
    assert f"{statement.MAX_ENVELOPE:,} bytes" in SPEC
    assert f"the {len(load('ed25519.json')['cases'])} cases" in SPEC


def test_vectors_named_are_there() -> None:
    """Every file that the page names exists."""
    # What the types name are files of others, such as a label.
    before, _, rest = SPEC.partition("## Types")
    page = before + rest.partition("## How made")[2]
    for name in re.findall(r"`(?:tests/vectors/)?(\w+\.(?:json))`", page):
        assert Path(VECTORS / name).is_file()
