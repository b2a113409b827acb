"""What statements beside claims say, in plain words: terms, wishes, answers, foreign
claims, and what a claim says of models, shares and cooperatives.

Pure functions to lines.  A field that is not sound is left out here; the answer names
it as a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from byline_cli.output import safe
from byline_cli.wording import MADE, OVERSIGHT, USE_VALUES, USES, amount, day
from byline_ledger.content import (
    ForeignClaim,
    GrantContent,
    OfferContent,
    RelayContent,
    RequestContent,
    WorkContent,
)
from byline_ledger.content_sets import (
    CollectionContent,
    LabelContent,
    SettlementContent,
)
from byline_ledger.digest import cid_of_statement
from byline_ledger.vocabulary import plain_answer

if TYPE_CHECKING:
    from byline_ledger.answer import Claim, Remark

Name = Callable[[bytes], str]
"""How the reader knows a key."""


def about_claim(claim: Claim, name: Name) -> Iterator[tuple[str, str]]:
    """Label and value of what a claim says of its making beside the usual."""
    work = claim.content
    if not isinstance(work, WorkContent):
        return
    if work.model is not None:
        more = f" ({safe(work.model.identifier)})" if work.model.identifier else ""
        yield "AI model", safe(work.model.name) + more
    if work.oversight is not None:
        yield "looked after", OVERSIGHT[work.oversight]
    total = sum(one.parts for one in work.shares)
    for i, share in enumerate(work.shares):
        part = f"{100 * share.parts / total:.4g} %"
        yield "shares" if i == 0 else "", f"{part} {name(share.key)}"
    if work.group is not None:
        yield "offered by", f"{name(work.group)}, a cooperative"


def sentence(remark: Remark, name: Name) -> str | None:
    """What a remark about a work comes to, as words that follow `said by KEY`; None
    for types of which nothing special is told."""
    content = remark.content
    if isinstance(content, GrantContent):
        return granted(content, name) if content.sound else None
    if isinstance(content, OfferContent):
        return offered(content, name) if content.sound else None
    if isinstance(content, RequestContent):
        return asked(content) if content.sound else None
    if isinstance(content, RelayContent):
        return relayed(content) if content.sound else None
    return about_a_set(content, name)


def granted(grant: GrantContent, name: Name) -> str:
    """Whom it lets do what."""
    who = name(grant.grantee) if grant.grantee else "nobody"
    parts = [f"{who} may {listed(grant.uses)}{term(grant.from_, grant.until)}"]
    if grant.constraint_info:
        parts.append(f"on conditions: {safe(grant.constraint_info)}")
    if grant.request is not None:
        parts.append(f"in answer to {cid_of_statement(grant.request)}")
    return ", ".join(parts)


def offered(offer: OfferContent, name: Name) -> str:
    """What may be had, and for what."""
    who = name(offer.grantee) if offer.grantee else "everybody"
    parts = [f"for {who}{term(offer.from_, offer.until)}"]
    for use, value in offer.uses.items():
        info = offer.constraints.get(use)
        more = f" ({safe(info)})" if info else ""
        parts.append(f"{USES[use]}? {USE_VALUES[value]}{more}")
    if offer.price is not None:
        parts.append(f"price {offer.price.to_text()}")
    if offer.license:
        parts.append(f"licence {safe(offer.license)}")
    if offer.terms_url:
        parts.append(f"terms {safe(offer.terms_url)}")
    if offer.contact:
        parts.append(f"contact {safe(offer.contact)}")
    return ", ".join(parts)


def asked(request: RequestContent) -> str:
    """What somebody would like to do."""
    parts = [f"asks to {listed(request.uses)}{term(None, request.until)}"]
    if request.purpose:
        parts.append(f"“{safe(request.purpose)}”")
    if request.contact:
        parts.append(f"contact {safe(request.contact)}")
    if request.offer is not None:
        parts.append(f"takes up {cid_of_statement(request.offer)}")
    return ", ".join(parts)


def relayed(relay: RelayContent) -> str:
    """A foreign claim, in whose words, and what the validator found."""
    who = f"“{safe(relay.issuer)}”" if relay.issuer else "an unnamed issuer"
    parts = [f"carries {safe(relay.format or 'foreign')} credentials of {who}"]
    by = f" by {safe(relay.validator)}" if relay.validator else ""
    parts.append(f"found {relay.validation or 'unknown'}{by}")
    for label, claim in (
        ("the issuer says", relay.created),
        ("the issuer passes on", relay.gathered),
    ):
        said = list(foreign(claim)) if claim is not None else []
        if said:
            parts.append(f"{label}: {', '.join(said)}")
    return "; ".join(parts)


def foreign(claim: ForeignClaim) -> Iterator[str]:
    """What a foreign claim says."""
    if claim.source_type is not None:
        yield f"made by {MADE[plain_answer(claim.source_type)]}"
    if claim.title:
        yield f"“{safe(claim.title)}”"
    if claim.creators:
        yield f"by {safe(', '.join(claim.creators))}"
    if claim.license:
        yield f"licence {safe(claim.license)}"
    for use, value in claim.uses.items():
        yield f"{USES[use]}? {USE_VALUES[value]}"


def about_a_set(content: object, name: Name) -> str | None:
    """What is said of a manifest."""
    if isinstance(content, CollectionContent) and content.sound:
        title = f" “{safe(content.title)}”" if content.title else ""
        return f"a data set{title} of {amount(content.count or 0, 'work')}"
    if isinstance(content, LabelContent) and content.sound:
        use = USES.get(content.use or "", "unknown")
        found = amount(content.violations or 0, "violation")
        return f"a label of {amount(content.count or 0, 'work')} to {use}, {found}"
    if isinstance(content, SettlementContent) and content.sound:
        group = name(content.group) if content.group else "a cooperative"
        items = amount(content.items or 0, "work")
        members = amount(content.members or 0, "member")
        return f"a settlement of {items} by {members} of {group}"
    return None


def listed(uses: Iterable[str]) -> str:
    """Several uses in words."""
    return " and ".join(USES[use] for use in uses)


def term(start: int | None, until: int | None) -> str:
    """From when to when, where that is limited."""
    begins = f" from {day(start)}" if start is not None else ""
    ends = f" until {day(until)}" if until is not None else ""
    return begins + ends
