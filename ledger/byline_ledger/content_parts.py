"""Maps that stand in a `work`: its model, the shares in it, what it resembles.

Each is made strictly (UsageError) and read leniently, as field_maker.py and
field_reader.py do it.  Field by field: docs/spec/statement.md, "work".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from byline_ledger import vocabulary as words
from byline_ledger.codec import Value
from byline_ledger.errors import UsageError
from byline_ledger.field_maker import FieldMaker, Fields, require_few
from byline_ledger.field_reader import MAX_PARTS, FieldReader, is_text

MAX_MODEL_NAME = 256
MAX_IDENTIFIER = 512
MAX_MODEL_TYPE = 128
MAX_SHARES = 32
MAX_ISCC = 8
MAX_WINDOWS = 64
MAX_CHUNKS = 512
CODE_SIZE = 8
"""Bytes of the code of a window or a chunk."""

_ISCC = re.compile(r"ISCC:[A-Z2-7]{55}")
_ISCC_TYPES = 5
"""Main types of units: meta, semantic, content, data, instance."""


@dataclass(frozen=True, slots=True)
class Model:
    """The model that made a work."""

    name: str
    identifier: str | None = None
    type: str | None = None
    """`c2pa.types.model`, or what begins with it and a dot."""


@dataclass(frozen=True, slots=True)
class Share:
    """One of those who made a work, and their part in it beside those of the others."""

    key: bytes
    parts: int


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """What a work resembles, and never what it is (docs/spec/similar.md)."""

    iscc: tuple[str, ...] = ()
    """Units of 256 bits, `ISCC:` and base32."""
    windows: tuple[bytes, ...] = ()
    """8 bytes for each window of an image."""
    chunks: tuple[bytes, ...] = ()
    """8 bytes for each chunk of a text."""


def add_model(maker: FieldMaker, model: Model | None) -> None:
    """The `model` of a work, if there is one."""
    if model is None:
        return
    inner = FieldMaker()
    inner.text("name", model.name, MAX_MODEL_NAME)
    inner.text("identifier", model.identifier, MAX_IDENTIFIER)
    inner.text("type", model.type, MAX_MODEL_TYPE)
    if model.type is not None and not _is_model_type(model.type):
        raise UsageError(
            f"model type: expected {words.MODEL_TYPE} or what begins with it and a dot,"
            f" got {model.type!a}"
        )
    maker.fields["model"] = inner.fields


def read_model(reader: FieldReader) -> Model | None:
    """The `model` of a work; None without a name."""
    inner = reader.inner("model", needed=("name",))
    if inner is None:
        return None
    name = inner.text("name", MAX_MODEL_NAME)
    identifier = inner.text("identifier", MAX_IDENTIFIER)
    kind = inner.one(
        "type", str, _is_model_type, f"{words.MODEL_TYPE} or what begins with it"
    )
    reader.take_problems(inner)
    return None if name is None else Model(name, identifier, kind)


def _is_model_type(value: str) -> bool:
    begins = value == words.MODEL_TYPE or value.startswith(f"{words.MODEL_TYPE}.")
    return begins and is_text(value, MAX_MODEL_TYPE)


def share_fields(shares: Sequence[Share]) -> list[Value]:
    """The `shares` of a work."""
    require_few("shares", shares, MAX_SHARES)
    if len({one.key for one in shares}) < len(shares):
        raise UsageError("shares: expected no key twice")
    return [_share(one) for one in shares]


def _share(share: Share) -> Fields:
    maker = FieldMaker()
    maker.key("key", share.key)
    maker.number("parts", share.parts, MAX_PARTS, 1)
    return maker.fields


def read_shares(reader: FieldReader) -> tuple[Share, ...]:
    """All of them or none: a proportion is nothing without the other parts."""
    maps = reader.one("shares", list, _are_shares, "keys and their parts, no key twice")
    return tuple(Share(one["key"], one["parts"]) for one in maps or ())


def _are_shares(items: list[Value]) -> bool:
    if not 1 <= len(items) <= MAX_SHARES:
        return False
    keys = set()
    for item in items:
        inner = FieldReader(item if type(item) is dict else {})
        key, parts = inner.key("key"), inner.number("parts", MAX_PARTS, 1)
        if key is None or parts is None:
            return False
        keys.add(key)
    return len(keys) == len(items)


def fingerprint_fields(found: Fingerprints) -> Fields:
    """The `fingerprints` of a work."""
    maker = FieldMaker()
    if found.iscc:
        require_few("iscc", found.iscc, MAX_ISCC)
        if not all(map(is_iscc_unit, found.iscc)):
            raise UsageError("iscc: expected ISCC units of 256 bits")
        maker.fields["iscc"] = list[Value](found.iscc)
    _add_codes(maker, "windows", found.windows, MAX_WINDOWS)
    _add_codes(maker, "chunks", found.chunks, MAX_CHUNKS)
    return maker.fields


def _add_codes(maker: FieldMaker, name: str, codes: Sequence[bytes], most: int) -> None:
    if codes:
        require_few(name, codes, most)
        if any(len(one) != CODE_SIZE for one in codes):
            raise UsageError(f"{name}: expected codes of {CODE_SIZE} bytes")
        maker.fields[name] = b"".join(codes)


def read_fingerprints(reader: FieldReader) -> Fingerprints | None:
    """The `fingerprints` of a work, each kind that is sound."""
    inner = reader.inner("fingerprints")
    if inner is None:
        return None
    expected = "ISCC units of 256 bits"
    found = Fingerprints(
        inner.several("iscc", MAX_ISCC, str, is_iscc_unit, expected),
        _read_codes(inner, "windows", MAX_WINDOWS),
        _read_codes(inner, "chunks", MAX_CHUNKS),
    )
    reader.take_problems(inner)
    return found


def _read_codes(reader: FieldReader, name: str, most: int) -> tuple[bytes, ...]:
    codes = reader.one(
        name,
        bytes,
        lambda value: 0 < len(value) <= most * CODE_SIZE and not len(value) % CODE_SIZE,
        f"{CODE_SIZE} bytes for each of at most {most}",
    )
    joined = codes or b""
    return tuple(joined[at : at + CODE_SIZE] for at in range(0, len(joined), CODE_SIZE))


def is_iscc_unit(text: str) -> bool:
    """Whether this is an ISCC unit of 256 bits: a header of two bytes (main type, sub
    type, version 0, length 7) and 32 bytes, in base32 without padding."""
    if not _ISCC.fullmatch(text):
        return False
    data = base64.b32decode(text[5:] + "=")
    whole = base64.b32encode(data).decode("ascii").rstrip("=") == text[5:]
    return whole and data[0] >> 4 < _ISCC_TYPES and data[1] == 0x07
