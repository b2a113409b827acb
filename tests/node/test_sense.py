"""What readers would ignore is refused before it is said; what may count is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.node.test_key_rules import refused, rotation, when
from tests.support.signed import TIME, key, signed, withdraw

from byline_ledger.content import (
    admit_fields,
    delegated_fields,
    grant_fields,
    leave_fields,
    offer_fields,
    request_fields,
)
from byline_ledger.content_keys import delegate_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.errors import NotFoundError
from byline_ledger.statement import Statement, sign_statement
from byline_node.home import Home
from byline_node.local import LocalClient
from byline_node.sense import (
    TakenUp,
    claims_work,
    granted_for_another_time,
    require_admittable,
    require_answer,
    require_first_showing,
    require_member,
    require_offer,
    require_own_key,
    require_sense,
)

ANN, BOB, COOP, NEW = (key(number) for number in range(1, 5))
PHOTO, OTHER = digest_bytes(b"a photo"), digest_bytes(b"another")
MINING, TRAINING = "cawg.data_mining", "cawg.ai_training"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LocalClient]:
    with LocalClient(Home(tmp_path / "home")) as client:
        yield client


def published(node: LocalClient, *said: Statement) -> Statement:
    """The first of them, once all are in the log."""
    node.publish(said)
    return said[0]


def grant(by: SigningKey = ANN, **more: Any) -> Statement:
    given = {"about": PHOTO, "grantee": BOB.public, "uses": [MINING]} | more
    return sign_statement(grant_fields(**given, **when()), by)


def request(by: SigningKey = BOB, **more: Any) -> Statement:
    asked = {"about": PHOTO, "uses": [MINING]} | more
    return sign_statement(request_fields(**asked, **when()), by)


def offer(by: SigningKey = ANN, **more: Any) -> Statement:
    said = {"about": PHOTO, "uses": {MINING: "allowed"}} | more
    return sign_statement(offer_fields(**said, **when()), by)


# Remarks


def test_nothing_is_said_of_a_statement_that_is_not_there(node: LocalClient) -> None:
    """A dispute may be about a work of which the log knows nothing."""
    claim = signed(PHOTO, ANN)
    remark = signed(multihash(claim.id), BOB, type="endorse", role="reviewed")
    with pytest.raises(NotFoundError, match="holds no statement"):
        require_sense(node, remark)
    require_sense(node, signed(PHOTO, BOB, type="dispute", reason="consent"))
    published(node, claim)
    require_sense(node, remark)


def test_only_whose_word_it_is_withdraws_it_and_once(node: LocalClient) -> None:
    claim = published(node, signed(PHOTO, ANN))
    by_bob = refused(require_sense, node, withdraw(claim, BOB))
    assert "and only its author can withdraw it" in by_bob
    first = withdraw(claim, ANN)
    require_sense(node, first)
    published(node, first)
    again = refused(require_sense, node, withdraw(claim, ANN))
    assert "already withdrawn on 2023-11-14" in again
    other = signed(multihash(claim.id), ANN, type="withdraw", reason="legal")
    require_sense(node, other)


def test_a_successor_and_who_was_signed_for_may_withdraw(node: LocalClient) -> None:
    claim = published(node, signed(PHOTO, ANN), rotation(ANN, ANN, NEW))
    require_sense(node, withdraw(claim, NEW))
    may = delegate_fields(key=BOB.public, types=["work"], until=TIME * 2, **when())
    given = sign_statement(may, COOP)
    fields = dict(signed(PHOTO, BOB).fields)
    more = delegated_fields(fields, for_=COOP.public, delegation=given.id)
    lent = sign_statement(more, BOB)
    published(node, given, lent)
    require_sense(node, withdraw(lent, COOP))
    require_sense(node, withdraw(lent, BOB))


# Seals


def test_a_seal_is_in_the_log_before_its_work_is_shown_once(node: LocalClient) -> None:
    seal = signed(OTHER, ANN, type="seal")
    shown = signed(PHOTO, ANN, seal=seal.id)

    def show() -> str:
        return refused(
            require_first_showing, node, shown, seal=seal, file="a photo.jpg"
        )

    assert "does not hold the seal of a photo.jpg" in show()
    published(node, seal)
    require_first_showing(node, shown, seal=seal, file="a photo.jpg")
    published(node, shown)
    assert "you revealed a photo.jpg already on 2023-11-14" in show()
    published(node, withdraw(shown, ANN), signed(PHOTO, ANN))
    assert "was attested already on 2023-11-14" in show()


# Terms


def test_nobody_offers_for_a_cooperative_but_its_key() -> None:
    require_own_key(None, offer())
    require_own_key(ANN.public, offer())
    assert "counts only if that key signs" in refused(
        require_own_key, COOP.public, offer()
    )


def test_whether_the_key_claims_the_work_is_told(node: LocalClient) -> None:
    assert not claims_work(node, grant())
    claim = published(node, signed(PHOTO, ANN))
    assert claims_work(node, grant())
    assert not claims_work(node, grant(by=BOB))
    published(node, withdraw(claim, ANN))
    assert not claims_work(node, grant())


def test_the_same_for_another_time_is_told(node: LocalClient) -> None:
    """Not the very same, nor other uses, nor what was taken back."""
    now, later = grant(until=TIME * 2), grant(until=TIME * 3)
    published(node, now)
    assert granted_for_another_time(node, later) == [now]
    assert granted_for_another_time(node, grant(until=TIME * 2)) == []
    assert granted_for_another_time(node, grant(uses=[TRAINING])) == []
    published(node, withdraw(now, ANN))
    assert granted_for_another_time(node, later) == []


def test_a_grant_answers_the_request_that_it_names(node: LocalClient) -> None:
    asked = published(node, request())
    assert require_answer(node, grant()) == ()
    assert require_answer(node, grant(request=asked.id)) == ()
    more = grant(request=asked.id, uses=[MINING, TRAINING])
    assert require_answer(node, more) == (TRAINING,)
    to_another = grant(request=asked.id, grantee=NEW.public)
    assert "that is a request of" in refused(require_answer, node, to_another)
    claim = published(node, signed(PHOTO, ANN))
    assert "its type is work" in refused(require_answer, node, grant(request=claim.id))


def test_a_request_takes_up_an_offer_that_is_for_its_author(node: LocalClient) -> None:
    assert require_offer(node, request()) == TakenUp()
    open_, own = offer(), offer(grantee=BOB.public)
    published(node, open_, own)
    for one in (open_, own):
        assert require_offer(node, request(offer=one.id)) == TakenUp()
    wider = request(offer=open_.id, about=OTHER, uses=[MINING, TRAINING])
    assert require_offer(node, wider) == TakenUp(True, (TRAINING,))
    not_hers = refused(require_offer, node, request(by=NEW, offer=own.id))
    assert "is for another key" in not_hers
    claim = published(node, signed(PHOTO, ANN))
    assert "its type is work" in refused(require_offer, node, request(offer=claim.id))


# Members


def test_a_key_is_admitted_once_until_it_leaves(node: LocalClient) -> None:
    def admit(at: int, member: SigningKey = ANN) -> Statement:
        fields = admit_fields(member=member.public, **(when() | {"time": at}))
        return sign_statement(fields, COOP)

    def leave(at: int, by: SigningKey = ANN) -> Statement:
        fields = leave_fields(group=COOP.public, **(when() | {"time": at}))
        return sign_statement(fields, by)

    first = admit(TIME)
    assert "its own key" in refused(
        require_admittable, node, admit(TIME, COOP), COOP.public
    )
    assert "that is the key that you sign with" in refused(
        require_member, node, leave(TIME, COOP), COOP.public
    )
    assert "has not admitted" in refused(require_member, node, leave(TIME), COOP.public)
    require_admittable(node, first, ANN.public)
    published(node, first)
    assert "is a member already, admitted on 2023-11-14" in refused(
        require_admittable, node, admit(TIME + 1), ANN.public
    )
    require_member(node, leave(TIME + 1), COOP.public)
    published(node, leave(TIME + 1))
    assert "has left already" in refused(
        require_member, node, leave(TIME + 2), COOP.public
    )
    require_admittable(node, admit(TIME + 2), ANN.public)
    published(node, admit(TIME + 2))
    require_member(node, leave(TIME + 3), COOP.public)
