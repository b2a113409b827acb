"""The table of a settlement: one row for each key that shares in a work.

Rule: docs/spec/settlement.md, "Rows".  The bytes are canonical: what is parsed and
written again gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from byline_ledger.did import did_key, parse_did_key
from byline_ledger.digest import cid_of_statement, parse_statement_id
from byline_ledger.errors import MalformedError
from byline_ledger.merkle import Frontier, leaf_hash
from byline_ledger.use_word import VERDICTS

HEADER = "work,bytes,member,parts,of,word,contested,claim,offer"
MAX_PARTS = 1_000_000
MAX_OF = 32 * MAX_PARTS
MAX_BYTES = 2**63 - 1
MAX_ROWS_FILE = 1 << 30
"""Bytes; some four million rows, which are held in memory."""
MAX_LINE = 512
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_WORK = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """What one key has in one work, by one claim.

    `work` is a SHA-256 digest, `member` an Ed25519 key, `claim` and `offer` statement
    ids, all of 32 bytes; the key has `parts` of `of`.
    """

    work: bytes
    size: int
    member: bytes
    parts: int
    of: int
    word: str
    contested: bool
    claim: bytes
    offer: bytes | None

    def to_line(self) -> str:
        """The line of rows.csv, without its line feed."""
        return ",".join(
            (
                self.work.hex(),
                str(self.size),
                did_key(self.member),
                str(self.parts),
                str(self.of),
                self.word,
                "yes" if self.contested else "no",
                cid_of_statement(self.claim),
                cid_of_statement(self.offer) if self.offer is not None else "",
            )
        )

    @classmethod
    def from_line(cls, line: str) -> Row:
        """Parse one line strictly.  Raises MalformedError."""
        cells = line.split(",")
        if len(line) > MAX_LINE or len(cells) != HEADER.count(",") + 1:
            raise MalformedError(f"expected the columns {HEADER}")
        work, size, member, parts, of, word, contested, claim, offer = cells
        if not _WORK.fullmatch(work):
            raise MalformedError("work: expected 64 hex digits")
        if word not in VERDICTS or contested not in ("yes", "no"):
            raise MalformedError("word or contested: not one of the words")
        row = cls(
            work=bytes.fromhex(work),
            size=_number("bytes", size, 0, MAX_BYTES),
            member=parse_did_key(member),
            parts=_number("parts", parts, 1, MAX_PARTS),
            of=_number("of", of, 1, MAX_OF),
            word=word,
            contested=contested == "yes",
            claim=parse_statement_id(claim),
            offer=parse_statement_id(offer) if offer else None,
        )
        if row.parts > row.of:
            raise MalformedError("parts: more than there are")
        if row.to_line() != line:
            raise MalformedError("a key or an id is not in its one spelling")
        return row

    @property
    def place(self) -> tuple[bytes, bytes, bytes]:
        """What rows are in order of, and alike in only once."""
        return self.work, self.claim, self.member


def rows_to_bytes(rows: Iterable[Row]) -> bytes:
    """The file rows.csv, of rows in their order."""
    return "".join(f"{line}\n" for line in (HEADER, *_lines(rows))).encode()


def rows_from_bytes(data: bytes) -> tuple[Row, ...]:
    """Parse rows.csv strictly; MalformedError names the line."""
    if len(data) > MAX_ROWS_FILE:
        raise MalformedError(f"rows: expected at most {MAX_ROWS_FILE} bytes")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedError(f"rows: byte {error.start} is not ASCII") from None
    lines = text.split("\n")
    if lines[0] != HEADER or lines[-1] != "":
        raise MalformedError(f"rows: expected {HEADER} first and a line feed last")
    rows: list[Row] = []
    for number, line in enumerate(lines[1:-1], 2):
        try:
            rows.append(Row.from_line(line))
        except MalformedError as error:
            raise MalformedError(f"rows: line {number}: {error}") from None
    for number, (one, next_) in enumerate(pairwise(rows), 3):
        if one.place >= next_.place:
            raise MalformedError(f"rows: line {number} is not in order")
    return tuple(rows)


def rows_root(rows: Sequence[Row]) -> bytes:
    """The RFC 6962 tree hash of the rows, 32 bytes."""
    leaves = [leaf_hash(line.encode()) for line in _lines(rows)]
    return Frontier.empty().extend(leaves).root()


def _lines(rows: Iterable[Row]) -> list[str]:
    return [row.to_line() for row in rows]


def _number(name: str, text: str, least: int, most: int) -> int:
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise MalformedError(f"{name}: expected a whole number, {least} to {most}")
    return int(text)
