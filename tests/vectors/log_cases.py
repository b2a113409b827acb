"""What the cases of log_*.json have in common."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

from naive_bundle import Key

Case = dict[str, Any]

ORIGIN = "byline.example/0123456789abcdef0123456789abcdef"
WITNESS = "witness.example/w1"
LOG_KEY = Key("log")
WITNESS_KEY = Key("witness")
TIME = 1_790_000_000
"""Unix seconds of every cosignature that holds."""


def ok(name: str, **fields: Any) -> Case:
    return {"name": name, "expect": "ok", **fields}


def bad(name: str, kind: str = "malformed", **fields: Any) -> Case:
    return {"name": name, "expect": kind, **fields}


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def loose(text: str) -> str:
    """The same bytes in base64 whose unused last bits are not zero."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    padding = len(text) - len(text.rstrip("="))
    if not padding:
        raise ValueError("base64 without padding has no loose bits")
    last = len(text) - padding - 1
    return text[:last] + alphabet[alphabet.index(text[last]) + 1] + text[last + 1 :]


def proof_hex(proof: list[bytes]) -> list[str]:
    return [value.hex() for value in proof]


def pieces(*parts: tuple[bytes, int]) -> list[list[Any]]:
    """Long bytes as pieces of hex, each to be repeated: [["00", 70000], ["ff", 1]]."""
    return [[data.hex(), times] for data, times in parts]


def brief(data: bytes) -> str | list[list[Any]]:
    """In hex, or where a byte comes many times in a row, as pieces."""
    found, end = [], 0
    for run in re.finditer(rb"(.)\1{499,}", data, re.DOTALL):
        found += [(data[end : run.start()], 1), (run[1], len(run[0]))]
        end = run.end()
    return pieces(*found, (data[end:], 1)) if found else data.hex()
