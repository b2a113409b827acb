"""Whether a remark, a term or an admission makes sense, before it is said.

Rule: what readers would ignore is refused with the reason; what may yet count, or what
its author could be sorry for, is found, and told by whoever asks.  What counts is
decided by readers (docs/spec/state.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byline_ledger.content import (
    name_of_key,
    read_grant,
    read_offer,
    read_request,
)
from byline_ledger.content_terms import TERM
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import NotFoundError, RedactedError, UsageError
from byline_ledger.moment import utc
from byline_ledger.statement import Statement
from byline_node.attest import Memory, standing_works
from byline_node.delegations import speaker
from byline_node.differing import content_of
from byline_node.key_rules import Asked, follows
from byline_node.said_before import standing


def find_statement(client: Asked, id_: bytes) -> Statement:
    """The statement that was named; RedactedError says that it was taken down and when,
    NotFoundError what to do."""
    try:
        return client.statement(id_)
    except RedactedError:
        raise
    except NotFoundError:
        raise NotFoundError(
            f"this log holds no statement {cid_of_statement(id_)}",
            hint="ask `byline query` for the id, or sign for later with --out",
        ) from None


# Remarks


def require_sense(client: Asked, signed: Statement) -> None:
    """Refuse statements about nothing that this log knows, and withdrawals of what is
    others' or was withdrawn already."""
    if signed.type == "dispute":
        return
    target = find_statement(client, signed.about[2:])
    if signed.type == "withdraw":
        _require_right(client, signed, target)
        _require_news(client, signed)


def _require_right(client: Asked, signed: Statement, target: Statement) -> None:
    """It takes the author or whom they signed for, a key that follows one of these, or
    one that signs for it."""
    own = {target.author, speaker(target)}
    if own & {signed.author, speaker(signed)}:
        return
    if not any(follows(client, one, speaker(signed)) for one in own):
        raise UsageError(
            f"that statement is by {did_key(target.author)} of {_when(target)}, "
            "and only its author can withdraw it",
            hint="contest it with: byline dispute",
        )


def _require_news(client: Asked, signed: Statement) -> None:
    """Nothing is withdrawn twice by one key, with the same words."""
    for one in client.authored(signed.author, [signed.about]):
        same = one.type == "withdraw" and one.about == signed.about
        if same and content_of(one.fields) == content_of(signed.fields):
            raise UsageError(
                f"that statement was already withdrawn on {_when(one)}",
                hint="to say something again, attest again",
            )


# Seals


def require_first_showing(
    client: Asked, signed: Statement, *, seal: Statement, file: str
) -> None:
    """The seal must be in the log before the work, or it proves nothing; and what was
    shown or attested already is not said again."""
    try:
        client.statement(seal.id)
    except NotFoundError:
        raise NotFoundError(
            f"this log does not hold the seal of {file}",
            hint="publish it first: byline attest --sealed again, or byline publish",
        ) from None
    said = client.authored(signed.author, [signed.about])
    before = standing_works(signed.author, said).get(signed.about)
    if before is None:
        return
    if before.fields.get("seal") == seal.id:
        raise UsageError(
            f"you revealed {file} already on {_when(before)}, as {before.cid}",
            hint=f"see it with: byline query {file}",
        )
    raise UsageError(
        f"{file} was attested already on {_when(before)}, as {before.cid}",
        hint=f"to say something else, first: byline withdraw {before.cid} --reason"
        " superseded",
    )


# Terms


def require_own_key(whose: bytes | None, signed: Statement) -> None:
    """Nobody takes terms for a cooperative (its key) from another key."""
    if whose is not None and whose != speaker(signed):
        raise UsageError(
            f"an offer about {did_key(whose)} counts only if that key signs it",
            hint="sign it with the cooperative's key: --key NAME",
        )


def claims_work(memory: Memory, signed: Statement) -> bool:
    """Whether whoever speaks claims the work that a statement is about."""
    return any(
        speaker(one) == speaker(signed)
        for key in {signed.author, speaker(signed)}
        for one in standing_works(key, memory.authored(key, [signed.about])).values()
    )


def granted_for_another_time(memory: Memory, signed: Statement) -> list[Statement]:
    """Grants of the same that stand and differ in their term alone: both hold then."""
    said = memory.authored(signed.author, [signed.about])
    return [
        one
        for one in standing(said, signed.author, signed.about, signed.type)
        if content_of(one.fields) != content_of(signed.fields)
        and _but_for_term(one) == _but_for_term(signed)
    ]


def _but_for_term(grant: Statement) -> dict[str, object]:
    """What a grant says, from whenever until whenever."""
    content = content_of(grant.fields)
    return {name: one for name, one in content.items() if name not in TERM}


def require_answer(client: Asked, signed: Statement) -> tuple[str, ...]:
    """Refuse a grant of something else than was asked for.  Returns uses that are
    granted and were not asked for."""
    grant = read_grant(signed)
    if grant.request is None:
        return ()
    request = find_statement(client, grant.request)
    named = cid_of_statement(request.id)
    if request.type != "request":
        raise UsageError(
            f"--request: {named} is no request, its type is {request.type}"
        )
    if request.author != grant.grantee:
        raise UsageError(
            f"--request: that is a request of {did_key(request.author)}, not of the"
            " key that you grant to",
            hint=f"say --to {did_key(request.author)}",
        )
    return _beyond(grant.uses, read_request(request).uses)


@dataclass(frozen=True, slots=True)
class TakenUp:
    """How a request fits the offer that it names."""

    names_something_else: bool = False
    """It counts if that stands under the offer, such as a member's work."""
    beyond: tuple[str, ...] = ()
    """Uses that are asked for and not in the offer."""


def require_offer(client: Asked, signed: Statement) -> TakenUp:
    """Refuse to take up what is no offer, or is for others."""
    request = read_request(signed)
    if request.offer is None:
        return TakenUp()
    offer = find_statement(client, request.offer)
    named = cid_of_statement(offer.id)
    if offer.type != "offer":
        raise UsageError(f"--offer: {named} is no offer, its type is {offer.type}")
    found = read_offer(offer)
    if found.grantee not in (None, speaker(signed)):
        raise UsageError(f"--offer: {named} is for another key than the one you use")
    beyond = _beyond(request.uses, tuple(found.uses))
    return TakenUp(offer.about != signed.about, beyond)


def _beyond(said: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Uses that are named here and not there."""
    return tuple(sorted(set(said) - set(known)))


# Members


def require_admittable(memory: Memory, signed: Statement, member: bytes) -> None:
    """A cooperative admits others, and none that is a member already."""
    if member == speaker(signed):
        raise UsageError(
            "a cooperative does not admit its own key",
            hint="sign with another: --key NAME",
        )
    before = _last(memory, speaker(signed), member, "admit")
    if before is not None and not _has_left(memory, before, speaker(signed), member):
        raise UsageError(
            f"that key is a member already, admitted on {_when(before)}",
            hint=f"for other terms, first: byline withdraw {before.cid} --reason"
            " superseded",
        )


def require_member(memory: Memory, signed: Statement, group: bytes) -> None:
    """Only who was admitted leaves, and once."""
    if group == speaker(signed):
        raise UsageError(
            "that is the key that you sign with", hint="sign with another: --key NAME"
        )
    admitted = _last(memory, group, speaker(signed), "admit")
    if admitted is None:
        raise UsageError(
            f"{did_key(group)} has not admitted the key that you sign with",
            hint="name the member's key: --key NAME",
        )
    if _has_left(memory, admitted, group, speaker(signed)):
        raise UsageError("that key has left already")


def _last(memory: Memory, author: bytes, about: bytes, kind: str) -> Statement | None:
    """The latest statement of this type by a key about a key that still stands."""
    name = name_of_key(about)
    found = standing(memory.authored(author, [name]), author, name, kind)
    return found[-1] if found else None


def _has_left(memory: Memory, admitted: Statement, group: bytes, member: bytes) -> bool:
    """Whether the member left since, by the claimed times; the log's order decides in
    the end, and here nothing is decided but what is worth saying."""
    left = _last(memory, member, group, "leave")
    return left is not None and left.time >= admitted.time


def _when(said: Statement) -> str:
    """When it was said, by its author's clock."""
    return utc(said.time // 1000)
