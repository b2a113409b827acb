"""Who claimed a work first, where a page does not show everything that is said of it.

Rule: docs/spec/bundle.md, "Floods".  The lookup set has no order by place, so this is
the prover's to find, and nothing that a verifier could hold it to.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from byline_ledger.chain import MAX_FIRST
from byline_ledger.entry import id_in, subject_key
from byline_ledger.key_lookups import Recall
from byline_ledger.statement import Statement

if TYPE_CHECKING:
    from byline_ledger.log import LogView

MAX_STRINGS = 1 << 14
"""Under one work: looking through more takes longer than a question may."""
MAX_READ = 256
"""Statements about a work that are read in search of the first claims."""


def who_came_first(
    view: LogView,
    recall: Recall,
    work: bytes,
    without: Collection[bytes],
) -> tuple[bytes, ...]:
    """The keys that claimed a work (34-byte multihash) first, earliest first, at most
    MAX_FIRST; of those of MAX_STRINGS strings."""
    strings = view.strings_under(subject_key(work), limit=MAX_STRINGS)
    places = view.indexes_of(map(id_in, strings))
    first: dict[bytes, None] = {}
    for id_ in sorted(places, key=places.__getitem__)[:MAX_READ]:
        one = recall(id_)
        if isinstance(one, Statement) and one.type == "work":
            first[one.author] = None
    return tuple(key for key in first if key not in without)[:MAX_FIRST]
