"""The fixed words of statements, and what they mean in plain (docs/spec/statement.md).

How a work was made is said with a term of the IPTC Digital Source Type vocabulary; the
plain answer is derived from the term by the one table below, whose version is part of
the specification.  What the table does not know is `unknown`: never human, never
allowed.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from byline_ledger.errors import UsageError
from byline_ledger.meant_words import meant

Plain: TypeAlias = Literal["human", "assisted", "generated", "other", "unknown"]

PLAIN_ANSWERS: Final[tuple[Plain, ...]] = (
    "human",
    "assisted",
    "generated",
    "other",
    "unknown",
)

IPTC_SCHEME: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
IPTC_VERSION: Final = "2024-09-17"
C2PA_SCHEME: Final = "http://c2pa.org/digitalsourcetype/"

SOURCE_TYPES: Final[Mapping[str, Plain]] = MappingProxyType(
    {
        IPTC_SCHEME + "digitalCapture": "human",
        IPTC_SCHEME + "computationalCapture": "human",
        IPTC_SCHEME + "negativeFilm": "human",
        IPTC_SCHEME + "positiveFilm": "human",
        IPTC_SCHEME + "print": "human",
        IPTC_SCHEME + "humanEdits": "human",
        IPTC_SCHEME + "digitalCreation": "human",
        IPTC_SCHEME + "compositeCapture": "human",
        IPTC_SCHEME + "algorithmicallyEnhanced": "human",
        # A person programmed the rendering of data: no model was trained.
        IPTC_SCHEME + "dataDrivenMedia": "human",
        IPTC_SCHEME + "compositeWithTrainedAlgorithmicMedia": "assisted",
        IPTC_SCHEME + "compositeSynthetic": "assisted",
        IPTC_SCHEME + "trainedAlgorithmicMedia": "generated",
        C2PA_SCHEME + "trainedAlgorithmicData": "generated",
        # A formula, or nothing at all: neither a hand nor a model.
        IPTC_SCHEME + "algorithmicMedia": "other",
        C2PA_SCHEME + "empty": "other",
        # What is on the screen, in the event or in the composite decides.
        IPTC_SCHEME + "screenCapture": "unknown",
        IPTC_SCHEME + "virtualRecording": "unknown",
        IPTC_SCHEME + "composite": "unknown",
        # Retired without a successor.
        IPTC_SCHEME + "softwareImage": "unknown",
    }
)
"""Source type URI to plain answer."""

SOURCE_TERMS: Final = tuple(uri.rpartition("/")[2] for uri in SOURCE_TYPES)
"""The same without their schemes, as people type them."""

RETIRED: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        IPTC_SCHEME + "minorHumanEdits": IPTC_SCHEME + "humanEdits",
        IPTC_SCHEME + "digitalArt": IPTC_SCHEME + "digitalCreation",
        IPTC_SCHEME + "softwareImage": None,
    }
)
"""Terms that are read but never written, with what replaced them."""

MADE_DEFAULT_TERM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "human": IPTC_SCHEME + "digitalCreation",
        "assisted": IPTC_SCHEME + "compositeWithTrainedAlgorithmicMedia",
        "generated": IPTC_SCHEME + "trainedAlgorithmicMedia",
    }
)
"""What `made` stands for when no source type is given."""

USE_PREFIX: Final = "cawg."
USES: Final = (
    "cawg.data_mining",
    "cawg.ai_inference",
    "cawg.ai_training",
    "cawg.ai_generative_training",
)
"""CAWG Training and Data Mining 1.1: what somebody may want to use a work for."""
USE_VALUES: Final = ("allowed", "notAllowed", "constrained")

RELATIONSHIPS: Final = ("parentOf", "componentOf", "inputTo")
"""C2PA: what a source was to the work."""

ENDORSE_ROLES: Final = (
    "witnessed",
    "co-author",
    "editor",
    "publisher",
    "archive",
    "commissioned",
    "reviewed",
)
DISPUTE_REASONS: Final = (
    "authorship",
    "how-made",
    "sources",
    "license",
    "uses",
    "consent",
    "misleading",
    "other",
)
"""What is contested; `consent` is "I am in it and object"."""
WITHDRAW_REASONS: Final = (
    "superseded",
    "mistaken",
    "consent-changed",
    "key-compromised",
    "personal-data",
    "legal",
)
OVERSIGHT: Final = ("fully_autonomous", "prompt_guided", "human_validated")
"""C2PA 2.4, humanOversightLevel: how far a human looked after what a model made."""
MODEL_TYPE: Final = "c2pa.types.model"
"""What kind of model: this, or what begins with it and a dot."""
NAME_METHODS: Final = ("domain-file", "dns-txt", "did-web", "atproto", "ssh")
"""Where a name may point back at its key (docs/spec/names.md)."""
ROTATE_REASONS: Final = ("routine", "lost", "compromised")
COMPROMISED: Final = "compromised"
"""The one reason for which a key may end without a successor."""
PRICE_UNITS: Final = ("item", "set", "megabyte", "year")
VALIDATIONS: Final = ("trusted", "valid", "invalid")
"""What a validator of foreign manifests found (C2PA)."""
LABEL_ITEMS: Final = (*PLAIN_ANSWERS, "unattested")
"""What the works of a data set are, as far as was attested."""

STATEMENT_TYPES: Final = (
    "work",
    "endorse",
    "dispute",
    "withdraw",
    "grant",
    "profile",
    "rotate",
    "delegate",
    "admit",
    "leave",
    "offer",
    "request",
    "collection",
    "label",
    "seal",
    "relay",
    "settlement",
)
"""The types whose fields are specified; any other is shown raw."""
NOT_DELEGABLE: Final = ("rotate", "profile", "delegate")
"""What only the key itself says."""


def plain_answer(source_type: str | None) -> Plain:
    """The plain answer for a source type URI; unknown for None or a foreign one."""
    if source_type is None:
        return "unknown"
    return SOURCE_TYPES.get(canonical_source_type(source_type) or "", "unknown")


def canonical_source_type(text: str) -> str | None:
    """The URI of a term as it is written today; None if the vocabulary lacks it.

    Accepts a bare IPTC term, an https URI (some software writes it so) and retired
    terms.  `softwareImage`, retired without a successor, stays itself.
    """
    uri = "http://" + text[8:] if text.startswith("https://") else text
    if "/" not in uri:
        uri = IPTC_SCHEME + uri
    uri = RETIRED.get(uri) or uri
    return uri if uri in SOURCE_TYPES else None


def source_type_to_write(text: str) -> str:
    """The URI of a term given by a person; UsageError suggests the nearest."""
    uri = canonical_source_type(text)
    if uri is None:
        raise unknown_word("source type", text.rpartition("/")[2], SOURCE_TERMS)
    if uri in RETIRED:
        raise UsageError(f"source type: {text} is retired and has no successor")
    return uri


def check_made(made: str) -> str:
    """`made` itself if it is one of its words; else a UsageError, also where people say
    by it what a source type says."""
    if made in MADE_DEFAULT_TERM:
        return made
    error = unknown_word("made", made, tuple(MADE_DEFAULT_TERM))
    term = meant(made, SOURCE_TERMS)
    if meant(made, MADE_DEFAULT_TERM) is None and term is not None:
        error.hint = f"that is the source type {term}; made is {error.hint}"
    raise error


def use_key(text: str) -> str:
    """The full name of a use, given with or without `cawg.`; UsageError if unknown."""
    key = text if text.startswith(USE_PREFIX) else USE_PREFIX + text
    if key not in USES:
        words = [use.removeprefix(USE_PREFIX) for use in USES]
        raise unknown_word("use", key.removeprefix(USE_PREFIX), words)
    return key


def check_word(what: str, word: str, words: Collection[str]) -> str:
    """`word` itself if it is one of `words`; else a UsageError with the nearest."""
    if word not in words:
        raise unknown_word(what, word, words)
    return word


def nearest(word: str, words: Collection[str], likeness: float = 0.5) -> str | None:
    """The one of `words` most like `word`, whatever the case; None if none is near."""
    by_folded = {known.casefold(): known for known in words}
    folded = word.casefold()
    found = difflib.get_close_matches(folded, by_folded, n=1, cutoff=likeness)
    return by_folded[found[0]] if found else None


def unknown_word(what: str, word: str, words: Collection[str]) -> UsageError:
    """The error for a word that is none of `words`; its hint is the one that is meant,
    or the nearest."""
    guess = meant(word, words) or nearest(word, words)
    known = "one of: " + ", ".join(words)
    return UsageError(
        f"{what}: {word[:80]!a} is not known",
        hint=f"did you mean {guess}? {known}" if guess else known,
    )
