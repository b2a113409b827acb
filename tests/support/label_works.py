"""Answers and label items for tests, without a log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from byline_ledger.answer import Answer, Claim, KeyStatements, Remark, Work
from byline_ledger.digest import digest_bytes
from byline_ledger.label_document import Head
from byline_ledger.label_item import LabelItem
from byline_ledger.label_maker import LabelMaker
from byline_ledger.label_words import Words
from byline_ledger.manifest import ManifestRow
from byline_ledger.vocabulary import USES, plain_answer, source_type_to_write

PHOTO = digest_bytes(b"a photo")
AUTHOR, OTHER = b"\x01" * 32, b"\x02" * 32
TRAINING = "cawg.ai_generative_training"
SKETCH = digest_bytes(b"a sketch")
WORDS = Words(
    {
        "name": "My <set> | of [works]",
        "description": "Texts.",
        "license": "CC-BY-4.0",
        "url": "https://sets.example/mine",
        "version": "1.0",
        "creator": "Ann",
        "biases": "English alone",
        "period_start": "2020-01-01",
        "collection_method": "web-scraping-crawling",
        "maintenance": "monthly",
    },
    ("en", "de"),
)
NONE: Mapping[str, str] = {}
TERMS = {
    "human": "digitalCapture",
    "assisted": "compositeSynthetic",
    "generated": "trainedAlgorithmicMedia",
    "other": "algorithmicMedia",
}


def remark(type_: str, author: bytes = OTHER, **more: Any) -> Remark:
    """A remark that is effective."""
    plain = Remark(
        id=digest_bytes(type_.encode())[2:],
        index=9,
        type=type_,
        author=author,
        time=0,
        status="effective",
        role=None,
        reason=None,
        note=None,
        replacement=None,
        withdrawal=None,
        problems=(),
        fields={},
    )
    return replace(plain, **more)


def claim(made: str = "human", **more: Any) -> Claim:
    """A claim that is effective."""
    term = source_type_to_write(TERMS[made]) if made in TERMS else None
    assert made == "unknown" or plain_answer(term) == made
    plain = Claim(
        id=bytes(32),
        index=1,
        type="work",
        author=AUTHOR,
        time=0,
        status="effective",
        withdrawal=None,
        made=made,
        source_type=term,
        title=None,
        license=None,
        uses={},
        constraints={},
        tools=(),
        sources=(),
        media_type=None,
        size=None,
        endorsements=(),
        disputes=(),
        others=(),
        remarks_total=0,
        problems=(),
        fields={},
    )
    return replace(plain, **more)


def work(*claims: Claim, digest: bytes = PHOTO, level: int = 0, **more: Any) -> Work:
    """A work of which all is shown."""
    remarks = more.get("remarks", ())
    plain = Work(digest, level, claims, remarks, len(claims) + len(remarks))
    return replace(plain, **more)


def answer(first: Work, *below: Work, keys: tuple[KeyStatements, ...] = ()) -> Answer:
    """An answer about the first work."""
    return Answer(
        asked=first.digest,
        works=(first, *below),
        keys=keys,
        depth=0,
        gaps=(),
        origin="log.example",
        vkey="log.example+1",
        log_size=20,
        log_root=bytes(32),
        set_root=b"\x07" * 32,
    )


def item(
    made: str = "human", consent: Mapping[str, str] = {}, **more: Any
) -> LabelItem:  # read only
    """A label's item; verdicts that are not given are unknown."""
    plain = LabelItem(
        made=made,
        source_type=None,
        models=(),
        license=None,
        consent={use: consent.get(use, "unknown") for use in USES},
        least=0,
        greatest=0,
        keys=(AUTHOR,),
        named=False,
        signed=True,
        endorsed=False,
        disputed=False,
        objections=0,
        withdrawn=0,
        entries=(1,),
        code=None,
    )
    return replace(plain, **more)


def head(words: Words = WORDS) -> Head:
    return Head(TRAINING, AUTHOR, 1_767_225_600_000, PHOTO, "manifest.csv", words)


def made(words: Words = WORDS) -> dict[str, Any]:
    """A label of three works: human and allowed, forbidden, unattested."""
    maker = LabelMaker(TRAINING)
    allowed = claim("human", uses={TRAINING: "allowed"}, license="MIT")
    forbidden = claim("generated", uses={TRAINING: "notAllowed"})
    url = "https://www.a.example/x"
    maker.add(
        ManifestRow(2, PHOTO, "a.txt", 7, url=url),
        answer(work(allowed, consent={TRAINING: "allowed"})),
        "p",
    )
    no = {TRAINING: "notAllowed"}
    other = answer(work(forbidden, digest=SKETCH, consent=no))
    maker.add(ManifestRow(3, SKETCH, "b,\n.txt", 8), other, "q")
    maker.add(ManifestRow(4, SKETCH), answer(work(digest=SKETCH)), "r")
    return maker.document(head(words))
