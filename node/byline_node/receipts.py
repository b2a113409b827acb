"""Receipts: a log's signed word that it holds a statement, with the proof of it.

A receipt says: entry `index` of the tree that `checkpoint` signs is this statement's.
It is given only for what is on disk (docs/spec/log.md, "One commit"), so a receipt
whose statement is later missing convicts the log.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.digest import cid_of_statement, parse_statement_id
from byline_ledger.entry import statement_entry
from byline_ledger.errors import MalformedError, ProofError, VerificationError
from byline_ledger.merkle import leaf_hash, verify_inclusion
from byline_ledger.statement import Statement

if TYPE_CHECKING:
    from byline_ledger.log import Appended, LogView

MAX_PROOF = 63
"""Hashes in the longest inclusion proof: a tree has at most 2^63 leaves."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that statement `id` (32 bytes) is entry `index` of a signed tree."""

    id: bytes
    index: int
    new: bool
    """False where the log held the statement before it was asked to take it."""
    proof: tuple[bytes, ...]
    checkpoint: bytes
    vkey: str

    def verify(self, statement: Statement) -> Checkpoint:
        """Checks signature and inclusion; raises VerificationError."""
        tree = open_checkpoint(self.checkpoint, self.vkey)
        self.verify_in(tree, statement)
        return tree

    def verify_in(self, tree: Checkpoint, statement: Statement) -> None:
        """Checks inclusion in a tree whose signature was checked already."""
        if statement.id != self.id:
            raise ProofError(
                f"the receipt is for {cid_of_statement(self.id)}, "
                f"not for {cid_of_statement(statement.id)}"
            )
        leaf = leaf_hash(statement_entry(statement))
        verify_inclusion(leaf, self.index, tree.size, self.proof, tree.root)

    def to_json(self) -> dict[str, Any]:
        """The receipt alone, complete: what `byline publish --json` shows."""
        return self.to_item() | {
            "checkpoint": self.checkpoint.decode("utf-8"),
            "vkey": self.vkey,
        }

    def to_item(self) -> dict[str, Any]:
        """The part that differs between the receipts of one answer."""
        return {
            "id": cid_of_statement(self.id),
            "index": self.index,
            "new": self.new,
            "proof": [base64.b64encode(h).decode() for h in self.proof],
        }


def receipts_from_view(
    appended: Sequence[Appended], view: LogView
) -> tuple[Receipt, ...]:
    """One receipt each, all under the view's checkpoint."""
    return tuple(
        Receipt(
            one.id,
            one.index,
            one.new,
            tuple(view.inclusion_proof(one.index)),
            view.checkpoint,
            view.vkey,
        )
        for one in appended
    )


def receipts_to_json(receipts: Sequence[Receipt], view: LogView) -> dict[str, Any]:
    """The answer to POST /v1/statements."""
    return {
        "log": {"origin": view.origin, "vkey": view.vkey},
        "checkpoint": view.checkpoint.decode("utf-8"),
        "receipts": [receipt.to_item() for receipt in receipts],
    }


def receipts_from_json(value: object) -> tuple[Receipt, ...]:
    """Reads that answer; raises MalformedError for anything else."""
    try:
        return parse_receipts(value)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise MalformedError(
            "expected a log, a checkpoint and receipts, got something else"
        ) from None


def parse_receipts(value: Any) -> tuple[Receipt, ...]:
    note, vkey = value["checkpoint"], value["log"]["vkey"]
    if not isinstance(note, str) or not isinstance(vkey, str):
        raise TypeError
    checkpoint = note.encode("utf-8")
    return tuple(parse_item(item, checkpoint, vkey) for item in value["receipts"])


def parse_item(item: Any, checkpoint: bytes, vkey: str) -> Receipt:
    index, new, proof = item["index"], item["new"], item["proof"]
    if type(index) is not int or index < 0 or type(new) is not bool:
        raise TypeError
    if type(proof) is not list or len(proof) > MAX_PROOF:
        raise TypeError
    if type(item["id"]) is not str:
        raise TypeError
    hashes = tuple(base64.b64decode(text, validate=True) for text in proof)
    name = parse_statement_id(item["id"])
    return Receipt(name, index, new, hashes, checkpoint, vkey)


def verify_receipts(
    receipts: Sequence[Receipt], statements: Sequence[Statement]
) -> None:
    """Checks one receipt per statement, in order; raises VerificationError."""
    if len(receipts) != len(statements):
        raise VerificationError(
            f"expected {len(statements)} receipts, got {len(receipts)}"
        )
    trees: dict[tuple[bytes, str], Checkpoint] = {}
    for receipt, statement in zip(receipts, statements, strict=True):
        under = (receipt.checkpoint, receipt.vkey)
        if under not in trees:
            trees[under] = open_checkpoint(*under)
        receipt.verify_in(trees[under], statement)
