"""What `work` statements say: how a work was made, and on which terms.

Made strictly (UsageError), read leniently (docs/adr/0003-statement-validity.md).  Field
by field: docs/spec/statement.md, "work".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from byline_ledger import vocabulary as words
from byline_ledger.codec import Value
from byline_ledger.content_parts import (
    Fingerprints,
    Model,
    Share,
    add_model,
    fingerprint_fields,
    read_fingerprints,
    read_model,
    read_shares,
    share_fields,
)
from byline_ledger.errors import UsageError
from byline_ledger.field_maker import Fields, made_of, require_few
from byline_ledger.field_reader import (
    MAX_TITLE,
    MAX_TOOL,
    MAX_TOOLS,
    FieldReader,
    is_media_type,
    remembered,
)
from byline_ledger.statement import MAX_SOURCES, Source, Statement


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
    model: Model | None
    oversight: str | None
    """How far a human looked after what a model made."""
    shares: tuple[Share, ...]
    group: bytes | None
    """Key of the cooperative under whose offer the work stands, 32 bytes."""
    seal: bytes | None
    """Id of the `seal` that this work reveals; with it always the nonce."""
    seal_nonce: bytes | None
    fingerprints: Fingerprints | None
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
    model: Model | None = None,
    oversight: str | None = None,
    shares: Sequence[Share] = (),
    group: bytes | None = None,
    seal: bytes | None = None,
    seal_nonce: bytes | None = None,
    fingerprints: Fingerprints | None = None,
) -> Fields:
    """The fields of a `work` statement, ready for sign_statement.

    `made` is human, assisted or generated; `source_type` a bare term or URI that fits
    it.  `uses` maps an entry, with or without `cawg.`, to allowed, notAllowed,
    constrained or `constrained:TEXT`.  UsageError for anything that is not sound.
    """
    maker = made_of("work", about, time, salt)
    maker.source_type(made, source_type)
    maker.text("title", title, MAX_TITLE)
    maker.licence(license)
    maker.uses(uses)
    if sources:
        maker.fields["sources"] = source_fields(about, sources)
    maker.texts("tools", tools, MAX_TOOLS, MAX_TOOL)
    if media_type is not None:
        maker.fields["media-type"] = _media_type(media_type)
    maker.number("size", size)
    if also:
        maker.fields["also"] = list(also)
    add_model(maker, model)
    maker.word("oversight", oversight, words.OVERSIGHT)
    if shares:
        maker.fields["shares"] = share_fields(shares)
    maker.key("group", group)
    if (seal is None) != (seal_nonce is None):
        raise UsageError("seal: expected the id of a seal and its nonce, both")
    maker.id("seal", seal)
    maker.hash("seal-nonce", seal_nonce)
    if fingerprints is not None:
        maker.fields["fingerprints"] = fingerprint_fields(fingerprints)
    return maker.fields


@remembered
def read_work(statement: Statement) -> WorkContent:
    """What a `work` statement says, with a problem for each field that is not sound."""
    reader = FieldReader(statement.fields)
    term = reader.source_type()
    uses, constraints = reader.uses()
    seal, nonce = _read_seal(reader)
    return WorkContent(
        made=words.plain_answer(term),
        source_type=term,
        title=reader.text("title", MAX_TITLE),
        license=reader.licence(),
        uses=uses,
        constraints=constraints,
        tools=reader.texts("tools", MAX_TOOLS, MAX_TOOL),
        sources=reader.sources(statement.sources),
        media_type=reader.media_type(),
        size=reader.number("size"),
        model=read_model(reader),
        oversight=reader.word("oversight", words.OVERSIGHT),
        shares=read_shares(reader),
        group=reader.key("group"),
        seal=seal,
        seal_nonce=nonce,
        fingerprints=read_fingerprints(reader),
        problems=tuple(reader.problems),
    )


def source_fields(about: bytes, sources: Sequence[Source]) -> list[Value]:
    """Sources of the work `about` (multihash) as they stand in a statement."""
    require_few("sources", sources, MAX_SOURCES)
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


def _media_type(value: str) -> str:
    if not is_media_type(value):
        raise UsageError(f"media type: expected type/subtype, got {value[:80]!a}")
    return value


def _read_seal(reader: FieldReader) -> tuple[bytes | None, bytes | None]:
    """A seal is named with its nonce, or not at all."""
    seal, nonce = reader.id("seal"), reader.hash("seal-nonce")
    if reader.both("seal", seal, "seal-nonce", nonce):
        return seal, nonce
    return None, None
