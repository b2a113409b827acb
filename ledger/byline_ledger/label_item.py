"""What a label says of one work: read from the proven answer about it.

Rule: a work is made as its effective claims say if they agree; where they do not, or
some may be hidden, it is unknown; without any it is unattested, and neither is ever
folded into human.  Specification: docs/spec/label.md, "Items".
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from byline_ledger.answer import (
    EFFECTIVE,
    UNKNOWN,
    WITHDRAWN,
    Answer,
    Claim,
    Remark,
)
from byline_ledger.codec import Value
from byline_ledger.content_keys import MAX_DISPLAY_NAME
from byline_ledger.content_parts import read_fingerprints, read_model
from byline_ledger.field_reader import FieldReader, is_text
from byline_ledger.synthetic_depth import OPEN
from byline_ledger.vocabulary import USES

UNATTESTED = "unattested"
MADE = ("human", "assisted", "generated", "other", "unknown", UNATTESTED)
"""The slices of a label, in its order."""
DIFFERING = "differing"
"""Of licences: effective claims name several."""
OBJECTION = "consent"
"""The reason of a dispute by somebody who is in a work."""
COUNTED = (EFFECTIVE, UNKNOWN)

_KINDS = {b"\x21\x07": "image", b"\x20\x07": "text"}
"""How ISCC units of 256 bits begin whose codes are compared."""
FEWEST_ONES = 8
"""Of 64 bits; a code with fewer is that of a plain surface, and like any other such."""


@dataclass(frozen=True, slots=True)
class LabelItem:
    """One work on a label.

    `keys` (32 bytes) are those that the claims which count are by; `entries` the places
    of all claims in the log; `consent` maps the four CAWG entries to verdicts;
    `greatest` is None where the chain of sources has gaps; `code` is 64 bits of a
    fingerprint, with its kind.
    """

    made: str
    source_type: str | None
    models: tuple[str, ...]
    license: str | None
    consent: Mapping[str, str]
    least: int
    greatest: int | None
    keys: tuple[bytes, ...]
    named: bool
    signed: bool
    endorsed: bool
    disputed: bool
    objections: int
    withdrawn: int
    entries: tuple[int, ...]
    code: tuple[str, int] | None


def read_item(answer: Answer) -> LabelItem:
    """The item for the work that an answer is about."""
    work = answer.works[0]
    depth = work.synthetic_depth or OPEN
    effective = [one for one in work.claims if one.status == EFFECTIVE]
    counted = [one for one in work.claims if one.status in COUNTED]
    shown = len(work.claims) + len(work.remarks) + len(work.redacted)
    hidden = work.total is None or work.total > shown or bool(work.redacted)
    disputes = list(_disputes(work.remarks, counted))
    objections = [one for one in disputes if one.reason == OBJECTION]
    keys = tuple(sorted({_by(one) for one in counted}))
    return LabelItem(
        made=_made(counted, hidden=hidden),
        source_type=_agreed([one.source_type for one in effective]),
        models=_models(effective),
        license=_license(effective),
        consent={use: work.consent.get(use, "unknown") for use in USES},
        least=depth.least,
        greatest=depth.greatest,
        keys=keys,
        named=any(map(_named(answer).__contains__, keys)),
        signed=bool(effective),
        endorsed=any(map(_is_endorsed, effective)),
        disputed=len(disputes) > len(objections),
        objections=len(objections),
        withdrawn=sum(one.status == WITHDRAWN for one in work.claims),
        entries=tuple(sorted(one.index for one in work.claims)),
        code=next(_codes(counted), None),
    )


def _made(counted: list[Claim], *, hidden: bool) -> str:
    if not counted and not hidden:
        return UNATTESTED
    if hidden or any(one.status == UNKNOWN for one in counted):
        return "unknown"
    return _agreed([one.made for one in counted]) or "unknown"


def _agreed(words: Sequence[str | None]) -> str | None:
    """The one word that all say."""
    return words[0] if len(set(words)) == 1 else None


def _license(effective: list[Claim]) -> str | None:
    found = {one.license for one in effective if one.license is not None}
    return DIFFERING if len(found) > 1 else next(iter(found), None)


def _models(effective: list[Claim]) -> tuple[str, ...]:
    found = (read_model(FieldReader(_fields(one))) for one in effective)
    return tuple(sorted({one.name for one in found if one is not None}))


def _disputes(remarks: Sequence[Remark], claims: Iterable[Claim]) -> Iterator[Remark]:
    """Those of the work and of its claims that count or might."""
    yield from (one for one in remarks if one.type == "dispute" and _counts(one))
    for claim in claims:
        yield from filter(_counts, claim.disputes)


def _counts(remark: Remark) -> bool:
    return remark.status in COUNTED


def _is_endorsed(claim: Claim) -> bool:
    """By somebody else: one's own word twice is one word."""
    return any(
        one.status == EFFECTIVE and _by(one) != _by(claim) for one in claim.endorsements
    )


def _by(said: Claim | Remark) -> bytes:
    """The key whose word it is: a delegate speaks for another."""
    return said.signed_for or said.author


def _named(answer: Answer) -> set[bytes]:
    """Keys with a profile that has a name; whether it is theirs is not asked here.

    That a profile was withdrawn is known where it is shown, which no answer owes.
    """
    return {
        key.author
        for key in answer.keys
        for said in key.statements
        if said.type == "profile" and _counts(said) and _has_name(said)
    }


def _has_name(profile: Remark) -> bool:
    name = profile.fields.get("name")
    return isinstance(name, str) and is_text(name, MAX_DISPLAY_NAME)


def _codes(claims: Iterable[Claim]) -> Iterator[tuple[str, int]]:
    for claim in claims:
        found = read_fingerprints(FieldReader(_fields(claim)))
        for unit in found.iscc if found is not None else ():
            raw = base64.b32decode(unit.removeprefix("ISCC:") + "=")
            code = int.from_bytes(raw[2:10], "big")
            if raw[:2] in _KINDS and code.bit_count() >= FEWEST_ONES:
                yield _KINDS[raw[:2]], code


def _fields(claim: Claim) -> Mapping[str, Value]:
    return cast("Mapping[str, Value]", claim.fields)  # as the statement has them
