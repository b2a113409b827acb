"""ISCC codes (ISO 24138) over iscc-lib; the only file that imports it.

Rule: the codes are those of the standard, whole (256 bits); what is short is cut from
them.  Which bytes they are computed from is ours: docs/spec/similar.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from byline_node.fingerprint import missing_extra

try:
    import iscc_lib
except ModuleNotFoundError:
    raise missing_extra() from None

BITS = 256
CHUNK_BYTES = 1024
"""Of UTF-32: 256 characters, on average."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A code of 256 bits as text (`ISCC:...`) and as 32 bytes."""

    text: str
    body: bytes


def image_code(square: bytes) -> Unit:
    """Of 32 x 32 greys (1,024 bytes)."""
    return _unit(iscc_lib.gen_image_code_v0(square, BITS))


def text_code(text: str) -> Unit:
    """Of a text."""
    return _unit(iscc_lib.gen_text_code_v0(text, BITS))


def collapse(text: str) -> str:
    """The text's letters and digits, as the standard compares them: in lower case,
    without blanks, punctuation and marks."""
    collapsed: str = iscc_lib.text_collapse(text)
    return collapsed


def cut(text: str) -> list[str]:
    """A text in pieces of about 256 characters, which its content decides on: a change
    moves the cuts beside it alone."""
    data = text.encode("utf-32-be", "surrogatepass")
    pieces = iscc_lib.alg_cdc_chunks(data, True, CHUNK_BYTES)
    return [piece.decode("utf-32-be", "surrogatepass") for piece in pieces]


def byte_codes(chunks: Iterable[bytes]) -> tuple[Unit, Unit]:
    """Data code and instance code of a stream of bytes."""
    data, instance = iscc_lib.DataHasher(), iscc_lib.InstanceHasher()
    for chunk in chunks:
        data.update(chunk)
        instance.update(chunk)
    return _unit(data.finalize(BITS)), _unit(instance.finalize(BITS))


def _unit(made: dict[str, str]) -> Unit:
    text = made["iscc"]
    return Unit(text, iscc_lib.iscc_decode(text)[4])
