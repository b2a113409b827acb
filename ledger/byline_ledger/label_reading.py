"""What the rules of effective state say about one work of a label.

The rules are those of docs/spec/state.md: verdicts on the four uses, and synthetic
depth, each from the answer about the work alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from byline_ledger.answer import EFFECTIVE, UNKNOWN, Answer, Claim, Work
from byline_ledger.vocabulary import USES

STRICTNESS = ("notAllowed", "constrained", "unknown", "allowed")
"""Of several words, the first of these that is among them wins."""
OPEN: tuple[int, int | None] = (0, None)


def consents_of(answer: Answer) -> dict[str, str]:
    """CAWG entry to allowed, constrained, notAllowed or unknown, for anybody."""
    work = answer.works[0]
    counted = [one for one in work.claims if one.status in (EFFECTIVE, UNKNOWN)]
    return {use: _verdict(work, counted, use) for use in USES}


def _verdict(work: Work, claims: list[Claim], use: str) -> str:
    words = [_word(one, use) for one in claims] or ["unknown"]
    verdict = next(one for one in STRICTNESS if one in words)
    return "unknown" if verdict == "allowed" and _is_hiding(work) else verdict


def _word(claim: Claim, use: str) -> str:
    word = claim.uses.get(use, "unknown")
    if word == "constrained" and use not in claim.constraints:
        return "notAllowed"
    return word


def _is_hiding(work: Work) -> bool:
    """Whether something about the work is not shown."""
    shown = len(work.claims) + len(work.remarks)
    return bool(work.redacted) or work.total is None or work.total > shown


def depth_of(answer: Answer) -> tuple[int, int | None]:
    """Least and greatest number of generations of AI; None where there are gaps."""
    found: dict[bytes, tuple[int, int | None]] = {}
    for work in sorted(answer.works, key=lambda one: -one.level):
        ways = list(_ways(work, found))
        greatest = [one[1] for one in ways]
        known = [one for one in greatest if one is not None]
        most = max(known) if len(known) == len(greatest) else None
        found[work.digest] = min(one[0] for one in ways), most
    return found[answer.works[0].digest]


def _ways(
    work: Work, found: dict[bytes, tuple[int, int | None]]
) -> Iterator[tuple[int, int | None]]:
    effective = [one for one in work.claims if one.status == EFFECTIVE]
    doubted = any(one.status == UNKNOWN for one in work.claims)
    if not effective or doubted or _is_hiding(work):
        yield OPEN
    for claim in effective:
        own = int(claim.made in ("assisted", "generated"))
        below = [found.get(one.digest, OPEN) for one in claim.sources] or [(0, 0)]
        gap = claim.made == "unknown" or (
            claim.made == "generated" and not claim.sources
        )
        tops = [one[1] for one in below if one[1] is not None]
        known = len(tops) == len(below) and not gap
        yield own + min(one[0] for one in below), own + max(tops) if known else None
