"""By whose key a log is audited, and who cosigned what was audited.

Rule: a key that the reader gave goes before that of their policy, and that before the
one that the place itself names, for which nobody vouches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from byline_ledger.audit import AuditReport
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.cosignature import verify_cosignature
from byline_ledger.errors import (
    BadSignatureError,
    BylineError,
    MalformedError,
    NotFoundError,
    UnsupportedError,
    UsageError,
    VerificationError,
)
from byline_ledger.note import Verifier, parse_note
from byline_ledger.policy import Policy

Vouching: TypeAlias = Literal["given", "policy", "log"]


class Shown(Protocol):
    """The part of a log's source that this needs."""

    @property
    def name(self) -> str:
        """The place, for people."""
        ...

    def checkpoint(self) -> bytes:
        """The note that it shows; NotFoundError without one."""
        ...

    def vkey(self) -> str | None:
        """The key that it names, if it does."""
        ...


@dataclass(frozen=True, slots=True)
class AuditKey:
    """The key to audit with, who vouches for it, and what is wrong with the file `vkey`
    of the place; empty if nothing."""

    vkey: str
    vouched: Vouching
    fault: str


def choose_key(
    source: Shown, given: str | None, rules: Policy | None, named: str = ""
) -> AuditKey:
    """The key to go by; `named` is the policy's file where that must name the log.

    UsageError where nobody says which key, VerificationError where what says it is
    damaged, NotFoundError where there is no log.
    """
    origin = _origin_of(source)
    said, fault = _said_key(source)
    names = [origin, said.partition("+")[0] if said else ""]
    logs = [rules.log_for(name) for name in names] if rules is not None else []
    trusted = next((log.vkey for log in logs if log is not None), None)
    if given is None and trusted is None and named:
        raise UsageError(f"{named} does not name the log {origin or 'of that place'}")
    key = given or trusted or said
    if key is None:
        raise _no_key(source.name, fault)
    if said not in (None, key):
        fault = "vkey: it names another key than the one this audit goes by"
    vouched: Vouching = "given" if given else "policy" if trusted else "log"
    return AuditKey(key, vouched, fault)


def _said_key(source: Shown) -> tuple[str | None, str]:
    """The key that the place names, if it does, and what is wrong with that file."""
    try:
        said = source.vkey()
        if said is not None:
            Verifier.from_text(said)
    except (MalformedError, UnsupportedError) as error:
        return None, f"vkey: {str(error).removeprefix('vkey: ')}"
    return said, ""


def _origin_of(source: Shown) -> str:
    """The log that the place shows, unchecked; empty if that cannot be read."""
    try:
        return checkpoint_of(source.checkpoint()).origin
    except NotFoundError:
        raise NotFoundError(
            f"there is no log at {source.name}", hint="expected a checkpoint there"
        ) from None
    except MalformedError:
        return ""  # the audit will say it better


def _no_key(name: str, fault: str) -> BylineError:
    """Nobody says which key to audit with, or what says it is damaged."""
    hint = "give the key with --vkey or --policy"
    if fault:
        return VerificationError(f"{name}: {fault}", hint=hint)
    return UsageError(f"{name} does not say which key signs it", hint=hint)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """Signature lines beside the log's own."""

    lines: int
    good: tuple[str, ...] = ()
    """Witnesses, by their names in the policy, whose lines hold."""
    false: int = 0

    @property
    def others(self) -> int:
        """Lines of whom the policy does not know, which nobody checked."""
        return self.lines - len(self.good) - self.false


def check_cosigners(rules: Policy | None, report: AuditReport) -> Cosigned:
    """Who cosigned what was audited; a false line of a known witness is a problem, and
    is added to the report."""
    if not report.note:
        return Cosigned(0)
    note, good, false = parse_note(report.note), [], 0
    for witness in rules.witnesses if rules is not None else ():
        if note.signature_by(witness.verifier) is None:
            continue
        try:
            verify_cosignature(note, witness.verifier)
            good.append(witness.name)
        except BadSignatureError as error:
            false += 1
            name = witness.verifier.name
            report.add(f"checkpoint: the cosignature by {name} is false: {error}")
    return Cosigned(len(note.signatures) - 1, tuple(good), false)
