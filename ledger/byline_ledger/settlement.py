"""What a data set used of a cooperative's works: whose they are, and what is due.

Rule: docs/spec/settlement.md.  Pure arithmetic over what an answer proved: exact
fractions throughout, and a division that loses no unit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest

from byline_ledger.content_terms import Price
from byline_ledger.did import did_key
from byline_ledger.settlement_rows import Row

MEMBERS_HEADER = "member,works,contested,bytes,share,due_minor_units,currency"
MEGABYTE = 1_000_000
SHARE_PLACES = 6


@dataclass(frozen=True, slots=True)
class CountedClaim:
    """A claim under the cooperative's offer: who shares in the work, in which parts.

    `shares` maps 32-byte keys to parts; `kin` names the class of linked authors that
    it belongs to; `word` is what holds for the use; `offer` the id of the offer.
    """

    id: bytes
    kin: bytes
    shares: Mapping[bytes, int]
    word: str
    offer: bytes | None
    disputed: bool


@dataclass(frozen=True, slots=True)
class MemberTotal:
    """What one key has in all.  `share` is exact; `due` maps currencies to units."""

    member: bytes
    works: int
    contested: int
    size: int
    share: Fraction
    due: Mapping[str, int]


def rows_of(work: bytes, size: int, claims: Sequence[CountedClaim]) -> list[Row]:
    """The rows of one work (SHA-256 digest), by its counted claims in the order of
    their evidence; of each class of linked authors the first one counts."""
    first: dict[bytes, CountedClaim] = {}
    for claim in claims:
        first.setdefault(claim.kin, claim)
    contested = len(first) > 1 or any(one.disputed for one in first.values())
    rows = [
        Row(
            work=work,
            size=size,
            member=member,
            parts=parts,
            of=sum(claim.shares.values()),
            word=claim.word,
            contested=contested,
            claim=claim.id,
            offer=claim.offer,
        )
        for claim in first.values()
        for member, parts in claim.shares.items()
    ]
    return sorted(rows, key=lambda row: row.place)


def totals(rows: Iterable[Row], prices: Mapping[bytes, Price]) -> list[MemberTotal]:
    """What each member has, ascending by key; `prices` of offers by their id."""
    kept = list(rows)
    due = _due([row for row in kept if not row.contested], prices)
    by_member: dict[bytes, list[Row]] = defaultdict(list)
    for row in kept:
        by_member[row.member].append(row)
    return [
        _total(member, by_member[member], due.get(member, {}))
        for member in sorted(by_member)
    ]


def _total(member: bytes, rows: list[Row], due: Mapping[str, int]) -> MemberTotal:
    sizes = {row.work: row.size for row in rows if not row.contested}
    contested = {row.work for row in rows if row.contested}
    share = _sum_of_parts((row.of, row.parts) for row in rows if not row.contested)
    total = sum(sizes.values())
    return MemberTotal(member, len(sizes), len(contested), total, share, due)


def _sum_of_parts(shares: Iterable[tuple[int, int]]) -> Fraction:
    """Of shares (of, parts).  Alike denominators first: members choose them, and each
    one that is new makes the sum a longer number."""
    parts: Counter[int] = Counter()
    for of, some in shares:
        parts[of] += some
    return _sum([Fraction(some, of) for of, some in parts.items()])


def _sum(values: list[Fraction]) -> Fraction:
    """In pairs, and these in pairs: one after the other takes quadratic time."""
    while len(values) > 1:
        pairs = zip_longest(values[::2], values[1::2], fillvalue=Fraction())
        values = [one + other for one, other in pairs]
    return values[0] if values else Fraction()


def _due(rows: list[Row], prices: Mapping[bytes, Price]) -> dict[bytes, dict[str, int]]:
    """Units due to each member in each currency."""
    by_offer: dict[bytes, list[Row]] = defaultdict(list)
    for row in rows:
        if row.offer is not None and row.offer in prices:
            by_offer[row.offer].append(row)
    due: dict[bytes, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for offer, under in by_offer.items():
        price = prices[offer]
        for member, units in _divided(price, under).items():
            due[member][price.currency] += units
    return {member: dict(sums) for member, sums in due.items()}


def _divided(price: Price, rows: list[Row]) -> dict[bytes, int]:
    """What an offer asks, among those who share in the works under it."""
    sizes = {row.work: row.size for row in rows}
    total = price.amount
    if price.per == "item":
        total = price.amount * len(sizes)
    elif price.per == "megabyte":
        total = price.amount * sum(sizes.values()) // MEGABYTE
    shares: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        size = row.size if price.per == "megabyte" else 1
        shares[row.member].append((row.of, row.parts * size))
    return divide(total, {key: _sum_of_parts(some) for key, some in shares.items()})


def divide(total: int, weights: Mapping[bytes, Fraction]) -> dict[bytes, int]:
    """`total` units by weight, none lost: the floor for each, and what is left over one
    by one to the largest remainders, ties to the lesser key."""
    whole = _sum([*weights.values()])
    if not whole:
        return dict.fromkeys(weights, 0)
    exact = {key: total * weight / whole for key, weight in weights.items()}
    given = {key: part.numerator // part.denominator for key, part in exact.items()}
    left = total - sum(given.values())
    by_remainder = sorted(exact, key=lambda key: (given[key] - exact[key], key))
    for key in by_remainder[:left]:
        given[key] += 1
    return given


def members_to_bytes(members: Sequence[MemberTotal]) -> bytes:
    """The file members.csv: one line for each member and currency."""
    lines = [MEMBERS_HEADER]
    for one in members:
        head = (
            f"{did_key(one.member)},{one.works},{one.contested},{one.size},"
            f"{decimal(one.share)}"
        )
        owed = sorted(one.due.items()) or [("", 0)]
        lines += [f"{head},{units},{currency}" for currency, units in owed]
    return "".join(f"{line}\n" for line in lines).encode()


def decimal(value: Fraction) -> str:
    """A fraction with six places, rounded down."""
    scaled = value.numerator * 10**SHARE_PLACES // value.denominator
    return f"{scaled // 10**SHARE_PLACES}.{scaled % 10**SHARE_PLACES:06}"
