"""SPDX expressions (docs/spec/statement.md, "work")."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_ledger import licence
from byline_ledger.errors import UsageError
from byline_ledger.licence import MAX_LICENCE, canonical_licence
from byline_ledger.vocabulary import nearest

OWN_TERMS = (
    "see https://spdx.org/licenses/, or, for terms of your own, write LicenseRef-NAME"
)


@pytest.mark.parametrize(
    ("expression", "canonical"),
    [
        ("cc-by-4.0", "CC-BY-4.0"),
        ("MIT", "MIT"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("(mit AND bsd-3-clause) or cc0-1.0", "(MIT AND BSD-3-Clause) OR CC0-1.0"),
        (
            "gpl-3.0-only with classpath-exception-2.0",
            "GPL-3.0-only WITH Classpath-exception-2.0",
        ),
        ("LicenseRef-AllRightsReserved", "LicenseRef-AllRightsReserved"),
    ],
)
def test_canonical_spelling(expression: str, canonical: str) -> None:
    """One licence has one spelling, which is its own canonical form."""
    assert canonical == canonical_licence(expression)
    assert canonical == canonical_licence(canonical)


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("CC-BY", "did you mean CC-BY-4.0?"),
        ("CC BY-NC 4.0", "did you mean CC-BY-NC-4.0?"),
        ("CC0", "did you mean CC0-1.0?"),
        ("GPL3", "did you mean GPL-3.0-only?"),
        ("MIT OR LGPL", "did you mean LGPL-3.0-only?"),
        (
            "https://creativecommons.org/licenses/by/4.0/deed.de",
            "did you mean CC-BY-4.0?",
        ),
        ("The MIT License", "did you mean MIT?"),
        ("Apache Licence, Version 2.0", "did you mean Apache-2.0?"),
        ("GPL v3", "did you mean GPL-3.0-only?"),
        ("Apache 2", "did you mean Apache-2.0?"),
        ("MIT OR Apache-2.O", "did you mean Apache-2.0?"),
        ("CCBY-SA-4.0", "did you mean CC-BY-SA-4.0?"),
        ("all-rights-reserved", "write LicenseRef-AllRightsReserved"),
        ("All rights  reserved", "write LicenseRef-AllRightsReserved"),
        ("MIT OR proprietary", "write LicenseRef-AllRightsReserved"),
        ("ask me first", OWN_TERMS),
        ("NONE", "leave it out, or write LicenseRef-Unknown"),
        ("MIT OR", OWN_TERMS),
        ("", OWN_TERMS),
    ],
)
def test_unknown_licence_suggests_the_nearest(expression: str, hint: str) -> None:
    """What is no expression is refused with what may have been meant."""
    with pytest.raises(UsageError) as caught:
        canonical_licence(expression)
    assert hint == caught.value.hint


def test_length_is_bounded() -> None:
    """Parsing takes an effort: endless expressions are not tried."""
    with pytest.raises(UsageError, match="at most 512 characters, got 513"):
        canonical_licence("x" * (MAX_LICENCE + 1))


def test_hints_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's catalogue has a million wrong licences of 256 words each."""
    searches = []

    def count(word: str, words: Collection[str], likeness: float = 0.5) -> str | None:
        searches.append(word)
        return nearest(word, words, likeness)

    monkeypatch.setattr(licence, "nearest", count)
    for _ in range(3):
        for wrong in ("?x " * 170, "?" * MAX_LICENCE):
            with pytest.raises(UsageError) as caught:
                canonical_licence(wrong)
            assert caught.value.hint == OWN_TERMS
    assert searches == ["?x"] * licence.MAX_GUESSES


@given(
    st.one_of(
        st.text(max_size=100),
        st.lists(
            st.sampled_from(["MIT", "OR", "and", "(", ")", "with", "+", "not", "0"])
        ).map(" ".join),
    )
)
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    """A stranger's text raises nothing but UsageError."""
    try:
        canonical = canonical_licence(text)
    except UsageError:
        return
    assert canonical == canonical_licence(canonical)


@pytest.mark.parametrize("text", ["(" * 512, "(" * 250 + "MIT" + ")" * 250])
def test_nested_parentheses(text: str) -> None:
    """Nesting at the limit neither crashes nor hangs."""
    try:
        canonical_licence(text)
    except UsageError:
        pass
