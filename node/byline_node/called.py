"""What keys call themselves in an answer, and which of them are one.

Rule (docs/spec/names.md, "Showing names"): of a key's own profiles the last counts that
nothing is known against; keys of which one follows the other may look alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from byline_ledger.answer import LATE, WITHDRAWN, Answer
from byline_ledger.content_keys import ProfileContent
from byline_ledger.name_proofs import NameProof

NOT_IN_FORCE = frozenset({WITHDRAWN, LATE})


@dataclass(frozen=True, slots=True)
class Called:
    """What a key calls itself: its display name, and the names it would prove."""

    name: str
    proofs: tuple[NameProof, ...] = ()


def called_in(answer: Answer) -> Iterator[tuple[bytes, Called]]:
    """Keys with a profile that nothing is known against; the last one counts."""
    for one in answer.keys:
        profiles = [
            (said.index, said.content)
            for said in one.statements
            if said.author == one.author
            and said.status not in NOT_IN_FORCE
            and isinstance(said.content, ProfileContent)
        ]
        if profiles:
            _, content = max(profiles, key=lambda said: said[0])
            yield one.author, Called(content.name or "", content.proofs)


def linked_in(answer: Answer) -> dict[bytes, bytes]:
    """Key to the one that follows it."""
    found = {one.author: one.successor for one in answer.keys}
    return {key: one for key, one in found.items() if one is not None}


def is_linked(one: bytes, other: bytes, linked: Mapping[bytes, bytes]) -> bool:
    """Whether one key follows the other, in however many steps."""
    return other in _followers(one, linked) or one in _followers(other, linked)


def _followers(key: bytes, linked: Mapping[bytes, bytes]) -> set[bytes]:
    """The keys that follow a key; each is looked at once."""
    found: set[bytes] = set()
    while key in linked and linked[key] not in found:
        key = linked[key]
        found.add(key)
    return found
