"""May somebody put a work to a use, by what its authors said?

Rule: docs/spec/state.md, "Consent".  The most restrictive word wins; a grant lifts a no
for one key; what is unknown is never taken for allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from byline_ledger.content_terms import OfferContent, read_grant, read_offer
from byline_ledger.content_work import WorkContent, read_work
from byline_ledger.delegation import Authority
from byline_ledger.digest import digest_bytes
from byline_ledger.effective import Standings
from byline_ledger.facts import NO, UNSURE, YES, Does, Facts, Record, every
from byline_ledger.key_state import Keys
from byline_ledger.membership import Groups
from byline_ledger.use_word import (
    ALLOWED,
    CONSTRAINED,
    STRICTNESS,
    UNKNOWN,
    Term,
    Word,
    claim_word,
    offer_word,
    strictest,
    unique,
    unless_forbidden,
)
from byline_ledger.vocabulary import USES


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether a key (None: anybody) may put a work to a use.

    `verdict` is allowed, constrained, notAllowed or unknown; `deciding` are the ids of
    the statements that make it so, `terms` what a constrained use has to keep to;
    `offers` say whom to ask and whom to pay.  `complete` is false where statements
    about the work are not shown.
    """

    work: bytes
    use: str
    grantee: bytes | None
    verdict: str
    deciding: tuple[bytes, ...]
    terms: tuple[Term, ...]
    offers: tuple[bytes, ...]
    complete: bool


class Consents:
    """Verdicts by the statements that are there."""

    def __init__(
        self,
        facts: Facts,
        keys: Keys,
        authority: Authority,
        standings: Standings,
        groups: Groups,
    ) -> None:
        self._facts = facts
        self._keys = keys
        self._authority = authority
        self._standings = standings
        self._groups = groups
        self._counting: dict[bytes, list[_Claim]] = {}
        self._offers: dict[tuple[bytes, str, bytes | None], Word | None] = {}

    def of(self, work: bytes, use: str, grantee: bytes | None = None) -> Consent:
        """The verdict on a use (CAWG entry) of a work (34-byte multihash)."""
        claims = self._claims(work)
        words = self._words(work, claims, use, grantee)
        values = [one.value for one in words] or [UNKNOWN]
        verdict = next(one for one in STRICTNESS if one in values)
        deciding = [one for one in words if one.value == verdict]
        complete = self._facts.shown(work, None) and not self._facts.gone(work)
        if verdict == ALLOWED and not complete:
            verdict = UNKNOWN
        return Consent(
            work=work,
            use=use,
            grantee=grantee,
            verdict=verdict,
            deciding=unique(id_ for one in deciding for id_ in one.by),
            terms=unique(term for one in deciding for term in one.terms),
            offers=tuple(self._offers_for(work, claims, grantee)),
            complete=complete,
        )

    def verdicts(self, work: bytes) -> Mapping[str, str]:
        """The verdict on each use for whoever comes, found when it is looked at."""
        return _Verdicts(self, work)

    def _claims(self, work: bytes) -> list[_Claim]:
        """The claims that count, or might; looked for once."""
        if work not in self._counting:
            self._counting[work] = self._find_claims(work)
        return self._counting[work]

    def _find_claims(self, work: bytes) -> list[_Claim]:
        found = self._facts.about(work, "work")
        return [
            _Claim(
                one,
                read_work(one.statement),
                self._standings.is_effective(one),
                self._authority.principal(one),
            )
            for one in found
            if self._standings.may_count(one)
        ]

    def _words(
        self, work: bytes, claims: Sequence[_Claim], use: str, grantee: bytes | None
    ) -> list[Word]:
        own = [claim_word(one.record, one.content, use) for one in claims]
        said: dict[bytes, Word] = {}
        for claim, word in zip(claims, own, strict=True):
            if word is not None and claim.is_effective:
                known = said.get(claim.principal, word)
                said[claim.principal] = strictest([known, word])
        grants = self._grants(work, use, grantee)
        return [
            self._granted(
                self._doubted(claim, word or self._silent(claim, use, grantee, said)),
                claim,
                grants,
            )
            for claim, word in zip(claims, own, strict=True)
        ]

    def _silent(
        self,
        claim: _Claim,
        use: str,
        grantee: bytes | None,
        said: Mapping[bytes, Word],
    ) -> Word:
        """The word of a claim that says nothing on the use itself."""
        word = self._of_group(claim, use, grantee)
        if word is None:
            keys = self._keys.succession(claim.principal).keys
            others = [said[key] for key in keys if key in said]
            word = strictest(others) if others else Word(UNKNOWN)
        return replace(word, by=(claim.id, *word.by))

    def _of_group(self, claim: _Claim, use: str, grantee: bytes | None) -> Word | None:
        """The word of the cooperative's offers; None if they say nothing here."""
        group = claim.content.group
        if group is None:
            return None
        found = self._groups.membership(claim.principal, group)
        if found.status == NO:
            return None
        admits = () if found.admit is None else (found.admit.statement.id,)
        if found.status != YES:
            return Word(UNKNOWN, admits)
        word = self._offered(group, use, grantee)
        return None if word is None else replace(word, by=(*admits, *word.by))

    def _offered(self, group: bytes, use: str, grantee: bytes | None) -> Word | None:
        """The word of a cooperative's offers; read once, whoever names it."""
        at = group, use, grantee
        if at not in self._offers:
            self._offers[at] = self._find_offered(group, use, grantee)
        return self._offers[at]

    def _find_offered(
        self, group: bytes, use: str, grantee: bytes | None
    ) -> Word | None:
        name = digest_bytes(group)
        named: list[Word] = []
        general: list[Word] = []
        is_sure = False
        for record in self._facts.about(name, "offer"):
            offer = read_offer(record.statement)
            counts = self._counts(record, offer, group)
            if counts == NO or offer.grantee not in (None, grantee):
                continue
            word = offer_word(record, offer, use)
            if word is None:
                continue
            if counts != YES:
                word = unless_forbidden(word)
            (general if offer.grantee is None else named).append(word)
            is_sure = is_sure or (offer.grantee is not None and counts == YES)
        words = named if is_sure else [*named, *general]
        word = strictest(words) if words else None
        if self._keys.is_shown(name, group):
            return word
        return unless_forbidden(word or Word(UNKNOWN))

    def _counts(self, record: Record, offer: OfferContent, group: bytes) -> Does:
        """Whether an offer is the cooperative's, stands and is in its term."""
        if not offer.sound or not self._standings.may_count(record):
            return NO
        found = [
            self._authority.acts(record, group),
            self._facts.in_term(offer.from_, offer.until),
            YES if self._standings.is_effective(record) else UNSURE,
        ]
        return every(*found)

    def _doubted(self, claim: _Claim, word: Word) -> Word:
        """What a claim in doubt forbids counts, and nothing else."""
        return word if claim.is_effective else unless_forbidden(word)

    def _grants(
        self, work: bytes, use: str, grantee: bytes | None
    ) -> dict[bytes, list[tuple[Record, str | None]]]:
        """Grants of this use to this key that count, by the keys they may be of."""
        found: dict[bytes, list[tuple[Record, str | None]]] = {}
        if grantee is None:
            return found
        for record in self._facts.about(work, "grant"):
            grant = read_grant(record.statement)
            is_meant = grant.sound and grant.grantee == grantee and use in grant.uses
            if (
                is_meant
                and self._facts.in_term(grant.from_, grant.until) == YES
                and self._standings.is_effective(record)
            ):
                for key in self._authority.principals(record):
                    found.setdefault(key, []).append((record, grant.constraint_info))
        return found

    def _granted(
        self,
        word: Word,
        claim: _Claim,
        grants: Mapping[bytes, Sequence[tuple[Record, str | None]]],
    ) -> Word:
        """What the best of the grants that act for the claim's author lifts it to."""
        keys = self._keys.succession(claim.principal).keys
        given = [one for key in keys for one in grants.get(key, ())]
        if not given or word.value == ALLOWED:
            return word
        ids = tuple(record.statement.id for record, _ in given)
        if not claim.is_effective:
            return Word(UNKNOWN, (claim.id, *ids))
        free = tuple(record.statement.id for record, info in given if info is None)
        if free:
            return Word(ALLOWED, (claim.id, *free))
        terms = tuple(Term(record.statement.id, info) for record, info in given)
        return Word(CONSTRAINED, (claim.id, *ids), terms)

    def _offers_for(
        self, work: bytes, claims: Sequence[_Claim], grantee: bytes | None
    ) -> Iterator[bytes]:
        """Offers by those who may make them: the claims' authors, and cooperatives."""
        authors = dict.fromkeys(one.principal for one in claims)
        keys = {key for one in authors for key in self._keys.succession(one).keys}
        yield from self._open_offers(work, keys, grantee)
        for group in dict.fromkeys(one.content.group for one in claims):
            if group is not None:
                own = set(self._keys.succession(group).keys)
                yield from self._open_offers(digest_bytes(group), own, grantee)

    def _open_offers(
        self, about: bytes, keys: Set[bytes], grantee: bytes | None
    ) -> Iterator[bytes]:
        for record in self._facts.about(about, "offer"):
            offer = read_offer(record.statement)
            if (
                offer.sound
                and offer.grantee in (None, grantee)
                and self._facts.in_term(offer.from_, offer.until) == YES
                and self._standings.is_effective(record)
                and not keys.isdisjoint(self._authority.principals(record))
            ):
                yield record.statement.id


@dataclass(frozen=True, slots=True)
class _Claim:
    """A claim that counts, or might."""

    record: Record
    content: WorkContent
    is_effective: bool
    principal: bytes

    @property
    def id(self) -> bytes:
        return self.record.statement.id


class _Verdicts(Mapping[str, str]):
    """Most who ask about many works want one use of each."""

    __slots__ = ("_consents", "_known", "_work")

    def __init__(self, consents: Consents, work: bytes) -> None:
        self._consents = consents
        self._work = work
        self._known: dict[str, str] = {}

    def __getitem__(self, use: str) -> str:
        if use not in USES:
            raise KeyError(use)
        if use not in self._known:
            self._known[use] = self._consents.of(self._work, use).verdict
        return self._known[use]

    def __iter__(self) -> Iterator[str]:
        return iter(USES)

    def __len__(self) -> int:
        return len(USES)

    def __repr__(self) -> str:
        return repr(dict(self))
