"""Reading everything under a prefix without showing which work of it is meant.

Rule: nothing that is asked, and nothing that is refused, depends on the work.  All
pages are read to the end of the prefix, and everything in them is verified, of every
work; only then is one picked.  Else a node could leave one out and see who complains.
Specification: docs/spec/network.md, "Crowd"; reasons: docs/adr/0023.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from byline_ledger.bundle import DEFAULT_DEPTH, Bundle
from byline_ledger.chain import WORK_PAGE, Gone
from byline_ledger.checkpoint import Checkpoint, checkpoint_of, open_checkpoint
from byline_ledger.crowd_page import (
    CrowdPage,
    GoneRow,
    other_key,
    parse_crowd_page,
)
from byline_ledger.derivation import derive
from byline_ledger.entry import commitment_entry, id_in, subject_key
from byline_ledger.errors import ProofError, UsageError, VerificationError
from byline_ledger.lookup_set import Node, first_bits
from byline_ledger.merkle import leaf_hash, verify_inclusion
from byline_ledger.opening import Walk, parse_opening
from byline_ledger.query_messages import MAX_BITS, AskCrowd
from byline_ledger.shared_proof import join_proofs
from byline_ledger.verify import verify_bundle

_T = TypeVar("_T")

STRINGS_PER_WORK = 4
"""A statement adds its subject's and its author's, and one for each source."""
MAX_PAGES = 512
MAX_BYTES = 64 << 20
"""Of all pages of a prefix: strangers can compute digests that lie under it."""


def crowd_bits(strings: int, crowd: int) -> int:
    """The longest prefix under which `crowd` works can be expected in such a set."""
    return min(
        MAX_BITS, max(0, (strings // (STRINGS_PER_WORK * crowd)).bit_length() - 1)
    )


@dataclass(frozen=True, slots=True)
class CrowdAnswer:
    """The bundle for the work that was meant, and the crowd that it stood in."""

    bundle: bytes
    works: int
    """Works under the prefix of which somebody says how they were made."""
    pages: int
    size: int
    """Bytes of all pages."""


class CrowdReading:
    """One prefix at one node: `request` and `take` in turn until `is_done`."""

    def __init__(self, digest: bytes, bits: int, depth: int = DEFAULT_DEPTH) -> None:
        """`digest`, a 34-byte multihash, is what stays at home."""
        self._digest = digest
        self._key = subject_key(digest)
        self._depth = depth
        self._ask = AskCrowd(first_bits(self._key, bits), bits, depth)
        self._log = ""
        self._found = b""
        self._works = self._pages = self._size = 0
        self.is_done = False

    def request(self) -> bytes:
        """What to ask next."""
        return self._ask.to_bytes()

    def take(self, response: bytes) -> None:
        """Verifies a page as a whole.

        Raises MalformedError, VerificationError and its kinds; UsageError where a
        prefix holds more than a reader takes.
        """
        self._pages, self._size = self._pages + 1, self._size + len(response)
        if self._pages > MAX_PAGES or self._size > MAX_BYTES:
            raise UsageError(
                f"under {self._ask.bits} bits there is more than {MAX_BYTES >> 20} MiB"
                f" or {MAX_PAGES} pages",
                hint="ask for a smaller crowd, or openly",
            )
        page = parse_crowd_page(response)
        if self._log not in ("", page.log):
            raise VerificationError("the pages of a prefix are of different logs")
        self._log = page.log
        top, bundles = _Page(page, self._ask).verify()
        self._works += sum(1 for one in bundles.values() if one.is_claimed)
        if self._is_in(page):
            mine = bundles.get(self._key)
            self._found = (
                mine.data if mine else _bundle_of_none(page, top, self._target)
            )
        self.is_done = not page.upto
        self._ask = AskCrowd(self._ask.prefix, self._ask.bits, self._depth, page.upto)

    @property
    def _target(self) -> tuple[bytes, int]:
        return self._digest, self._depth

    def _is_in(self, page: CrowdPage) -> bool:
        """Whether the page covers the key that is meant."""
        return self._ask.after < self._key and (not page.upto or self._key <= page.upto)

    def answer(self) -> CrowdAnswer:
        """The one that was meant; only once all pages were taken."""
        if not self.is_done:
            raise RuntimeError("the prefix was not read to its end")
        return CrowdAnswer(self._found, self._works, self._pages, self._size)


@dataclass(frozen=True, slots=True)
class _Held:
    """A verified bundle of the crowd."""

    data: bytes
    is_claimed: bool


class _Page:
    """The verification of one page."""

    def __init__(self, page: CrowdPage, ask: AskCrowd) -> None:
        self._page = page
        self._ask = ask
        self._gone = {one.left.entry.id: one for one in page.gone}
        self._used: set[bytes] = set()

    def verify(self) -> tuple[Node, dict[bytes, _Held]]:
        """The opened trie, and the bundles by their key."""
        page = self._page
        checkpoint = open_checkpoint(page.note, page.log)
        top = parse_opening(page.opening, page.strings)
        if checkpoint.size < 1:
            raise ProofError("the checkpoint is of an empty tree: nothing is committed")
        entry = commitment_entry(page.strings, top.hash)
        verify_inclusion(
            leaf_hash(entry),
            checkpoint.size - 1,
            checkpoint.size,
            page.proof,
            checkpoint.root,
        )
        bundles = self._bundles()
        self._require_keys(Walk(top), list(bundles))
        for one in page.gone:
            _require_in_log(one, checkpoint)
        return top, bundles

    def _bundles(self) -> dict[bytes, _Held]:
        """By key, in the order of the page."""
        held = (self._bundle(data) for data in self._page.bundles)
        return _in_order(list(held))

    def _bundle(self, data: bytes) -> tuple[bytes, _Held]:
        page, bundle = self._page, Bundle.from_bytes(data)
        of_page = (page.note, page.log, page.strings)
        if (bundle.checkpoint, bundle.log, bundle.strings) != of_page:
            raise ProofError("a bundle of the page is of another tree")
        if len(bundle.asked) > 1 or bundle.keys:
            raise ProofError("a bundle of the page answers for more than its key")
        verdict = verify_bundle(data, depth=self._ask.depth)
        if not verdict.ok or verdict.answer is None:
            raise VerificationError(f"a bundle of the page: {verdict.failure()}")
        claimed = bool(verdict.answer.works[0].claims)
        return subject_key(bundle.asked[0]), _Held(data, claimed)

    def _require_keys(self, walk: Walk, subjects: list[bytes]) -> None:
        """Every key of the walk is in the page as one of three, and nothing else is."""
        others = list(_in_order([(other_key(one), one) for one in self._page.others]))
        left = dict.fromkeys((*subjects, *others))
        for key in self._keys(walk):
            if key in left:
                del left[key]
            else:
                self._require_gone(walk, key)
        if left or len(self._used) != len(self._page.gone):
            raise ProofError("the page has something that is not under the prefix")
        walk.require_no_surplus()

    def _keys(self, walk: Walk) -> Iterator[bytes]:
        """The keys that the page has to cover."""
        ask, upto = self._ask, self._page.upto
        for key in walk.keys(ask.prefix, ask.bits, ask.after):
            yield key
            if key == upto:
                return
        if upto:
            raise ProofError("the page does not end with the key that it names")

    def _require_gone(self, walk: Walk, key: bytes) -> None:
        """All that is shown under the key was taken down."""
        for string in walk.find(key, WORK_PAGE).strings:
            row = self._gone.get(id_in(string))
            if row is None or not _has(row, string):
                raise ProofError(f"the page leaves out the key {key.hex()[:16]}…")
            self._used.add(row.left.entry.id)


def _has(row: GoneRow, string: bytes) -> bool:
    entry = row.left.entry
    return string[:32] in entry.keys and entry.tag == string[32:40]


def _in_order(pairs: list[tuple[bytes, _T]]) -> dict[bytes, _T]:
    keys = [key for key, _value in pairs]
    if any(a >= b for a, b in pairwise(keys)):
        raise ProofError("the page is not in the order of its keys")
    return dict(pairs)


def _require_in_log(one: GoneRow, checkpoint: Checkpoint) -> None:
    """The entry of what was taken down is where it says."""
    index, size = one.left.index, checkpoint.size
    if index >= size - 1:
        raise ProofError(f"index {index} in a tree of {size} entries")
    leaf = leaf_hash(one.left.entry.to_bytes())
    verify_inclusion(leaf, index, size, one.proof, checkpoint.root)


def _bundle_of_none(page: CrowdPage, top: Node, target: tuple[bytes, int]) -> bytes:
    """The bundle for a digest about which nothing is said, or all was taken down."""
    rows = {one.left.entry.id: one for one in page.gone}

    def recall(id_: bytes) -> Gone:
        return Gone(rows[id_].left.entry)  # _Page has seen to it that it is there

    places = {id_: one.left.index for id_, one in rows.items()}
    digest, depth = target
    walk = Walk(top)
    chain = derive(walk, recall, places.__getitem__, [digest], depth)
    used = [rows[id_] for id_ in sorted(chain.used)]
    return Bundle(
        asked=(digest,),
        checkpoint=page.note,
        depth=chain.depth,
        log=page.log,
        opening=walk.to_bytes(),
        proof=page.proof,
        statements=(),
        strings=page.strings,
        inclusion=join_proofs(
            {one.left.index: one.proof for one in used}, checkpoint_of(page.note).size
        ),
        redacted=tuple(one.left for one in used),
    ).to_bytes()
