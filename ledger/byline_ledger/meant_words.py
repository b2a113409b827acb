"""What people say, and the fixed word that they mean (docs/spec/statement.md).

For hints alone: nothing that is signed ever goes through this table.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

SAID = (
    (("digitalCapture",), "camera photo photograph photography picture snapshot"),
    (("negativeFilm",), "analog analogue film negative"),
    (("positiveFilm",), "slide slides transparency"),
    (("print",), "scan scanned scanner"),
    (("humanEdits",), "edit edited lightroom photoshop retouched"),
    (
        ("human", "digitalCreation"),
        (
            "artist author drawing drawn hand handmade illustration me myself original"
            " painted painting people person writing written"
        ),
    ),
    (
        ("generated", "trainedAlgorithmicMedia"),
        (
            "ai aigenerated aimade artificial chatgpt dalle diffusion genai gpt llm"
            " machine midjourney model prompt stablediffusion synthetic"
        ),
    ),
    (
        ("assisted", "compositeWithTrainedAlgorithmicMedia"),
        "aiassisted aihelped both cocreated hybrid mixed partly",
    ),
    (("algorithmicMedia",), "code computer fractal procedural program script"),
    (("screenCapture",), "screen screenshot"),
    (("allowed",), "allow ok permitted true yes"),
    (
        ("notAllowed",),
        "denied deny disallow disallowed false forbid forbidden never no none",
    ),
    (("constrained",), "ask conditional conditionally conditions maybe terms"),
)
"""Fixed words that mean the same, and what people say for them."""

_NO_LETTER = re.compile("[^a-z]+")


def meant(said: str, words: Collection[str]) -> str | None:
    """The one of `words` that somebody means by a word of their own, if it is known."""
    return next((one for one in _candidates(said) if one in words), None)


def _candidates(said: str) -> Iterator[str]:
    """All fixed words for what was said, however it is written."""
    plain = _NO_LETTER.sub("", said.casefold())
    for fixed, others in SAID:
        if plain in others.split():
            yield from fixed
