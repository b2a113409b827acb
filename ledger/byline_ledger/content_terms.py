"""What `grant`, `offer` and `request` statements say: terms, wishes and answers.

Field by field: docs/spec/statement.md, "Types".  What permits and has a limit that
cannot be read says nothing (`sound` is false): nobody gains by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from byline_ledger import vocabulary as words
from byline_ledger.errors import UsageError
from byline_ledger.field_maker import FieldMaker, Fields, made_of
from byline_ledger.field_reader import (
    MAX_CONSTRAINT,
    MAX_CONTACT,
    MAX_COUNT,
    MAX_NOTE,
    MAX_URL,
    FieldReader,
    remembered,
)
from byline_ledger.money import money
from byline_ledger.statement import MAX_TIME, Statement

CURRENCY = re.compile(r"[A-Z]{3}")

TERM = ("from", "until")


@dataclass(frozen=True, slots=True)
class Price:
    """What a use costs."""

    amount: int
    """In the currency's smallest unit, such as cents."""
    currency: str
    """ISO 4217."""
    per: str
    """item, set, megabyte or year."""

    def to_text(self) -> str:
        """As people write it: `2.50 EUR per item`."""
        return f"{money(self.amount, self.currency)} per {self.per}"


@dataclass(frozen=True, slots=True)
class GrantContent:
    """What a `grant` says: times in Unix milliseconds, `from_` counts, `until` not."""

    grantee: bytes | None
    uses: tuple[str, ...]
    """CAWG entries, with their `cawg.`."""
    from_: int | None
    until: int | None
    constraint_info: str | None
    """What the grantee must keep to."""
    request: bytes | None
    """Id of the request that it answers."""
    sound: bool
    """Whether it says anything: all that it needs is there, and its limits are read."""
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfferContent:
    """What an `offer` says; times as in GrantContent."""

    uses: Mapping[str, str]
    """CAWG entry to allowed, notAllowed or constrained."""
    constraints: Mapping[str, str]
    license: str | None
    grantee: bytes | None
    """The one key that it is for; None for everybody."""
    from_: int | None
    until: int | None
    price: Price | None
    terms: bytes | None
    """Multihash of the text of the terms."""
    terms_url: str | None
    contact: str | None
    sound: bool
    """See GrantContent."""
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestContent:
    """What a `request` says: who signed it would like to use something."""

    uses: tuple[str, ...]
    purpose: str | None
    until: int | None
    offer: bytes | None
    """Id of the offer that it takes up."""
    contact: str | None
    sound: bool
    """Whether it says for which uses."""
    problems: tuple[str, ...]


def grant_fields(
    *,
    about: bytes,
    grantee: bytes,
    uses: Sequence[str],
    from_: int | None = None,
    until: int | None = None,
    constraint_info: str | None = None,
    request: bytes | None = None,
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `grant` of uses of a work (multihash) to one key (32 bytes)."""
    maker = made_of("grant", about, time, salt)
    maker.key("grantee", grantee)
    require_uses(uses)
    maker.uses_list(uses)
    maker.term(from_, until)
    maker.text("constraint-info", constraint_info, MAX_CONSTRAINT)
    maker.id("request", request)
    return maker.fields


def offer_fields(
    *,
    about: bytes,
    uses: Mapping[str, str],
    license: str | None = None,  # the field's name
    grantee: bytes | None = None,
    from_: int | None = None,
    until: int | None = None,
    price: Price | None = None,
    terms: bytes | None = None,
    terms_url: str | None = None,
    contact: str | None = None,
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of an `offer`; `uses` as in work_fields.

    `about` is the multihash of a work or a manifest, or names a cooperative's key
    (field_maker.name_of_key).
    """
    maker = made_of("offer", about, time, salt)
    require_uses(uses)
    maker.uses(uses)
    maker.licence(license)
    maker.key("grantee", grantee)
    maker.term(from_, until)
    if price is not None:
        maker.fields["price"] = _price_fields(price)
    maker.digest("terms", terms)
    maker.text("terms-url", terms_url, MAX_URL)
    maker.text("contact", contact, MAX_CONTACT)
    return maker.fields


def request_fields(
    *,
    about: bytes,
    uses: Sequence[str],
    purpose: str | None = None,
    until: int | None = None,
    offer: bytes | None = None,
    contact: str | None = None,
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `request`; `about` as in offer_fields."""
    maker = made_of("request", about, time, salt)
    require_uses(uses)
    maker.uses_list(uses)
    maker.text("purpose", purpose, MAX_NOTE)
    maker.number("until", until, MAX_TIME)
    maker.id("offer", offer)
    maker.text("contact", contact, MAX_CONTACT)
    return maker.fields


def read_grant(statement: Statement) -> GrantContent:
    """What a `grant` says."""
    reader = FieldReader(
        statement.fields,
        needed=("grantee", "uses"),
        limits=(*TERM, "constraint-info"),
    )
    return GrantContent(
        grantee=reader.key("grantee"),
        uses=reader.uses_list(),
        from_=reader.time("from"),
        until=reader.time("until"),
        constraint_info=reader.text("constraint-info", MAX_CONSTRAINT),
        request=reader.id("request"),
        sound=reader.sound,
        problems=tuple(reader.problems),
    )


@remembered
def read_offer(statement: Statement) -> OfferContent:
    """What an `offer` says."""
    reader = FieldReader(
        statement.fields,
        needed=("uses",),
        limits=(*TERM, "grantee", "price", "terms", "terms-url"),
    )
    uses, constraints = reader.uses()
    return OfferContent(
        uses=uses,
        constraints=constraints,
        license=reader.licence(),
        grantee=reader.key("grantee"),
        from_=reader.time("from"),
        until=reader.time("until"),
        price=_read_price(reader),
        terms=reader.digest("terms"),
        terms_url=reader.text("terms-url", MAX_URL),
        contact=reader.text("contact", MAX_CONTACT),
        sound=reader.sound,
        problems=tuple(reader.problems),
    )


def read_request(statement: Statement) -> RequestContent:
    """What a `request` says."""
    reader = FieldReader(statement.fields, needed=("uses",))
    return RequestContent(
        uses=reader.uses_list(),
        purpose=reader.text("purpose", MAX_NOTE),
        until=reader.time("until"),
        offer=reader.id("offer"),
        contact=reader.text("contact", MAX_CONTACT),
        sound=reader.sound,
        problems=tuple(reader.problems),
    )


def require_uses(uses: Sequence[str] | Mapping[str, str]) -> None:
    """At least one use must be named."""
    if not uses:
        known = ", ".join(one.removeprefix(words.USE_PREFIX) for one in words.USES)
        raise UsageError("uses: expected at least one", hint=f"one of: {known}")


def _price_fields(price: Price) -> Fields:
    maker = FieldMaker()
    maker.number("amount", price.amount)
    if not CURRENCY.fullmatch(price.currency):
        raise UsageError(
            "currency: expected three capital letters (ISO 4217), such as EUR, got "
            f"{price.currency[:80]!a}"
        )
    maker.fields["currency"] = price.currency
    maker.word("per", price.per, words.PRICE_UNITS)
    return maker.fields


def _read_price(reader: FieldReader) -> Price | None:
    """All of it or none: an amount is nothing without its unit."""
    inner = reader.inner("price", needed=("amount", "currency", "per"))
    if inner is None:
        return None
    amount = inner.number("amount", MAX_COUNT)
    currency = inner.one(
        "currency",
        str,
        lambda value: bool(CURRENCY.fullmatch(value)),
        "three capital letters",
    )
    per = inner.word("per", words.PRICE_UNITS)
    reader.take_problems(inner)
    if amount is None or currency is None or per is None:
        reader.sound = False
        return None
    return Price(amount, currency, per)
