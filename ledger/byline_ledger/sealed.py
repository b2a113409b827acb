"""Seals: that a work was known to its author before it was shown to anybody.

Rule: docs/spec/state.md, "Sealed works, and order".
"""

from __future__ import annotations

from dataclasses import dataclass

from byline_ledger.content_seal import seal_commitment
from byline_ledger.content_work import read_work
from byline_ledger.delegation import Authority
from byline_ledger.facts import YES, Facts, Record
from byline_ledger.key_state import Keys


@dataclass(frozen=True, slots=True)
class Sealing:
    """The seal that a claim reveals, or the problem that keeps it from counting."""

    seal: Record | None
    problem: str = ""


class Seals:
    """The seals of claims."""

    def __init__(self, facts: Facts, keys: Keys, authority: Authority) -> None:
        self._facts = facts
        self._keys = keys
        self._authority = authority

    def of(self, claim: Record) -> Sealing | None:
        """The seal of a claim; None if it names none."""
        content = read_work(claim.statement)
        if content.seal is None or content.seal_nonce is None:
            return None
        seal = self._facts.by_id(content.seal)
        if seal is None:
            return Sealing(None, "seal: the statement named is not shown")
        problem = self._problem(claim, seal, content.seal_nonce)
        return Sealing(None, f"seal: {problem}") if problem else Sealing(seal)

    def _problem(self, claim: Record, seal: Record, nonce: bytes) -> str:
        said = seal.statement
        if said.type != "seal":
            return "the statement named is none"
        if seal.index >= claim.index:
            return "it was published after the work"
        if said.about != seal_commitment(nonce, claim.statement.about, said.author):
            return "it does not fit the work, the nonce and the key"
        sealer = self._authority.principal(seal)
        author = self._authority.principal(claim)
        if self._keys.succession(sealer).holds(author) != YES:
            return "the work's author does not act for the key that sealed it"
        return ""

    def evidence(self, claim: Record) -> Record:
        """The statement by which a claim is dated: its seal, or itself."""
        found = self.of(claim)
        return claim if found is None or found.seal is None else found.seal

    def order(self, claim: Record) -> tuple[bool, int, int]:
        """By this, the earliest evidence comes first."""
        evidence = self.evidence(claim)
        seen = evidence.existed_by
        return seen is None, seen or 0, evidence.index
