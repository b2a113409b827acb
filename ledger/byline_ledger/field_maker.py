"""Makes the fields that a statement's type defines, strictly (docs/adr/0003).

Rule: what is given is either within docs/spec/statement.md, "Types", or a UsageError
that says what was expected.  None, and what is empty, is left out.  What is made here,
field_reader.py reads without a problem.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from byline_ledger import vocabulary as words
from byline_ledger.codec import Value
from byline_ledger.digest import digest_bytes, is_multihash, multihash
from byline_ledger.errors import UsageError
from byline_ledger.field_reader import (
    MAX_CONSTRAINT,
    MAX_COUNT,
    MAX_USES,
    is_text,
)
from byline_ledger.licence import canonical_licence
from byline_ledger.statement import MAX_TIME

Fields = dict[str, Value]


class FieldMaker:
    """The fields of one statement, or of a map in it."""

    def __init__(self, **fields: Value) -> None:
        self.fields: Fields = dict(fields)

    def text(self, name: str, value: str | None, limit: int) -> None:
        """Text of 1 to `limit` characters."""
        if value is not None:
            self.fields[name] = checked_text(name, value, limit)

    def texts(self, name: str, values: Sequence[str], most: int, limit: int) -> None:
        """At most `most` texts of 1 to `limit` characters."""
        if values:
            require_few(name, values, most)
            self.fields[name] = [checked_text(name, one, limit) for one in values]

    def word(self, name: str, value: str | None, known: Sequence[str]) -> None:
        """One of the words that are known; the error suggests the nearest."""
        if value is not None:
            self.fields[name] = words.check_word(name, value, known)

    def key(self, name: str, value: bytes | None) -> None:
        """A public key, 32 bytes."""
        self._bytes(name, value, "a key")

    def id(self, name: str, value: bytes | None) -> None:
        """The id of a statement, 32 bytes."""
        self._bytes(name, value, "the id of a statement")

    def hash(self, name: str, value: bytes | None) -> None:
        """A hash or nonce, 32 bytes."""
        self._bytes(name, value, "a hash")

    def _bytes(self, name: str, value: bytes | None, what: str) -> None:
        if value is None:
            return
        if len(value) != 32:
            raise UsageError(f"{name}: expected {what} of 32 bytes, got {len(value)}")
        self.fields[name] = value

    def digest(self, name: str, value: bytes | None) -> None:
        """A SHA-256 multihash, 34 bytes."""
        if value is not None:
            self.digests(name, [value], 1)
            self.fields[name] = value

    def digests(self, name: str, values: Sequence[bytes], most: int) -> None:
        """At most `most` SHA-256 multihashes."""
        if values:
            if len(values) > most or not all(map(is_multihash, values)):
                raise UsageError(f"{name}: expected at most {most} multihashes")
            self.fields[name] = list(values)

    def number(
        self, name: str, value: int | None, most: int = MAX_COUNT, least: int = 0
    ) -> None:
        """A number from `least` to `most`."""
        if value is None:
            return
        if not least <= value <= most:
            raise UsageError(f"{name}: expected {least} to {most:,}, got {value:,}")
        self.fields[name] = value

    def term(self, from_: int | None, until: int | None) -> None:
        """`from` and `until`, Unix milliseconds; the first is before the second."""
        self.number("from", from_, MAX_TIME)
        self.number("until", until, MAX_TIME)
        if until is not None and until <= (from_ or 0):
            raise UsageError("until: expected a time after its beginning")

    def licence(self, value: str | None) -> None:
        """An SPDX expression, in whatever spelling."""
        if value is not None:
            self.fields["license"] = canonical_licence(value)

    def uses(self, values: Mapping[str, str] | None) -> None:
        """Entries to allowed, notAllowed, constrained or `constrained:TEXT`."""
        if values:
            self.fields["uses"] = dict(_use(*entry) for entry in values.items())

    def uses_list(self, values: Sequence[str]) -> None:
        """Entries, with or without `cawg.`, no two alike."""
        if values:
            require_few("uses", values, MAX_USES)
            found = [words.use_key(one) for one in values]
            if len(set(found)) < len(found):
                raise UsageError("uses: expected no entry twice")
            self.fields["uses"] = list[Value](found)

    def source_type(self, made: str | None, term: str | None) -> None:
        """How made: a plain word, a term, or both where they fit."""
        found = _term(made, term)
        if found is not None:
            self.fields["source-type"] = found


def made_of(kind: str, about: bytes, time: int, salt: bytes) -> FieldMaker:
    """The common fields of a statement of this type, to which others are added."""
    return FieldMaker(type=kind, about=about, time=time, salt=salt)


def name_of_statement(statement_id: bytes) -> bytes:
    """How a statement (id, 32 bytes) is named in `about`: the multihash of its body."""
    if len(statement_id) != 32:
        raise UsageError(f"statement id: expected 32 bytes, got {len(statement_id)}")
    return multihash(statement_id)


def name_of_key(key: bytes) -> bytes:
    """How a key (32 bytes) is named in `about`: the multihash of its bytes."""
    if len(key) != 32:
        raise UsageError(f"key: expected 32 bytes, got {len(key)}")
    return digest_bytes(key)


def require_few(name: str, values: Sequence[object], most: int) -> None:
    """At most so many."""
    if len(values) > most:
        raise UsageError(f"{name}: expected at most {most}, got {len(values)}")


def checked_text(name: str, value: str, limit: int) -> str:
    """The same text, of 1 to `limit` characters."""
    if not is_text(value, limit):
        raise UsageError(f"{name}: expected 1 to {limit} characters, got {len(value)}")
    return value


def _use(key: str, value: str) -> tuple[str, Fields]:
    name = words.use_key(key)
    use, colon, info = value.partition(":")
    words.check_word(f"use {key}", use, words.USE_VALUES)
    if not colon:
        return name, {"use": use}
    if use != "constrained":
        raise UsageError(f"use {key}: only `constrained` takes a text, not {use}")
    text = checked_text(f"use {key}", info.strip(), MAX_CONSTRAINT)
    return name, {"use": use, "constraint-info": text}


def _term(made: str | None, source_type: str | None) -> str | None:
    """The source type to write for what was said of how a work was made."""
    if made is not None:
        words.check_made(made)
    if source_type is None:
        return None if made is None else words.MADE_DEFAULT_TERM[made]
    term = words.source_type_to_write(source_type)
    plain = words.plain_answer(term)
    if made is not None and plain != made:
        raise UsageError(
            f"made: {made} does not fit the source type {term.rpartition('/')[2]}, "
            f"which stands for {plain}",
            hint="give the source type alone, or one that fits",
        )
    return term
