"""The fixed words and the plain answer (docs/spec/statement.md, "How made")."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.vectors import cases, load

from byline_ledger import vocabulary
from byline_ledger.errors import UsageError
from byline_ledger.meant_words import SAID
from byline_ledger.vocabulary import IPTC_SCHEME, MADE_DEFAULT_TERM, SOURCE_TYPES


@cases("statement.json", "source_types")
def test_plain_answer(case: dict[str, Any]) -> None:
    """Each term has the one plain answer of the table."""
    assert case["plain"] == vocabulary.plain_answer(case["source_type"])


def test_every_term_has_a_vector() -> None:
    """A row added here is added to the published table too."""
    published = {
        vocabulary.canonical_source_type(case["source_type"])
        for case in load("statement.json")["source_types"]
    }
    assert published - {None} == set(SOURCE_TYPES)


def test_nothing_said_is_unknown() -> None:
    """Unknown is a value of its own, never folded into human."""
    assert vocabulary.plain_answer(None) == "unknown"


@given(st.text(max_size=60))
def test_any_text_has_a_plain_answer(text: str) -> None:
    """A stranger's term never raises."""
    assert vocabulary.plain_answer(text) in vocabulary.PLAIN_ANSWERS


def test_default_terms_stand_for_what_they_say() -> None:
    """`made` and the term written for it agree."""
    for made, term in MADE_DEFAULT_TERM.items():
        assert made == vocabulary.plain_answer(term)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("digitalCapture", "digitalCapture"),
        (IPTC_SCHEME + "print", "print"),
        (IPTC_SCHEME.replace("http:", "https:") + "print", "print"),
        ("minorHumanEdits", "humanEdits"),
        ("digitalArt", "digitalCreation"),
    ],
)
def test_term_to_write(text: str, term: str) -> None:
    """Bare terms, https and retired terms become the URI of today."""
    assert IPTC_SCHEME + term == vocabulary.source_type_to_write(text)


def test_retired_without_successor_is_not_written() -> None:
    """softwareImage can be read, but not claimed any more."""
    with pytest.raises(UsageError, match="retired"):
        vocabulary.source_type_to_write("softwareImage")


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("digitalcapture", "digitalCapture"),
        ("trainedAlgorithmicMedai", "trainedAlgorithmicMedia"),
        (IPTC_SCHEME + "humanEdit", "humanEdits"),
    ],
)
def test_unknown_term_suggests_the_nearest(text: str, guess: str) -> None:
    """A slip of the finger is answered with what was meant."""
    with pytest.raises(UsageError) as caught:
        vocabulary.source_type_to_write(text)
    assert str(caught.value.hint).startswith(f"did you mean {guess}?")


def test_uses() -> None:
    """With or without cawg., and nothing else."""
    wanted = "cawg.ai_generative_training"
    assert wanted == vocabulary.use_key("ai_generative_training")
    assert wanted == vocabulary.use_key(wanted)
    with pytest.raises(UsageError) as caught:
        vocabulary.use_key("ai_trainings")
    assert "did you mean ai_training?" in str(caught.value.hint)


def test_word_that_is_like_none() -> None:
    """Without a near one, the hint lists what there is."""
    with pytest.raises(UsageError) as caught:
        vocabulary.check_word("role", "\x1b[31m", ("witnessed", "editor"))
    assert caught.value.hint == "one of: witnessed, editor"
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("AI", "did you mean generated?"),
        ("AI-assisted", "did you mean assisted?"),
        ("hand made", "did you mean human?"),
        ("photograph", "that is the source type digitalCapture; made is one of:"),
        ("humn", "did you mean human?"),
        ("blue", "one of: human, assisted, generated"),
    ],
)
def test_what_people_say_of_making_gets_the_word_for_it(said: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        vocabulary.check_made(said)
    assert str(caught.value.hint).startswith(hint)


def test_words_that_people_say_are_no_words_of_ours() -> None:
    """A fixed word is never taken for another, and each word is in the table once."""
    said = [one for _, words in SAID for one in words.split()]
    assert len(set(said)) == len(said)
    ours = {*vocabulary.SOURCE_TERMS, *vocabulary.USE_VALUES, *vocabulary.USES}
    assert not ours & set(said)
    fixed = {one for words, _ in SAID for one in words}
    assert fixed <= ours | set(vocabulary.MADE_DEFAULT_TERM)


def test_a_use_is_answered_in_the_words_of_the_vocabulary() -> None:
    with pytest.raises(UsageError, match="'no' is not known") as caught:
        vocabulary.check_word("use", "no", vocabulary.USE_VALUES)
    assert str(caught.value.hint).startswith("did you mean notAllowed?")
