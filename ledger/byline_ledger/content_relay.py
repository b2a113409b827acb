"""What `relay` statements say: a foreign claim that somebody saw in a work's bytes.

The importer says nothing of its own: what the foreign issuer vouched for is `created`,
what it did not is `gathered`, and the issuer is named in the certificate's own words.
Field by field: docs/spec/statement.md, "relay".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from byline_ledger import vocabulary as words
from byline_ledger.content_parts import Model, add_model, read_model
from byline_ledger.content_work import source_fields
from byline_ledger.field_maker import FieldMaker, Fields, made_of
from byline_ledger.field_reader import MAX_TITLE, FieldReader
from byline_ledger.statement import MAX_TIME, Source, Statement

MAX_FORMAT = 64
MAX_VALIDATOR = 128
MAX_ISSUER = 256
MAX_CREATORS = 16
MAX_CREATOR = 256
MAX_ACTIONS = 64
MAX_ACTION = 128


@dataclass(frozen=True, slots=True)
class ForeignClaim:
    """What a foreign manifest says of a work; fields as in WorkContent."""

    source_type: str | None = None
    title: str | None = None
    license: str | None = None
    uses: Mapping[str, str] = field(default_factory=dict)
    constraints: Mapping[str, str] = field(default_factory=dict)
    creators: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    model: Model | None = None
    oversight: str | None = None


@dataclass(frozen=True, slots=True)
class RelayContent:
    """What a `relay` says."""

    format: str | None
    """Such as c2pa."""
    manifest: bytes | None
    """Multihash of the foreign manifest's bytes."""
    validation: str | None
    """trusted, valid or invalid, in the word of the validator."""
    validator: str | None
    trust_list: bytes | None
    """Multihash of the list that the validator trusted."""
    checked: int | None
    """Unix milliseconds."""
    issuer: str | None
    issuer_key: bytes | None
    """Multihash of the SubjectPublicKeyInfo."""
    created: ForeignClaim | None
    """What the issuer vouched for."""
    gathered: ForeignClaim | None
    """What it did not."""
    sources: tuple[Source, ...]
    sound: bool
    """Whether it says anything: format, manifest and validation are there."""
    problems: tuple[str, ...]


def relay_fields(
    *,
    about: bytes,
    format: str,  # the field's name
    manifest: bytes,
    validation: str,
    validator: str | None = None,
    trust_list: bytes | None = None,
    checked: int | None = None,
    issuer: str | None = None,
    issuer_key: bytes | None = None,
    created: ForeignClaim | None = None,
    gathered: ForeignClaim | None = None,
    sources: Sequence[Source] = (),
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `relay` about a work (multihash).

    `uses` of a claim maps entries to values, its `constraints` entries to their texts.
    """
    maker = made_of("relay", about, time, salt)
    maker.text("format", format, MAX_FORMAT)
    maker.digest("manifest", manifest)
    maker.word("validation", validation, words.VALIDATIONS)
    maker.text("validator", validator, MAX_VALIDATOR)
    maker.digest("trust-list", trust_list)
    maker.number("checked", checked, MAX_TIME)
    maker.text("issuer", issuer, MAX_ISSUER)
    maker.digest("issuer-key", issuer_key)
    for name, claim in (("created", created), ("gathered", gathered)):
        if claim is not None:
            maker.fields[name] = _claim_fields(claim)
    if sources:
        maker.fields["sources"] = source_fields(about, sources)
    return maker.fields


def read_relay(statement: Statement) -> RelayContent:
    """What a `relay` says."""
    reader = FieldReader(statement.fields, needed=("format", "manifest", "validation"))
    return RelayContent(
        format=reader.text("format", MAX_FORMAT),
        manifest=reader.digest("manifest"),
        validation=reader.word("validation", words.VALIDATIONS),
        validator=reader.text("validator", MAX_VALIDATOR),
        trust_list=reader.digest("trust-list"),
        checked=reader.time("checked"),
        issuer=reader.text("issuer", MAX_ISSUER),
        issuer_key=reader.digest("issuer-key"),
        created=read_claim(reader, "created"),
        gathered=read_claim(reader, "gathered"),
        sources=reader.sources(statement.sources),
        sound=reader.sound,
        problems=tuple(reader.problems),
    )


def _claim_fields(claim: ForeignClaim) -> Fields:
    maker = FieldMaker()
    maker.source_type(None, claim.source_type)
    maker.text("title", claim.title, MAX_TITLE)
    maker.licence(claim.license)
    infos = claim.constraints
    maker.uses(
        {
            use: f"{value}:{infos[use]}" if use in infos else value
            for use, value in claim.uses.items()
        }
    )
    maker.texts("creators", claim.creators, MAX_CREATORS, MAX_CREATOR)
    maker.texts("actions", claim.actions, MAX_ACTIONS, MAX_ACTION)
    add_model(maker, claim.model)
    maker.word("oversight", claim.oversight, words.OVERSIGHT)
    return maker.fields


def read_claim(reader: FieldReader, name: str) -> ForeignClaim | None:
    """The foreign claim under that name, with a problem for each unsound field."""
    inner = reader.inner(name)
    if inner is None:
        return None
    uses, constraints = inner.uses()
    claim = ForeignClaim(
        source_type=inner.source_type(),
        title=inner.text("title", MAX_TITLE),
        license=inner.licence(),
        uses=uses,
        constraints=constraints,
        creators=inner.texts("creators", MAX_CREATORS, MAX_CREATOR),
        actions=inner.texts("actions", MAX_ACTIONS, MAX_ACTION),
        model=read_model(inner),
        oversight=inner.word("oversight", words.OVERSIGHT),
    )
    reader.take_problems(inner)
    return claim
