"""What statements of the types work, endorse, dispute and withdraw say.

Rule (docs/adr/0003-statement-validity.md): these fields are checked when a statement is
made (UsageError) and when it is read for an answer (a problem is named, the value
becomes unknown), never when a statement is admitted.  Field by field:
docs/spec/statement.md, "Types".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from byline_ledger import vocabulary as words
from byline_ledger.codec import Value
from byline_ledger.digest import is_multihash, multihash
from byline_ledger.errors import UsageError
from byline_ledger.field_reader import (
    MAX_CONSTRAINT,
    MAX_EVIDENCE,
    MAX_NOTE,
    MAX_TITLE,
    MAX_TOOL,
    MAX_TOOLS,
    FieldReader,
    is_media_type,
    is_text,
)
from byline_ledger.licence import canonical_licence
from byline_ledger.statement import MAX_SOURCES, Source, Statement

Fields = dict[str, Value]


@dataclass(frozen=True, slots=True)
class WorkContent:
    """What a `work` statement says; None or "unknown" where it says nothing sound."""

    made: words.Plain
    source_type: str | None
    """URI of an IPTC or C2PA term."""
    title: str | None
    license: str | None
    """Canonical SPDX expression."""
    uses: Mapping[str, str]
    """CAWG entry (with its `cawg.`) to allowed, notAllowed or constrained."""
    constraints: Mapping[str, str]
    """CAWG entry to the text that says how it is constrained."""
    tools: tuple[str, ...]
    sources: tuple[Source, ...]
    media_type: str | None
    size: int | None
    """Bytes."""
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EndorseContent:
    """What an `endorse` statement says."""

    role: str | None
    note: str | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DisputeContent:
    """What a `dispute` statement says; evidence as 34-byte multihashes."""

    reason: str | None
    note: str | None
    evidence: tuple[bytes, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WithdrawContent:
    """What a `withdraw` statement says; the replacement as a statement id."""

    reason: str | None
    replacement: bytes | None
    problems: tuple[str, ...]


def work_fields(
    *,
    about: bytes,
    time: int,
    salt: bytes,
    made: str | None = None,
    source_type: str | None = None,
    title: str | None = None,
    license: str | None = None,  # the field's name
    uses: Mapping[str, str] | None = None,
    sources: Sequence[Source] = (),
    tools: Sequence[str] = (),
    media_type: str | None = None,
    size: int | None = None,
    also: Sequence[bytes] = (),
) -> Fields:
    """The fields of a `work` statement, ready for sign_statement.

    `made` is human, assisted or generated; `source_type` a bare term or URI that fits
    it.  `uses` maps an entry, with or without `cawg.`, to allowed, notAllowed,
    constrained or `constrained:TEXT`.  UsageError for anything that is not sound.
    """
    fields = _fields("work", about, time, salt)
    term = _term(made, source_type)
    if term is not None:
        fields["source-type"] = term
    if title is not None:
        fields["title"] = _text("title", title, MAX_TITLE)
    if license is not None:
        fields["license"] = canonical_licence(license)
    if uses:
        fields["uses"] = dict(_use(key, value) for key, value in uses.items())
    if sources:
        fields["sources"] = _source_fields(about, sources)
    if tools:
        fields["tools"] = _tools(tools)
    if media_type is not None:
        fields["media-type"] = _media_type(media_type)
    if size is not None:
        fields["size"] = size
    if also:
        fields["also"] = list(also)
    return fields


def endorse_fields(
    *, statement_id: bytes, role: str, note: str | None = None, time: int, salt: bytes
) -> Fields:
    """The fields of an `endorse` statement about a statement (id, 32 bytes)."""
    fields = _fields("endorse", _name_of(statement_id), time, salt)
    fields["role"] = words.check_word("role", role, words.ENDORSE_ROLES)
    if note is not None:
        fields["note"] = _text("note", note, MAX_NOTE)
    return fields


def dispute_fields(
    *,
    about: bytes,
    reason: str,
    note: str | None = None,
    evidence: Sequence[bytes] = (),
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `dispute` about a work or a statement (multihash, 34 bytes)."""
    fields = _fields("dispute", about, time, salt)
    fields["reason"] = words.check_word("reason", reason, words.DISPUTE_REASONS)
    if note is not None:
        fields["note"] = _text("note", note, MAX_NOTE)
    if evidence:
        if len(evidence) > MAX_EVIDENCE or not all(map(is_multihash, evidence)):
            raise UsageError(f"evidence: expected at most {MAX_EVIDENCE} multihashes")
        fields["evidence"] = list(evidence)
    return fields


def withdraw_fields(
    *,
    statement_id: bytes,
    reason: str,
    replacement: bytes | None = None,
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `withdraw` of one's own statement (ids of 32 bytes)."""
    fields = _fields("withdraw", _name_of(statement_id), time, salt)
    fields["reason"] = words.check_word("reason", reason, words.WITHDRAW_REASONS)
    if replacement is not None:
        if len(replacement) != 32 or replacement == statement_id:
            raise UsageError("replacement: expected the id of another statement")
        fields["replacement"] = replacement
    return fields


def read_work(statement: Statement) -> WorkContent:
    """What a `work` statement says, with a problem for each field that is not sound."""
    reader = FieldReader(statement.fields)
    term = reader.source_type()
    uses, constraints = reader.uses()
    return WorkContent(
        made=words.plain_answer(term),
        source_type=term,
        title=reader.text("title", MAX_TITLE),
        license=reader.licence(),
        uses=uses,
        constraints=constraints,
        tools=reader.tools(),
        sources=reader.sources(statement.sources),
        media_type=reader.media_type(),
        size=reader.size(),
        problems=tuple(reader.problems),
    )


def read_endorse(statement: Statement) -> EndorseContent:
    """What an `endorse` statement says."""
    reader = FieldReader(statement.fields)
    role = reader.word("role", words.ENDORSE_ROLES)
    note = reader.text("note", MAX_NOTE)
    return EndorseContent(role, note, tuple(reader.problems))


def read_dispute(statement: Statement) -> DisputeContent:
    """What a `dispute` statement says."""
    reader = FieldReader(statement.fields)
    reason = reader.word("reason", words.DISPUTE_REASONS)
    note = reader.text("note", MAX_NOTE)
    evidence = reader.evidence()
    return DisputeContent(reason, note, evidence, tuple(reader.problems))


def read_withdraw(statement: Statement) -> WithdrawContent:
    """What a `withdraw` statement says."""
    reader = FieldReader(statement.fields)
    reason = reader.word("reason", words.WITHDRAW_REASONS)
    replacement = reader.replacement()
    return WithdrawContent(reason, replacement, tuple(reader.problems))


def _fields(kind: str, about: bytes, time: int, salt: bytes) -> Fields:
    return {"type": kind, "about": about, "time": time, "salt": salt}


def _name_of(statement_id: bytes) -> bytes:
    """How a statement is named in `about`: the multihash of its body."""
    if len(statement_id) != 32:
        raise UsageError(f"statement id: expected 32 bytes, got {len(statement_id)}")
    return multihash(statement_id)


def _term(made: str | None, source_type: str | None) -> str | None:
    """The source type to write for what was said of how a work was made."""
    if made is not None:
        words.check_word("made", made, tuple(words.MADE_DEFAULT_TERM))
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


def _use(key: str, value: str) -> tuple[str, Fields]:
    name = words.use_key(key)
    use, colon, info = value.partition(":")
    words.check_word(f"use {key}", use, words.USE_VALUES)
    if not colon:
        return name, {"use": use}
    if use != "constrained":
        raise UsageError(f"use {key}: only `constrained` takes a text, not {use}")
    text = _text(f"use {key}", info.strip(), MAX_CONSTRAINT)
    return name, {"use": use, "constraint-info": text}


def _source_fields(about: bytes, sources: Sequence[Source]) -> list[Fields]:
    if len(sources) > MAX_SOURCES:
        raise UsageError(f"sources: expected at most {MAX_SOURCES}, got {len(sources)}")
    return [_source(about, source) for source in sources]


def _source(about: bytes, source: Source) -> Fields:
    words.check_word("relationship", source.relationship, words.RELATIONSHIPS)
    if source.digest == about:
        raise UsageError("sources: a work cannot be its own source")
    return {
        **source.fields,
        "digest": source.digest,
        "relationship": source.relationship,
    }


def _tools(tools: Sequence[str]) -> list[str]:
    if len(tools) > MAX_TOOLS:
        raise UsageError(f"tools: expected at most {MAX_TOOLS}, got {len(tools)}")
    return [_text("tool", tool, MAX_TOOL) for tool in tools]


def _media_type(value: str) -> str:
    if not is_media_type(value):
        raise UsageError(f"media type: expected type/subtype, got {value[:80]!a}")
    return value


def _text(name: str, value: str, limit: int) -> str:
    if not is_text(value, limit):
        raise UsageError(f"{name}: expected 1 to {limit} characters, got {len(value)}")
    return value
