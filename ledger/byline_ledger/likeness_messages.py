"""What a reader asks a node about likeness, and what it answers, byte for byte.

Rule: one canonical MessagePack map with exactly these keys; any other bytes are a
MalformedError.  A node answers with statements whose codes may be near; the reader
compares them itself, with the image at hand (docs/spec/similar.md, "Asking").

    {"chunks": bin, "data": bin, "parts": bin, "text": bin, "turned": bin}
    {"searched": uint, "size": uint, "statements": [bin]}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.content_parts import MAX_CHUNKS
from byline_ledger.errors import MalformedError
from byline_ledger.likeness import Question
from byline_ledger.message_fields import (
    byte_strings,
    bytes_of,
    parse_map,
    require_keys,
    size_field,
)
from byline_ledger.windows import PARTS, TURNS

CODE = 32
WORD = 8
MAX_QUESTION = 16_384
MAX_CANDIDATES = 256
MAX_ANSWER = 8 << 20


@dataclass(frozen=True, slots=True)
class Candidates:
    """Statements that may be about something alike, as envelopes, nearest first."""

    statements: tuple[bytes, ...]
    searched: int
    """Log entries that were searched."""
    size: int
    """Log entries that there are."""

    def to_bytes(self) -> bytes:
        """The answer."""
        return codec.pack(
            {
                "searched": self.searched,
                "size": self.size,
                "statements": list(self.statements),
            }
        )


def question_to_bytes(asked: Question) -> bytes:
    """The question."""
    return codec.pack(
        {
            "chunks": _joined(asked.chunks),
            "data": asked.data,
            "parts": b"".join(map(_joined, asked.parts)),
            "text": asked.text,
            "turned": b"".join(asked.turned),
        }
    )


def parse_question(data: bytes) -> Question:
    """Reads a question."""
    fields = parse_map(data, MAX_QUESTION, "question")
    require_keys(fields, "chunks", "data", "parts", "text", "turned")
    turned = _codes(fields, "turned", CODE, TURNS)
    words = _words(fields, "parts", TURNS * len(PARTS))
    if len(turned) not in (0, TURNS):
        raise MalformedError("expected an image in all its turns, or none")
    if words and len(words) != len(turned) * len(PARTS):
        raise MalformedError("expected all parts of an image in all its turns, or none")
    parts = tuple(
        words[at : at + len(PARTS)] for at in range(0, len(words), len(PARTS))
    )
    return Question(
        turned,
        parts,
        b"".join(_codes(fields, "text", CODE, 1)),
        _words(fields, "chunks", MAX_CHUNKS),
        b"".join(_codes(fields, "data", CODE, 1)),
    )


def parse_candidates(data: bytes) -> Candidates:
    """Reads an answer; the statements are not parsed."""
    fields = parse_map(data, MAX_ANSWER, "candidates")
    require_keys(fields, "searched", "size", "statements")
    return Candidates(
        byte_strings(fields["statements"], MAX_CANDIDATES, "statements"),
        size_field(fields, "searched"),
        size_field(fields, "size"),
    )


def _joined(words: tuple[int, ...]) -> bytes:
    return b"".join(word.to_bytes(WORD, "big") for word in words)


def _codes(
    fields: Mapping[str, Value], name: str, size: int, most: int
) -> tuple[bytes, ...]:
    data = bytes_of(fields[name], size * most, name)
    if len(data) % size:
        raise MalformedError(f"{name}: expected codes of {size} bytes")
    return tuple(data[at : at + size] for at in range(0, len(data), size))


def _words(fields: Mapping[str, Value], name: str, most: int) -> tuple[int, ...]:
    codes = _codes(fields, name, WORD, most)
    return tuple(int.from_bytes(code, "big") for code in codes)
