"""Which files of a folder resemble an author's works, where none of them is one.

Rule: likeness never counts as found (docs/spec/similar.md).  A candidate is listed only
if the claim whose fingerprints it was compared with is the author's, by the proven
answer for the work that it is about: what a node proposes, and what others claim about
that work, is not enough.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from byline_ledger.answer import Claim
from byline_ledger.digest import multihash_hex
from byline_ledger.errors import StoreError
from byline_ledger.likeness import Likeness
from byline_ledger.manifest import ManifestRow
from byline_ledger.windows import how_turned
from byline_node.errors import BusyError
from byline_node.finding import claims_of, claims_to_json
from byline_node.fingerprint import Asked
from byline_node.fingerprint_files import ask_about_file
from byline_node.many_works import Asking, answer_all
from byline_node.shared_question import SharedQuestion
from byline_node.similar_calls import Resemblances, nearest_of_works

BATCH = 64
"""Files whose candidates are asked for together."""
PAUSE, LONGEST_PAUSE = 1, 30
"""Seconds before a node that is busy is asked again: where it does not say how many,
and at most."""
PATIENCE = 60
"""Seconds of pauses for one file."""


class Asks(Protocol):
    """What is needed of a client."""

    def similar(self, asked: Asked) -> Resemblances: ...

    def ask_shared(self, question: SharedQuestion) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Altered:
    """A file that resembles a work (multihash), and the author's claims about that; the
    likeness is to the nearest of them."""

    row: ManifestRow
    work: bytes
    likeness: Likeness
    claims: tuple[Claim, ...]

    def to_json(self) -> dict[str, object]:
        """As `byline find --json` prints it."""
        return {
            "line": self.row.number,
            "digest": f"sha256:{multihash_hex(self.row.digest)}",
            "path": self.row.path,
            "work": f"sha256:{multihash_hex(self.work)}",
            "kind": self.likeness.kind,
            "distance": self.likeness.distance,
            "of": self.likeness.of,
            "turned": how_turned(self.likeness.turn) or None,
            "claims": claims_to_json(self.claims),
        }


@dataclass(slots=True)
class Look:
    """What came of looking.

    `problems` are files that were compared by their bytes alone, or not at all, and
    why; `behind` is the number of entries that a node had still to search, at most.
    """

    similar: list[Altered] = field(default_factory=list)
    problems: list[tuple[ManifestRow, str]] = field(default_factory=list)
    behind: int = 0


def look_for_altered(
    files: Sequence[tuple[ManifestRow, Path]],
    client: Asks,
    asking: Asking,
    author: bytes,
    advance: Callable[[int], None],
) -> Look:
    """Looks for each file, in their order; `advance` is called with 1 for each.

    `asking` names the author (32-byte key) among its keys.  UsageError where the extra
    is not installed; VerificationError where an answer does not hold.
    """
    look = Look()
    for at in range(0, len(files), BATCH):
        batch: list[tuple[ManifestRow, Resemblances]] = []
        for row, path in files[at : at + BATCH]:
            found = _ask(row, path, client, look)
            if found is not None and found.found:
                batch.append((row, found))
            advance(1)
        look.similar += _proven(batch, client, asking, author)
    return look


def _ask(row: ManifestRow, path: Path, client: Asks, look: Look) -> Resemblances | None:
    """What a node proposes for a file; None where it cannot be read."""
    try:
        asked = ask_about_file(path)
    except StoreError as error:
        look.problems.append((row, str(error)))
        return None
    if asked.problem is not None:
        look.problems.append((row, asked.problem))
    found = _patiently(client, asked)
    look.behind = max(look.behind, found.size - found.searched)
    return found


def _patiently(client: Asks, asked: Asked) -> Resemblances:
    """Asks again for as long as the node is busy.  BusyError if it stays so."""
    left = PATIENCE
    while True:
        try:
            return client.similar(asked)
        except BusyError as error:
            if left <= 0:
                raise
            pause = min(error.retry_after or PAUSE, LONGEST_PAUSE, left)
            time.sleep(pause)
            left -= pause


def _proven(
    batch: Sequence[tuple[ManifestRow, Resemblances]],
    client: Asks,
    asking: Asking,
    author: bytes,
) -> list[Altered]:
    """Of what was proposed, what the author's own claims say."""
    works = {one.statement.about for _, found in batch for one in found.found}
    claims = {
        answer.asked: claims_of(answer, author)
        for answer in answer_all(sorted(works), asking, client.ask_shared)
    }
    made: list[Altered] = []
    for row, found in batch:
        for about in nearest_of_works(found.found):
            work = about[0].statement.about
            own = claims[work]
            ids = {claim.id for claim in own}
            near = [one for one in about if one.statement.id in ids]
            if near and work != row.digest:
                made.append(Altered(row, work, near[0].likeness, own))
    return made
