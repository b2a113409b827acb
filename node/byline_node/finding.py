"""Is my work in your set?  An author's works among those of a list, by proven answers.

Every work of the list is asked for with what the author says about it (one of the keys
that the question names, docs/spec/bundle.md), so nobody can crowd it out.  A work
counts as the author's if a claim about it is by the author's key, or is linked to it:
signed by a key that follows it, or validly for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from byline_ledger.answer import Answer, Claim
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement, multihash_hex
from byline_ledger.manifest import BadLine, Line, ManifestRow
from byline_ledger.policy import Policy
from byline_node.many_works import Asking, ManyWorks, answer_all
from byline_node.paired import paired


@dataclass(frozen=True, slots=True)
class Found:
    """A line of the list that is the author's, and the claims that say so."""

    row: ManifestRow
    claims: tuple[Claim, ...]

    def to_json(self) -> dict[str, object]:
        """As `byline find --json` prints it."""
        return {
            "line": self.row.number,
            "digest": f"sha256:{multihash_hex(self.row.digest)}",
            "path": self.row.path,
            "claims": claims_to_json(self.claims),
        }


def claims_to_json(claims: Sequence[Claim]) -> list[dict[str, object]]:
    """Who claims a work, and what became of that."""
    return [
        {
            "id": cid_of_statement(one.id),
            "author": did_key(one.author),
            "signed_for": did_key(one.signed_for) if one.signed_for else None,
            "status": one.status,
        }
        for one in claims
    ]


def claims_of(answer: Answer, author: bytes) -> tuple[Claim, ...]:
    """The claims about the work asked for that are an author's (32-byte key)."""
    return tuple(
        one
        for one in answer.works[0].claims
        if author in (one.author, one.signed_for, one.linked)
    )


def asking_for(author: bytes, policy: Policy | None, now: int) -> Asking:
    """Questions that name the author (32-byte key); `now` in Unix milliseconds."""
    return Asking(keys=(author,), policy=policy, now=now)


def find(
    lines: Iterable[Line], client: ManyWorks, asking: Asking, author: bytes
) -> Iterator[tuple[Line, Found | None]]:
    """Each line with what of it is the author's: None where nothing is."""

    def ask(digests: Iterable[bytes]) -> Iterator[Answer]:
        return answer_all(digests, asking, client.ask_shared)

    for line, answer in paired(lines, ask):
        claims = () if answer is None else claims_of(answer, author)
        if isinstance(line, BadLine) or not claims:
            yield line, None
        else:
            yield line, Found(line, claims)
