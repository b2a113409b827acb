"""Finding what a peer has and we do not, by comparing the two lookup sets.

Rule: the peer's set is the one that its log commits to, and every node and leaf of it
is proven by the hash above it; so nothing can be hidden, and what is found equal is
equal.  Places that are known are never asked about, so the cost goes with the number of
differences.  Memory is bounded by the way down: some thousand places a level.
Specification: docs/spec/network.md, "Set".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from byline_ledger.cursor import MAX_GAPS
from byline_ledger.entry import (
    MAX_KEYS,
    CommitmentEntry,
    StatementEntry,
    entry_of,
    id_in,
    parse_entry,
)
from byline_ledger.errors import MalformedError, NotFoundError, ProofError
from byline_ledger.follow_messages import MAX_IDS
from byline_ledger.follow_session import KnownLog, Steps, Talk, admit, wrong_keys
from byline_ledger.lookup_set import LEAF_MAX, split_strings, strings_hash
from byline_ledger.set_messages import (
    MAX_DIGESTS,
    MAX_NODES,
    AskLeaves,
    AskNodes,
    SetLeaves,
    SetNodes,
    digest_of,
    parse_bitmap,
)
from byline_ledger.set_nodes import open_claim
from byline_ledger.set_places import ROOT, Claim, is_known, strings_at, subtree
from byline_ledger.statement import Statement

MAX_OPENED = 14_400
"""Places that one request opens, more or less."""
LEAST_LEVELS, MOST_LEVELS, FIRST_LEVELS = 2, 7, 8
MAX_LEAVES_REQUEST = 450_000


class Reconciliation:
    """One descent into the set that the peer's tree of `size` leaves commits to."""

    def __init__(
        self,
        talk: Talk,
        view: Callable[[], KnownLog],
        size: int,
        commitment: CommitmentEntry,
        is_refused: Callable[[bytes], bool] = lambda _id: False,
    ) -> None:
        """`is_refused(id)` tells what is not wanted, though it is missing."""
        self._is_refused = is_refused
        self._talk = talk
        self._view = view
        self._size = size
        self._places: list[list[Claim]] = []
        self._leaves: list[Claim] = []
        self._plain: list[Claim] = []
        """Leaves that must be shown whole."""
        self._missing: dict[bytes, set[bytes]] = {}
        self.gaps: list[bytes] = []
        """Ids of statements that the peer does not hand out."""
        self.spent = 0
        """Bytes that it took to find out, statements aside."""
        self._sort([Claim(ROOT, commitment.count, commitment.root)])

    def run(self, most: int) -> Steps[bool]:
        """Admits all that is missing; False if that is given up, since finding out took
        more than `most` bytes, or the peer has this set no more.  What was admitted
        stays."""
        while self._has_more or self._missing:
            if self._has_more and self.spent > most:
                return False
            if len(self._missing) >= MAX_IDS or not self._has_more:
                yield from self._fetch()
                continue
            try:
                yield from self._look()
            except NotFoundError:
                return False
        return True

    @property
    def _has_more(self) -> bool:
        """Something of the set is still to be looked at."""
        return bool(self._places or self._leaves or self._plain)

    def _look(self) -> Steps[None]:
        """One question about the set; NotFoundError if the peer refuses it."""
        if self._plain:
            self._plain = yield from self._read(self._plain, digests=False)
        elif len(self._leaves) >= (MAX_NODES if self._places else 1):
            self._leaves = yield from self._read(self._leaves, digests=True)
        else:
            yield from self._open(self._places.pop())

    def _sort(self, claims: Iterable[Claim]) -> None:
        """What is not known has to be opened further, or read."""
        ours = self._view()
        unknown = [one for one in claims if not is_known(ours, one)]
        self._leaves += [one for one in unknown if one.count <= LEAF_MAX]
        places = [one for one in unknown if one.count > LEAF_MAX]
        starts = range(0, len(places), MAX_NODES)
        self._places += [places[start : start + MAX_NODES] for start in starts]

    def _open(self, claims: list[Claim]) -> Steps[None]:
        most = FIRST_LEVELS if claims[0].place == ROOT else MOST_LEVELS
        levels = (MAX_OPENED // len(claims)).bit_length() - 1
        levels = max(LEAST_LEVELS, min(levels, most))
        request = AskNodes(self._size, tuple(one.place for one in claims), levels)
        before = self._talk.received
        answer = yield from self._talk.ask(request, SetNodes, bulk=True)
        self.spent += self._talk.received - before
        count = _require_some(len(answer.openings), len(claims))
        if claims[count:]:
            self._places.append(claims[count:])
        told = zip(claims, answer.openings, strict=False)
        self._sort(
            [one for claim, opening in told for one in open_claim(claim, opening)]
        )

    def _read(self, claims: list[Claim], *, digests: bool) -> Steps[list[Claim]]:
        """Reads some of these leaves; those that are left."""
        ours = self._view()
        asked = list(_fitting(ours, claims, digests=digests))
        request = AskLeaves(
            self._size,
            tuple(one.place for one, _ in asked),
            tuple(tuple(map(digest_of, strings)) for _, strings in asked),
        )
        before = self._talk.received
        answer = yield from self._talk.ask(request, SetLeaves, bulk=True)
        self.spent += self._talk.received - before
        count = _require_some(len(answer.strings), len(asked))
        told = zip(asked, answer.absent, answer.strings, strict=False)
        for (claim, shown), absent, joined in told:
            flags = parse_bitmap(absent, len(shown))
            fresh = split_strings(joined)
            kept = [s for s, flag in zip(shown, flags, strict=True) if not flag]
            if _is_leaf(claim, [*kept, *fresh]):
                self._note(ours, fresh)
            elif not shown:
                raise ProofError(
                    "a leaf of the lookup set is not what was committed to"
                )
            else:
                # Two strings have one digest: somebody made them for that.
                self._plain.append(claim)
        return claims[count:]

    def _note(self, ours: KnownLog, strings: Sequence[bytes]) -> None:
        """Strings that are the peer's, and new unless we showed it none of ours."""
        entries = ours.entries_of(id_in(string) for string in strings)
        for string in strings:
            statement_id = id_in(string)
            if statement_id in entries:
                _require_string(string, entries[statement_id])
                continue
            found = self._missing.setdefault(statement_id, set())
            found.add(string)
            if len(found) > MAX_KEYS:
                raise wrong_keys(statement_id)

    def _fetch(self) -> Steps[None]:
        """Asks for the statements behind the strings that were found."""
        # Gossip may have brought some of them since.
        known = self._view().indexes_of(self._missing)
        refused = (one for one in self._missing if self._is_refused(one))
        for one in {*known, *refused}:
            del self._missing[one]
        ids = list(islice(self._missing, MAX_IDS))
        if not ids:
            return
        statements = yield from self._talk.statements(ids)
        for statement_id, statement in zip(ids, statements, strict=False):
            strings = self._missing.pop(statement_id)
            if statement is None:
                self._note_gap(statement_id)
            elif not strings <= set(_strings_of(statement)):
                raise wrong_keys(statement_id)
        yield from admit(statements)

    def _note_gap(self, statement_id: bytes) -> None:
        self.gaps.append(statement_id)
        if len(self.gaps) > MAX_GAPS:
            raise NotFoundError(
                f"the peer withholds more than {MAX_GAPS} statements of its log"
            )


def _strings_of(statement: Statement) -> tuple[bytes, ...]:
    return tuple(entry_of(statement).lookup_strings())


def _require_string(string: bytes, entry: bytes) -> None:
    """It must be one of those of our own entry of the same statement."""
    parsed = parse_entry(entry)
    if not isinstance(parsed, StatementEntry) or string not in parsed.lookup_strings():
        raise wrong_keys(id_in(string))


def _fitting(
    ours: KnownLog, claims: Sequence[Claim], *, digests: bool
) -> Iterator[tuple[Claim, list[bytes]]]:
    """The leaves that fit into one request, each with those strings of ours that are
    named in it."""
    room = MAX_LEAVES_REQUEST
    for claim in islice(claims, MAX_NODES):
        strings = _digestible(ours, claim) if digests else []
        room -= 84 + 8 * len(strings)
        if room < 0:
            return
        yield claim, strings


def _digestible(ours: KnownLog, claim: Claim) -> list[bytes]:
    """Our strings at this place; none if they are many, as they are where a peer calls
    a leaf what is half of our own set."""
    node = subtree(ours.lookup_set.top, claim.place)
    is_large = node is not None and node.count > MAX_DIGESTS
    return [] if is_large else strings_at(ours, claim.place)


def _is_leaf(claim: Claim, strings: list[bytes]) -> bool:
    strings.sort()
    return len(strings) == claim.count and strings_hash(b"".join(strings)) == claim.hash


def _require_some(count: int, asked: int) -> int:
    if not 1 <= count <= asked:
        raise MalformedError(f"expected 1 to {asked} places, got {count}")
    return count
