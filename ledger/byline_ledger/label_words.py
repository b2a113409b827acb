"""A label's words and numbers for people, and what they themselves say of a set.

`Words` is what whoever makes a label types: nothing computes it, and the label says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from byline_ledger.amount import amount
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.licence import canonical_licence
from byline_ledger.projection import is_address
from byline_ledger.vocabulary import check_word

MAX_TEXT = 2_048
MAX_LANGUAGES = 64

SLICES = {
    "human": "Made by humans",
    "assisted": "Made with help of AI",
    "generated": "Made by AI",
    "other": "Made by programs, without AI",
    "unknown": "Claimed, but unknown how",
    "unattested": "Unattested: nobody said",
}
"""Slices of a label, in its order, in plain words."""

VERDICTS = {
    "allowed": "Allowed",
    "constrained": "On conditions",
    "notAllowed": "Not allowed",
    "unknown": "Unknown",
}

FOR = {
    "cawg.ai_generative_training": "training AI that generates",
    "cawg.ai_training": "training AI that does not generate",
    "cawg.ai_inference": "input to AI",
    "cawg.data_mining": "data mining",
}

UNNAMED = "A data set"
"""What a set is called that nobody gave a name."""

TEXTS = {
    "name": "Name of the set.",
    "description": "What it is.",
    "version": "Its version.",
    "license": "Licence of the set as such, an SPDX expression or an address.",
    "url": "Where it can be had.",
    "creator": "Who made the set.",
    "intended": "What it is meant for.",
    "out_of_scope": "What it is not meant for.",
    "limitations": "What is known to be missing or wrong.",
    "biases": "Known biases.",
    "personal_data": "Personal and sensitive information in it.",
    "processing": "What was done to the works.",
    "collection": "How they were collected.",
    "collection_method": "One of the methods of OASIS Data Provenance.",
    "geography": "Where they come from.",
    "period_start": "The first day of the period they are from, YYYY-MM-DD.",
    "period_end": "The last day.",
    "maintenance": "How withdrawals are honoured after the release.",
}

METHODS = (
    "data-augmentation",
    "data-mining",
    "feeds",
    "machine-generated-ml-ops",
    "other",
    "primary-user-source",
    "simulations",
    "social-media",
    "syndication",
    "transfer-learning",
    "user-generated-content",
    "web-scraping-crawling",
)
"""OASIS Data Provenance Metadata 1.0, generation method."""

_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\s<>\"]+", re.ASCII)
_DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)
_TAG = re.compile(r"[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*", re.ASCII)
_ONE_LICENCE = re.compile(r"(?!LicenseRef-)[a-zA-Z0-9][a-zA-Z0-9.+-]*", re.ASCII)
_BLANKS = re.compile("[\\s\x00-\x1f\x7f-\x9f]+")
_UNSEEN = re.compile(
    "[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""What is not seen, or turns the text about it round.  A list, since what Python calls
printable changes with its version, and a label is written again to be compared."""


@dataclass(frozen=True, slots=True)
class Words:
    """What people say of a set: texts by the names of TEXTS, and languages (BCP 47)."""

    texts: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """A text, or the default."""
        return self.texts.get(name, default)

    def to_json(self) -> dict[str, Any]:
        """As label.json has them: what was said and nothing else."""
        texts = {name: self.texts[name] for name in TEXTS if name in self.texts}
        return {**texts, **({"languages": [*self.languages]} if self.languages else {})}


def words_from_json(value: object) -> Words:
    """Words as label.json, or a file that people write, has them.

    UsageError names a word that is not known and the nearest that is; MalformedError
    what is no text of 1 to 2,048 characters.
    """
    if not isinstance(value, dict):
        raise MalformedError("words of a label: expected a table of texts")
    texts: dict[str, str] = {}
    languages: tuple[str, ...] = ()
    for name, text in value.items():
        check_word("word of a label", str(name), (*TEXTS, "languages"))
        if name == "languages":
            languages = _languages(text)
        elif _is_text(text):
            texts[name] = text
        else:
            raise MalformedError(
                f"{name}: expected a text of 1 to {MAX_TEXT} characters"
            )
    if "collection_method" in texts:
        check_word("collection_method", texts["collection_method"], METHODS)
    return Words(texts, languages)


def typed_words(value: object) -> Words:
    """Words that people type: as `words_from_json`, and UsageError for what documents
    of others could not carry.  Before any work, since they are written at its end."""
    words = words_from_json(value)
    licence = words.texts.get("license")
    if licence is not None and not is_address(licence):
        spelt = {**words.texts, "license": canonical_licence(licence)}
        words = Words(spelt, words.languages)
    for name, form, expected in (
        ("url", _URI, "an address, such as https://sets.example/mine"),
        ("period_start", _DAY, "a day, YYYY-MM-DD"),
        ("period_end", _DAY, "a day, YYYY-MM-DD"),
    ):
        text = words.texts.get(name)
        if text is not None and not form.fullmatch(text):
            raise UsageError(f"{name}: expected {expected}, got {text[:80]!a}")
    for tag in words.languages:
        if not _TAG.fullmatch(tag):
            raise UsageError(f"languages: expected tags such as en, got {tag[:80]!a}")
    return words


def licence_page(text: str) -> str | None:
    """The web page of a licence: of an address itself, of one SPDX identifier that of
    SPDX; None of an expression, a LicenseRef, or free text."""
    if is_address(text):
        return text
    if _ONE_LICENCE.fullmatch(text):
        return f"https://spdx.org/licenses/{text}.html"
    return None


def _languages(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else [None]
    if len(found) <= MAX_LANGUAGES and all(map(_is_text, found)):
        return tuple(found)
    raise MalformedError(f"languages: expected a list of at most {MAX_LANGUAGES} tags")


def _is_text(value: object) -> bool:
    """Whether this is a text of the right length that UTF-8 can write: JSON can name
    halves of characters."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
        return False
    return not any("\ud800" <= one <= "\udfff" for one in value)


def unknown_words(items: int) -> str:
    """What is to be said of works of which nobody said whether they may be used."""
    return f"Unknown is not allowed either: {amount(items, 'more work')}."


def near_words(near: Mapping[str, int], count: int) -> tuple[str, int | None]:
    """A row about works of `count` that resemble each other, and how many are in it;
    None where fewer than two have fingerprints to compare."""
    compared = near["compared"]
    if not compared:
        return "Near-duplicates: there are no fingerprints", None
    if compared == 1:
        return "Near-duplicates: one fingerprint alone", None
    few = f", {compared:,} of {count:,} compared" if compared < count else ""
    if not near["clusters"]:
        return f"Near-duplicates{few}", 0
    groups = amount(near["clusters"], "group")
    return f"Near-duplicates in {groups}{few}", near["items"]


def percent(part: int, whole: int) -> str:
    """`12 %`; `<1 %` and `>99 %` where rounding would hide something."""
    if not part or not whole:
        return "0 %"
    share = 100 * part / whole
    if share < 1:
        return "<1 %"
    if part < whole and share > 99:
        return ">99 %"
    return f"{share:.0f} %"


def size_words(count: int) -> str:
    """Bytes in decimal units, `1.4 GB`."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if value < 999.95:
            return f"{value:.1f} {unit}" if value != count else f"{count} {unit}"
        value /= 1_000
    return f"{value:.1f} EB"


def shortened(text: str, most: int) -> str:
    """A stranger's text in one line, without what is not seen, cut to a length."""
    plain = _UNSEEN.sub("?", _BLANKS.sub(" ", text))
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def depth_rows(label: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Generations of AI behind the works of a label.json: words, number of works."""
    found = label["synthetic_depth"]
    none, unknown = found.get("0", 0), found.get("open", 0)
    return [
        ("None, back to works without sources", none),
        ("One or more, all known", sum(found.values()) - none - unknown),
        ("Unknown: the chain has gaps", unknown),
    ]


def trust_rows(label: Mapping[str, Any]) -> list[tuple[str, int | None]]:
    """What others make of the works of a label.json: words, number of works, None where
    it is unknown."""
    trust = label["trust"]
    return [
        ("Claimed by a key, and it stands", trust["signed"]),
        ("Claimed by a key with a name", trust["named"]),
        ("Endorsed by somebody else", trust["endorsed"]),
        ("Disputed", trust["disputed"]),
        ("Somebody in it objects", label["objections"]["items"]),
        ("With a claim that was withdrawn", trust["withdrawn"]),
        near_words(label["near_duplicates"], label["manifest"]["count"]),
    ]
