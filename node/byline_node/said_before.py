"""What a key has said about something and has not taken back, by its own statements.

For those who are about to say it again; readers decide by proven answers what counts
(docs/spec/state.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from byline_ledger.digest import multihash
from byline_ledger.statement import Statement
from byline_node.attest import Memory, standing_works
from byline_node.differing import content_of

Which: TypeAlias = Literal["any", "last"]
"""Whether each of a key's statements of a type counts, or only its last one."""
Pair: TypeAlias = tuple[Statement, Statement]
"""A statement, and an earlier one of its author about the same work."""


def standing(
    said: Iterable[Statement], author: bytes, about: bytes, kind: str
) -> list[Statement]:
    """Statements of one type by a key (32 bytes) about a multihash that it has not
    withdrawn, by the times it claims."""
    own = [one for one in said if one.author == author]
    withdrawn = {one.about for one in own if one.type == "withdraw"}
    left = [one for one in own if one.type == kind and one.about == about]
    left = [one for one in left if multihash(one.id) not in withdrawn]
    return sorted(left, key=lambda one: (one.time, one.id))


def said_before(memory: Memory, new: Statement, which: Which) -> Statement | None:
    """The statement by which its author has said what `new` says, if that stands."""
    said = memory.authored(new.author, [new.about])
    left = standing(said, new.author, new.about, new.type)
    if which == "last":
        left = left[-1:]
    content = content_of(new.fields)
    return next((one for one in left if content_of(one.fields) == content), None)


def claimed_before(memory: Memory, new: Sequence[Statement]) -> list[Pair]:
    """Claims of the same works by the same authors that stand in the log already: on
    the machine where the new ones were signed nobody could know of them."""
    works: dict[bytes, list[Statement]] = {}
    for one in new:
        if one.type == "work":
            works.setdefault(one.author, []).append(one)
    found: list[Pair] = []
    for author, mine in works.items():
        said = memory.authored(author, [one.about for one in mine])
        before = standing_works(author, said)
        ids = {one.id for one in said}
        found += [
            (one, before[one.about])
            for one in mine
            if one.about in before and one.id not in ids
        ]
    return found
