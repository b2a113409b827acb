"""croissant.json and the words that go into it, and what neither may have."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.label_works import WORDS, made

from byline_ledger.croissant import croissant, require_sound
from byline_ledger.errors import UsageError
from byline_ledger.label_card import card
from byline_ledger.label_words import Words, typed_words

DIGESTS = {"items.csv": "ab" * 32, "manifest.csv": "cd" * 32}


def test_it_has_what_is_required_and_what_was_said() -> None:
    words = {**WORDS.texts, "limitations": "few", "out_of_scope": "faces"}
    found = croissant(made(Words(words, WORDS.languages)), DIGESTS)
    assert found["name"] == WORDS.get("name")
    assert found["rai:dataBiases"] == "English alone"
    assert found["rai:dataCollectionTimeframe"] == ["2020-01-01"]
    assert found["rai:dataLimitations"] == ["few", "faces"]
    assert found["inLanguage"] == ["en", "de"]
    bare = croissant(made(Words()), DIGESTS)
    assert bare["url"].startswith("urn:sha256:")
    assert not {"version", "rai:dataLimitations"} & set(bare)
    assert bare["description"].startswith(
        "3 works; by what is claimed of them: made by"
    )


@pytest.mark.parametrize(
    ("licence", "page", "front"),
    [
        ("CC-BY-4.0", "https://spdx.org/licenses/CC-BY-4.0.html", '"cc-by-4.0"'),
        ("https://a.example/l", "https://a.example/l", "license_link"),
        ("MIT OR 0BSD", None, 'license_name: "MIT OR 0BSD"'),
        ("LicenseRef-Mine", None, 'license_name: "LicenseRef-Mine"'),
        (None, None, 'license: "unknown"'),
    ],
)
def test_a_licence_is_an_address_or_has_a_name(
    licence: str | None, page: str | None, front: str
) -> None:
    label = made(Words({} if licence is None else {"license": licence}))
    name = {"@type": "sc:CreativeWork", "name": licence or "LicenseRef-Unknown"}
    assert croissant(label, DIGESTS)["license"] == (page or name)
    assert front in card(label)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one.update(license=""), "license is missing"),
        (lambda one: one.update(license="MIT"), "license: expected an address"),
        (lambda one: one.update(conformsTo=[]), "conformsTo"),
        (lambda one: one.update(url="nowhere"), "url"),
        (lambda one: one.update(datePublished="today"), "datePublished"),
        (lambda one: one["distribution"][0].update(sha256=""), "sha256"),
        (lambda one: field(one).update({"@id": "works/path"}), "twice"),
        (lambda one: field(one)["source"].update(extract={"column": "x"}), "no column"),
        (lambda one: field(one)["source"].update(fileObject={"@id": "x"}), "unknown"),
        (lambda one: field(one).update(dataType="sc:Integers"), "unknown type"),
    ],
)
def test_what_others_could_not_use_is_not_written(
    change: Callable[[dict[str, Any]], None], said: str
) -> None:
    found = json.loads(json.dumps(croissant(made(), DIGESTS)))
    require_sound(found)
    change(found)
    with pytest.raises(UsageError, match=said):
        require_sound(found)


def field(found: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = found["recordSet"][0]["field"][0]
    return first


def test_words_that_people_type_are_checked_before_any_work() -> None:
    typed = typed_words({"license": "cc-by-4.0", "url": "doi:10.5555/1"})
    assert typed.texts == {"license": "CC-BY-4.0", "url": "doi:10.5555/1"}
    whole = {**WORDS.to_json(), "license": "https://a.example/l"}
    assert typed_words(whole).to_json() == whole


@pytest.mark.parametrize(
    "words",
    [
        {"license": "mine"},
        {"license": "http://a b"},
        {"url": "sets.example/mine"},
        {"url": "https://a.example/\n"},
        {"period_start": "1990"},
        {"period_end": "2020-13-01"},
        {"languages": ["en", "English, German"]},
    ],
)
def test_words_that_no_document_can_carry_are_refused(words: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(words))):
        typed_words(words)
