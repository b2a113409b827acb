"""Amounts of money, as people write them and as statements have them.

Statements count in the smallest unit of a currency (docs/spec/statement.md, `price`);
people do not: everything that is typed or shown goes through here.
"""

from __future__ import annotations

import re

from byline_ledger.content import Price
from byline_ledger.errors import UsageError
from byline_ledger.vocabulary import PRICE_UNITS, check_word

NO_CENTS = frozenset(
    {
        *("CLP", "ISK", "JPY", "KRW", "PYG", "UGX"),
        *("UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    }
)
THREE_DIGITS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
"""Currencies (ISO 4217) whose smallest unit is not a hundredth."""

PRICE = re.compile(
    r"([0-9]{1,15})(?:\.([0-9]{1,3}))? ?([A-Za-z]{3})(?:/| per )([a-z]+)"
)


def digits_of(currency: str) -> int:
    """How many digits stand behind the point."""
    if currency in NO_CENTS:
        return 0
    return 3 if currency in THREE_DIGITS else 2


def sum_of_money(units: int, currency: str) -> str:
    """So many of a currency's smallest unit: 250 of EUR are `2.50 EUR`."""
    digits = digits_of(currency)
    whole, rest = divmod(units, 10**digits)
    decimals = f".{rest:0{digits}}" if digits else ""
    return f"{whole:,}{decimals} {currency}"


def price_words(price: Price) -> str:
    """A price, and for how much: `2.50 EUR per item`."""
    return f"{sum_of_money(price.amount, price.currency)} per {price.per}"


def parse_price(text: str) -> Price:
    """`2.50EUR/item` or `2.50 EUR per item`."""
    match = PRICE.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--price {text[:80]}: expected an amount, a currency and what it is for",
            hint="such as 2.50EUR/item",
        )
    whole, decimals, currency = match[1], match[2] or "", match[3].upper()
    digits = digits_of(currency)
    if len(decimals) > digits:
        raise UsageError(f"--price {text[:80]}: {currency} has {digits} decimals")
    units = int(whole + decimals.ljust(digits, "0"))
    return Price(units, currency, check_word("--price", match[4], PRICE_UNITS))
