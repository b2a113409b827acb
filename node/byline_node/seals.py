"""Works that were sealed: what it takes to reveal them later, kept on this machine.

A seal is published before a work is shown, and tells nothing about it
(docs/spec/statement.md, "seal").  Who reveals the work needs the nonce; it is written
here before the seal is published, with what is to be said of the work.  One file for
each work and author; whoever reads it learns which work was sealed, so it is the
owner's alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from byline_ledger import codec
from byline_ledger.codec import Value
from byline_ledger.content import Fields, seal_commitment, seal_fields
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.errors import (
    BylineError,
    CorruptStoreError,
    MalformedError,
    UsageError,
)
from byline_ledger.statement import MAX_BODY, MAX_ENVELOPE, Statement, sign_statement
from byline_ledger.store.durable import make_folder, read_small, write_durably
from byline_node.attest import Advance, HashedFile, PassedOver, do_work

VERSION = 1
SUFFIX = ".seal"
MAX_PATH = 4096
MAX_FILE = MAX_BODY + MAX_ENVELOPE + MAX_PATH + 1024
FIELDS = {"version", "work", "nonce", "seal", "path", "fields"}
SEALED = "sealed, to be shown with byline reveal"
"""Why a file is not attested at once."""
ADDED = ("time", "salt", "author", "seal", "seal-nonce")
"""What the statement has beside what is kept: it is made when the work is revealed."""


@dataclass(frozen=True, slots=True)
class SealRecord:
    """One sealed work."""

    work: bytes
    """Multihash, 34 bytes."""
    nonce: bytes
    seal: Statement
    """Signed; `publish` may send it again."""
    path: str
    """Where the work was when it was sealed."""
    fields: Mapping[str, Value]
    """Of the `work` statement to come, without what is added when it is revealed."""

    @property
    def author(self) -> bytes:
        return self.seal.author

    def to_bytes(self) -> bytes:
        """Canonical MessagePack."""
        return codec.pack(
            {
                "version": VERSION,
                "work": self.work,
                "nonce": self.nonce,
                "seal": self.seal.to_envelope(),
                "path": self.path,
                "fields": dict(self.fields),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> SealRecord:
        """MalformedError where the parts are not those of one seal."""
        found = codec.unpack(data, max_size=MAX_FILE, max_depth=7, what="sealed work")
        if not isinstance(found, dict) or found.keys() != FIELDS:
            raise MalformedError("sealed work: expected a map of its fields")
        work, nonce, envelope = found["work"], found["nonce"], found["seal"]
        path, fields = found["path"], found["fields"]
        if (
            type(found["version"]) is not int
            or found["version"] != VERSION
            or not isinstance(work, bytes)
            or not isinstance(nonce, bytes)
            or not isinstance(envelope, bytes)
            or not isinstance(path, str)
            or not isinstance(fields, dict)
        ):
            raise MalformedError(
                f"sealed work: expected the fields of version {VERSION}"
            )
        seal = Statement.from_envelope(envelope)
        try:
            commitment = seal_commitment(nonce, work, seal.author)
        except UsageError as error:
            raise MalformedError(str(error)) from None
        if seal.type != "seal" or seal.about != commitment:
            raise MalformedError("sealed work: the nonce does not open the seal")
        return cls(work, nonce, seal, path, fields)

    def revealed(self, *, time: int, salt: bytes) -> Fields:
        """The fields of the `work` statement that names the seal and opens it."""
        more = {"seal": self.seal.id, "seal-nonce": self.nonce}
        return {**self.fields, "time": time, "salt": salt, **more}


class SealStore:
    """The sealed works in one folder, which is made when the first is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, record: SealRecord) -> None:
        """Keep it, durably, in the place of what was kept of the same work and author.
        StoreError if it cannot be."""
        make_folder(self.folder)
        write_durably(self._path(record.work, record.author), record.to_bytes())

    def has(self, work: bytes, author: bytes) -> bool:
        """Whether this key sealed the work (multihash), be the file damaged or not."""
        return self._path(work, author).exists()

    def find(self, work: bytes, author: bytes) -> SealRecord | None:
        """What is kept of a work (multihash) that this key sealed.  CorruptStoreError
        where the file is damaged."""
        return self._read(self._path(work, author))

    def of_work(self, work: bytes) -> list[SealRecord]:
        """What is kept of a work, of all keys."""
        paths = sorted(self.folder.glob(f"{work[2:].hex()}-*{SUFFIX}"))
        return [found for path in paths if (found := self._read(path)) is not None]

    def at(self, path: Path) -> SealRecord | None:
        """The work that was at this path when it was sealed; files that are damaged are
        passed over, since nothing is known of their paths."""
        wanted = str(path.absolute())
        return next((one for one in self._all() if one.path == wanted), None)

    def _all(self) -> Iterator[SealRecord]:
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            try:
                found = self._read(path)
            except BylineError:
                continue
            if found is not None:
                yield found

    def _path(self, work: bytes, author: bytes) -> Path:
        return self.folder / f"{work[2:].hex()}-{author[:8].hex()}{SUFFIX}"

    def _read(self, path: Path) -> SealRecord | None:
        data = read_small(path, MAX_FILE)
        if data is None:
            return None
        try:
            return SealRecord.from_bytes(data)
        except BylineError as error:
            raise CorruptStoreError(
                f"{path} is damaged: {error}",
                hint="put back a copy of it; without it that work cannot be revealed",
            ) from error


def leave_out_sealed(
    store: SealStore, author: bytes, files: Sequence[HashedFile]
) -> tuple[list[HashedFile], list[PassedOver]]:
    """Those that the author did not seal, and the others: a script that attests a
    folder every night must not show what is sealed."""
    sealed = [store.has(file.digest, author) for file in files]
    both = list(zip(files, sealed, strict=True))
    kept = [file for file, is_sealed in both if not is_sealed]
    passed = [PassedOver(file.path, SEALED) for file, is_sealed in both if is_sealed]
    return kept, passed


def seal_work(
    fields: Fields,
    path: Path,
    key: SigningKey,
    *,
    time: int,
    work_bits: int = 0,
    advance: Advance = lambda _: None,
) -> SealRecord:
    """A signed seal of the work that `fields` are about, with a new nonce, and what
    reveals it: save it before you publish the seal."""
    work = fields["about"]
    assert isinstance(work, bytes)
    nonce, salt = random_bytes(32), random_bytes(16)
    sealed = seal_fields(
        nonce=nonce, work=work, author=key.public, time=time, salt=salt
    )
    if work_bits:
        sealed = do_work(sealed, key, work_bits, advance)
    signed = sign_statement(sealed, key)
    return SealRecord(work, nonce, signed, str(path.absolute()), kept(fields))


def kept(fields: Mapping[str, Value]) -> Fields:
    """What is kept of the fields of a `work` until it is revealed."""
    return {name: value for name, value in fields.items() if name not in ADDED}
