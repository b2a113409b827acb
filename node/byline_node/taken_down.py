"""Which works a key has said something about that was taken down since.

    POST /v1/taken-down  {"author": key of 32 bytes, "digests": [multihash ...]}
    -> {"taken_down": [{"digest": "sha256:HEX", "id": CID, "reason": text, "time": ms}]}

Rule: one line for each digest at most, the latest takedown.  What the body said, and
even whether it was a claim, nobody knows any more; an author is told before saying it
again (`byline_node.attest`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from byline_ledger.digest import cid_of_statement, parse_hash, parse_statement_id
from byline_ledger.errors import BylineError, MalformedError
from byline_ledger.tombstone import Tombstone
from byline_node import operations

if TYPE_CHECKING:
    from byline_ledger.log import LogView


@dataclass(frozen=True, slots=True)
class TakenDown:
    """A statement's 32-byte id, the work it is about (multihash), and its tombstone."""

    about: bytes
    id: bytes
    tombstone: Tombstone

    def __str__(self) -> str:
        return str(self.tombstone.error(self.id))

    def to_json(self) -> dict[str, str | int]:
        return {
            "digest": f"sha256:{self.about[2:].hex()}",
            "id": cid_of_statement(self.id),
            "reason": self.tombstone.reason,
            "time": self.tombstone.time,
        }


Takedowns: TypeAlias = dict[bytes, TakenDown]
"""By work, as a multihash of 34 bytes."""


def find(view: LogView, author: bytes, digests: Sequence[bytes]) -> list[TakenDown]:
    """The author's (32-byte key), in the order of the digests (multihashes)."""
    found: list[TakenDown] = []
    for digest in dict.fromkeys(digests):
        gone = sorted(
            find_one(view, author, digest), key=lambda one: -one.tombstone.time
        )
        found += gone[:1]
    return found


def find_one(view: LogView, author: bytes, digest: bytes) -> Iterator[TakenDown]:
    for id_ in operations.ids_said(view, author, digest):
        tombstone = view.tombstone(id_)
        if tombstone is not None:
            yield TakenDown(digest, id_, tombstone)


def from_json(value: object) -> Takedowns:
    """Reads that answer, by digest; raises MalformedError for anything else."""
    try:
        return {one.about: one for one in parse(value)}
    except (KeyError, TypeError, BylineError):
        raise MalformedError(
            "expected what was taken down, got something else"
        ) from None


def parse(value: Any) -> Iterator[TakenDown]:
    for item in value["taken_down"]:
        if not isinstance(item, Mapping) or type(item["time"]) is not int:
            raise TypeError
        if not all(type(item[name]) is str for name in ("digest", "id", "reason")):
            raise TypeError
        tombstone = Tombstone(item["reason"], item["time"])
        about = parse_hash(item["digest"]).multihash
        yield TakenDown(about, parse_statement_id(item["id"]), tombstone)
