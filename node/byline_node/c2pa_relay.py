"""A manifest that was found with a file: looked at, held against its bytes, relayed.

Rule (docs/spec/content-credentials.md, "Import"): a relay says "I saw this manifest in
these bytes, and my validator said so", and nothing of its own.  A proof of ours that it
carries counts if it holds and if the key that signed the statement signed the manifest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from byline_ledger.checkpoint import open_checkpoint
from byline_ledger.codec import Value, pack
from byline_ledger.content import relay_fields
from byline_ledger.content_relay import MAX_ISSUER
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.entry import statement_entry
from byline_ledger.errors import BylineError, MalformedError, VerificationError
from byline_ledger.field_maker import Fields
from byline_ledger.merkle import leaf_hash, verify_inclusion
from byline_ledger.statement import MAX_BODY
from byline_ledger.verify import verify_bundle
from byline_node import c2pa_engine
from byline_node.c2pa_certificates import Subject, subject_of
from byline_node.c2pa_import import FORMAT, Foreign, read_foreign
from byline_node.c2pa_manifest import Attested, read_attestation
from byline_node.c2pa_store import leaf_certificate

MOST_FAILURES = 16
MAX_FAILURE = 128
ROOM = 512
"""Bytes of a body for what is added when it is signed: author, proof of work."""
LEAST = (
    *(("gathered", name) for name in ("actions", "creators", "title", "model")),
    *(("created", name) for name in ("actions", "creators", "title", "model")),
    ("gathered", "license"),
    ("created", "license"),
)
"""What is left out first of a manifest that says more than a statement can hold."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A proof of ours in somebody's manifest; `fault` says why it does not count."""

    attested: Attested
    fault: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found with a work; `subject` is None where no certificate is to be had.

    `about` is the work's multihash.
    """

    about: bytes
    report: c2pa_engine.Report
    foreign: Foreign
    subject: Subject | None
    carried: Carried | None


def look(
    work: BinaryIO,
    media_type: str,
    about: bytes,
    *,
    sidecar: bytes | None = None,
    anchors: bytes | None = None,
) -> Seen | None:
    """The manifest in a work, or one that came beside it; None if there is none.

    `anchors`: certificates in PEM that the reader trusts.  MalformedError for what is
    no manifest.
    """
    trusted = anchors.decode("utf-8", "replace") if anchors else None
    report = c2pa_engine.read(work, media_type, manifest=sidecar, anchors=trusted)
    if report is None:
        return None
    foreign = read_foreign(report.detail, report.active, about)
    subject = None
    try:
        subject = subject_of(leaf_certificate(report.manifest, report.active))
    except MalformedError as error:
        foreign.problems.append(str(error))
    return Seen(
        about, report, foreign, subject, carried(report, foreign, subject, about)
    )


def carried(
    report: c2pa_engine.Report, foreign: Foreign, subject: Subject | None, about: bytes
) -> Carried | None:
    """The proof of ours that a manifest carries, if any, and what is wrong with it."""
    if foreign.attestation is None:
        return None
    try:
        attested = read_attestation(foreign.attestation)
    except BylineError as error:
        foreign.problems.append(str(error))
        return None
    try:
        require_proof(attested)
        if report.state == "Invalid":
            raise VerificationError("the manifest around it is not valid")
        if subject is None or subject.author != attested.statement.author:
            raise VerificationError("another key than its author's signed the manifest")
        if not report.embedded and attested.statement.about != about:
            raise VerificationError("it is about other bytes than these")
    except BylineError as error:
        return Carried(attested, str(error))
    return Carried(attested, None)


def require_proof(attested: Attested) -> None:
    """The statement is signed, and in the log at the place it claims; offline."""
    statement = attested.statement
    statement.verify()
    if attested.bundle:
        verdict = verify_bundle(attested.bundle, digest=statement.about)
        if not verdict.ok or verdict.answer is None:
            raise VerificationError(f"the proof does not hold: {verdict.failure()}")
        answer = verdict.answer
        claims = [(one.id, one.index) for one in answer.works[0].claims]
        if (statement.id, attested.index) not in claims or answer.vkey != attested.log:
            raise VerificationError("the proof is of another statement")
        return
    tree = open_checkpoint(attested.checkpoint, attested.log)
    leaf = leaf_hash(statement_entry(statement))
    verify_inclusion(leaf, attested.index, tree.size, attested.inclusion, tree.root)


def relay(seen: Seen, *, trust_list: bytes | None, now: int, salt: bytes) -> Fields:
    """The fields of a `relay` of what was seen; `now` in Unix ms.

    What does not fit into a statement is left out and named in the problems.
    """
    fields = relay_fields(
        about=seen.about,
        format=FORMAT,
        manifest=digest_bytes(seen.report.manifest),
        validation=seen.report.state.lower(),
        validator=c2pa_engine.version(),
        trust_list=digest_bytes(trust_list) if trust_list else None,
        checked=now,
        issuer=issuer_of(seen.subject),
        issuer_key=multihash(seen.subject.key) if seen.subject else None,
        created=seen.foreign.created,
        gathered=seen.foreign.gathered,
        sources=seen.foreign.sources,
        time=now,
        salt=salt,
    )
    failures = [one[:MAX_FAILURE] for one in seen.report.failures if one]
    if failures:
        fields["failures"] = list[Value](failures[:MOST_FAILURES])
    if seen.foreign.unnamed:
        fields["unnamed-ingredients"] = seen.foreign.unnamed
    fit(fields, seen.foreign)
    return fields


def issuer_of(subject: Subject | None) -> str | None:
    """The certificate's own words, as many as a statement has room for."""
    if subject is None or not subject.name:
        return None
    name = subject.name.encode("utf-8", "replace").decode("utf-8")
    return name if len(name) <= MAX_ISSUER else name[: MAX_ISSUER - 1] + "…"


def fit(fields: Fields, foreign: Foreign) -> None:
    """Leaves out what a statement has no room for; consent is never left out alone."""
    for part, name in LEAST:
        if len(pack(fields)) <= MAX_BODY - ROOM:
            return
        claim = fields.get(part)
        if isinstance(claim, dict) and claim.pop(name, None) is not None:
            foreign.problems.append(f"{part} {name}: no room for it in a statement")
    for part in ("gathered", "sources", "created"):
        if len(pack(fields)) > MAX_BODY - ROOM and fields.pop(part, None) is not None:
            foreign.problems.append(f"{part}: no room for it in a statement")
