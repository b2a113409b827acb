"""Prices as people type them; statements count in the smallest unit of a currency."""

from __future__ import annotations

import re

from byline_ledger.content import Price
from byline_ledger.errors import UsageError
from byline_ledger.money import digits_of
from byline_ledger.vocabulary import PRICE_UNITS, check_word

PRICE = re.compile(
    r"([0-9]{1,15})(?:\.([0-9]{1,3}))? ?([A-Za-z]{3})(?:/| per )([a-z]+)"
)


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
