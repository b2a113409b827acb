"""Paths in manifests: text that any file name can be written as, and read back.

Rule: a byte that is a control character or no part of UTF-8, and a `%` that two hex
digits follow, are written %XX.  Specification: docs/spec/collection.md, "CSV".
"""

from __future__ import annotations

import re

_TO_QUOTE = re.compile(r"[\x00-\x1f\x7f\udc80-\udcff]|%(?=[0-9a-fA-F]{2})")
_QUOTED = re.compile(rb"%([0-9a-fA-F]{2})")


def quote_path(path: str) -> str:
    """The path as a manifest has it; bytes beyond UTF-8 come as lone surrogates."""
    if path.isascii() and path.isprintable() and "%" not in path:
        return path
    return _TO_QUOTE.sub(lambda found: _percent(found[0]), path)


def unquote_path(text: str) -> str:
    """The path that a manifest's text stands for."""
    if "%" not in text:
        return text
    data = text.encode("utf-8", "surrogateescape")
    data = _QUOTED.sub(lambda found: bytes.fromhex(found[1].decode()), data)
    return data.decode("utf-8", "surrogateescape")


def _percent(character: str) -> str:
    (byte,) = character.encode("utf-8", "surrogateescape")
    return f"%{byte:02X}"
