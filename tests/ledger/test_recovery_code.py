"""Recovery codes: what is written on paper comes back, or the slip is named."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_ledger.errors import UsageError
from byline_ledger.recovery_code import parse_recovery_code, recovery_code

SEED = bytes(range(32))
CODE = recovery_code(SEED)


@given(st.binary(min_size=32, max_size=32))
def test_a_code_leads_back_to_its_seed(seed: bytes) -> None:
    assert parse_recovery_code(recovery_code(seed)) == seed


def test_a_code_is_what_the_specification_says() -> None:
    """base32 of the seed and the first three bytes of a hash over it."""
    check = hashlib.sha256(b"byline/recovery-code/v1\x00" + SEED).digest()[:3]
    text = base64.b32encode(SEED + check).decode().lower()
    assert "".join(CODE.split()) == text
    assert {len(group) for group in CODE.split()} == {4}
    assert CODE.endswith("dyp6 wgdf")


@pytest.mark.parametrize(
    "text",
    [
        CODE.upper(),
        CODE.replace(" ", ""),
        CODE.replace(" ", "-"),
        f"\n {CODE.replace(' ', chr(10))}\n",
        CODE.replace("o", "0").replace("l", "1"),
    ],
)
def test_it_is_read_however_it_was_written(text: str) -> None:
    assert parse_recovery_code(text) == SEED


@pytest.mark.parametrize(
    "text",
    [
        "",
        CODE[:-1],
        CODE + "a",
        "9" + CODE[1:],
        "ü" + CODE[1:],
        "b" + CODE[1:],
        CODE[5:9] + CODE[4:5] + CODE[:4] + CODE[9:],
    ],
)
def test_a_slip_is_noticed(text: str) -> None:
    with pytest.raises(UsageError, match="recovery code"):
        parse_recovery_code(text)
