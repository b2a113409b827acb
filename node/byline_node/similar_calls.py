"""Asking a node for works that a file resembles, and checking what it answers.

Rule: a node only proposes.  Each statement's signature is verified here, and its codes
are compared with the file at hand; what a node leaves out is not noticed, for likeness
is no matter of proof (docs/spec/similar.md).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from byline_ledger.content import read_work
from byline_ledger.fingerprint_codes import codes_of
from byline_ledger.likeness import Likeness, compare
from byline_ledger.likeness_messages import (
    Candidates,
    parse_candidates,
    question_to_bytes,
)
from byline_ledger.statement import Statement
from byline_node.calls import MSGPACK_TYPE, Call, Operation, read_body
from byline_node.fingerprint import Asked

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Resembling:
    """A statement about a work that the file resembles."""

    statement: Statement
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Resemblances:
    """What was found, nearest first; `searched` of the log's `size` entries."""

    found: tuple[Resembling, ...]
    searched: int
    size: int


def similar(asked: Asked) -> Operation[Resemblances]:
    """Works that resemble a file; see `fingerprint_files.ask_about_file`."""
    question = question_to_bytes(asked.question)
    reply = yield Call("/v1/similar", accept=MSGPACK_TYPE, body=question)
    return read_candidates(asked, parse_candidates(read_body(reply)))


def read_candidates(asked: Asked, answer: Candidates) -> Resemblances:
    """Those that are alike indeed.  MalformedError, BadSignatureError."""
    found = [
        Resembling(statement, likeness)
        for statement in map(Statement.from_envelope, answer.statements)
        if (likeness := likeness_to(asked, statement)) is not None
    ]
    for one in found:
        one.statement.verify()
    found.sort(key=lambda one: (one.likeness.rank, one.statement.time))
    return Resemblances(tuple(found), answer.searched, answer.size)


def likeness_to(asked: Asked, statement: Statement) -> Likeness | None:
    """How a file resembles what a statement is about; None if it does not."""
    if statement.type != "work":
        return None
    fingerprints = read_work(statement).fingerprints
    if fingerprints is None:
        return None
    return compare(asked.question, codes_of(fingerprints), asked.image)


def nearest_of_works(found: Sequence[Resembling]) -> list[list[Resembling]]:
    """By work, nearest first; several may claim one."""
    works: dict[bytes, list[Resembling]] = {}
    for one in found:
        works.setdefault(one.statement.about, []).append(one)
    return list(works.values())


class SyncSimilar(ABC):
    """What `Client` has of it."""

    def similar(self, asked: Asked) -> Resemblances:
        """Works that a file resembles, each compared with it here; nothing is proven by
        that.  `asked`: see `fingerprint_files.ask_about_file`."""
        return self._run(similar(asked))

    @abstractmethod
    def _run(self, operation: Operation[T]) -> T: ...


class AsyncSimilar(ABC):
    """What `AsyncClient` has of it."""

    async def similar(self, asked: Asked) -> Resemblances:
        """See Client.similar."""
        return await self._run(similar(asked))

    @abstractmethod
    async def _run(self, operation: Operation[T]) -> T: ...
