"""Computes a label from proven answers: the same whoever makes it and whoever checks.

Rule: a label is a function of the manifest, the proofs, the intended use and what its
maker typed.  `LabelMaker` is given each row with the answer about its work, in order.
Specification: docs/spec/label.md.
"""

from __future__ import annotations

from byline_ledger.answer import Answer
from byline_ledger.did import did_key
from byline_ledger.errors import ProofError
from byline_ledger.label_document import FORMAT, Head
from byline_ledger.label_item import read_item
from byline_ledger.label_table import item_line
from byline_ledger.label_tally import Figures, LabelTally
from byline_ledger.manifest import ManifestRow
from byline_ledger.manifest_tree import ManifestSum
from byline_ledger.moment import utc
from byline_ledger.proven_log import ProvenLog, oldest


class LabelMaker:
    """Adds up rows and answers; then `document` is the label."""

    def __init__(self, use: str) -> None:
        self._tally = LabelTally(use)
        self._total = ManifestSum()
        self._log: ProvenLog | None = None

    def add(self, row: ManifestRow, answer: Answer, proof: str) -> str:
        """One more row, with the verified answer about its work and the name of the
        file that proves it; returns its line of items.csv.

        ProofError for an answer about something else, or of another log.
        """
        if answer.asked != row.digest:
            raise ProofError("the proof is about another work")
        self._log = oldest(self._log, answer)
        item = read_item(answer)
        self._total.add(row.digest, row.bytes)
        self._tally.add(row, item)
        return item_line(row, item, proof)

    @property
    def log(self) -> ProvenLog:
        """The log and the oldest tree of the answers so far; there must be one."""
        assert self._log is not None
        return self._log

    @property
    def total(self) -> ManifestSum:
        """Count, bytes and root of the rows so far."""
        return self._total

    def document(self, head: Head) -> Figures:
        """The label, but for the digests of its files."""
        log, total = self.log, self._total
        return {
            "format": FORMAT,
            "use": head.use,
            "creator": did_key(head.creator),
            "time": head.time,
            "date": utc(head.time // 1_000)[:10],
            "words": head.words.to_json(),
            "manifest": {
                "file": head.file,
                "digest": f"sha256:{head.manifest[2:].hex()}",
                "count": total.count,
                "bytes": total.bytes,
                "unsized": total.unsized,
                "root": total.root().hex(),
            },
            "log": {
                "origin": log.origin,
                "vkey": log.vkey,
                "size": log.size,
                "set_root": log.set_root.hex(),
            },
            **self._tally.figures(),
        }
