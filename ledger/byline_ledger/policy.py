"""Trust policies: which logs and witnesses a reader believes (C2SP tlog-policy).

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>...
    quorum <name>|none

Rule: every name is defined once, before it is used, and is a member of at most one
group; no public key appears twice, so nobody counts twice.  Specification:
docs/spec/log.md, "Policy".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from byline_ledger.ascii import parse_decimal, parse_utf8, shown
from byline_ledger.checkpoint import check_origin
from byline_ledger.cosignature import verify_cosignature
from byline_ledger.errors import MalformedError, UnsupportedError
from byline_ledger.node_keys import is_replay_key, operator_of
from byline_ledger.note import COSIGNATURE, ED25519, Verifier, parse_note

MAX_POLICY_BYTES = 262_144
NONE = "none"
"""The quorum that asks for no witness."""
FUTURE_SECONDS = 300
"""How far ahead of the reader's clock a cosignature may be dated and still count."""

_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_BLANKS = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log the reader accepts."""

    verifier: Verifier
    url: str | None

    @property
    def origin(self) -> str:
        """The log's origin, which is also the name of its key."""
        return self.verifier.name

    @property
    def vkey(self) -> str:
        """The log's verifier key."""
        return self.verifier.to_text()


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness the reader knows; `name` has a meaning only inside the policy."""

    name: str
    verifier: Verifier
    url: str | None


@dataclass(frozen=True, slots=True)
class PolicyGroup:
    """Satisfied if at least `threshold` of its members are."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What one policy file says; `groups` stand in the order of their definition."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: str

    @classmethod
    def from_bytes(cls, data: bytes) -> Policy:
        """Strict; MalformedError or UnsupportedError name the line."""
        return _Parser().parse(data)

    def log_for(self, origin: str) -> PolicyLog | None:
        """The log of this origin, if the policy names it."""
        return next((log for log in self.logs if log.origin == origin), None)

    def is_satisfied(self, names: Collection[str]) -> bool:
        """Whether these witnesses, by their names in the policy, make the quorum."""
        satisfied = {w.name for w in self.witnesses if w.name in names}
        # Members are defined before their group, so one pass is enough.
        for group in self.groups:
            if len(satisfied.intersection(group.members)) >= group.threshold:
                satisfied.add(group.name)
        return self.quorum == NONE or self.quorum in satisfied

    def witnessed_by(self, note: bytes, *, now: int | None = None) -> dict[str, int]:
        """Names of the witnesses that cosigned this checkpoint, and their Unix seconds.

        A line that claims to be by a known witness and fails rejects the whole note
        (BadSignatureError).  With `now` (Unix milliseconds) a cosignature from the
        future does not count.
        """
        parsed = parse_note(note)
        times = {
            witness.name: verify_cosignature(parsed, witness.verifier)
            for witness in self.witnesses
            if parsed.signature_by(witness.verifier) is not None
        }
        if now is None:
            return times
        latest = now // 1000 + FUTURE_SECONDS
        return {name: time for name, time in times.items() if time <= latest}

    def quorum_time(self, times: Mapping[str, int]) -> int | None:
        """The smallest t at which those who signed until t make the quorum: by then,
        the tree existed.  None without one, or where no witness is asked for."""
        return self._reached(sorted(times.items(), key=lambda one: one[1]))

    def fresh_time(self, times: Mapping[str, int]) -> int | None:
        """The largest t at which those who signed from t on make the quorum: until
        then, they knew of no larger tree.  None as above."""
        newest_first = sorted(times.items(), key=lambda one: -one[1])
        return self._reached(newest_first)

    def _reached(self, signed: Sequence[tuple[str, int]]) -> int | None:
        """The time at which the quorum is reached, one signature after the other."""
        if self.quorum == NONE:
            return None
        names: set[str] = set()
        for name, time in signed:
            names.add(name)
            if self.is_satisfied(names):
                return time
        return None

    def operators(self, names: Collection[str]) -> list[str]:
        """Who these witnesses are, each operator once, however many keys they use."""
        return sorted(
            {operator_of(w.verifier.name) for w in self.witnesses if w.name in names}
        )

    def replayed_by(self, names: Collection[str]) -> list[str]:
        """Who of these witnesses say that they replayed the log, each operator once."""
        return self.operators(
            {
                one.name
                for one in self.witnesses
                if one.name in names and is_replay_key(one.verifier.name)
            }
        )


class _Parser:
    """Collects the lines of one policy file."""

    def __init__(self) -> None:
        self._logs: list[PolicyLog] = []
        self._witnesses: list[PolicyWitness] = []
        self._groups: list[PolicyGroup] = []
        self._quorum: str | None = None
        self._names: set[str] = set()
        self._members: set[str] = set()
        self._origins: set[str] = set()
        self._cosigners: set[str] = set()
        self._keys: set[bytes] = set()

    def parse(self, data: bytes) -> Policy:
        if len(data) > MAX_POLICY_BYTES:
            size = len(data)
            raise MalformedError(
                f"expected a policy of at most 256 KiB, got {size} bytes"
            )
        if not data.endswith(b"\n"):
            raise MalformedError(
                "expected a policy whose last line ends with a newline"
            )
        for number, line in enumerate(data[:-1].split(b"\n"), start=1):
            try:
                self._line(line)
            except (MalformedError, UnsupportedError) as error:
                raise type(error)(f"policy line {number}: {error}") from error
        if self._quorum is None:
            raise MalformedError("expected a policy with a quorum line, got none")
        return Policy(
            tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum
        )

    def _line(self, line: bytes) -> None:
        if _FORBIDDEN.search(line):
            raise MalformedError("expected no control characters but tab and newline")
        line = line.strip(b" \t")
        if not line or line.startswith(b"#"):
            return
        keyword, *fields = _BLANKS.split(line)
        kinds: dict[bytes, Callable[[list[bytes]], None]] = {
            b"log": self._log,
            b"witness": self._witness,
            b"group": self._group,
            b"quorum": self._quorum_line,
        }
        if keyword not in kinds:
            found = shown(keyword)
            raise MalformedError(f"expected log, witness, group or quorum, got {found}")
        kinds[keyword](fields)

    def _log(self, fields: list[bytes]) -> None:
        _require_fields(fields, 1, 2, "log <vkey> [<url>]")
        verifier = self._verifier(fields[0], ED25519)
        origin = check_origin(verifier.name)
        if origin in self._origins or origin in self._cosigners:
            raise MalformedError("the log's name is a key name on a line above")
        self._origins.add(origin)
        self._logs.append(PolicyLog(verifier, _url(fields[1:])))

    def _witness(self, fields: list[bytes]) -> None:
        _require_fields(fields, 2, 3, "witness <name> <vkey> [<url>]")
        name = self._define(fields[0])
        verifier = self._verifier(fields[1], COSIGNATURE)
        if verifier.name in self._origins:
            raise MalformedError("the witness's key has the name of a log above")
        self._cosigners.add(verifier.name)
        self._witnesses.append(PolicyWitness(name, verifier, _url(fields[2:])))

    def _group(self, fields: list[bytes]) -> None:
        _require_fields(fields, 3, None, "group <name> all|any|<k> <name>...")
        members = tuple(self._member(field) for field in fields[2:])
        threshold = _threshold(fields[1], len(members))
        self._groups.append(PolicyGroup(self._define(fields[0]), threshold, members))

    def _quorum_line(self, fields: list[bytes]) -> None:
        _require_fields(fields, 1, 1, "quorum <name>|none")
        if self._quorum is not None:
            raise MalformedError("expected one quorum line, got a second")
        name = _name(fields[0])
        if name != NONE and name not in self._names:
            raise MalformedError(f"quorum {shown(fields[0])} is not defined above it")
        self._quorum = name

    def _verifier(self, field: bytes, key_type: int) -> Verifier:
        verifier = Verifier.from_text(parse_utf8(field, "a verifier key"))
        if verifier.type != key_type:
            got = f"got type {verifier.type:02x}"
            raise MalformedError(f"expected a key of type {key_type:02x}, {got}")
        # One key, one role, one voice: also between logs and witnesses.
        if verifier.public in self._keys:
            raise MalformedError("the same public key stands on a line above")
        self._keys.add(verifier.public)
        return verifier

    def _define(self, field: bytes) -> str:
        name = _name(field)
        if name == NONE or name in self._names:
            raise MalformedError(f"the name {shown(field)} is taken")
        self._names.add(name)
        return name

    def _member(self, field: bytes) -> str:
        name = _name(field)
        if name not in self._names:
            raise MalformedError(
                f"member {shown(field)} is not defined above the group"
            )
        if name in self._members:
            raise MalformedError(f"member {shown(field)} already counts in a group")
        self._members.add(name)
        return name


def _require_fields(
    fields: list[bytes], least: int, most: int | None, form: str
) -> None:
    if len(fields) < least or (most is not None and len(fields) > most):
        raise MalformedError(f"expected `{form}`, got {len(fields)} fields")


def _name(field: bytes) -> str:
    # Names are opaque octets; this decoding keeps different octets different.
    return field.decode("utf-8", "surrogateescape")


def _url(fields: list[bytes]) -> str | None:
    return _name(fields[0]) if fields else None


def _threshold(field: bytes, members: int) -> int:
    if field in (b"all", b"any"):
        return members if field == b"all" else 1
    threshold = parse_decimal(field, "a group's threshold")
    if not 1 <= threshold <= members:
        raise MalformedError(f"expected a threshold of 1 to {members}, got {threshold}")
    return threshold
