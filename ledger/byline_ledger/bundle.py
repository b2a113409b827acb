"""Proof bundles: one file with the complete answer for digests and its proofs.

Format: docs/spec/bundle.md.  A bundle is one canonical MessagePack map:

    asked       [34-byte multihash]          the digests it answers for, ascending
    checkpoint  signed note                  the log's signature over size and root
    depth       uint                         level of the last work that was followed
    earlier     [[note, 32-byte hashes]]     earlier cosigned checkpoints, each with its
                                             consistency proof to `checkpoint`
    first       [32-byte key]                who claimed the one work first, see below
    format      "byline-bundle/3"
    inclusion   32-byte hashes, concatenated of all statements, see shared_proof.py
    keys        [32-byte key]                whom the reader trusts, ascending
    log         verifier key (text)
    opening     bytes                        of the lookup set, see opening.py
    proof       32-byte hashes, concatenated inclusion of the commitment, leaf size - 1
    redacted    [index, entry, tombstone]    of bodies taken down, by id
    statements  [index, envelope]            by id
    strings     uint                         number of strings in the lookup set

`first` is the prover's to fill, where a page does not show everything (earliest.py).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from byline_ledger.bundle_rows import (
    MAX_BUNDLE,
    MAX_INDEX,
    BundledStatement,
    EarlierCheckpoint,
    RedactedStatement,
    parse_digest,
    parse_earlier,
    parse_gone,
    parse_key,
    parse_plain,
    parse_row,
    require_ascending,
    split_hashes,
)
from byline_ledger.chain import (
    MAX_ASKED,
    MAX_DEPTH,
    MAX_FIRST,
    MAX_TRUSTED,
    OWN_PAGE,
    WORK_PAGE,
    Chain,
    Gone,
)
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.codec import pack, split_array, split_map
from byline_ledger.derivation import derive
from byline_ledger.digest import multihash
from byline_ledger.earliest import MAX_STRINGS, who_came_first
from byline_ledger.entry import (
    id_in,
    statement_entry,
    subject_key,
)
from byline_ledger.errors import (
    MalformedError,
    ProofError,
    UnsupportedError,
    UsageError,
)
from byline_ledger.merkle import HASH_BYTES, leaf_hash
from byline_ledger.opening import Walk, walk_set
from byline_ledger.recall import place_of, recalled, redacted
from byline_ledger.shared_proof import own_proof, shared_proof
from byline_ledger.statement import Statement

if TYPE_CHECKING:
    from byline_ledger.log import LogView

FORMAT = "byline-bundle/3"
DEFAULT_DEPTH = 4
AHEAD = 4
"""Statements about a work that are read ahead where many works are asked for; with more
they are read one by one, so that a flood about each of them fills no memory."""
MAX_STATEMENTS = 1 << 16
"""More than any answer uses: MAX_EVIDENCE in statements of at least 184 bytes, and one
more page."""
MAX_STATEMENTS_SIZE = 16 << 20
"""In bytes, all of their rows: MAX_EVIDENCE, and one more page of the largest."""
MAX_REDACTED = 1 << 17
"""As many entries of at least 106 bytes."""
MAX_EARLIER = 32
MAX_INCLUSION = MAX_BUNDLE // HASH_BYTES
_KEYS = {
    "asked": list,
    "checkpoint": bytes,
    "depth": int,
    "earlier": list,
    "first": list,
    "format": str,
    "inclusion": bytes,
    "keys": list,
    "log": str,
    "opening": bytes,
    "proof": bytes,
    "redacted": list,
    "statements": list,
    "strings": int,
}
BEGINNING = bytes([0x80 | len(_KEYS)]) + pack(min(_KEYS))
"""Of every bundle: a short map, and the first of its keys."""
_LISTS = {
    "asked": MAX_ASKED,
    "earlier": MAX_EARLIER,
    "first": MAX_FIRST,
    "keys": MAX_TRUSTED,
    "redacted": MAX_REDACTED,
    "statements": MAX_STATEMENTS,
}
_SIZES = {"statements": MAX_STATEMENTS_SIZE}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A parsed bundle; nothing of it is verified yet."""

    asked: tuple[bytes, ...]
    """34-byte multihashes, at least one, ascending."""
    checkpoint: bytes
    depth: int
    log: str
    opening: bytes
    proof: tuple[bytes, ...]
    statements: tuple[BundledStatement, ...]
    strings: int
    inclusion: tuple[bytes, ...] = ()
    """Of all statements, taken down or not, together (shared_proof.py)."""
    redacted: tuple[RedactedStatement, ...] = ()
    earlier: tuple[EarlierCheckpoint, ...] = ()
    keys: tuple[bytes, ...] = ()
    """32-byte keys that the reader trusts, ascending."""
    first: tuple[bytes, ...] = ()
    """32-byte keys of those who claimed the one work first, by the prover's word."""

    @property
    def ahead(self) -> tuple[bytes, ...]:
        """The keys who are heard first where a page does not show everything."""
        return self.keys + self.first

    def to_bytes(self) -> bytes:
        """The canonical encoding."""
        return pack(
            {
                "asked": list(self.asked),
                "checkpoint": self.checkpoint,
                "depth": self.depth,
                "earlier": [[one.note, b"".join(one.proof)] for one in self.earlier],
                "first": list(self.first),
                "format": FORMAT,
                "inclusion": b"".join(self.inclusion),
                "keys": list(self.keys),
                "log": self.log,
                "opening": self.opening,
                "proof": b"".join(self.proof),
                "redacted": [
                    [one.index, one.entry.to_bytes(), one.tombstone.to_bytes()]
                    for one in self.redacted
                ],
                "statements": [
                    [one.index, one.statement.to_envelope()] for one in self.statements
                ],
                "strings": self.strings,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Bundle:
        """Parse strictly. Raises MalformedError or UnsupportedError."""
        raw = split_map(data, max_size=MAX_BUNDLE, max_items=16, what="proof bundle")
        _require_format(parse_plain(raw.get("format", b"")))
        if raw.keys() != _KEYS.keys():
            raise MalformedError("proof bundle: fields are missing or unknown")
        fields: dict[str, Any] = {
            name: split_array(
                raw.pop(name),
                max_size=_SIZES.get(name, MAX_BUNDLE),
                max_items=most,
                what="proof bundle",
            )
            for name, most in _LISTS.items()
        }
        fields |= {name: parse_plain(raw[name]) for name in raw}
        for name, kind in _KEYS.items():
            if type(fields[name]) is not kind:
                raise MalformedError(f"proof bundle: {name} is not {kind.__name__}")
        return cls._from_fields(fields)

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> Bundle:
        depth, strings = fields["depth"], fields["strings"]
        if depth > MAX_DEPTH or strings > MAX_INDEX:
            raise MalformedError("proof bundle: depth or count is out of range")
        asked = tuple(map(parse_digest, fields["asked"]))
        if not asked:
            raise MalformedError("proof bundle: it answers for nothing")
        keys = tuple(map(parse_key, fields["keys"]))
        statements = tuple(map(parse_row, fields["statements"]))
        redacted = tuple(map(parse_gone, fields["redacted"]))
        require_ascending(asked, "digests")
        require_ascending(keys, "keys")
        first = tuple(map(parse_key, fields["first"]))
        _require_first(first, asked, keys)
        require_ascending([one.statement.id for one in statements])
        require_ascending([one.entry.id for one in redacted])
        return cls(
            asked=asked,
            checkpoint=fields["checkpoint"],
            depth=depth,
            log=fields["log"],
            opening=fields["opening"],
            proof=split_hashes(fields["proof"]),
            statements=statements,
            strings=strings,
            inclusion=split_hashes(fields["inclusion"], MAX_INCLUSION),
            redacted=redacted,
            earlier=tuple(map(parse_earlier, fields["earlier"])),
            keys=keys,
            first=first,
        )


def _require_first(
    first: tuple[bytes, ...], asked: tuple[bytes, ...], keys: tuple[bytes, ...]
) -> None:
    if len({*first, *keys}) < len(first) + len(keys):
        raise MalformedError("proof bundle: a key is named twice")
    if first and len(asked) > 1:
        raise MalformedError("proof bundle: only of one work it says who came first")


def _require_format(value: object) -> None:
    if not isinstance(value, str) or not value.startswith("byline-bundle/"):
        raise MalformedError("expected a proof bundle, got something else")
    if value != FORMAT:
        raise UnsupportedError(
            f"proof bundle: expected the format {FORMAT}",
            hint="it comes from another version of Byline",
        )


def leaves_of(bundle: Bundle) -> dict[int, bytes]:
    """Hashes of the leaves that its statements are, by index.  ProofError where two
    are at one index."""
    leaves = {
        one.index: leaf_hash(statement_entry(one.statement))
        for one in bundle.statements
    }
    leaves |= {one.index: leaf_hash(one.entry.to_bytes()) for one in bundle.redacted}
    if len(leaves) < len(bundle.statements) + len(bundle.redacted):
        raise ProofError("the bundle has two statements at one index")
    return leaves


def proof_of(bundle: Bundle, index: int) -> tuple[bytes, ...]:
    """The inclusion proof (RFC 6962) of one of its statements; ProofError if there is
    none, as in a bundle that does not verify."""
    size = checkpoint_of(bundle.checkpoint).size
    return own_proof(leaves_of(bundle), size, bundle.inclusion, index)


# Making one


def build_bundle(
    view: LogView,
    digest: bytes,
    *,
    depth: int = DEFAULT_DEPTH,
    keys: Collection[bytes] = (),
) -> bytes:
    """The proof bundle for `digest` (34-byte multihash) from one view of a log.

    `keys` are those that the reader trusts.  Raises UsageError for a depth over 16 or
    more than 16 keys.
    """
    return build_shared(view, [digest], depth=depth, keys=keys)


def build_shared(
    view: LogView,
    digests: Collection[bytes],
    *,
    depth: int = DEFAULT_DEPTH,
    keys: Collection[bytes] = (),
) -> bytes:
    """One proof bundle for 1 to 512 digests (34-byte multihashes), in any order.

    Raises UsageError as build_bundle, and for too many digests or none.
    """
    if not 0 <= depth <= MAX_DEPTH:
        raise UsageError(f"depth {depth}: expected 0 to {MAX_DEPTH}")
    asked, trusted = tuple(sorted(set(digests))), tuple(sorted(set(keys)))
    if not 1 <= len(asked) <= MAX_ASKED:
        raise UsageError(f"{len(asked)} digests: expected 1 to {MAX_ASKED}")
    if len(trusted) > MAX_TRUSTED:
        raise UsageError(f"{len(trusted)} keys: expected at most {MAX_TRUSTED}")
    return _Prover(view).bundle(asked, depth, trusted).to_bytes()


class _Prover:
    def __init__(self, view: LogView) -> None:
        self._view = view
        self._read = view.string_reader()
        self._strings: dict[bytes, list[bytes]] = {}
        self._bodies: dict[int, bytes] = {}
        self._known: dict[bytes, Statement | Gone] = {}
        self._indexes: dict[bytes, int] = {}

    def bundle(
        self, asked: tuple[bytes, ...], depth: int, keys: tuple[bytes, ...]
    ) -> Bundle:
        view = self._view
        if len(asked) > 1:
            self._read_ahead(asked)
        walk = walk_set(view.lookup_set, self._read_strings)
        first = self._first(walk, asked, keys)
        place, ahead = self._place, keys + first
        chain = derive(walk, self._recall, place, asked, depth, ahead)
        used = [self._known[id_] for id_ in sorted(chain.used)]
        places = sorted(self._place(one.id) for one in used)
        return Bundle(
            asked=asked,
            checkpoint=view.checkpoint,
            depth=chain.depth,
            log=view.vkey,
            opening=walk.to_bytes(),
            proof=tuple(view.inclusion_proof(view.size - 1)),
            statements=tuple(
                BundledStatement(self._place(one.id), one)
                for one in used
                if isinstance(one, Statement)
            ),
            strings=view.set_count,
            inclusion=shared_proof(places, view.size, view.node),
            redacted=tuple(
                redacted(view, one.id) for one in used if isinstance(one, Gone)
            ),
            earlier=self._earlier(chain),
            keys=keys,
            first=first,
        )

    def _first(
        self, walk: Walk, asked: tuple[bytes, ...], keys: tuple[bytes, ...]
    ) -> tuple[bytes, ...]:
        """Who claimed the one work first; nobody where its page shows them anyway, or
        where there is too much to look through."""
        found = walk.find(subject_key(asked[0]), WORK_PAGE)
        if len(asked) > 1 or found.complete or found.count > MAX_STRINGS:
            return ()
        return who_came_first(self._view, self._recall, asked[0], keys)

    def _read_ahead(self, asked: tuple[bytes, ...]) -> None:
        """What is needed of most works, in the order in which it is stored: a database
        with many files opens each of them once, and not for each work."""
        walk = walk_set(self._view.lookup_set, self._read_strings)
        keys = sorted(map(subject_key, asked))
        pages = (walk.find(key, WORK_PAGE).strings for key in keys)
        ids = [id_in(one) for page in pages if len(page) <= AHEAD for one in page]
        self._indexes = self._view.indexes_of(ids)
        self._bodies = self._view.bodies(self._indexes.values())
        for key in sorted(subject_key(multihash(id_)) for id_ in ids):
            walk.find(key, OWN_PAGE)

    def _read_strings(self, low: bytes, high: bytes) -> list[bytes]:
        """The strings of a leaf, read once."""
        if low not in self._strings:
            self._strings[low] = self._read(low, high)
        return self._strings[low]

    def _recall(self, id_: bytes) -> Statement | Gone:
        index = self._place(id_)
        found = recalled(self._view, index, id_, self._bodies.get(index))
        self._known[id_] = found
        return found

    def _place(self, id_: bytes) -> int:
        if id_ not in self._indexes:
            self._indexes[id_] = place_of(self._view, id_)
        return self._indexes[id_]

    def _earlier(self, chain: Chain) -> tuple[EarlierCheckpoint, ...]:
        """The first cosigned trees that held what is used; those of the claims about
        the asked works first."""
        view, notes = self._view, dict[int, bytes]()
        asked = {
            self._place(one.statement.id)
            for work in chain.works
            if not work.level
            for one in work.statements
        }
        others = {self._place(id_) for id_ in chain.used} - asked
        start = end = 0
        for index in (*sorted(asked), *sorted(others)):
            if start <= index < end:
                continue  # the same tree was the first to hold this one
            note = view.earliest_cosigned(index)
            start, end = index, checkpoint_of(note).size if note else view.size
            if note is not None and end < view.size:
                notes.setdefault(end, note)
            if len(notes) == MAX_EARLIER:
                break
        return tuple(
            EarlierCheckpoint(notes[size], tuple(view.consistency_proof(size)))
            for size in sorted(notes)
        )
