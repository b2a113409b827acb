"""Writes a trust policy from the keys of logs and witnesses (docs/spec/log.md).

Rule: keys of one operator stand in one group of which any will do, so that nobody
counts twice; of the operators more than two thirds are needed, unless the reader says
how many.
"""

from __future__ import annotations

from collections.abc import Iterable

from byline_ledger.amount import amount
from byline_ledger.errors import UsageError
from byline_ledger.node_keys import operator_of
from byline_ledger.note import Verifier
from byline_ledger.policy import NONE
from byline_ledger.policy_review import safe_threshold


def make_policy(
    logs: Iterable[Verifier], witnesses: Iterable[Verifier], quorum: int | None = None
) -> bytes:
    """The file; `quorum` operators must have signed."""
    lines = [f"log {key.to_text()}" for key in dict.fromkeys(logs)]
    groups: dict[str, list[str]] = {}
    for number, key in enumerate(dict.fromkeys(witnesses), start=1):
        name = f"w{number}"
        lines.append(f"witness {name} {key.to_text()}")
        groups.setdefault(operator_of(key.name), []).append(name)
    if not groups:
        if quorum is not None:
            raise UsageError("a quorum needs witnesses")
        return "\n".join([*lines, f"quorum {NONE}", ""]).encode()
    operators = []
    for number, members in enumerate(groups.values(), start=1):
        if len(members) > 1:
            lines.append(f"group operator{number} any {' '.join(members)}")
            members = [f"operator{number}"]
        operators += members
    needed = _needed(quorum, len(operators))
    lines += [f"group all-witnesses {needed} {' '.join(operators)}"]
    return "\n".join([*lines, "quorum all-witnesses", ""]).encode()


def _needed(quorum: int | None, known: int) -> int:
    """How many of the operators must have signed."""
    if quorum is None:
        return min(safe_threshold(known), known)
    if quorum > known:
        witnesses = amount(known, "witness", "witnesses")
        raise UsageError(
            f"--quorum {quorum}: expected at most the number of witnesses, {witnesses}",
            hint="keys of one node count as one",
        )
    return quorum
