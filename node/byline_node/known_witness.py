"""A witness of this log, as far as it is known: its keys, and how it goes with it.

Specification: docs/spec/witness.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from byline_ledger.cosignature import verify_cosignature
from byline_ledger.errors import MalformedError, VerificationError
from byline_ledger.node_keys import is_replay_key
from byline_ledger.note import COSIGNATURE, Note, Verifier


class WitnessClient(Protocol):
    """One witness, however it is reached.  Raises BylineError where it is not."""

    name: str
    """Peer id or URL."""
    kind: str
    """peer or url."""

    async def vkeys(self) -> Sequence[str]:
        """Its verifier keys, type 04."""
        ...

    async def add(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of its answer to add-checkpoint."""
        ...

    async def latest(self) -> bytes | None:
        """The checkpoint of our log that it cosigned last, if it can tell."""
        ...


@dataclass(slots=True, eq=False)
class KnownWitness:
    """One witness and how it goes with it."""

    client: WitnessClient
    verifiers: tuple[Verifier, ...] = ()
    size: int = 0
    """What it cosigned last, as far as we know."""
    error: str | None = None
    signed: dict[str, int] = field(default_factory=dict)
    """The same for each of its keys: not all sign each time."""
    agreed: set[str] = field(default_factory=set)
    """Its keys with which it has said since the start that our tree extends what it
    saw."""

    def to_json(self) -> list[dict[str, Any]]:
        """For `/v1/status`: one for each of its keys."""
        return [
            {
                "name": one.name,
                "vkey": one.to_text(),
                "kind": "replay" if is_replay_key(one.name) else "witness",
                "at": self.client.name,
                "size": self.signed.get(one.to_text(), 0),
                "error": self.error,
            }
            for one in self.verifiers
        ]


def has_signed(note: Note, verifier: Verifier) -> bool:
    """Whether this very key cosigned the note."""
    return time_of(note, verifier) is not None


def time_of(note: Note, verifier: Verifier) -> int | None:
    """Unix seconds at which this very key cosigned the note, if it did.

    A line that bears its name and id may be by another key: an id has 4 bytes.
    """
    try:
        return verify_cosignature(note, verifier)
    except (MalformedError, VerificationError):
        return None


def parse_cosigners(texts: Sequence[str]) -> tuple[Verifier, ...]:
    """The keys of these texts, else MalformedError."""
    found = tuple(Verifier.from_text(text) for text in texts)
    if any(one.type != COSIGNATURE for one in found):
        raise MalformedError("expected cosigning keys of a witness")
    return found
