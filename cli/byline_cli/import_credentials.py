"""`byline import --c2pa`: relay the Content Credentials that came with a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from byline_cli import output
from byline_cli.connect import connect, now_ms
from byline_cli.credentials import leave_with_node, open_work, shelf_of
from byline_cli.files import read_file, require_new, write_new_file
from byline_cli.saying import Manner, say
from byline_cli.targets import hash_file
from byline_cli.wording import MADE
from byline_ledger.content import ForeignClaim
from byline_ledger.crypto import random_bytes
from byline_ledger.did import did_key
from byline_ledger.errors import NotFoundError, UsageError
from byline_ledger.vocabulary import plain_answer

if TYPE_CHECKING:
    from byline_node.c2pa_relay import Seen

MAX_TRUST = 4 << 20
"""Bytes of a trust list."""
PASSED_ON = "and passes on:"
STATES = {
    "Trusted": "valid, and signed by somebody on your trust list",
    "Valid": "valid: these bytes were signed as they are, by a signer you did not name",
    "Invalid": "NOT valid",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    path: Path
    sidecar: Path | None
    trust: Path | None
    save: Path | None
    deposit: bool
    dry_run: bool
    manner: Manner


def import_credentials(wanted: Wanted) -> None:
    """Read the manifest in a file or beside it, tell it, publish a relay of it."""
    if wanted.save is not None:
        require_new(wanted.save)
    shelf = find_shelf(wanted) if wanted.deposit else None
    trust = read_file(wanted.trust, MAX_TRUST) if wanted.trust is not None else None
    seen, where = look_at(wanted, trust)
    rows = describe(seen, where)
    more = to_json(seen) | {"found_in": str(where)}
    if wanted.save is not None:
        rows.append(write_proof(seen, wanted.save))
    if wanted.dry_run:
        output.result(wanted.manner.as_json, more, rows)
        return
    from byline_node.c2pa_relay import relay

    fields = relay(seen, trust_list=trust, now=now_ms(), salt=random_bytes(16))
    signed = say(
        "Relayed",
        fields,
        wanted.manner,
        unless_said="any",
        more=more,
        rows=tuple(rows),
    )
    if shelf is not None:
        leave_with_node(f"{shelf}?statement={signed.cid}", seen.report.manifest)
        output.note("Left with the node, for those who find the work without them.")


def find_shelf(wanted: Wanted) -> str:
    """Where the node takes manifests; UsageError if nothing is to be published."""
    if wanted.dry_run or wanted.manner.out is not None:
        raise UsageError("--deposit goes with a relay that is published")
    with connect(make=False) as client:
        return shelf_of(client)


def look_at(wanted: Wanted, trust: bytes | None) -> tuple[Seen, Path]:
    """What was found, and in which file; NotFoundError if nothing was."""
    from byline_node.c2pa_certificates import is_certificates
    from byline_node.c2pa_engine import MAX_MANIFEST
    from byline_node.c2pa_export import media_type_of
    from byline_node.c2pa_relay import look

    if trust is not None and not is_certificates(trust):
        raise UsageError(f"{wanted.trust}: expected certificates in PEM")
    path = wanted.path
    if path.suffix == ".c2pa":
        raise UsageError(
            f"{path} speaks of another file",
            hint=f"name that one: byline import --c2pa FILE --sidecar {path}",
        )
    about = hash_file(path)
    media_type = media_type_of(path)
    with open_work(path) as work:
        if wanted.sidecar is None:
            seen = look(work, media_type, about, anchors=trust)
            if seen is not None:
                return seen, path
        beside = wanted.sidecar or path.with_suffix(".c2pa")
        if wanted.sidecar is not None or beside.is_file():
            work.seek(0)
            manifest = read_file(beside, MAX_MANIFEST)
            seen = look(work, media_type, about, sidecar=manifest, anchors=trust)
            if seen is not None:
                return seen, beside
    raise NotFoundError(
        f"{path} carries no Content Credentials",
        hint="programs that save a file again drop them without a word: ask what"
        " the log knows of it with byline query, or take the file as it was before",
    )


def write_proof(seen: Seen, place: Path) -> output.Line:
    """The proof that the manifest carries, as `byline verify` reads it."""
    if seen.carried is None or not seen.carried.attested.bundle:
        raise NotFoundError("the manifest carries no proof of Byline")
    write_new_file(place, seen.carried.attested.bundle)
    return output.safe(f"Wrote the proof it carries as {place}.")


def describe(seen: Seen, where: Path) -> list[output.Line]:
    """What was found, for people: whose word it is, before what it says."""
    report, foreign = seen.report, seen.foreign
    issuer = seen.subject.name if seen.subject else "nobody that can be named"
    style = "bad" if report.state == "Invalid" else ""
    rows: list[output.Line] = [
        (f"Content Credentials in {output.safe(str(where))}", "head"),
        f"  signed by     {output.safe(issuer)}",
        (f"  validator     {STATES.get(report.state, 'NOT valid')}", style),
    ]
    rows += [(f"                {output.safe(one)}", "bad") for one in report.failures]
    vouched = "its signer vouches for:"
    if report.state == "Invalid":
        vouched = "it says, of whatever it was made for:"
    for head, claim in ((vouched, foreign.created), (PASSED_ON, foreign.gathered)):
        if claim is not None:
            rows += describe_claim(head, claim)
    count = len(foreign.sources) + foreign.unnamed
    if count:
        named = f"{len(foreign.sources)} of {count} can be named by a digest"
        rows.append(f"  ingredients   {named}")
    rows += [
        (f"  left out      {output.safe(one)}", "doubt") for one in foreign.problems
    ]
    return [*rows, *describe_carried(seen)]


def describe_claim(head: str, claim: ForeignClaim) -> list[output.Line]:
    """One half of what it says."""
    rows: list[output.Line] = [f"  {head}"]
    if claim.source_type is not None:
        made = plain_answer(claim.source_type)
        term = claim.source_type.rpartition("/")[2]
        rows.append(f"    made by     {MADE[made]} ({term})")
    told = (
        ("title", claim.title),
        ("licence", claim.license),
        ("by", ", ".join(claim.creators)),
        ("done", ", ".join(claim.actions)),
        ("model", claim.model.name if claim.model else None),
        ("oversight", claim.oversight),
    )
    rows += [f"    {word:<12}{output.safe(text)}" for word, text in told if text]
    for use, value in claim.uses.items():
        info = f": {claim.constraints[use]}" if use in claim.constraints else ""
        rows.append(f"    {'use':<12}{use} {value}{output.safe(info)}")
    return rows if len(rows) > 1 else []


def describe_carried(seen: Seen) -> list[output.Line]:
    """The proof of ours in it."""
    if seen.carried is None:
        return []
    statement = seen.carried.attested.statement
    rows: list[output.Line] = [
        f"  carries       {statement.cid}",
        f"                claimed by {did_key(statement.author)}",
    ]
    if seen.carried.fault is None:
        rows.append(("                its proof holds, offline", "good"))
    else:
        fault = f"                does NOT count: {output.safe(seen.carried.fault)}"
        rows.append((fault, "bad"))
    return rows


def to_json(seen: Seen) -> dict[str, object]:
    """The same, for scripts."""
    carried = seen.carried
    return {
        "validation": seen.report.state.lower(),
        "failures": list(seen.report.failures),
        "issuer": seen.subject.name if seen.subject else None,
        "issuer_key": seen.subject.key.hex() if seen.subject else None,
        "embedded": seen.report.embedded,
        "problems": seen.foreign.problems,
        "carried": None
        if carried is None
        else {
            "statement": carried.attested.statement.cid,
            "author": did_key(carried.attested.statement.author),
            "holds": carried.fault is None,
            "fault": carried.fault,
        },
    }
