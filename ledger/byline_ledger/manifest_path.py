"""Paths in manifests: text that any file name can be written as, and read back.

Rule: what is a control character, turns the direction of text or is no part of UTF-8,
a `%` that two hex digits follow, and a first character that makes a formula of a cell
are written %XX, byte for byte.  Specification: docs/spec/collection.md, "CSV".
"""

from __future__ import annotations

import re

from byline_ledger.ascii import TURNING

FORMULA = "=+-@"
"""What a cell begins with that spreadsheets compute."""

_TO_QUOTE = re.compile(
    rf"[\x00-\x1f\x7f-\x9f{TURNING}\udc80-\udcff]|%(?=[0-9a-fA-F]{{2}})|\A[{re.escape(FORMULA)}]"
)
_QUOTED = re.compile(rb"%([0-9a-fA-F]{2})")


def quote_path(path: str) -> str:
    """The path as a manifest has it; bytes beyond UTF-8 come as lone surrogates."""
    if path.isascii() and path.isprintable() and "%" not in path and path:
        return path if path[0] not in FORMULA else _percent(path[0]) + path[1:]
    return _TO_QUOTE.sub(lambda found: _percent(found[0]), path)


def unquote_path(text: str) -> str:
    """The path that a manifest's text stands for."""
    if "%" not in text:
        return text
    data = text.encode("utf-8", "surrogateescape")
    data = _QUOTED.sub(lambda found: bytes.fromhex(found[1].decode()), data)
    return data.decode("utf-8", "surrogateescape")


def _percent(character: str) -> str:
    coded = character.encode("utf-8", "surrogateescape")
    return "".join(f"%{byte:02X}" for byte in coded)
