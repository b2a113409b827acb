"""Who claimed a work first is heard behind any flood that came later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.support.logs import take_down

from byline_ledger import bundle as bundle_module
from byline_ledger import key_lookups
from byline_ledger.bundle import Bundle, build_bundle, build_shared
from byline_ledger.content import work_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.entry import author_tag
from byline_ledger.errors import MalformedError
from byline_ledger.log import Ledger, LogView
from byline_ledger.statement import Statement, sign_statement
from byline_ledger.verify import Verdict, verify_bundle

USE = "cawg.ai_training"
WORK, QUIET = digest_bytes(b"work"), digest_bytes(b"quiet")
FLOOD = 600


def key(name: object) -> SigningKey:
    return SigningKey.from_seed(sha256(f"key {name}".encode()).digest())


STRANGERS = [key(number) for number in range(FLOOD)]
MAKER = max(
    (key(f"maker {number}") for number in range(40)),
    key=lambda one: author_tag(one.public),
)
"""Whose tag comes last, as a flooder would see to."""
HEIR, GUEST = key("heir"), key("guest")


def said(by: SigningKey, type_: str, about: bytes, **fields: Any) -> Statement:
    salt = sha256(repr((by.public, type_, about, fields)).encode()).digest()[:16]
    rest = {"type": type_, "about": about, "time": 1, "salt": salt}
    return sign_statement({**rest, **fields}, by)


def claim(by: SigningKey, word: str, about: bytes = WORK, time: int = 1) -> Statement:
    salt = sha256(by.public + word.encode()).digest()[:16]
    fields = work_fields(
        about=about, made="human", uses={USE: word}, time=time, salt=salt
    )
    return sign_statement(fields, by)


NO = claim(MAKER, "notAllowed")
CROWD = [claim(one, "allowed") for one in STRANGERS]


@contextmanager
def log_of(*batches: Sequence[Statement]) -> Iterator[LogView]:
    with TemporaryDirectory() as folder:
        ledger = Ledger.init(Path(folder) / "node")
        try:
            for batch in batches:
                ledger.append(batch)
            yield ledger.view
        finally:
            ledger.close()


def verdict_of(view: LogView, keys: Sequence[bytes] = ()) -> Verdict:
    data = build_bundle(view, WORK, keys=keys)
    verdict = verify_bundle(data, digest=WORK, keys=keys)
    assert verdict.ok, verdict.failure()
    return verdict


def word(verdict: Verdict, grantee: SigningKey | None = None) -> str:
    assert verdict.answer is not None
    return verdict.answer.consent(USE, grantee.public if grantee else None).verdict


def test_a_flood_of_strangers_does_not_hide_a_no() -> None:
    with log_of([NO], CROWD) as view:
        verdict = verdict_of(view)
        first = Bundle.from_bytes(build_bundle(view, WORK)).first
    assert verdict.answer is not None
    shown = verdict.answer.works[0]
    assert (shown.claims[0].id, shown.claims[0].status) == (NO.id, "effective")
    assert first[0] == MAKER.public
    assert shown.total == FLOOD + 1 > len(shown.claims)
    found = verdict.answer.consent(USE)
    assert (found.verdict, found.deciding) == ("notAllowed", (NO.id,))
    assert not found.complete


def test_what_lifts_a_no_is_shown_behind_the_flood() -> None:
    """A withdrawal; the grant of a key to which the maker's was rotated."""
    name = multihash(NO.id)
    withdrawal = said(MAKER, "withdraw", name, reason="mistaken")
    with log_of([NO], CROWD, [withdrawal]) as view:
        verdict = verdict_of(view)
        assert word(verdict) == "unknown"
        assert verdict.answer is not None
        assert verdict.answer.works[0].claims[0].status == "withdrawn"
    rotation = said(MAKER, "rotate", digest_bytes(MAKER.public), successor=HEIR.public)
    grant = said(HEIR, "grant", WORK, grantee=GUEST.public, uses=[USE])
    with log_of([NO], CROWD, [rotation, grant]) as view:
        verdict = verdict_of(view)
        assert (word(verdict), word(verdict, GUEST)) == ("notAllowed", "unknown")


def test_no_flood_uses_up_what_the_first_claim_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The grant of an heir comes before all that the others say."""
    rotation = said(MAKER, "rotate", digest_bytes(MAKER.public), successor=HEIR.public)
    grant = said(HEIR, "grant", WORK, grantee=GUEST.public, uses=[USE])
    monkeypatch.setattr(key_lookups, "MAX_EVIDENCE", 300_000)
    with log_of([NO], CROWD[:300], [rotation, grant]) as view:
        verdict = verdict_of(view)
    assert verdict.answer is not None
    assert "statements beyond 300000 bytes are not followed" in verdict.answer.gaps
    shown = verdict.answer.works[0]
    assert shown.claims[0].status == "effective"
    assert shown.claims[-1].status == "unknown"
    assert [one.id for one in shown.remarks] == [grant.id]


def test_a_prover_that_does_not_tell_gains_no_more_than_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bundle_module, "MAX_STRINGS", FLOOD)
    with log_of([NO], CROWD) as view:
        assert not Bundle.from_bytes(build_bundle(view, WORK)).first
        assert word(verdict_of(view)) == "unknown"
        assert word(verdict_of(view, [MAKER.public])) == "notAllowed"


def test_only_claims_come_first_and_only_who_is_not_named_by_the_reader() -> None:
    """What was taken down tells nobody's key; a request is no claim."""
    request = said(GUEST, "request", WORK, uses=[USE])
    gone = claim(HEIR, "allowed")
    with TemporaryDirectory() as folder:
        ledger = Ledger.init(Path(folder) / "node")
        ledger.append([gone, request, NO])
        ledger.append(CROWD)
        take_down(ledger, gone)
        data = build_bundle(ledger.view, WORK)
        named = build_bundle(ledger.view, WORK, keys=[MAKER.public])
        ledger.close()
    first = Bundle.from_bytes(data).first
    crowd = tuple(one.public for one in STRANGERS)
    assert first == (MAKER.public, *crowd[:7])
    assert Bundle.from_bytes(named).first == crowd[:8]
    assert verify_bundle(data).ok


def test_where_all_is_shown_nobody_needs_to_come_first() -> None:
    with log_of([NO], CROWD[:200]) as view:
        assert Bundle.from_bytes(build_bundle(view, WORK)).first == ()


def test_a_work_that_is_crowded_in_company_is_to_be_asked_for_alone() -> None:
    """There is no telling who came first in a bundle for several."""
    with log_of([NO, claim(HEIR, "allowed", QUIET)], CROWD) as view:
        data = build_shared(view, [WORK, QUIET])
    assert Bundle.from_bytes(data).first == ()
    verdict = verify_bundle(data, digests=[WORK, QUIET])
    assert verdict.ok
    assert verdict.capped == {WORK}
    assert verdict.answers.of(WORK).consent(USE).verdict == "unknown"


@pytest.mark.parametrize("number", [1, 9])
def test_who_came_first_is_named_once_and_of_one_work(number: int) -> None:
    with log_of([NO]) as view:
        whole = Bundle.from_bytes(build_bundle(view, WORK, keys=[MAKER.public]))
    first = tuple(key(at).public for at in range(number))
    asked = (QUIET, WORK) if number == 1 else (WORK,)
    spoiled = Bundle(
        asked=tuple(sorted(asked)),
        checkpoint=whole.checkpoint,
        depth=0,
        log=whole.log,
        opening=whole.opening,
        proof=whole.proof,
        statements=whole.statements,
        strings=whole.strings,
        first=first,
    )
    with pytest.raises(MalformedError):
        verify_bundle(spoiled.to_bytes())
