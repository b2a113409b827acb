"""What a bundle says, in the form of the vectors (tests/vectors/bundle.json)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from byline_ledger.answer import Answer, Claim, Remark, Work
from byline_ledger.bundle import Bundle
from byline_ledger.chain import (
    FOLLOWED,
    Chain,
    Evidence,
    Gone,
    KeyHistory,
    Word,
    WorkEvidence,
)
from byline_ledger.derivation import derive
from byline_ledger.entry import subject_key
from byline_ledger.opening import Walk, parse_opening
from byline_ledger.statement import Statement


def existed_by(answer: Answer) -> dict[str, int | None]:
    """By index, when each claim and endorsement existed at the latest."""
    claims = [claim for work in answer.works for claim in work.claims]
    remarks = [one for claim in claims for one in claim.endorsements]
    return {str(one.index): one.existed_by for one in (*claims, *remarks)}


def headline(answer: Answer, data: bytes) -> dict[str, Any]:
    """The answer in the form of the vectors."""
    bundle = Bundle.from_bytes(data)
    chain = chain_of(bundle)
    works = zip(answer.works, chain.works, strict=True)
    return {
        "depth": answer.depth,
        "gaps": sorted(map(gap_name, answer.gaps)),
        "keys": [key_headline(key) for key in chain.keys if key.total],
        "words": [word_headline(word, bundle) for word in chain.words if word.total],
        "works": [
            work_headline(work) | derived_headline(found, bundle)
            for work, found in works
            if work.total != 0
        ],
        "works_total": len(answer.works),
        "statements": len(bundle.statements),
        "log": {
            "origin": answer.origin,
            "root": b64encode(answer.log_root).decode(),
            "set_root": answer.set_root.hex(),
            "size": answer.log_size,
            "strings": bundle.strings,
        },
    }


def chain_of(bundle: Bundle) -> Chain:
    """What a bundle that holds rests on."""
    known: dict[bytes, Statement | Gone] = {
        one.statement.id: one.statement for one in bundle.statements
    }
    known |= {one.entry.id: Gone(one.entry) for one in bundle.redacted}
    walk = Walk(parse_opening(bundle.opening, bundle.strings))
    places = {one.statement.id: one.index for one in bundle.statements}
    recall, place = known.__getitem__, places.__getitem__
    return derive(walk, recall, place, bundle.asked, bundle.depth, bundle.ahead)


def indexes(ids: Iterable[bytes], bundle: Bundle) -> list[int]:
    places = {one.statement.id: one.index for one in bundle.statements}
    places |= {one.entry.id: one.index for one in bundle.redacted}
    return sorted(places[id_] for id_ in ids)


def key_headline(key: KeyHistory) -> dict[str, Any]:
    return filled(
        {
            "author": key.author.hex(),
            "total": key.total,
            "successor": key.successor.hex() if key.successor else None,
        },
        recovery=key.recovery.hex() if key.recovery else None,
        rivals=[one.hex() for one in key.rivals],
    )


def word_headline(word: Word, bundle: Bundle) -> dict[str, Any]:
    return filled(
        {
            "about": word.about[2:].hex(),
            "author": word.author.hex(),
            "total": word.total,
            "said": [said_headline(one, bundle) for one in word.statements],
        },
        redacted=indexes([one.id for one in word.gone], bundle),
    )


def said_headline(one: Evidence, bundle: Bundle) -> Any:
    (index,) = indexes([one.statement.id], bundle)
    own = indexes([said.id for said in one.own], bundle)
    return [index, own, one.settled] if one.statement.type in FOLLOWED else index


def derived_headline(work: WorkEvidence, bundle: Bundle) -> dict[str, Any]:
    return filled(
        {},
        derived_total=work.derived_total,
        derived=indexes([one.statement.id for one in work.derived], bundle),
        derived_redacted=indexes([one.id for one in work.derived_gone], bundle),
    )


GAPS = {
    "steps": "depth",
    "works": "works",
    "bytes": "bytes",
    "statements about a work": "work page",
    "works made from a work": "derived page",
    "remarks about a statement": "remark page",
    "statements of a key": "own page",
    "successors": "successors",
}


def gap_name(text: str) -> str:
    """The vectors' name of a gap; its wording is the program's own."""
    return next(name for words, name in reversed(GAPS.items()) if words in text)


def work_headline(work: Work) -> dict[str, Any]:
    return filled(
        {"digest": work.digest[2:].hex(), "level": work.level, "total": work.total},
        claims=[claim_headline(claim) for claim in work.claims],
        remarks=[brief(remark) for remark in work.remarks],
        redacted=[one.index for one in work.redacted],
    )


def claim_headline(claim: Claim) -> dict[str, Any] | int:
    full = filled(
        brief(claim),
        withdrawal=claim.withdrawal.id.hex() if claim.withdrawal else None,
        remarks_total=claim.remarks_total,
        endorsements=[brief(one) for one in claim.endorsements],
        disputes=[brief(one) for one in claim.disputes],
        others=[brief(one) for one in claim.others],
        redacted=[one.index for one in claim.redacted],
    )
    return claim.index if len(full) == 3 and claim.status == "effective" else full


def brief(one: Claim | Remark) -> dict[str, Any]:
    return {"id": one.id.hex(), "index": one.index, "status": one.status}


def filled(always: dict[str, Any], **further: Any) -> dict[str, Any]:
    return {**always, **{name: value for name, value in further.items() if value}}


def asked_key(bundle: bytes) -> bytes:
    """The lookup key of the first work that a bundle answers for."""
    return subject_key(Bundle.from_bytes(bundle).asked[0])
