"""Alarms: files that prove, offline and by themselves, that a log signed a falsehood.

Rule: an alarm is believed for what it proves and for nothing else, so anybody may make
and pass on one.  Format: docs/spec/alarm.md.  What each kind proves: evidence.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.codec import Value, pack, split_map, unpack
from byline_ledger.errors import (
    MalformedError,
    UnsupportedError,
    VerificationError,
)
from byline_ledger.evidence import (
    Commitment,
    Entry,
    Equivocation,
    Evidence,
    Finding,
    Fork,
    Leaf,
    Omission,
    Repeat,
    Signed,
)
from byline_ledger.merkle import (
    HASH_BYTES,
    MAX_CONSISTENCY,
    MAX_PROOF,
    MAX_SIZE,
    other_root,
)
from byline_ledger.note import MAX_NOTE_BYTES
from byline_ledger.opening import MAX_OPENING
from byline_ledger.tiles import MAX_ENTRY_BYTES, entry_bundle

FORMAT = "byline-alarm/1"
MAX_ALARM = 32 << 20
MAX_VKEY = 1_024
MAX_ENTRIES = 65_536
MAX_FRONTIER = 64

_T = TypeVar("_T")
_Fields: TypeAlias = dict[str, bytes]
"""The encoded values of a map, by key."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a file says; `verify` tells whether it holds."""

    vkey: str
    """The accused log's verifier key."""
    note: bytes
    """A checkpoint that it signed."""
    evidence: Evidence

    @property
    def kind(self) -> str:
        """The kind, as docs/spec/alarm.md names it."""
        return self.evidence.kind

    def verify(self) -> Finding:
        """What it proves.  Raises VerificationError if it proves nothing."""
        signed = Signed.of(self.vkey, self.note)
        text = self.evidence.judge(signed)
        return Finding(signed.origin, self.vkey, self.kind, text)

    def to_bytes(self) -> bytes:
        """The canonical encoding."""
        fields: dict[str, Value] = {
            "format": FORMAT,
            "kind": self.kind,
            "note": self.note,
            "vkey": self.vkey,
        }
        return pack(fields | _encode(self.evidence))

    @classmethod
    def from_bytes(cls, data: bytes) -> Alarm:
        """Parse strictly.  Raises MalformedError or UnsupportedError."""
        raw = split_map(data, max_size=MAX_ALARM, max_items=16, what="alarm")
        _require_format(raw.get("format", b""))
        kind = _text(raw.get("kind", b""), "kind")
        if kind not in _KINDS:
            raise MalformedError("alarm: expected a known kind of alarm")
        names, parse = _KINDS[kind]
        if tuple(raw) != tuple(sorted((*names, "format", "kind", "note", "vkey"))):
            raise MalformedError(f"alarm: fields of a {kind} are missing or unknown")
        vkey = _text(raw["vkey"], "vkey")
        note = _bytes(raw["note"], MAX_NOTE_BYTES, "note")
        return cls(vkey, note, parse(raw))


def alarm_of_notes(
    vkey: str, notes: tuple[bytes, bytes], proof: Sequence[bytes]
) -> Alarm | None:
    """The alarm that two notes of one log make, in either order, with the log's own
    consistency proof between them; None where they show nothing to others.

    Raises MalformedError for what is no checkpoint.
    """
    small, large = sorted(notes, key=lambda note: checkpoint_of(note).size)
    old, new = checkpoint_of(small), checkpoint_of(large)
    evidence: Evidence = Equivocation(small)
    if old.size != new.size:
        root = other_root(old.size, new.size, old.root, new.root, proof)
        if root is None:
            return None
        evidence = Fork(small, root, tuple(proof))
    alarm = Alarm(vkey, large, evidence)
    try:
        alarm.verify()
    except VerificationError:
        return None
    return alarm


# Encoding


def _encode(evidence: Evidence) -> dict[str, Value]:
    match evidence:
        case Equivocation(other):
            return {"other": other}
        case Fork(other, root, proof):
            return {"other": other, "proof": b"".join(proof), "root": root}
        case Entry(leaves) | Repeat(leaves):
            return {"leaves": [_leaf_value(leaf) for leaf in leaves]}
        case Commitment(start, before, entries, opening, proof):
            return {
                "before": b"".join(before),
                "entries": entry_bundle(entries),
                "opening": opening,
                "proof": b"".join(proof),
                "start": start,
            }
    values: list[Value] = [_leaf_value(leaf) for leaf in evidence.leaves]
    return {"leaves": values, "opening": evidence.opening}


def _leaf_value(leaf: Leaf) -> Value:
    return [leaf.index, leaf.entry, b"".join(leaf.proof)]


# Parsing


def _parse_equivocation(raw: _Fields) -> Evidence:
    return Equivocation(_note(raw))


def _parse_fork(raw: _Fields) -> Evidence:
    root = _bytes(raw["root"], HASH_BYTES, "root")
    if len(root) != HASH_BYTES:
        raise MalformedError("alarm: root is not a hash")
    return Fork(_note(raw), root, _hashes(raw["proof"], MAX_CONSISTENCY, "proof"))


def _parse_entry(raw: _Fields) -> Evidence:
    return Entry(_leaves(raw["leaves"], 1, 2))


def _parse_repeat(raw: _Fields) -> Evidence:
    return Repeat(_leaves(raw["leaves"], 2, 2))


def _parse_commitment(raw: _Fields) -> Evidence:
    return Commitment(
        _index(_plain(raw["start"], "start")),
        _hashes(raw["before"], MAX_FRONTIER, "before"),
        _entries(_bytes(raw["entries"], MAX_ALARM, "entries")),
        _bytes(raw["opening"], MAX_OPENING, "opening"),
        _hashes(raw["proof"], MAX_CONSISTENCY, "proof"),
    )


def _parse_omission(raw: _Fields) -> Evidence:
    leaves = _leaves(raw["leaves"], 2, 2)
    return Omission(leaves, _bytes(raw["opening"], MAX_OPENING, "opening"))


_KINDS: Mapping[str, tuple[Sequence[str], Callable[[_Fields], Evidence]]] = {
    Equivocation.kind: (("other",), _parse_equivocation),
    Fork.kind: (("other", "proof", "root"), _parse_fork),
    Entry.kind: (("leaves",), _parse_entry),
    Repeat.kind: (("leaves",), _parse_repeat),
    Commitment.kind: (
        ("before", "entries", "opening", "proof", "start"),
        _parse_commitment,
    ),
    Omission.kind: (("leaves", "opening"), _parse_omission),
}


def _require_format(data: bytes) -> None:
    value = _plain(data, "format")
    if not isinstance(value, str) or not value.startswith("byline-alarm/"):
        raise MalformedError("expected an alarm, got something else")
    if value != FORMAT:
        raise UnsupportedError(
            f"alarm: expected the format {FORMAT}",
            hint="it comes from another version of Byline",
        )


def _plain(data: bytes, name: str) -> Value:
    """A value that is no container."""
    return unpack(data, max_size=MAX_ALARM, max_depth=0, what=f"alarm: {name}")


def _text(data: bytes, name: str) -> str:
    value = _plain(data, name)
    if not isinstance(value, str) or len(value) > MAX_VKEY:
        raise MalformedError(f"alarm: {name} is not a text of up to {MAX_VKEY}")
    return value


def _bytes(data: bytes, most: int, name: str) -> bytes:
    return _as_bytes(_plain(data, name), most, name)


def _as_bytes(value: Value, most: int, name: str) -> bytes:
    if type(value) is not bytes or len(value) > most:
        raise MalformedError(f"alarm: {name} is not up to {most} bytes")
    return value


def _note(raw: _Fields) -> bytes:
    return _bytes(raw["other"], MAX_NOTE_BYTES, "other")


def _index(value: Value) -> int:
    if type(value) is not int or value > MAX_SIZE:
        raise MalformedError("alarm: expected a leaf index up to 2^63 - 1")
    return value


def _hashes(data: bytes, most: int, name: str) -> tuple[bytes, ...]:
    return _split(_bytes(data, most * HASH_BYTES, name), name)


def _split(joined: bytes, name: str) -> tuple[bytes, ...]:
    if len(joined) % HASH_BYTES:
        raise MalformedError(f"alarm: {name} is not made of 32-byte hashes")
    starts = range(0, len(joined), HASH_BYTES)
    return tuple(joined[start : start + HASH_BYTES] for start in starts)


def _entries(data: bytes) -> tuple[bytes, ...]:
    found: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data) or len(found) == MAX_ENTRIES:
            raise MalformedError("alarm: entries end early, or are too many")
        found.append(data[at + 2 : end])
        at = end
    if not found:
        raise MalformedError("alarm: expected entries, got none")
    return tuple(found)


def _leaves(data: bytes, least: int, most: int) -> tuple[Leaf, ...]:
    limit = most * (MAX_ENTRY_BYTES + MAX_PROOF * HASH_BYTES + 32)
    value = unpack(data, max_size=limit, max_depth=2, what="alarm: leaves")
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise MalformedError(f"alarm: expected {least} to {most} leaves")
    return tuple(_leaf(one) for one in value)


def _leaf(value: Value) -> Leaf:
    if not isinstance(value, list) or len(value) != 3:
        raise MalformedError("alarm: a leaf is not [index, entry, proof]")
    index, entry, proof = value
    return Leaf(
        _index(index),
        _as_bytes(entry, MAX_ENTRY_BYTES, "an entry"),
        _split(_as_bytes(proof, MAX_PROOF * HASH_BYTES, "a proof"), "a proof"),
    )
