"""Attesting many files: find, hash in threads, leave out what was said before.

The steps are separate so that a caller can show progress and so that scripts can take
only some: `find_files`, `hash_files`, `leave_out_attested`, `leave_out_taken_down`,
`sign_works`; a client then publishes.  One file that cannot be read never stops the
others.  What a `work` statement holds is docs/spec/statement.md.
"""

from __future__ import annotations

import mimetypes
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Protocol

from byline_ledger.content import (
    Fields,
    Fingerprints,
    Model,
    Share,
    delegated_fields,
    work_fields,
)
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.digest import digest_stream, multihash
from byline_ledger.errors import (
    NotFoundError,
    RedactedError,
    StoreError,
    UsageError,
)
from byline_ledger.proof_of_work import WorkSearch
from byline_ledger.statement import Source, Statement, sign_statement
from byline_ledger.store.keystore import is_key
from byline_node.differing import differing
from byline_node.manifest_proofs import ManifestProofs
from byline_node.taken_down import Takedowns

THREADS = min(8, os.cpu_count() or 1)
AHEAD = 4 * THREADS
"""Files handed to the threads before the first is taken back: bounds memory."""

WORK_STEP = 20_000
"""Hashes between two reports of progress."""

PROOFS = (".byline", ".tlog-proof", ".c2pa")
"""What `byline query --save`, `--tlog-proof` and `byline export --sidecar` leave beside
works: in folders they are passed over."""

SECRETS = frozenset({"secret", "origin"})
"""What a node's folder has, and a backup of it: nobody means to speak about those."""

A_LINK = "a symbolic link"
"""Whoever made the folder chose where it leads: a hash of that file would tell others
of something that nobody meant to take.  One that is named itself is followed."""

Advance = Callable[[int], None]


class Memory(Protocol):
    """The part of a client that attesting needs."""

    def authored(self, author: bytes, digests: Sequence[bytes]) -> list[Statement]:
        """The author's statements about the digests, and its withdrawals of them."""
        ...

    def taken_down(self, author: bytes, works: Sequence[bytes]) -> Takedowns:
        """What it said about the works that was taken down, by work."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A regular file that was found, and its size when it was."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something that was not attested, why, and the exit code if that is a failure."""

    path: Path
    reason: str
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file's 34-byte multihash and the number of bytes that were hashed; what it
    resembles, if that is to be said."""

    path: Path
    digest: bytes
    size: int
    fingerprints: Fingerprints | None = None


@dataclass(frozen=True, slots=True)
class Behalf:
    """Whom a statement is signed for: a key, and its `delegate` statement (32 bytes
    each)."""

    key: bytes
    delegation: bytes
    number: int | None = None
    """Of the first statement, where the delegation counts them; the next follow."""
    manifest: ManifestProofs | None = None
    """Where the delegation covers the works of manifests alone: the one they are in."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is said of every file alike; see `byline_ledger.content.work_fields`."""

    made: str | None = None
    source_type: str | None = None
    title: str | None = None
    license: str | None = None
    uses: Mapping[str, str] | None = None
    sources: tuple[Source, ...] = ()
    tools: tuple[str, ...] = ()
    model: Model | None = None
    oversight: str | None = None
    shares: tuple[Share, ...] = ()
    group: bytes | None = None
    behalf: Behalf | None = None

    def fields(
        self, file: HashedFile, *, time: int, salt: bytes, place: int = 0
    ) -> Fields:
        """The fields of a statement about the file, which is the one at this place;
        raises UsageError for bad terms."""
        said = work_fields(
            about=file.digest,
            made=self.made,
            source_type=self.source_type,
            title=self.title,
            license=self.license,
            uses=self.uses,
            sources=self.sources,
            tools=self.tools,
            media_type=mimetypes.guess_type(file.path.name)[0],
            size=file.size,
            model=self.model,
            oversight=self.oversight,
            shares=self.shares,
            group=self.group,
            fingerprints=file.fingerprints,
            time=time,
            salt=salt,
        )
        if self.behalf is None:
            return said
        first, manifest = self.behalf.number, self.behalf.manifest
        return delegated_fields(
            said,
            for_=self.behalf.key,
            delegation=self.behalf.delegation,
            in_manifest=manifest.place(file.digest) if manifest else None,
            number=None if first is None else first + place,
        )

    def check(self) -> None:
        """Raises UsageError for bad terms, before any file is hashed."""
        behalf = self.behalf and replace(self.behalf, manifest=None)
        replace(self, behalf=behalf).fields(
            HashedFile(Path("x"), multihash(bytes(32)), 1), time=0, salt=bytes(16)
        )


@dataclass(frozen=True, slots=True)
class Earlier:
    """A file about which this key has said something that stands."""

    file: HashedFile
    statement: Statement
    differs: tuple[str, ...]
    """Fields of which it said something else than would be said now."""

    @property
    def same(self) -> bool:
        """Whether it said the same as would be said now."""
        return not self.differs


def find_files(
    paths: Sequence[Path], *, recursive: bool
) -> tuple[list[Candidate], list[PassedOver]]:
    """The regular files named, and those in folders named; no path twice.

    Raises UsageError for a folder where `recursive` is false.  In folders, hidden
    entries, links, proofs, nodes and signing keys are passed over, and the order is
    that of the names.
    """
    found: dict[Path, Candidate] = {}
    passed: list[PassedOver] = []
    for path in paths:
        for one in look_at(path, recursive):
            if isinstance(one, Candidate):
                found[one.path] = one
            else:
                passed.append(one)
    return list(found.values()), passed


def look_at(path: Path, recursive: bool) -> Iterator[Candidate | PassedOver]:
    """One path that was named."""
    try:
        status = path.stat()
    except FileNotFoundError:
        yield PassedOver(path, "does not exist", NotFoundError.exit_code)
        return
    except OSError as error:
        yield unreadable(path, error)
        return
    if not S_ISDIR(status.st_mode):
        yield candidate(path, status)
    elif recursive:
        yield from look_into(path)
    else:
        raise UsageError(
            f"{path} is a folder", hint="add --recursive to take all of it"
        )


def look_into(folder: Path) -> Iterator[Candidate | PassedOver]:
    """Everything in a folder, level by level, without recursion of ours."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield unreadable(here, error)
            continue
        if {entry.name for entry in listed} >= SECRETS:
            yield PassedOver(here, "a node's folder, or a backup of one")
            continue
        inner: list[Path] = []
        for entry in listed:
            path = here / entry.name
            if entry.name.startswith("."):
                yield PassedOver(path, "hidden")
            elif entry.is_symlink():
                yield PassedOver(path, A_LINK)
            elif entry.name.endswith(PROOFS):
                yield PassedOver(path, "a proof about a work")
            elif entry.is_file(follow_symlinks=False) and is_key(path):
                yield PassedOver(path, "a signing key")
            elif entry.is_dir(follow_symlinks=False):
                inner.append(path)
            else:
                yield look_at_entry(path)
        waiting += reversed(inner)


def look_at_entry(path: Path) -> Candidate | PassedOver:
    """One entry of a folder that is neither a folder nor a link."""
    try:
        return candidate(path, path.lstat())
    except OSError as error:
        return unreadable(path, error)


def candidate(path: Path, status: os.stat_result) -> Candidate | PassedOver:
    """A file by its status: pipes and devices are never opened."""
    if not S_ISREG(status.st_mode):
        return PassedOver(path, "not a regular file")
    if status.st_size == 0:
        return PassedOver(path, "empty")
    return Candidate(path, status.st_size)


def unreadable(path: Path, error: OSError) -> PassedOver:
    """A file that the system refuses."""
    return PassedOver(
        path, f"cannot be read: {error.strerror or error}", StoreError.exit_code
    )


def hash_files(
    files: Sequence[Candidate], advance: Advance
) -> tuple[list[HashedFile], list[PassedOver]]:
    """Hash in threads, in the order given; of equal files the first is kept.

    `advance` is called with numbers of bytes, from several threads.
    """
    hashed: dict[bytes, HashedFile] = {}
    passed: list[PassedOver] = []
    for one in hash_in_threads(files, advance):
        if isinstance(one, PassedOver):
            passed.append(one)
        elif one.digest in hashed:
            first = hashed[one.digest].path
            passed.append(PassedOver(one.path, f"the same bytes as {first}"))
        else:
            hashed[one.digest] = one
    return list(hashed.values()), passed


def hash_in_threads(
    files: Sequence[Candidate], advance: Advance
) -> Iterator[HashedFile | PassedOver]:
    """The results in the order of the files, a bounded number of them under way."""
    running: deque[Future[HashedFile | PassedOver]] = deque()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="hash") as pool:
        try:
            for file in files:
                running.append(pool.submit(hash_file, file.path, advance))
                if len(running) > AHEAD:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def hash_file(path: Path, advance: Advance) -> HashedFile | PassedOver:
    """One file, whatever becomes of it while it is read."""
    try:
        with path.open("rb") as file:
            digest, size = digest_stream(file, progress=advance)
    except OSError as error:
        return unreadable(path, error)
    if size == 0:
        return PassedOver(path, "empty")
    return HashedFile(path, digest, size)


def leave_out_attested(
    client: Memory, author: bytes, files: Sequence[HashedFile], terms: Terms
) -> tuple[list[HashedFile], list[Earlier]]:
    """Those about which nothing by the author (32-byte key) stands, and the others."""
    said = client.authored(author, [file.digest for file in files])
    standing = standing_works(author, said)
    new = [file for file in files if file.digest not in standing]
    earlier = [
        Earlier(
            file,
            standing[file.digest],
            differing(
                standing[file.digest].fields, terms.fields(file, time=0, salt=bytes(16))
            ),
        )
        for file in files
        if file.digest in standing
    ]
    return new, earlier


def leave_out_taken_down(
    client: Memory, author: bytes, files: Sequence[HashedFile]
) -> tuple[list[HashedFile], list[PassedOver]]:
    """Those of which nothing that the author said was taken down, and the others: a
    takedown must not be undone by a script that attests a folder every night."""
    try:
        gone = client.taken_down(author, [file.digest for file in files])
    except NotFoundError:
        gone = {}  # a node of a version that is not asked
    kept = [file for file in files if file.digest not in gone]
    passed = [
        PassedOver(file.path, str(gone[file.digest]), RedactedError.exit_code)
        for file in files
        if file.digest in gone
    ]
    return kept, passed


def leave_out_unlisted(
    files: Sequence[HashedFile], terms: Terms
) -> tuple[list[HashedFile], list[PassedOver]]:
    """Where the terms are for works of a manifest: those in it, and the others."""
    manifest = terms.behalf.manifest if terms.behalf else None
    if manifest is None:
        return list(files), []
    kept = [file for file in files if file.digest in manifest]
    passed = [
        PassedOver(file.path, "not in that manifest", NotFoundError.exit_code)
        for file in files
        if file.digest not in manifest
    ]
    return kept, passed


def standing_works(author: bytes, said: Iterable[Statement]) -> dict[bytes, Statement]:
    """Digest to the author's latest `work` statement that was not withdrawn."""
    own = [one for one in said if one.author == author]
    withdrawn = {one.about for one in own if one.type == "withdraw"}
    works = [one for one in own if one.type == "work"]
    works.sort(key=lambda one: (one.time, one.id))
    return {one.about: one for one in works if multihash(one.id) not in withdrawn}


def sign_works(
    files: Iterable[HashedFile],
    terms: Terms,
    key: SigningKey,
    *,
    now: int,
    advance: Advance,
    work_bits: int = 0,
) -> list[Statement]:
    """A signed `work` statement for each file; `now` in Unix milliseconds.

    `advance` is called with 1 for each file, or with numbers of hashes where there is
    work to be done.
    """
    signed: list[Statement] = []
    for place, file in enumerate(files):
        fields = terms.fields(file, time=now, salt=random_bytes(16), place=place)
        if work_bits:
            fields = do_work(fields, key, work_bits, advance)
        signed.append(sign_statement(fields, key))
        if not work_bits:
            advance(1)
    return signed


def sign_after_work(fields: Fields, key: SigningKey, bits: int) -> Statement:
    """Signed with so much work in it, or none."""
    if bits:
        fields = do_work(fields, key, bits, lambda _tried: None)
    return sign_statement(fields, key)


def do_work(fields: Fields, key: SigningKey, bits: int, advance: Advance) -> Fields:
    """The fields with so much work in them; about 2^bits hashes."""
    search = WorkSearch(fields, key.public, bits)
    while True:
        before = search.tried
        found = search.step(WORK_STEP)
        advance(search.tried - before)
        if found is not None:
            return found
