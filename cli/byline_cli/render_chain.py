"""The chain around a work in lines: sources to their origins, what was made of it, and
how much AI lies between.

Pure functions.  A loop is named and not followed; shared sources are drawn again until
the lines run out, so a chain of any size ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from byline_cli.output import Line, safe
from byline_cli.wording import MADE, MADE_OF_IT, RELATIONSHIPS, amount
from byline_ledger.answer import Answer, Claim, Derived

MOST_SOURCES = 24
"""Lines of the tree of sources."""
MOST_DERIVED = 12
"""Works made of it that are told."""

Name = Callable[[bytes], str]


class Tree:
    """The works of an answer by their digest."""

    def __init__(self, answer: Answer) -> None:
        self._works = {work.digest: work for work in answer.works}
        self.left = 4 * MOST_SOURCES
        """Branches still to be drawn: shared sources could make a tree endless."""

    def claims(self, digest: bytes) -> Sequence[Claim] | None:
        """Claims about a source; None if it was not followed."""
        work = self._works.get(digest)
        return None if work is None or work.total is None else work.claims


def source_rows(claim: Claim, answer: Answer) -> Iterator[Line]:
    """What it was made from, as a tree through the sources' own claims."""
    rows = list(tree_rows(claim, Tree(answer), "", frozenset({answer.asked})))
    yield from rows[:MOST_SOURCES]
    if len(rows) > MOST_SOURCES:
        yield f"    … {len(rows) - MOST_SOURCES} more (see --json)"


def tree_rows(
    claim: Claim, tree: Tree, indent: str, above: frozenset[bytes]
) -> Iterator[Line]:
    """The sources of one claim and theirs, indented; a loop is named, not followed."""
    for i, source in enumerate(claim.sources):
        last = i == len(claim.sources) - 1
        if tree.left <= 0:
            return
        tree.left -= 1
        words = RELATIONSHIPS.get(source.relationship, safe(source.relationship))
        claims = tree.claims(source.digest)
        branch = "└─" if last else "├─"
        shown = short(source.digest)
        said = "in a loop" if source.digest in above else describe_source(claims)
        yield f"    {indent}{branch} {words} {shown}  {said}"
        standing = not_withdrawn(claims or ())
        if standing and source.digest not in above:
            deeper = indent + ("   " if last else "│  ")
            inner = above | {source.digest}
            yield from tree_rows(standing[0], tree, deeper, inner)


def short(digest: bytes) -> str:
    """A work, as much of its name as a line has room for."""
    return f"sha256 {digest[2:14].hex()}…"


def not_withdrawn(claims: Iterable[Claim]) -> list[Claim]:
    """Claims that stand, or may stand."""
    return [claim for claim in claims if claim.status not in ("withdrawn", "late")]


def describe_source(claims: Sequence[Claim] | None) -> str:
    """A source in half a line: the first claim that stands, and what else there is."""
    if claims is None:
        return "not followed that far"
    standing = not_withdrawn(claims)
    withdrawn = len(claims) - len(standing)
    if not standing:
        return "all claims withdrawn: unknown" if withdrawn else "unknown"
    parts = [described(standing[0])]
    if standing[1:]:
        parts.append(amount(len(standing) - 1, "other claim"))
    if withdrawn:
        parts.append(f"{amount(withdrawn, 'claim')} withdrawn")
    return ", ".join(parts)


def described(claim: Claim) -> str:
    """A claim in a few words."""
    title = f"“{safe(claim.title)}”, " if claim.title else ""
    disputed = ", DISPUTED" if is_disputed(claim) else ""
    return f"{title}made by: {MADE.get(claim.made, 'unknown')}{disputed}"


def is_disputed(claim: Claim) -> bool:
    """Whether a dispute of the claim, or of its work, stands or may stand."""
    own = any(one.status != "withdrawn" for one in claim.disputes)
    return claim.disputed or own


def derived_rows(
    derived: Sequence[Derived], total: int | None, name: Name
) -> Iterator[Line]:
    """Works that name this one as a source, with whose claim that is."""
    shown = [one for one in derived if one.status not in ("withdrawn", "late")]
    shown.sort(key=lambda one: one.index)
    if not total and not shown:
        return
    yield ""
    known = "number unknown" if total is None else amount(total, "claim")
    yield (f"Works that say they were made of it ({known})", "head")
    for i, one in enumerate(shown[:MOST_DERIVED]):
        branch = "└─" if i == len(shown[:MOST_DERIVED]) - 1 else "├─"
        words = MADE_OF_IT.get(one.relationship, safe(one.relationship))
        title = f"“{safe(one.title)}”, " if one.title else ""
        made = f"{title}made by: {MADE.get(one.made, 'unknown')}"
        yield f"    {branch} {words} {short(one.digest)}  {made}"
        bar = "   " if branch == "└─" else "│  "
        doubt = "" if one.status == "effective" else ", may be withdrawn"
        who = name(one.signed_for or one.author)
        yield (f"    {bar} claimed by {who}{doubt}", "quiet")
    more = (total or 0) - min(len(shown), MOST_DERIVED)
    if more > 0:
        yield f"    and {amount(more, 'further claim')}, withdrawn ones among them"


def depth_words(least: int, greatest: int | None) -> str:
    """How many generations of AI lie between a work and its origins."""
    if greatest is None:
        known = f"at least {amount(least, 'generation')}; " if least else ""
        return f"{known}how many is unknown: the chain has gaps"
    if greatest == 0:
        return "none, back to the origins that people name"
    if least == greatest:
        return f"{amount(least, 'generation')}, back to the origins"
    return f"{least} to {greatest} generations, depending on the source one follows"
