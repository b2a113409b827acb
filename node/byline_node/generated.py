"""For programs that generate: each output attested as what it is, as it comes out.

    with Attester(node, key, model=Model("painter", "example.org/painter-2"),
                  oversight="prompt_guided", delegation=id_) as attester:
        attester.file("out.png")

A program signs with a key of its own, under a `delegate` statement of whoever answers
for it: so it holds no key worth stealing, and what it says is limited, ends by itself
and can be taken back (docs/spec/state.md, "Delegation"; docs/tutorial/generating.py).
"""

from __future__ import annotations

import functools
import mimetypes
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, ParamSpec, Protocol, Self, TypeVar

from byline_ledger.codec import join_array
from byline_ledger.content import (
    DelegateContent,
    Fields,
    Model,
    delegated_fields,
    read_delegate,
    work_fields,
)
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.did import did_key
from byline_ledger.digest import digest_bytes, digest_stream
from byline_ledger.errors import BylineError, NotFoundError, StoreError, UsageError
from byline_ledger.statement import Source, Statement, sign_statement
from byline_ledger.store.durable import create_durably
from byline_ledger.vocabulary import USES
from byline_node.manifest_proofs import ManifestProofs
from byline_node.receipts import Receipt

BATCH: Final = 500
"""Statements that are published together."""

P = ParamSpec("P")
T = TypeVar("T", bound="str | os.PathLike[str]")


class Publisher(Protocol):
    """The part of a client that this needs."""

    def publish(self, statements: Iterable[Statement]) -> list[Receipt]: ...

    def statement(self, id_: bytes) -> Statement: ...


class Attester:
    """Signs for each output that a model made it, and publishes that.

    Outputs are signed when they are handed over and published in batches: every `batch`
    of them, and all that are left at the end of the `with`, also where the program
    fails, since what was made was made.  If publishing fails, `unpublished` has what is
    signed and not known to be in the log; `save` writes it for `byline publish`.
    """

    def __init__(
        self,
        node: Publisher,
        key: SigningKey,
        *,
        model: Model,
        oversight: str,
        delegation: bytes | None = None,
        uses: Mapping[str, str] | None = None,
        license: str | None = None,
        tools: Sequence[str] = (),
        made: str = "generated",
        first_number: int | None = None,
        manifest: str | os.PathLike[str] | None = None,
        batch: int = BATCH,
    ) -> None:
        """`delegation` is the id (32 bytes) of the `delegate` statement that the key
        signs under; without it the key signs for itself.  `oversight` is
        fully_autonomous, prompt_guided or human_validated.  Of a delegation with a
        count, statements are numbered from `first_number`: each number once, over all
        runs.  Of one for the works of manifests, `manifest` is the file of that which
        they are in.  UsageError for terms that the delegation does not cover.
        """
        self.unpublished: list[Statement] = []
        self.receipts: list[Receipt] = []
        self._node = node
        self._key = key
        self._batch = batch
        self._terms = functools.partial(
            work_fields,
            made=made,
            model=model,
            oversight=oversight,
            uses=uses,
            license=license,
            tools=tools,
        )
        self._check()
        self._delegation = delegation
        self._number: int | None = None
        self._last = 0
        self._manifest = None if manifest is None else ManifestProofs.of(Path(manifest))
        if delegation is not None:
            self._for, content = self._read_delegation(delegation)
            self._until = content.until or 0
            self._take_numbers(content, first_number)
            require_uses(content, uses)

    def file(
        self, path: str | os.PathLike[str], *, sources: Sequence[Source] = ()
    ) -> Statement:
        """Attest a file that is written and closed; StoreError if it cannot be read."""
        place = Path(path)
        try:
            with place.open("rb") as file:
                digest, size = digest_stream(file)
        except OSError as error:
            raise StoreError(f"cannot read {place}: {error.strerror}") from None
        media_type = mimetypes.guess_type(place.name)[0]
        return self._say(digest, size, media_type, sources)

    def data(
        self,
        data: bytes,
        *,
        media_type: str | None = None,
        sources: Sequence[Source] = (),
    ) -> Statement:
        """Attest bytes that are in memory."""
        return self._say(digest_bytes(data), len(data), media_type, sources)

    def attests(self, function: Callable[P, T]) -> Callable[P, T]:
        """A decorator for functions that write a file and return its path."""

        @functools.wraps(function)
        def attested(*arguments: P.args, **keywords: P.kwargs) -> T:
            path = function(*arguments, **keywords)
            self.file(path)
            return path

        return attested

    def flush(self) -> list[Receipt]:
        """Publish what is signed; the receipts of these."""
        if not self.unpublished:
            return []
        receipts = self._node.publish(self.unpublished)
        self.unpublished = []
        self.receipts += receipts
        return receipts

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write what is not published into a new file, for `byline publish`."""
        data = join_array([one.to_envelope() for one in self.unpublished])
        create_durably(Path(path), data)
        self.unpublished = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.flush()
        except BylineError as problem:
            if error is None:
                raise
            # The program's own failure is what its caller must see.
            error.add_note(f"and its outputs are not published: {problem}")

    def _say(
        self, about: bytes, size: int, media_type: str | None, sources: Sequence[Source]
    ) -> Statement:
        fields = self._terms(
            about=about,
            size=size,
            media_type=media_type,
            sources=sources,
            time=now_ms(),
            salt=random_bytes(16),
        )
        signed = sign_statement(self._delegated(fields), self._key)
        self.unpublished.append(signed)
        if len(self.unpublished) >= self._batch:
            self.flush()
        return signed

    def _delegated(self, fields: Fields) -> Fields:
        if self._delegation is None:
            return fields
        if now_ms() >= self._until:
            raise UsageError("the delegation is over", hint="ask for a new one")
        about, manifest = fields["about"], self._manifest
        assert isinstance(about, bytes)
        place = None if manifest is None else manifest.place(about)
        number = self._number
        if number is not None:
            if number > self._last:
                raise UsageError(
                    f"the delegation covers {self._last} statements, and all are used",
                    hint="ask for a new one",
                )
            self._number = number + 1
        return delegated_fields(
            fields,
            for_=self._for,
            delegation=self._delegation,
            in_manifest=place,
            number=number,
        )

    def _check(self) -> None:
        """Raises UsageError for bad terms before anything is made."""
        self._terms(about=digest_bytes(b""), time=0, salt=bytes(16))

    def _read_delegation(self, id_: bytes) -> tuple[bytes, DelegateContent]:
        """Whom the key signs for, and how far."""
        try:
            found = self._node.statement(id_)
        except NotFoundError:
            raise NotFoundError(
                "this node does not hold the delegation",
                hint="publish it there, or ask another node",
            ) from None
        content = read_delegate(found)
        if found.type != "delegate" or not content.sound:
            raise UsageError("that statement is no delegation")
        if found.about != digest_bytes(self._key.public):
            raise UsageError(
                f"the delegation is not to {did_key(self._key.public)}",
                hint="sign with the key that it names",
            )
        if "work" not in content.types:
            raise UsageError("the delegation does not cover works")
        name = None if self._manifest is None else self._manifest.name
        if content.manifests and name not in content.manifests:
            raise UsageError(
                "the delegation covers the works of certain manifests alone",
                hint="name the file of one of them: manifest=",
            )
        now = now_ms()
        if not (content.from_ or 0) <= now < (content.until or 0):
            raise UsageError(
                "the delegation is over, or has not begun", hint="ask for a new one"
            )
        return found.author, content

    def _take_numbers(self, content: DelegateContent, first: int | None) -> None:
        if content.count is None:
            return
        if first is None or not 1 <= first <= content.count:
            raise UsageError(
                f"the delegation covers {content.count} statements, which are numbered:"
                " expected the first number that was never used",
                hint="first_number=1 in the first run",
            )
        self._number, self._last = first, content.count

    @property
    def next_number(self) -> int | None:
        """The number of the next statement, to begin the next run with; None without a
        count."""
        return self._number


def require_uses(content: DelegateContent, uses: Mapping[str, str] | None) -> None:
    """Raises UsageError for a use that the delegation does not let the key speak on."""
    if content.uses is None:
        return
    for use in uses or ():
        full = use if use in USES else f"cawg.{use}"
        if full not in content.uses:
            raise UsageError(
                f"the delegation does not let this key speak on {use}",
                hint="only on: " + ", ".join(content.uses),
            )


def now_ms() -> int:
    """The clock of this machine in Unix milliseconds."""
    return time.time_ns() // 1_000_000
