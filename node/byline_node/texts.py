"""Bytes as text, whatever they are encoded in (docs/spec/similar.md, "Texts").

Rule: a byte order mark decides; without one it is UTF-8 if that fits, and Latin-1 if
nothing in it speaks against text.  Nothing here raises.
"""

from __future__ import annotations

import codecs

MAX_TEXT_BYTES = 16 << 20

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY = frozenset(range(0x20)) - frozenset(b"\t\n\x0b\x0c\r\x1a\x1b")
"""Control characters that no text has."""
_DELETED = bytes(_BINARY)


def read_text(data: bytes) -> str | None:
    """The text in these bytes; None where they are no text, or more than
    `MAX_TEXT_BYTES`."""
    if len(data) > MAX_TEXT_BYTES:
        return None
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = _decoded(data[len(mark) :], encoding)
            return None if text is None or "\0" in text else text
    if len(data.translate(None, _DELETED)) < len(data):
        return None
    text = _decoded(data, "utf-8")
    return data.decode("latin-1") if text is None else text


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
