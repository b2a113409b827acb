"""Licences are SPDX expressions in canonical spelling (docs/spec/statement.md, "work").

The list of identifiers grows, so a licence never decides whether a statement is valid:
it is checked when a statement is made, and when one is read (docs/adr/0003).
"""

from __future__ import annotations

import re
from functools import lru_cache

from packaging.licenses import (
    InvalidLicenseExpression,
    canonicalize_license_expression,
)

from byline_ledger.errors import UsageError
from byline_ledger.vocabulary import nearest

MAX_LICENCE = 512
ALL_RIGHTS_RESERVED = "LicenseRef-AllRightsReserved"
UNKNOWN = "LicenseRef-Unknown"

LIKENESS = 0.7
"""Of a name that is guessed: among 600 short ones, everything is a little like some."""

LEAST_LETTERS = 3
"""Of what is taken for the beginning of an identifier."""

LONGEST = 64
"""Characters of a token that is guessed at; identifiers have up to 36."""

MAX_GUESSES = 4
"""Of one expression: each is a search through all identifiers."""

_BETWEEN = re.compile(r"[\s_-]+")
_TOKEN = re.compile(r"[^\s()]+")
_NO_LETTER = re.compile("[^a-z0-9]+")
_CREATIVE_COMMONS = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/licenses/([a-z-]+)/([0-9.]+)\S*"
)
_SAID_BESIDE = re.compile(
    r"\b(?:(?:the|licen[cs]e|version)\b|v(?=[0-9]))", re.IGNORECASE
)
_OPERATORS = frozenset({"and", "or", "with"})
_NO_LICENCE = frozenset({"none", "noassertion", "unknown"})
_RESERVED = frozenset(
    {"all-rights-reserved", "allrightsreserved", "proprietary", "copyright"}
)


def canonical_licence(expression: str) -> str:
    """The canonical spelling: `cc-by-4.0` gives `CC-BY-4.0`.

    UsageError, with the nearest identifier as its hint, if it is no SPDX expression.
    """
    if len(expression) > MAX_LICENCE:
        raise UsageError(
            f"license: expected at most {MAX_LICENCE} characters, got {len(expression)}"
        )
    licence = read_licence(expression)
    if licence is None:
        raise UsageError(
            f"license: {expression[:80]!a} is not an SPDX expression",
            hint=_hint(expression),
        )
    return licence


@lru_cache(maxsize=1024)
def read_licence(expression: str) -> str | None:
    """The canonical spelling, or None.

    For what strangers wrote: looking for a hint takes 100 times as long.
    """
    if len(expression) > MAX_LICENCE:
        return None
    try:
        return str(canonicalize_license_expression(expression))
    except InvalidLicenseExpression:
        return None


@lru_cache(maxsize=1024)
def _hint(expression: str) -> str:
    """What a token that SPDX does not know may have meant: of the first few.

    A catalogue may be wrong in the same way a million times.
    """
    guesses = MAX_GUESSES
    if _BETWEEN.sub("-", expression.strip().casefold()) in _RESERVED:
        return f"write {ALL_RIGHTS_RESERVED}"
    plain = _SAID_BESIDE.sub(" ", _CREATIVE_COMMONS.sub(r"CC \1 \2", expression))
    if guess := _written_otherwise(plain):
        return f"did you mean {guess}?"
    for token in _TOKEN.findall(plain):
        folded = token.casefold()
        if folded in _NO_LICENCE:
            return f"leave it out, or write {UNKNOWN}"
        if folded in _RESERVED:
            return f"write {ALL_RIGHTS_RESERVED}"
        if folded in _OPERATORS or read_licence(token):
            continue
        if len(token) <= LONGEST and (guess := _guess(token)):
            return f"did you mean {guess}?"
        guesses -= 1
        if not guesses:
            break
    return (
        "see https://spdx.org/licenses/, or, for terms of your own, write"
        " LicenseRef-NAME"
    )


def _guess(token: str) -> str | None:
    """The identifier that a token may be meant for."""
    return _written_otherwise(token) or nearest(token, _identifiers(), LIKENESS)


def _written_otherwise(text: str) -> str | None:
    """The identifier of the same letters and digits, `CC BY 4.0`, or that has but a
    version behind them, `GPL3`: the shortest, in its last version."""
    letters = _letters(text)
    if len(letters) < LEAST_LETTERS:
        return None
    form = re.compile(re.escape(letters) + "[0-9]*(?:only)?")
    found = [one for one, its in _identifiers().items() if form.fullmatch(its)]
    return min(sorted(found, reverse=True), key=len, default=None)


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", text.casefold())


@lru_cache(maxsize=1)
def _identifiers() -> dict[str, str]:
    """All SPDX identifiers that are not deprecated, with their letters and digits."""
    # Not part of packaging's public face; needed only to suggest a spelling.
    from packaging.licenses._spdx import LICENSES

    names = (entry["id"] for entry in LICENSES.values() if not entry["deprecated"])
    return {name: _letters(name) for name in names}
