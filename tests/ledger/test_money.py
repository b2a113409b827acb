"""Money is written as people do, whatever the smallest unit of its currency is."""

from __future__ import annotations

import pytest

from byline_ledger.money import money


@pytest.mark.parametrize(
    ("units", "currency", "shown"),
    [
        (250, "EUR", "2.50 EUR"),
        (5, "USD", "0.05 USD"),
        (123_456_789, "EUR", "1,234,567.89 EUR"),
        (300, "JPY", "300 JPY"),
        (1_234_005, "KWD", "1,234.005 KWD"),
        (0, "EUR", "0.00 EUR"),
    ],
)
def test_money_in_the_units_of_people(units: int, currency: str, shown: str) -> None:
    assert money(units, currency) == shown
