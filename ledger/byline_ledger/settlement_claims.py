"""Which claims about a work a settlement counts, by the rules of effective state.

Rule: docs/spec/settlement.md, "What is counted".
"""

from __future__ import annotations

from byline_ledger.content_remarks import read_dispute
from byline_ledger.content_terms import Price, read_offer
from byline_ledger.content_work import read_work
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.facts import YES, Record
from byline_ledger.settlement import CountedClaim
from byline_ledger.state import State

AUTHORSHIP = "authorship"


def priced_offer(state: State, group: bytes, use: str) -> tuple[bytes, Price] | None:
    """The earliest effective offer of a cooperative (32-byte key) to everybody that
    names the use and a price: its id, and what it asks."""
    for record in state.facts.about(digest_bytes(group), "offer"):
        offer = read_offer(record.statement)
        if (
            offer.sound
            and offer.price is not None
            and offer.grantee is None
            and use in offer.uses
            and state.facts.in_term(offer.from_, offer.until) == YES
            and state.authority.acts(record, group) == YES
            and state.standings.is_effective(record)
        ):
            return record.statement.id, offer.price
    return None


def counted_claims(
    state: State, work: bytes, group: bytes, use: str, offer: bytes | None
) -> list[CountedClaim]:
    """The claims about a work (34-byte multihash) that count, by their evidence;
    `offer` is the id of the offer under which they stand."""
    word = state.consents.of(work, use).verdict
    found = []
    for record in state.claims(work):
        content = read_work(record.statement)
        principal = state.authority.principal(record)
        if (
            content.group != group
            or not state.standings.is_effective(record)
            or state.groups.membership(principal, group).status != YES
        ):
            continue
        shares = {one.key: one.parts for one in content.shares}
        counted = CountedClaim(
            id=record.statement.id,
            kin=state.keys.end_of(principal),
            shares=shares or {principal: 1},
            word=word,
            offer=offer,
            disputed=_is_contested(state, record),
        )
        found.append(counted)
    return found


def _is_contested(state: State, claim: Record) -> bool:
    """Whether an effective dispute says that somebody else made the work."""
    said = claim.statement
    return any(
        read_dispute(one.statement).reason == AUTHORSHIP
        and state.standings.is_effective(one)
        for about in (said.about, multihash(said.id))
        for one in state.facts.about(about, "dispute")
    )
