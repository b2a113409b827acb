"""A moment in UTC as text, from Unix seconds: arithmetic alone, no clock."""

from __future__ import annotations

_DAYS_TO_1970 = 719_468
_ERA = 146_097
"""Days in 400 years of the Gregorian calendar."""
LATEST = 253_402_300_799
"""The end of the year 9999."""


def utc(seconds: int) -> str:
    """`YYYY-MM-DD HH:MM UTC`; beyond the year 9999 the bare seconds."""
    if not 0 <= seconds <= LATEST:
        return f"Unix second {seconds}"
    days, rest = divmod(seconds, 86_400)
    # Years begin in March here, so that the leap day is the last of its year.
    era, day_of_era = divmod(days + _DAYS_TO_1970, _ERA)
    leaps = day_of_era // 1_460 - day_of_era // 36_524 + day_of_era // 146_096
    year_of_era = (day_of_era - leaps) // 365
    day_of_year = day_of_era - (
        365 * year_of_era + year_of_era // 4 - year_of_era // 100
    )
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    year = year_of_era + 400 * era + (month <= 2)
    return f"{year:04}-{month:02}-{day:02} {rest // 3_600:02}:{rest // 60 % 60:02} UTC"
