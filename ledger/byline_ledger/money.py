"""Amounts of money as people write them: statements count the smallest unit of a
currency (docs/spec/statement.md, `price`), people write 2.50 for 250 cents."""

from __future__ import annotations

NO_CENTS = frozenset(
    {
        *("CLP", "ISK", "JPY", "KRW", "PYG", "UGX"),
        *("UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    }
)
THREE_DIGITS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
"""Currencies (ISO 4217) whose smallest unit is not a hundredth."""


def digits_of(currency: str) -> int:
    """How many digits stand behind the point."""
    if currency in NO_CENTS:
        return 0
    return 3 if currency in THREE_DIGITS else 2


def money(units: int, currency: str) -> str:
    """`2.50 EUR` for 250 of its smallest unit."""
    digits = digits_of(currency)
    whole, rest = divmod(units, 10**digits)
    decimals = f".{rest:0{digits}}" if digits else ""
    return f"{whole:,}{decimals} {currency}"
