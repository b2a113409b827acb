"""The figures of a label, counted up work by work.

Rule: every figure is counted from the items and the manifest's rows alone, so that
whoever has the proofs counts the same.  Specification: docs/spec/label.md, "Figures".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from byline_ledger.did import did_key
from byline_ledger.label_item import MADE, LabelItem
from byline_ledger.manifest import ManifestRow
from byline_ledger.manifest_path import quote_path
from byline_ledger.near_duplicates import MAX_CODES, NEAR, clusters
from byline_ledger.use_word import NOT_ALLOWED, VERDICTS
from byline_ledger.vocabulary import USES

MOST_LISTED = 10
"""Keys, domains, models and licences that a label lists."""
MAX_NAMES = 1 << 18
"""Names of a list that are counted: strangers choose models, keys and domains."""
MOST_VIOLATIONS = 20
"""Works that a label names; the table of items has all."""
MOST_DEPTHS = 8
"""Generations that have a figure of their own."""

Figures = dict[str, Any]

_HOST = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:[^/?#]*@)?(?:www\.(?=[a-z0-9._-]))?([a-z0-9._-]{1,253})"
    r"(?::[0-9]*)?(?:[/?#].*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)


class LabelTally:
    """Figures for an intended use (CAWG entry): `add` each work, then `figures`."""

    def __init__(self, use: str) -> None:
        self._use = use
        self._items: dict[str, Counter[str]] = {}
        self._bytes: dict[str, Counter[str]] = {}
        self._trust: Counter[str] = Counter()
        self._objections = 0
        self._violations: list[dict[str, str | None]] = []
        self._codes: dict[str, list[int]] = {}

    def add(self, row: ManifestRow, item: LabelItem) -> None:
        """One more row of the manifest, and what is known of its work."""
        size = row.bytes or 0
        self._count("made", item.made, size)
        if item.source_type is not None:
            self._count("source_type", item.source_type, size)
        for model in item.models:
            self._count("model", model, size)
        for use in USES:
            self._count(use, item.consent[use], size)
        self._count("licence", item.license or "unknown", size)
        for key in item.keys:
            self._count("key", did_key(key), size)
        domain = domain_of(row.url)
        if domain is not None:
            self._count("domain", domain, size)
        self._depth(item)
        self._trust_of(item)
        if item.consent[self._use] == NOT_ALLOWED:
            self._violate(row)
        if item.code is not None:
            kind, code = item.code
            codes = self._codes.setdefault(kind, [])
            if len(codes) < MAX_CODES:
                codes.append(code)

    def _count(self, what: str, word: str, size: int) -> None:
        items = self._items.setdefault(what, Counter())
        if word in items or len(items) < MAX_NAMES:
            items[word] += 1
            self._bytes.setdefault(what, Counter())[word] += size

    def _depth(self, item: LabelItem) -> None:
        if item.greatest is None:
            word = "open"
        else:
            most = item.greatest
            word = str(most) if most < MOST_DEPTHS else f"{MOST_DEPTHS} or more"
        self._count("depth", word, 0)

    def _trust_of(self, item: LabelItem) -> None:
        found = {
            "signed": item.signed,
            "endorsed": item.endorsed,
            "disputed": item.disputed,
            "withdrawn": item.withdrawn > 0,
            "named": item.named,
            "objected": item.objections > 0,
        }
        self._trust.update(word for word, is_so in found.items() if is_so)
        self._objections += item.objections

    def _violate(self, row: ManifestRow) -> None:
        if len(self._violations) < MOST_VIOLATIONS:
            digest = f"sha256:{row.digest[2:].hex()}"
            path = None if row.path is None else quote_path(row.path)
            self._violations.append({"digest": digest, "path": path})

    def figures(self) -> Figures:
        """All figures, as label.json has them."""
        use = self._use
        return {
            "ingredients": self._all("made", MADE),
            "source_types": self._most("source_type"),
            "models": self._most("model"),
            "synthetic_depth": dict(sorted(self._words("depth").items())),
            "consent": {one: self._all(one, VERDICTS) for one in USES},
            "violations": {
                "items": self._words(use)[NOT_ALLOWED],
                "bytes": self._bytes.get(use, Counter())[NOT_ALLOWED],
                "first": self._violations,
            },
            "licences": self._most("licence"),
            "sources": {
                "keys": self._most("key"),
                "domains": self._most("domain"),
            },
            "trust": {
                word: self._trust[word]
                for word in ("signed", "endorsed", "disputed", "withdrawn", "named")
            },
            "objections": {
                "items": self._trust["objected"],
                "disputes": self._objections,
            },
            "near_duplicates": self._near(),
        }

    def _words(self, what: str) -> Counter[str]:
        return self._items.get(what, Counter())

    def _all(self, what: str, words: Iterable[str]) -> Figures:
        return {word: self._figure(what, word) for word in words}

    def _figure(self, what: str, word: str) -> dict[str, int]:
        size = self._bytes.get(what, Counter())[word]
        return {"items": self._words(what)[word], "bytes": size}

    def _most(self, what: str) -> Figures:
        """The most frequent words, and how many there are."""
        found = self._words(what)
        order = sorted(found, key=lambda word: (-found[word], word))
        top = order[:MOST_LISTED]
        return {
            "total": len(found),
            "top": [{"name": word, **self._figure(what, word)} for word in top],
        }

    def _near(self) -> Figures:
        groups = {kind: clusters(codes) for kind, codes in self._codes.items()}
        found = [group for kind in groups.values() for group in kind]
        return {
            "bits": NEAR,
            "compared": sum(map(len, self._codes.values())),
            "clusters": len(found),
            "items": sum(map(len, found)),
            "largest": max(map(len, found), default=0),
        }


def domain_of(url: str | None) -> str | None:
    """The host of a URL, in small letters, without `www.`."""
    found = _HOST.fullmatch(url or "")
    return found[1].lower() if found else None
